"""What cars and trains need: indicators, wipers, gears and crossings."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def turn_signals(r: Random, variant: int) -> Draft:
    """Indicators with a lever, hazard lights and flashing that always begins lit."""
    half = r.choice((3, 4, 5))
    bits = (half - 1).bit_length()
    comfort = r.choice((0, 2, 3))
    fbits = max(1, comfort.bit_length())
    lamps = r.choice((1, 3))  # lamps a side: all at once, or one after the other
    hold = (
        """
  // a short touch gives some flashes all the same
  always_ff @(posedge clk) begin
    if (rst) begin
      flashes <= '0;
      side <= '0;
    end else if (hazard) begin
      flashes <= '0;
    end else if (lever_left || lever_right) begin
      flashes <= FLASHES;
      side <= {lever_left, lever_right && !lever_left};
    end else if (flash_end && flashes != 0) begin
      flashes <= flashes - 1'b1;
    end
  end

  assign wanted = hazard ? 2'b11 : lever_left ? 2'b10 : lever_right ? 2'b01 : (flashes != 0) ? side : 2'b00;
"""
        if comfort
        else """
  // left and right; the hazard lights go before the lever
  always_comb begin
    wanted = 2'b00;
    if (hazard) wanted = 2'b11;
    else if (lever_left) wanted = 2'b10;
    else if (lever_right) wanted = 2'b01;
  end
"""
    )
    timed = """
  always_ff @(posedge clk) begin
    if (rst) begin
      timer <= '0;
      dark <= 1'b0;
      wanted_prev <= '0;
    end else begin
      wanted_prev <= wanted;
      if (wanted == 0 || restart) begin
        timer <= '0;
        dark <= 1'b0;
      end else if (timer == HALF - 1) begin
        timer <= '0;
        dark <= ~dark;
      end else begin
        timer <= timer + 1'b1;
      end
    end
  end

  assign flash_end = dark && (timer == HALF - 1);
"""
    one_count = f"""
  logic [{bits}:0] count; // over a whole flash, the dark half last

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (wanted == 0 || restart || flash_end) count <= '0;
    else count <= count + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) wanted_prev <= '0;
    else wanted_prev <= wanted;
  end

  assign flash_end = (count == 2 * HALF - 1);
  assign dark = (count >= HALF);
  assign timer = dark ? count - HALF : count;
"""
    machine = """
  typedef enum logic [1:0] {OFF, LIT, DARK} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      OFF: if (wanted != 0) state_next = LIT;
      LIT: if (timer == HALF - 1) state_next = DARK;
      DARK: if (timer == HALF - 1) state_next = LIT;
      default: state_next = OFF;
    endcase
    if (wanted == 0) state_next = OFF;
    else if (restart) state_next = LIT;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= OFF;
      timer <= '0;
      wanted_prev <= '0;
    end else begin
      state <= state_next;
      wanted_prev <= wanted;
      timer <= (wanted == 0 || restart || timer == HALF - 1) ? '0 : timer + 1'b1;
    end
  end

  assign dark = (state == DARK);
  assign flash_end = (state == DARK) && (timer == HALF - 1);
"""
    body = (timed, one_count, machine)[variant]
    # Sequential lamps: one more in each cycle of the lit half, from the inside.
    shown = (
        """
  logic [2:0] lit;

  // one lamp more in each cycle, from the inside
  assign lit = (dark || restart) ? 3'b000 : (timer == 0) ? 3'b001 : (timer == 1) ? 3'b011 : 3'b111;
  assign left = lit & {3{wanted[1]}};
  assign right = lit & {3{wanted[0]}};
"""
        if lamps == 3
        else """
  assign left = wanted[1] && !dark && !restart;
  assign right = wanted[0] && !dark && !restart;
