"""Serial links: what sends words bit by bit, and what collects them again."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=2)
def uart_transmitter(r: Random, variant: int) -> Draft:
    """Start bit, data bits, perhaps parity, stop bit."""
    bits, ticks = r.choice((5, 7, 8)), r.choice((1, 2, 3))
    parity = r.choice(("", "even", "odd"))
    frame = bits + 2 + bool(parity)
    bit = {"even": "^data", "odd": "~^data"}.get(parity, "")
    load = f"{{1'b1, {bit + ', ' if bit else ''}data, 1'b0}}"
    tail = (
        """
  assign ready = (bits_left == '0);
  assign txd = ready || shift[0];
""",
        """
  // the line rests high
  always_comb begin
    ready = (bits_left == '0);
    txd = ready ? 1'b1 : shift[0];
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.queue, s.tick = [], 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"txd": s.queue[0] if s.queue else 1, "ready": int(not s.queue)}
        if not s.queue:
            if i.valid:
                ones = [i.data >> k & 1 for k in range(bits)]
                odd = sum(ones) & 1
                s.queue = [0, *ones, *([odd ^ (parity == "odd")] if parity else []), 1]
                s.tick = 0
        elif s.tick == ticks - 1:
            s.tick = 0
            s.queue.pop(0)
        else:
            s.tick += 1
        return out

    return Draft(
        rtl=f"""
module uart_transmitter #(
  parameter int TICKS = {ticks}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [{bits - 1}:0] data,
  output logic ready,
  output logic txd
);
  logic [{frame - 1}:0] shift;
  logic [3:0] bits_left;
  logic [1:0] tick;

  // a frame is loaded as a whole and leaves with its lowest bit first
  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '1;
      bits_left <= '0;
      tick <= '0;
    end else if (ready) begin
      if (valid) begin
        shift <= {load};
        bits_left <= 4'd{frame};
        tick <= '0;
      end
    end else if (tick == TICKS - 1) begin
      tick <= '0;
      shift <= {{1'b1, shift[{frame - 1}:1]}};
      bits_left <= bits_left - 1'b1;
    end else begin
      tick <= tick + 1'b1;
    end
  end
{tail}endmodule
""",
        about=(
            f"Sends words of {bits} bits on `txd`, which rests high: a start bit of 0, `data` with its lowest bit"
            f" first, {f'a bit of {parity} parity, ' if parity else ''}a stop bit of 1; each lasts {ticks} cycles. A"
            " word is taken when `valid` and `ready` are set."
        ),
        model=Machine(reset, step),
        names=("uart_tx", "serial_tx", "async_sender"),
        stimulus={"valid": 0.5},
        cycles=160,
    )


@family(variants=2, held_out=True)
def uart_receiver(r: Random, variant: int) -> Draft:
    """Finds the middle of the bits of a frame."""
    bits, half = r.choice((4, 5, 8)), r.choice((1, 2))
    period = 2 * half
    take = ("{rxd, shift[WIDTH-1:1]}", "(shift >> 1) | (rxd << (WIDTH - 1))")[variant]

    def reset(s: State) -> None:
        s.state, s.tick, s.bit, s.shift, s.data, s.valid, s.error = "idle", 0, 0, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"data": s.data, "valid": s.valid, "error": s.error}
        s.valid = s.error = 0
        if s.state == "idle":
            if not i.rxd:
                s.state, s.tick = "start", 0
        elif s.state == "start":
            if s.tick == half - 1:
                s.tick, s.bit = 0, 0
                s.state = "idle" if i.rxd else "data"
            else:
                s.tick += 1
        elif s.tick == period - 1:
            s.tick = 0
            if s.state == "data":
                s.shift = s.shift >> 1 | i.rxd << (bits - 1)
                if s.bit == bits - 1:
                    s.state = "stop"
                else:
                    s.bit += 1
            else:
                s.state, s.data = "idle", s.shift
                s.valid, s.error = i.rxd, i.rxd ^ 1
        else:
            s.tick += 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not getattr(s, "line", None):
            rest = [1] * r.randrange(1, 6)
            word = [r.getrandbits(1) for _ in range(bits)]
            stop = int(r.random() < 0.85)
            frame = [0, *word, stop] if r.random() < 0.9 else []
            glitch = [0] if r.random() < 0.1 else []
            s.line = [*rest, *glitch, *[1] * 3, *(bit for bit in frame for _ in range(period)), 1, 1]
        return {"rxd": s.line.pop(0)}

    return Draft(
        rtl=f"""
module uart_receiver #(
  parameter int WIDTH = {bits},
  parameter int HALF = {half}
) (
  input logic clk,
  input logic rst,
  input logic rxd,
  output logic [WIDTH-1:0] data,
  output logic valid,
  output logic error
);
  localparam int PERIOD = 2 * HALF;
  typedef enum logic [1:0] {{IDLE, START, DATA, STOP}} state_t;
  state_t state;
  logic [2:0] tick;
  logic [3:0] bit_count;
  logic [WIDTH-1:0] shift;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      tick <= '0;
      bit_count <= '0;
      shift <= '0;
      data <= '0;
      valid <= 1'b0;
      error <= 1'b0;
    end else begin
      valid <= 1'b0;
      error <= 1'b0;
      case (state)
        IDLE: begin
          tick <= '0;
          if (!rxd) state <= START;
        end
        START: begin
          // in the middle of the start bit the line must still be low
          if (tick == HALF - 1) begin
            tick <= '0;
            bit_count <= '0;
            state <= rxd ? IDLE : DATA;
          end else begin
            tick <= tick + 1'b1;
          end
        end
        DATA: begin
          if (tick == PERIOD - 1) begin
            tick <= '0;
            shift <= {take};
            if (bit_count == WIDTH - 1) state <= STOP;
            else bit_count <= bit_count + 1'b1;
          end else begin
            tick <= tick + 1'b1;
          end
        end
        default: begin
          if (tick == PERIOD - 1) begin
            state <= IDLE;
            data <= shift;
            valid <= rxd;
            error <= !rxd; // no stop bit
          end else begin
            tick <= tick + 1'b1;
          end
        end
      endcase
    end
  end
endmodule
""",
        about=(
            f"Receives words of {bits} bits, lowest first, between a start bit of 0 and a stop bit of 1; a bit lasts"
            f" {period} cycles and is sampled {half} cycles into it, as the low start bit is seen. `valid` shows for"
            " one cycle that `data` holds a new word, `error` that the stop bit was missing."
        ),
        model=Machine(reset, step),
        names=("uart_rx", "serial_rx", "async_receiver"),
        drive=drive,
        cycles=260,
    )


