module loader (
    input  wire       clk,
    input  wire       rst,
    input  wire [1:0] mode,
    input  wire       serial,
    input  wire [7:0] data,
    output wire [7:0] q
);
  reg  [7:0] held;
  wire [7:0] left = (held << 1) | {7'd0, serial};
  wire [7:0] right = (held >> 1) | {serial, 7'd0};
  wire [7:0] next = mode[1] ? (mode[0] ? data : right) : (mode[0] ? left : held);
  always @(posedge clk or posedge rst)
    if (rst) held <= 8'd0;
    else held <= next;
  assign q = held;
endmodule
