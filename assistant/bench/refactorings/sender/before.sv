module sender (
    input  wire       clk,
    input  wire       rst,
    input  wire       start,
    input  wire [7:0] data,
    output reg        tx,
    output wire       busy
);
  localparam IDLE = 2'd0, START = 2'd1, DATA = 2'd2, STOP = 2'd3;
  reg [1:0] state;
  reg [7:0] shift;
  reg [2:0] bits;
  reg       tick;
  assign busy = state != IDLE;
  always @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      shift <= 8'd0;
      bits <= 3'd0;
      tick <= 1'b0;
      tx <= 1'b1;
    end else begin
      case (state)
        IDLE: begin
          tx <= 1'b1;
          if (start) begin
            state <= START;
            shift <= data;
            tick <= 1'b0;
          end
        end
        START: begin
          tx <= 1'b0;
          tick <= ~tick;
          if (tick) begin
            state <= DATA;
            bits <= 3'd0;
          end
        end
        DATA: begin
          tx <= shift[0];
          tick <= ~tick;
          if (tick) begin
            shift <= {1'b0, shift[7:1]};
            bits <= bits + 3'd1;
            if (bits == 3'd7) state <= STOP;
          end
        end
        STOP: begin
          tx <= 1'b1;
          tick <= ~tick;
          if (tick) state <= IDLE;
        end
      endcase
    end
  end
endmodule
