"""Measuring: frequencies, periods, phases, and what surrounds a converter."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def frequency_counter(r: Random, variant: int) -> Draft:
    """Counts the rising edges of a signal while a gate is open."""
    short = r.choice((16, 20, 24, 32))
    ranged = r.random() < 0.5
    long = short * r.choice((2, 4)) if ranged else short
    width = r.choice((3, 4))
    full = (1 << width) - 1
    once = r.random() < 0.5
    bits = (long - 1).bit_length()
    end = "(long_gate ? LONG_GATE : GATE) - 1" if ranged else "GATE - 1"
    idle = "!measuring" if once else ""
    begin = (
        """
  // a measurement takes one gate
  always_ff @(posedge clk) begin
    if (rst) measuring <= 1'b0;
    else if (!measuring) measuring <= start;
    else if (gate_end) measuring <= 1'b0;
  end
"""
        if once
        else ""
    )
    together = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      timer <= '0;
      count <= '0;
      reading <= '0;
      overflow <= 1'b0;
      valid <= 1'b0;
    end else begin
      valid <= gate_end;
      if ({f"{idle} || " if once else ""}gate_end) begin
        timer <= '0;
        count <= '0;
      end else begin
        timer <= timer + 1'b1;
        count <= count_next;
      end
      if (gate_end) begin
        reading <= count_next[WIDTH] ? {{WIDTH{{1'b1}}}} : count_next[WIDTH-1:0];
        overflow <= count_next[WIDTH];
      end
    end
  end
"""
    apart = f"""
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else timer <= ({f"{idle} || " if once else ""}gate_end) ? '0 : timer + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if ({f"{idle} || " if once else ""}gate_end) count <= '0; // the next gate starts at zero
    else count <= count_next;
  end

  // what the last complete gate has found
  always_ff @(posedge clk) begin
    if (rst) begin
      reading <= '0;
      overflow <= 1'b0;
    end else if (gate_end) begin
      overflow <= count_next[WIDTH];
      reading <= count_next[WIDTH-1:0] | {{WIDTH{{count_next[WIDTH]}}}};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) valid <= 1'b0;
    else valid <= gate_end;
  end
"""
    # The top bit stays once it is set.
    step_up = "count + {{WIDTH{1'b0}}, rising && !count[WIDTH]}"
    counting = {
        0: f"\n  assign count_next = {step_up};\n",
        1: """
  // one bit more than the reading: it marks too many edges, and counting ends there
  always_comb begin
    count_next = count;
    if (rising && !count[WIDTH]) count_next = count + 1'b1;
  end
""",
        2: """
  assign count_next = (count[WIDTH] || !rising) ? count : count + 1'b1;
""",
    }[variant]
    if variant == 2:
        # The gate as a countdown that is loaded at each beginning.
        body = f"""
  // cycles of the gate that follow this one
  always_ff @(posedge clk) begin
    if (rst) timer <= GATE - 1;
    else if ({f"{idle} || " if once else ""}gate_end) timer <= {end};
    else timer <= timer - 1'b1;
  end

  assign gate_end = {"measuring && " if once else ""}(timer == 0);
  {begin}
  {counting}
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      valid <= 1'b0;
      reading <= '0;
      overflow <= 1'b0;
    end else begin
      valid <= 1'b0;
      count <= {"measuring ? count_next : '0" if once else "count_next"};
      if (gate_end) begin
        count <= '0;
        valid <= 1'b1;
        {{overflow, reading}} <= count_next[WIDTH] ? {{(WIDTH+1){{1'b1}}}} : count_next;
      end
    end
  end
"""
    else:
        body = f"""
  assign gate_end = {"measuring && " if once else ""}(timer == gate_last);
  assign gate_last = {end};
  {begin}
  {counting}
  {together if variant == 0 else apart}
"""
    # A range is taken when a gate begins, in all variants.
    held = ranged and variant != 2
    if held:
        body = body.replace(f"  assign gate_last = {end};\n", "")
        body += f"""
  // the range may change between two gates only
  always_ff @(posedge clk) begin
    if (rst) gate_last <= GATE - 1;
    else if ({f"{idle} || " if once else ""}gate_end) gate_last <= {end};
  end
"""

    def reset(s: State) -> None:
        s.time = s.count = s.reading = s.overflow = s.valid = s.prev = s.on = 0
        s.gate = short

    def step(s: State, i: Pins) -> Outputs:
        out = {"reading": s.reading, "overflow": s.overflow, "valid": s.valid}
        running = s.on or not once
        if once:
            out["measuring"] = s.on
        rising = i.pulse_in and not s.prev
        s.prev, s.valid = i.pulse_in, 0
        if running:
            s.count += int(rising)
            s.time += 1
            if s.time == s.gate:
                s.reading, s.overflow, s.valid = min(s.count, full), int(s.count > full), 1
                s.on = 0
                s.time = s.count = 0
                s.gate = long if ranged and i.long_gate else short
        else:
            s.on = i.start
            s.gate = long if ranged and i.long_gate else short
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if getattr(s, "left", 0) == 0:
            s.left = r.choice((10, 40, 60))
            s.busy = r.choice((0.08, 0.4, 0.95))
        s.left -= 1
        return {"pulse_in": s.prev ^ int(r.random() < s.busy)}

    lasts = f"{short} cycles" + (f", or {long} where `long_gate` was high in the cycle before it" if ranged else "")
    return Draft(
        rtl=f"""
module frequency_counter #(
  parameter int WIDTH = {width},
  parameter int GATE = {short}{f", parameter int LONG_GATE = {long}" if ranged else ""}
) (
  input logic clk,
  input logic rst,
  input logic pulse_in, // synchronous
  {"input logic long_gate," if ranged else ""}
  {"input logic start," if once else ""}
  {"output logic measuring," if once else ""}
  output logic [WIDTH-1:0] reading,
  output logic overflow,
  output logic valid // a new reading
);
  logic [{bits - 1}:0] timer;
  {f"logic [{bits - 1}:0] gate_last;" if variant != 2 else ""}
  logic [WIDTH:0] count, count_next;
  logic pulse_prev, rising, gate_end;

  always_ff @(posedge clk) begin
    if (rst) pulse_prev <= 1'b0;
    else pulse_prev <= pulse_in;
  end

  assign rising = pulse_in && !pulse_prev;
  {body}
endmodule
""",
        about=f"""Frequency counter. {
            "`start` while not `measuring` opens a gate from the next cycle on; `measuring` is high while it is open."
            if once
            else "Gates follow each other without a break, the first right after reset."
        } A gate lasts {lasts}{"; the first one after reset is a short one" if ranged and not once else ""}. The rising
            edges of `pulse_in` (against the cycle before, 0 before the first) in the cycles of a gate are counted. In
            the
            cycle after its last one `valid` is high and `reading` holds the number, which it keeps until the next; more
            than {full} give {full} and `overflow`.""",
        model=Machine(reset, step),
        names=("freq_counter", "frequency_meter", "gated_counter"),
        stimulus={"start": 0.2, "long_gate": 0.4},
        drive=drive,
        cycles=360 if ranged else 260,
    )


