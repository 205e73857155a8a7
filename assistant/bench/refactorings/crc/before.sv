module crc (
    input  wire       clk,
    input  wire       rst,
    input  wire       en,
    input  wire [3:0] data,
    output reg  [7:0] crc_out
);
  reg [7:0] c;
  integer i;
  always @(*) begin
    c = crc_out;
    for (i = 3; i >= 0; i = i - 1)
      c = (c[7] ^ data[i]) ? {c[6:0], 1'b0} ^ 8'h07 : {c[6:0], 1'b0};
  end
  always @(posedge clk) begin
    if (rst) crc_out <= 8'hFF;
    else if (en) crc_out <= c;
  end
endmodule