"""
    )

    def reset(s: State) -> None:
        s.prev = s.time = s.left = s.side = 0

    def step(s: State, i: Pins) -> Outputs:
        lever = 2 if i.lever_left else 1 if i.lever_right else 0
        wanted = 3 if i.hazard else lever or (s.side if s.left else 0)
        restart = wanted and wanted != s.prev and s.prev
        on = 0
        if s.time < half and not restart:
            on = (1 << min(lamps, s.time + 1)) - 1
        out = {"left": on if wanted & 2 else 0, "right": on if wanted & 1 else 0}
        end = s.time == 2 * half - 1
        if comfort:
            if i.hazard:
                s.left = 0
            elif lever:
                s.left, s.side = comfort, lever
            elif end and s.left:
                s.left -= 1
        s.time = 0 if not wanted or restart or end else s.time + 1
        s.prev = wanted
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if getattr(s, "hold", 0) == 0:
            s.pins = r.choice(((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 0), (0, 0, 0)))
            s.hold = r.choice((1, 2, half, 2 * half + 1, 5 * half))
            if s.pins == (0, 0, 0):
                s.hold = r.choice((1, half, 2 * half * (comfort + 1) + 2))
        s.hold -= 1
        return dict(zip(("lever_left", "lever_right", "hazard"), s.pins, strict=True))

    vector = "[2:0] " if lamps == 3 else ""
    lights = (
        "the three lamps of a wanted side come on one after the other, bit 0 in the first cycle, bit 1 in the"
        " second, bit 2 in the third, and stay"
        if lamps == 3
        else "the lamp of each wanted side is on"
    )
    return Draft(
        rtl=f"""
module turn_signals #(
  parameter int HALF = {half} // cycles lit, and as many dark
) (
  input logic clk,
  input logic rst,
  input logic lever_left,
  input logic lever_right,
  input logic hazard,
  output logic {vector}left,
  output logic {vector}right
);
  {f"localparam int FLASHES = {comfort};" if comfort else ""}
  {f"logic [{fbits - 1}:0] flashes;" if comfort else ""}
  {"logic [1:0] side;" if comfort else ""}
  logic [{bits - 1}:0] timer;
  logic [1:0] wanted, wanted_prev; // left, right
  logic dark, restart, flash_end;

  // from one direction to another the rhythm begins anew
  assign restart = (wanted != 0) && (wanted_prev != 0) && (wanted != wanted_prev);
  {hold}
  {body}
  {shown}
endmodule
""",
        about=f"""Turn signals of a car. Wanted are both sides with `hazard`, else the left one with `lever_left`,
            else the
            right one with `lever_right`{
            f''', else, for as long as
            flashes are left, the side of the lever when it was last used; using the lever makes {comfort} flashes
            left from
            the next cycle on, the end of each flash without the lever takes one off, and `hazard` takes all'''
            if comfort
            else ""
        }. While any is wanted flashes follow each other, the first from the first such cycle on: {half} cycles lit, {
            half
        }
            dark. Lit, {lights}; all others are dark. In a cycle in which another side is wanted than in the one before
            (and any in both) all is dark, and a new flash begins with the next cycle; that cycle counts for no flash.{
            " A flash ends with the last cycle of its dark half." if comfort else ""
        }""",
        model=Machine(reset, step),
        names=("indicator_control", "blinker", "hazard_flasher"),
        drive=drive,
        cycles=300,
    )


@family(variants=3)
def wiper_control(r: Random, variant: int) -> Draft:
    """Windscreen wipers: single, intermittent and continuous strokes, ending at the parking place."""
    short, long = r.choice((3, 4, 5)), r.choice((8, 10, 12))
    bits = long.bit_length()
    washed = r.choice((1, 2, 3))
    washer = r.random() < 0.6
    codes = [0, *r.sample((1, 2, 3), 3)]
    constants = "\n".join(
        f"  localparam logic [1:0] {name} = 2'd{code};"
        for name, code in zip(("OFF", "INTERVAL", "SLOW", "FAST"), codes, strict=True)
    )
    more = "(extra != 0) || " if washer else ""
    machine = """
  typedef enum logic [1:0] {PARKED, STROKE, PAUSE} state_t;
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= PARKED;
      timer <= '0;
    end else begin
      case (state)
        PARKED: if (go) state <= STROKE;
        STROKE: if (arrived && !steady) begin
          if (mode == INTERVAL) begin
            state <= PAUSE;
            timer <= pause_time;
          end else begin
            state <= PARKED;
          end
        end
        default: begin
          if (steady) state <= STROKE;
          else if (mode == OFF) state <= PARKED;
          else if (timer == 1) state <= STROKE;
          else timer <= timer - 1'b1;
        end
      endcase
    end
  end

  assign motor = (state == STROKE);
