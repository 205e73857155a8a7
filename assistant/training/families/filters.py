"""Filters and generators of signals."""

from __future__ import annotations

from math import pi, sin
from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits, to_signed


@family(variants=3)
def fir_filter(r: Random, variant: int) -> Draft:
    """A filter with a few constant taps."""
    width = r.choice((8, 10))
    taps = r.choice(([1, 2, 1], [1, 3, 3, 1], [-1, 4, 10, 4, -1], [1, 2, 4, 2, 1], [-2, 5, 12, 5, -2], [3, -1, 2, 5]))
    count = len(taps)
    total = width + sum(map(abs, taps)).bit_length()
    constants = "\n".join(f"  localparam logic signed [7:0] C{k} = {tap};" for k, tap in enumerate(taps))
    products = " + ".join(f"C{k} * {f'delay[{k - 1}]' if k else 'sample'}" for k in range(count))
    plain = " + ".join(f"C{k} * x_{k}" for k in range(count))
    shift = "\n".join(f"      x_{k} <= x_{k - 1};" for k in range(count - 1, 1, -1))
    chain = "\n".join(
        f"      part_{k} <= {f'part_{k + 1} + ' if k < count - 1 else ''}C{k} * sample;" for k in range(1, count)
    )
    zeros = "\n".join(f"      part_{k} <= '0;" for k in range(1, count))
    body = (
        f"""
  logic signed [WIDTH-1:0] delay [0:{count - 2}]; // the samples before this one

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < {count - 1}; i++) begin
        delay[i] <= '0;
      end
      result <= '0;
    end else if (valid) begin
      delay[0] <= sample;
      for (int i = 1; i < {count - 1}; i++) begin
        delay[i] <= delay[i-1];
      end
      result <= {products};
    end
  end
""",
        f"""
  logic signed [WIDTH-1:0] {", ".join(f"x_{k}" for k in range(count))};
  logic signed [TOTAL-1:0] sum;

  // direct form: the newest sample and those before it
  assign x_0 = sample;
  assign sum = {plain};

  always_ff @(posedge clk) begin
    if (rst) begin
{chr(10).join(f"      x_{k} <= '0;" for k in range(1, count))}
      result <= '0;
    end else if (valid) begin
{shift}
      x_1 <= x_0;
      result <= sum;
    end
  end
""",
        f"""
  // transposed form: partial sums wait for the samples to come
  logic signed [TOTAL-1:0] {", ".join(f"part_{k}" for k in range(1, count))};

  always_ff @(posedge clk) begin
    if (rst) begin
{zeros}
      result <= '0;
    end else if (valid) begin
{chain}
      result <= part_1 + C0 * sample;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.delay, s.result = [0] * (count - 1), 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"result": to_bits(s.result, total)}
        if i.valid:
            samples = [to_signed(i.sample, width), *s.delay]
            s.result = sum(tap * value for tap, value in zip(taps, samples, strict=True))
            s.delay = samples[:-1]
        return out

    return Draft(
        rtl=f"""
module fir_filter #(
  parameter int WIDTH = {width},
  parameter int TOTAL = {total}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  output logic signed [TOTAL-1:0] result
);
{constants}
  {body}
endmodule
""",
        about=f"""FIR filter with the taps {", ".join(map(str, taps))}, the first for the newest sample, for signed
        {width}-bit samples.
            Each cycle with `valid` takes a `sample` in; `result`, full width, follows in the next cycle and stays
            until the
            next sample.""",
        model=Machine(reset, step),
        names=("fir", f"fir{count}", "fir_tap_filter"),
        stimulus={"valid": 0.8},
    )


@family(variants=3)
def moving_average(r: Random, variant: int) -> Draft:
    """The mean of the last few samples, kept as a running sum."""
    width, log = r.choice((8, 10, 12)), r.choice((2, 3))
    count = 1 << log
    body = (
        """
  logic [WIDTH-1:0] window [0:COUNT-1];
  logic [LOG-1:0] oldest; // the place of the oldest sample
  logic [WIDTH+LOG-1:0] sum;

  // the newest sample comes, the oldest one goes
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < COUNT; i++) begin
        window[i] <= '0;
      end
      oldest <= '0;
      sum <= '0;
    end else if (valid) begin
      window[oldest] <= sample;
      oldest <= oldest + 1'b1;
      sum <= sum + sample - window[oldest];
    end
  end

  assign mean = sum[WIDTH+LOG-1:LOG];
