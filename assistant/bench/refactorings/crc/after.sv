module crc (
    input  wire       clk,
    input  wire       rst,
    input  wire       en,
    input  wire [3:0] data,
    output wire [7:0] crc_out
);
  reg  [7:0] r;
  wire [3:0] x = r[7:4] ^ data;
  wire [7:0] stepped;
  assign stepped[0] = x[0];
  assign stepped[1] = x[1] ^ x[0];
  assign stepped[2] = x[2] ^ x[1] ^ x[0];
  assign stepped[3] = x[3] ^ x[2] ^ x[1];
  assign stepped[4] = r[0] ^ x[3] ^ x[2];
  assign stepped[5] = r[1] ^ x[3];
  assign stepped[6] = r[2];
  assign stepped[7] = r[3];
  always @(posedge clk)
    if (rst) r <= {8{1'b1}};
    else r <= en ? stepped : r;
  assign crc_out = r;
endmodule
