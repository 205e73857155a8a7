"""Wire formats: sounds, lights, slots and remote controls, each on a wire with a timing of its own."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=2)
def i2s_transmitter(r: Random, variant: int) -> Draft:
    """Sends pairs of samples with a bit clock and a word select."""
    width = r.choice((4, 6, 8))
    slot = width + r.choice((0, 0, 1, 2, 4))
    late = r.random() < 0.6  # the word select changes one bit before the sample
    left_level = r.random() < 0.3
    last = 2 * slot - 1
    pad = slot - width
    fill = f"{{{pad}{{1'b0}}}}, " if pad else ""
    inverted = "!" if left_level else ""
    indexed = f"""
  logic [WIDTH-1:0] left_held, right_held;
  logic [4:0] count_next;

  assign count_next = (count == 2 * SLOT - 1) ? 5'd0 : count + 5'd1;

  always_ff @(posedge clk) begin
    if (rst) begin
      left_held <= '0;
      right_held <= '0;
    end else if (taken) begin
      left_held <= left;
      right_held <= right;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= 2 * SLOT - 1;
      sdata <= 1'b0;
      wsel <= 1'b{int(left_level)};
    end else if (falls) begin
      count <= count_next;
      wsel <= {inverted}({"count >= SLOT - 2 && count < 2 * SLOT - 2" if late else "count_next >= SLOT"});
      // the highest bit first; what is left of a slot is zero
      if (taken) sdata <= left[WIDTH-1];
      else if (count_next < WIDTH) sdata <= left_held[WIDTH-1-count_next];
      else if (count_next >= SLOT && count_next < SLOT + WIDTH) sdata <= right_held[SLOT+WIDTH-1-count_next];
      else sdata <= 1'b0;
    end
  end
