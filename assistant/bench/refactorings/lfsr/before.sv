module lfsr (
    input  wire       clk,
    input  wire       rst,
    input  wire       en,
    input  wire [7:0] seed,
    output wire [7:0] value,
    output wire       odd
);
  reg [7:0] r;
  integer i;
  always @(posedge clk) begin
    if (rst) r <= 8'h5A;
    else if (|seed) r <= seed;
    else if (en) begin
      r[7] <= r[0];
      for (i = 0; i < 7; i = i + 1)
        r[i] <= (i == 5 || i == 4 || i == 3) ? r[i+1] ^ r[0] : r[i+1];
    end
  end
  assign value = r;
  assign odd = ^r;
endmodule
