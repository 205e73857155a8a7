"""What measures and makes time: pulse widths, watchdogs, rates."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=2)
def pwm_generator(r: Random, variant: int) -> Draft:
    """A duty cycle that changes only between periods."""
    bits = r.choice((3, 4, 5))
    top = (1 << bits) - 1
    centre = r.random() < 0.3
    out = (
        """
  assign pwm = (count < duty_reg);
""",
        """
  always_comb begin
    pwm = 1'b0;
    if (count < duty_reg) pwm = 1'b1;
  end
""",
    )[variant]
    last = top - 1 if not centre else top

    def reset(s: State) -> None:
        s.count = s.duty = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"pwm": int(s.count < s.duty), "period_start": int(s.count == 0)}
        if i.en:
            if s.count == last:
                s.count, s.duty = 0, i.duty
            else:
                s.count += 1
        return out

    return Draft(
        rtl=f"""
module pwm_generator #(
  parameter int WIDTH = {bits},
  parameter int LAST = {last}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic [WIDTH-1:0] duty,
  output logic pwm,
  output logic period_start
);
  logic [WIDTH-1:0] count, duty_reg;

  // a new duty waits for the end of the period, so that no pulse is cut
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      duty_reg <= '0;
    end else if (en) begin
      if (count == LAST) begin
        count <= '0;
        duty_reg <= duty;
      end else begin
        count <= count + 1'b1;
      end
    end
  end

  assign period_start = (count == '0);
{out}endmodule
""",
        about=(
            f"Pulse width modulation with periods of {last + 1} enabled cycles: `pwm` is high for the first `duty` of"
            " them. `duty` is taken over at the end of a period. `period_start` marks the first cycle."
        ),
        model=Machine(reset, step),
        names=("pwm", "pulse_modulator", "dimmer"),
        stimulus={"en": 0.9},
        cycles=160,
    )


@family(variants=2, held_out=True)
def watchdog_timer(r: Random, variant: int) -> Draft:
    """Barks when nobody kicks it, and bites when it barked in vain."""
    limit = r.choice((5, 8, 12))
    grace = r.choice((1, 2, 3))
    bits = limit.bit_length()
    body = (
        """
    end else if (!en || kick) begin
      count <= '0;
      warning <= 1'b0;
      expired <= 1'b0;
    end else if (!expired) begin
      count <= count + 1'b1;
      if (count == LIMIT - GRACE - 1) warning <= 1'b1;
      if (count == LIMIT - 1) expired <= 1'b1;
    end""",
        """
    end else begin
      if (!en || kick) begin
        count <= '0;
        warning <= 1'b0;
        expired <= 1'b0;
      end else if (!expired) begin
        count <= count + 1'b1;
        warning <= warning || (count >= LIMIT - GRACE - 1);
        expired <= (count == LIMIT - 1);
      end
    end""",
    )[variant]

    def reset(s: State) -> None:
        s.count = s.warning = s.expired = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"warning": s.warning, "expired": s.expired}
        if not i.en or i.kick:
            s.count = s.warning = s.expired = 0
        elif not s.expired:
            s.warning |= int(s.count == limit - grace - 1)
            s.expired = int(s.count == limit - 1)
            s.count += 1
        return out

    return Draft(
        rtl=f"""
module watchdog_timer #(
  parameter int LIMIT = {limit},
  parameter int GRACE = {grace}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic kick,
  output logic warning,
  output logic expired
);
  logic [{bits}:0] count;

  // it stays expired until it is kicked or switched off
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      warning <= 1'b0;
      expired <= 1'b0;{body}
  end
endmodule
""",
        about=(
            f"A watchdog: {limit} cycles of `en` without a `kick` set `expired`, {grace} cycles before that `warning`"
            " is set. A kick, or `en` low, clears both and starts it again."
        ),
        model=Machine(reset, step),
        names=("wdt", "watchdog", "deadman_timer"),
        stimulus={"en": 0.97, "kick": lambda r: int(r.random() < 0.12)},
        cycles=200,
    )


@family(variants=2, held_out=True)
def fractional_baud(r: Random, variant: int) -> Draft:
    """A rate that is no whole fraction of the clock."""
    bits = r.choice((4, 5, 6))
    total = (
        """
  assign {tick, phase_next} = phase + step;