@family(variants=3)
def period_meter(r: Random, variant: int) -> Draft:
    """Times a signal from edge to edge, with its high part, and notices when it stops."""
    width = r.choice((5, 6))
    limit = r.choice(((1 << width) - 1, (1 << width) - 4))
    high = r.random() < 0.6
    falling = not high and r.random() < 0.5
    edge = "!signal && signal_prev" if falling else "signal && !signal_prev"
    level = "falling" if falling else "rising"
    high_reset = "      high_time <= '0;\n      high_count <= '0;\n" if high else ""
    fsm_high = "          high_time <= high_count;\n          high_count <= 1;\n" if high else ""
    machine = f"""
  typedef enum logic [0:0] {{SEARCH, MEASURE}} state_t;
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= SEARCH;
      count <= '0;
      period <= '0;
{high_reset}
      valid <= 1'b0;
      no_signal <= 1'b1;
    end else begin
      valid <= 1'b0;
      case (state)
        SEARCH: if (mark) begin
          state <= MEASURE;
          count <= 1;
          {"high_count <= 1;" if high else ""}
        end
        default: if (mark) begin
          period <= count;
{fsm_high}
          count <= 1;
          valid <= 1'b1;
          no_signal <= 1'b0;
        end else if (count == LIMIT) begin
          state <= SEARCH;
          no_signal <= 1'b1;
        end else begin
          count <= count + 1'b1;
          {"if (signal) high_count <= high_count + 1'b1;" if high else ""}
        end
      endcase
    end
  end
"""
    flags = """
  logic running, complete, expired; // an edge has been seen and no timeout since

  assign complete = running && mark;
  assign expired = running && !mark && (count == LIMIT);

  always_ff @(posedge clk) begin
    if (rst) running <= 1'b0;
    else if (mark) running <= 1'b1;
    else if (expired) running <= 1'b0;
  end

  // the cycle of the edge is the first of the period
  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (mark) count <= 1;
    else if (running && !expired) count <= count + 1'b1;
  end
"""
    if high:
        flags += """
  always_ff @(posedge clk) begin
    if (rst) high_count <= '0;
    else if (mark) high_count <= 1;
    else if (running && !expired && signal) high_count <= high_count + 1'b1;
  end
"""
    flags += f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      period <= '0;
      {"high_time <= '0;" if high else ""}
      valid <= 1'b0;
      no_signal <= 1'b1;
    end else begin
      valid <= complete;
      if (complete) begin
        period <= count;
        {"high_time <= high_count;" if high else ""}
        no_signal <= 1'b0;
      end else if (expired) begin
        no_signal <= 1'b1;
      end
    end
  end
"""
    # A free-running stamp: the period is the difference of two.
    stamped = """
  // zero means that no edge has been seen, or too long ago
  always_comb begin
    if (mark) count_next = 1;
    else if (count == 0 || count == LIMIT) count_next = '0;
    else count_next = count + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      valid <= 1'b0;
      no_signal <= 1'b1;
    end else begin
      count <= count_next;
      valid <= mark && (count != 0);
      if (mark && count != 0) no_signal <= 1'b0;
      else if (!mark && count == LIMIT) no_signal <= 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) period <= '0;
    else if (mark && count != 0) period <= count;
  end
