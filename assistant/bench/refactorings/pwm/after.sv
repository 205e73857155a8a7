module pwm (
    input  wire       clk,
    input  wire       rst_n,
    input  wire       load,
    input  wire [4:0] duty,
    output wire       out
);
  reg [4:0] down;
  reg [4:0] limit;
  reg       high;
  // `down` runs from 31 to 0 while the phase runs from 0 to 31.
  wire [4:0] up = ~down;
  always @(posedge clk or negedge rst_n)
    if (!rst_n) down <= 5'd31;
    else down <= down - 5'd1;
  always @(posedge clk or negedge rst_n)
    if (!rst_n) limit <= 5'd0;
    else if (load & (down == 5'd0)) limit <= duty;
  always @(posedge clk or negedge rst_n)
    if (!rst_n) high <= 1'b0;
    else high <= !(up >= limit);
  assign out = high;
endmodule
