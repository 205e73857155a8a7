"""What cleans the signals of buttons, switches and knobs."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def debouncer(r: Random, variant: int) -> Draft:
    """Follows a button only when it has been still for some time."""
    limit = r.choice((4, 6, 8, 10, 16))
    bits = (limit - 1).bit_length()
    down = r.random() < 0.4
    counting = (
        """
  // counts the cycles for which the input differs from the output
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      level <= 1'b0;
    end else if (button_sync == level) begin
      count <= '0;
    end else if (count == LIMIT - 1) begin
      count <= '0;
      level <= button_sync;
    end else begin
      count <= count + 1'b1;
    end
  end
""",
        """
  logic differs, settled;

  assign differs = button_sync ^ level;
  assign settled = differs && (count == LIMIT - 1);

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else count <= (differs && !settled) ? count + 1'b1 : '0;
  end

  always_ff @(posedge clk) begin
    if (rst) level <= 1'b0;
    else if (settled) level <= ~level;
  end
""",
        """
  typedef enum logic [1:0] {RELEASED, GOING_DOWN, PRESSED, GOING_UP} state_t;
  state_t state;

  // between the two stable states the input has to keep its new value
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= RELEASED;
      count <= '0;
    end else begin
      count <= '0;
      case (state)
        RELEASED: if (button_sync) begin
          state <= GOING_DOWN;
          count <= 1;
        end
        GOING_DOWN: begin
          if (!button_sync) state <= RELEASED;
          else if (count == LIMIT - 1) state <= PRESSED;
          else count <= count + 1'b1;
        end
        PRESSED: if (!button_sync) begin
          state <= GOING_UP;
          count <= 1;
        end
        GOING_UP: begin
          if (button_sync) state <= PRESSED;
          else if (count == LIMIT - 1) state <= RELEASED;
          else count <= count + 1'b1;
        end
        default: state <= RELEASED;
      endcase
    end
  end

  assign level = (state == PRESSED) || (state == GOING_UP);
""",
    )[variant]
    sign = "~" if down else ""

    def reset(s: State) -> None:
        s.first = s.second = s.level = s.count = s.before = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"level": s.level, "pressed": int(s.level and not s.before)}
        s.before = s.level
        if s.second == s.level:
            s.count = 0
        elif s.count == limit - 1:
            s.count, s.level = 0, s.second
        else:
            s.count += 1
        s.second, s.first = s.first, i.button ^ down
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.held = getattr(s, "held", 0) ^ 1
            left = r.choice((1, 2, limit - 1, limit, limit + 1, 2 * limit, 3 * limit))
        s.left = left - 1
        return {"button": s.held}

    return Draft(
        rtl=f"""
module debouncer #(
  parameter int LIMIT = {limit}
) (
  input logic clk,
  input logic rst,
  input logic button, // {"low" if down else "high"} while pressed, not synchronous
  output logic level,
  output logic pressed // one cycle for each press
);
  logic button_meta, button_sync;
  logic [{bits - 1}:0] count;
  logic level_prev;

  // two flip-flops bring the input into the clock domain
  always_ff @(posedge clk) begin
    if (rst) begin
      button_meta <= 1'b0;
      button_sync <= 1'b0;
    end else begin
      button_meta <= {sign}button;
      button_sync <= button_meta;
    end
  end
  {counting}
  always_ff @(posedge clk) begin
    if (rst) level_prev <= 1'b0;
    else level_prev <= level;
  end

  assign pressed = level && !level_prev;
endmodule
""",
        about=f"""Debouncer for a button that is {"low" if down else "high"} while pressed. `button` passes two
            flip-flops{" (inverted, so that 1 means pressed)" if down else ""}; `level` takes a new value when the
            synchronised input has differed from it in {limit} cycles in a row. `pressed` is high in the first cycle in
            which `level` is 1. All flip-flops start as released.""",
        model=Machine(reset, step),
        names=("debounce", "button_debounce", "switch_filter"),
        drive=drive,
        cycles=60 + 14 * limit,
    )


@family(variants=3)
def long_press_button(r: Random, variant: int) -> Draft:
    """Tells a short press from a long one."""
    limit = r.choice((5, 8, 10, 12, 20))
    bits = limit.bit_length()
    early = r.random() < 0.5
    two = f"""
  typedef enum logic [1:0] {{IDLE, HELD, LONG}} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (button) state_next = HELD;
      HELD: begin
        if (!button) state_next = IDLE;
        else if (held == LIMIT - 1) state_next = LONG;
      end
      LONG: if (!button) state_next = IDLE;
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      held <= '0;
    end else begin
      state <= state_next;
      held <= button && (state != LONG) ? held + 1'b1 : '0;
    end
  end

  assign short_press = (state == HELD) && !button;
  assign long_press = {"(state == HELD) && (state_next == LONG)" if early else "(state == LONG) && !button"};