""",
        """
  logic [COUNT*WIDTH-1:0] history; // the newest sample lowest
  logic [WIDTH+LOG-1:0] sum;
  logic [WIDTH-1:0] leaving;

  assign leaving = history[COUNT*WIDTH-1 -: WIDTH];
  assign mean = sum >> LOG;

  always_ff @(posedge clk) begin
    if (rst) begin
      history <= '0;
      sum <= '0;
    end else if (valid) begin
      history <= {history[(COUNT-1)*WIDTH-1:0], sample};
      sum <= sum - leaving + sample;
    end
  end
""",
        """
  logic [WIDTH-1:0] window [0:COUNT-1];
  logic [WIDTH+LOG-1:0] sum;

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < COUNT; i++) window[i] <= '0;
    end else if (valid) begin
      window[0] <= sample;
      for (int i = 1; i < COUNT; i++) window[i] <= window[i-1];
    end
  end

  // adds the whole window up every time
  always_comb begin
    sum = '0;
    for (int i = 0; i < COUNT; i++) begin
      sum = sum + window[i];
    end
  end

  assign mean = sum[LOG +: WIDTH];
""",
    )[variant]

    def reset(s: State) -> None:
        s.window = [0] * count

    def step(s: State, i: Pins) -> Outputs:
        out = {"mean": sum(s.window) >> log}
        if i.valid:
            s.window = [*s.window[1:], i.sample]
        return out

    return Draft(
        rtl=f"""
module moving_average #(
  parameter int WIDTH = {width},
  parameter int LOG = {log}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [WIDTH-1:0] sample,
  output logic [WIDTH-1:0] mean
);
  localparam int COUNT = 1 << LOG;
  {body}
endmodule
""",
        about=f"""Moving average of the last {count} unsigned {width}-bit samples, rounded down. A cycle with `valid`
        takes `sample`
            in; `mean` takes it into account from the next cycle on. After reset the window holds zeros.""",
        model=Machine(reset, step),
        names=("boxcar", "mov_avg", "running_mean"),
        stimulus={"valid": 0.8},
    )


@family(variants=3)
def leaky_integrator(r: Random, variant: int) -> Draft:
    """A first-order low-pass filter with shifts only."""
    width, shift = r.choice((8, 12)), r.choice((2, 3, 4))
    total = width + shift
    body = (
        """
  logic [WIDTH+SHIFT-1:0] state; // with the fraction

  // a part of the state leaks out, the sample comes in
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= '0;
    end else if (valid) begin
      state <= state - (state >> SHIFT) + sample;
    end
  end

  assign smooth = state[WIDTH+SHIFT-1:SHIFT];
""",
        """
  logic [WIDTH+SHIFT-1:0] state, state_next;

  assign state_next = state - state[WIDTH+SHIFT-1:SHIFT] + sample;
  assign smooth = state >> SHIFT;

  always_ff @(posedge clk) begin
    if (rst) state <= '0;
    else if (valid) state <= state_next;
  end
""",
        """
  logic [WIDTH+SHIFT-1:0] state;
  logic signed [WIDTH:0] difference; // from the smooth value to the sample

  assign smooth = state[SHIFT +: WIDTH];
  assign difference = $signed({1'b0, sample}) - $signed({1'b0, smooth});

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= '0;
    end else begin
      if (valid) state <= state + {{(SHIFT-1){difference[WIDTH]}}, difference};
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.state = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"smooth": s.state >> shift}
        if i.valid:
            s.state = (s.state - (s.state >> shift) + i.sample) & ((1 << total) - 1)
        return out

    return Draft(
        rtl=f"""
module leaky_integrator #(
  parameter int WIDTH = {width},
  parameter int SHIFT = {shift}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [WIDTH-1:0] sample,
  output logic [WIDTH-1:0] smooth
);
  {body}
endmodule
""",
        about=f"""First-order low-pass filter for unsigned {width}-bit samples. The state has {shift} bits of
        fraction; each cycle with
            `valid` takes 1/{1 << shift} of it away and adds `sample`. `smooth` is the state without its fraction.""",
        model=Machine(reset, step),
        names=("iir_lowpass", "exp_average", "low_pass"),
        stimulus={"valid": 0.8},
    )


