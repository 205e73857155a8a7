"""What drives motors and their power stages."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def stepper_sequencer(r: Random, variant: int) -> Draft:
    """Energises the coils of a stepper motor in full or half steps."""
    mode = r.choice(("full", "half", "both"))
    release = r.random() < 0.5
    homed = r.random() < 0.5
    first = 1 if mode == "full" else 0
    coils = [sum(1 << k for k in range(4) if (place + 1 - 2 * k) % 8 < 3) for place in range(8)]
    gate = "en ? drive : 4'b0000" if release else "drive"
    ports = ["input logic clk", "input logic rst", "input logic step"]
    ports += ["input logic dir // high: towards higher coils", "input logic en"]
    ports += ["input logic half_step // high: a step is one of eight, low: one of four"] * (mode == "both")
    ports += ["output logic [3:0] coils", *["output logic home // where reset puts the rotor"] * homed]
    declared = ",\n".join(ports).split("\n")
    listed = "\n".join(
        (text.split(" //")[0] + "," + " //" + text.split(" //")[1].rstrip(",") if " //" in text else text)
        if text.endswith(",")
        else text
        for text in declared
    )
    home = ""
    if mode == "full":
        arms = "\n".join(f"      2'd{k}: drive = 4'b{coils[2 * k + 1]:04b};" for k in range(4))
        body = (
            f"""
  logic [1:0] place;

  always_ff @(posedge clk) begin
    if (rst) place <= 2'd0;
    else if (step && en) place <= dir ? place + 1'b1 : place - 1'b1;
  end

  // two neighbouring coils at a time
  always_comb begin
    case (place)
{arms}
      default: drive = 4'b0000;
    endcase
  end
""",
            """
  // a pair of ones goes around
  always_ff @(posedge clk) begin
    if (rst) begin
      drive <= 4'b0011;
    end else if (en && step) begin
      if (dir) drive <= {drive[2:0], drive[3]};
      else drive <= {drive[0], drive[3:1]};
    end
  end
""",
            """
  logic phase_a, phase_b; // in quadrature: the other two coils are their inverse

  always_ff @(posedge clk) begin
    if (rst) begin
      phase_a <= 1'b1;
      phase_b <= 1'b1;
    end else if (step & en) begin
      phase_a <= dir ? ~phase_b : phase_b;
      phase_b <= dir ? phase_a : ~phase_a;
    end
  end

  assign drive = {~phase_b, ~phase_a, phase_b, phase_a};
""",
        )[variant]
        if homed:
            home = ("assign home = (place == 0);", "assign home = (drive == 4'b0011);", "assign home = &drive[1:0];")[
                variant
            ]
    else:
        both = mode == "both"
        arms = "\n".join(f"      3'd{k}: drive = 4'b{coils[k]:04b};" for k in range(8))
        around = (
            """
      if (half_step) ring <= dir ? {ring[6:0], ring[7]} : {ring[0], ring[7:1]};
      else ring <= dir ? {ring[5:0], ring[7:6]} : {ring[1:0], ring[7:2]};
"""
            if both
            else """
      if (dir) ring <= {ring[6:0], ring[7]};
      else ring <= {ring[0], ring[7:1]};
"""
        )
        counted = """
  logic [2:0] place; // of the rotor, in half steps; even: one coil, odd: two
"""
        counted += "  logic [2:0] stride;\n\n  assign stride = half_step ? 3'd1 : 3'd2;\n" if both else ""
        size = "stride" if both else "1'b1"
        body = (
            f"""
  {counted}
  always_ff @(posedge clk) begin
    if (rst) place <= '0;
    else if (step && en) place <= dir ? place + {size} : place - {size};
  end

  always_comb begin
    case (place)
{arms}
      default: drive = 4'b0000;
    endcase
  end
""",
            f"""
  logic [7:0] ring; // one hot: the place of the rotor in half steps

  always_ff @(posedge clk) begin
    if (rst) begin
      ring <= 8'b00000001;
    end else if (step && en) begin
{around}
    end
  end

  // each coil pulls at its own place and at both neighbours
  assign drive[0] = ring[7] | ring[0] | ring[1];
  assign drive[1] = |ring[3:1];
  assign drive[2] = |ring[5:3];
  assign drive[3] = |ring[7:5];
""",
            f"""
  {counted}
  logic [2:0] place_next;

  always_comb begin
    place_next = place;
    if (en && step) begin
      if (dir) place_next = place + {size};
      else place_next = place - {size};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) place <= '0;
    else place <= place_next;
  end

  // coil k stands at place 2 k and is on there and one place before and behind
  for (genvar k = 0; k < 4; k++) begin : gen_coil
    logic [2:0] distance;

    assign distance = place + 3'd1 - 3'd2 * k;
    assign drive[k] = (distance < 3);
  end
