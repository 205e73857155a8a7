module encoder (
    input  wire [7:0] req,
    input  wire       high_first,
    output reg  [2:0] index,
    output reg        valid
);
  always @(*) begin
    valid = |req;
    index = 3'd0;
    if (high_first) begin
      casez (req)
        8'b1???????: index = 3'd7;
        8'b01??????: index = 3'd6;
        8'b001?????: index = 3'd5;
        8'b0001????: index = 3'd4;
        8'b00001???: index = 3'd3;
        8'b000001??: index = 3'd2;
        8'b0000001?: index = 3'd1;
        default: index = 3'd0;
      endcase
    end else begin
      casez (req)
        8'b???????1: index = 3'd0;
        8'b??????10: index = 3'd1;
        8'b?????100: index = 3'd2;
        8'b????1000: index = 3'd3;
        8'b???10000: index = 3'd4;
        8'b??100000: index = 3'd5;
        8'b?1000000: index = 3'd6;
        8'b10000000: index = 3'd7;
        default: index = 3'd0;
      endcase
    end
  end
endmodule