"""
    counted = f"""
  logic is_long;

  // stays at the limit until the button is released
  assign is_long = (held == LIMIT);

  always_ff @(posedge clk) begin
    if (rst) held <= '0;
    else if (!button) held <= '0;
    else if (!is_long) held <= held + 1'b1;
  end

  assign short_press = !button && (held != 0) && !is_long;
  assign long_press = {"button && (held == LIMIT - 1)" if early else "!button && is_long"};
"""
    flags = f"""
  logic button_prev, is_long, released;

  assign released = button_prev && !button;

  always_ff @(posedge clk) begin
    if (rst) begin
      button_prev <= 1'b0;
      held <= '0;
      is_long <= 1'b0;
    end else begin
      button_prev <= button;
      if (!button) begin
        held <= '0;
        is_long <= 1'b0;
      end else if (held == LIMIT - 1) begin
        is_long <= 1'b1;
      end else begin
        held <= held + 1'b1;
      end
    end
  end

  assign short_press = released && !is_long;
  assign long_press = {"button && (held == LIMIT - 1) && !is_long" if early else "released && is_long"};
"""
    body = (two, counted, flags)[variant]

    def reset(s: State) -> None:
        s.held = 0

    def step(s: State, i: Pins) -> Outputs:
        long = i.button and s.held == limit - 1 if early else not i.button and s.held == limit
        out = {"short_press": int(not i.button and 0 < s.held < limit), "long_press": int(long)}
        s.held = min(s.held + 1, limit) if i.button else 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.down = getattr(s, "down", 0) ^ 1
            left = r.choice((1, 2, limit - 1, limit, limit + 1, limit + 7)) if s.down else r.choice((1, 2, 5))
        s.left = left - 1
        return {"button": s.down}

    when = f"in the {limit}th cycle of a press" if early else f"when it is released after {limit} cycles or more"
    return Draft(
        rtl=f"""
module long_press_button #(
  parameter int LIMIT = {limit}
) (
  input logic clk,
  input logic rst,
  input logic button, // debounced, high while pressed
  output logic short_press,
  output logic long_press
);
  logic [{bits - 1}:0] held; // cycles
  {body}
endmodule
""",
        about=f"""Classifies presses of a debounced button. `short_press` is high for one cycle when the button is
            released after fewer than {limit} cycles, `long_press` for one cycle {when}; a long press is no short one.
            Both answer in the cycle in which `button` changes, or in which the count is reached.""",
        model=Machine(reset, step),
        names=("press_classifier", "long_press", "button_fsm"),
        drive=drive,
        cycles=80 + 10 * limit,
    )


@family(variants=3)
def edge_detector(r: Random, variant: int) -> Draft:
    """Marks the edges of slow signals."""
    width = r.choice((1, 1, 4, 8))
    kind = r.choice(("rising", "falling", "both"))
    late = r.random() < 0.4
    full = (1 << width) - 1
    vector = f"[{width - 1}:0] " if width > 1 else ""
    found = {"rising": "din & ~din_prev", "falling": "~din & din_prev", "both": "din ^ din_prev"}[kind]
    ifs = {"rising": "din{k} && !din_prev{k}", "falling": "!din{k} && din_prev{k}", "both": "din{k} != din_prev{k}"}[
        kind
    ]
    keep = """
  always_ff @(posedge clk) begin
    if (rst) din_prev <= '0;
    else din_prev <= din;
  end
