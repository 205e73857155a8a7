"""What a sound passes on its way: volume, gain, level and word length."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import saturated, to_bits, to_signed


@family(variants=3)
def volume_ramp(r: Random, variant: int) -> Draft:
    """A volume that glides, so that neither a turn of the knob nor muting clicks."""
    width, bits = r.choice((8, 10, 12)), r.choice((4, 5, 6))
    up = r.choice((1, 1, 2))
    down = r.choice([one for one in (1, 2, 3, 4) if one != up] if r.random() < 0.7 else (up,))
    product = """
  // the gain is a fraction of one
  assign product = sample * $signed({1'b0, gain});
"""
    body = (
        f"""{product}
  always_ff @(posedge clk) begin
    if (rst) begin
      gain <= '0;
      result <= '0;
    end else if (valid) begin
      result <= product[WIDTH+BITS-1:BITS];
      // one step towards the goal, the last one shorter
      if (gain < goal) begin
        if (goal - gain > UP) gain <= gain + UP;
        else gain <= goal;
      end else if (gain > goal) begin
        if (gain - goal > DOWN) gain <= gain - DOWN;
        else gain <= goal;
      end
    end
  end
""",
        f"""
  logic [BITS-1:0] gain_next, way; // how far it is to the goal
  logic rising;

  assign rising = (goal > gain);
  assign way = rising ? goal - gain : gain - goal;

  always_comb begin
    gain_next = goal;
    if (rising && way > UP) gain_next = gain + UP;
    if (!rising && way > DOWN) gain_next = gain - DOWN;
  end
{product}
  always_ff @(posedge clk) begin
    if (rst) gain <= '0;
    else if (valid) gain <= gain_next;
  end

  always_ff @(posedge clk) begin
    if (rst) result <= '0;
    else if (valid) result <= product >>> BITS;
  end
""",
        """
  logic signed [BITS:0] distance, move;
  logic signed [WIDTH:0] factor;

  assign distance = $signed({1'b0, goal}) - $signed({1'b0, gain});
  // no step is longer than the ramp allows
  assign move = (distance > UP) ? UP : (distance < -DOWN) ? -DOWN : distance;
  assign factor = $signed({1'b0, gain});
  assign product = sample * factor;

  always_ff @(posedge clk) begin
    if (rst) begin
      result <= '0;
      gain <= '0;
    end else begin
      if (valid) gain <= gain + move;
      if (valid) result <= product[BITS +: WIDTH];
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.gain = s.result = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"result": to_bits(s.result, width), "gain": s.gain, "silent": int(i.mute and s.gain == 0)}
        if i.valid:
            goal = 0 if i.mute else i.volume
            s.result = to_signed(i.sample, width) * s.gain >> bits
            s.gain += max(-down, min(up, goal - s.gain))
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "volume") or r.random() < 0.07:
            s.volume, s.mute = r.choice((0, (1 << bits) - 1, r.getrandbits(bits))), int(r.random() < 0.35)
        return {"volume": s.volume, "mute": s.mute}

    return Draft(
        rtl=f"""
module volume_ramp #(
  parameter int WIDTH = {width},
  parameter int BITS = {bits}, // of the gain
  parameter int UP = {up},
  parameter int DOWN = {down}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  input logic [BITS-1:0] volume, // as the knob stands
  input logic mute,
  output logic signed [WIDTH-1:0] result,
  output logic [BITS-1:0] gain,
  output logic silent // muted, and the fading is over
);
  logic [BITS-1:0] goal;
  logic signed [WIDTH+BITS:0] product;

  assign goal = mute ? '0 : volume;
  assign silent = mute && (gain == 0);
  {body}
endmodule
""",
        about=(
            f"""Volume control with soft mute for signed {width}-bit samples. At each cycle with `valid`, `result`
            becomes `sample` times `gain` / {1 << bits}, rounded down, with the gain as it was before, and `gain` moves
            towards its goal, which is `volume`, or 0 while `mute` is high: up by at most {up}, down by at most {down},
            never past the goal. `silent` is high while `mute` is and the gain is 0, at once. All start at 0.""",
            f"""Scales samples by a {bits}-bit `gain` (as a fraction of {1 << bits}, floor) and lets the gain glide:
            each `valid` takes it at most {up} up or {down} down towards `volume`, or towards 0 under `mute`. The
            product uses the gain from before that step and appears on `result` in the next cycle. `silent` says
            combinationally that mute is on and the gain has arrived at 0.""",
        ),
        model=Machine(reset, step),
        names=("soft_mute", "gain_ramp", "volume_control"),
        stimulus={"valid": 0.9},
        drive=drive,
        cycles=250,
    )


@family(variants=3)
def clip_detector(r: Random, variant: int) -> Draft:
    """A lamp for full scale: so many clipped samples in a row light it, and it stays long enough to be seen."""
    width = r.choice((8, 10, 12))
    run, hold = r.choice((1, 2, 3, 4)), r.choice((6, 10, 12, 20))
    counted = r.random() < 0.5
    margin = r.choice((0, 1, 2))
    top, bottom = (1 << (width - 1)) - 1 - margin, -(1 << (width - 1)) + margin
    run_bits, hold_bits = max(1, run.bit_length()), hold.bit_length()
    ports = "  output logic [3:0] count, // stays at 15\n" if counted else ""
    counting = """
  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (clear) count <= '0;
    else if (over && count != 4'd15) count <= count + 1'b1;
  end
"""
    body = (
        """
  assign at_limit = (sample >= TOP) || (sample <= BOTTOM);
  assign over = valid && at_limit && (streak >= STREAK - 1);

  // how many samples in a row were at the limit
  always_ff @(posedge clk) begin
    if (rst) streak <= '0;
    else if (valid) begin
      if (!at_limit) streak <= '0;
      else if (streak < STREAK) streak <= streak + 1'b1;
    end
  end

  // the lamp
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (clear) timer <= '0;
    else if (over) timer <= HOLD;
    else if (timer != 0) timer <= timer - 1'b1;
  end

  assign clip = (timer != 0);
""",
        f"""
  logic [{run_bits - 1}:0] streak_next;

  always_comb begin
    at_limit = 1'b0;
    if (sample >= TOP) at_limit = 1'b1;
    if (sample <= BOTTOM) at_limit = 1'b1;

    streak_next = streak;
    if (valid) begin
      if (at_limit) streak_next = (streak == STREAK) ? STREAK : streak + 1'b1;
      else streak_next = '0;
    end

    over = valid && (streak_next == STREAK);
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      streak <= '0;
      timer <= '0;
      clip <= 1'b0;
    end else begin
      streak <= streak_next;
      if (clear) begin
        clip <= 1'b0;
      end else if (over) begin
        clip <= 1'b1;
        timer <= HOLD - 1; // the time starts anew
      end else if (clip) begin
        timer <= timer - 1'b1;
        if (timer == 0) clip <= 1'b0;
      end
    end
  end
""",
        """
  logic too_high, too_low;

  assign too_high = ~(sample < TOP);
  assign too_low = ~(sample > BOTTOM);
  assign at_limit = too_high | too_low;
  assign over = valid & at_limit & (left == 0);

  // counts down to the sample that completes a streak
  always_ff @(posedge clk) begin
    if (rst) left <= STREAK - 1;
    else if (valid && !at_limit) left <= STREAK - 1;
    else if (valid && left != 0) left <= left - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      clip <= 1'b0;
      timer <= '0;
    end else begin
      if (clear) begin
        clip <= 1'b0;
      end else if (over) begin
        clip <= 1'b1;
        timer <= '0;
      end else if (clip && timer == HOLD - 1) begin
        clip <= 1'b0;
      end else begin
        timer <= timer + 1'b1;
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.streak = s.left = s.count = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"clip": int(s.left > 0)} | ({"count": s.count} if counted else {})
        over = False
        if i.valid:
            at_limit = not bottom < to_signed(i.sample, width) < top
            s.streak = min(s.streak + 1, run) if at_limit else 0
            over = s.streak == run
        s.left = 0 if i.clear else hold if over else max(0, s.left - 1)
        s.count = 0 if i.clear else min(15, s.count + over)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.12:
            s.loud = not getattr(s, "loud", False)
        near = (top, top + margin, top - 1, bottom, bottom - margin, bottom + 1)
        loud = getattr(s, "loud", False)
        return {"sample": to_bits(r.choice(near) if r.random() < (0.8 if loud else 0.04) else r.getrandbits(6), width)}

    register = f"  logic [{run_bits - 1}:0] {'left' if variant == 2 else 'streak'};\n"
    tally = " `count` counts them, up to 15." if counted else ""
    return Draft(
        rtl=f"""
module clip_detector #(
  parameter int WIDTH = {width},
  parameter int STREAK = {run}, // samples in a row
  parameter int HOLD = {hold}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  input logic clear,
{ports}  output logic clip
);
  localparam int TOP = {top};
  localparam int BOTTOM = {bottom};
  logic at_limit; // this sample
  logic over;
{register}  logic [{hold_bits - 1}:0] timer;
  {body}{counting if counted else ""}
endmodule
""",
        about=f"""Clip indicator for signed {width}-bit samples. A sample (a cycle with `valid`) of {top} or more, or of
            {bottom} or less, is at the limit. {
            "Each such sample" if run == 1 else f"Each that is at least the {run}th such sample in a row"
        } is a clip: it lights `clip` for {hold} cycles from the next one on, anew with each.{tally} `clear` puts out
            the lamp{" and zeroes the count" if counted else ""}, and goes before a clip in the same cycle, but the
            streak of samples goes on.""",
        model=Machine(reset, step),
        names=("overload_indicator", "clip_led", "peak_clip"),
        stimulus={"valid": 0.9, "clear": 0.02},
        drive=drive,
        cycles=280,
    )


@family(variants=3)
def envelope_follower(r: Random, variant: int) -> Draft:
    """The loudness of a signal: quick to rise, slow to fall."""
    width = r.choice((8, 10, 12))
    attack = r.choice((1, 2))
    release = r.choice((3, 4, 5))
    hold = r.choice((0, 0, 4, 6, 8))
    total = width - 1 + release
    hold_bits = max(1, hold.bit_length())
    magnitude = (
        "assign magnitude = (sample == {1'b1, {(WIDTH-1){1'b0}}}) ? {(WIDTH-1){1'b1}} : sample[WIDTH-1] ? -sample :"
        " sample;"
    )
    declared = f"  logic [{hold_bits - 1}:0] timer; // samples since the last rise\n" if hold else ""
    fall = "env <= env - (env - target >> RELEASE);"
    waiting = f"if (timer == HOLD) {fall}\n        else timer <= timer + 1'b1;" if hold else fall
    body = (
        f"""
  // full-wave rectifier; the lowest number has no counterpart
  {magnitude}
  assign target = {{magnitude, {{RELEASE{{1'b0}}}}}};

  always_ff @(posedge clk) begin
    if (rst) begin
      env <= '0;
      {"timer <= '0;" if hold else ""}
    end else if (valid) begin
      if (target > env) begin
        env <= env + (target - env >> ATTACK);
        {"timer <= '0;" if hold else ""}
      end else begin
        {waiting}
      end
    end
  end
""",
        f"""
  logic signed [WIDTH-1:0] opposite;
  logic [TOTAL-1:0] rise, fall, env_next;
  logic rising{", holding" if hold else ""};

  assign opposite = -sample;

  always_comb begin
    if (sample >= 0) magnitude = sample[WIDTH-2:0];
    else if (opposite < 0) magnitude = {{(WIDTH-1){{1'b1}}}}; // the lowest number
    else magnitude = opposite[WIDTH-2:0];
  end

  assign target = magnitude << RELEASE;
  assign rising = (target > env);
  assign rise = (target - env) >> ATTACK;
  assign fall = (env - target) >> RELEASE;
{"  assign holding = (timer != HOLD);" if hold else ""}

  always_comb begin
    env_next = env;
    if (rising) env_next = env + rise;
    else {"if (!holding) " if hold else ""}env_next = env - fall;
  end

  always_ff @(posedge clk) begin
    if (rst) env <= '0;
    else if (valid) env <= env_next;
  end
{
            '''
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (valid && rising) timer <= '0;
    else if (valid && holding) timer <= timer + 1'b1;
  end
'''
            if hold
            else ""
        }""",
        f"""
  // the size of a number, limited to what fits without a sign
  function automatic logic [WIDTH-2:0] size(input logic signed [WIDTH-1:0] x);
    if (x == -(1 << (WIDTH - 1))) size = {{(WIDTH-1){{1'b1}}}};
    else if (x < 0) size = -x;
    else size = x;
  endfunction

  logic [TOTAL-1:0] gap, part;
  logic below;

  assign magnitude = size(sample);
  assign target = {{magnitude, {{RELEASE{{1'b0}}}}}};
  assign below = (env < target);
  assign gap = below ? target - env : env - target;
  assign part = below ? gap >> ATTACK : gap >> RELEASE; // the time constants

  always_ff @(posedge clk) begin
    if (rst) begin
      env <= '0;
      {"timer <= '0;" if hold else ""}
    end else if (valid) begin
      case (below)
        1'b1: begin
          env <= env + part;
          {"timer <= '0;" if hold else ""}
        end
        default: begin
          {"if (timer < HOLD) timer <= timer + 1'b1;" if hold else ""}
          {"else " if hold else ""}env <= env - part;
        end
      endcase
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.env = s.timer = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"level": s.env >> release}
        if i.valid:
            target = min(abs(to_signed(i.sample, width)), (1 << (width - 1)) - 1) << release
            if target > s.env:
                s.env += (target - s.env) >> attack
                s.timer = 0
            elif s.timer == hold:
                s.env -= (s.env - target) >> release
            else:
                s.timer += 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.06 or not hasattr(s, "top"):
            s.top = r.choice((0, 3, 1 << (width - 3), 1 << (width - 1)))
        value = r.randint(-s.top, s.top) if r.random() < 0.7 else -s.top
        return {"sample": to_bits(saturated(value, width, signed=True), width)}

    holding = f" only once {hold} samples in a row have not raised it (these leave it as it is)" if hold else ""
    return Draft(
        rtl=f"""
module envelope_follower #(
  parameter int WIDTH = {width},
  parameter int ATTACK = {attack},
  parameter int RELEASE = {release}{f",{chr(10)}  parameter int HOLD = {hold}" if hold else ""}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  output logic [WIDTH-2:0] level
);
  localparam int TOTAL = WIDTH - 1 + RELEASE;
  logic [TOTAL-1:0] env, target; // with a fraction of RELEASE bits
  logic [WIDTH-2:0] magnitude;
{declared}  {body}
  assign level = env[TOTAL-1:RELEASE];
endmodule
""",
        about=f"""Envelope follower for signed {width}-bit samples. The envelope has {width - 1} bits and {release} more
            of fraction, {total} in all; `level` is its integer part. With each `valid` the magnitude of `sample` (that
            of the lowest number is taken as {(1 << (width - 1)) - 1}), shifted to the same scale, is compared with the
            envelope. If it is larger, the envelope rises by 1/{1 << attack} of the difference; otherwise it falls by
            1/{1 << release} of the difference{holding}. Differences are rounded down. It starts at 0.""",
        model=Machine(reset, step),
        names=("envelope_detector", "level_follower", "attack_release"),
        stimulus={"valid": 0.9},
        drive=drive,
        cycles=260,
    )


@family(variants=3)
def dc_blocker(r: Random, variant: int) -> Draft:
    """Takes the slow mean out of a signal."""
    width, shift = r.choice((8, 10, 12)), r.choice((3, 4, 5))
    bypass = r.random() < 0.5
    port = "  input logic bypass, // lets the offset through\n" if bypass else ""
    high, low = (1 << (width - 1)) - 1, -(1 << (width - 1))
    body = (
        f"""
  assign mean = acc >>> SHIFT;
  assign blocked = sample - mean;

  // what remains of the signal corrects the mean
  always_ff @(posedge clk) begin
    if (rst) begin
      acc <= '0;
      result <= '0;
    end else if (valid) begin
      acc <= acc + blocked;
      {"if (bypass) result <= sample;" if bypass else ""}
      {"else " if bypass else ""}if (blocked > HIGH) result <= HIGH;
      else if (blocked < LOW) result <= LOW;
      else result <= blocked[WIDTH-1:0];
    end
  end
""",
        f"""
  logic signed [WIDTH-1:0] limited;
  logic fits;

  assign mean = $signed(acc[WIDTH+SHIFT-1:SHIFT]);
  assign blocked = {{sample[WIDTH-1], sample}} - {{mean[WIDTH-1], mean}};
  assign fits = (blocked[WIDTH] == blocked[WIDTH-1]);
  // beyond the range: full scale of the same sign
  assign limited = fits ? blocked[WIDTH-1:0] : {{blocked[WIDTH], {{(WIDTH-1){{~blocked[WIDTH]}}}}}};

  always_ff @(posedge clk) begin
    if (rst) acc <= '0;
    else if (valid) acc <= acc + blocked;
  end

  always_ff @(posedge clk) begin
    if (rst) result <= '0;
    else if (valid) result <= {"bypass ? sample : limited" if bypass else "limited"};
  end
""",
        f"""
  logic signed [WIDTH+SHIFT-1:0] acc_next;
  logic signed [WIDTH-1:0] result_next;

  assign mean = acc[SHIFT +: WIDTH];

  always_comb begin
    blocked = sample;
    blocked = blocked - mean;
    acc_next = acc - mean + sample; // a leaky integrator

    case (blocked[WIDTH:WIDTH-1])
      2'b01: result_next = HIGH;
      2'b10: result_next = LOW;
      default: result_next = blocked[WIDTH-1:0];
    endcase
    {"if (bypass) result_next = sample;" if bypass else ""}
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      acc <= '0;
      result <= '0;
    end else if (valid) begin
      acc <= acc_next;
      result <= result_next;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.acc = s.result = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"result": to_bits(s.result, width)}
        if i.valid:
            sample = to_signed(i.sample, width)
            blocked = sample - (s.acc >> shift)
            s.acc += blocked
            s.result = sample if bypass and i.bypass else saturated(blocked, width, signed=True)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.03 or not hasattr(s, "offset"):
            s.offset = r.randint(low, high) * 3 // 4
        value = s.offset + r.randint(low, high) // 4
        value = r.choice((low, high)) if r.random() < 0.12 else value
        return {"sample": to_bits(saturated(value, width, signed=True), width)}

    past = " While `bypass` is high, `result` takes `sample` as it is, but the mean goes on." if bypass else ""
    return Draft(
        rtl=f"""
module dc_blocker #(
  parameter int WIDTH = {width},
  parameter int SHIFT = {shift}
) (
  input logic clk,
  input logic rst,
  input logic valid,
{port}  input logic signed [WIDTH-1:0] sample,
  output logic signed [WIDTH-1:0] result
);
  localparam logic signed [WIDTH-1:0] HIGH = {high};
  localparam logic signed [WIDTH-1:0] LOW = {low};
  logic signed [WIDTH+SHIFT-1:0] acc; // the mean with its fraction
  logic signed [WIDTH-1:0] mean;
  logic signed [WIDTH:0] blocked;
  {body}
endmodule
""",
        about=f"""DC blocker (first-order high-pass) for signed {width}-bit samples. An accumulator of
            {width + shift} bits holds the mean with {shift} bits of fraction. With each `valid` the difference of
            `sample` and the mean (the accumulator shifted right, rounded down) is added to the accumulator, and goes,
            limited to {low} to {high}, to `result`.{past} Both start at 0.""",
        model=Machine(reset, step),
        names=("dc_removal", "highpass", "offset_remover"),
        stimulus={"valid": 0.9, "bypass": 0.2},
        drive=drive,
        cycles=260,
    )


@family(variants=3)
def noise_shaper(r: Random, variant: int) -> Draft:
    """Shortens words and pushes the error of the rounding out of the way."""
    width, drop = r.choice((8, 10, 12, 16)), r.choice((2, 3, 4, 5))
    order = r.choice((1, 2))
    keep = width - drop
    margin = order + 1
    second = order == 2
    wide = width + margin
    high, low = (1 << (keep - 1)) - 1, -(1 << (keep - 1))
    feedback = "$signed({1'b0, error})" if not second else "$signed({1'b0, error, 1'b0}) - $signed({1'b0, error_prev})"
    state = f"  logic [DROP-1:0] error{', error_prev' if second else ''};\n"
    older = "error_prev <= error;" if second else ""
    cleared = "error_prev <= '0;" if second else ""
    body = (
        f"""
  // the errors of the past come back with the sample
  assign shaped = sample + {feedback};
  assign whole = shaped >>> DROP;

  always_ff @(posedge clk) begin
    if (rst) begin
      error <= '0;
      {cleared}
      result <= '0;
    end else if (valid) begin
      {older}
      error <= shaped[DROP-1:0];
      if (whole > HIGH) result <= HIGH;
      else if (whole < LOW) result <= LOW;
      else result <= whole;
    end
  end
""",
        f"""
  logic signed [DROP+1:0] feedback;
  logic signed [KEEP-1:0] result_next;

  assign feedback = {feedback};
  assign shaped = sample + feedback;
  assign whole = $signed(shaped[WIDE-1:DROP]);
  assign result_next = (whole > HIGH) ? HIGH : (whole < LOW) ? LOW : whole[KEEP-1:0];

  always_ff @(posedge clk) begin
    if (rst) result <= '0;
    else if (valid) result <= result_next;
  end

  // what the shorter word leaves out
  always_ff @(posedge clk) begin
    if (rst) begin
      error <= '0;
      {cleared}
    end else if (valid) begin
      error <= shaped[DROP-1:0];
      {older}
    end
  end
""",
        f"""
  logic too_high, too_low;

  always_comb begin
    shaped = sample;
    shaped = shaped + $signed({{1'b0, error{", 1'b0" if second else ""}}});
    {"shaped = shaped - $signed({1'b0, error_prev});" if second else ""}
  end

  assign whole = $signed(shaped[DROP +: WIDE-DROP]);
  // the bits above the sign of the short word must all be like it
  assign too_high = !whole[WIDE-DROP-1] && (|whole[WIDE-DROP-2:KEEP-1]);
  assign too_low = whole[WIDE-DROP-1] && !(&whole[WIDE-DROP-2:KEEP-1]);

  always_ff @(posedge clk) begin
    if (rst) begin
      {{result, error}} <= '0;
      {cleared}
    end else if (valid) begin
      error <= shaped[DROP-1:0];
      {older}
      case ({{too_high, too_low}})
        2'b10: result <= HIGH;
        2'b01: result <= LOW;
        default: result <= whole[KEEP-1:0];
      endcase
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.errors, s.result = [0, 0], 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"result": to_bits(s.result, keep)}
        if i.valid:
            shaped = to_signed(i.sample, width) + (2 * s.errors[0] - s.errors[1] if second else s.errors[0])
            s.errors = [shaped % (1 << drop), s.errors[0]]
            s.result = saturated(shaped >> drop, keep, signed=True)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.1 or not hasattr(s, "value"):
            s.value = r.choice((-(1 << (width - 1)), (1 << (width - 1)) - 1, r.getrandbits(width)))
        return {"sample": to_bits(s.value, width)}

    formula = "twice the last error minus the one before it" if second else "the last error"
    return Draft(
        rtl=f"""
module noise_shaper #(
  parameter int WIDTH = {width},
  parameter int DROP = {drop}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  output logic signed [WIDTH-DROP-1:0] result
);
  localparam int KEEP = WIDTH - DROP;
  localparam int WIDE = WIDTH + {margin};
  localparam logic signed [KEEP-1:0] HIGH = {high};
  localparam logic signed [KEEP-1:0] LOW = {low};
{state}  logic signed [WIDE-1:0] shaped;
  logic signed [WIDE-DROP-1:0] whole;
  {body}
endmodule
""",
        about=f"""Requantiser with noise shaping of order {order}: shortens signed {width}-bit samples by {drop} bits.
            With each `valid`, `sample` plus {formula} is split: the lowest {drop} bits are the new error (0 to
            {(1 << drop) - 1}), what stands above them, limited to {low} to {high}, goes to `result`, which follows in
            the next cycle. Limiting does not change the error. Errors and result start at 0 ({wide} bits hold the
            sum).""",
        model=Machine(reset, step),
        names=("error_feedback", "requantizer", "word_shortener"),
        stimulus={"valid": 0.9},
        drive=drive,
        cycles=220,
    )


@family(variants=2)
def gain_control(r: Random, variant: int) -> Draft:
    """Automatic gain: down at once where it is too loud, up again in small steps after a quiet time."""
    width, fraction = r.choice((8, 10)), r.choice((3, 4))
    bits = fraction + r.choice((2, 3))
    down, up = r.choice(((2, 1), (4, 1), (3, 1), (4, 2)))
    period = r.choice((4, 6, 8))
    target = (1 << (width - 1)) * r.choice((5, 6, 7)) // 8
    smallest, unity = r.choice((1, 2, 4)), 1 << fraction
    largest = (1 << bits) - 1 - r.choice((0, 1, 3))
    timer_bits = (period - 1).bit_length()
    total = width + bits + 1
    high, low = (1 << (width - 1)) - 1, -(1 << (width - 1))
    body = (
        """
  assign product = sample * $signed({1'b0, gain});
  assign scaled = product >>> FRACTION;
  assign loud = (scaled > TARGET) || (scaled < -TARGET);

  always_ff @(posedge clk) begin
    if (rst) begin
      gain <= UNITY;
      timer <= '0;
      result <= '0;
    end else if (valid) begin
      // the output never wraps around
      if (scaled > HIGH) result <= HIGH;
      else if (scaled < LOW) result <= LOW;
      else result <= scaled[WIDTH-1:0];

      if (!freeze) begin
        if (loud) begin
          timer <= '0;
          gain <= (gain < SMALLEST + DOWN) ? SMALLEST : gain - DOWN;
        end else if (timer == PERIOD - 1) begin
          timer <= '0;
          gain <= (gain > LARGEST - UP) ? LARGEST : gain + UP;
        end else begin
          timer <= timer + 1'b1; // quiet, but not for long enough
        end
      end
    end
  end
""",
        f"""
  logic signed [WIDTH-1:0] limited;
  logic [{bits}:0] lowered, raised; // with a bit for what goes beyond
  logic [{bits - 1}:0] gain_next;
  logic patient;

  assign product = $signed({{1'b0, gain}}) * sample;
  assign scaled = $signed(product[{total - 1}:FRACTION]);
  assign limited = (scaled < LOW) ? LOW : (scaled > HIGH) ? HIGH : scaled[WIDTH-1:0];
  assign loud = !(scaled <= TARGET && scaled >= -TARGET);
  assign patient = (timer == PERIOD - 1);
  assign lowered = gain - DOWN;
  assign raised = gain + UP;

  // the next gain, kept within its limits
  always_comb begin
    gain_next = gain;
    if (loud) begin
      gain_next = lowered[{bits - 1}:0];
      if (lowered[{bits}] || lowered < SMALLEST) gain_next = SMALLEST;
    end else if (patient) begin
      gain_next = raised[{bits - 1}:0];
      if (raised > LARGEST) gain_next = LARGEST;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      gain <= UNITY;
      timer <= '0;
    end else if (valid && !freeze) begin
      gain <= gain_next;
      timer <= (loud || patient) ? '0 : timer + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) result <= '0;
    else if (valid) result <= limited;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.gain, s.timer, s.result = unity, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"result": to_bits(s.result, width), "gain": s.gain}
        if i.valid:
            scaled = to_signed(i.sample, width) * s.gain >> fraction
            s.result = saturated(scaled, width, signed=True)
            if not i.freeze:
                loud = abs(scaled) > target
                if loud:
                    s.gain = max(smallest, s.gain - down)
                elif s.timer == period - 1:
                    s.gain = min(largest, s.gain + up)
                s.timer = 0 if loud else (s.timer + 1) % period
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.02 or not hasattr(s, "top"):
            s.top = r.choice((2, high // 6, high // 2, high, high))
        return {"sample": to_bits(r.choice((r.randint(-s.top, s.top), s.top, -s.top)), width)}

    return Draft(
        rtl=f"""
module gain_control #(
  parameter int WIDTH = {width},
  parameter int FRACTION = {fraction}, // of the gain
  parameter int PERIOD = {period},
  parameter int TARGET = {target}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic freeze,
  input logic signed [WIDTH-1:0] sample,
  output logic signed [WIDTH-1:0] result,
  output logic [{bits - 1}:0] gain
);
  localparam int UNITY = {unity};
  localparam int SMALLEST = {smallest};
  localparam int LARGEST = {largest};
  localparam int DOWN = {down};
  localparam int UP = {up};
  localparam int HIGH = {high};
  localparam int LOW = {low};
  logic signed [{total - 1}:0] product;
  logic signed [{total - fraction - 1}:0] scaled; // before limiting
  logic loud;
  logic [{timer_bits - 1}:0] timer;
  {body}
endmodule
""",
        about=f"""Automatic gain control for signed {width}-bit samples. `gain` has {fraction} bits of fraction and
            starts at {unity}, which is one. With each `valid`, `sample` times `gain`, shifted right by {fraction}
            (rounded down), is put on `result`, limited to {low} to {high}. Unless `freeze` is high, the gain then
            follows: where the scaled value, before limiting, is above {target} or below -{target}, it falls by {down},
            to {smallest} at least; after each {period} samples in a row that were not so loud it rises by {up}, to
            {largest} at most. `freeze` stops gain and count of quiet samples.""",
        model=Machine(reset, step),
        names=("agc", "auto_gain", "leveller"),
        stimulus={"valid": 0.95, "freeze": 0.05},
        drive=drive,
        cycles=400,
    )
