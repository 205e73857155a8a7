"""Small decisions: which lamp, which valve, which gear, and machines that switch things on and off."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def vehicle_lamps(r: Random, variant: int) -> Draft:
    """Which lamps of a car are lit, from its switches."""
    automatic = r.random() < 0.6
    cut = r.random() < 0.6
    fog_needs_low = r.random() < 0.5
    low = r.random() < 0.35
    off, on = ("1'b1", "1'b0") if low else ("1'b0", "1'b1")
    inv = "~" if low else ""
    positions = r.sample(("OFF", "PARK", "ON", "AUTO"), 4) if r.random() < 0.4 else ["OFF", "PARK", "ON", "AUTO"]
    if not automatic:
        positions = [name for name in positions if name != "AUTO"]
    code = {name: k for k, name in enumerate(positions)}
    places = "\n".join(f"  localparam logic [1:0] {name} = 2'd{k};" for name, k in code.items())
    driving_auto = "(switch_pos == AUTO && dark && ignition)"
    driving = "(switch_pos == ON && ignition)" + (f" || {driving_auto}" if automatic else "")
    fog_base = "driving" if fog_needs_low else "(driving || switch_pos == PARK)"
    names = ("park_lamp", "low_beam", "high_beam", "rear_fog", "brake_lamp")
    equations = f"""
{places}
  logic driving;

  assign driving = {driving};
  assign park_lamp = {inv}(driving | (switch_pos == PARK));
  assign low_beam = {inv}{"(driving & ~(stalk_high | flash))" if cut else "driving"};
  // flashing works without the switch
  assign high_beam = {inv}((driving & stalk_high) | (flash & ignition));
  assign rear_fog = {inv}({fog_base} & fog_button);
  assign brake_lamp = {inv}(brake);
"""
    ladder = f"""
{places}

  always_comb begin
    park_lamp = {off};
    low_beam = {off};
    high_beam = {off};
    rear_fog = {off};
    brake_lamp = {off};
    if (brake) brake_lamp = {on};
    if (flash && ignition) high_beam = {on}; // works without the switch
    if ((switch_pos == ON && ignition){" || (switch_pos == AUTO && dark && ignition)" if automatic else ""}) begin
      park_lamp = {on};
      {f"if (!stalk_high && !flash) low_beam = {on};" if cut else f"low_beam = {on};"}
      if (stalk_high) high_beam = {on};
      if (fog_button) rear_fog = {on};
    end else if (switch_pos == PARK) begin
      park_lamp = {on};
      {"" if fog_needs_low else f"if (fog_button) rear_fog = {on};"}
    end
  end
"""
    arms = {
        "PARK": "lit = {1'b0, 1'b0, 1'b1};",
        "ON": "lit = {ignition, ignition, ignition};",
        "AUTO": "lit = {3{dark & ignition}};",
    }
    rows = "\n".join(f"      2'd{code[name]}: {arms[name]} // {name.lower()}" for name in positions if name != "OFF")
    rows = rows.replace("{1'b0, 1'b0, 1'b1}", "3'b001").replace("{ignition, ignition, ignition}", "{3{ignition}}")
    fog = "lit[1]" if fog_needs_low else "lit[0]"
    cased = f"""
  logic [2:0] lit; // high beam allowed, low beam allowed, parking lamp

  always_comb begin
    case (switch_pos)
{rows}
      default: lit = 3'b000;
    endcase
  end

  assign {{brake_lamp, rear_fog, high_beam, low_beam, park_lamp}} = {inv}{{
    brake,
    {fog} && fog_button,
    (lit[2] && stalk_high) || (flash && ignition),
    lit[1]{" && !stalk_high && !flash" if cut else ""},
    lit[0]
  }};
"""
    body = (equations, ladder, cased)[variant]

    def model(i: Pins) -> Outputs:
        place = positions[i.switch_pos] if i.switch_pos < len(positions) else "OFF"
        driving = bool(i.ignition and (place == "ON" or (place == "AUTO" and i.dark)))
        lamps = {
            "park_lamp": driving or place == "PARK",
            "low_beam": driving and not (cut and (i.stalk_high or i.flash)),
            "high_beam": (driving and i.stalk_high) or (i.flash and i.ignition),
            "rear_fog": i.fog_button and (driving or (not fog_needs_low and place == "PARK")),
            "brake_lamp": i.brake,
        }
        return {name: int(bool(lamps[name])) ^ low for name in names}

    listing = ", ".join(f"{k} {name.lower()}" for k, name in enumerate(positions))
    return Draft(
        rtl=f"""