@family(variants=2, held_out=True)
def cic_decimator(r: Random, variant: int) -> Draft:
    """Integrators, a lower rate, combs."""
    width, log = r.choice((4, 6, 8)), r.choice((2, 3))
    factor = 1 << log
    total = width + 2 * log
    body = (
        """
  // integrators at the full rate; they wrap, and the combs make up for it
  always_ff @(posedge clk) begin
    if (rst) begin
      sum_1 <= '0;
      sum_2 <= '0;
      phase <= '0;
    end else if (valid) begin
      sum_1 <= sum_1 + sample;
      sum_2 <= sum_2 + sum_1;
      phase <= phase + 1'b1;
    end
  end

  assign last = valid && (phase == FACTOR - 1);

  // combs at the lower rate
  always_ff @(posedge clk) begin
    if (rst) begin
      delay_1 <= '0;
      delay_2 <= '0;
      result <= '0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= last;
      if (last) begin
        delay_1 <= sum_2;
        delay_2 <= difference;
        result <= difference - delay_2;
      end
    end
  end

  assign difference = sum_2 - delay_1;
""",
        """
  assign last = valid & (&phase);
  assign difference = sum_2 - delay_1;

  always_ff @(posedge clk) begin
    if (rst) begin
      phase <= '0;
      out_valid <= 1'b0;
      {sum_1, sum_2} <= '0;
      {delay_1, delay_2} <= '0;
      result <= '0;
    end else begin
      out_valid <= 1'b0;
      if (valid) begin
        phase <= phase + 1'b1;
        sum_2 <= sum_2 + sum_1; // the sum before this sample
        sum_1 <= sum_1 + sample;
        if (last) begin
          result <= difference - delay_2;
          delay_2 <= difference;
          delay_1 <= sum_2;
          out_valid <= 1'b1;
        end
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.sums, s.delays, s.phase, s.result, s.valid = [0, 0], [0, 0], 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "result": to_bits(s.result, total)}
        s.valid = 0
        if i.valid:
            if s.phase == factor - 1:
                difference = s.sums[1] - s.delays[0]
                s.result, s.delays, s.valid = difference - s.delays[1], [s.sums[1], difference], 1
            s.sums = [s.sums[0] + to_signed(i.sample, width), s.sums[1] + s.sums[0]]
            s.phase = (s.phase + 1) % factor
        return out

    return Draft(
        rtl=f"""
module cic_decimator #(
  parameter int WIDTH = {width},
  parameter int LOG = {log}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  output logic out_valid,
  output logic signed [WIDTH+2*LOG-1:0] result
);
  localparam int TOTAL = WIDTH + 2 * LOG;
  localparam int FACTOR = 1 << LOG;
  logic signed [TOTAL-1:0] sum_1, sum_2, delay_1, delay_2, difference;
  logic [LOG-1:0] phase;
  logic last; // the sample that completes a group
  {body}
endmodule
""",
        about=f"""Second-order CIC decimator by {factor} for signed {width}-bit samples. Two integrators run at each
        `valid`: the second
            adds the first's sum from before this sample. At every {factor}th sample, two combs take differences of
            the second
            integrator's value from before that sample; their `result` follows in the next cycle with `out_valid`.""",
        model=Machine(reset, step),
        names=("cic2", "decimator", "cic_filter"),
        stimulus={"valid": 0.8},
    )