""",
        )[variant]
        if homed:
            home = ("assign home = (place == 0);", "assign home = ring[0];", "assign home = ~|place;")[variant]

    def reset(s: State) -> None:
        s.place = first

    def step(s: State, i: Pins) -> Outputs:
        out = {"coils": coils[s.place] if i.en or not release else 0}
        if homed:
            out["home"] = int(s.place == first)
        if i.step and i.en:
            size = 2 if mode == "full" or (mode == "both" and not i.half_step) else 1
            s.place = (s.place + (size if i.dir else -size)) % 8
        return out

    order = ", ".join(f"{coils[k]:04b}" for k in range(first, 8, 2 if mode == "full" else 1))
    stride = {
        "full": "Each step goes to the next of these four",
        "half": "Each step goes to the next of these eight",
        "both": "A step goes to the next of these eight where `half_step` is high and two on where it is low",
    }[mode]
    return Draft(
        rtl=f"""
module stepper_sequencer (
  {listed}
);
  logic [3:0] drive; // {"before the release" if release else "of the four coils"}

  assign coils = {gate};
  {home}
  {body}
endmodule
""",
        about=f"""Sequencer for a unipolar stepper motor with four coils. With `dir` high `coils` goes through {order}
            and around, with `dir` low the other way. {stride}, at each edge with `step` and `en` high; reset puts it at
            the first. {
            "Without `en` all coils are off and the place is kept"
            if release
            else "Without `en` steps are ignored and the coils hold"
        }.{" `home` is high at the place of the reset, whatever `en`." if homed else ""}""",
        model=Machine(reset, step),
        names=("stepper_driver", "step_motor_phases", "coil_sequencer"),
        stimulus={"step": 0.7, "en": 0.85, "half_step": 0.6},
        drive=lambda r, s: {"dir": _kept(r, s, "way", 0.85)},
        cycles=140,
    )


def _kept(r: Random, s: State, name: str, keep: float) -> int:
    """A level that changes now and then."""
    level = getattr(s, name, 1)
    if r.random() >= keep:
        level ^= 1
    setattr(s, name, level)
    return int(level)


@family(variants=3)
def hall_commutation(r: Random, variant: int) -> Draft:
    """Chooses the two switches of a brushless motor from its Hall sensors."""
    chop = r.choice(("high", "low", "both"))
    turn = r.randrange(6)
    sticky = r.random() < 0.5
    order = (0b101, 0b001, 0b011, 0b010, 0b110, 0b100)
    pairs = ((0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1))
    table = {code: pairs[(k + turn) % 6] for k, code in enumerate(order)}

    def product(codes: list[int]) -> str:
        terms = []
        for bit in (2, 1, 0):
            seen = {code >> bit & 1 for code in codes}
            if len(seen) == 1:
                terms.append(f"{'' if seen.pop() else '~'}hall[{bit}]")
        return " & ".join(terms)

    arms = "\n".join(
        f"      3'b{code:03b}: {{source, sink}} = {{3'b{1 << up:03b}, 3'b{1 << down:03b}}};"
        for code, (up, down) in sorted(table.items())
    )
    equations = "\n".join(
        f"  assign source[{k}] = {product([c for c, (up, _) in table.items() if up == k])};\n"
        f"  assign sink[{k}] = {product([c for c, (_, down) in table.items() if down == k])};"
        for k in range(3)
    )
    sectors = "\n".join(f"        3'b{code:03b}: sector_of = 3'd{(k + turn) % 6};" for k, code in enumerate(order))
    chosen = (
        f"""
  // the phase that gets the supply and the one that goes to ground, forwards
  always_comb begin
    case (hall)
{arms}
      default: {{source, sink}} = '0;
    endcase
  end

  assign invalid = (hall == 3'b000) || (hall == 3'b111);
