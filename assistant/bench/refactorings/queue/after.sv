module queue (
    input  wire       clk,
    input  wire       rst,
    input  wire       push,
    input  wire       pop,
    input  wire [3:0] din,
    output reg  [3:0] dout,
    output wire       full,
    output wire       empty
);
  // Pointers of one bit more than they need tell full from empty.
  reg [2:0] rd, wr;
  reg [3:0] word0, word1, word2, word3;
  assign empty = rd == wr;
  assign full = (rd[1:0] == wr[1:0]) && (rd[2] != wr[2]);
  wire take = push & ~full;

  always @(*) begin
    case (rd[1:0])
      2'd0: dout = word0;
      2'd1: dout = word1;
      2'd2: dout = word2;
      default: dout = word3;
    endcase
    if (empty) dout = 4'd0;
  end

  always @(posedge clk)
    if (rst) wr <= 3'd0;
    else if (take) wr <= wr + 3'd1;

  always @(posedge clk)
    if (rst) rd <= 3'd0;
    else if (pop & ~empty) rd <= rd + 3'd1;

  always @(posedge clk)
    if (take & ~rst) begin
      if (wr[1:0] == 2'd0) word0 <= din;
      if (wr[1:0] == 2'd1) word1 <= din;
      if (wr[1:0] == 2'd2) word2 <= din;
      if (wr[1:0] == 2'd3) word3 <= din;
    end
endmodule
