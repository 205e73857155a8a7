module debounce (
    input  wire clk,
    input  wire rst,
    input  wire raw,
    output reg  clean,
    output reg  pressed
);
  reg [1:0] sync;
  reg [2:0] count;
  always @(posedge clk) begin
    if (rst) begin
      sync <= 2'b00;
      count <= 3'd0;
      clean <= 1'b0;
      pressed <= 1'b0;
    end else begin
      sync <= {sync[0], raw};
      pressed <= 1'b0;
      if (sync[1] == clean) begin
        count <= 3'd0;
      end else if (count == 3'd5) begin
        clean <= sync[1];
        count <= 3'd0;
        pressed <= sync[1];
      end else begin
        count <= count + 3'd1;
      end
    end
  end
endmodule
