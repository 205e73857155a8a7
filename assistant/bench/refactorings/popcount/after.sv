module popcount (
    input  wire        clk,
    input  wire [15:0] word,
    input  wire [4:0]  limit,
    output wire [4:0]  ones,
    output reg         over
);
  function [2:0] four(input [3:0] bits);
    four = {2'd0, bits[0]} + {2'd0, bits[1]} + {2'd0, bits[2]} + {2'd0, bits[3]};
  endfunction
  wire [3:0] low = {1'b0, four(word[3:0])} + {1'b0, four(word[7:4])};
  wire [3:0] high = {1'b0, four(word[11:8])} + {1'b0, four(word[15:12])};
  wire [4:0] all = {1'b0, low} + {1'b0, high};
  reg  [4:0] kept;
  assign ones = kept;
  always @(posedge clk) begin
    over <= !(all <= limit);
    kept <= all;
  end
endmodule
