module stretch (
    input  wire       clk,
    input  wire       rst,
    input  wire       trigger,
    input  wire [3:0] length,
    output wire       pulse
);
  // The count is one higher while it runs, so that 0 is off.
  reg       last;
  reg [4:0] run;
  wire      rises = trigger & ~last;
  assign pulse = run != 5'd0;
  always @(posedge clk) last <= !rst & trigger;
  always @(posedge clk)
    if (rst) run <= 5'd0;
    else if (rises) run <= {1'b0, length} + 5'd1;
    else if (pulse) run <= run - 5'd1;
endmodule
