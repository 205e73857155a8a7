module sender (
    input  wire       clk,
    input  wire       rst,
    input  wire       start,
    input  wire [7:0] data,
    output reg        tx,
    output wire       busy
);
  // A frame is ten bits of two cycles each; `left` counts them down, 0 is idle.
  reg [4:0] left;
  reg [9:0] frame;
  assign busy = |left;
  always @(posedge clk)
    if (rst) begin
      left <= 5'd0;
      frame <= 10'h3FF;
    end else if (!busy) begin
      if (start) begin
        left <= 5'd20;
        frame <= {1'b1, data, 1'b0};
      end
    end else begin
      left <= left - 5'd1;
      if (left[0]) frame <= {1'b1, frame[9:1]};
    end
  always @(posedge clk)
    if (rst) tx <= 1'b1;
    else tx <= busy ? frame[0] : 1'b1;
endmodule
