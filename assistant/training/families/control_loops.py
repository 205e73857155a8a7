"""Arithmetic of closed loops: controllers, limits of slope, meters."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import saturated, to_bits, to_signed


@family(variants=3)
def pi_controller(r: Random, variant: int) -> Draft:
    """A controller whose integral stops where the output can do no more."""
    width = r.choice((8, 10))
    kp, ki, fraction = r.choice(((6, 1, 2), (12, 3, 3), (5, 2, 2), (20, 5, 4)))
    positive = r.random() < 0.4
    high = (1 << (width - 1)) - 1 if not positive else (1 << (width - 2)) + 17
    low = 0 if positive else -(1 << (width - 1))
    wide = width + 10
    body = (
        """
  assign difference = setpoint - measured;
  assign integral_next = integral + KI * difference;
  assign total = (KP * difference + integral_next) >>> FRACTION;
  assign too_high = (total > HIGH);
  assign too_low = (total < LOW);

  always_ff @(posedge clk) begin
    if (rst) begin
      integral <= '0;
      drive <= '0;
    end else if (!enable) begin
      integral <= '0;
      drive <= '0;
    end else if (tick) begin
      if (too_high) drive <= HIGH;
      else if (too_low) drive <= LOW;
      else drive <= total[WIDTH-1:0];

      // no winding up: the integral may only lead back from a limit
      if (!(too_high && difference > 0) && !(too_low && difference < 0))
        integral <= integral_next;
    end
  end
""",
        """
  logic signed [WIDTH-1:0] drive_next;
  logic stuck; // more of the same would change nothing

  always_comb begin
    difference = setpoint;
    difference = difference - measured;
    integral_next = integral + difference * KI;
    total = integral_next + difference * KP;
    total = total >>> FRACTION;
  end

  assign too_high = !(total <= HIGH);
  assign too_low = !(total >= LOW);
  assign stuck = (too_high && difference > 0) || (too_low && difference < 0);
  assign drive_next = too_high ? HIGH : too_low ? LOW : total[WIDTH-1:0];

  always_ff @(posedge clk) begin
    if (rst) integral <= '0;
    else if (!enable) integral <= '0;
    else if (tick && !stuck) integral <= integral_next;
  end

  always_ff @(posedge clk) begin
    if (rst) drive <= '0;
    else if (!enable) drive <= '0;
    else if (tick) drive <= drive_next;
  end