"""
    shifted = f"""
  logic [{last}:0] shift; // both slots
  logic second; // which sample is on the wire

  assign sdata = shift[{last}];
  {"// one bit ahead of the data" if late else ""}
  assign wsel = {inverted}({"(count >= SLOT - 1) && (count != 2 * SLOT - 1)" if late else "second"});
  assign second = (count >= SLOT);

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= 2 * SLOT - 1;
      shift <= '0;
    end else if (taken) begin
      count <= '0;
      shift <= {{left, {fill}right{", " + fill.removesuffix(", ") if pad else ""}}};
    end else if (falls) begin
      count <= count + 1'b1;
      shift <= {{shift[{last - 1}:0], 1'b0}};
    end
  end
"""
    if not late:
        # left-justified after reset: the first half has not begun, so the select stands at the right one
        indexed = indexed.replace(f"wsel <= 1'b{int(left_level)};", f"wsel <= 1'b{int(not left_level)};")
    body = (indexed, shifted)[variant]

    def reset(s: State) -> None:
        s.bclk, s.count, s.word = 0, last, 0

    def step(s: State, i: Pins) -> Outputs:
        ahead = (s.count + 1) % (2 * slot) if late else s.count
        falls = i.tick and s.bclk
        taken = falls and s.count == last
        out = {
            "bclk": s.bclk,
            "wsel": int((ahead >= slot) != left_level),
            "sdata": s.word >> (last - s.count) & 1,
            "taken": int(taken),
        }
        if i.tick:
            s.bclk ^= 1
        if taken:
            s.word = i.left << pad + slot | i.right << pad
        if falls:
            s.count = (s.count + 1) % (2 * slot)
        return out

    rule = (
        "it changes one bit before the first bit of a sample" if late else "it changes with the first bit of a sample"
    )
    padding = f", then {pad} zero bit{'s' if pad > 1 else ''}" if pad else ""
    return Draft(
        rtl=f"""
module i2s_transmitter #(
  parameter int WIDTH = {width},
  parameter int SLOT = {slot} // bits for each sample
) (
  input logic clk,
  input logic rst,
  input logic tick, // half a bit
  input logic [WIDTH-1:0] left,
  input logic [WIDTH-1:0] right,
  output logic taken,
  output logic bclk,
  output logic wsel,
  output logic sdata
);
  logic [4:0] count; // of the bit on the wire
  logic falls;

  assign falls = tick && bclk;
  assign taken = falls && (count == 2 * SLOT - 1);

  always_ff @(posedge clk) begin
    if (rst) bclk <= 1'b0;
    else if (tick) bclk <= !bclk;
  end
  {body}
endmodule
""",
        about=f"""Audio transmitter ({"I2S" if late else "left-justified"} format). Each `tick` inverts the bit clock
            `bclk`, which is low after reset; where it falls the next bit comes on `sdata`. A frame has the left sample
            of {width} bits with the highest bit first{padding}, then the right one in the same way; frames follow each
            other. `taken` is high, combinationally, with the tick that starts a frame, and both samples are taken then;
            the first falling edge after reset starts the first frame, and `sdata` is 0 before it. The word select
            `wsel` is {int(left_level)} for left and {int(not left_level)} for right; {rule}. Before the first frame it
            stands as for the last bit of one.""",
        model=Machine(reset, step),
        names=("i2s_tx", "audio_serialiser", "dac_interface", "i2s_sender"),
        stimulus={"tick": 0.85},
        cycles=240,
    )


@family(variants=2)
def slot_framer(r: Random, variant: int) -> Draft:
    """Puts words into the time slots of a serial frame."""
    slots, bits = r.choice(((4, 4), (4, 8), (6, 4), (8, 4), (3, 8)))
    long_sync = r.random() < 0.5
    msb = r.random() < 0.7
    sbits = (slots - 1).bit_length()
    top = "shift[BITS-1]" if msb else "shift[0]"
    moved = "{shift[BITS-2:0], 1'b0}" if msb else "{1'b0, shift[BITS-1:1]}"
    nested = f"""
  logic [2:0] place; // bit of the slot
  logic [{sbits - 1}:0] slot;

  assign load = en && (place == BITS - 1);
  assign next_slot = (slot == SLOTS - 1) ? '0 : slot + 1'b1;
  assign sync = (slot == 0){"" if long_sync else " && (place == 0)"};

  always_ff @(posedge clk) begin
    if (rst) begin
      place <= BITS - 1;
      slot <= SLOTS - 1;
      shift <= '0;
      line_oe <= 1'b0;
    end else if (load) begin
      place <= '0;
      slot <= next_slot;
      shift <= din;
      line_oe <= enable[next_slot]; // others may use the slots that are not ours
    end else if (en) begin
      place <= place + 1'b1;
      shift <= {moved};
    end
  end
"""
    flat = f"""
  logic [{(slots * bits - 1).bit_length() - 1}:0] place; // bit of the frame
  logic boundary, wraps;

  // a word starts wherever the last one is out
  always_comb begin
    boundary = 1'b0;
    next_slot = '0;
    for (int k = 0; k < SLOTS; k++) begin
      if (place == BITS * (k + 1) - 1) begin
        boundary = 1'b1;
        next_slot = (k + 1) % SLOTS;
      end else if (place >= BITS * k && place < BITS * (k + 1)) begin
        next_slot = (k + 1) % SLOTS;
      end
    end
  end

  assign wraps = (place == SLOTS * BITS - 1);
  assign load = en & boundary;
  assign sync = {"(place < BITS)" if long_sync else "(place == 0)"};

  always_ff @(posedge clk) begin
    if (rst) place <= SLOTS * BITS - 1;
    else if (en) place <= wraps ? '0 : place + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '0;
      line_oe <= 1'b0;
    end else if (en) begin
      if (boundary) begin
        shift <= din;
        line_oe <= enable[next_slot];
      end else begin
        shift <= {moved};
      end
    end
  end
"""
    body = (nested, flat)[variant]

    def reset(s: State) -> None:
        s.slot, s.place, s.word, s.oe = slots - 1, bits - 1, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        load = i.en and s.place == bits - 1
        following = (s.slot + 1) % slots
        out = {
            "next_slot": following,
            "load": int(load),
            "sync": int(s.slot == 0 and (long_sync or s.place == 0)),
            "line": s.word >> (bits - 1 - s.place if msb else s.place) & 1 if s.oe else None,
            "line_oe": s.oe,
        }
        if load:
            s.slot, s.place, s.word, s.oe = following, 0, i.din, i.enable >> following & 1
        elif i.en:
            s.place += 1
        return out

    mark = "during the whole of slot 0" if long_sync else "during the first bit of slot 0"
    return Draft(
        rtl=f"""
module slot_framer #(
  parameter int SLOTS = {slots},
  parameter int BITS = {bits}
) (
  input logic clk,
  input logic rst,
  input logic en, // one bit
  input logic [SLOTS-1:0] enable,
  output logic [{sbits - 1}:0] next_slot,
  output logic load,
  input logic [BITS-1:0] din, // for the slot `next_slot`
  output logic sync,
  output logic line,
  output logic line_oe
);
  logic [BITS-1:0] shift;
  {body}
  assign line = {top};