@family(variants=2)
def spi_master(r: Random, variant: int) -> Draft:
    """Mode 0: data changes while the clock is low."""
    width = r.choice((4, 8, 12))
    msb = r.random() < 0.75
    out = f"shift[{width - 1}]" if msb else "shift[0]"
    move = f"{{shift[{width - 2}:0], sampled}}" if msb else f"{{sampled, shift[{width - 1}:1]}}"
    finish = ("bit_count == '0", "~|bit_count")[variant]

    def reset(s: State) -> None:
        s.busy = s.sclk = s.shift = s.count = s.sampled = s.done = 0

    def step(s: State, i: Pins) -> Outputs:
        first = s.shift >> (width - 1) & 1 if msb else s.shift & 1
        out = {"sclk": s.sclk, "mosi": first, "cs_n": 1 - s.busy, "done": s.done, "dout": s.shift}
        s.done = 0
        if not s.busy:
            if i.start:
                s.busy, s.shift, s.count = 1, i.din, width - 1
        elif not s.sclk:
            s.sclk, s.sampled = 1, i.miso
        else:
            s.sclk = 0
            mask = (1 << width) - 1
            s.shift = (s.shift << 1 | s.sampled) & mask if msb else s.shift >> 1 | s.sampled << (width - 1)
            if s.count == 0:
                s.busy, s.done = 0, 1
            else:
                s.count -= 1
        return out

    return Draft(
        rtl=f"""
module spi_master (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [{width - 1}:0] din,
  input logic miso,
  output logic sclk,
  output logic mosi,
  output logic cs_n,
  output logic done,
  output logic [{width - 1}:0] dout
);
  logic busy, sampled;
  logic [3:0] bit_count;
  logic [{width - 1}:0] shift;

  assign cs_n = !busy;
  assign mosi = {out};
  assign dout = shift;

  // sample on the rising edge of sclk, shift on the falling one
  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      sclk <= 1'b0;
      sampled <= 1'b0;
      shift <= '0;
      bit_count <= '0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      if (!busy) begin
        if (start) begin
          busy <= 1'b1;
          shift <= din;
          bit_count <= 4'd{width - 1};
        end
      end else if (!sclk) begin
        sclk <= 1'b1;
        sampled <= miso;
      end else begin
        sclk <= 1'b0;
        shift <= {move};
        if ({finish}) begin
          busy <= 1'b0;
          done <= 1'b1;
        end else begin
          bit_count <= bit_count - 1'b1;
        end
      end
    end
  end
endmodule
""",
        about=(
            f"A master of SPI mode 0 for words of {width} bits, {'highest' if msb else 'lowest'} bit first. `start`"
            " takes `din` and pulls `cs_n` low; each bit has `sclk` low for a cycle and high for a cycle, `miso` is"
            " sampled as it rises. `done` shows for one cycle that `dout` holds what was received."
        ),
        model=Machine(reset, step),
        names=("spi_controller", "spi_host", "spi_shifter"),
        stimulus={"start": 0.4},
        cycles=160,
    )