""",
        """
  logic signed [WIDE-1:0] proportional, integral_kept;

  assign difference = {setpoint[WIDTH-1], setpoint} - {measured[WIDTH-1], measured};
  assign proportional = KP * difference;
  assign integral_next = KI * difference + integral;
  assign total = (proportional + integral_next) >>> FRACTION;

  // flags and the integral that goes with them
  always_comb begin
    too_high = 1'b0;
    too_low = 1'b0;
    integral_kept = integral_next;
    if (total > HIGH) begin
      too_high = 1'b1;
      if (difference > 0) integral_kept = integral;
    end else if (total < LOW) begin
      too_low = 1'b1;
      if (difference < 0) integral_kept = integral;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      integral <= '0;
      drive <= '0;
    end else begin
      case ({enable, tick})
        2'b11: begin
          integral <= integral_kept;
          case ({too_high, too_low})
            2'b10: drive <= HIGH;
            2'b01: drive <= LOW;
            default: drive <= total[WIDTH-1:0];
          endcase
        end
        2'b10: ; // between two samples
        default: begin
          integral <= '0;
          drive <= '0;
        end
      endcase
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.integral = s.drive = 0

    def step(s: State, i: Pins) -> Outputs:
        difference = to_signed(i.setpoint, width) - to_signed(i.measured, width)
        after = s.integral + ki * difference
        total = kp * difference + after >> fraction
        out = {"drive": to_bits(s.drive, width), "limited": int(not low <= total <= high)}
        if not i.enable:
            s.integral = s.drive = 0
        elif i.tick:
            s.drive = max(low, min(high, total))
            if not (total > high and difference > 0) and not (total < low and difference < 0):
                s.integral = after
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.05 or not hasattr(s, "goal"):
            s.goal = r.randint(-(1 << (width - 2)), 1 << (width - 2))
            s.place = getattr(s, "place", 0)
        s.place += (s.drive - s.place) // r.choice((2, 3, 4)) + r.randint(-3, 3)
        s.place = saturated(s.place, width, signed=True)
        return {"setpoint": to_bits(s.goal, width), "measured": to_bits(s.place, width)}

    return Draft(
        rtl=f"""
module pi_controller #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic enable,
  input logic tick, // the time of a sample
  input logic signed [WIDTH-1:0] setpoint,
  input logic signed [WIDTH-1:0] measured,
  output logic limited,
  output logic signed [WIDTH-1:0] drive
);
  localparam int WIDE = WIDTH + 10;
  localparam int FRACTION = {fraction};
  localparam int KP = {kp};
  localparam int KI = {ki};
  localparam int HIGH = {high};
  localparam int LOW = {low};
  logic signed [WIDTH:0] difference;
  logic signed [WIDE-1:0] integral, integral_next, total;
  logic too_high, too_low;

  assign limited = too_high || too_low;
  {body}
endmodule
""",
        about=f"""PI controller with anti-windup for signed {width}-bit values. The difference is `setpoint` minus
            `measured`. At each `tick` the new integral is the old one plus {ki} times the difference, and the total is
            {kp} times the difference plus the new integral, shifted right by {fraction} (rounded down). `drive`
            becomes the total, limited to {low} to {high}. The integral ({wide} bits) takes its new value unless the
            total is above {high} and the difference positive, or below {low} and the difference negative. `limited`
            says, at once, that the total is beyond a limit. While `enable` is low, integral and `drive` become 0 at
            every edge.""",
        model=Machine(reset, step),
        names=("pi_loop", "pi_regulator", "servo_pi"),
        stimulus={"enable": 0.985, "tick": 0.8},
        drive=drive,
        cycles=300,
    )


@family(variants=3)
def slew_limiter(r: Random, variant: int) -> Draft:
    """Follows a wish no faster than a motor can."""
    width = r.choice((6, 8, 10))
    up = r.choice((1, 2, 3, 5))
    down = r.choice((up, 2 * up, 4 * up))
    brakes = r.random() < 0.5
    fast = r.choice((8, 12))
    port = "  input logic brake, // to zero, and quickly\n" if brakes else ""
    goal = "brake ? 0 : target" if brakes else "target"
    down_now = "(brake ? FAST : DOWN)" if brakes else "DOWN"
    up_now = "(brake ? FAST : UP)" if brakes else "UP"
    body = (
        f"""
  assign distance = goal - value;

  always_ff @(posedge clk) begin
    if (rst) begin
      value <= '0;
    end else if (tick) begin
      if (distance > {up_now}) value <= value + {up_now};
      else if (distance < -{down_now}) value <= value - {down_now};
      else value <= goal; // near enough
    end
  end

  assign settled = (distance == 0);
""",
        f"""
  logic signed [WIDTH:0] move;

  assign distance = {{goal[WIDTH-1], goal}} - {{value[WIDTH-1], value}};
  assign settled = (goal == value);

  // the distance, but no more than a step
  always_comb begin
    move = distance;
    if (distance > 0) begin
      if (distance > {up_now}) move = {up_now};
    end else begin
      if (-distance > {down_now}) move = -{down_now};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) value <= '0;
    else if (tick) value <= value + move;
  end
""",
        f"""
  logic signed [WIDTH+1:0] highest, lowest; // that can be reached in a step
  logic signed [WIDTH-1:0] value_next;

  assign highest = value + {up_now};
  assign lowest = value - {down_now};
  assign value_next = (goal > highest) ? highest : (goal < lowest) ? lowest : goal;
  assign distance = goal - value;
  assign settled = ~(|distance);

  always_ff @(posedge clk) begin
    if (rst) value <= '0;
    else value <= tick ? value_next : value;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.value = 0

    def step(s: State, i: Pins) -> Outputs:
        braking = brakes and i.brake
        wish = 0 if braking else to_signed(i.target, width)
        out = {"value": to_bits(s.value, width), "settled": int(wish == s.value)}
        if i.tick:
            rise, fall = (fast, fast) if braking else (up, down)
            s.value += max(-fall, min(rise, wish - s.value))
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.07 or not hasattr(s, "wish"):
            s.wish = s.value + r.randint(-40, 40) if r.random() < 0.7 else r.getrandbits(width)
            s.wish = saturated(s.wish, width, signed=True)
            s.brake = int(r.random() < 0.25)
        return {"target": to_bits(s.wish, width)} | ({"brake": s.brake} if brakes else {})

    constant = f"  localparam int FAST = {fast};\n" if brakes else ""
    return Draft(
        rtl=f"""
module slew_limiter #(
  parameter int WIDTH = {width},
  parameter int UP = {up},
  parameter int DOWN = {down}
) (
  input logic clk,
  input logic rst,
  input logic tick,
{port}  input logic signed [WIDTH-1:0] target,
  output logic settled,
  output logic signed [WIDTH-1:0] value
);
{constant}  logic signed [WIDTH-1:0] goal;
  logic signed [WIDTH:0] distance; // to go

  assign goal = {goal};
  {body}