""",
        """
  logic [WIDTH:0] sum;

  assign sum = {1'b0, phase} + {1'b0, step};
  assign tick = en & sum[WIDTH];
  assign phase_next = sum[WIDTH-1:0];
""",
    )[variant]
    if variant == 0:
        total = """
  logic carry;

  assign {carry, phase_next} = {1'b0, phase} + {1'b0, step};
  assign tick = carry && en;
"""

    def reset(s: State) -> None:
        s.phase = 0

    def step(s: State, i: Pins) -> Outputs:
        total = s.phase + i.step
        out = {"tick": int(i.en and total >> bits)}
        if i.en:
            s.phase = total & ((1 << bits) - 1)
        return out

    return Draft(
        rtl=f"""
module fractional_baud #(
  parameter int WIDTH = {bits}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic [WIDTH-1:0] step,
  output logic tick
);
  logic [WIDTH-1:0] phase, phase_next;
{total}
  // the phase keeps what is left over, so that the rate is right on average
  always_ff @(posedge clk) begin
    if (rst) phase <= '0;
    else if (en) phase <= phase_next;
  end
endmodule
""",
        about=(
            f"`tick` comes `step` times in {1 << bits} enabled cycles, as evenly as it can: a phase of {bits} bits"
            " grows by `step` and `tick` is its carry."
        ),
        model=Machine(reset, step),
        names=("baud_generator", "rate_generator", "phase_accumulator"),
        stimulus={"en": 0.85},
    )


@family(variants=2, held_out=True)
def event_capture(r: Random, variant: int) -> Draft:
    """Notes the time of an edge."""
    bits = r.choice((4, 6, 8))
    falling = r.random() < 0.4
    edge = "last_event && !event_in" if falling else "event_in && !last_event"
    overrun = (
        """
      if (edge_seen) begin
        stamp <= now;
        overrun <= captured && !read;
        captured <= 1'b1;
      end else if (read) begin
        captured <= 1'b0;
        overrun <= 1'b0;
      end""",
        """
      if (read) begin
        captured <= 1'b0;
        overrun <= 1'b0;
      end
      if (edge_seen) begin
        stamp <= now;
        captured <= 1'b1;
        overrun <= captured & ~read;
      end""",
    )[variant]

    def reset(s: State) -> None:
        s.now = s.last = s.stamp = s.captured = s.overrun = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"stamp": s.stamp, "captured": s.captured, "overrun": s.overrun}
        seen = (s.last and not i.event_in) if falling else (i.event_in and not s.last)
        if seen:
            s.stamp = s.now
            s.overrun, s.captured = int(s.captured and not i.read), 1
        elif i.read:
            s.captured = s.overrun = 0
        s.now = (s.now + 1) & ((1 << bits) - 1)
        s.last = i.event_in
        return out

    return Draft(
        rtl=f"""
module event_capture #(
  parameter int WIDTH = {bits}
) (
  input logic clk,
  input logic rst,
  input logic event_in,
  input logic read,
  output logic [WIDTH-1:0] stamp,
  output logic captured,
  output logic overrun
);
  logic [WIDTH-1:0] now;
  logic last_event, edge_seen;

  assign edge_seen = {edge};

  // an edge that comes before the one before was read overruns it
  always_ff @(posedge clk) begin
    if (rst) begin
      now <= '0;
      last_event <= 1'b0;
      stamp <= '0;
      captured <= 1'b0;
      overrun <= 1'b0;
    end else begin
      now <= now + 1'b1;
      last_event <= event_in;{overrun}
    end
  end
endmodule
""",
        about=(
            f"Counts cycles in {bits} bits and keeps in `stamp` the count at the last"
            f" {'falling' if falling else 'rising'} edge of `event_in`. `captured` says that there was one since the"
            " last `read`, `overrun` that there were two."
        ),
        model=Machine(reset, step),
        names=("input_capture", "timestamp_unit", "edge_timer"),
        stimulus={"event_in": 0.4, "read": 0.25},
        cycles=140,
    )


@family(variants=2, held_out=True)
def lap_stopwatch(r: Random, variant: int) -> Draft:
    """Runs, stops, and keeps a lap on show."""
    tenths = r.choice((4, 5, 10))
    top = r.choice((6, 10))
    toggle = ("if (start_stop) running <= !running;", "running <= running ^ start_stop;")[variant]

    def reset(s: State) -> None:
        s.running = s.low = s.high = s.frozen = s.lap_low = s.lap_high = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "low": s.lap_low if s.frozen else s.low,
            "high": s.lap_high if s.frozen else s.high,
            "running": s.running,
        }
        if i.lap:
            s.frozen ^= 1
            if s.frozen:
                s.lap_low, s.lap_high = s.low, s.high
        if i.clear and not s.running:
            s.low = s.high = 0
        elif s.running:
            s.low = (s.low + 1) % tenths
            if s.low == 0:
                s.high = (s.high + 1) % top
        s.running ^= i.start_stop
        return out

    return Draft(
        rtl=f"""