"""
    if variant == 0:
        last = f"  always_ff @(posedge clk) begin\n    if (rst) edges <= '0;\n    else edges <= {found};\n  end\n"
        body = keep + (last if late else f"\n  assign edges = {found};\n")
    elif variant == 1:
        mark = "<=" if late else "="
        places = "[i]" if width > 1 else ""
        test = f"if ({ifs.format(k=places)}) edges{places} {mark} 1'b1;"
        loop = f"for (int i = 0; i < {width}; i++) begin\n{test}\nend" if width > 1 else test
        if late:
            body = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      din_prev <= '0;
      edges <= '0;
    end else begin
      din_prev <= din;
      edges <= '0;
      {loop}
    end
  end
"""
        else:
            body = f"""{keep}
  always_comb begin
    edges = '0;
    {loop}
  end
"""
    else:
        body = f"""
  logic {vector}changed, {"edges_next" if late else "wanted"};

  assign changed = din ^ din_prev;
  // of the changes, those {"that go up" if kind == "rising" else "that go down" if kind == "falling" else "either way"}
  assign {"edges_next" if late else "wanted"} = changed{{}};
{keep}""".replace("{}", {"rising": " & din", "falling": " & ~din", "both": ""}[kind])
        body += (
            "\n  always_ff @(posedge clk) begin\n    if (rst) edges <= '0;\n    else edges <= edges_next;\n  end\n"
            if late
            else "\n  assign edges = wanted;\n"
        )

    def reset(s: State) -> None:
        s.prev = s.late = 0

    def step(s: State, i: Pins) -> Outputs:
        now = {"rising": i.din & ~s.prev, "falling": ~i.din & s.prev, "both": i.din ^ s.prev}[kind] & full
        out = s.late if late else now
        s.prev, s.late = i.din, now
        return {"edges": out}

    what = "rises" if kind == "rising" else "falls" if kind == "falling" else "changes"
    where = "one cycle later" if late else "at once"
    return Draft(
        rtl=f"""
module edge_detector (
  input logic clk,
  input logic rst,
  input logic {vector}din,
  output logic {vector}edges
);
  logic {vector}din_prev;
  {body}
endmodule
""",
        about=f"""{"Detects edges of" if width == 1 else f"For each of {width} signals in"} `din`:
            {"`edges`" if width == 1 else "its bit of `edges`"} is high for one cycle where the signal {what} against
            the cycle before, {where}. It counts as 0 before the first cycle after reset.""",
        model=Machine(reset, step),
        names=(f"{kind}_edge", "edge_detect", "pulse_on_edge", "change_detector"),
    )


@family(variants=3)
def glitch_filter(r: Random, variant: int) -> Draft:
    """Hysteresis between all ones and all zeros of the last samples."""
    taps = r.choice((3, 4, 5, 6))
    init = r.choice((0, 1))
    shifted = """
  // all samples agree
  always_ff @(posedge clk) begin
    if (rst) dout <= INIT;
    else if (&history) dout <= 1'b1;
    else if (~|history) dout <= 1'b0;
  end
"""
    chosen = """
  logic all_high, all_low;

  assign all_high = &history;
  assign all_low = (history == 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      dout <= INIT;
    end else begin
      case ({all_high, all_low})
        2'b10: dout <= 1'b1;
        2'b01: dout <= 1'b0;
        default: dout <= dout; // a glitch or an edge on its way
      endcase
    end
  end
"""
    logical = """
  // set by all ones, kept by any one
  always_ff @(posedge clk) begin
    if (rst) dout <= INIT;
    else dout <= (&history) | (dout & (|history));
  end
"""
    body = (shifted, chosen, logical)[variant]

    def reset(s: State) -> None:
        s.history, s.dout = [init] * taps, init

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.dout}
        if len(set(s.history)) == 1:
            s.dout = s.history[0]
        if i.sample:
            s.history = [*s.history[1:], i.din]
        return out

    return Draft(
        rtl=f"""
module glitch_filter #(
  parameter int TAPS = {taps}
) (
  input logic clk,
  input logic rst,
  input logic sample,
  input logic din,
  output logic dout
);
  localparam logic INIT = 1'b{init};
  logic [TAPS-1:0] history; // the newest sample lowest

  always_ff @(posedge clk) begin
    if (rst) history <= {{TAPS{{INIT}}}};
    else if (sample) history <= {{history[TAPS-2:0], din}};
  end
  {body}
endmodule
""",
        about=f"""Digital filter against glitches: keeps the last {taps} samples of `din`, one at each edge with
            `sample` high, and lets `dout` follow, a cycle after the samples, only where all {taps} are the same.
            Samples and `dout` are {init} after reset.""",
        model=Machine(reset, step),
        names=("input_filter", "deglitch", "noise_filter"),
        stimulus={"sample": 0.85},
        drive=lambda r, s: {"din": s.history[-1] ^ int(r.random() < 0.25)},
        cycles=140,
    )