""",
        f"""
  function automatic logic [2:0] sector_of(input logic [2:0] code);
    begin
      case (code)
{sectors}
        default: sector_of = 3'd7; // no such place of the rotor
      endcase
    end
  endfunction

  logic [2:0] sector;

  assign sector = sector_of(hall);
  assign invalid = (sector == 3'd7);

  // each phase is a source in two sectors in a row and a sink in the two on the other side
  always_comb begin
    source = '0;
    sink = '0;
    if (sector == 0 || sector == 1) source[0] = 1'b1;
    if (sector == 2 || sector == 3) source[1] = 1'b1;
    if (sector == 4 || sector == 5) source[2] = 1'b1;
    if (sector == 3 || sector == 4) sink[0] = 1'b1;
    if (sector == 5 || sector == 0) sink[1] = 1'b1;
    if (sector == 1 || sector == 2) sink[2] = 1'b1;
  end
""",
        f"""
  // forwards; codes without a one or without a zero switch nothing
{equations}
  assign invalid = &hall | ~|hall;
""",
    )[variant]
    high = "drive_high & {3{pwm}}" if chop != "low" else "drive_high"
    low = "drive_low & {3{pwm}}" if chop != "high" else "drive_low"
    hold = "fault" if sticky else "invalid"
    latch = (
        """
  // stays until software has seen it
  always_ff @(posedge clk) begin
    if (rst) fault <= 1'b0;
    else if (invalid) fault <= 1'b1;
    else if (clear_fault) fault <= 1'b0;
  end
"""
        if sticky
        else """
  always_ff @(posedge clk) begin
    if (rst) fault <= 1'b0;
    else fault <= invalid;
  end
"""
    )
    clauses = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      gate_high <= '0;
      gate_low <= '0;
    end else if (!en || {"fault || invalid" if sticky else hold}) begin
      gate_high <= '0;
      gate_low <= '0;
    end else if (brake) begin
      gate_high <= '0;
      gate_low <= 3'b111; // shorts the windings
    end else begin
      gate_high <= {high};
      gate_low <= {low};
    end
  end
"""
    muxed = f"""
  logic run;

  assign run = en && !invalid{" && !fault" if sticky else ""};

  always_ff @(posedge clk) begin
    if (rst) gate_high <= '0;
    else gate_high <= (run && !brake) ? {high} : 3'b000;
  end

  // the brake shorts the windings over the low side
  always_ff @(posedge clk) begin
    if (rst) gate_low <= '0;
    else gate_low <= !run ? 3'b000 : brake ? 3'b111 : {low};
  end
"""
    body = chosen + (muxed if variant == 1 else clauses)

    def reset(s: State) -> None:
        s.high = s.low = s.fault = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"gate_high": s.high, "gate_low": s.low, "fault": s.fault}
        invalid = i.hall not in table
        if not i.en or invalid or (sticky and s.fault):
            s.high = s.low = 0
        elif i.brake:
            s.high, s.low = 0, 7
        else:
            up, down = table[i.hall] if i.dir else table[i.hall][::-1]
            s.high = 0 if chop != "low" and not i.pwm else 1 << up
            s.low = 0 if chop != "high" and not i.pwm else 1 << down
        s.fault = int(invalid or (sticky and s.fault and not i.clear_fault))
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.rotor = (getattr(s, "rotor", 0) + r.choice((0, 0, 1, 1, 1, -1))) % 6
        return {"hall": order[s.rotor] if r.random() < 0.95 else r.choice((0, 7))}

    rows = ", ".join(f"{code:03b} {'ABC'[up]} to {'ABC'[down]}" for code, (up, down) in sorted(table.items()))
    chopped = {"high": "the high side only", "low": "the low side only", "both": "both sides"}[chop]
    return Draft(
        rtl=f"""
module hall_commutation (
  input logic clk,
  input logic rst,
  input logic [2:0] hall, // synchronised
  input logic dir, // high: forwards
  input logic en,
  input logic brake,
  input logic pwm,
  {"input logic clear_fault," if sticky else ""}
  output logic [2:0] gate_high,
  output logic [2:0] gate_low,
  output logic fault // the sensors show what no rotor can
);
  logic [2:0] source, sink, drive_high, drive_low;
  logic invalid;

  // backwards the current flows the other way
  assign drive_high = dir ? source : sink;
  assign drive_low = dir ? sink : source;
  {body}
  {latch}
endmodule
""",
        about=f"""Six-step commutation of a brushless motor. From `hall` (bits 2 to 0) follow the phase that is switched
            to the supply and the one that is switched to ground: {
            rows
        }; with `dir` low the two are exchanged. Phases A,
            B, C are bits 0, 1, 2 of `gate_high` and `gate_low`, which are registered. `pwm` chops {chopped}: it
            is switched on only where `pwm` is high. `brake` switches on all of the low side and none of the high side,
            whatever `pwm`. Without `en`, and with an invalid code (000 or 111){
            " or while `fault` is set" if sticky else ""
        },
            nothing is on. {
            "`fault` is set a cycle after an invalid code and stays until `clear_fault` in a cycle with a valid one."
            if sticky
            else "`fault` is high in the cycle after each invalid code."
        }""",
        model=Machine(reset, step),
        names=("bldc_commutator", "six_step_driver", "brushless_gates"),
        stimulus={"en": 0.9, "brake": 0.15, "pwm": 0.65, "dir": 0.5, "clear_fault": 0.3},
        drive=drive,
        cycles=200,
    )