endmodule
""",
        about=(
            f"Framer for a time-division highway: a frame has {slots} slots of {bits} bits, sent without a gap, each"
            f" word with its {'highest' if msb else 'lowest'} bit first. Each `en` ends a bit time. `next_slot` is the"
            " number of the slot behind the current one (0 behind the last). With the `en` that ends the last bit of"
            " a slot, which `load` shows in the same cycle, `din` is taken for the next slot, and `line_oe` is set for"
            " its length to the bit of `enable` for that slot. `sync` is high"
            f" {mark}. After reset the last bit of the last slot stands on the line with `line_oe` low. `line` means"
            " nothing without `line_oe`.",
            f"Words go into a serial frame of {slots} time slots with {bits} bits each,"
            f" {'highest' if msb else 'lowest'} bit first. The line moves on with `en`. When `en` comes in the last bit"
            " of a slot, `load` is high and `din` is sent from the next cycle on, in slot `next_slot`, which counts"
            " one ahead of the slot on the line and wraps; `line_oe` tells then whether `enable` has the bit of that"
            f" slot set, as it was at `load`. `sync` marks the frame: it is high {mark}. Reset leaves the framer in the"
            " last bit of the last slot, not driven. The value of `line` only counts with `line_oe`.",
        ),
        model=Machine(reset, step),
        names=("tdm_framer", "timeslot_mux", "tdm_transmitter", "pcm_highway"),
        stimulus={"en": 0.85},
        cycles=220,
    )


@family(variants=3)
def led_strip_driver(r: Random, variant: int) -> Draft:
    """Colours for a chain of lamps on one wire, where a bit is a short or a long pulse."""
    depth = r.choice((2, 3, 4))
    short, long, period = r.choice(((1, 2, 3), (1, 3, 4), (2, 4, 6), (2, 3, 5)))
    latch = r.choice((8, 10, 14))
    order = r.choice(("green, red, blue", "red, green, blue", "blue, green, red"))
    bits = 3 * depth
    single = f"""
  typedef enum logic [1:0] {{IDLE, SEND, LATCH}} state_t;
  state_t state;

  assign ready = (state == IDLE);
  assign line = (state == SEND) && (timer < (shift[{bits - 1}] ? LONG : SHORT));

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      shift <= '0;
      left <= '0;
      timer <= '0;
      last_held <= 1'b0;
    end else begin
      timer <= timer + 1'b1;
      case (state)
        IDLE: begin
          timer <= '0;
          if (valid) begin
            shift <= {{{order}}};
            left <= {bits - 1};
            last_held <= last;
            state <= SEND;
          end
        end
        SEND: begin
          if (timer == PERIOD - 1) begin
            timer <= '0;
            shift <= shift << 1;
            left <= left - 1'b1;
            if (left == 0) state <= last_held ? LATCH : IDLE;
          end
        end
        default: if (timer == LATCH_TIME - 1) state <= IDLE; // the lamps take their colours
      endcase
    end
  end
