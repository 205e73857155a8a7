module shifter (
    input  wire [15:0] value,
    input  wire [3:0]  amount,
    input  wire        right,
    input  wire        signed_shift,
    output reg  [15:0] y
);
  always @(*) begin
    if (!right) y = value << amount;
    else if (signed_shift) y = $signed(value) >>> amount;
    else y = value >> amount;
  end
endmodule
