// A queue with a register at its output, and the statistics that its owner asks for.
module dut #(
    parameter WIDTH = 6,
    parameter DEPTH_LOG2 = 2
) (
    input                   clk,
    input                   rst_n,
    input                   put,
    input      [WIDTH-1:0]  in,
    output                  ready,
    input                   get,
    output reg              valid,
    output reg [WIDTH-1:0]  out,
    output     [DEPTH_LOG2:0] fill,
    output reg [DEPTH_LOG2:0] highest,
    output reg              lost,
    output                  parity
);
  localparam DEPTH = 1 << DEPTH_LOG2;

  reg [WIDTH-1:0] memory[0:DEPTH-1];
  reg [DEPTH_LOG2:0] head, tail;
  wire [DEPTH_LOG2:0] count = head - tail;
  wire empty = count == 0;
  wire full = count == DEPTH;
  wire take = !empty && (!valid || get);

  assign ready = !full;
  assign fill = count + {{DEPTH_LOG2{1'b0}}, valid};

  always @(posedge clk or negedge rst_n) begin
    if (!rst_n) begin
      head <= 0;
      tail <= 0;
    end else begin
      if (put && ready) begin
        memory[head[DEPTH_LOG2-1:0]] <= in;
        head <= head + 1'b1;
      end
      if (take) tail <= tail + 1'b1;
    end
  end

  always @(posedge clk or negedge rst_n)
    if (!rst_n) begin
      valid <= 1'b0;
      out <= {WIDTH{1'b0}};
    end else if (take) begin
      valid <= 1'b1;
      out <= memory[tail[DEPTH_LOG2-1:0]];
    end else if (get) valid <= 1'b0;

  always @(posedge clk or negedge rst_n)
    if (!rst_n) begin
      highest <= 0;
      lost <= 1'b0;
    end else begin
      if (fill > highest) highest <= fill;
      lost <= lost | (put & full);
    end

  genvar bit_index;
  wire [WIDTH:0] chain;
  assign chain[0] = 1'b0;
  generate
    for (bit_index = 0; bit_index < WIDTH; bit_index = bit_index + 1) begin : xors
      assign chain[bit_index+1] = chain[bit_index] ^ out[bit_index];
    end
  endgenerate
  assign parity = chain[WIDTH];
endmodule
