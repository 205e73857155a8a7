// A small packet engine: a command FIFO, an arithmetic unit, a checksum, a timer and a serial transmitter.
module dut #(
    parameter DEPTH_LOG2 = 3
) (
    input             clk,
    input             rst,
    input             valid,
    output            ready,
    input      [ 3:0] op,
    input      [15:0] x,
    input      [15:0] y,
    output reg [15:0] acc,
    output reg [ 3:0] flags,
    output reg [15:0] crc,
    output            tx,
    output     [ 3:0] fill,
    output reg [ 7:0] done,
    output            alarm,
    output reg [ 1:0] grant
);
  localparam [3:0] OP_ADD = 4'd0, OP_SUB = 4'd1, OP_AND = 4'd2, OP_OR = 4'd3;
  localparam [3:0] OP_XOR = 4'd4, OP_SHL = 4'd5, OP_SHR = 4'd6, OP_MAC = 4'd7;
  localparam [3:0] OP_MIN = 4'd8, OP_MAX = 4'd9, OP_REV = 4'd10, OP_CLR = 4'd11;
  localparam [1:0] IDLE = 2'd0, START = 2'd1, DATA = 2'd2, STOP = 2'd3;
  localparam [2:0] BAUD = 3'd4;
  localparam [11:0] PATIENCE = 12'd200;

  // ---- command FIFO ----------------------------------------------------------------------------------------------
  reg [35:0] memory[0:(1<<DEPTH_LOG2)-1];
  reg [DEPTH_LOG2:0] head, tail;
  wire empty = head == tail;
  wire full = head[DEPTH_LOG2-1:0] == tail[DEPTH_LOG2-1:0] && head[DEPTH_LOG2] != tail[DEPTH_LOG2];
  wire push = valid & ready;
  wire pop;
  wire [35:0] front = memory[tail[DEPTH_LOG2-1:0]];

  assign ready = ~full;
  assign fill  = head - tail;

  always @(posedge clk) begin
    if (rst) begin
      head <= 0;
      tail <= 0;
    end else begin
      if (push) begin
        memory[head[DEPTH_LOG2-1:0]] <= {op, x, y};
        head <= head + 1'b1;
      end
      if (pop) tail <= tail + 1'b1;
    end
  end

  // ---- arithmetic unit -------------------------------------------------------------------------------------------
  wire [ 3:0] code = front[35:32];
  wire [15:0] a = front[31:16];
  wire [15:0] b = front[15:0];
  reg  [16:0] result;
  integer     i;

  always @* begin
    result = 17'd0;
    case (code)
      OP_ADD:  result = {1'b0, a} + {1'b0, b};
      OP_SUB:  result = {1'b0, a} - {1'b0, b};
      OP_AND:  result = {1'b0, a & b};
      OP_OR:   result = {1'b0, a | b};
      OP_XOR:  result = {1'b0, a ^ b};
      OP_SHL:  result = {1'b0, a} << b[3:0];
      OP_SHR:  result = {1'b0, a >> b[3:0]};
      OP_MAC:  result = {1'b0, acc} + a[7:0] * b[7:0];
      OP_MIN:  result = (a < b) ? {1'b0, a} : {1'b0, b};
      OP_MAX:  result = (a < b) ? {1'b0, b} : {1'b0, a};
      OP_REV:  for (i = 0; i < 16; i = i + 1) result[i] = a[15-i];
      OP_CLR:  result = 17'd0;
      default: result = {1'b0, acc};
    endcase
  end

  reg busy;
  reg [1:0] wait_count;
  assign pop = ~empty & ~busy;

  always @(posedge clk) begin
    if (rst) begin
      acc <= 16'd0;
      flags <= 4'd0;
      done <= 8'd0;
      busy <= 1'b0;
      wait_count <= 2'd0;
    end else if (pop) begin
      acc <= result[15:0];
      flags <= {result[16], result[15], result[15:0] == 16'd0, ^result[15:0]};
      done <= done + 8'd1;
      busy <= code == OP_MAC;
      wait_count <= 2'd2;
    end else if (busy) begin
      wait_count <= wait_count - 2'd1;
      if (wait_count == 2'd0) busy <= 1'b0;
    end
  end

  // ---- checksum over what was computed ---------------------------------------------------------------------------
  function [15:0] crc_step;
    input [15:0] value;
    input bit_in;
    reg mix;
    begin
      mix = value[15] ^ bit_in;
      crc_step = {value[14:0], 1'b0} ^ (mix ? 16'h1021 : 16'h0000);
    end
  endfunction

  reg [15:0] crc_next;
  integer j;

  always @* begin
    crc_next = crc;
    for (j = 15; j >= 0; j = j - 1) crc_next = crc_step(crc_next, result[j]);
  end

  always @(posedge clk) begin
    if (rst) crc <= 16'hffff;
    else if (pop) crc <= crc_next;
  end

  // ---- serial transmitter ----------------------------------------------------------------------------------------
  reg [1:0] state;
  reg [2:0] divider;
  reg [3:0] index;
  reg [7:0] shift;
  reg line;
  wire tick = divider == BAUD;

  assign tx = line;

  always @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      divider <= 3'd0;
      index <= 4'd0;
      shift <= 8'd0;
      line <= 1'b1;
    end else begin
      divider <= tick ? 3'd0 : divider + 3'd1;
      case (state)
        IDLE:
        if (pop) begin
          shift <= result[7:0];
          state <= START;
          divider <= 3'd0;
        end
        START: begin
          line <= 1'b0;
          if (tick) begin
            state <= DATA;
            index <= 4'd0;
          end
        end
        DATA: begin
          line <= shift[0];
          if (tick) begin
            shift <= {1'b0, shift[7:1]};
            index <= index + 4'd1;
            if (index == 4'd7) state <= STOP;
          end
        end
        default: begin
          line <= 1'b1;
          if (tick) state <= IDLE;
        end
      endcase
    end
  end

  // ---- watchdog and arbiter --------------------------------------------------------------------------------------
  reg [11:0] quiet;
  assign alarm = quiet >= PATIENCE;

  always @(posedge clk) begin
    if (rst) quiet <= 12'd0;
    else if (pop) quiet <= 12'd0;
    else if (!alarm) quiet <= quiet + 12'd1;
  end

  always @(posedge clk) begin
    if (rst) grant <= 2'b01;
    else if (pop && code[3]) grant <= {grant[0], grant[1]};
    else if (tick && flags[0]) grant <= ~grant;
  end
endmodule