endmodule
""",
        about=f"""Slew rate limiter: at each `tick` the signed {width}-bit `value` moves towards `target`, up by at most
            {up} and down by at most {down}, and not beyond it.{
            f" While `brake` is high the goal is 0 instead, and steps may be {fast} both ways." if brakes else ""
        } `settled` is high, at once, while the value is at its goal. It starts at 0.""",
        model=Machine(reset, step),
        names=("ramp_limiter", "rate_limiter", "setpoint_ramp"),
        stimulus={"tick": 0.85},
        drive=drive,
        cycles=260,
    )


@family(variants=3)
def thermostat(r: Random, variant: int) -> Draft:
    """Two points and a pause: heats below one, cools above the other, and does not switch too often."""
    width = r.choice((6, 7, 8))
    band = r.choice((2, 3, 4))
    pause = r.choice((3, 5, 6, 9))
    cools = r.random() < 0.6
    bits = pause.bit_length()
    port = "  output logic cool,\n" if cools else ""
    body = (
        f"""
  typedef enum logic [1:0] {{OFF, HEATING{", COOLING" if cools else ""}}} state_t;
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= OFF;
      timer <= PAUSE;
    end else if (tick) begin
      if (timer != 0) timer <= timer - 1'b1;
      case (state)
        OFF: begin
          // not before the pause is over
          if (timer == 0 && error > BAND) state <= HEATING;
          {"else if (timer == 0 && error < -BAND) state <= COOLING;" if cools else ""}
        end
        HEATING: if (error <= 0) begin
          state <= OFF;
          timer <= PAUSE;
        end
        {
            '''COOLING: if (error >= 0) begin
          state <= OFF;
          timer <= PAUSE;
        end'''
            if cools
            else ""
        }
        default: state <= OFF;
      endcase
    end
  end

  assign heat = (state == HEATING);
  {"assign cool = (state == COOLING);" if cools else ""}
""",
        f"""
  logic rested;
  logic heat_next{", cool_next" if cools else ""};
  logic stopped; // in this sample

  assign rested = (timer == 0);

  always_comb begin
    heat_next = heat;
    {"cool_next = cool;" if cools else ""}
    if (heat) heat_next = (error > 0);
    {"else if (cool) cool_next = (error < 0);" if cools else ""}
    else if (rested) begin
      heat_next = (error > BAND);
      {"cool_next = (error < -BAND);" if cools else ""}
    end
    stopped = (heat && !heat_next){" || (cool && !cool_next)" if cools else ""};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      heat <= 1'b0;
      {"cool <= 1'b0;" if cools else ""}
    end else if (tick) begin
      heat <= heat_next;
      {"cool <= cool_next;" if cools else ""}
    end
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= PAUSE;
    else if (tick && stopped) timer <= PAUSE;
    else if (tick && !rested) timer <= timer - 1'b1;
  end
""",
        f"""
  logic start_heat, stop_heat{", start_cool, stop_cool" if cools else ""};
  logic resting;

  assign resting = |timer;
  assign start_heat = tick & ~heat{" & ~cool" if cools else ""} & ~resting & (error > BAND);
  assign stop_heat = tick & heat & (error <= 0);
{
            '''  assign start_cool = tick & ~heat & ~cool & ~resting & (error < -BAND);
  assign stop_cool = tick & cool & ~(error < 0);'''
            if cools
            else ""
        }

  always_ff @(posedge clk) begin
    if (rst) heat <= 1'b0;
    else heat <= start_heat | (heat & ~stop_heat);
  end