"""
    if high:
        stamped += """
  always_ff @(posedge clk) begin
    if (rst) begin
      high_count <= '0;
      high_time <= '0;
    end else begin
      if (mark && count != 0) high_time <= high_count;
      // taken at the end of the high part
      if (!signal && signal_prev) high_count <= count;
    end
  end
"""
    body = (machine, flags, "  logic [WIDTH-1:0] count_next;\n" + stamped)[variant]

    def reset(s: State) -> None:
        s.prev = s.count = s.high = s.period = s.high_time = s.valid = 0
        s.none = 1

    def step(s: State, i: Pins) -> Outputs:
        out = {"period": s.period, "valid": s.valid, "no_signal": s.none}
        if high:
            out["high_time"] = s.high_time
        mark = not i.signal and s.prev if falling else i.signal and not s.prev
        s.valid = 0
        if mark:
            if s.count:
                s.period, s.high_time, s.valid, s.none = s.count, s.high, 1, 0
            s.count = s.high = 1
        elif s.count == limit:
            s.count, s.none = 0, 1
        elif s.count:
            s.count += 1
            s.high += i.signal
        s.prev = i.signal
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.now = getattr(s, "now", 0) ^ 1
            left = r.choice((1, 2, 3, 5, 9, limit // 2, limit - 1 if r.random() < 0.5 else limit + 3))
        s.left = left - 1
        return {"signal": s.now}

    return Draft(
        rtl=f"""
module period_meter #(
  parameter int WIDTH = {width},
  parameter int LIMIT = {limit} // the longest period in cycles
) (
  input logic clk,
  input logic rst,
  input logic signal, // synchronous
  output logic [WIDTH-1:0] period,
  {"output logic [WIDTH-1:0] high_time," if high else ""}
  output logic valid,
  output logic no_signal
);
  logic signal_prev, mark;
  logic [WIDTH-1:0] count;
  {"logic [WIDTH-1:0] high_count;" if high else ""}

  always_ff @(posedge clk) begin
    if (rst) signal_prev <= 1'b0;
    else signal_prev <= signal;
  end

  assign mark = {edge};
  {body}