"""
    flags = f"""
  logic sending, latching, bit_over, lamp_over;

  assign bit_over = sending && (timer == PERIOD - 1);
  assign lamp_over = bit_over && (left == 0);
  assign ready = !sending && !latching;

  // high at the start of each bit, for how long is its value
  always_comb begin
    line = 1'b0;
    if (sending && timer < SHORT) line = 1'b1;
    else if (sending && timer < LONG) line = shift[{bits - 1}];
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      sending <= 1'b0;
      latching <= 1'b0;
    end else begin
      if (ready && valid) sending <= 1'b1;
      else if (lamp_over) sending <= 1'b0;
      if (lamp_over && last_held) latching <= 1'b1;
      else if (timer == LATCH_TIME - 1) latching <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (ready || bit_over) timer <= '0;
    else timer <= timer + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '0;
      left <= '0;
      last_held <= 1'b0;
    end else if (ready && valid) begin
      shift <= {{{order}}};
      left <= {bits - 1};
      last_held <= last;
    end else if (bit_over) begin
      shift <= {{shift[{bits - 2}:0], 1'b0}};
      left <= left - 1'b1;
    end
  end
"""
    planned = f"""
  typedef enum logic [1:0] {{IDLE, HIGH, LOW, LATCH}} state_t;
  state_t state, state_next;
  logic [3:0] high_time;
  logic bit_over;

  assign high_time = shift[{bits - 1}] ? LONG : SHORT;
  assign bit_over = (state == LOW) && (timer == PERIOD - 1);

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (valid) state_next = HIGH;
      HIGH: if (timer == high_time - 1) state_next = LOW;
      LOW: begin
        if (bit_over && left != 0) state_next = HIGH;
        else if (bit_over && last_held) state_next = LATCH;
        else if (bit_over) state_next = IDLE;
      end
      LATCH: if (timer == LATCH_TIME - 1) state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= '0;
    end else begin
      state <= state_next;
      // runs on from the high part of a bit to its low part
      if (state == IDLE || bit_over) timer <= '0;
      else timer <= timer + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '0;
      left <= '0;
      last_held <= 1'b0;
    end else if (state == IDLE) begin
      shift <= {{{order}}};
      left <= {bits - 1};
      last_held <= last;
    end else if (bit_over) begin
      shift <= shift << 1;
      left <= left - 1'b1;
    end
  end

  assign ready = (state == IDLE);
  assign line = (state == HIGH);
"""
    body = (single, flags, planned)[variant]

    def reset(s: State) -> None:
        s.levels = []

    def step(s: State, i: Pins) -> Outputs:
        out = {"ready": int(not s.levels), "line": s.levels[0] if s.levels else 0}
        if s.levels:
            s.levels = s.levels[1:]
        elif i.valid:
            colours = {"red": i.red, "green": i.green, "blue": i.blue}
            sent = [colours[name] >> k & 1 for name in order.split(", ") for k in range(depth - 1, -1, -1)]
            levels: list[int] = []
            for bit in sent:
                high = long if bit else short
                levels += [1] * high + [0] * (period - high)
            s.levels = levels + [0] * (latch if i.last else 0)
        return out

    return Draft(
        rtl=f"""
module led_strip_driver #(
  parameter int SHORT = {short},
  parameter int LONG = {long},
  parameter int PERIOD = {period},
  parameter int LATCH_TIME = {latch}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  output logic ready,
  input logic [{depth - 1}:0] red,
  input logic [{depth - 1}:0] green,
  input logic [{depth - 1}:0] blue,
  input logic last, // lamp of the strip
  output logic line
);
  logic [{bits - 1}:0] shift;
  logic [3:0] left; // bits behind this one
  logic [3:0] timer;
  logic last_held;
  {body}
endmodule
""",
        about=f"""Driver for a strip of coloured lamps on one wire. The colours of a lamp, {depth} bits each, are taken
            by `valid` and `ready` and sent from the next cycle on in the order {order}, each with its highest bit
            first. A bit takes {period} cycles: `line` is high for {short} of them for a 0 or {long} for a 1, then low.
            A lamp taken with `last` is followed by {latch} cycles of low line, in which the strip takes over what it
            got. `ready` is high, and `line` low, while nothing is sent.""",
        model=Machine(reset, step),
        names=("led_driver", "pixel_driver", "neopixel_tx", "lamp_chain"),
        stimulus={"valid": 0.6, "last": 0.3},
        cycles=380,
    )


@family(variants=2)
def infrared_receiver(r: Random, variant: int) -> Draft:
    """Reads a remote control, whose bits are long and short distances between flashes."""
    bits = r.choice((3, 4, 5))
    zero, one, again, lead = r.choice(
        (((2, 3), (4, 5), (7, 8), (10, 12)), ((2, 2), (3, 4), (6, 7), (9, 13)), ((3, 4), (5, 7), (9, 10), (12, 14)))
    )
    repeats = r.random() < 0.7
    if not repeats:
        again = (0, 0)
    between = "(timer >= {0} && timer <= {1})"
    repeat_arm = (
        """
          end else if (is_again) begin
            held <= known; // the key is still down"""
        if repeats
        else ""
    )
    single = f"""
  typedef enum logic {{WAIT, READ}} state_t;
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= WAIT;
      shift <= '0;
      count <= '0;
      code <= '0;
      valid <= 1'b0;
      error <= 1'b0;
{"      held <= 1'b0;" if repeats else ""}
{"      known <= 1'b0;" if repeats else ""}
    end else begin
      valid <= 1'b0;
      error <= 1'b0;
{"      held <= 1'b0;" if repeats else ""}
      if (tick && flash) begin
        case (state)
          WAIT: begin
            count <= '0;
            if (is_lead) begin
              state <= READ;{repeat_arm}
            end
          end
          READ: begin
            shift <= {{shift[{2 * bits - 2}:0], is_one}};
            count <= count + 1'b1;
            if (!is_zero && !is_one) begin
              error <= 1'b1;
              state <= WAIT;
{"              known <= 1'b0;" if repeats else ""}
            end else if (count == {2 * bits - 1}) begin
              state <= WAIT;
              // the second half has to be the inverse of the first
              valid <= fits;
              error <= !fits;
{"              known <= fits;" if repeats else ""}
              if (fits) code <= shift[{2 * bits - 2}:{bits - 1}];
            end
          end
        endcase
      end else if (tick && timer == TOP && state == READ) begin
        error <= 1'b1; // it broke off
        state <= WAIT;
{"        known <= 1'b0;" if repeats else ""}
      end
    end
  end
"""
    split = f"""
  logic reading, reading_next;
  logic bit_good, complete, bad;

  assign bit_good = reading && flash && (is_zero || is_one);
  assign complete = bit_good && (count == {2 * bits - 1});
  // a strange distance, no further flash, or halves that do not fit
  assign bad = (reading && flash && !bit_good) || (reading && !flash && timer == TOP) || (complete && !fits);

  always_comb begin
    reading_next = reading;
    if (!reading) reading_next = flash && is_lead;
    else if (complete || bad) reading_next = 1'b0;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      reading <= 1'b0;
      count <= '0;
      shift <= '0;
    end else if (tick) begin
      reading <= reading_next;
      if (bit_good) begin
        shift <= {{shift[{2 * bits - 2}:0], is_one}};
        count <= count + 1'b1;
      end else if (!reading) begin
        count <= '0;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= 1'b0;
      error <= 1'b0;
      code <= '0;
    end else begin
      valid <= tick && complete && fits;
      error <= tick && bad;
      if (tick && complete && fits) code <= shift[{2 * bits - 2}:{bits - 1}];
    end
  end
{
        '''
  always_ff @(posedge clk) begin
    if (rst) begin
      known <= 1'b0;
      held <= 1'b0;
    end else begin
      held <= tick && flash && !reading && is_again && known;
      // after an error nobody knows what is repeated
      if (tick && bad) known <= 1'b0;
      else if (tick && complete) known <= 1'b1;
    end
  end
'''
        if repeats
        else ""
    }"""
    body = (single, split)[variant]
    top = 15

    def reset(s: State) -> None:
        s.prev, s.timer, s.reading, s.bits, s.code, s.known = 0, top, 0, [], 0, 0
        s.valid = s.error = s.held = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"valid": s.valid, "error": s.error, "code": s.code}
        if repeats:
            out["held"] = s.held
        s.valid = s.error = s.held = 0
        if not i.tick:
            return out
        flash = i.light and not s.prev
        gap = s.timer
        if s.reading and flash:
            bit = 0 if zero[0] <= gap <= zero[1] else 1 if one[0] <= gap <= one[1] else None
            if bit is None:
                s.error, s.reading = 1, 0
            else:
                s.bits = [*s.bits, bit]
                if len(s.bits) == 2 * bits:
                    s.reading = 0
                    good = all(a != b for a, b in zip(s.bits[:bits], s.bits[bits:], strict=True))
                    s.valid, s.error = int(good), int(not good)
                    if good:
                        s.code, s.known = int("".join(map(str, s.bits[:bits])), 2), 1
        elif s.reading and gap == top:
            s.error, s.reading = 1, 0
        elif flash:
            if lead[0] <= gap <= lead[1]:
                s.reading, s.bits = 1, []
            elif repeats and again[0] <= gap <= again[1]:
                s.held = s.known
        if s.error:
            s.known = 0
        s.timer = 1 if flash else min(s.timer + 1, top)
        s.prev = i.light
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not getattr(s, "wire", None):
            gaps = [r.choice((14, 15, 17)), r.choice(range(lead[0], lead[1] + 1))]
            key = [r.getrandbits(1) for _ in range(bits)]
            sent = key + [1 - one for one in key]
            if r.random() < 0.2:
                sent[r.randrange(2 * bits)] ^= 1
            gaps += [r.choice(one if bit else zero) for bit in sent]
            if r.random() < 0.2:
                gaps[r.randrange(1, len(gaps))] = r.choice((1 + zero[1], one[1] + 1, 15, 2))
            for _ in range(r.choice((0, 1, 2)) if repeats else 0):
                gaps += [13, r.choice(again)] if lead[1] < 13 else [again[1] + 1, r.choice(again)]
            s.wire = [level for gap in gaps for level in [0] * (max(gap, 2) - 1) + [1]]
        s.ticking = int(r.random() < 0.92)
        return {"tick": s.ticking, "light": s.wire.pop(0) if s.ticking else s.wire[0]}

    repeated = (
        f" a distance of {again[0]} to {again[1]} while no code is being read gives `held`, if a code was received and"
        " no error has come since;"
        if repeats
        else ""
    )
    repeat_wires = f"  logic is_again, known;\n\n  assign is_again = {between.format(*again)};\n" if repeats else ""
    return Draft(
        rtl=f"""
module infrared_receiver (
  input logic clk,
  input logic rst,
  input logic tick, // the unit of distances
  input logic light,
  output logic valid,
  output logic [{bits - 1}:0] code,
{"  output logic held," if repeats else ""}
  output logic error
);
  localparam int TOP = {top};
  logic light_prev, flash;
  logic [3:0] timer; // since the last flash began; stops at the top
  logic [{2 * bits - 1}:0] shift;
  logic [3:0] count;
  logic is_zero, is_one, is_lead, fits;
{repeat_wires}
  assign flash = light && !light_prev;
  assign is_zero = {between.format(*zero)};
  assign is_one = {between.format(*one)};
  assign is_lead = {between.format(*lead)};
  assign fits = (shift[{2 * bits - 2}:{bits - 1}] == ~{{shift[{bits - 2}:0], is_one}});

  always_ff @(posedge clk) begin
    if (rst) begin
      light_prev <= 1'b0;
      timer <= TOP;
    end else if (tick) begin
      light_prev <= light;
      if (flash) timer <= 4'd1;
      else if (timer != TOP) timer <= timer + 4'd1;
    end
  end
  {body}
endmodule
""",
        about=f"""Receiver for an infrared remote control. `light` is looked at in cycles with `tick`; a flash begins
            where it is high and was low at the tick before. What counts is the distance from the beginning of the last
            flash, in ticks: {lead[0]} to {lead[1]} starts a code;{repeated} in a code {zero[0]} to {zero[1]} is a 0 and
            {one[0]} to {one[1]} a 1. A code has {bits} bits, the highest first, and {bits} more that have to be their
            inverse. Then `code` is set and `valid` is high for a cycle; where the halves do not fit, or a distance in a
            code is none of the two, or there is no flash at the tick at which the distance has reached {top},
            `error` is high for a cycle and the code is given up. All outputs are registers. Distances stop
            counting at {top},
            where they stand after reset.""",
        model=Machine(reset, step),
        names=("ir_receiver", "remote_decoder", "ir_decoder", "pulse_distance_rx"),
        drive=drive,
        cycles=400,
    )