{
            '''  always_ff @(posedge clk) begin
    if (rst) cool <= 1'b0;
    else cool <= start_cool | (cool & ~stop_cool);
  end
'''
            if cools
            else ""
        }
  // the pause after a run
  always_ff @(posedge clk) begin
    if (rst) timer <= PAUSE;
    else if (stop_heat{" | stop_cool" if cools else ""}) timer <= PAUSE;
    else if (tick & resting) timer <= timer - 1'b1;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.run, s.timer = 0, pause

    def step(s: State, i: Pins) -> Outputs:
        out = {"heat": int(s.run > 0)} | ({"cool": int(s.run < 0)} if cools else {})
        if i.tick:
            error = i.wanted - i.measured
            rested = s.timer == 0
            s.timer = max(0, s.timer - 1)
            if s.run:
                if error * s.run <= 0:
                    s.run, s.timer = 0, pause
            elif rested and error > band:
                s.run = 1
            elif rested and cools and error < -band:
                s.run = -1
        return out

    top = (1 << width) - 1

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.03 or not hasattr(s, "wanted"):
            s.wanted = r.randint(20, top - 20)
            s.place = s.wanted + r.randint(-8, 8)
        s.place += r.choice((0, 1, 1, 2)) * (s.run or (1 if cools and s.wanted % 2 else -1))
        s.place = max(0, min(top, s.place))
        return {"wanted": s.wanted, "measured": s.place}

    return Draft(
        rtl=f"""
module thermostat #(
  parameter int WIDTH = {width},
  parameter int BAND = {band}, // degrees
  parameter int PAUSE = {pause} // ticks
) (
  input logic clk,
  input logic rst,
  input logic tick,
  input logic [WIDTH-1:0] wanted,
  input logic [WIDTH-1:0] measured,
{port}  output logic heat
);
  logic signed [WIDTH:0] error; // positive while it is too cold
  logic [{bits - 1}:0] timer;

  assign error = $signed({{1'b0, wanted}}) - $signed({{1'b0, measured}});
  {body}
endmodule
""",
        about=f"""Thermostat. At each `tick` the unsigned {width}-bit temperatures `wanted` and `measured` are compared.
            At rest `heat` starts when `measured` is more than {band} below `wanted`{
            f", `cool` when it is more than {band} above" if cools else ""
        }; {"each" if cools else "it"} runs until `measured` has reached `wanted` or passed it. After a run, and after
            reset, a pause of {pause} ticks must pass before the next start: the tick of the stop sets a timer to
            {pause}, each later tick lowers it by one, and a start needs it at 0.""",
        model=Machine(reset, step),
        names=("temperature_control", "heater_control", "hvac_control"),
        stimulus={"tick": 0.85},
        drive=drive,
        cycles=320,
    )