module vehicle_lamps (
  input logic ignition,
  input logic [1:0] switch_pos,
  {"input logic dark," if automatic else ""}
  input logic stalk_high,
  input logic flash,
  input logic fog_button,
  input logic brake,
  output logic park_lamp,
  output logic low_beam,
  output logic high_beam,
  output logic rear_fog,
  output logic brake_lamp
);
  {body}
endmodule
""",
        about=f"""Decides which lamps of a car are lit ({
            "0" if low else "1"
        } at the output), without a clock. `switch_pos`
            is {listing}{"" if automatic else ", and 3 like off"}. The car has driving light with `ignition` on and the
            switch in on{", or in auto while it is `dark`" if automatic else ""}. `park_lamp`: with driving light, or in
            park. `low_beam`: with driving light{
            ", but not while `stalk_high` or `flash` is high" if cut else ""
        }. `high_beam`: with driving light and `stalk_high`, and whenever `flash` and `ignition` are high. `rear_fog`:
            with `fog_button` and driving light{"" if fog_needs_low else ", or in park"}. `brake_lamp` follows `brake`
            always.""",
        model=model,
        names=("car_lights", "lamp_logic", "light_control", "lighting"),
        stimulus={"ignition": 0.8, "switch_pos": range(4), "flash": 0.3},
        cycles=140,
    )


@family(variants=3)
def gear_display(r: Random, variant: int) -> Draft:
    """Recommends a gear from speed and pedal, and says to shift up or down."""
    gears = r.choice((4, 5, 6))
    tops: list[int] = []
    speed = r.randrange(10, 20)
    for _ in range(gears - 1):
        tops.append(speed)
        speed += r.randrange(12, 26)
    sport = r.choice((8, 12, 16))
    strong = r.random() < 0.5
    compare = ">=" if strong else ">"
    below = "<" if strong else "<="
    chain = "\n".join(
        f"    {'if' if k == 0 else 'else if'} (speed {below} limit_{k}) wanted = 3'd{k + 1};" for k in range(gears - 1)
    )
    limits = "\n".join(f"  assign limit_{k} = 8'd{top} + shift_by;" for k, top in enumerate(tops))
    wires = ", ".join(f"limit_{k}" for k in range(gears - 1))
    passed = "\n".join(f"  assign passed[{k}] = (speed {compare} 8'd{top} + shift_by);" for k, top in enumerate(tops))
    count = " + ".join(["3'd1", *(f"passed[{k}]" for k in range(gears - 1))])
    nested = " :\n    ".join(f"(speed {compare} limit_{k}) ? 3'd{k + 2}" for k in reversed(range(gears - 1)))
    body = (
        f"""
  logic [7:0] {wires};

{limits}

  // the first gear that is fast enough
  always_comb begin
{chain}
    else wanted = 3'd{gears};
  end
""",
        f"""
  logic [{gears - 2}:0] passed; // how many gears are too slow

{passed}
  assign wanted = {count};
""",
        f"""
  logic [7:0] {wires};

{limits}
  assign wanted = {nested} : 3'd1;
""",
    )[variant]
    arrows = (
        """
  always_comb begin
    shift_up = 1'b0;
    shift_down = 1'b0;
    if (gear != 0 && !clutch) begin
      if (wanted > gear) shift_up = 1'b1;
      else if (wanted < gear) shift_down = 1'b1;
    end
  end