endmodule
""",
        about=f"""Measures the period of `signal` in cycles, from one {level} edge to the next (an edge is a cycle in
            which
            it differs from the one before; 0 before the first). In the cycle after the edge that ends a period
            `valid` is
            high for one cycle and `period` {
            "and `high_time`, in how many of its cycles the signal was high, are new" if high else "is new"
        };
            they stay until the next. `no_signal` is high from reset until the first period is complete, and from the
            cycle
            after one in which the period would become longer than {limit} cycles (no edge {limit} cycles after the
            last)
            until the next complete period; the edge after that only begins one.""",
        model=Machine(reset, step),
        names=("period_counter", "pulse_timer", "reciprocal_counter"),
        drive=drive,
        cycles=300,
    )


@family(variants=3)
def phase_detector(r: Random, variant: int) -> Draft:
    """Tells which of two signals comes first, and by how much."""
    width = r.choice((4, 5, 6))
    most = (1 << width - 1) - 1
    mask = (1 << width) - 1
    edge = r.choice(("rising", "falling"))
    test = "{0} && !{0}_prev" if edge == "rising" else "!{0} && {0}_prev"
    counted = "\n  logic [WIDTH-2:0] count; // cycles since the first edge, at most all ones\n"
    machine = f"""{counted}
  typedef enum logic [1:0] {{IDLE, LEAD, LAG}} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      IDLE: begin
        if (ref_edge && !fb_edge) state_next = LEAD;
        else if (fb_edge && !ref_edge) state_next = LAG;
      end
      LEAD: if (fb_edge) state_next = IDLE;
      LAG: if (ref_edge) state_next = IDLE;
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      count <= '0;
    end else begin
      state <= state_next;
      if (state == IDLE) count <= 1;
      else if (!(&count)) count <= count + 1'b1;
    end
  end

  assign up = (state == LEAD);
  assign down = (state == LAG);

  // positive where the reference was first
  always_ff @(posedge clk) begin
    if (rst) begin
      phase_error <= '0;
      valid <= 1'b0;
    end else begin
      valid <= 1'b0;
      if (state == IDLE && ref_edge && fb_edge) begin
        phase_error <= '0;
        valid <= 1'b1;
      end else if (state == LEAD && fb_edge) begin
        phase_error <= {{1'b0, count}};
        valid <= 1'b1;
      end else if (state == LAG && ref_edge) begin
        phase_error <= ~{{1'b0, count}} + 1'b1;
        valid <= 1'b1;
      end
    end
  end
"""
    flops = f"""{counted}
  logic both;

  // two flip-flops, each set by its own edge; as soon as both have come, both are cleared
  assign both = (up || ref_edge) && (down || fb_edge);

  always_ff @(posedge clk) begin
    if (rst) begin
      up <= 1'b0;
      down <= 1'b0;
    end else begin
      up <= !both && (up || ref_edge);
      down <= !both && (down || fb_edge);
    end
  end

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (!up && !down) count <= 1;
    else count <= (count == {{(WIDTH-1){{1'b1}}}}) ? count : count + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) valid <= 1'b0;
    else valid <= both;
  end

  always_ff @(posedge clk) begin
    if (rst) phase_error <= '0;
    else if (both) phase_error <= up ? {{1'b0, count}} : down ? -{{1'b0, count}} : '0;
  end
"""
    signed_way = """
  logic [WIDTH-1:0] offset; // with a sign: how far the reference is ahead by now
  logic both;

  assign both = (ref_edge || up) && (fb_edge || down);

  always_ff @(posedge clk) begin
    if (rst) begin
      offset <= '0;
      up <= 1'b0;
      down <= 1'b0;
    end else if (both) begin
      offset <= '0;
      up <= 1'b0;
      down <= 1'b0;
    end else begin
      if (ref_edge) up <= 1'b1;
      if (fb_edge) down <= 1'b1;
      if (up || ref_edge) begin
        if (offset != {1'b0, {(WIDTH-1){1'b1}}}) offset <= offset + 1'b1;
      end else if (down || fb_edge) begin
        if (offset != {1'b1, {(WIDTH-2){1'b0}}, 1'b1}) offset <= offset - 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= 1'b0;
      phase_error <= '0;
    end else begin
      valid <= both;
      if (both) phase_error <= offset;
    end
  end
"""
    body = (machine, flops, signed_way)[variant]

    def reset(s: State) -> None:
        s.ref = s.fb = s.who = s.count = s.error = s.valid = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"up": int(s.who > 0), "down": int(s.who < 0), "phase_error": s.error & mask, "valid": s.valid}
        one, two = (1, 0) if edge == "rising" else (0, 1)
        ref = i.ref_in == one and s.ref == two
        fb = i.fb_in == one and s.fb == two
        s.ref, s.fb, s.valid = i.ref_in, i.fb_in, 0
        if (ref or s.who > 0) and (fb or s.who < 0):
            s.error, s.valid = s.who * min(s.count, most), 1
            s.who = 0
        elif s.who:
            s.count += 1
        elif ref or fb:
            s.who, s.count = (1 if ref else -1), 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        pins = {}
        for name in ("ref_in", "fb_in"):
            left = getattr(s, f"left_{name}", 0)
            if left == 0:
                setattr(s, name, getattr(s, name, 0) ^ 1)
                left = r.choice((1, 2, 3, 3, 4, most + 2 if width < 6 else 9))
            setattr(s, f"left_{name}", left - 1)
            pins[name] = getattr(s, name)
        if r.random() < 0.1:
            for name in pins:
                setattr(s, f"left_{name}", 2)
                setattr(s, name, s.ref_in)
        return pins

    return Draft(
        rtl=f"""
module phase_detector #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic ref_in, // the reference
  input logic fb_in, // the feedback
  output logic up, // the reference was first and the feedback is still to come
  output logic down,
  output logic [WIDTH-1:0] phase_error,
  output logic valid
);
  logic ref_prev, fb_prev, ref_edge, fb_edge;

  always_ff @(posedge clk) begin
    if (rst) begin
      ref_prev <= 1'b0;
      fb_prev <= 1'b0;
    end else begin
      ref_prev <= ref_in;
      fb_prev <= fb_in;
    end
  end

  assign ref_edge = {test.format("ref_in").replace("ref_in_prev", "ref_prev")};
  assign fb_edge = {test.format("fb_in").replace("fb_in_prev", "fb_prev")};
  {body}
endmodule
""",
        about=f"""Phase and frequency detector that compares {edge} edges of `ref_in` and `fb_in`, each found by
            comparing
            with the cycle before (0 before the first). While neither `up` nor `down` is high, an edge of the reference
            alone sets `up` from the next cycle on, one of the feedback alone `down`; it stays until an edge of the
            other
            signal ends the measurement, further edges of the same one change nothing. In the cycle after the end
            `valid`
            is high for one cycle and `phase_error` is, in two's complement, by how many cycles the reference was ahead
            (negative: behind), limited to {most} either way. Edges of both in one cycle, with neither high, are a
            measurement of 0.""",
        model=Machine(reset, step),
        names=("lead_lag_detector", "pfd", "phase_comparator"),
        drive=drive,
        cycles=240,
    )


@family(variants=3)
def sar_converter(r: Random, variant: int) -> Draft:
    """Successive approximation: decides a bit at a time with a comparator."""
    width = r.choice((4, 6, 8, 10))
    track = r.choice((1, 2, 3, 4))
    settle = r.choice((1, 1, 2, 3))
    above = r.random() < 0.6  # whether the comparator is high for an input above the DAC
    keep = "too_high" if not above else "!higher"
    wire = "higher" if above else "too_high"
    bits = (width - 1).bit_length()
    longest = max(track, settle)
    tbits = max(1, (longest - 1).bit_length())
    wait_ = settle > 1
    masked = f"""
  logic [WIDTH-1:0] mask; // one hot: the bit on trial

  assign dac = value | mask;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= '0;
      mask <= '0;
      value <= '0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      case (state)
        IDLE: if (start) begin
          state <= TRACK;
          timer <= TRACK_TIME - 1;
        end
        TRACK: if (timer != 0) begin
          timer <= timer - 1'b1;
        end else begin
          state <= DECIDE;
          timer <= SETTLE_TIME - 1;
          value <= '0;
          mask <= {{1'b1, {{(WIDTH-1){{1'b0}}}}}};
        end
        DECIDE: if (timer != 0) begin
          timer <= timer - 1'b1;
        end else begin
          timer <= SETTLE_TIME - 1;
          if (!({keep})) value <= dac; // the input is not below: the bit stays
          mask <= mask >> 1;
          if (mask[0]) begin
            state <= IDLE;
            done <= 1'b1;
          end
        end
        default: state <= IDLE;
      endcase
    end
  end
"""
    indexed = f"""
  logic [{bits - 1}:0] index; // of the bit on trial
  logic decide;

  assign decide = (state == DECIDE) && (timer == 0);

  always_comb begin
    dac = value;
    if (state == DECIDE) dac[index] = 1'b1;
  end

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (start) state_next = TRACK;
      TRACK: if (timer == 0) state_next = DECIDE;
      DECIDE: if (decide && index == 0) state_next = IDLE;
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else state <= state_next;
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (state == IDLE) timer <= TRACK_TIME - 1;
    else if (timer == 0) timer <= SETTLE_TIME - 1;
    else timer <= timer - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      index <= WIDTH - 1;
      value <= '0;
    end else if (state == TRACK) begin
      index <= WIDTH - 1;
      if (timer == 0) value <= '0;
    end else if (decide) begin
      index <= index - 1'b1;
      value[index] <= {"higher" if above else "!too_high"};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) done <= 1'b0;
    else done <= decide && (index == 0);
  end
"""
    trial = f"""
  logic [WIDTH:0] trial; // the bits so far with a one behind them, which is the bit on trial
  logic [WIDTH-1:0] step_bit;
  logic last;

  // the trial bit is found as the lowest one
  assign step_bit = trial[WIDTH:1] & (~trial[WIDTH:1] + 1'b1);
  assign last = trial[1];
  assign dac = (state == DECIDE) ? trial[WIDTH:1] : value;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= '0;
      trial <= '0;
      value <= '0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      if (timer != 0) begin
        timer <= timer - 1'b1;
      end else if (state == IDLE) begin
        if (start) begin
          state <= TRACK;
          timer <= TRACK_TIME - 1;
        end
      end else begin
        timer <= (state == DECIDE && last) ? '0 : SETTLE_TIME - 1;
        if (state == TRACK) begin
          state <= DECIDE;
          trial <= {{1'b1, {{WIDTH{{1'b0}}}}}};
          value <= '0;
        end else begin
          value <= {keep} ? value : trial[WIDTH:1];
          trial <= {{{keep} ? value : trial[WIDTH:1], 1'b0}} | {{1'b0, step_bit}};
          if (last) begin
            state <= IDLE;
            done <= 1'b1;
          end
        end
      end
    end
  end