@family(variants=3)
def dead_time_generator(r: Random, variant: int) -> Draft:
    """Keeps both switches of a half bridge off for a while at each change."""
    rise, fall = r.choice(((2, 3), (3, 2), (3, 3), (4, 2), (2, 5), (4, 4)))
    tripped = r.random() < 0.5
    low_on = r.random() < 0.4
    longest = max(rise, fall)
    bits = longest.bit_length()
    run = "en && !trip" if tripped else "en"

    def driven(high: str, low: str) -> str:
        shown = f"!({low})" if low_on else low
        return f"  assign gate_high = {high};\n  assign gate_low = {shown};\n"

    body = (
        f"""
  logic [{bits - 1}:0] count; // cycles for which the same switch has been wanted
  logic pwm_prev, same;

  assign same = (pwm == pwm_prev);

  always_ff @(posedge clk) begin
    if (rst) begin
      pwm_prev <= 1'b0;
      count <= '0;
    end else begin
      pwm_prev <= pwm;
      if (!run) count <= '0;
      else if (!same) count <= {bits}'d1;
      else if (count != {longest}) count <= count + 1'b1;
    end
  end

{driven("run && pwm && same && (count >= DEAD_HIGH)", "run && !pwm && same && (count >= DEAD_LOW)")}
""",
        f"""
  logic [DEAD_HIGH-1:0] wish_high; // for which of the last cycles it was wanted
  logic [DEAD_LOW-1:0] wish_low;
  logic high, low;

  assign high = run & pwm;
  assign low = run & ~pwm;

  always_ff @(posedge clk) begin
    if (rst) begin
      wish_high <= '0;
      wish_low <= '0;
    end else begin
      wish_high <= {{wish_high[DEAD_HIGH-2:0], high}};
      wish_low <= {{wish_low[DEAD_LOW-2:0], low}};
    end
  end

{driven("high & (&wish_high)", "low & (&wish_low)")}
""",
        f"""
  typedef enum logic [2:0] {{OFF, WAIT_HIGH, HIGH, WAIT_LOW, LOW}} state_t;
  state_t state;
  logic [{bits - 1}:0] left; // further cycles without either

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= OFF;
      left <= '0;
    end else if (!run) begin
      state <= OFF;
    end else if (pwm) begin
      case (state)
        HIGH: state <= HIGH;
        WAIT_HIGH: begin
          left <= left - 1'b1;
          if (left == 1) state <= HIGH;
        end
        default: begin
          state <= WAIT_HIGH;
          left <= DEAD_HIGH - 1;
        end
      endcase
    end else begin
      case (state)
        LOW: state <= LOW;
        WAIT_LOW: begin
          left <= left - 1'b1;
          if (left == 1) state <= LOW;
        end
        default: begin
          state <= WAIT_LOW;
          left <= DEAD_LOW - 1;
        end
      endcase
    end
  end

{driven("(state == HIGH) && run && pwm", "(state == LOW) && run && !pwm")}
""",
    )[variant]

    def reset(s: State) -> None:
        s.high = s.low = 0

    def step(s: State, i: Pins) -> Outputs:
        run = i.en and not (tripped and i.trip)
        high, low = int(run and i.pwm), int(run and not i.pwm)
        out = {"gate_high": int(high and s.high >= rise), "gate_low": int(low and s.low >= fall) ^ low_on}
        s.high, s.low = (s.high + 1) * high, (s.low + 1) * low
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.now = getattr(s, "now", 0) ^ 1
            left = r.choice((1, 2, rise, rise + 1, fall + 1, longest + 1, longest + 3))
        s.left = left - 1
        return {"pwm": s.now}

    return Draft(
        rtl=f"""
module dead_time_generator #(
  parameter int DEAD_HIGH = {rise}, // cycles before the high side
  parameter int DEAD_LOW = {fall}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic pwm,
  {"input logic trip, // overcurrent" if tripped else ""}
  output logic gate_high,
  output logic gate_low // {"low" if low_on else "high"} switches it on
);
  logic run;

  assign run = {run};
  {body}
endmodule
""",
        about=(
            f"""Dead-time generator for a half bridge. The high side (`gate_high`) is on where `pwm` is high and has
            been
            high in the {rise} cycles before, the low side where `pwm` is low and has been low in the {fall} cycles
            before; `gate_high` is high and `gate_low` is {"low" if low_on else "high"} while its switch is on. Each
            goes
            off in the very cycle in which `pwm` changes. In cycles without `en`{" or with `trip`" if tripped else ""}
            both
            are off at once, and such cycles count for neither, as those before the reset.""",
        ),
        model=Machine(reset, step),
        names=("dead_time", "half_bridge_driver", "complementary_pwm"),
        stimulus={"en": 0.96, "trip": 0.04},
        drive=drive,
        cycles=180,
    )


