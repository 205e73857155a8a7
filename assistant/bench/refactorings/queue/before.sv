module queue (
    input  wire       clk,
    input  wire       rst,
    input  wire       push,
    input  wire       pop,
    input  wire [3:0] din,
    output wire [3:0] dout,
    output wire       full,
    output wire       empty
);
  reg [3:0] mem [0:3];
  reg [1:0] head, tail;
  reg [2:0] count;
  assign full = count == 3'd4;
  assign empty = count == 3'd0;
  assign dout = empty ? 4'd0 : mem[head];
  wire do_push = push && !full;
  wire do_pop = pop && !empty;

  always @(posedge clk) begin
    if (rst) begin
      head <= 2'd0;
      tail <= 2'd0;
      count <= 3'd0;
    end else begin
      if (do_push) begin
        mem[tail] <= din;
        tail <= tail + 2'd1;
      end
      if (do_pop) head <= head + 2'd1;
      count <= count + do_push - do_pop;
    end
  end
endmodule