"""
    body = (masked, indexed, trial)[variant]

    def reset(s: State) -> None:
        s.mode, s.timer, s.bit, s.value, s.done = "idle", 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        code = s.value | (1 << s.bit if s.mode == "decide" else 0)
        out = {"dac": code, "busy": int(s.mode != "idle"), "hold": int(s.mode == "decide"), "done": s.done}
        out["result"] = s.value
        s.done = 0
        if s.mode == "idle":
            if i.start:
                s.mode, s.timer = "track", track - 1
        elif s.timer:
            s.timer -= 1
        elif s.mode == "track":
            s.mode, s.bit, s.value, s.timer = "decide", width - 1, 0, settle - 1
        else:
            if i.higher if above else not i.too_high:
                s.value = code
            s.timer = settle - 1
            if s.bit == 0:
                s.mode, s.done = "idle", 1
            s.bit -= 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if s.mode != "decide" or not hasattr(s, "voltage"):
            s.voltage = r.choice((0, (1 << width) - 1, r.getrandbits(width), r.getrandbits(width)))
        code = s.value | (1 << max(0, s.bit) if s.mode == "decide" else 0)
        answer = int(s.voltage >= code)
        if s.mode == "decide" and s.timer and r.random() < 0.5:
            answer ^= 1  # not settled yet
        return {wire: answer if above else answer ^ 1}

    return Draft(
        rtl=f"""
module sar_converter #(
  parameter int WIDTH = {width},
  parameter int TRACK_TIME = {track}, // cycles for which the input is followed
  parameter int SETTLE_TIME = {settle} // cycles that a bit takes
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic {wire}, // the comparator: the input is {"not below" if above else "below"} the voltage of `dac`
  output logic [WIDTH-1:0] dac,
  output logic hold, // high: the input is held, low: it is followed
  output logic busy,
  output logic done,
  output logic [WIDTH-1:0] result
);
  typedef enum logic [1:0] {{IDLE, TRACK, DECIDE}} state_t;
  state_t state{", state_next" if variant == 1 else ""};
  logic [{tbits - 1}:0] timer;
  logic [WIDTH-1:0] value;

  assign busy = (state != IDLE);
  assign hold = (state == DECIDE);
  assign result = value;
  {body}