module lap_stopwatch #(
  parameter int LOW_TOP = {tenths - 1},
  parameter int HIGH_TOP = {top - 1}
) (
  input logic clk,
  input logic rst,
  input logic start_stop,
  input logic lap,
  input logic clear,
  output logic [3:0] low,
  output logic [3:0] high,
  output logic running
);
  logic [3:0] low_count, high_count, lap_low, lap_high;
  logic frozen;

  always_ff @(posedge clk) begin
    if (rst) running <= 1'b0;
    else {toggle}
  end

  // the lower digit carries into the higher one; only a watch that stands can be cleared
  always_ff @(posedge clk) begin
    if (rst) begin
      low_count <= '0;
      high_count <= '0;
    end else if (clear && !running) begin
      low_count <= '0;
      high_count <= '0;
    end else if (running) begin
      if (low_count == LOW_TOP) begin
        low_count <= '0;
        high_count <= (high_count == HIGH_TOP) ? '0 : high_count + 1'b1;
      end else begin
        low_count <= low_count + 1'b1;
      end
    end
  end

  // the time goes on behind a lap that is on show
  always_ff @(posedge clk) begin
    if (rst) begin
      frozen <= 1'b0;
      lap_low <= '0;
      lap_high <= '0;
    end else if (lap) begin
      frozen <= !frozen;
      if (!frozen) begin
        lap_low <= low_count;
        lap_high <= high_count;
      end
    end
  end

  assign low = frozen ? lap_low : low_count;
  assign high = frozen ? lap_high : high_count;
endmodule
""",
        about=(
            f"A stopwatch of two digits, `low` up to {tenths - 1} and `high` up to {top - 1}. `start_stop` starts and"
            " stops it, `clear` sets it to zero while it stands. `lap` keeps the present time on show while it goes"
            " on, and the next one shows the running time again."
        ),
        model=Machine(reset, step),
        names=("stopwatch", "lap_timer", "race_clock"),
        stimulus={"start_stop": 0.1, "lap": 0.12, "clear": 0.2},
        cycles=200,
    )


@family(variants=2)
def one_shot_timer(r: Random, variant: int) -> Draft:
    """Counts down once, may be triggered again."""
    bits = r.choice((3, 4, 5))
    again = r.random() < 0.5
    load = "trigger" if again else "trigger && !active"
    tail = ("assign active = (count != '0);", "assign active = |count;")[variant]

    def reset(s: State) -> None:
        s.count = s.done = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"active": int(s.count != 0), "done": s.done}
        s.done = 0
        if i.trigger and (again or s.count == 0):
            s.count = i.length
        elif s.count:
            s.done = int(s.count == 1)
            s.count -= 1
        return out

    return Draft(
        rtl=f"""
module one_shot_timer #(
  parameter int WIDTH = {bits}
) (
  input logic clk,
  input logic rst,
  input logic trigger,
  input logic [WIDTH-1:0] length,
  output logic active,
  output logic done
);
  logic [WIDTH-1:0] count;

  {tail}

  // {"a trigger starts it again while it runs" if again else "while it runs, triggers do nothing"}
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      if ({load}) begin
        count <= length;
      end else if (active) begin
        count <= count - 1'b1;
        done <= (count == 1);
      end
    end
  end
endmodule
""",
        about=(
            "`trigger` makes `active` high for `length` cycles; `done` shows for one cycle that they are over."
            f" {'A trigger while it runs starts it again.' if again else 'A trigger while it runs does nothing.'}"
        ),
        model=Machine(reset, step),
        names=("monostable", "countdown_timer", "timeout"),
        stimulus={"trigger": 0.2, "length": lambda r: r.choice((0, 1, 2, 3, 5))},
        cycles=140,
    )
