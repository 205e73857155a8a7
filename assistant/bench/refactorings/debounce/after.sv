module debounce (
    input  wire clk,
    input  wire rst,
    input  wire raw,
    output reg  clean,
    output reg  pressed
);
  reg       first, second;
  reg [2:0] left;
  wire      other = second ^ clean;
  wire      turn = other && left == 3'd0;
  always @(posedge clk) begin
    first <= raw & ~rst;
    second <= first & ~rst;
  end
  always @(posedge clk)
    if (rst || turn || !other) left <= 3'd5;
    else left <= left - 3'd1;
  always @(posedge clk) begin
    clean <= rst ? 1'b0 : clean ^ turn;
    pressed <= !rst && turn && second;
  end
endmodule