""",
        """
  assign shift_up = (gear != 3'd0) & ~clutch & (gear < wanted);
  assign shift_down = (gear != 3'd0) & ~clutch & (gear > wanted);
""",
        """
  logic shown;

  assign shown = !(clutch || gear == 3'd0); // nothing to say in neutral
  assign shift_up = shown && wanted > gear;
  assign shift_down = shown && wanted < gear;
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        by = sport if i.sport else 0
        wanted = 1 + sum(i.speed >= top + by if strong else i.speed > top + by for top in tops)
        shown = i.gear != 0 and not i.clutch
        return {
            "wanted": wanted,
            "shift_up": int(shown and wanted > i.gear),
            "shift_down": int(shown and wanted < i.gear),
        }

    def speeds(r: Random) -> int:
        near = r.choice(tops) + r.choice((0, sport)) + r.choice((-1, 0, 1))
        return near if r.random() < 0.6 else r.randrange(0, tops[-1] + 30)

    listing = ", ".join(f"{k + 2} from {top if strong else top + 1}" for k, top in enumerate(tops))
    return Draft(
        rtl=f"""
module gear_display (
  input logic [7:0] speed,
  input logic [2:0] gear, // 0 is neutral
  input logic clutch,
  input logic sport,
  output logic [2:0] wanted,
  output logic shift_up,
  output logic shift_down
);
  logic [7:0] shift_by;

  assign shift_by = sport ? 8'd{sport} : 8'd0; // later shifts
  {body}
  {arrows}
endmodule
""",
        about=f"""Gear recommendation of a car with {gears} gears, without a clock. `wanted` is the best gear for
            `speed`: 1 at first, and {listing}; with `sport` high each of these speeds is {sport} more. While `gear`,
            the one that is in, is not 0 and `clutch` is low, `shift_up` is high where `wanted` is above it and
            `shift_down` where it is below.""",
        model=model,
        names=("shift_indicator", "gear_advisor", "gear_select", "gear_hint"),
        stimulus={"speed": speeds, "gear": range(gears + 1), "clutch": 0.2},
        cycles=200,
    )


@family(variants=3)
def room_thermostat(r: Random, variant: int) -> Draft:
    """Heats and cools with hysteresis, and lets the compressor rest."""
    bits = r.choice((6, 7, 8))
    gap = r.choice((1, 2, 3))
    rest = r.choice((3, 4, 6, 8))
    fan_mode = r.random() < 0.6
    timer_bits = rest.bit_length()
    wide = bits + 1
    machine = """
  typedef enum logic [1:0] {IDLE, HEAT, COOL, REST} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      IDLE: begin
        if (too_cold) state_next = HEAT;
        else if (too_warm) state_next = COOL;
      end
      HEAT: if (temp >= target) state_next = IDLE;
      COOL: if (temp <= target) state_next = REST;
      REST: if (timer == 0) state_next = IDLE;
      default: state_next = IDLE;
    endcase
    if (!en) state_next = (state == COOL || (state == REST && timer != 0)) ? REST : IDLE;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= '0;
    end else begin
      state <= state_next;
      if (state == COOL) timer <= REST_CYCLES - 1; // the rest begins when cooling ends
      else if (timer != 0) timer <= timer - 1'b1;
    end
  end

  assign heater = (state == HEAT);
  assign compressor = (state == COOL);
"""
    flags = """
  logic resting;

  assign resting = (timer != 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      heater <= 1'b0;
      compressor <= 1'b0;
      timer <= '0;
    end else begin
      if (resting) timer <= timer - 1'b1;
      if (heater) begin
        if (!en || temp >= target) heater <= 1'b0;
      end else if (compressor) begin
        if (!en || temp <= target) begin
          compressor <= 1'b0;
          timer <= REST_CYCLES; // it must not start again at once
        end
      end else if (en && !resting) begin
        heater <= too_cold;
        compressor <= too_warm;
      end
    end
  end
"""
    split = """
  logic heater_next, compressor_next, may_start;

  assign may_start = en && !heater && !compressor && (timer == 0);
  // on below or above the band, off at the target
  assign heater_next = heater ? (en && temp < target) : (may_start && too_cold);
  assign compressor_next = compressor ? (en && temp > target) : (may_start && too_warm);

  always_ff @(posedge clk) begin
    if (rst) {compressor, heater} <= 2'b00;
    else {compressor, heater} <= {compressor_next, heater_next};
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (compressor && !compressor_next) timer <= REST_CYCLES;
    else if (timer != 0) timer <= timer - 1'b1;
  end
"""
    body = (machine, flags, split)[variant]
    fan = "heater | compressor" + (" | fan_on" if fan_mode else "")

    def reset(s: State) -> None:
        s.heat = s.cool = s.timer = 0

    def step(s: State, i: Pins) -> Outputs:
        fan = s.heat or s.cool or (fan_mode and i.fan_on)
        out = {"heater": s.heat, "compressor": s.cool, "fan": int(bool(fan))}
        timer = max(s.timer - 1, 0)
        if s.heat:
            s.heat = int(i.en and i.temp < i.target)
        elif s.cool:
            s.cool = int(i.en and i.temp > i.target)
            if not s.cool:
                timer = rest
        elif i.en and not s.timer:
            s.heat, s.cool = int(i.temp + gap < i.target), int(i.temp > i.target + gap)
        s.timer = timer
        return out

    top = (1 << bits) - 1

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "warmth"):
            s.warmth, s.goal, s.drift = top // 2, top // 2, 1
        if r.random() < 0.04:
            s.goal = r.randrange(top // 4, 3 * top // 4)
            s.warmth = max(0, min(top, s.goal + r.randrange(-5, 6)))
        if r.random() < 0.05:
            s.drift = -s.drift
        move = 1 if s.heat else -1 if s.cool else s.drift
        if r.random() < 0.7:
            s.warmth = max(0, min(top, s.warmth + move))
        return {"temp": s.warmth, "target": s.goal}

    return Draft(
        rtl=f"""
module room_thermostat #(
  parameter int GAP = {gap}, // how far from the target it starts
  parameter int REST_CYCLES = {rest}
) (
  input logic clk,
  input logic rst,
  input logic en,
  {"input logic fan_on," if fan_mode else ""}
  input logic [{bits - 1}:0] temp,
  input logic [{bits - 1}:0] target,
  output logic heater,
  output logic compressor,
  output logic fan
);
  logic [{timer_bits - 1}:0] timer; // how long the compressor still rests
  logic too_cold, too_warm;

  assign too_cold = ({{1'b0, temp}} + {wide}'d{gap} < {{1'b0, target}});
  assign too_warm = ({{1'b0, temp}} > {{1'b0, target}} + {wide}'d{gap});
  {body}
  assign fan = {fan};
endmodule
""".replace(f"{wide}'d{gap}", "GAP"),
        about=f"""Thermostat. With both off and `en` high, `heater` goes on when `temp` is more than {
            gap
        } below `target`,
            and `compressor` when it is more than {
            gap
        } above; each goes off when `temp` reaches `target` or `en` is low.
            All this is seen at the outputs in the next cycle. After the compressor went off, neither starts for
            {rest} cycles: the earliest start is decided in cycle {
            rest + 1
        } of its being off. `fan` is high with either{
            " and while `fan_on` is high" if fan_mode else ""
        }. Everything is off after reset.""",
        model=Machine(reset, step),
        names=("climate_control", "hvac", "temp_control", "room_thermostat"),
        stimulus={"en": 0.95, "fan_on": 0.3},
        drive=drive,
        cycles=320,
    )


_MODES = (
    ("the speed of a fan", ("LOW", "MEDIUM", "HIGH"), ("fan_mode", "fan_switch")),
    ("a torch", ("BRIGHT", "DIM", "BLINK"), ("torch", "flashlight", "torch_mode")),
    ("a bicycle lamp", ("STEADY", "FLASH", "PULSE", "SAVE"), ("bike_lamp", "lamp_mode")),
    ("a massage seat", ("WAVE", "KNEAD"), ("seat_mode", "mode_button")),
)


@family(variants=3)
def mode_switch(r: Random, variant: int) -> Draft:
    """One button steps through modes; held long, it turns everything off."""
    what, modes, names = r.choice(_MODES)
    hold = r.choice((4, 6, 8, 10))
    remembers = r.random() < 0.4
    after_last = r.choice(("off", "first"))
    count = len(modes)
    bits = count.bit_length()
    hold_bits = hold.bit_length()
    wrap = "OFF" if after_last == "off" else modes[0]
    arms = "\n".join(
        f"      {name}: if (tapped) mode_next = {modes[k + 1] if k + 1 < count else wrap};"
        for k, name in enumerate(modes)
    )
    wake = "kept" if remembers else modes[0]
    constants = "\n".join(
        f"  localparam logic [{bits - 1}:0] {name} = {bits}'d{k};" for k, name in enumerate(("OFF", *modes))
    )
    remember = f"""
  // the mode to come back to
  always_ff @(posedge clk) begin
    if (rst) kept <= {bits}'d1;
    else if (mode != 0) kept <= mode;
  end
"""
    cased = f"""
{constants}
  logic [{bits - 1}:0] mode_next;

  always_comb begin
    mode_next = mode;
    case (mode)
      OFF: if (tapped) mode_next = {wake};
{arms}
      default: mode_next = OFF;
    endcase
    if (held) mode_next = OFF;
  end

  always_ff @(posedge clk) begin
    if (rst) mode <= OFF;
    else mode <= mode_next;
  end
"""
    counted = f"""
  localparam logic [{bits - 1}:0] LAST = {bits}'d{count};

  always_ff @(posedge clk) begin
    if (rst) begin
      mode <= '0;
    end else if (held) begin
      mode <= '0;
    end else if (tapped) begin
      if (mode == 0) mode <= {"kept" if remembers else f"{bits}'d1"};
      else if (mode == LAST) mode <= {"'0" if after_last == "off" else f"{bits}'d1"};
      else mode <= mode + 1'b1;
    end
  end
"""
    ternary = f"""
  logic [{bits - 1}:0] following;

  // where a short press leads
  assign following = (mode == 0) ? {"kept" if remembers else f"{bits}'d1"} : (mode == {count}) ? {
        f"{bits}'d0" if after_last == "off" else f"{bits}'d1"
    } : mode + 1'b1;

  always_ff @(posedge clk) begin
    if (rst) mode <= '0;
    else mode <= held ? {bits}'d0 : tapped ? following : mode;
  end
"""
    body = (cased, counted, ternary)[variant]

    def reset(s: State) -> None:
        s.mode, s.kept, s.count, s.before = 0, 1, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        held = i.button and s.count == hold - 1
        tapped = not i.button and 0 < s.count < hold
        out = {"mode": s.mode, "lit": int(s.mode != 0)}
        old = s.mode
        if held:
            s.mode = 0
        elif tapped:
            if old == 0:
                s.mode = s.kept if remembers else 1
            elif old == count:
                s.mode = 0 if after_last == "off" else 1
            else:
                s.mode = old + 1
        if old:
            s.kept = old
        s.count = min(s.count + 1, hold) if i.button else 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.down = not getattr(s, "down", False)
            left = r.choice((1, 2, 2, 3, hold - 1, hold, hold + 3)) if s.down else r.choice((1, 2, 3))
        s.left = left - 1
        return {"button": int(s.down)}

    listing = ", ".join(f"{k} {name.lower()}" for k, name in enumerate(("OFF", *modes)))
    return Draft(
        rtl=f"""
module mode_switch #(
  parameter int HOLD = {hold}
) (
  input logic clk,
  input logic rst,
  input logic button, // debounced
  output logic [{bits - 1}:0] mode, // {listing}
  output logic lit
);
  logic [{hold_bits - 1}:0] count; // how long the button has been down, up to `HOLD`
  logic tapped, held;
  {f"logic [{bits - 1}:0] kept;" if remembers else ""}

  assign held = button && (count == HOLD - 1);
  assign tapped = !button && (count != 0) && (count < HOLD);
  assign lit = (mode != 0);

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (!button) count <= '0;
    else if (count < HOLD) count <= count + 1'b1;
  end
  {body}
  {remember if remembers else ""}
endmodule
""",
        about=f"""One button chooses the mode of {what}: `mode` is {listing}, off after reset. A press of fewer than {
            hold
        }
            cycles steps on when it ends: from off to {
            f"the mode that was on last ({modes[0].lower()} at first)" if remembers else modes[0].lower()
        }, from each mode to the next one, and from {modes[-1].lower()} to {
            "off" if after_last == "off" else modes[0].lower()
        }. When `button` is high in the {hold}th cycle in a row, the mode becomes off, and the end of that press does
            nothing. `lit` is high in every mode but off.""",
        model=Machine(reset, step),
        names=names,
        drive=drive,
        cycles=260,
    )


@family(variants=3)
def tank_filler(r: Random, variant: int) -> Draft:
    """Opens an inlet and a drain by floats, and gives an alarm where the floats contradict each other."""
    mixes = r.random() < 0.5
    pump_wait = r.choice((0, 2, 3, 4))
    sticky = r.random() < 0.5
    bits = max(1, pump_wait.bit_length())
    wait_state = pump_wait > 0
    states = ["EMPTY", "FILL", *(["SETTLE"] if wait_state else []), "FULL", "DRAIN"]
    sbits = (len(states) - 1).bit_length()
    after_fill = "SETTLE" if wait_state else "FULL"
    arms = f"""
      EMPTY: if (start) state_next = FILL;
      FILL: if (float_high) state_next = {after_fill};
      {"SETTLE: if (timer == 0) state_next = FULL;" if wait_state else ""}
      FULL: if (empty_it) state_next = DRAIN;
      DRAIN: if (!float_low) state_next = EMPTY;
      default: state_next = EMPTY;"""
    timer = f"""
  logic [{bits - 1}:0] timer;

  // set while filling, runs down afterwards
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (state == FILL) timer <= {bits}'d{pump_wait - 1};
    else if (timer != 0) timer <= timer - 1'b1;
  end
"""
    two = f"""
  typedef enum logic [{sbits - 1}:0] {{{", ".join(states)}}} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      {arms}
    endcase
    if (fault) state_next = state; // nothing moves on
  end

  always_ff @(posedge clk) begin
    if (rst) state <= EMPTY;
    else state <= state_next;
  end

{timer if wait_state else ""}

  assign inlet = (state == FILL) && !fault;
  assign drain = (state == DRAIN) && !fault;
  {"assign mixer = (state == FILL || state == SETTLE) && float_low && !fault;" if mixes and wait_state else ""}
  {"assign mixer = (state == FILL) && float_low && !fault;" if mixes and not wait_state else ""}
  assign ready = (state == FULL);
"""
    if wait_state and variant == 0:
        two = two.replace("    else if (timer != 0) timer", "    else if (timer != 0 && !fault) timer")
    one = f"""
  localparam logic [{sbits - 1}:0] {", ".join(f"{name} = {sbits}'d{k}" for k, name in enumerate(states))};
  logic [{sbits - 1}:0] state;
  {f"logic [{bits - 1}:0] timer;" if wait_state else ""}

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= EMPTY;
      {"timer <= '0;" if wait_state else ""}
    end else if (!fault) begin
      case (state)
        EMPTY: if (start) state <= FILL;
        FILL: begin
          {f"timer <= {bits}'d{pump_wait - 1};" if wait_state else ""}
          if (float_high) state <= {after_fill};
        end
        {"SETTLE: begin if (timer == 0) state <= FULL; else timer <= timer - 1'b1; end" if wait_state else ""}
        FULL: if (empty_it) state <= DRAIN;
        DRAIN: if (!float_low) state <= EMPTY;
        default: state <= EMPTY;
      endcase
    end
  end

  // valves close at once on a fault
  always_comb begin
    inlet = 1'b0;
    drain = 1'b0;
    {"mixer = 1'b0;" if mixes else ""}
    ready = 1'b0;
    case (state)
      FILL: begin
        inlet = !fault;
        {"mixer = float_low && !fault;" if mixes else ""}
      end
      {"SETTLE: mixer = float_low && !fault;" if mixes and wait_state else ""}
      FULL: ready = 1'b1;
      DRAIN: drain = !fault;
      default: ;
    endcase
  end
"""
    flags = f"""
  logic filling, full, draining;
  {f"logic settling;{chr(10)}  logic [{bits - 1}:0] timer;" if wait_state else ""}

  // one flip-flop for each thing that goes on
  always_ff @(posedge clk) begin
    if (rst) begin
      filling <= 1'b0;
      {"settling <= 1'b0;" if wait_state else ""}
      {"timer <= '0;" if wait_state else ""}
      full <= 1'b0;
      draining <= 1'b0;
    end else if (!fault) begin
      if (filling && float_high) begin
        filling <= 1'b0;
        {f"settling <= 1'b1; timer <= {bits}'d{pump_wait - 1};" if wait_state else "full <= 1'b1;"}
      end
      {
        '''if (settling) begin
        timer <= timer - 1'b1;
        if (timer == 0) begin
          settling <= 1'b0;
          full <= 1'b1;
        end
      end'''
        if wait_state
        else ""
    }
      if (full && empty_it) begin
        full <= 1'b0;
        draining <= 1'b1;
      end
      if (draining && !float_low) draining <= 1'b0;
      if (start && !(filling || {"settling || " if wait_state else ""}full || draining)) filling <= 1'b1;
    end
  end

  assign inlet = filling & ~fault;
  assign drain = draining & ~fault;
  {f"assign mixer = {'(filling | settling)' if wait_state else 'filling'} & float_low & ~fault;" if mixes else ""}
  assign ready = full;
"""
    body = (two, one, flags)[variant]
    latch = """
  logic failed;

  always_ff @(posedge clk) begin
    if (rst) failed <= 1'b0;
    else if (contradiction) failed <= 1'b1;
    else if (ack) failed <= 1'b0;
  end

  assign fault = failed | contradiction;
"""

    def reset(s: State) -> None:
        s.state, s.timer, s.failed, s.water = "EMPTY", 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        wrong = i.float_high and not i.float_low
        fault = bool(wrong or (sticky and s.failed))
        out = {
            "inlet": int(s.state == "FILL" and not fault),
            "drain": int(s.state == "DRAIN" and not fault),
            "ready": int(s.state == "FULL"),
            "alarm": int(fault),
        }
        if mixes:
            out["mixer"] = int(s.state in ("FILL", "SETTLE") and i.float_low and not fault)
        s.water += (2 if out["inlet"] else 0) - (2 if out["drain"] else 0)
        s.failed = int(bool(wrong or (s.failed and not i.ack))) if sticky else 0
        if fault:
            return out
        if s.state == "EMPTY" and i.start:
            s.state = "FILL"
        elif s.state == "FILL" and i.float_high:
            s.state, s.timer = after_fill, pump_wait - 1
        elif s.state == "SETTLE":
            if s.timer == 0:
                s.state = "FULL"
            s.timer -= 1
        elif s.state == "FULL" and i.empty_it:
            s.state = "DRAIN"
        elif s.state == "DRAIN" and not i.float_low:
            s.state = "EMPTY"
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        wrong = r.random() < 0.04
        return {"float_low": int(s.water >= 3 and not wrong), "float_high": int(s.water >= 9 or wrong)}

    return Draft(
        rtl=f"""
module tank_filler (
  input logic clk,
  input logic rst,
  input logic start,
  input logic empty_it,
  input logic float_low, // high: water above the lower float
  input logic float_high, // high: water above the upper float
  {"input logic ack," if sticky else ""}
  output logic inlet,
  output logic drain,
  {"output logic mixer," if mixes else ""}
  output logic ready,
  output logic alarm
);
  logic contradiction, fault;

  // above the upper float, but not above the lower one
  assign contradiction = float_high & ~float_low;
  {latch if sticky else "assign fault = contradiction;"}
  assign alarm = fault;
  {body}
endmodule
""",
        about=f"""Controller of a tank. Empty after reset, it waits for `start`, opens `inlet` until `float_high` is
            seen, {
            f"lets the water settle for {pump_wait} cycles, then" if wait_state else "then"
        } shows `ready` until `empty_it`, and opens `drain` until `float_low` is low, when it waits for `start` again.
            Each step takes effect in the next cycle. {
            "`mixer` runs while the tank fills" + (" or settles" if wait_state else "") + " and `float_low` is high. "
            if mixes
            else ""
        }`float_high` without `float_low` is a contradiction: `alarm` is high, `inlet`, `drain`{
            " and `mixer`" if mixes else ""
        } are low at once and the state stays as it is{
            "; this goes on after it until a cycle with `ack` and without the contradiction is over" if sticky else ""
        }.""",
        model=Machine(reset, step),
        names=("tank_control", "water_tank", "fill_controller", "batch_tank"),
        stimulus={"start": 0.4, "empty_it": 0.35, "ack": 0.4},
        drive=drive,
        cycles=260,
    )
