module multiplier (
    input  wire       clk,
    input  wire       rst,
    input  wire       start,
    input  wire [3:0] a,
    input  wire [3:0] b,
    output reg  [7:0] product,
    output reg        done
);
  localparam IDLE = 2'd0, RUN = 2'd1, END = 2'd2;
  reg [1:0] state;
  reg [7:0] wide;
  reg [3:0] narrow;
  reg [7:0] sum;
  reg [1:0] step;
  always @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      wide <= 8'd0;
      narrow <= 4'd0;
      sum <= 8'd0;
      step <= 2'd0;
      product <= 8'd0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      case (state)
        IDLE: if (start) begin
          wide <= {4'd0, a};
          narrow <= b;
          sum <= 8'd0;
          step <= 2'd0;
          state <= RUN;
        end
        RUN: begin
          if (narrow[0]) sum <= sum + wide;
          wide <= wide << 1;
          narrow <= narrow >> 1;
          step <= step + 2'd1;
          if (step == 2'd3) state <= END;
        end
        default: begin
          product <= sum;
          done <= 1'b1;
          state <= IDLE;
        end
      endcase
    end
  end
endmodule