"""
    parted = """
  typedef enum logic [1:0] {PARKED, STROKE, PAUSE} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      PARKED: if (go) state_next = STROKE;
      STROKE: if (arrived && !steady) state_next = (mode == INTERVAL) ? PAUSE : PARKED;
      PAUSE: begin
        if (steady || (mode == INTERVAL && timer == 1)) state_next = STROKE;
        else if (mode == OFF) state_next = PARKED;
      end
      default: state_next = PARKED;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= PARKED;
    else state <= state_next;
  end

  // loaded during the stroke, so that the pause begins with its full time
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (state == STROKE) timer <= pause_time;
    else if (state == PAUSE) timer <= timer - 1'b1;
  end

  assign motor = (state == STROKE);
"""
    flags = """
  logic pausing;

  always_ff @(posedge clk) begin
    if (rst) motor <= 1'b0;
    else if (motor) motor <= !arrived || steady; // a stroke always goes to its end
    else if (pausing) motor <= steady || (mode != OFF && timer == 1);
    else motor <= go;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      pausing <= 1'b0;
      timer <= '0;
    end else if (motor) begin
      pausing <= arrived && !steady && (mode == INTERVAL);
      timer <= pause_time;
    end else if (pausing) begin
      pausing <= (mode == INTERVAL) && !steady && (timer != 1);
      timer <= timer - 1'b1;
    end
  end
"""
    body = (machine, parted, flags)[variant]
    wash_text = (
        """
  // some strokes follow after the washing
  always_ff @(posedge clk) begin
    if (rst) extra <= '0;
    else if (wash) extra <= WASH_STROKES;
    else if (motor && arrived && extra != 0) extra <= extra - 1'b1;
  end

  assign spray = wash;
"""
        if washer
        else ""
    )

    def reset(s: State) -> None:
        s.mode, s.timer, s.extra, s.away = "parked", 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        mode = ("off", "interval", "slow", "fast")[codes.index(i.mode)]
        out = {"motor": int(s.mode == "stroke"), "fast": int(s.mode == "stroke" and mode == "fast")}
        steady = mode in ("slow", "fast") or (washer and (s.extra or i.wash))
        arrived = s.mode == "stroke" and i.park_switch and s.away
        s.away = int(s.mode == "stroke" and not arrived and (not i.park_switch or s.away))
        if washer:
            out["spray"] = i.wash
            if i.wash:
                s.extra = washed
            elif arrived and s.extra:
                s.extra -= 1
        if s.mode == "parked":
            if steady or mode == "interval" or i.single:
                s.mode = "stroke"
        elif s.mode == "stroke":
            if arrived and not steady:
                s.mode, s.timer = ("pause", long if i.long_pause else short) if mode == "interval" else ("parked", 0)
        elif steady:
            s.mode = "stroke"
        elif mode == "off":
            s.mode = "parked"
        else:
            s.timer -= 1
            if s.timer == 0:
                s.mode = "stroke"
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "told") or r.random() < 0.04:
            s.told = r.choice((codes[0], codes[0], codes[1], codes[1], codes[1], codes[2], codes[3]))
        angle = getattr(s, "angle", 0)
        s.angle = (angle + 1) % 5 if s.mode == "stroke" else angle
        return {"mode": s.told, "park_switch": int(s.angle == 0)}

    listing = ", ".join(
        f"{code} {name}" for code, name in sorted(zip(codes, ("off", "interval", "slow", "fast"), strict=True))
    )
    return Draft(
        rtl=f"""