@family(variants=3)
def bridge_driver(r: Random, variant: int) -> Draft:
    """The four switches of an H bridge: forwards, backwards, brake and coast."""
    pause = r.choice((2, 3, 4, 6))
    bits = pause.bit_length()
    slow = r.random() < 0.5
    limited = r.random() < 0.6
    codes = [0, *r.sample((1, 2, 3), 3)]
    names = ("COAST", "FORWARD", "BACKWARD", "BRAKE")
    constants = "\n".join(
        f"  localparam logic [1:0] {name} = 2'd{code};" for name, code in zip(names, codes, strict=True)
    )
    idle = "4'b0101" if slow else "4'b0000"
    off = " && !tripped" if limited else ""
    # Switches in the order: left high, left low, right high, right low.
    arms = f"""
        FORWARD: switches = pwm ? 4'b1001 : {idle};
        BACKWARD: switches = pwm ? 4'b0110 : {idle};
        BRAKE: switches = 4'b0101;
        default: switches = 4'b0000;
"""
    outputs = "  assign {left_high, left_low, right_high, right_low} = switches;\n"
    body = (
        f"""
  logic [3:0] switches;
  logic [1:0] active_command;
  logic [{bits - 1}:0] timer;

  // another command is taken only after a pause with all switches open
  always_ff @(posedge clk) begin
    if (rst) begin
      active_command <= COAST;
      timer <= '0;
    end else if (command != active_command) begin
      active_command <= command;
      timer <= PAUSE;
    end else if (timer != 0) begin
      timer <= timer - 1'b1;
    end
  end

  always_comb begin
    switches = '0;
    if (timer == 0 && command == active_command{off}) begin
      case (command)
{arms}
      endcase
    end
  end

{outputs}
""",
        f"""
  logic [1:0] command_prev;
  logic [{bits - 1}:0] settled; // cycles since the last change, up to the pause
  logic connected, forward, backward, short_low;

  always_ff @(posedge clk) begin
    if (rst) begin
      command_prev <= COAST;
      settled <= PAUSE;
    end else begin
      command_prev <= command;
      if (command != command_prev) settled <= '0;
      else if (settled != PAUSE) settled <= settled + 1'b1;
    end
  end

  assign connected = (settled == PAUSE) && (command == command_prev){off};
  assign forward = connected && (command == FORWARD);
  assign backward = connected && (command == BACKWARD);
  assign short_low = (connected && command == BRAKE){" || ((forward || backward) && !pwm)" if slow else ""};

  // the current enters on the one side and leaves on the other
  assign left_high = forward && pwm;
  assign right_low = (forward && pwm) || short_low;
  assign right_high = backward && pwm;
  assign left_low = (backward && pwm) || short_low;
""",
        f"""
  typedef enum logic [0:0] {{DRIVE, CHANGE}} state_t;
  state_t state, state_next;
  logic [1:0] command_prev;
  logic [{bits - 1}:0] timer, timer_next;
  logic [3:0] switches;

  always_comb begin
    state_next = state;
    timer_next = timer;
    if (command != command_prev) begin
      state_next = CHANGE;
      timer_next = PAUSE - 1;
    end else if (state == CHANGE) begin
      if (timer == 0) state_next = DRIVE;
      else timer_next = timer - 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= DRIVE;
      command_prev <= COAST;
      timer <= '0;
    end else begin
      state <= state_next;
      command_prev <= command;
      timer <= timer_next;
    end
  end

  always_comb begin
    if (state_next == CHANGE || state == CHANGE{" || tripped" if limited else ""}) begin
      switches = '0;
    end else begin
      case (command)
{arms}
      endcase
    end
  end

{outputs}
""",
    )[variant]
    trip = (
        """
  // an overcurrent opens all switches from the next cycle on, until the motor is told to coast
  always_ff @(posedge clk) begin
    if (rst) tripped <= 1'b0;
    else if (overcurrent) tripped <= 1'b1;
    else if (command == COAST) tripped <= 1'b0;
  end
"""
        if limited
        else ""
    )

    def reset(s: State) -> None:
        s.prev, s.timer, s.tripped = codes[0], 0, 0

    def step(s: State, i: Pins) -> Outputs:
        name = names[codes.index(i.command)]
        on = 0
        if i.command == s.prev and s.timer == 0 and not s.tripped:
            if name == "BRAKE":
                on = 0b0101
            elif name != "COAST":
                on = (0b1001 if name == "FORWARD" else 0b0110) if i.pwm else 0b0101 if slow else 0
        out = {
            "left_high": on >> 3 & 1,
            "left_low": on >> 2 & 1,
            "right_high": on >> 1 & 1,
            "right_low": on & 1,
        }
        if limited:
            out["tripped"] = s.tripped
            s.tripped = int(i.overcurrent or (s.tripped and name != "COAST"))
        s.timer = pause if i.command != s.prev else max(0, s.timer - 1)
        s.prev = i.command
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.told = r.choice(codes)
            left = r.choice((1, 2, pause, pause + 1, pause + 4, pause + 6, pause + 9))
        s.left = left - 1
        return {"command": s.told}

    listing = ", ".join(
        f"{code} {name.lower()}" for name, code in sorted(zip(names, codes, strict=True), key=lambda p: p[1])
    )
    return Draft(
        rtl=f"""
module bridge_driver #(
  parameter int PAUSE = {pause}
) (
  input logic clk,
  input logic rst,
  input logic [1:0] command,
  input logic pwm,
  {"input logic overcurrent," if limited else ""}
  output logic left_high,
  output logic left_low,
  output logic right_high,
  output logic right_low{", output logic tripped" if limited else ""}
);
{constants}
  {body}
  {trip}
endmodule
""",
        about=f"""Driver for the four switches of an H bridge. `command` is {listing}. While `pwm` is high, forward
            closes left high and right low, backward right high and left low; while it is low, {
            "both low sides are closed (slow decay)" if slow else "all are open (fast decay)"
        }. Brake closes both low sides, whatever `pwm`; coast opens all. In a cycle in which `command` differs from that
            of the cycle before (coast after reset), and in the {pause} cycles after it, all are open.{
            ''' `overcurrent` sets
            `tripped` with the next edge, and all are open while it is set; a cycle with the command coast and without
            `overcurrent` clears it.'''
            if limited
            else ""
        }""",
        model=Machine(reset, step),
        names=("h_bridge", "h_bridge_control", "motor_bridge"),
        stimulus={"pwm": 0.6, "overcurrent": 0.02},
        drive=drive,
        cycles=240,
    )