@family(variants=2, held_out=True)
def manchester_encoder(r: Random, variant: int) -> Draft:
    """A transition in the middle of each bit."""
    rising = r.random() < 0.5
    first = "~bit_reg" if rising else "bit_reg"
    second = "bit_reg" if rising else "~bit_reg"
    line = (
        f"""
  assign line = active && (half ? {second} : {first});
""",
        f"""
  always_comb begin
    line = 1'b0;
    if (active) line = {"half ~^ bit_reg" if rising else "half ^ bit_reg"};
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.active = s.half = s.bit = 0

    def step(s: State, i: Pins) -> Outputs:
        value = s.bit ^ (not s.half if rising else s.half)
        ready = not s.active or s.half
        out = {"line": int(bool(s.active and value)), "ready": int(ready)}
        if ready:
            s.active, s.half = i.valid, 0
            if i.valid:
                s.bit = i.din
        else:
            s.half = 1
        return out

    return Draft(
        rtl=f"""
module manchester_encoder (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic din,
  output logic ready,
  output logic line
);
  logic active, half, bit_reg;

  // a bit takes two cycles; the next one may follow at once
  assign ready = !active || half;

  always_ff @(posedge clk) begin
    if (rst) begin
      active <= 1'b0;
      half <= 1'b0;
      bit_reg <= 1'b0;
    end else if (ready) begin
      active <= valid;
      half <= 1'b0;
      if (valid) bit_reg <= din;
    end else begin
      half <= 1'b1;
    end
  end
{line}endmodule
""",
        about=(
            "Sends bits in Manchester code, two cycles each: a 1 is"
            f" {'low, then high' if rising else 'high, then low'}, a 0 the other way round; without a bit `line` is"
            " low. `din` is taken when `valid` and `ready` are set."
        ),
        model=Machine(reset, step),
        names=("manchester_tx", "biphase_encoder", "line_coder"),
        stimulus={"valid": 0.7},
    )


@family(variants=2, held_out=True)
def deserialiser(r: Random, variant: int) -> Draft:
    """Collects bits into words, with a mark that says where one begins."""
    width = r.choice((4, 6, 8))
    msb = r.random() < 0.5
    move = "{shift[WIDTH-2:0], din}" if msb else "{din, shift[WIDTH-1:1]}"
    count = (
        """
      if (en) begin
        shift <= word;
        if (sync) count <= 1;
        else if (last) count <= '0;
        else count <= count + 1'b1;
      end""",
        """
      if (en) begin
        shift <= word;
        count <= sync ? 1 : (last ? '0 : count + 1'b1);
      end""",
    )[variant]

    def reset(s: State) -> None:
        s.shift = s.count = s.dout = s.valid = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.dout, "valid": s.valid}
        s.valid = 0
        if i.en:
            mask = (1 << width) - 1
            word = (s.shift << 1 | i.din) & mask if msb else s.shift >> 1 | i.din << (width - 1)
            last = s.count == width - 1
            if last and not i.sync:
                s.dout, s.valid = word, 1
            s.count = 1 if i.sync else 0 if last else s.count + 1
            s.shift = word
        return out

    return Draft(
        rtl=f"""
module deserialiser #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic sync,
  input logic din,
  output logic [WIDTH-1:0] dout,
  output logic valid
);
  logic [WIDTH-1:0] shift, word;
  logic [$clog2(WIDTH)-1:0] count;
  logic last;

  assign word = {move};
  assign last = (count == WIDTH - 1);

  // `sync` marks the first bit of a word, whatever was counted before
  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '0;
      count <= '0;
      dout <= '0;
      valid <= 1'b0;
    end else begin
      valid <= 1'b0;
      if (en && last && !sync) begin
        dout <= word;
        valid <= 1'b1;
      end{count}
    end
  end
