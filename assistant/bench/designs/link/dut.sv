// The sender of a small serial link: start, data, parity and stop bits, with a pause after each frame.
module ticker #(
    parameter int PERIOD = 4
) (
    input  logic clk,
    input  logic rst,
    input  logic clear,
    output logic tick
);
  logic [3:0] count;
  assign tick = count == 4'(PERIOD - 1);

  always_ff @(posedge clk)
    if (rst || clear || tick) count <= '0;
    else count <= count + 1'b1;
endmodule

module dut (
    input  logic       clk,
    input  logic       rst,
    input  logic       send,
    input  logic [7:0] data,
    input  logic       odd,
    output logic       line,
    output logic       busy,
    output logic [2:0] phase,
    output logic [4:0] frames
);
  typedef enum logic [2:0] {IDLE, START, DATA, PARITY, STOP, PAUSE} state_t;

  typedef struct packed {
    logic [7:0] data;
    logic       odd;
  } frame_t;

  state_t state, next;
  frame_t frame;
  logic [2:0] index;
  logic tick, accept, is_odd;
  logic [7:0] payload;

  ticker #(.PERIOD(3)) baud (.clk(clk), .rst(rst), .clear(accept), .tick(tick));

  assign accept = (state == IDLE) && send;
  assign busy = state != IDLE;
  assign phase = state;
  assign payload = frame.data;
  assign is_odd = frame.odd;

  always_comb begin
    next = state;
    unique case (state)
      IDLE:    if (send) next = START;
      START:   if (tick) next = DATA;
      DATA:    if (tick && index == 3'd7) next = PARITY;
      PARITY:  if (tick) next = STOP;
      STOP:    if (tick) begin
        if (is_odd) next = PAUSE;
        else next = IDLE;
      end
      PAUSE:   if (tick) next = IDLE;
      default: next = IDLE;
    endcase
  end

  always_comb
    case (state)
      START:   line = 1'b0;
      DATA:    line = payload[index];
      PARITY:  line = (^payload) ^ is_odd;
      default: line = 1'b1;
    endcase

  always_ff @(posedge clk)
    if (rst) begin
      state <= IDLE;
      frame <= '0;
      index <= '0;
      frames <= '0;
    end else begin
      state <= next;
      if (accept) begin
        frame <= {data, odd};
        index <= '0;
      end else if (state == DATA && tick) index <= index + 3'd1;
      if (state == STOP && tick) frames <= frames + 5'd1;
    end
endmodule
