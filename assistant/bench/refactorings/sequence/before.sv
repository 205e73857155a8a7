module sequence_1011 (
    input  wire clk,
    input  wire rst,
    input  wire bit_in,
    input  wire valid,
    output reg  seen
);
  localparam NONE = 2'd0, ONE = 2'd1, TWO = 2'd2, THREE = 2'd3;
  reg [1:0] state;
  always @(posedge clk) begin
    if (rst) begin
      state <= NONE;
      seen <= 1'b0;
    end else begin
      seen <= 1'b0;
      if (valid) begin
        case (state)
          NONE: state <= bit_in ? ONE : NONE;
          ONE: state <= bit_in ? ONE : TWO;
          TWO: state <= bit_in ? THREE : NONE;
          THREE: begin
            state <= bit_in ? ONE : TWO;
            seen <= bit_in;
          end
        endcase
      end
    end
  end
endmodule
