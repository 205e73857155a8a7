module loader (
    input  wire       clk,
    input  wire       rst,
    input  wire [1:0] mode,
    input  wire       serial,
    input  wire [7:0] data,
    output reg  [7:0] q
);
  always @(posedge clk or posedge rst) begin
    if (rst) q <= 8'd0;
    else case (mode)
      2'b00: q <= q;
      2'b01: q <= {q[6:0], serial};
      2'b10: q <= {serial, q[7:1]};
      2'b11: q <= data;
    endcase
  end
endmodule