module wiper_control #(
  parameter int SHORT_PAUSE = {short}, // cycles
  parameter int LONG_PAUSE = {long}{f", parameter int WASH_STROKES = {washed}" if washer else ""}
) (
  input logic clk,
  input logic rst,
  input logic [1:0] mode,
  input logic single, // one stroke
  input logic long_pause,
  input logic park_switch, // high at the parking place
  {"input logic wash," if washer else ""}
  {"output logic spray," if washer else ""}
  output logic motor,
  output logic fast
);
{constants}
  logic [{bits - 1}:0] timer, pause_time;
  logic away, arrived, steady, go;
  {"logic [1:0] extra; // strokes still to come after washing" if washer else ""}

  assign pause_time = long_pause ? LONG_PAUSE : SHORT_PAUSE;
  assign steady = {more}{"wash || " if washer else ""}(mode == SLOW) || (mode == FAST);
  assign go = steady || single || (mode == INTERVAL);
  assign fast = motor && (mode == FAST);

  // a stroke has to leave the parking place before it can come back to it
  always_ff @(posedge clk) begin
    if (rst) away <= 1'b0;
    else if (!motor || arrived) away <= 1'b0;
    else if (!park_switch) away <= 1'b1;
  end

  assign arrived = motor && away && park_switch;
  {wash_text}
  {body}
endmodule
""",
        about=f"""Wiper control. `mode` is {listing}. While the wipers are parked, any mode but off{
            ", `wash`" if washer else ""
        } or
            `single` starts the `motor` with the next edge. A stroke arrives in a cycle with `park_switch` high after
            one, in
            this stroke, with it low. If then the mode is slow or fast{
            " or strokes for washing are wanted" if washer else ""
        }
            the motor runs on with the next stroke; else in the interval mode it pauses for {short} cycles, or {
            long
        } with
            `long_pause` high at the arrival, and then makes the next; else the wipers are parked. A pause ends early,
            with the motor on, as soon as strokes go on without a pause, and with the wipers parked when the mode is
            off.
            `fast` is high while the motor runs in the fast mode.{
            f''' `wash` is
            handed on as `spray` at once; in its cycles and until {washed} stroke{"s have" if washed > 1 else " has"}
            arrived
            after the last of them, strokes for washing are wanted.'''
            if washer
            else ""
        }""",
        model=Machine(reset, step),
        names=("windscreen_wiper", "wiper_fsm", "wipers"),
        stimulus={"single": 0.04, "long_pause": 0.4, "wash": 0.03},
        drive=drive,
        cycles=320,
    )


@family(variants=3)
def gear_shifter(r: Random, variant: int) -> Draft:
    """Shifts a gearbox up and down by speed, with the clutch open in between."""
    gears = r.choice((3, 4, 5))
    bits = gears.bit_length()
    ups = sorted(r.sample(range(20, 120, 10), gears - 1))
    band = r.choice((4, 6, 8))
    open_time = r.choice((2, 3, 4))
    tbits = open_time.bit_length()
    kick = r.random() < 0.5
    extra = r.choice((10, 12, 15))
    up_rows = "\n".join(f"      {bits}'d{k + 1}: up_limit = 8'd{up};" for k, up in enumerate(ups))
    down_rows = "\n".join(f"      {bits}'d{k + 2}: down_limit = 8'd{up - band};" for k, up in enumerate(ups))
    limit = f"up_limit + (kickdown ? 8'd{extra} : 8'd0)" if kick else "up_limit"
    tables = f"""
  // speeds at which the present gear is left
  always_comb begin
    case (gear)
{up_rows}
      default: up_limit = 8'd255;
    endcase
  end

  always_comb begin
    case (gear)
{down_rows}
      default: down_limit = 8'd0;
    endcase
  end

  assign want_up = (gear != GEARS) && (speed >= {limit});
  assign want_down = (gear != 1) && (speed < down_limit);
"""
    compares_up = ", ".join(
        f"speed >= 8'd{up}{f' + (kickdown ? 8{chr(39)}d{extra} : 8{chr(39)}d0)' if kick else ''}"
        for up in reversed(ups)
    )
    compares_down = ", ".join(f"speed < 8'd{up - band}" for up in reversed(ups))
    vectors = f"""
  logic [GEARS-2:0] above, below; // for each pair of gears

  assign above = {{{compares_up}}};
  assign below = {{{compares_down}}};
  assign want_up = (gear < GEARS) && above[gear-1];
  assign want_down = (gear > 1) && below[gear-2];