endmodule
""",
        about=f"""Control of a {width}-bit successive-approximation converter. `start` while not `busy` begins a
            conversion:
            the input is followed for {track} cycle{"s" if track > 1 else ""}, then, with `hold` high, the bits are
            decided
            from the highest to the lowest, {settle} cycle{"s" if wait_ else ""} each. Meanwhile `dac` is the bits so
            far
            with a 1 for the bit on trial and zeros below; at the edge that ends
            {"its last cycle" if wait_ else "the cycle"}
            the bit becomes {"1 where `higher` is high" if above else "0 where `too_high` is high"}, else
            {"0" if above else "1"}. `busy` is high throughout; after the last bit it falls and `done` is high for one
            cycle. `result` shows the bits decided so far, from all zeros when the trials begin, and keeps the value
            until
            the next; outside the trials `dac` is the same as `result`.""",
        model=Machine(reset, step),
        names=("sar_control", "sar_adc", "successive_approximation"),
        stimulus={"start": 0.4},
        drive=drive,
        cycles=60 + 5 * (track + 1 + width * settle),
    )


@family(variants=3)
def channel_scanner(r: Random, variant: int) -> Draft:
    """Leads a converter over the channels that are wanted, again and again."""
    count = r.choice((3, 4, 5, 8))
    bits = (count - 1).bit_length()
    width = r.choice((8, 10, 12))
    settle = r.choice((2, 3, 4))
    tbits = (settle - 1).bit_length()
    down = r.random() < 0.3
    forever = r.random() < 0.5
    go = "run" if forever else "start"
    # The next channel above (or below) the present one.
    order = "for (int i = CHANNELS - 1; i >= 0; i--)" if not down else "for (int i = 0; i < CHANNELS; i++)"
    test = "i > channel" if not down else "i < channel"
    edge = "lowest" if not down else "highest"
    searched = f"""
  // the {edge} wanted channel of all, and the {edge} of those still to come in this scan
  always_comb begin
    first = '0;
    following = '0;
    more = 1'b0;
    {order} begin
      if (enabled[i]) first = i;
      if (enabled[i] && {test}) begin
        following = i;
        more = 1'b1;
      end
    end
  end
"""
    function = f"""
  function automatic logic [{bits - 1}:0] pick(input logic [CHANNELS-1:0] set);
    begin
      pick = '0;
      {order} begin
        if (set[i]) pick = i;
      end
    end
  endfunction

  logic [CHANNELS-1:0] ahead;

  assign ahead = enabled & {"(({CHANNELS{1'b1}} << channel) << 1)" if not down else "~({CHANNELS{1'b1}} << channel)"};
  assign more = |ahead;
  assign first = pick(enabled);
  assign following = pick(ahead);