@family(variants=3)
def pulse_stretcher(r: Random, variant: int) -> Draft:
    """Makes short pulses long enough to be seen."""
    length = r.choice((3, 5, 7, 8, 12))
    again = r.random() < 0.6
    bits = length.bit_length()
    trigger = "trigger" if again else "trigger && !pulse"
    body = (
        f"""
  logic [{bits - 1}:0] left; // cycles still to go

  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if ({trigger}) left <= LENGTH;
    else if (left != 0) left <= left - 1'b1;
  end

  assign pulse = (left != 0);
""",
        f"""
  logic [{bits - 1}:0] count;

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      pulse <= 1'b0;
    end else if ({trigger}) begin
      count <= '0;
      pulse <= 1'b1;
    end else if (pulse) begin
      count <= count + 1'b1;
      if (count == LENGTH - 1) pulse <= 1'b0; // long enough
    end
  end
""",
        f"""
  logic [LENGTH-1:0] shift; // as many ones as cycles to go

  always_ff @(posedge clk) begin
    if (rst) shift <= '0;
    else if ({trigger}) shift <= {{LENGTH{{1'b1}}}};
    else shift <= shift >> 1;
  end

  assign pulse = shift[0];
""",
    )[variant]

    def reset(s: State) -> None:
        s.left = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"pulse": int(s.left > 0)}
        s.left = length if i.trigger and (again or not s.left) else max(0, s.left - 1)
        return out

    more = "a `trigger` during the pulse starts the time anew" if again else "a `trigger` during the pulse is ignored"
    return Draft(
        rtl=f"""
module pulse_stretcher #(
  parameter int LENGTH = {length}
) (
  input logic clk,
  input logic rst,
  input logic trigger,
  output logic pulse
);
  {body}
endmodule
""",
        about=(
            f"""{"Retriggerable" if again else "Non-retriggerable"} monostable: a cycle with `trigger` makes `pulse`
            high
            for {length} cycles, from the next cycle on; {more}.""",
            f"""Stretches pulses to {length} cycles, beginning in the cycle after `trigger`; {more}.""",
        ),
        model=Machine(reset, step),
        names=("one_shot", "monostable", "stretcher"),
        stimulus={"trigger": 0.12},
        cycles=150,
    )


@family(variants=3)
def quadrature_decoder(r: Random, variant: int) -> Draft:
    """Counts the steps of a rotary encoder and tells bad ones."""
    width = r.choice((6, 8, 12, 16))
    body = (
        """
  // from each pair to the next, forwards and backwards
  always_comb begin
    forward = 1'b0;
    backward = 1'b0;
    case ({prev, phase})
      4'b00_10, 4'b10_11, 4'b11_01, 4'b01_00: forward = 1'b1;
      4'b00_01, 4'b01_11, 4'b11_10, 4'b10_00: backward = 1'b1;
      default: ; // none or a jump
    endcase
  end

  assign jump = (phase == ~prev);
""",
        """
  logic moved_a, moved_b;

  assign moved_a = phase[1] ^ prev[1];
  assign moved_b = phase[0] ^ prev[0];
  assign jump = moved_a && moved_b;
  // one phase has moved: the new one against the other as it was tells the direction
  assign forward = (moved_a ^ moved_b) && (phase[1] ^ prev[0]);
  assign backward = (moved_a ^ moved_b) && !(phase[1] ^ prev[0]);
""",
        """
  logic [1:0] place, place_prev, distance;

  // Gray code to binary: the places follow each other from 0 to 3
  assign place = {phase[0], phase[1] ^ phase[0]};
  assign place_prev = {prev[0], prev[1] ^ prev[0]};
  assign distance = place - place_prev;
  assign forward = (distance == 2'd1);
  assign backward = (distance == 2'd3);
  assign jump = (distance == 2'd2);
""",
    )[variant]
    order = (0b00, 0b10, 0b11, 0b01)

    def reset(s: State) -> None:
        s.prev = s.position = s.error = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"position": s.position, "error": s.error}
        distance = (order.index(i.phase) - order.index(s.prev)) % 4
        if i.clear:
            s.position = s.error = 0
        else:
            s.position = (s.position + (0, 1, 0, -1)[distance]) % (1 << width)
            s.error |= int(distance == 2)
        s.prev = i.phase
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.turn = getattr(s, "turn", 1) if r.random() < 0.92 else r.choice((1, -1))
        move = s.turn if r.random() < 0.6 else 2 if r.random() < 0.05 else 0
        return {"phase": order[(order.index(s.prev) + move) % 4]}

    return Draft(
        rtl=f"""
module quadrature_decoder #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic clear,
  input logic [1:0] phase, // the synchronised outputs A and B of the encoder
  output logic [WIDTH-1:0] position,
  output logic error // both phases moved at once
);
  logic [1:0] prev;
  logic forward, backward, jump;
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      prev <= '0;
      position <= '0;
      error <= 1'b0;
    end else begin
      prev <= phase;
      if (clear) begin
        position <= '0;
        error <= 1'b0;
      end else begin
        if (forward) position <= position + 1'b1;
        else if (backward) position <= position - 1'b1;
        if (jump) error <= 1'b1;
      end
    end
  end
endmodule
""",
        about=f"""Quadrature decoder with four counts a period. `phase` holds A (bit 1) and B (bit 0) of a rotary
            encoder. In the order 00, 10, 11, 01, 00 (A leads) the {width}-bit `position` counts up at each step, the
            other way it counts down, wrapping around. Where both bits change in one cycle the position stays and
            `error` is set. `clear`
            zeroes both and has priority; the phases are still followed then. After reset the last phases count as
            00.""",
        model=Machine(reset, step),
        names=("rotary_decoder", "quad_decoder", "encoder_counter"),
        stimulus={"clear": 0.02},
        drive=drive,
        cycles=200,
    )
