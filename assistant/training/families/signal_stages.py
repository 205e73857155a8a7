"""What is done to sampled signals: filters with feedback, mixers, estimates of size, phase and crossings."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import saturated, to_bits, to_signed


@family(variants=3)
def biquad_section(r: Random, variant: int) -> Draft:
    """A second-order filter with feedback, in fixed point."""
    width, fraction = r.choice((8, 10, 12)), 6
    b0, b1, b2, a1, a2 = r.choice(
        (
            (4, 9, 4, -84, 38),
            (50, -99, 50, -97, 38),
            (13, 0, -13, -73, 38),
            (7, 13, 7, -61, 24),
            (51, -78, 51, -78, 38),
            (22, 0, -22, 20, 25),
        )
    )
    total = width + 12
    high, low = (1 << (width - 1)) - 1, -(1 << (width - 1))
    limited = f"(whole > {high}) ? {high} : (whole < {low}) ? {low} : whole[WIDTH-1:0]"
    body = (
        f"""
  // direct form I: two old inputs, two old outputs
  logic signed [WIDTH-1:0] x_1, x_2, y_1, y_2;

  assign total = B0 * sample + B1 * x_1 + B2 * x_2 - A1 * y_1 - A2 * y_2;
  assign whole = total >>> FRACTION;
  assign y_0 = {limited};

  always_ff @(posedge clk) begin
    if (rst) begin
      x_1 <= '0;
      x_2 <= '0;
      y_1 <= '0;
      y_2 <= '0;
    end else if (clear) begin
      x_1 <= '0;
      x_2 <= '0;
      y_1 <= '0;
      y_2 <= '0;
    end else if (valid) begin
      x_2 <= x_1;
      x_1 <= sample;
      y_2 <= y_1;
      y_1 <= y_0;
    end
  end

  assign result = y_1;
""",
        f"""
  logic signed [WIDTH-1:0] x [0:1]; // the last input first
  logic signed [WIDTH-1:0] y [0:1];
  logic signed [TOTAL-1:0] forward, back;

  always_comb begin
    forward = B0 * sample;
    forward = forward + B1 * x[0];
    forward = forward + B2 * x[1];
    back = A1 * y[0];
    back = back + A2 * y[1];
    total = forward - back;
  end

  assign whole = $signed(total[TOTAL-1:FRACTION]);

  always_comb begin
    y_0 = whole[WIDTH-1:0];
    if (whole > {high}) y_0 = {high};
    else if (whole < {low}) y_0 = {low};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < 2; i++) begin
        x[i] <= '0;
        y[i] <= '0;
      end
    end else if (valid || clear) begin
      x[0] <= clear ? 0 : sample;
      x[1] <= clear ? 0 : x[0];
      y[0] <= clear ? 0 : y_0;
      y[1] <= clear ? 0 : y[0];
    end
  end

  assign result = y[0];