@family(variants=3)
def median_of_three(r: Random, variant: int) -> Draft:
    """The middle one of the last three samples."""
    width = r.choice((6, 8, 12))
    body = (
        """
  // two comparisons at most decide
  always_comb begin
    if ((newest >= middle && newest <= oldest) || (newest <= middle && newest >= oldest))
      median_next = newest;
    else if ((middle >= newest && middle <= oldest) || (middle <= newest && middle >= oldest))
      median_next = middle;
    else
      median_next = oldest;
  end
""",
        """
  logic [WIDTH-1:0] smaller, larger, lower;

  // sorts the first two, then looks where the third belongs
  assign smaller = (newest < middle) ? newest : middle;
  assign larger = (newest < middle) ? middle : newest;
  assign lower = (oldest < larger) ? oldest : larger;
  assign median_next = (smaller > lower) ? smaller : lower;
""",
        """
  logic ab, bc, ac;

  assign ab = (newest > middle);
  assign bc = (middle > oldest);
  assign ac = (newest > oldest);

  always_comb begin
    case ({ab, bc, ac})
      3'b111, 3'b000: median_next = middle;
      3'b101, 3'b010: median_next = oldest;
      default: median_next = newest;
    endcase
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.two, s.median = [0, 0], 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"median": s.median}
        if i.valid:
            s.median = sorted([i.sample, *s.two])[1]
            s.two = [i.sample, s.two[0]]
        return out

    return Draft(
        rtl=f"""
module median_of_three #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [WIDTH-1:0] sample,
  output logic [WIDTH-1:0] median
);
  logic [WIDTH-1:0] newest, middle, oldest, median_next;

  assign newest = sample;
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      middle <= '0;
      oldest <= '0;
      median <= '0;
    end else if (valid) begin
      middle <= newest;
      oldest <= middle;
      median <= median_next;
    end
  end
endmodule
""",
        about=f"""Median filter over three unsigned {width}-bit samples: after a cycle with `valid`, `median` is the
        middle value of that
            `sample` and the two before it. It starts with zeros.""",
        model=Machine(reset, step),
        names=("median3", "median_filter", "despike"),
        stimulus={"valid": 0.85, "sample": lambda r: r.choice((r.getrandbits(width), r.randrange(4)))},
    )


@family(variants=2)
def peak_hold(r: Random, variant: int) -> Draft:
    """The largest sample, which fades."""
    width, period, decay = r.choice((8, 10)), r.choice((4, 6, 8)), r.choice((1, 2, 4))
    bits = (period - 1).bit_length()
    body = (
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      peak <= '0;
      timer <= '0;
    end else if (valid) begin
      if (sample >= peak) begin
        peak <= sample;
        timer <= '0;
      end else if (timer == PERIOD - 1) begin
        peak <= (peak > DECAY) ? peak - DECAY : 0;
        timer <= '0;
      end else begin
        timer <= timer + 1'b1; // it is held
      end
    end
  end
""",
        """
  logic [WIDTH-1:0] faded, peak_next;
  logic expired, higher;

  assign higher = (sample >= peak);
  assign expired = (timer == PERIOD - 1);
  assign faded = (peak > DECAY) ? peak - DECAY : '0;

  always_comb begin
    peak_next = peak;
    if (higher) peak_next = sample;
    else if (expired) peak_next = faded;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      timer <= '0;
    end else if (valid) begin
      timer <= (higher || expired) ? '0 : timer + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) peak <= '0;
    else if (valid) peak <= peak_next;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.peak = s.timer = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"peak": s.peak}
        if i.valid:
            if i.sample >= s.peak:
                s.peak, s.timer = i.sample, 0
            elif s.timer == period - 1:
                s.peak, s.timer = max(0, s.peak - decay), 0
            else:
                s.timer += 1
        return out

    return Draft(
        rtl=f"""
module peak_hold #(
  parameter int WIDTH = {width},
  parameter int PERIOD = {period},
  parameter int DECAY = {decay}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [WIDTH-1:0] sample,
  output logic [WIDTH-1:0] peak
);
  logic [{bits - 1}:0] timer;
  {body}
endmodule
""",
        about=f"""Peak detector for unsigned {width}-bit samples. In a cycle with `valid`, a `sample` that is not
        below `peak` replaces it;
            otherwise, after every {period} samples without a new peak, `peak` falls by {decay}, not below zero.""",
        model=Machine(reset, step),
        names=("peak_detector", "envelope", "level_meter"),
        stimulus={"valid": 0.9, "sample": lambda r: r.choice((r.getrandbits(width), r.randrange(6), 0))},
        cycles=140,
    )


@family(variants=2)
def sine_generator(r: Random, variant: int) -> Draft:
    """A phase accumulator that reads a quarter of a sine from a table."""
    bits, width = r.choice((8, 10, 12)), r.choice((7, 8, 9))
    top = (1 << (width - 1)) - 1
    quarter = [round(top * sin(pi / 2 * (k + 0.5) / 16)) for k in range(16)]
    arms = "\n".join(f"      4'd{k}: magnitude = {width - 1}'d{value};" for k, value in enumerate(quarter))
    table = f"""
  // a quarter of a period
  always_comb begin
    case (index)
{arms}
      default: magnitude = '0;
    endcase
  end