@family(variants=3)
def histogram_bins(r: Random, variant: int) -> Draft:
    """Counts how often values fall into each bin, and tells which bin is the fullest."""
    width, log = r.choice((4, 6, 8)), r.choice((2, 3))
    bins, depth = 1 << log, r.choice((4, 5))
    top = (1 << depth) - 1
    halving = r.random() < 0.5
    full_now = "counts[place] == TOP"
    rule = (
        "all counts are halved (rounded down), and then the bin is counted" if halving else f"the count stays at {top}"
    )
    body = (
        f"""
  assign place = value[{width - 1}:{width - log}];

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < BINS; i++) begin
        counts[i] <= '0;
      end
    end else if (clear) begin
      for (int i = 0; i < BINS; i++) begin
        counts[i] <= '0;
      end
    end else if (valid) begin
      {
            f'''if ({full_now}) begin
        // all shrink together, so the shape stays
        for (int i = 0; i < BINS; i++) begin
          counts[i] <= counts[i] >> 1;
        end
        counts[place] <= (counts[place] >> 1) + 1'b1;
      end else begin
        counts[place] <= counts[place] + 1'b1;
      end'''
            if halving
            else f"if (!({full_now})) counts[place] <= counts[place] + 1'b1;"
        }
    end
  end

  // the first of the fullest
  always_comb begin
    mode_bin = '0;
    most = counts[0];
    for (int i = 1; i < BINS; i++) begin
      if (counts[i] > most) begin
        most = counts[i];
        mode_bin = i;
      end
    end
  end

  assign count = counts[sel];
""",
        f"""
  logic full;

  assign place = value >> {width - log};
  assign full = ({full_now});
  assign count = counts[sel];

  for (genvar k = 0; k < BINS; k++) begin : gen_bin
    logic mine;

    assign mine = valid && (place == k);

    always_ff @(posedge clk) begin
      if (rst) counts[k] <= '0;
      else if (clear) counts[k] <= '0;
      {"else if (valid && full) counts[k] <= (counts[k] >> 1) + mine;" if halving else ""}
      else if (mine{" && !full" if not halving else ""}) counts[k] <= counts[k] + 1'b1;
    end
  end

  always_comb begin
    most = '0;
    mode_bin = '0;
    // downwards, so that the lowest of equal ones comes last
    for (int i = BINS - 1; i >= 0; i = i - 1) begin
      if (counts[i] >= most) begin
        most = counts[i];
        mode_bin = i;
      end
    end
  end
""",
        f"""
  logic [{depth - 1}:0] old, base;

  assign place = value[{width - 1} -: {log}];
  assign old = counts[place];
  assign base = {"(old == TOP) ? old >> 1 : old" if halving else "(old == TOP) ? TOP - 1 : old"};
  assign count = counts[sel];

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < BINS; i++) counts[i] <= '0;
    end else begin
      for (int i = 0; i < BINS; i++) begin
        if (clear) counts[i] <= '0;
        else if (valid && place == i) counts[i] <= base + 1'b1;
        {"else if (valid && old == TOP) counts[i] <= counts[i] >> 1;" if halving else ""}
      end
    end
  end

  always_comb begin
    mode_bin = 0;
    for (int i = 1; i < BINS; i++) begin
      if (counts[i] > counts[mode_bin]) mode_bin = i;
    end
    most = counts[mode_bin];
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.bins = [0] * bins

    def step(s: State, i: Pins) -> Outputs:
        fullest = max(s.bins)
        out = {"count": s.bins[i.sel], "most": fullest, "mode_bin": s.bins.index(fullest)}
        place = i.value >> (width - log)
        if i.clear:
            s.bins = [0] * bins
        elif i.valid:
            if s.bins[place] == top:
                s.bins = [one >> 1 for one in s.bins] if halving else s.bins
            s.bins[place] = min(top, s.bins[place] + 1)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.02 or not hasattr(s, "centre"):
            s.centre = r.randrange(1 << width)
        near = s.centre + r.randint(-(1 << width) // 8, (1 << width) // 8)
        return {"value": max(0, min((1 << width) - 1, near))} if r.random() < 0.75 else {}

    return Draft(
        rtl=f"""
module histogram_bins (
  input logic clk,
  input logic rst,
  input logic clear,
  input logic valid,
  input logic [{width - 1}:0] value,
  input logic [{log - 1}:0] sel, // the bin to read
  output logic [{depth - 1}:0] count,
  output logic [{depth - 1}:0] most,
  output logic [{log - 1}:0] mode_bin
);
  localparam int BINS = {bins};
  localparam logic [{depth - 1}:0] TOP = {top};
  logic [{depth - 1}:0] counts [0:BINS-1];
  logic [{log - 1}:0] place;
  {body}
endmodule
""",
        about=f"""Histogram with {bins} bins of {depth} bits. A cycle with `valid` counts the {width}-bit `value` in the
            bin of its top {log} bits; where that bin is at {top} already, {rule}. `clear` zeroes all bins and has
            priority. `count` is that of bin `sel`; `most` is the largest count and `mode_bin` its bin, the lowest one
            of equal ones; all three are combinational.""",
        model=Machine(reset, step),
        names=("histogram", "bin_counter", "level_statistics"),
        stimulus={"valid": 0.9, "clear": 0.008},
        drive=drive,
        cycles=300,
    )