"""
    after = "run && any" if forever else "1'b0"
    fsm = f"""
  typedef enum logic [1:0] {{IDLE, SETTLE, CONVERT}} state_t;
  state_t state;

  assign busy = (state != IDLE);
  assign convert = (state == SETTLE) && (timer == 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      channel <= '0;
      timer <= '0;
    end else begin
      case (state)
        IDLE: if ({go} && any) begin
          state <= SETTLE;
          channel <= first;
          timer <= SETTLE_TIME - 1;
        end
        SETTLE: begin
          if (timer == 0) state <= CONVERT;
          else timer <= timer - 1'b1;
        end
        CONVERT: if (adc_done) begin
          timer <= SETTLE_TIME - 1;
          if (more) begin
            state <= SETTLE;
            channel <= following;
          end else begin
            channel <= first;
            state <= {"(run && any) ? SETTLE : IDLE" if forever else "IDLE"};
          end
        end
        default: state <= IDLE;
      endcase
    end
  end

  assign taken = (state == CONVERT) && adc_done;
"""
    split = f"""
  logic converting, next_one, begins;

  assign begins = !busy && {go} && any;
  assign taken = busy && converting && adc_done;
  assign next_one = taken && more;
  assign convert = busy && !converting && (timer == 0);

  always_ff @(posedge clk) begin
    if (rst) busy <= 1'b0;
    else if (begins) busy <= 1'b1;
    else if (taken && !more) busy <= {after};
  end

  always_ff @(posedge clk) begin
    if (rst) converting <= 1'b0;
    else converting <= convert || (converting && !taken);
  end

  // the multiplexer changes between two conversions only
  always_ff @(posedge clk) begin
    if (rst) channel <= '0;
    else if (next_one) channel <= following;
    else if (begins || taken) channel <= first;
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (begins || taken) timer <= SETTLE_TIME - 1;
    else if (timer != 0) timer <= timer - 1'b1;
  end
"""
    body = (searched + fsm, function + fsm, function + split)[variant]

    def choose(allowed: int) -> int:
        found = [k for k in range(count) if allowed >> k & 1]
        return (max if down else min)(found) if found else 0

    def reset(s: State) -> None:
        s.mode, s.channel, s.timer = "idle", 0, 0
        s.value = s.number = s.valid = s.end = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "channel": s.channel,
            "convert": int(s.mode == "settle" and s.timer == 0),
            "busy": int(s.mode != "idle"),
            "sample": s.value,
            "sample_channel": s.number,
            "valid": s.valid,
            "scan_end": s.end,
        }
        s.valid = s.end = 0
        if s.mode == "idle":
            if (i.run if forever else i.start) and i.enabled:
                s.mode, s.channel, s.timer = "settle", choose(i.enabled), settle - 1
        elif s.mode == "settle":
            if s.timer:
                s.timer -= 1
            else:
                s.mode = "convert"
        elif i.adc_done:
            s.value, s.number, s.valid = i.adc_value, s.channel, 1
            ahead = i.enabled & ((1 << s.channel) - 1 if down else -(2 << s.channel))
            s.timer = settle - 1
            s.end = int(not ahead)
            s.mode = "settle" if ahead or (forever and i.run and i.enabled) else "idle"
            s.channel = choose(ahead or i.enabled)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "set") or r.random() < 0.03:
            s.set = r.choice((0, r.getrandbits(count), r.getrandbits(count) | r.getrandbits(count), (1 << count) - 1))
        return {"enabled": s.set}

    way = "downwards" if down else "upwards"
    return Draft(
        rtl=f"""
module channel_scanner #(
  parameter int CHANNELS = {count},
  parameter int WIDTH = {width},
  parameter int SETTLE_TIME = {settle}
) (
  input logic clk,
  input logic rst,
  input logic {go},
  input logic [CHANNELS-1:0] enabled, // which channels are scanned
  output logic [{bits - 1}:0] channel, // to the multiplexer before the converter
  output logic convert,
  input logic adc_done,
  input logic [WIDTH-1:0] adc_value,
  output logic busy,
  output logic [WIDTH-1:0] sample,
  output logic [{bits - 1}:0] sample_channel,
  output logic valid,
  output logic scan_end
);
  logic [{bits - 1}:0] first, following;
  logic [{tbits - 1}:0] timer;
  logic any, more, taken;

  assign any = |enabled;
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      sample <= '0;
      sample_channel <= '0;
      valid <= 1'b0;
      scan_end <= 1'b0;
    end else begin
      valid <= taken;
      scan_end <= taken && !more;
      if (taken) begin
        sample <= adc_value;
        sample_channel <= channel;
      end
    end
  end
endmodule
""",
        about=f"""Scans {count} analog channels {way} with one converter, those whose bit in `enabled` is set. `{
            go
        }` while
            not `busy`, with any channel enabled, begins a scan with the {
            edge
        } one. For each, `channel` is set, and after
            {
            settle
        } cycles of settling (in the last of which `convert` is high) the scanner waits for `adc_done`, from the
            next cycle on. In the cycle after it `valid` is high for one cycle with the value in `sample` and its
            number in
            `sample_channel`, which stay, and `scan_end` is high too where no enabled channel follows, else the settling
            of the next enabled one begins. `enabled` counts as it stands at the moment of each choice.
            {
            "After a scan the next begins at once if `run` is high and a channel enabled, else the scanner is idle."
            if forever
            else "After a scan the scanner is idle."
        } At the end of a scan `channel` goes to the {edge} enabled one (0 if there is none).""",
        model=Machine(reset, step),
        names=("adc_sequencer", "adc_scan", "mux_scanner"),
        stimulus={"run": 0.7, "start": 0.5, "adc_done": 0.5},
        drive=drive,
        cycles=240,
    )


@family(variants=3)
def limit_alarm(r: Random, variant: int) -> Draft:
    """Watches a reading: a threshold, hysteresis, a delay, and an operator who acknowledges."""
    width = r.choice((6, 8, 10))
    full = (1 << width) - 1
    high = r.random() < 0.6
    band = r.choice((3, 5, 8))
    threshold = r.randrange(full // 2, full * 3 // 4) if high else r.randrange(full // 4, full // 2)
    release = threshold - band if high else threshold + band
    persist = r.choice((2, 3, 4))
    bits = persist.bit_length()
    over, calm = (">=", "<") if high else ("<=", ">")
    latching = r.random() < 0.6
    entered = f"""
  logic [{bits - 1}:0] count; // samples in a row beyond the threshold
  logic raised, lowered;

  assign raised = sample_valid && beyond && (count == PERSIST - 1);
  assign lowered = calm{" && (acked || ack)" if latching else ""};

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (alarm) count <= '0;
    else if (sample_valid) count <= (beyond && !raised) ? count + 1'b1 : '0;
  end

  always_ff @(posedge clk) begin
    if (rst) alarm <= 1'b0;
    else if (!alarm) alarm <= raised;
    else if (lowered) alarm <= 1'b0;
  end

  // whether the last sample was back on the good side
  always_ff @(posedge clk) begin
    if (rst) calm <= 1'b0;
    else if (!alarm) calm <= 1'b0;
    else if (sample_valid) calm <= back;
  end

  // silenced from the acknowledge to the next alarm
  always_ff @(posedge clk) begin
    if (rst) acked <= 1'b0;
    else if (!alarm || lowered) acked <= 1'b0;
    else if (ack) acked <= 1'b1;
  end

  assign horn = alarm && !acked;