@family(variants=3)
def soft_start_ramp(r: Random, variant: int) -> Draft:
    """Leads a duty cycle to its target in small steps."""
    width = r.choice((6, 8, 10))
    full = (1 << width) - 1
    up = r.choice((1, 2, 3))
    down = r.choice((up, up + 1, 2 * up + 2, 8))
    every = r.choice((2, 3, 4))
    bits = (every - 1).bit_length()
    strict = r.random() < 0.5
    stop = "estop" if strict else "!en"
    goal = "(en ? target : '0)" if strict else "target"
    divide = f"""
  // one step of the ramp in {every} cycles
  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (count == EVERY - 1) count <= '0;
    else count <= count + 1'b1;
  end

  assign tick = (count == EVERY - 1);
  assign goal = {goal};
  assign at_target = (duty == goal);
"""
    body = (
        f"""
  // the last step is as small as need be
  always_ff @(posedge clk) begin
    if (rst) begin
      duty <= '0;
    end else if ({stop}) begin
      duty <= '0;
    end else if (tick) begin
      if (duty < goal) begin
        if (goal - duty > STEP_UP) duty <= duty + STEP_UP;
        else duty <= goal;
      end else if (duty > goal) begin
        if (duty - goal > STEP_DOWN) duty <= duty - STEP_DOWN;
        else duty <= goal;
      end
    end
  end
""",
        f"""
  logic [WIDTH:0] gap; // with a sign
  logic [WIDTH-1:0] duty_next;

  assign gap = {{1'b0, goal}} - {{1'b0, duty}};

  always_comb begin
    duty_next = goal;
    if (gap[WIDTH]) begin
      if (duty - goal > STEP_DOWN) duty_next = duty - STEP_DOWN;
    end else if (gap > STEP_UP) begin
      duty_next = duty + STEP_UP;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) duty <= '0;
    else if ({stop}) duty <= '0;
    else if (tick) duty <= duty_next;
  end
""",
        f"""
  logic [WIDTH-1:0] rise, drop, step_up, step_down;
  logic below;

  // at most one of the two differs from zero
  assign below = (duty < goal);
  assign rise = below ? goal - duty : '0;
  assign drop = below ? '0 : duty - goal;
  assign step_up = (rise < STEP_UP) ? rise : STEP_UP;
  assign step_down = (drop < STEP_DOWN) ? drop : STEP_DOWN;

  always_ff @(posedge clk) begin
    if (rst || {stop}) duty <= '0;
    else if (tick) duty <= duty + step_up - step_down;
  end
""",
    )[variant]
    if variant == 2:
        body = body.replace(
            f"if (rst || {stop}) duty <= '0;", f"if (rst) duty <= '0;\n    else if ({stop}) duty <= '0;"
        )

    def reset(s: State) -> None:
        s.count = s.duty = 0

    def step(s: State, i: Pins) -> Outputs:
        goal = i.target if i.en or not strict else 0
        out = {"duty": s.duty, "at_target": int(s.duty == goal)}
        if i.estop if strict else not i.en:
            s.duty = 0
        elif s.count == every - 1:
            s.duty = min(goal, s.duty + up) if s.duty < goal else max(goal, s.duty - down)
        s.count = (s.count + 1) % every
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if getattr(s, "left", 0) == 0:
            near = s.duty + r.choice((-2 * down - 1, -1, 1, 2 * up + 1, 12))
            s.goal = max(0, min(full, near if r.random() < 0.8 else r.choice((0, full))))
            s.left = r.choice((3, every * 4, every * 7))
        s.left -= 1
        return {"target": s.goal}

    ports = "input logic estop,\n" if strict else ""
    return Draft(
        rtl=f"""
module soft_start_ramp #(
  parameter int WIDTH = {width},
  parameter int STEP_UP = {up},
  parameter int STEP_DOWN = {down},
  parameter int EVERY = {every} // cycles between two steps
) (
  input logic clk,
  input logic rst,
  input logic en,
  {ports}
  input logic [WIDTH-1:0] target,
  output logic [WIDTH-1:0] duty,
  output logic at_target
);
  logic [{bits - 1}:0] count;
  logic [WIDTH-1:0] goal;
  logic tick;
  {divide}
  {body}
endmodule
""",
        about=f"""Soft start for a motor: {
            "while `en` is high " if strict else ""
        }`duty` goes to `target` in steps, by at
            most {up} upwards and {
            down
        } downwards at each, and never beyond it. A counter that always runs allows a step at
            each {every}th edge after reset. {
            "Without `en` the goal is 0 and reached in the same way; `estop` sets `duty` to 0 at the next edge."
            if strict
            else "Without `en` the `duty` is 0 from the next edge on."
        } `at_target` says that `duty` equals the goal now. `duty` starts at 0.""",
        model=Machine(reset, step),
        names=("slew_limiter", "duty_ramp", "motor_soft_start"),
        stimulus={"en": 0.97 if not strict else 0.9, "estop": 0.015},
        drive=drive,
        cycles=220,
    )