endmodule
""",
        about=(
            f"Collects the bits of `din`, one a cycle in which `en` is set, into words of {width} bits, the"
            f" {'highest' if msb else 'lowest'} first. `sync` marks the first bit of a word and drops what was begun."
            " `valid` shows for one cycle that `dout` is a new word."
        ),
        model=Machine(reset, step),
        names=("sipo", "bit_collector", "serial_to_parallel"),
        stimulus={"en": 0.8, "sync": 0.08},
        cycles=140,
    )


@family(variants=2)
def serialiser(r: Random, variant: int) -> Draft:
    """Sends a word bit by bit when it may."""
    width = r.choice((4, 6, 8))
    msb = r.random() < 0.5
    bit = "shift[WIDTH-1]" if msb else "shift[0]"
    move = "{shift[WIDTH-2:0], 1'b0}" if msb else "{1'b0, shift[WIDTH-1:1]}"
    busy = ("bits_left != '0", "|bits_left")[variant]

    def reset(s: State) -> None:
        s.shift = s.left = 0

    def step(s: State, i: Pins) -> Outputs:
        mask = (1 << width) - 1
        out = {
            "dout": s.shift >> (width - 1) & 1 if msb else s.shift & 1,
            "busy": int(s.left > 0),
            "last": int(s.left == 1),
        }
        if s.left == 0:
            if i.load:
                s.shift, s.left = i.din, width
        elif i.en:
            s.shift = s.shift << 1 & mask if msb else s.shift >> 1
            s.left -= 1
        return out

    return Draft(
        rtl=f"""
module serialiser #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic load,
  input logic en,
  input logic [WIDTH-1:0] din,
  output logic dout,
  output logic busy,
  output logic last
);
  logic [WIDTH-1:0] shift;
  logic [$clog2(WIDTH+1)-1:0] bits_left;

  assign busy = {busy};
  assign last = (bits_left == 1);
  assign dout = {bit};

  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '0;
      bits_left <= '0;
    end else if (!busy) begin
      if (load) begin
        shift <= din;
        bits_left <= WIDTH;
      end
    end else if (en) begin
      shift <= {move}; // the next bit
      bits_left <= bits_left - 1'b1;
    end
  end
endmodule
""",
        about=(
            f"Sends a word of {width} bits on `dout`, the {'highest' if msb else 'lowest'} first. `load` takes `din`"
            " unless `busy`; each `en` moves on by a bit, and `last` marks the last one."
        ),
        model=Machine(reset, step),
        names=("piso", "parallel_to_serial", "bit_sender"),
        stimulus={"load": 0.5, "en": 0.8},
        cycles=120,
    )