"""
    machine = """
  typedef enum logic [1:0] {DRIVE, OPEN, ENGAGE} state_t;
  state_t state;

  assign clutch_open = (state != DRIVE);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= DRIVE;
      gear <= 1;
      timer <= '0;
      upwards <= 1'b0;
    end else begin
      case (state)
        DRIVE: if (want_up || want_down) begin
          state <= OPEN;
          upwards <= want_up;
          timer <= OPEN_TIME - 1;
        end
        OPEN: if (timer == 0) begin
          state <= ENGAGE;
          gear <= upwards ? gear + 1'b1 : gear - 1'b1;
          timer <= OPEN_TIME - 1;
        end else begin
          timer <= timer - 1'b1;
        end
        default: begin
          if (timer == 0) state <= DRIVE;
          else timer <= timer - 1'b1;
        end
      endcase
    end
  end
"""
    counted = f"""
  logic [{tbits}:0] count; // of the shift; zero while driving
  logic middle;

  assign clutch_open = (count != 0);
  assign middle = (count == OPEN_TIME);

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (count == 0) count <= (want_up || want_down) ? 1 : 0;
    else if (count == 2 * OPEN_TIME) count <= '0;
    else count <= count + 1'b1;
  end

  // decided at the beginning
  always_ff @(posedge clk) begin
    if (rst) upwards <= 1'b0;
    else if (!clutch_open) upwards <= want_up;
  end

  always_ff @(posedge clk) begin
    if (rst) gear <= 1;
    else if (middle && upwards) gear <= gear + 1'b1;
    else if (middle) gear <= gear - 1'b1;
  end
"""
    parted = """
  typedef enum logic [1:0] {DRIVE, OPEN, ENGAGE} state_t;
  state_t state, state_next;
  logic time_over;

  assign time_over = (timer == OPEN_TIME - 1);

  always_comb begin
    state_next = state;
    case (state)
      DRIVE: if (want_up || want_down) state_next = OPEN;
      OPEN: if (time_over) state_next = ENGAGE;
      ENGAGE: if (time_over) state_next = DRIVE;
      default: state_next = DRIVE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= DRIVE;
      timer <= '0;
    end else begin
      state <= state_next;
      timer <= (state == DRIVE || time_over) ? '0 : timer + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      gear <= 1;
      upwards <= 1'b0;
    end else begin
      if (state == DRIVE) upwards <= want_up;
      if (state == OPEN && time_over) begin
        if (upwards) gear <= gear + 1'b1;
        else gear <= gear - 1'b1;
      end
    end
  end

  assign clutch_open = (state == OPEN) || (state == ENGAGE);
"""
    limits = "  logic [7:0] up_limit, down_limit;\n"
    body = (limits + tables + machine, vectors + counted, limits + tables + parted)[variant]
    timer = f"  logic [{tbits - 1}:0] timer;\n" if variant != 1 else ""

    def reset(s: State) -> None:
        s.gear, s.count, s.up = 1, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"gear": s.gear, "clutch_open": int(s.count > 0)}
        if s.count == 0:
            late = extra if kick and i.kickdown else 0
            s.up = int(s.gear < gears and i.speed >= ups[s.gear - 1] + late)
            down = s.gear > 1 and i.speed < ups[s.gear - 2] - band
            s.count = int(bool(s.up or down))
        else:
            if s.count == open_time:
                s.gear += 1 if s.up else -1
            s.count = 0 if s.count == 2 * open_time else s.count + 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "speed") or r.random() < 0.35:
            at = r.choice([ups[min(s.gear, gears - 1) - 1], ups[max(s.gear - 2, 0)]])
            s.speed = max(0, at + r.choice((-1, 0, extra - 1, extra, -band, -band - 1, 20, -25)))
        return {"speed": s.speed}

    rows = ", ".join(str(up) for up in ups)
    return Draft(
        rtl=f"""
module gear_shifter #(
  parameter int OPEN_TIME = {open_time} // cycles before and after the change of the gear
) (
  input logic clk,
  input logic rst,
  input logic [7:0] speed,
  {"input logic kickdown, // the driver wants to accelerate" if kick else ""}
  output logic [{bits - 1}:0] gear,
  output logic clutch_open
);
  localparam int GEARS = {gears};
{timer}
  logic want_up, want_down, upwards;
  {body}
