module lfsr (
    input  wire       clk,
    input  wire       rst,
    input  wire       en,
    input  wire [7:0] seed,
    output reg  [7:0] value,
    output wire       odd
);
  localparam [7:0] TAPS = 8'hB8;
  wire [7:0] shifted = value >> 1;
  wire [7:0] stepped = value[0] ? shifted ^ TAPS : shifted;
  assign odd = value[0] ^ value[1] ^ value[2] ^ value[3] ^ value[4] ^ value[5] ^ value[6] ^ value[7];
  always @(posedge clk)
    value <= rst ? 8'h5A : (seed != 8'd0) ? seed : en ? stepped : value;
endmodule