""",
        f"""
  // transposed: what is known of the next two sums waits in two registers
  logic signed [TOTAL-1:0] wait_1, wait_2;

  assign total = B0 * sample + wait_1;
  assign whole = total >>> FRACTION;
  assign y_0 = {limited};

  always_ff @(posedge clk) begin
    if (rst) begin
      {{wait_1, wait_2}} <= '0;
      result <= '0;
    end else begin
      if (clear) begin
        {{wait_1, wait_2}} <= '0;
        result <= '0;
      end else if (valid) begin
        wait_1 <= wait_2 + B1 * sample - A1 * y_0;
        wait_2 <= B2 * sample - A2 * y_0;
        result <= y_0;
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.x, s.y = [0, 0], [0, 0]

    def step(s: State, i: Pins) -> Outputs:
        out = {"result": to_bits(s.y[0], width)}
        if i.clear:
            reset(s)
        elif i.valid:
            x = to_signed(i.sample, width)
            y = b0 * x + b1 * s.x[0] + b2 * s.x[1] - a1 * s.y[0] - a2 * s.y[1] >> fraction
            s.x, s.y = [x, s.x[0]], [saturated(y, width, signed=True), s.y[0]]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.1 or not hasattr(s, "drift"):
            s.drift = r.choice((0, high, low, high // 3))
        value = s.drift + r.randint(low, high) // r.choice((2, 8))
        return {"sample": to_bits(saturated(value, width, signed=True), width)}

    constants = "\n".join(
        f"  localparam logic signed [8:0] {name} = {value};"
        for name, value in (("B0", b0), ("B1", b1), ("B2", b2), ("A1", a1), ("A2", a2))
    )
    return Draft(
        rtl=f"""
module biquad_section #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic clear,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  output logic signed [WIDTH-1:0] result
);
  localparam int FRACTION = {fraction};
  localparam int TOTAL = {total};
{constants}
  logic signed [TOTAL-1:0] total;
  logic signed [TOTAL-FRACTION-1:0] whole; // without the fraction of the coefficients
  logic signed [WIDTH-1:0] y_0;
  {body}
endmodule
""",
        about=f"""Biquad filter for signed {width}-bit samples, with coefficients of {fraction} fractional bits. With
            each `valid` the new output is {b0} x0 + {b1} x1 + {b2} x2 - ({a1}) y1 - ({a2}) y2, shifted right
            by {fraction} (rounded down) and limited to {low} to {high}; x0 is `sample`, x1 and x2 the two before it,
            y1 and y2 the last two outputs, limited as they were. `result` shows the newest output from the next cycle
            on. `clear` zeroes all that is remembered, and has priority.""",
        model=Machine(reset, step),
        names=("biquad", "iir2", "second_order_section"),
        stimulus={"valid": 0.88, "clear": 0.02},
        drive=drive,
        cycles=180,
    )


@family(variants=3)
def magnitude_estimator(r: Random, variant: int) -> Draft:
    """The length of a vector without a root: the larger part and some of the smaller one."""
    width = r.choice((8, 10, 12))
    kind = r.choice(("half", "three eighths", "quarter", "better of two"))
    piped = r.random() < 0.5
    share = {
        "half": "(lesser >> 1)",
        "three eighths": "(lesser >> 2) + (lesser >> 3)",
        "quarter": "(lesser >> 2)",
        "better of two": "",
    }[kind]

    def estimate(larger: int, lesser: int) -> int:
        match kind:
            case "half":
                return larger + (lesser >> 1)
            case "three eighths":
                return larger + (lesser >> 2) + (lesser >> 3)
            case "quarter":
                return larger + (lesser >> 2)
        return max(larger + (lesser >> 3), larger - (larger >> 3) + (lesser >> 1))

    two = kind == "better of two"
    sums = {
        0: f"""
  assign sum = larger + {share};
""",
        1: f"""
  always_comb begin
    sum = larger;
    sum = sum + {share};
  end
""",
        2: f"""
  assign sum = {{1'b0, larger}} + {{1'b0, {share}}};
""",
    }
    both = {
        0: """
  logic [WIDTH:0] flat, steep; // near an axis, and near the diagonal

  assign flat = larger + (lesser >> 3);
  assign steep = larger - (larger >> 3) + (lesser >> 1);
  assign sum = (flat > steep) ? flat : steep;
""",
        1: """
  logic [WIDTH:0] flat, steep;

  // of two estimates the larger one is nearer
  always_comb begin
    flat = larger + (lesser >> 3);
    steep = larger + (lesser >> 1) - (larger >> 3);
    sum = steep;
    if (flat >= steep) sum = flat;
  end
""",
        2: """
  logic signed [WIDTH+1:0] advantage; // of the estimate for flat vectors

  assign advantage = $signed({2'b00, larger >> 3}) + $signed({2'b00, lesser >> 3}) - $signed({2'b00, lesser >> 1});
  assign sum = (advantage > 0) ? larger + (lesser >> 3) : larger - (larger >> 3) + (lesser >> 1);
""",
    }
    body = (
        """
  assign size_x = (in_x < 0) ? -in_x : in_x;
  assign size_y = (in_y < 0) ? -in_y : in_y;
  assign larger = (a_x > a_y) ? a_x : a_y;
  assign lesser = (a_x > a_y) ? a_y : a_x;
""",
        """
  // absolute values; that of the lowest number fits, without a sign
  always_comb begin
    size_x = in_x;
    size_y = in_y;
    if (in_x[WIDTH-1]) size_x = ~in_x + 1'b1;
    if (in_y[WIDTH-1]) size_y = ~in_y + 1'b1;
  end

  always_comb begin
    if (a_y > a_x) begin
      larger = a_y;
      lesser = a_x;
    end else begin
      larger = a_x;
      lesser = a_y;
    end
  end
""",
        """
  logic x_wins;

  function automatic logic [WIDTH-1:0] size(input logic signed [WIDTH-1:0] number);
    size = (number ^ {WIDTH{number[WIDTH-1]}}) + number[WIDTH-1];
  endfunction

  assign size_x = size(in_x);
  assign size_y = size(in_y);
  assign x_wins = (a_x >= a_y);
  assign {larger, lesser} = x_wins ? {a_x, a_y} : {a_y, a_x};
""",
    )[variant] + (both if two else sums)[variant]
    staged = (
        """
  // first stage: the absolute values
  always_ff @(posedge clk) begin
    if (rst) begin
      a_x <= '0;
      a_y <= '0;
      stage_valid <= 1'b0;
    end else begin
      stage_valid <= valid;
      if (valid) begin
        a_x <= size_x;
        a_y <= size_y;
      end
    end
  end
"""
        if piped
        else """
  assign a_x = size_x;
  assign a_y = size_y;
  assign stage_valid = valid;
"""
    )

    def reset(s: State) -> None:
        s.stage, s.out, s.valid = None, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"length": s.out, "out_valid": s.valid}
        sizes = sorted((abs(to_signed(i.in_x, width)), abs(to_signed(i.in_y, width)))) if i.valid else None
        ready = s.stage if piped else sizes
        s.stage = sizes
        s.valid = int(ready is not None)
        if ready:
            s.out = estimate(ready[1], ready[0])
        return out

    text = {
        "half": "half of the smaller",
        "three eighths": "a quarter and an eighth of the smaller, each rounded down",
        "quarter": "a quarter of the smaller",
        "better of two": "",
    }[kind]
    formula = (
        "the larger of two values: L plus S/8, and L minus L/8 plus S/2, where L is the larger absolute value, S the"
        " smaller one, and each fraction is rounded down"
        if two
        else f"the larger of the two absolute values plus {text}, fractions rounded down"
    )
    return Draft(
        rtl=f"""
module magnitude_estimator #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] in_x,
  input logic signed [WIDTH-1:0] in_y,
  output logic out_valid,
  output logic [WIDTH:0] length
);
  logic [WIDTH-1:0] size_x, size_y, a_x, a_y, larger, lesser;
  logic [WIDTH:0] sum;
  logic stage_valid;
  {staged}{body}
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      length <= '0;
    end else begin
      out_valid <= stage_valid;
      if (stage_valid) length <= sum;
    end
  end
endmodule
""",
        about=f"""Estimates the length of the vector `in_x`, `in_y` (signed, {width} bits) as {formula}. `length`
            follows `valid` after {"two cycles" if piped else "one cycle"}, with `out_valid`, and stays until the
            next.""",
        model=Machine(reset, step),
        names=("alpha_max_beta_min", "mag_approx", "vector_length"),
        stimulus={
            "valid": 0.85,
            "in_x": lambda r: r.choice((r.getrandbits(width), r.randrange(-9, 9), 1 << (width - 1))),
        },
        cycles=140,
    )


@family(variants=3)
def linear_interpolator(r: Random, variant: int) -> Draft:
    """Makes a faster stream of samples: each time some steps on a straight line."""
    width, log = r.choice((8, 10, 12)), r.choice((1, 2, 3))
    factor = 1 << log
    body = (
        """
  assign difference = target - from;
  assign part = difference * $signed({1'b0, phase});
  assign ready = (phase == FACTOR - 1) || !active;

  always_ff @(posedge clk) begin
    if (rst) begin
      from <= '0;
      target <= '0;
      phase <= '0;
      active <= 1'b0;
    end else if (ready) begin
      phase <= '0;
      active <= valid;
      if (valid) begin
        from <= target; // where the last line ended
        target <= sample;
      end
    end else begin
      phase <= phase + 1'b1;
    end
  end

  assign result = from + (part >>> LOG);
""",
        """
  logic signed [WIDTH+LOG:0] acc; // the place on the line, with its fraction

  assign ready = !active || (&phase);
  assign difference = target - from;

  // no multiplier: the slope is added at each step
  always_ff @(posedge clk) begin
    if (rst) begin
      from <= '0;
      target <= '0;
      acc <= '0;
      phase <= '0;
      active <= 1'b0;
    end else begin
      if (ready) begin
        active <= valid;
        phase <= '0;
        if (valid) begin
          acc <= target <<< LOG;
          from <= target;
          target <= sample;
        end
      end else begin
        acc <= acc + difference;
        phase <= phase + 1'b1;
      end
    end
  end

  assign part = acc;
  assign result = acc[WIDTH+LOG-1:LOG];
""",
        """
  logic accept, at_end;

  assign at_end = (phase == {LOG{1'b1}});
  assign ready = at_end | ~active;
  assign accept = ready & valid;
  // both ends in their shares
  assign difference = $signed({1'b0, phase});
  assign part = from * (FACTOR - difference) + target * difference;
  assign result = part[LOG +: WIDTH];

  always_ff @(posedge clk) begin
    if (rst) {from, target} <= '0;
    else if (accept) {from, target} <= {target, sample};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      active <= 1'b0;
      phase <= '0;
    end else begin
      active <= accept | (active & ~at_end);
      if (active) phase <= phase + 1'b1;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.start, s.end, s.phase, s.active = 0, 0, 0, False

    def step(s: State, i: Pins) -> Outputs:
        ready = not s.active or s.phase == factor - 1
        value = s.start + ((s.end - s.start) * s.phase >> log)
        out = {"ready": int(ready), "out_valid": int(s.active), "result": to_bits(value, width) if s.active else None}
        if ready:
            s.phase, s.active = 0, bool(i.valid)
            if i.valid:
                s.start, s.end = s.end, to_signed(i.sample, width)
        else:
            s.phase += 1
        return out

    return Draft(
        rtl=f"""
module linear_interpolator #(
  parameter int WIDTH = {width},
  parameter int LOG = {log} // of the factor
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  output logic ready, // for the next sample
  output logic out_valid,
  output logic signed [WIDTH-1:0] result
);
  localparam int FACTOR = 1 << LOG;
  logic signed [WIDTH-1:0] from, target;
  logic signed [WIDTH:0] difference;
  logic signed [WIDTH+LOG+1:0] part;
  logic [LOG-1:0] phase;
  logic active;
  {body}
  assign out_valid = active;
endmodule
""",
        about=f"""Linear interpolation by {factor}: a cycle with `valid` and `ready` takes a signed {width}-bit `sample`
            in, and in the {factor} cycles after it `out_valid` is high and `result` goes from the sample before it
            (at first 0) towards it: in cycle k, from 0 to {factor - 1}, it is the old sample plus k times the
            difference (new minus old) / {factor}, rounded down. `ready` is high in the last of these cycles and while
            nothing goes out, so that lines may follow without a gap.""",
        model=Machine(reset, step),
        names=("interpolator", "upsample_linear", "line_interpolator"),
        stimulus={"valid": 0.75},
        cycles=180,
    )


@family(variants=3)
def zero_crossing_detector(r: Random, variant: int) -> Draft:
    """Upward crossings of zero, with hysteresis, and the time between them."""
    width, bits = r.choice((6, 8, 10)), r.choice((4, 5, 6))
    band = r.choice((2, 4, 8))
    both = r.random() < 0.4
    top = (1 << bits) - 1
    when = "rise || fall" if both else "rise"
    body = (
        f"""
  // a sample within the band does not change the side
  assign rise = valid && !positive && (sample >= BAND);
  assign fall = valid && positive && (sample <= -BAND);

  always_ff @(posedge clk) begin
    if (rst) positive <= 1'b0;
    else if (rise) positive <= 1'b1;
    else if (fall) positive <= 1'b0;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      crossing <= 1'b0;
      period <= '0;
      timer <= {top};
    end else begin
      crossing <= {when};
      if ({when}) begin
        period <= timer;
        timer <= 1;
      end else if (valid && timer != {top}) begin
        timer <= timer + 1'b1;
      end
    end
  end
""",
        f"""
  logic above, below, positive_next;
  logic [BITS-1:0] timer_next;

  assign above = (sample >= BAND);
  assign below = (sample <= -BAND);

  always_comb begin
    positive_next = positive;
    if (valid && above) positive_next = 1'b1;
    if (valid && below) positive_next = 1'b0;
  end

  assign rise = positive_next && !positive;
  assign fall = !positive_next && positive;

  always_comb begin
    timer_next = timer;
    if ({when}) timer_next = 1;
    else if (valid && !(&timer)) timer_next = timer + 1'b1; // stays at its end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      positive <= 1'b0;
      timer <= {{BITS{{1'b1}}}};
      crossing <= 1'b0;
      period <= '0;
    end else begin
      positive <= positive_next;
      timer <= timer_next;
      crossing <= {when};
      if ({when}) period <= timer;
    end
  end
""",
        f"""
  typedef enum logic {{LOW, HIGH}} state_t;
  state_t state;

  assign positive = (state == HIGH);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= LOW;
      timer <= {top};
      period <= '0;
      crossing <= 1'b0;
    end else begin
      crossing <= 1'b0;
      if (valid) begin
        if (timer < {top}) timer <= timer + 1'b1;
        case (state)
          LOW: if (sample >= BAND) begin
            state <= HIGH;
            crossing <= 1'b1;
            period <= timer;
            timer <= 1; // this sample is the first of the next period
          end
          default: if (sample <= -BAND) begin
            state <= LOW;
            {
            '''crossing <= 1'b1;
            period <= timer;
            timer <= 1;'''
            if both
            else ""
        }
          end
        endcase
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.positive, s.timer, s.period, s.crossing = 0, top, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"positive": s.positive, "crossing": s.crossing, "period": s.period}
        s.crossing = 0
        if i.valid:
            value = to_signed(i.sample, width)
            now = 1 if value >= band else 0 if value <= -band else s.positive
            s.crossing = int(now > s.positive or (both and now < s.positive))
            s.positive = now
            if s.crossing:
                s.period, s.timer = s.timer, 1
            else:
                s.timer = min(top, s.timer + 1)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.slope = -getattr(s, "slope", -1)
            left = r.choice((2, 3, 5, 9)) if r.random() < 0.93 else top + 3
        s.left = left - 1
        near = (band, band - 1, band + 1, 0, -1, band + 5)
        return {"sample": to_bits(s.slope * r.choice(near), width)}

    flags = "  logic rise, fall;\n" if variant != 2 else ""
    counted = "crossing" if both else "upward crossing"
    return Draft(
        rtl=f"""
module zero_crossing_detector #(
  parameter int WIDTH = {width},
  parameter int BITS = {bits} // of the period
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  output logic positive,
  output logic crossing,
  output logic [BITS-1:0] period // in samples
);
  localparam int BAND = {band};
  logic [BITS-1:0] timer;
{flags}  {body}
endmodule
""",
        about=f"""Zero crossing detector with hysteresis for signed {width}-bit samples, which come with `valid`. A
            sample of {band} or more makes `positive` 1, one of -{band} or less makes it 0, others leave it; it starts
            at 0. `crossing` is high for one cycle, the one in which {
            "a change of `positive`" if both else "a change of `positive` to 1"
        } is seen. With it, `period` shows how many samples have come since the last {counted}, counting the one that
            crosses now but not the one that crossed then; {top} stands for {top} or more, and for the first time.
            `period` stays until the next and is 0 at first.""",
        model=Machine(reset, step),
        names=("zero_cross", "period_meter", "zcd"),
        stimulus={"valid": 0.9},
        drive=drive,
        cycles=300,
    )


@family(variants=3)
def phase_unwrapper(r: Random, variant: int) -> Draft:
    """Follows an angle around the circle: turns that are counted, not lost."""
    bits, turns = r.choice((5, 6, 8)), r.choice((3, 4, 6))
    half = 1 << (bits - 1)
    total = bits + turns
    body = (
        """
  // the short way round, as a signed number
  assign step = angle - prev;

  always_ff @(posedge clk) begin
    if (rst) begin
      unwrapped <= '0;
      prev <= '0;
    end else if (clear) begin
      unwrapped <= {{TURNS{1'b0}}, angle};
      prev <= angle;
    end else if (valid) begin
      unwrapped <= unwrapped + step;
      prev <= angle;
    end
  end

  assign wrapped = valid && !clear && ((angle < prev) ^ step[BITS-1]);
""",
        """
  logic signed [TURNS-1:0] turn;
  logic signed [BITS:0] jump; // how far the number has moved
  logic up, down;

  assign jump = {1'b0, angle} - {1'b0, prev};
  assign up = (jump < -HALF); // over the end, forwards
  assign down = (jump >= HALF);
  assign step = jump[BITS-1:0];
  assign wrapped = valid && !clear && (up || down);

  always_ff @(posedge clk) begin
    if (rst) begin
      turn <= '0;
      prev <= '0;
    end else if (clear || valid) begin
      prev <= angle;
      if (clear) turn <= '0;
      else if (up) turn <= turn + 1'b1;
      else if (down) turn <= turn - 1'b1;
    end
  end

  assign unwrapped = {turn, prev};
""",
        """
  logic [TURNS-1:0] turn, turn_next;
  logic backward;

  assign step = angle + (~prev + 1'b1);
  assign backward = step[BITS-1];

  always_comb begin
    case ({backward, angle < prev})
      2'b01: turn_next = turn + 1'b1; // forwards to a lower number
      2'b10: turn_next = turn - 1'b1; // backwards to a higher one
      default: turn_next = turn;
    endcase
  end

  assign wrapped = valid & ~clear & (turn_next != turn);

  always_ff @(posedge clk) begin
    if (rst) prev <= '0;
    else if (valid | clear) prev <= angle;
  end

  always_ff @(posedge clk) begin
    if (rst) turn <= '0;
    else if (clear) turn <= '0;
    else if (valid) turn <= turn_next;
  end

  assign unwrapped = {turn, prev};
""",
    )[variant]

    def reset(s: State) -> None:
        s.place = s.prev = 0

    def step(s: State, i: Pins) -> Outputs:
        moved = (i.angle - s.prev + half) % (2 * half) - half
        wrapped = int(bool(i.valid) and not i.clear and moved != i.angle - s.prev)
        out = {"unwrapped": to_bits(s.place, total), "wrapped": wrapped}
        if i.clear:
            s.place = s.prev = i.angle
        elif i.valid:
            s.place += moved
            s.prev = i.angle
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.1 or not hasattr(s, "speed"):
            s.speed = r.randint(-half, half - 1)
        far = r.choice((half, half - 1, -half + 1)) if r.random() < 0.1 else s.speed + r.randint(-1, 1)
        return {"angle": (s.prev + far) % (2 * half)}

    return Draft(
        rtl=f"""
module phase_unwrapper #(
  parameter int BITS = {bits}, // of the angle
  parameter int TURNS = {turns} // bits for whole turns
) (
  input logic clk,
  input logic rst,
  input logic clear, // forgets the turns
  input logic valid,
  input logic [BITS-1:0] angle,
  output logic signed [BITS+TURNS-1:0] unwrapped,
  output logic wrapped
);
  localparam int HALF = {half}; // of a turn
  logic [BITS-1:0] prev;
  logic signed [BITS-1:0] step;
  {body}
endmodule
""",
        about=f"""Phase unwrapping. `angle` is a fraction of a turn, {1 << bits} steps. With each `valid` the signed
            `unwrapped` ({total} bits, wrapping around) moves by the short way from the last angle to this one, which
            is from -{half} to {half - 1} steps (exactly half a turn counts as backwards). `wrapped` is high in the
            cycle with `valid` in which that way leads over the end of the number range, unless `clear` is high.
            `clear` makes `unwrapped` equal to `angle`, not negative, and has priority. After reset the angle and
            `unwrapped` are 0.""",
        model=Machine(reset, step),
        names=("unwrap", "turn_counter", "angle_unwrapper"),
        stimulus={"valid": 0.88, "clear": 0.03},
        drive=drive,
        cycles=220,
    )


@family(variants=3)
def quarter_rate_mixer(r: Random, variant: int) -> Draft:
    """Shifts a spectrum by a quarter of the sampling rate: sine and cosine are 0, 1 and -1 there."""
    width = r.choice((8, 10, 12))
    up = r.random() < 0.5
    mode_pin = r.random() < 0.5
    limit = r.random() < 0.5
    high, low = (1 << (width - 1)) - 1, -(1 << (width - 1))
    out_width = width if limit else width + 1
    turn = ("phase + 1'b1", "phase - 1'b1") if up else ("phase - 1'b1", "phase + 1'b1")
    port = "  input logic reverse, // the other way\n" if mode_pin else ""
    advance = f"reverse ? {turn[1]} : {turn[0]}" if mode_pin else turn[0]
    one_over = "(in_{0} == LOWEST) ? HIGHEST : -in_{0}" if limit else "-$signed({{in_{0}[WIDTH-1], in_{0}}})"
    minus_i, minus_q = one_over.format("i"), one_over.format("q")
    body = (
        """
  // one quarter of a turn after the other
  always_ff @(posedge clk) begin
    if (rst) begin
      out_i <= '0;
      out_q <= '0;
    end else if (valid) begin
      case (phase)
        2'd0: begin
          out_i <= in_i;
          out_q <= in_q;
        end
        2'd1: begin
          out_i <= minus_q;
          out_q <= in_i;
        end
        2'd2: begin
          out_i <= minus_i;
          out_q <= minus_q;
        end
        default: begin
          out_i <= in_q;
          out_q <= minus_i;
        end
      endcase
    end
  end
""",
        f"""
  logic swap, negate_i, negate_q;
  logic signed [{out_width - 1}:0] next_i, next_q;

  assign swap = phase[0];
  assign negate_i = phase[1] ^ phase[0];
  assign negate_q = phase[1];

  always_comb begin
    if (swap) begin
      next_i = negate_i ? minus_q : in_q;
      next_q = negate_q ? minus_i : in_i;
    end else begin
      next_i = negate_i ? minus_i : in_i;
      next_q = negate_q ? minus_q : in_q;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) {{out_i, out_q}} <= '0;
    else if (valid) {{out_i, out_q}} <= {{next_i, next_q}};
  end
""",
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      out_i <= '0;
    end else if (valid) begin
      if (phase == 0) out_i <= in_i;
      else if (phase == 1) out_i <= minus_q;
      else if (phase == 2) out_i <= minus_i;
      else out_i <= in_q;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      out_q <= '0;
    end else if (valid) begin
      if (phase == 0) out_q <= in_q;
      else if (phase == 1) out_q <= in_i;
      else if (phase == 2) out_q <= minus_q;
      else out_q <= minus_i;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.phase, s.out, s.valid = 0, (0, 0), 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "out_valid": s.valid,
            "out_i": to_bits(s.out[0], out_width),
            "out_q": to_bits(s.out[1], out_width),
        }
        s.valid = i.valid
        if i.valid:
            x, y = to_signed(i.in_i, width), to_signed(i.in_q, width)
            x, y = ((x, y), (-y, x), (-x, -y), (y, -x))[s.phase]
            s.out = (min(x, high), min(y, high)) if limit else (x, y)
            forward = up != bool(mode_pin and i.reverse)
            s.phase = (s.phase + (1 if forward else -1)) % 4
        return out

    constants = (
        f"""  localparam logic signed [WIDTH-1:0] LOWEST = {low};
  localparam logic signed [WIDTH-1:0] HIGHEST = {high};
"""
        if limit
        else ""
    )
    order = "1, j, -1, -j" if up else "1, -j, -1, j"
    return Draft(
        rtl=f"""
module quarter_rate_mixer #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic valid,
{port}  input logic signed [WIDTH-1:0] in_i,
  input logic signed [WIDTH-1:0] in_q,
  output logic out_valid,
  output logic signed [{out_width - 1}:0] out_i,
  output logic signed [{out_width - 1}:0] out_q
);
{constants}  logic [1:0] phase; // quarters of a turn
  logic signed [{out_width - 1}:0] minus_i, minus_q;

  assign minus_i = {minus_i};
  assign minus_q = {minus_q};

  always_ff @(posedge clk) begin
    if (rst) begin
      phase <= '0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= valid;
      if (valid) phase <= {advance};
    end
  end
  {body}
endmodule
""",
        about=f"""Mixer that moves a complex signal {
            "up" if up else "down"
        } by a quarter of the sampling rate: the samples
            `in_i` + j `in_q` (signed, {width} bits each), which come with `valid`, are multiplied by {order} in turn,
            the first after reset by 1.{
            " With `reverse` at a sample the step to the next factor goes the other way round." if mode_pin else ""
        } The product follows in the next cycle with `out_valid` and stays. {
            f"The negative of {low} is limited to {high}."
            if limit
            else "Outputs have one bit more, so nothing is lost."
        }""",
        model=Machine(reset, step),
        names=("fs4_mixer", "quarter_mixer", "fs_over_4_shift"),
        stimulus={"valid": 0.85, "reverse": 0.3},
        cycles=160,
    )


@family(variants=2)
def goertzel_resonator(r: Random, variant: int) -> Draft:
    """Looks for one tone in a block of samples."""
    width, fraction = r.choice((4, 6, 8)), 6
    block = r.choice((8, 12, 16, 20))
    factor = r.choice((118, 91, 49, 0, -49, 76, 32))
    bits = block.bit_length()
    total = width + 8
    body = (
        """
  assign product = FACTOR * state_1;
  assign state_0 = sample + (product >>> FRACTION) - state_2;
  assign last = valid && (count == BLOCK - 1);

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      state_1 <= '0;
      state_2 <= '0;
      done <= 1'b0;
      out_1 <= '0;
      out_2 <= '0;
    end else begin
      done <= last;
      if (last) begin
        // the block is over, and the next one begins with zeros
        out_1 <= state_0;
        out_2 <= state_1;
        state_1 <= '0;
        state_2 <= '0;
        count <= '0;
      end else if (valid) begin
        state_1 <= state_0;
        state_2 <= state_1;
        count <= count + 1'b1;
      end
    end
  end
""",
        f"""
  logic signed [TOTAL-1:0] state_1_next, state_2_next;
  logic [{bits - 1}:0] count_next;

  // s0 = x + c s1 - s2
  always_comb begin
    product = state_1 * FACTOR;
    state_0 = product >>> FRACTION;
    state_0 = state_0 - state_2 + sample;
  end

  assign last = valid & (count == 1);

  always_comb begin
    state_1_next = state_1;
    state_2_next = state_2;
    count_next = count;
    if (last) begin
      state_1_next = '0;
      state_2_next = '0;
      count_next = BLOCK;
    end else if (valid) begin
      state_1_next = state_0;
      state_2_next = state_1;
      count_next = count - 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= BLOCK; // samples to come
      state_1 <= '0;
      state_2 <= '0;
    end else begin
      count <= count_next;
      state_1 <= state_1_next;
      state_2 <= state_2_next;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
      {{out_1, out_2}} <= '0;
    end else begin
      done <= last;
      if (last) {{out_1, out_2}} <= {{state_0, state_1}};
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.count, s.one, s.two, s.done, s.out = 0, 0, 0, 0, (0, 0)

    def step(s: State, i: Pins) -> Outputs:
        out = {"done": s.done, "out_1": to_bits(s.out[0], total), "out_2": to_bits(s.out[1], total)}
        s.done = 0
        if i.valid:
            new = to_signed(i.sample, width) + (factor * s.one >> fraction) - s.two
            new = to_signed(new, total)
            s.count += 1
            s.one, s.two = new, s.one
            if s.count == block:
                s.done, s.out = 1, (s.one, s.two)
                s.count = s.one = s.two = 0
        return out

    return Draft(
        rtl=f"""
module goertzel_resonator #(
  parameter int WIDTH = {width},
  parameter int BLOCK = {block} // samples
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  output logic done,
  output logic signed [WIDTH+7:0] out_1,
  output logic signed [WIDTH+7:0] out_2
);
  localparam int TOTAL = WIDTH + 8;
  localparam int FRACTION = {fraction};
  localparam logic signed [8:0] FACTOR = {factor}; // twice the cosine
  logic signed [TOTAL+8:0] product;
  logic signed [TOTAL-1:0] state_0, state_1, state_2;
  logic [{bits - 1}:0] count;
  logic last; // of the block
  {body}
endmodule
""",
        about=f"""Goertzel resonator over blocks of {block} signed {width}-bit samples, which come with `valid`. Two
            states of {total} bits start each block at 0. With each sample the new state is `sample` plus
            ({factor} times the first state, shifted right arithmetically by {fraction}) minus the second state; the
            first state moves to the second, the new one to the first. After the last sample of a block `done` is high
            for one cycle, and `out_1` and `out_2` show the first and the second state, until the next block is
            over.""",
        model=Machine(reset, step),
        names=("goertzel", "tone_detector", "single_bin_dft"),
        stimulus={"valid": 0.88},
        cycles=160,
    )


@family(variants=3)
def averaging_decimator(r: Random, variant: int) -> Draft:
    """One sample of several: their mean."""
    width, log = r.choice((8, 10, 12)), r.choice((1, 2, 3))
    factor = 1 << log
    rounding = r.random() < 0.5
    resync = r.random() < 0.5
    signed = r.random() < 0.6
    sign = "signed " if signed else ""
    start = f"{factor // 2}" if rounding else "'0"
    port = "  input logic sync, // the next sample is the first of a group\n" if resync else ""
    body = (
        f"""
  assign total = acc + sample;
  assign complete = valid && (count == FACTOR - 1);

  always_ff @(posedge clk) begin
    if (rst) begin
      acc <= {start};
      count <= '0;
      out_valid <= 1'b0;
      mean <= '0;
    end else begin
      out_valid <= complete;
      if (complete) mean <= total[WIDTH+LOG-1:LOG];
      if (complete{" || sync" if resync else ""}) begin
        acc <= {start};
        count <= '0;
      end else if (valid) begin
        acc <= total;
        count <= count + 1'b1;
      end
    end
  end
""",
        f"""
  logic {sign}[WIDTH+LOG-1:0] acc_next;
  logic first; // of a group

  assign first = (count == 0);
  assign complete = valid & (&count);
  assign total = (first ? {factor // 2 if rounding else 0} : acc) + sample;

  always_comb begin
    acc_next = acc;
    if (valid) acc_next = total;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      acc <= '0;
    end else begin
      acc <= acc_next;
      if (valid) count <= count + 1'b1; // wraps around with the group
      {"if (sync) count <= '0;" if resync else ""}
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      mean <= '0;
    end else begin
      out_valid <= complete;
      if (complete) mean <= total {">>>" if signed else ">>"} LOG;
    end
  end
""",
        f"""
  logic [FACTOR-1:0] place; // one hot

  assign complete = place[FACTOR-1] && valid;
  assign total = acc + sample;

  always_ff @(posedge clk) begin
    if (rst) place <= 1;
{"    else if (sync) place <= 1;" if resync else ""}
    else if (valid) place <= {{place[FACTOR-2:0], place[FACTOR-1]}};
  end

  always_ff @(posedge clk) begin
    if (rst) acc <= {start};
    else if ({"sync || " if resync else ""}complete) acc <= {start};
    else if (valid) acc <= total;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      mean <= '0;
    end else if (complete) begin
      out_valid <= 1'b1;
      mean <= total[LOG +: WIDTH];
    end else begin
      out_valid <= 1'b0;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.group, s.valid, s.mean = [], 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "mean": to_bits(s.mean, width)}
        s.valid = 0
        if i.valid:
            s.group.append(to_signed(i.sample, width) if signed else i.sample)
            if len(s.group) == factor:
                s.mean = sum(s.group) + (factor // 2 if rounding else 0) >> log
                s.valid, s.group = 1, []
        if resync and i.sync:
            s.group = []
        return out

    declared = "" if variant == 2 else "  logic [LOG-1:0] count;\n"
    return Draft(
        rtl=f"""
module averaging_decimator #(
  parameter int WIDTH = {width},
  parameter int LOG = {log}
) (
  input logic clk,
  input logic rst,
  input logic valid,
{port}  input logic {sign}[WIDTH-1:0] sample,
  output logic out_valid,
  output logic {sign}[WIDTH-1:0] mean
);
  localparam int FACTOR = 1 << LOG;
  logic {sign}[WIDTH+LOG-1:0] acc, total;
{declared}  logic complete; // with this sample
  {body}
endmodule
""",
        about=f"""Decimation by {factor} with averaging: of each {factor} {"signed" if signed else "unsigned"} {
            width
        }-bit
            samples, which come with `valid`, `mean` shows the sum divided by {factor}, {
            "rounded to the nearest, a half upwards" if rounding else "rounded down"
        }, in the cycle after the last of them, with `out_valid` for one cycle. It stays until the next.{
            " `sync` drops what has been collected, the sample in the same cycle included; a group that this sample"
            " completes still goes out."
            if resync
            else ""
        }""",
        model=Machine(reset, step),
        names=("decimate_average", "integrate_and_dump", "downsample_mean"),
        stimulus={"valid": 0.85, "sync": 0.06},
        cycles=200,
    )


@family(variants=3)
def polyphase_commutator(r: Random, variant: int) -> Draft:
    """Hands samples to the branches of a filter bank in turn, and gives the whole round out at once."""
    width, branches = r.choice((4, 6, 8)), r.choice((2, 3, 4, 5))
    clockwise = r.random() < 0.4
    bits = (branches - 1).bit_length()
    turned = "{turn[BRANCHES-2:0], turn[BRANCHES-1]}" if clockwise else "{turn[0], turn[BRANCHES-1:1]}"
    first, last = (0, branches - 1) if clockwise else (branches - 1, 0)
    onward = "+" if clockwise else "-"
    pieces = [f"held[{k}]" for k in range(branches)]
    pieces[last] = "sample"
    packed = "{" + ", ".join(reversed(pieces)) + "}"
    body = (
        f"""
  logic [WIDTH-1:0] held [0:BRANCHES-1];

  always_ff @(posedge clk) begin
    if (rst) begin
      branch <= FIRST;
      out_valid <= 1'b0;
      outputs <= '0;
      for (int i = 0; i < BRANCHES; i++) begin
        held[i] <= '0;
      end
    end else begin
      out_valid <= 1'b0;
      if (sync) begin
        branch <= FIRST; // the round begins again
      end else if (valid) begin
        held[branch] <= sample;
        if (branch == LAST) begin
          branch <= FIRST;
          outputs <= {packed};
          out_valid <= 1'b1;
        end else begin
          branch <= branch {onward} 1'b1;
        end
      end
    end
  end
""",
        f"""
  logic [BRANCHES*WIDTH-1:0] held, held_next;
  logic complete;

  assign complete = valid && !sync && (branch == LAST);

  // the sample goes to the branch whose turn it is
  always_comb begin
    held_next = held;
    if (valid) held_next[branch*WIDTH +: WIDTH] = sample;
  end

  always_ff @(posedge clk) begin
    if (rst) branch <= FIRST;
    else if (sync || complete) branch <= FIRST;
    else if (valid) branch <= branch {onward} 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      held <= '0;
      outputs <= '0;
      out_valid <= 1'b0;
    end else begin
      held <= held_next;
      out_valid <= complete;
      if (complete) outputs <= held_next;
    end
  end
""",
        f"""
  logic [BRANCHES-1:0] turn; // one hot

  always_ff @(posedge clk) begin
    if (rst) turn <= 1 << FIRST;
    else if (sync) turn <= 1 << FIRST;
    else if (valid) turn <= {turned};
  end

  always_comb begin
    branch = '0;
    for (int i = 0; i < BRANCHES; i++) begin
      if (turn[i]) branch = i;
    end
  end

  for (genvar k = 0; k < BRANCHES; k++) begin : gen_branch
    logic [WIDTH-1:0] held;

    always_ff @(posedge clk) begin
      if (rst) held <= '0;
      else if (valid && turn[k]) held <= sample;
    end

    // all branches change together
    always_ff @(posedge clk) begin
      if (rst) outputs[k*WIDTH +: WIDTH] <= '0;
      else if (valid && turn[LAST] && !sync) outputs[k*WIDTH +: WIDTH] <= (k == LAST) ? sample : held;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) out_valid <= 1'b0;
    else out_valid <= valid & turn[LAST] & ~sync;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.round, s.valid, s.outputs = [], 0, 0

    def step(s: State, i: Pins) -> Outputs:
        place = len(s.round)
        branch = place if clockwise else branches - 1 - place
        out = {"branch": branch, "out_valid": s.valid, "outputs": s.outputs}
        s.valid = 0
        if i.sync:
            s.round = []
        elif i.valid:
            s.round.append(i.sample)
            if len(s.round) == branches:
                ordered = s.round if clockwise else s.round[::-1]
                s.outputs = sum(one << (k * width) for k, one in enumerate(ordered))
                s.valid, s.round = 1, []
        return out

    way = "upwards" if clockwise else "downwards"
    return Draft(
        rtl=f"""
module polyphase_commutator #(
  parameter int WIDTH = {width},
  parameter int BRANCHES = {branches}
) (
  input logic clk,
  input logic rst,
  input logic sync,
  input logic valid,
  input logic [WIDTH-1:0] sample,
  output logic [{bits - 1}:0] branch, // whose turn it is
  output logic out_valid,
  output logic [BRANCHES*WIDTH-1:0] outputs // branch 0 lowest
);
  localparam int FIRST = {first};
  localparam int LAST = {last};
  {body}
endmodule
""",
        about=f"""Commutator in front of a polyphase filter with {branches} branches. Samples of {width} bits, which
            come with `valid`, go to the branches in turn, {way} from branch {first} to branch {last}; `branch` shows
            whose turn it is. With the last one, all {branches} samples of the round go to `outputs` (branch k in the
            k-th {width} bits from below), from the next cycle on, and `out_valid` is high for one cycle. `sync` drops
            the round so far, and a sample in the same cycle: branch {first} comes next.""",
        model=Machine(reset, step),
        names=("commutator", "polyphase_input", "branch_distributor"),
        stimulus={"valid": 0.85, "sync": 0.05},
        cycles=160,
    )