endmodule
""",
        about=f"""Automatic gearbox with gears 1 to {
            gears
        }. While the clutch is closed `speed` decides about a shift: upwards
            if it is at least the limit of the present gear (from gear 1 on: {rows}{
            f"; {extra} more with `kickdown`" if kick else ""
        }), downwards if it is more than {band} below the limit of the gear beneath{
            " (as listed)" if kick else ""
        }. For a shift the clutch is open from the next cycle on for {
            2 * open_time
        } cycles, and `gear` changes by one after
            {
            open_time
        } of them; `speed` does not matter during the shift. It starts in gear 1 with the clutch closed.""",
        model=Machine(reset, step),
        names=("shift_control", "gearbox_control", "auto_transmission"),
        stimulus={"kickdown": 0.3},
        drive=drive,
        cycles=300,
    )


@family(variants=3)
def level_crossing(r: Random, variant: int) -> Draft:
    """Closes the barriers of a railway crossing before the train and opens them behind the last one."""
    warn = r.choice((3, 4, 6))
    clear = r.choice((2, 3, 4))
    width = 2
    most = (1 << width) - 1
    flash = r.choice((2, 3))
    fbits = (flash - 1).bit_length()
    tbits = max(warn, clear).bit_length()
    counting = f"""
  // trains between the two sensors
  always_ff @(posedge clk) begin
    if (rst) begin
      trains <= '0;
    end else begin
      case ({{arriving, leaving}})
        2'b10: if (trains != {width}'d{most}) trains <= trains + 1'b1;
        2'b01: if (trains != 0) trains <= trains - 1'b1;
        default: ; // none, or one in and one out
      endcase
    end
  end
