module shifter (
    input  wire [15:0] value,
    input  wire [3:0]  amount,
    input  wire        right,
    input  wire        signed_shift,
    output wire [15:0] y
);
  // Four stages that shift to the right; what goes left is turned round before and after.
  function [15:0] turned(input [15:0] word);
    integer i;
    for (i = 0; i < 16; i = i + 1) turned[i] = word[15-i];
  endfunction
  wire        fill = right & signed_shift & value[15];
  wire [15:0] s0 = right ? value : turned(value);
  wire [15:0] s1 = amount[0] ? {fill, s0[15:1]} : s0;
  wire [15:0] s2 = amount[1] ? {{2{fill}}, s1[15:2]} : s1;
  wire [15:0] s4 = amount[2] ? {{4{fill}}, s2[15:4]} : s2;
  wire [15:0] s8 = amount[3] ? {{8{fill}}, s4[15:8]} : s4;
  assign y = right ? s8 : turned(s8);
endmodule