@family(variants=3)
def motion_profile(r: Random, variant: int) -> Draft:
    """Moves by a distance: faster and faster, at full speed, and slower in time to stop there."""
    width = r.choice((8, 10))
    top = r.choice((5, 6, 7, 10))
    bits = top.bit_length()
    wide = 2 * bits + 1
    stoppable = r.random() < 0.5
    halt = " && !stop" if stoppable else ""
    reach = "  // from speed v the way to a stop is v + (v - 1) + ... + 1\n"
    product = f"""
  logic [{wide - 1}:0] stop_same, stop_faster;

{reach}  assign stop_same = (speed * (speed + 1'b1)) >> 1;
  assign stop_faster = stop_same + speed + 1'b1;
"""
    # Twice the sum, so that no bit is lost before the shift.
    product = product.replace(
        "(speed * (speed + 1'b1)) >> 1", f"({{{wide - bits}'d0, speed}} * ({{{wide - bits}'d0, speed}} + 1'b1)) >> 1"
    )
    kept = f"""
  logic [{wide - 1}:0] stop_same, stop_faster, stop_slower;

{reach}  assign stop_faster = stop_same + speed + 1'b1;
  assign stop_slower = stop_same - speed;

  always_ff @(posedge clk) begin
    if (rst) stop_same <= '0;
    else if (!busy) stop_same <= {wide}'d1; // of the speed at which a move starts
    else if (tick && faster) stop_same <= stop_faster;
    else if (tick && slower) stop_same <= stop_slower;
  end
"""
    sums = ["0"] + [str(v * (v + 1) // 2) for v in range(1, top + 2)]
    rows = "\n".join(f"        {bits}'d{v}: way = {wide}'d{sums[v]};" for v in range(1, top + 1))
    looked = f"""
  function automatic logic [{wide - 1}:0] way(input logic [{bits - 1}:0] from);
    begin
      case (from)
{rows}
        default: way = '0;
      endcase
    end
  endfunction

  logic [{wide - 1}:0] stop_same, stop_faster;

{reach}  assign stop_same = way(speed);
  assign stop_faster = way(speed + 1'b1);
"""
    condition = f"(speed != TOP){halt} && (stop_faster <= left_next)"
    decide = f"""
  assign left_next = left - speed;
  assign faster = {condition};
  assign slower = {"stop || " if stoppable else ""}(stop_same > left_next);
"""
    direct = """
  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      left <= '0;
      speed <= '0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      if (!busy) begin
        if (start && distance != 0) begin
          busy <= 1'b1;
          left <= distance;
          speed <= 1;
        end
      end else if (tick) begin
        left <= left_next;
        if (faster) speed <= speed + 1'b1;
        else if (slower) speed <= speed - 1'b1;
        if (ENDS) begin
          busy <= 1'b0;
          done <= 1'b1;
        end
      end
    end
  end
"""
    parted = """
  logic [BITS-1:0] speed_next;
  logic begins, ends;

  assign begins = start && !busy && (distance != 0);
  assign ends = busy && tick && (speed_next == 0);
  assign speed_next = faster ? speed + 1'b1 : slower ? speed - 1'b1 : speed;

  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (begins) left <= distance;
    else if (busy && tick) left <= left_next;
  end

  always_ff @(posedge clk) begin
    if (rst) speed <= '0;
    else if (begins) speed <= 1;
    else if (busy && tick) speed <= speed_next;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
    end else begin
      busy <= begins || (busy && !ends);
      done <= ends;
    end
  end
"""
    ends = "slower && speed == 1"
    body = (
        product + decide + direct.replace("ENDS", ends),
        kept + decide + direct.replace("ENDS", ends),
        looked + decide + parted.replace("BITS", str(bits)),
    )[variant]

    def reset(s: State) -> None:
        s.busy = s.left = s.speed = s.done = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"speed": s.speed, "left": s.left, "busy": s.busy, "done": s.done}
        s.done = 0
        halted = stoppable and i.stop
        if not s.busy:
            if i.start and i.distance:
                s.busy, s.left, s.speed = 1, i.distance, 1
        elif i.tick:
            s.left -= s.speed
            if not halted and s.speed != top and (s.speed + 1) * (s.speed + 2) // 2 <= s.left:
                s.speed += 1
            elif halted or s.speed * (s.speed + 1) // 2 > s.left:
                s.speed -= 1
            if s.speed == 0:
                s.busy, s.done = 0, 1
        return out

    longest = min((1 << width) - 1, top * (top + 1) + 4 * top)
    return Draft(
        rtl=f"""
module motion_profile #(
  parameter int WIDTH = {width},
  parameter int TOP = {top} // the highest speed
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [WIDTH-1:0] distance,
  input logic tick, // time base of the speed
  {"input logic stop," if stoppable else ""}
  output logic [{bits - 1}:0] speed, // of the next tick
  output logic [WIDTH-1:0] left, // distance still to go
  output logic busy,
  output logic done
);
  logic [WIDTH-1:0] left_next;
  logic faster, slower;
  {body}
endmodule
""",
        about=f"""Trapezoidal motion profile. `start` while not `busy` begins a move over `distance` (nothing happens
            for
            0): `left` is the distance and `speed` 1. At each edge with `tick` during the move `left` goes down by
            `speed`,
            and the speed changes by at most 1: the way to a stop from speed v is v(v+1)/2, and the speed goes up if
            it is
            below {top} and the way from the higher one fits into the new `left`, down if that from the present one
            does not fit, else it stays. The move ends when the speed comes to 0: `busy` falls, and `done` is high for
            the
            one cycle after that edge.{
            ''' `stop`
            makes the speed go down at each tick, so the move may end with some of the distance left, which `left` keeps
            showing.'''
            if stoppable
            else ""
        } All is 0 after reset.""",
        model=Machine(reset, step),
        names=("trapezoidal_profile", "speed_profile", "move_planner"),
        stimulus={
            "start": 0.3,
            "tick": 0.8,
            "stop": 0.02,
            "distance": lambda r: r.choice((0, 1, 2, 3, r.randrange(longest), r.randrange(longest), longest)),
        },
        cycles=260,
    )