"""
    counting_ifs = f"""
  logic more, fewer;

  assign more = arriving && !leaving && (trains != {width}'d{most});
  assign fewer = leaving && !arriving && (trains != 0);

  // how many trains are between the sensors
  always_ff @(posedge clk) begin
    if (rst) trains <= '0;
    else trains <= trains + more - fewer;
  end
"""
    machine = """
  typedef enum logic [1:0] {FREE, WARNING, CLOSED, OPENING} state_t;
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= FREE;
      timer <= '0;
    end else begin
      case (state)
        FREE: if (occupied) begin
          state <= WARNING;
          timer <= WARN_TIME - 1;
        end
        WARNING: begin
          if (timer == 0) state <= CLOSED;
          else timer <= timer - 1'b1;
        end
        CLOSED: if (!occupied) begin
          state <= OPENING;
          timer <= CLEAR_TIME - 1;
        end
        default: begin
          if (occupied) state <= CLOSED; // the barriers never open for a moment
          else if (timer == 0) state <= FREE;
          else timer <= timer - 1'b1;
        end
      endcase
    end
  end

  assign lights_on = (state != FREE);
  assign barrier_down = (state == CLOSED) || (state == OPENING);
"""
    parted = """
  typedef enum logic [1:0] {FREE, WARNING, CLOSED, OPENING} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      FREE: if (occupied) state_next = WARNING;
      WARNING: if (timer == WARN_TIME - 1) state_next = CLOSED;
      CLOSED: if (!occupied) state_next = OPENING;
      OPENING: begin
        if (occupied) state_next = CLOSED;
        else if (timer == CLEAR_TIME - 1) state_next = FREE;
      end
      default: state_next = FREE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= FREE;
      timer <= '0;
    end else begin
      state <= state_next;
      timer <= (state_next == state && (state == WARNING || state == OPENING)) ? timer + 1'b1 : '0;
    end
  end

  assign barrier_down = (state == CLOSED) || (state == OPENING);
  assign lights_on = barrier_down || (state == WARNING);
"""
    flags = """
  // the lights come first and go, with the barriers, some time after the last train
  always_ff @(posedge clk) begin
    if (rst) begin
      lights_on <= 1'b0;
      barrier_down <= 1'b0;
      timer <= '0;
    end else if (!lights_on) begin
      lights_on <= occupied;
      timer <= '0;
    end else if (!barrier_down) begin
      timer <= timer + 1'b1;
      if (timer == WARN_TIME - 1) begin
        barrier_down <= 1'b1;
        timer <= '0;
      end
    end else if (occupied) begin
      timer <= '0;
    end else if (timer == CLEAR_TIME) begin
      barrier_down <= 1'b0;
      lights_on <= 1'b0;
    end else begin
      timer <= timer + 1'b1;
    end
  end
"""
    body = (counting + machine, counting_ifs + parted, counting + flags)[variant]
    signal = r.random() < 0.5

    def reset(s: State) -> None:
        s.trains, s.mode, s.timer, s.phase, s.right = 0, "free", 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        lit = s.mode != "free"
        down = s.mode in ("closed", "opening")
        out = {
            "barrier_down": int(down),
            "left_light": int(lit and not s.right),
            "right_light": int(lit and s.right),
        }
        occupied = bool(i.arriving or s.trains)
        if signal:
            out["train_may_go"] = int(down and i.barrier_closed)
        if not lit:
            s.phase = s.right = 0
        else:
            s.phase += 1
            if s.phase == flash:
                s.phase, s.right = 0, s.right ^ 1
        if s.mode == "free":
            if occupied:
                s.mode, s.timer = "warning", warn
        elif s.mode == "warning":
            s.timer -= 1
            if s.timer == 0:
                s.mode = "closed"
        elif s.mode == "closed":
            if not occupied:
                s.mode, s.timer = "opening", clear
        elif occupied:
            s.mode = "closed"
        else:
            s.timer -= 1
            if s.timer == 0:
                s.mode = "free"
        if i.arriving and not i.leaving:
            s.trains = min(most, s.trains + 1)
        elif i.leaving and not i.arriving:
            s.trains = max(0, s.trains - 1)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        busy = getattr(s, "busy", 0.1) if r.random() < 0.95 else r.choice((0.02, 0.1, 0.4))
        s.busy = busy
        return {"arriving": int(r.random() < busy), "leaving": int(r.random() < (0.25 if s.trains else 0.02))}

    return Draft(
        rtl=f"""
module level_crossing #(
  parameter int WARN_TIME = {warn}, // cycles of light before the barriers come down
  parameter int CLEAR_TIME = {clear}, // cycles that the crossing has been free before they go up
  parameter int FLASH = {flash}
) (
  input logic clk,
  input logic rst,
  input logic arriving, // one cycle for each train that passes the outer sensor
  input logic leaving, // one cycle for each train that has passed the crossing
  {"input logic barrier_closed, // from the barriers" if signal else ""}
  {"output logic train_may_go," if signal else ""}
  output logic barrier_down,
  output logic left_light,
  output logic right_light
);
  logic [{width - 1}:0] trains;
  logic [{tbits - 1}:0] timer;
  logic [{fbits - 1}:0] flash_timer;
  logic occupied, lights_on, flash_side;

  assign occupied = arriving || (trains != 0);
  {"assign train_may_go = barrier_down && barrier_closed;" if signal else ""}
  {body}
  // the two lights in turn, the left one first
  always_ff @(posedge clk) begin
    if (rst) begin
      flash_timer <= '0;
      flash_side <= 1'b0;
    end else if (!lights_on) begin
      flash_timer <= '0;
      flash_side <= 1'b0;
    end else if (flash_timer == FLASH - 1) begin
      flash_timer <= '0;
      flash_side <= ~flash_side;
    end else begin
      flash_timer <= flash_timer + 1'b1;
    end
  end

  assign left_light = lights_on && !flash_side;
  assign right_light = lights_on && flash_side;
endmodule
""",
        about=f"""Railway crossing. Trains between the sensors are counted, one more with `arriving` and one less with
            `leaving` (no change with both), from 0 to {most} and not beyond. The crossing is occupied in a cycle with
            `arriving` or while the count is not 0. From the cycle after one in which it is occupied the lights flash;
            after
            {
            warn
        } cycles of this, whatever happens, `barrier_down` rises. Once down, a cycle in which it is not occupied is
            followed by {clear} more, and if none of them is occupied either, barriers and lights are off from the next
            cycle on; if one is, all stays as it is until the crossing is free again. While the lights flash,
            `left_light` and `right_light` are on in turn for {flash} cycles each, the left one first.{
            " `train_may_go` is high while `barrier_down` and `barrier_closed` both are." if signal else ""
        }""",
        model=Machine(reset, step),
        names=("railway_crossing", "crossing_gate", "rail_crossing"),
        drive=drive,
        cycles=280,
    )