"""
    body = (
        f"""
  assign index = phase[BITS-2] ? ~phase[BITS-3 -: 4] : phase[BITS-3 -: 4]; // back on the second quarter
{table}
  always_ff @(posedge clk) begin
    if (rst) begin
      phase <= '0;
      sine <= '0;
    end else if (en) begin
      phase <= phase + step;
      sine <= phase[BITS-1] ? -$signed({{1'b0, magnitude}}) : $signed({{1'b0, magnitude}});
    end
  end
""",
        f"""
  logic [1:0] quadrant;
  logic signed [WIDTH-1:0] positive;

  assign quadrant = phase[BITS-1:BITS-2];
  assign index = phase[BITS-3:BITS-6] ^ {{4{{quadrant[0]}}}}; // odd quarters run backwards
  assign positive = {{1'b0, magnitude}};
{table}
  always_ff @(posedge clk) begin
    if (rst) phase <= '0;
    else if (en) phase <= phase + step;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      sine <= '0;
    end else if (en) begin
      if (quadrant[1]) sine <= -positive; // the lower half
      else sine <= positive;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.phase = s.sine = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"sine": to_bits(s.sine, width)}
        if i.en:
            place = s.phase >> (bits - 6)
            index = place & 15 if not place & 16 else 15 - (place & 15)
            s.sine = -quarter[index] if place & 32 else quarter[index]
            s.phase = (s.phase + i.step) & ((1 << bits) - 1)
        return out

    return Draft(
        rtl=f"""
module sine_generator #(
  parameter int BITS = {bits},
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic [BITS-1:0] step,
  output logic signed [WIDTH-1:0] sine
);
  logic [BITS-1:0] phase;
  logic [3:0] index;
  logic [WIDTH-2:0] magnitude;
  {body}
endmodule
""",
        about=f"""Numerically controlled oscillator. Each cycle with `en` adds `step` to a {bits}-bit phase and puts
        the sine of the phase
            before that addition on `sine`, signed {width} bits. The top two bits of the phase are the quadrant, the
            next four
            index a table of a quarter period with the values {", ".join(map(str, quarter))}; odd quadrants read it
            backwards,
            the upper two are negative.""",
        model=Machine(reset, step),
        names=("nco", "dds", "sine_nco"),
        stimulus={"en": 0.9},
    )


@family(variants=2)
def sigma_delta_dac(r: Random, variant: int) -> Draft:
    """A stream of bits whose mean is a value."""
    width = r.choice((6, 8, 10, 12))
    body = (
        """
  logic [WIDTH:0] total;

  // the carry is the output, the rest waits
  assign total = {1'b0, error} + {1'b0, value};

  always_ff @(posedge clk) begin
    if (rst) begin
      error <= '0;
      dout <= 1'b0;
    end else begin
      error <= total[WIDTH-1:0];
      dout <= total[WIDTH];
    end
  end
""",
        """
  always_ff @(posedge clk) begin
    if (rst)
      {dout, error} <= '0;
    else
      {dout, error} <= error + value;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.error = s.dout = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.dout}
        s.dout, s.error = divmod(s.error + i.value, 1 << width)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.1 or not hasattr(s, "value"):
            s.value = r.getrandbits(width)
        return {"value": s.value}

    return Draft(
        rtl=f"""
module sigma_delta_dac #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic [WIDTH-1:0] value,
  output logic dout
);
  logic [WIDTH-1:0] error; // what has not been put out yet
  {body}
endmodule
""",
        about=f"""First-order sigma-delta modulator: `dout` is high in the share `value` / {1 << width} of the cycles.
        Each cycle adds `value`
            to a {width}-bit remainder; `dout` is the carry of that sum, one cycle later.""",
        model=Machine(reset, step),
        names=("sd_dac", "delta_sigma", "pdm_dac"),
        drive=drive,
    )


@family(variants=2)
def iterative_cordic(r: Random, variant: int) -> Draft:
    """Length and direction of a vector by rotating it onto the axis."""
    width, rounds = r.choice((8, 10)), r.choice((4, 6))
    bits = rounds.bit_length()
    inner = width + 2
    body = (
        """
  logic signed [INNER-1:0] x_shifted, y_shifted;

  assign x_shifted = x >>> count;
  assign y_shifted = y >>> count;

  // towards the axis: the sign of y says which way
  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
      count <= '0;
    end else begin
      done <= 1'b0;
      if (busy) begin
        if (y < 0) begin
          x <= x - y_shifted;
          y <= y + x_shifted;
        end else begin
          x <= x + y_shifted;
          y <= y - x_shifted;
        end
        turns <= {turns[ROUNDS-2:0], (y >= 0)};
        count <= count + 1'b1;
        if (count == ROUNDS - 1) begin
          busy <= 1'b0;
          done <= 1'b1;
        end
      end else if (start) begin
        x <= in_x;
        y <= in_y;
        turns <= '0;
        count <= '0;
        busy <= 1'b1;
      end
    end
  end
""",
        """
  typedef enum logic {IDLE, ROTATE} state_t;
  state_t state;
  logic signed [INNER-1:0] x_next, y_next;
  logic down;

  assign down = ~y[INNER-1];
  assign busy = (state == ROTATE);

  always_comb begin
    x_next = down ? x + (y >>> count) : x - (y >>> count);
    y_next = down ? y - (x >>> count) : y + (x >>> count);
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
      count <= '0;
    end else begin
      done <= (state == ROTATE) && (count == ROUNDS - 1);
      case (state)
        IDLE: if (start) begin
          x <= in_x;
          y <= in_y;
          turns <= '0;
          count <= '0;
          state <= ROTATE;
        end
        default: begin
          x <= x_next;
          y <= y_next;
          turns <= {turns[ROUNDS-2:0], down}; // the angle, as the turns that were made
          count <= count + 1'b1;
          if (count == ROUNDS - 1) state <= IDLE;
        end
      endcase
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.left = s.done = 0
        s.shown = s.result = None

    def step(s: State, i: Pins) -> Outputs:
        shown = s.shown if s.shown is not None and not s.left else (None, None)
        out = {"busy": int(s.left > 0), "done": s.done, "length": shown[0], "turns": shown[1]}
        s.done = 0
        if s.left:
            s.left -= 1
            if not s.left:
                s.done, s.shown = 1, s.result
        elif i.start:
            x, y, turns = i.in_x, to_signed(i.in_y, width), 0
            for k in range(rounds):
                down = int(y >= 0)
                x, y = (x + (y >> k), y - (x >> k)) if down else (x - (y >> k), y + (x >> k))
                turns = turns << 1 | down
            s.left, s.result = rounds, (to_bits(x, inner), turns)
        return out

    return Draft(
        rtl=f"""
module iterative_cordic #(
  parameter int WIDTH = {width},
  parameter int ROUNDS = {rounds}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic signed [WIDTH-1:0] in_x, // not negative
  input logic signed [WIDTH-1:0] in_y,
  output logic busy,
  output logic done,
  output logic signed [WIDTH+1:0] length, // times the gain of the rounds
  output logic [ROUNDS-1:0] turns
);
  localparam int INNER = WIDTH + 2;
  logic signed [INNER-1:0] x, y;
  logic [{bits - 1}:0] count;
  {body}
  assign length = x;
endmodule
""",
        about=f"""CORDIC in vectoring mode, one micro-rotation a cycle. `start` takes `in_x` (not negative) and `in_y`
        where it is not
            `busy`. Round k, from 0 to {rounds - 1}: where y is not negative, x becomes x plus y shifted right by k
            and y becomes y minus x
            shifted right by k; otherwise x minus and y plus. `turns` collects a 1 for each round with y not negative,
            the
            first round highest. Then `done` is high for one cycle; `length` is the last x. Both stay until the next
            start.""",
        model=Machine(reset, step),
        names=("cordic", "cordic_vector", "magnitude_cordic"),
        stimulus={"start": 0.4, "in_x": lambda r: r.randrange(1 << (width - 1))},
        cycles=20 * rounds,
    )