@family(variants=2)
def servo_sequencer(r: Random, variant: int) -> Draft:
    """Pulses for model servos, one after the other, whose length is the position."""
    channels = r.choice((2, 3, 4))
    least = r.choice((2, 3, 4))
    slot = least + 15 + r.choice((2, 4))
    slew = r.choice((0, 0, 2, 3, 5))
    cbits = max(1, (channels - 1).bit_length())
    limited = """
  // a servo is not asked to jump: at most a step in each frame
  always_comb begin
    wanted = target[4*next_channel +: 4];
    held = now[4*next_channel +: 4];
    if (wanted > held && wanted - held > STEP) position = held + STEP;
    else if (wanted < held && held - wanted > STEP) position = held - STEP;
    else position = wanted;
  end

  always_ff @(posedge clk) begin
    if (rst) now <= {CHANNELS{4'd8}};
    else if (turn) now[4*next_channel +: 4] <= position;
  end
"""
    plain = """
  assign position = target[4*next_channel +: 4];
"""
    source = limited if slew else plain
    compared = f"""
  logic [4:0] length; // of this pulse

  assign turn = tick && (timer == SLOT - 1);
  assign next_channel = (channel == CHANNELS - 1) ? '0 : channel + 1'b1;
  {source}
  always_ff @(posedge clk) begin
    if (rst) begin
      timer <= SLOT - 1;
      channel <= CHANNELS - 1;
      length <= '0;
    end else if (turn) begin
      timer <= '0;
      channel <= next_channel;
      length <= enable[next_channel] ? LEAST + position : 0; // no pulse at all where it is off
    end else if (tick) begin
      timer <= timer + 1'b1;
    end
  end

  always_comb begin
    pulse = '0;
    pulse[channel] = (timer < length);
  end
"""
    rotated = f"""
  logic [4:0] left; // ticks of the pulse that are still to come
  logic [CHANNELS-1:0] who; // one hot

  assign turn = tick && (timer == 0);
  assign pulse = (left != 0) ? who : '0;

  always_comb begin
    next_channel = '0;
    for (int k = 0; k < CHANNELS; k++) begin
      if (who[k]) next_channel = (k + 1) % CHANNELS;
    end
  end
  {source}
  // counts down to the next slot
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (turn) timer <= SLOT - 1;
    else if (tick) timer <= timer - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      who <= {{1'b1, {{(CHANNELS-1){{1'b0}}}}}};
      left <= '0;
    end else if (turn) begin
      who <= {{who[CHANNELS-2:0], who[CHANNELS-1]}};
      if (enable[next_channel]) left <= LEAST + position;
      else left <= '0;
    end else if (tick && left != 0) begin
      left <= left - 1'b1;
    end
  end
"""
    body = (compared, rotated)[variant]

    def reset(s: State) -> None:
        s.timer, s.channel, s.length, s.now = slot - 1, channels - 1, 0, [8] * channels

    def step(s: State, i: Pins) -> Outputs:
        turn = i.tick and s.timer == slot - 1
        following = (s.channel + 1) % channels
        out = {
            "pulse": int(s.timer < s.length) << s.channel,
            "frame": int(turn and following == 0),
        }
        if turn:
            wanted = i.target >> 4 * following & 15
            held = s.now[following]
            position = max(held - slew, min(held + slew, wanted)) if slew else wanted
            s.now = [position if k == following else one for k, one in enumerate(s.now)]
            s.length = least + position if i.enable >> following & 1 else 0
            s.timer, s.channel = 0, following
        elif i.tick:
            s.timer += 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "aims") or r.random() < 0.05:
            s.aims = r.getrandbits(4 * channels)
        return {"target": s.aims}

    motion = (
        f" Each channel has a present position, 8 after reset. At the start of its slot it moves towards the target, by"
        f" {slew} at most, also where it is not enabled; the pulse shows the new one."
        if slew
        else ""
    )
    thing = "present position" if slew else "target at the start of the slot"
    return Draft(
        rtl=f"""
module servo_sequencer #(
  parameter int CHANNELS = {channels},
  parameter int LEAST = {least},
  parameter int SLOT = {slot}
) (
  input logic clk,
  input logic rst,
  input logic tick, // the unit of time
  input logic [CHANNELS-1:0] enable,
  input logic [4*CHANNELS-1:0] target, // channel 0 is lowest
  output logic frame,
  output logic [CHANNELS-1:0] pulse
);
{f"  localparam int STEP = {slew};" if slew else ""}
  logic [4:0] timer;
{f"  logic [{cbits - 1}:0] channel;" if variant == 0 else ""}
  logic [{cbits - 1}:0] next_channel;
  logic [3:0] position;
{"  logic [3:0] wanted, held;" if slew else ""}
{"  logic [4*CHANNELS-1:0] now;" if slew else ""}
  logic turn; // a slot begins
  {body}
  assign frame = turn && (next_channel == 0);
endmodule
""",
        about=f"""Pulse generator for {channels} servos. Time is counted in `tick`s. The channels have slots of {slot}
            ticks in turn, from channel 0 on, without end; the first slot starts at the first tick after reset. From the
            cycle behind the tick that starts a slot the channel's bit of `pulse` is high for {least} ticks and as many
            more as its {thing} says, if its bit of `enable` was set in the cycle of that tick; the other bits are
            low.{motion} `target` has four bits for each channel. `frame` is high, in the same cycle, with the tick that
            starts the slot of channel 0.""",
        model=Machine(reset, step),
        names=("servo_driver", "servo_pulses", "ppm_generator", "servo_controller"),
        stimulus={"tick": 0.9, "enable": lambda r: r.getrandbits(channels) | r.getrandbits(channels)},
        drive=drive,
        cycles=360,
    )