"""
    in_alarm = (
        "if (ack) state_next = calm ? NORMAL : ACKED;"
        if latching
        else "if (calm) state_next = NORMAL; else if (ack) state_next = ACKED;"
    )
    machine = f"""
  typedef enum logic [1:0] {{NORMAL, SUSPECT, ALARM, ACKED}} state_t;
  state_t state, state_next;
  logic [{bits - 1}:0] count;

  always_comb begin
    state_next = state;
    case (state)
      NORMAL: if (sample_valid && beyond) state_next = SUSPECT;
      SUSPECT: if (sample_valid) begin
        if (!beyond) state_next = NORMAL;
        else if (count == PERSIST - 1) state_next = ALARM;
      end
      ALARM: begin
        {in_alarm}
      end
      default: if (calm) state_next = NORMAL;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= NORMAL;
      count <= '0;
      calm <= 1'b0;
    end else begin
      state <= state_next;
      if (state == NORMAL) count <= 1;
      else if (sample_valid) count <= count + 1'b1;
      if (!alarm) calm <= 1'b0;
      else if (sample_valid) calm <= back;
    end
  end

  assign alarm = (state == ALARM) || (state == ACKED);
  assign horn = (state == ALARM);
"""
    shifted = f"""
  logic [PERSIST-2:0] history; // of the samples before this one: which were beyond
  logic lowered;

  assign lowered = calm{" && (ack || acked)" if latching else ""};
  assign horn = alarm & ~acked;

  always_ff @(posedge clk) begin
    if (rst) begin
      history <= '0;
      alarm <= 1'b0;
      acked <= 1'b0;
      calm <= 1'b0;
    end else if (alarm) begin
      history <= '0;
      if (sample_valid) calm <= back;
      if (ack) acked <= 1'b1;
      if (lowered) begin
        alarm <= 1'b0;
        acked <= 1'b0;
      end
    end else begin
      calm <= 1'b0;
      acked <= 1'b0;
      if (sample_valid) begin
        history <= {{history, beyond}};
        if (beyond && (&history)) alarm <= 1'b1;
      end
    end
  end
"""
    body = (entered, machine, shifted)[variant]
    acked = "" if variant == 1 else "  logic acked;\n"

    def reset(s: State) -> None:
        s.alarm = s.count = s.calm = s.acked = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"alarm": s.alarm, "horn": int(s.alarm and not s.acked)}
        beyond = i.sample >= threshold if high else i.sample <= threshold
        back = i.sample < release if high else i.sample > release
        if not s.alarm:
            if i.sample_valid:
                s.count = s.count + 1 if beyond else 0
                if s.count == persist:
                    s.alarm, s.count, s.calm, s.acked = 1, 0, 0, 0
        else:
            s.acked |= i.ack
            if s.calm and (s.acked or not latching):
                s.alarm = s.acked = 0
            if i.sample_valid:
                s.calm = int(back)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "near") or r.random() < 0.25:
            s.near = r.choice((threshold, release, threshold, release, full if high else 0, 0 if high else full))
        return {"sample": max(0, min(full, s.near + r.choice((-1, 0, 0, 1))))}

    side = "above" if high else "below"
    return Draft(
        rtl=f"""
module limit_alarm #(
  parameter int WIDTH = {width},
  parameter int THRESHOLD = {threshold},
  parameter int RELEASE = {release}, // the alarm does not end before this
  parameter int PERSIST = {persist}
) (
  input logic clk,
  input logic rst,
  input logic sample_valid,
  input logic [WIDTH-1:0] sample,
  input logic ack, // the operator has noticed
  output logic alarm,
  output logic horn
);
  logic beyond, back, calm;
{acked}
  assign beyond = (sample {over} THRESHOLD);
  assign back = (sample {calm} RELEASE);
  {body}
endmodule
""",
        about=f"""Alarm for a reading that is too {"high" if high else "low"}; `sample` counts in cycles with
            `sample_valid`. {persist} samples in a row that are {threshold} or {
            side
        } raise the `alarm`, from the next cycle
            on, and the `horn` with it. `ack` during the alarm silences the horn from the next cycle on. A register
            remembers whether the last sample during the alarm was {"below" if high else "above"} {
            release
        } (it says no when
            an alarm begins); {
            "when it says yes and the alarm has been acknowledged, before or in this very cycle, the alarm ends"
            if latching
            else "when it says yes the alarm ends, acknowledged or not,"
        } with the next edge. Samples during an alarm do not count towards the next one.""",
        model=Machine(reset, step),
        names=("threshold_alarm", "alarm_unit", "level_alarm"),
        stimulus={"sample_valid": 0.7, "ack": 0.08},
        drive=drive,
        cycles=300,
    )
