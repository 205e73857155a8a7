"""Controllers of machines that people use."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def traffic_light(r: Random, variant: int) -> Draft:
    """Lights of a main road that is green until somebody waits on the side road."""
    green, yellow, side = r.choice((8, 10, 12)), r.choice((2, 3)), r.choice((5, 6, 7))
    all_red = r.random() < 0.5
    order = ["MAIN_GREEN", "MAIN_YELLOW", *["CLEAR_MAIN"] * all_red, "SIDE_GREEN", "SIDE_YELLOW"]
    times = {"MAIN_GREEN": green, "MAIN_YELLOW": yellow, "CLEAR_MAIN": 1, "SIDE_GREEN": side, "SIDE_YELLOW": yellow}
    names = {"MAIN_GREEN": "GREEN_TIME", "CLEAR_MAIN": "1", "SIDE_GREEN": "SIDE_TIME"}
    after = {one: order[(k + 1) % len(order)] for k, one in enumerate(order)}
    bits = 3 if all_red else 2
    last = {one: "'0" if one == "CLEAR_MAIN" else f"{names.get(one, 'YELLOW_TIME')} - 1" for one in order}
    wait = {one: " && car_waiting" if one == "MAIN_GREEN" else "" for one in order}
    arms = "\n".join(
        f"      {one}: if ({'timer == ' + last[one] if one != 'CLEAR_MAIN' else 'timer == 0'}{wait[one]})"
        f" state_next = {after[one]};"
        for one in order
    )
    lights = """
  // red, yellow, green
  always_comb begin
    main_lights = 3'b100;
    side_lights = 3'b100;
    case (state)
      MAIN_GREEN: main_lights = 3'b001;
      MAIN_YELLOW: main_lights = 3'b010;
      SIDE_GREEN: side_lights = 3'b001;
      SIDE_YELLOW: side_lights = 3'b010;
      default: ; // red both
    endcase
  end
"""
    states = f"""
  typedef enum logic [{bits - 1}:0] {{{", ".join(order)}}} state_t;
"""
    two = f"""
  {states}
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
{arms}
      default: state_next = MAIN_GREEN;
    endcase
  end

  // the time in the present state; it stops at the end of the green
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= MAIN_GREEN;
      timer <= '0;
    end else begin
      state <= state_next;
      if (state_next != state) timer <= '0;
      else if (state != MAIN_GREEN || timer != GREEN_TIME - 1) timer <= timer + 1'b1;
    end
  end
  {lights}
"""
    counts = "\n".join(
        f"        {one}: {'if (car_waiting) ' if wait[one] else ''}begin\n          state <= {after[one]};\n"
        f"          timer <= {last[after[one]]};\n        end"
        for one in order
    )
    one = f"""
  {states}
  state_t state;

  // counts down the time that is left; each step loads that of the next state
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= MAIN_GREEN;
      timer <= GREEN_TIME - 1;
    end else if (timer != 0) begin
      timer <= timer - 1'b1;
    end else begin
      case (state)
{counts}
        default: state <= MAIN_GREEN;
      endcase
    end
  end
  {lights}
"""
    size = len(order)
    at = {one: order.index(one) for one in order}
    ends = " || ".join(
        f"(phase[{at[one]}] && timer == {names.get(one, 'YELLOW_TIME')} - 1{wait[one]})"
        for one in order
        if one != "CLEAR_MAIN"
    )
    ring = f"""
  logic [{size - 1}:0] phase; // one hot: {", ".join(one.lower().replace("_", " ") for one in order)}
  logic phase_end;

  assign phase_end = {ends}{f" || phase[{at['CLEAR_MAIN']}]" if all_red else ""};

  always_ff @(posedge clk) begin
    if (rst) begin
      phase <= {size}'d1;
      timer <= '0;
    end else if (phase_end) begin
      phase <= {{phase[{size - 2}:0], phase[{size - 1}]}};
      timer <= '0;
    end else if (timer != GREEN_TIME - 1) begin
      timer <= timer + 1'b1;
    end
  end

  assign main_lights = {{!(phase[0] || phase[1]), phase[1], phase[0]}};
  assign side_lights = {{!(phase[{size - 2}] || phase[{size - 1}]), phase[{size - 1}], phase[{size - 2}]}};
"""
    body = (two, one, ring)[variant]

    def reset(s: State) -> None:
        s.at, s.time = 0, 0

    def step(s: State, i: Pins) -> Outputs:
        here = order[s.at]
        color = {"GREEN": 1, "YELLOW": 2}.get(here.split("_")[1], 4)
        out = {
            "main_lights": color if here.startswith("MAIN") else 4,
            "side_lights": color if here.startswith("SIDE") else 4,
        }
        s.time += 1
        if s.time >= times[here] and (i.car_waiting or here != "MAIN_GREEN"):
            s.at, s.time = (s.at + 1) % len(order), 0
        return out

    between = ", then both are red for one cycle" if all_red else ""
    return Draft(
        rtl=f"""
module traffic_light #(
  parameter int GREEN_TIME = {green}, // at least, on the main road
  parameter int YELLOW_TIME = {yellow},
  parameter int SIDE_TIME = {side}
) (
  input logic clk,
  input logic rst,
  input logic car_waiting, // on the side road
  output logic [2:0] main_lights,
  output logic [2:0] side_lights
);
  logic [3:0] timer;
  {body}
endmodule
""",
        about=f"""Traffic lights of a crossing; each `main_lights` and `side_lights` is red, yellow, green from bit 2 to
            bit 0, with one of them on. The main road is green for {green} cycles at least and until `car_waiting` is
            high in its {green}th cycle or later, then yellow for {yellow} cycles{between}; then the side road is green
            for {side} cycles and yellow for {yellow}, and the main road is green again. A road that is neither green
            nor yellow is red.""",
        model=Machine(reset, step),
        names=("traffic_fsm", "crossing_lights", "traffic_controller"),
        stimulus={"car_waiting": 0.15},
        cycles=150,
    )


@family(variants=2, held_out=True)
def elevator_controller(r: Random, variant: int) -> Draft:
    """Moves a cabin to the floors that are called, in one direction as long as there is one."""
    floors = r.choice((4, 5, 6))
    bits = (floors - 1).bit_length()
    dwell = r.choice((2, 3, 4))
    above = """
  // calls on the way up and on the way down
  always_comb begin
    above = 1'b0;
    below = 1'b0;
    for (int i = 0; i < FLOORS; i++) begin
      if (pending[i] && i > floor) above = 1'b1;
      if (pending[i] && i < floor) below = 1'b1;
    end
  end
"""
    shifted = """
  // calls on the way up and on the way down
  assign above = ((pending >> floor) >> 1) != 0;
  assign below = (pending & ((1 << floor) - 1)) != 0;
"""
    machine = """
  typedef enum logic [1:0] {IDLE, UP, DOWN, OPEN} state_t;
  state_t state;

  assign door_open = (state == OPEN);
  assign moving_up = (state == UP);
  assign moving_down = (state == DOWN);

  // a cabin that moves takes one cycle a floor
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      floor <= '0;
      going_up <= 1'b1;
      timer <= '0;
    end else begin
      case (state)
        IDLE: begin
          if (here) begin
            state <= OPEN;
            timer <= DWELL - 1;
          end else if (above && (going_up || !below)) begin
            state <= UP;
            going_up <= 1'b1;
          end else if (below) begin
            state <= DOWN;
            going_up <= 1'b0;
          end
        end
        UP: begin
          floor <= floor + 1'b1;
          state <= IDLE;
        end
        DOWN: begin
          floor <= floor - 1'b1;
          state <= IDLE;
        end
        OPEN: begin
          if (timer == 0) state <= IDLE;
          else timer <= timer - 1'b1;
        end
        default: state <= IDLE;
      endcase
    end
  end
"""
    flags = """
  logic deciding, start_up, start_down;

  // between two movements the next one is chosen: the old direction first
  assign deciding = !moving_up && !moving_down && !door_open;
  assign start_up = deciding && !here && above && (going_up || !below);
  assign start_down = deciding && !here && below && !start_up;

  always_ff @(posedge clk) begin
    if (rst) begin
      moving_up <= 1'b0;
      moving_down <= 1'b0;
      going_up <= 1'b1;
      floor <= '0;
    end else begin
      moving_up <= start_up;
      moving_down <= start_down;
      if (start_up) going_up <= 1'b1;
      else if (start_down) going_up <= 1'b0;
      if (moving_up) floor <= floor + 1'b1;
      else if (moving_down) floor <= floor - 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      door_open <= 1'b0;
      timer <= '0;
    end else if (deciding && here) begin
      door_open <= 1'b1;
      timer <= DWELL - 1;
    end else if (timer == 0) begin
      door_open <= 1'b0;
    end else begin
      timer <= timer - 1'b1;
    end
  end
"""
    body = (above + machine, shifted + flags)[variant]

    def reset(s: State) -> None:
        s.pending, s.floor, s.up, s.mode, s.timer = 0, 0, True, "idle", 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "floor": s.floor,
            "door_open": int(s.mode == "open"),
            "moving_up": int(s.mode == "up"),
            "moving_down": int(s.mode == "down"),
        }
        served = 1 << s.floor if s.mode == "open" else 0
        calls, s.pending = s.pending, (s.pending | i.call) & ~served
        if s.mode == "up":
            s.floor, s.mode = s.floor + 1, "idle"
        elif s.mode == "down":
            s.floor, s.mode = s.floor - 1, "idle"
        elif s.mode == "open":
            s.timer -= 1
            s.mode = "open" if s.timer >= 0 else "idle"
        else:
            above, below = calls >> s.floor + 1, calls & (1 << s.floor) - 1
            if calls >> s.floor & 1:
                s.mode, s.timer = "open", dwell - 1
            elif above and (s.up or not below):
                s.mode, s.up = "up", True
            elif below:
                s.mode, s.up = "down", False
        return out

    return Draft(
        rtl=f"""
module elevator_controller #(
  parameter int FLOORS = {floors},
  parameter int DWELL = {dwell} // cycles that the door stays open
) (
  input logic clk,
  input logic rst,
  input logic [FLOORS-1:0] call, // a button for each floor
  output logic [{bits - 1}:0] floor,
  output logic door_open,
  output logic moving_up,
  output logic moving_down
);
  logic [FLOORS-1:0] pending;
  logic [1:0] timer;
  logic going_up, above, below, here;

  assign here = pending[floor];

  // a call is kept until the door is open there
  for (genvar k = 0; k < FLOORS; k++) begin : gen_call
    always_ff @(posedge clk) begin
      if (rst) pending[k] <= 1'b0;
      else if (door_open && floor == k) pending[k] <= 1'b0;
      else if (call[k]) pending[k] <= 1'b1;
    end
  end
  {body}
endmodule
""",
        about=f"""Elevator of {floors} floors, at floor 0 after reset. A bit of `call` is remembered until the door is
            open at its floor; calls for a floor are lost while the door is open there. In a cycle in which the cabin
            stands with a closed door it decides by the remembered calls: one for this floor opens the door for {dwell}
            cycles; otherwise it moves by one floor, in the direction of its last movement (upwards first after reset)
            if there is a call further that way, else the other way if there is one there. `moving_up` or `moving_down`
            is high for the one cycle of a movement, at whose end `floor` changes; after each movement and after the
            door has closed there is one cycle of deciding.""",
        model=Machine(reset, step),
        names=("elevator", "lift_controller", "lift_fsm"),
        stimulus={"call": lambda r: 1 << r.randrange(floors) if r.random() < 0.2 else 0},
        cycles=160,
    )


@family(variants=3)
def code_lock(r: Random, variant: int) -> Draft:
    """Opens after the right digits and blocks after too many wrong tries."""
    size = r.choice((3, 4))
    code = [r.randrange(10) for _ in range(size)]
    tries = r.choice((2, 3))
    block = r.choice((6, 9, 14))
    bits = 2
    arms = "\n".join(f"      2'd{k}: wanted = 4'd{digit};" for k, digit in enumerate(code))
    packed = sum(digit << 4 * (size - 1 - k) for k, digit in enumerate(code))
    lookup = f"""
  logic [3:0] wanted;

  // the digit that should come next
  always_comb begin
    case (place)
{arms}
      default: wanted = 4'd15;
    endcase
  end
  assign right = good && (digit == wanted);

  // no digit so far was wrong
  always_ff @(posedge clk) begin
    if (rst) good <= 1'b1;
    else if (take) good <= last || right;
  end
"""
    sliced = f"""
  localparam logic [{4 * size - 1}:0] CODE = {4 * size}'h{packed:0{size}x};

  assign right = good && (digit == CODE[4*({size - 1}-place) +: 4]);

  always_ff @(posedge clk) begin
    if (rst) begin
      good <= 1'b1;
    end else if (take) begin
      if (last) good <= 1'b1; // the next try
      else if (!right) good <= 1'b0;
    end
  end
"""
    collected = f"""
  localparam logic [{4 * size - 1}:0] CODE = {4 * size}'h{packed:0{size}x};
  logic [{4 * size - 5}:0] entered; // the digits before this one

  always_ff @(posedge clk) begin
    if (rst) entered <= '0;
    else if (take) entered <= {"digit" if size == 2 else f"{{entered[{4 * size - 9}:0], digit}}"};
  end

  assign right = ({{entered, digit}} == CODE);
"""
    body = (lookup, sliced, collected)[variant]

    def reset(s: State) -> None:
        s.digits, s.open, s.failed, s.blocked = [], 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"unlocked": s.open, "blocked": int(s.blocked > 0)}
        if s.blocked:
            s.blocked -= 1
        elif s.open:
            s.open = int(not i.close)
        elif i.key:
            s.digits = [*s.digits, i.digit]
            if len(s.digits) == size:
                if s.digits == code:
                    s.open, s.failed = 1, 0
                elif s.failed == tries - 1:
                    s.failed, s.blocked = 0, block
                else:
                    s.failed += 1
                s.digits = []
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        return {"digit": code[len(s.digits)] if r.random() < 0.8 else r.randrange(10)}

    return Draft(
        rtl=f"""
module code_lock #(
  parameter int TRIES = {tries},
  parameter int BLOCK_TIME = {block}
) (
  input logic clk,
  input logic rst,
  input logic key, // a digit is entered
  input logic [3:0] digit,
  input logic close,
  output logic unlocked,
  output logic blocked
);
  logic [{bits - 1}:0] place; // of the digit within the code
  logic [1:0] failed; // wrong codes in a row
  logic [3:0] timer;
  logic {"good, " if variant < 2 else ""}take, last, right;

  // digits count only while the lock is closed and not blocked
  assign blocked = (timer != 0);
  assign take = key && !unlocked && !blocked;
  assign last = (place == {size - 1});
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      place <= '0;
      failed <= '0;
      timer <= '0;
      unlocked <= 1'b0;
    end else begin
      if (blocked) timer <= timer - 1'b1;
      if (unlocked && close) unlocked <= 1'b0;
      if (take) begin
        place <= last ? '0 : place + 1'b1;
        if (last && right) begin
          unlocked <= 1'b1;
          failed <= '0;
        end else if (last) begin
          if (failed == TRIES - 1) begin
            failed <= '0;
            timer <= BLOCK_TIME;
          end else begin
            failed <= failed + 1'b1;
          end
        end
      end
    end
  end
endmodule
""",
        about=f"""Lock with the code {"".join(map(str, code))}. Digits come in `digit` in cycles with `key`; after each
            {size} of them the code is judged as a whole, so that a wrong digit is not told at once. The right one sets
            `unlocked` from the next cycle on, until `close`. After {tries} wrong codes in a row, `blocked` is high for
            {block} cycles. Keys while unlocked or blocked are ignored.""",
        model=Machine(reset, step),
        names=("combination_lock", "keypad_lock", "door_lock"),
        stimulus={"key": 0.7, "close": 0.2},
        drive=drive,
        cycles=160,
    )


@family(variants=2)
def washing_machine(r: Random, variant: int) -> Draft:
    """Fills, washes, drains, rinses and spins."""
    wash, spin = r.choice((6, 8, 10)), r.choice((4, 5, 7))
    rinses = r.choice((1, 2, 3))
    bits = 4
    process = """
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (start && door_closed) state_next = FILL;
      FILL: if (full) state_next = WASH;
      WASH: if (time_up) state_next = DRAIN;
      DRAIN: if (empty) state_next = (rinse_count == RINSES) ? SPIN : FILL;
      SPIN: if (time_up) state_next = IDLE;
      default: state_next = IDLE;
    endcase
  end

  assign time_up = (timer == ((state == SPIN) ? SPIN_TIME - 1 : WASH_TIME - 1));

  // an open door stops everything where it is
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= '0;
      rinse_count <= '0;
    end else if (door_closed) begin
      state <= state_next;
      timer <= (state == state_next && (state == WASH || state == SPIN)) ? timer + 1'b1 : '0;
      if (state == IDLE) rinse_count <= '0;
      else if (state == DRAIN && state_next == FILL) rinse_count <= rinse_count + 1'b1;
    end
  end
"""
    single = """
  state_t state;

  assign time_up = (timer == 0);

  // an open door stops everything where it is
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= '0;
      rinse_count <= '0;
    end else if (door_closed) begin
      case (state)
        IDLE: begin
          rinse_count <= '0;
          if (start) state <= FILL;
        end
        FILL: if (full) begin
          timer <= WASH_TIME - 1;
          state <= WASH;
        end
        WASH: begin
          if (time_up) state <= DRAIN;
          else timer <= timer - 1'b1;
        end
        DRAIN: if (empty) begin
          if (rinse_count == RINSES) begin
            timer <= SPIN_TIME - 1;
            state <= SPIN;
          end else begin
            rinse_count <= rinse_count + 1'b1;
            state <= FILL;
          end
        end
        SPIN: begin
          if (time_up) state <= IDLE;
          else timer <= timer - 1'b1;
        end
        default: state <= IDLE;
      endcase
    end
  end
"""
    body = (process, single)[variant]

    def reset(s: State) -> None:
        s.mode, s.timer, s.rinse = "IDLE", 0, 0

    def step(s: State, i: Pins) -> Outputs:
        on = bool(i.door_closed)
        out = {
            "valve": int(on and s.mode == "FILL"),
            "motor": int(on and s.mode in ("WASH", "SPIN")),
            "pump": int(on and s.mode in ("DRAIN", "SPIN")),
            "busy": int(s.mode != "IDLE"),
        }
        if not on:
            return out
        s.timer += 1
        if s.mode == "IDLE":
            s.rinse = 0
            s.mode = "FILL" if i.start else "IDLE"
        elif s.mode == "FILL" and i.full:
            s.mode, s.timer = "WASH", 0
        elif s.mode == "WASH" and s.timer == wash:
            s.mode = "DRAIN"
        elif s.mode == "DRAIN" and i.empty:
            s.mode, s.timer, s.rinse = ("SPIN", 0, s.rinse) if s.rinse == rinses else ("FILL", 0, s.rinse + 1)
        elif s.mode == "SPIN" and s.timer == spin:
            s.mode = "IDLE"
        return out

    return Draft(
        rtl=f"""
module washing_machine #(
  parameter int WASH_TIME = {wash},
  parameter int SPIN_TIME = {spin},
  parameter int RINSES = {rinses}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic door_closed,
  input logic full, // water is at the upper sensor
  input logic empty, // and below the lower one
  output logic valve,
  output logic motor,
  output logic pump,
  output logic busy
);
  typedef enum logic [2:0] {{IDLE, FILL, WASH, DRAIN, SPIN}} state_t;
  logic [{bits - 1}:0] timer;
  logic [1:0] rinse_count;
  logic time_up;
  {body}
  assign valve = door_closed && (state == FILL);
  assign motor = door_closed && (state == WASH || state == SPIN);
  assign pump = door_closed && (state == DRAIN || state == SPIN);
  assign busy = (state != IDLE);
endmodule
""",
        about=f"""Washing machine. `start` begins a programme: fill (`valve`) until `full`, wash (`motor`) for {wash}
            cycles, drain (`pump`) until `empty`; then the same {rinses} more time{"s" if rinses > 1 else ""} to rinse;
            then spin (`motor` and `pump`) for {spin} cycles. `busy` is high from the cycle after `start` to the end.
            While
            `door_closed` is low everything stands still and valve, motor and pump are off.""",
        model=Machine(reset, step),
        names=("washer", "washer_fsm", "laundry_controller"),
        stimulus={"start": 0.4, "door_closed": 0.9, "full": 0.4, "empty": 0.4},
        cycles=200,
    )


@family(variants=3)
def parking_counter(r: Random, variant: int) -> Draft:
    """Two light barriers tell cars that enter from cars that leave."""
    places = r.choice((5, 7, 10, 12))
    bits = places.bit_length()
    machine = """
  typedef enum logic [2:0] {CLEAR, IN_1, IN_2, IN_3, OUT_1, OUT_2, OUT_3} state_t;
  state_t state, state_next;

  // a car may turn back at any point
  always_comb begin
    state_next = state;
    entered = 1'b0;
    left = 1'b0;
    case (state)
      CLEAR: begin
        if (barrier == 2'b10) state_next = IN_1;
        else if (barrier == 2'b01) state_next = OUT_1;
      end
      IN_1: begin
        if (barrier == 2'b11) state_next = IN_2;
        else if (barrier != 2'b10) state_next = CLEAR;
      end
      IN_2: begin
        if (barrier == 2'b01) state_next = IN_3;
        else if (barrier == 2'b10) state_next = IN_1;
        else if (barrier == 2'b00) state_next = CLEAR;
      end
      IN_3: begin
        if (barrier == 2'b11) state_next = IN_2;
        else if (barrier != 2'b01) state_next = CLEAR;
        entered = (barrier == 2'b00);
      end
      OUT_1: begin
        if (barrier == 2'b11) state_next = OUT_2;
        else if (barrier != 2'b01) state_next = CLEAR;
      end
      OUT_2: begin
        if (barrier == 2'b10) state_next = OUT_3;
        else if (barrier == 2'b01) state_next = OUT_1;
        else if (barrier == 2'b00) state_next = CLEAR;
      end
      OUT_3: begin
        if (barrier == 2'b11) state_next = OUT_2;
        else if (barrier != 2'b10) state_next = CLEAR;
        left = (barrier == 2'b00);
      end
      default: state_next = CLEAR;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= CLEAR;
    else state <= state_next;
  end
"""
    depth = """
  logic inward; // who came first
  logic [1:0] depth; // how far the car has come, 0 to 3
  logic [1:0] here, now, ahead, behind;

  // seen from the side that the car comes from
  assign here = inward ? barrier : {barrier[0], barrier[1]};
  assign now = {depth != 2'd3, depth != 2'd1};
  assign ahead = (depth == 2'd1) ? 2'b11 : (depth == 2'd2) ? 2'b01 : 2'b00;
  assign behind = (depth == 2'd3) ? 2'b11 : (depth == 2'd2) ? 2'b10 : 2'b00;
  assign entered = inward && (depth == 2'd3) && (here == ahead);
  assign left = !inward && (depth == 2'd3) && (here == ahead);

  always_ff @(posedge clk) begin
    if (rst) begin
      inward <= 1'b0;
      depth <= '0;
    end else if (depth == 0) begin
      if (^barrier) begin
        inward <= barrier[1];
        depth <= 2'd1;
      end
    end else if (here == ahead) begin
      depth <= depth + 1'b1;
    end else if (here == behind) begin
      depth <= depth - 1'b1;
    end else if (here != now) begin
      depth <= '0;
    end
  end
"""
    flat = machine.replace("state_t state, state_next;", "state_t state;")
    flat = (
        flat[: flat.index("  // a car")]
        + """
  assign entered = (state == IN_3) && (barrier == 2'b00);
  assign left = (state == OUT_3) && (barrier == 2'b00);

  // a car may turn back at any point
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= CLEAR;
    end else begin
      case (barrier)
        2'b00: state <= CLEAR;
        2'b10: case (state)
          CLEAR: state <= IN_1;
          IN_2: state <= IN_1;
          OUT_2: state <= OUT_3;
          OUT_1, IN_3: state <= CLEAR;
          default: state <= state;
        endcase
        2'b01: case (state)
          CLEAR: state <= OUT_1;
          OUT_2: state <= OUT_1;
          IN_2: state <= IN_3;
          IN_1, OUT_3: state <= CLEAR;
          default: state <= state;
        endcase
        default: case (state)
          IN_1, IN_3: state <= IN_2;
          OUT_1, OUT_3: state <= OUT_2;
          default: state <= state;
        endcase
      endcase
    end
  end
"""
    )
    body = (machine, depth, flat)[variant]
    path = (0b00, 0b10, 0b11, 0b01, 0b00)

    def reset(s: State) -> None:
        s.side, s.depth, s.cars = 1, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"cars": s.cars, "full": int(s.cars == places)}
        seen = i.barrier if s.side else i.barrier >> 1 | (i.barrier & 1) << 1
        if s.depth == 0:
            if i.barrier in (1, 2):
                s.side, s.depth = i.barrier >> 1, 1
        elif seen == path[s.depth + 1]:
            s.depth += 1
            if s.depth == 4:
                s.depth = 0
                s.cars = min(s.cars + 1, places) if s.side else max(s.cars - 1, 0)
        elif seen == path[s.depth - 1]:
            s.depth -= 1
        elif seen != path[s.depth]:
            s.depth = 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        kind = r.random()
        s.flow = getattr(s, "flow", 1) if r.random() < 0.98 else r.choice((0, 1))
        side, depth = (s.side, s.depth) if s.depth else (s.flow if r.random() < 0.85 else 1 - s.flow, 0)
        place = depth + 1 if kind < 0.7 else depth if kind < 0.85 else max(0, depth - 1)
        seen = path[place] if kind < 0.95 else r.randrange(4)
        return {"barrier": seen if side else seen >> 1 | (seen & 1) << 1}

    return Draft(
        rtl=f"""
module parking_counter #(
  parameter int PLACES = {places}
) (
  input logic clk,
  input logic rst,
  input logic [1:0] barrier, // interrupted: bit 1 outside, bit 0 inside
  output logic [{bits - 1}:0] cars,
  output logic full
);
  logic entered, left;
  {body}
  // never below zero nor above the number of places
  always_ff @(posedge clk) begin
    if (rst) cars <= '0;
    else if (entered && cars != PLACES) cars <= cars + 1'b1;
    else if (left && cars != 0) cars <= cars - 1'b1;
  end

  assign full = (cars == PLACES);
endmodule
""",
        about=f"""Counts the cars in a car park of {places} places with two light barriers at the gate, `barrier[1]`
            outside and `barrier[0]` inside, high where interrupted. A car that enters shows 10, 11, 01, 00 after 00,
            one that leaves 01, 11, 10, 00, each for any number of cycles; it may step back within the order. Any other
            pair abandons the car, and nothing is seen then until a single barrier is interrupted with no car under
            way. `cars` changes at the edge after the last pair, stays within 0 to {places}, and `full` says that it is
            {places}.""",
        model=Machine(reset, step),
        names=("parking_lot", "car_counter", "occupancy_counter"),
        drive=drive,
        cycles=300,
    )


@family(variants=3)
def garage_door(r: Random, variant: int) -> Draft:
    """One button opens, stops and closes; an obstacle reverses."""
    limit = r.choice((12, 15, 20))
    arms = """
      CLOSED: if (button) state_next = OPENING;
      OPENING: begin
        if (at_top) state_next = OPENED;
        else if (button || time_up) state_next = STOPPED;
      end
      OPENED: if (button) state_next = CLOSING;
      CLOSING: begin
        if (obstacle) state_next = OPENING; // nobody gets hurt
        else if (at_bottom) state_next = CLOSED;
        else if (button || time_up) state_next = STOPPED;
      end
      STOPPED: if (button) state_next = OPENING;
"""
    two = f"""
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
{arms}
      default: state_next = STOPPED;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= STOPPED;
    else state <= state_next;
  end

  // time of the movement in one direction
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (state_next != state) timer <= '0;
    else if (motor_up || motor_down) timer <= timer + 1'b1;
  end

  assign motor_up = (state == OPENING);
  assign motor_down = (state == CLOSING);
"""
    turned = "begin state <= OPENING; timer <= '0; end"
    in_place = arms.replace("state_next = OPENING; // nobody gets hurt", turned).replace("state_next =", "state <=")
    one = f"""
  state_t state;

  assign motor_up = (state == OPENING);
  assign motor_down = (state == CLOSING);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= STOPPED;
      timer <= '0;
    end else begin
      if (motor_up || motor_down) timer <= timer + 1'b1;
      else timer <= '0;
      case (state)
{in_place}
        default: state <= STOPPED;
      endcase
    end
  end
"""
    moving = """
  logic opened; // rests at the top

  always_ff @(posedge clk) begin
    if (rst) begin
      motor_up <= 1'b0;
      motor_down <= 1'b0;
      opened <= 1'b0;
      timer <= '0;
    end else if (motor_up) begin
      timer <= timer + 1'b1;
      opened <= at_top;
      if (at_top || button || time_up) motor_up <= 1'b0;
    end else if (motor_down) begin
      timer <= timer + 1'b1;
      if (obstacle) begin
        motor_down <= 1'b0;
        motor_up <= 1'b1; // turns round without a rest
        timer <= '0;
      end else begin
        if (at_bottom || button || time_up) motor_down <= 1'b0;
      end
    end else if (button) begin
      motor_up <= !opened;
      motor_down <= opened;
      opened <= 1'b0;
      timer <= '0;
    end
  end
"""
    body = (two, one, moving)[variant]
    enum = "  typedef enum logic [2:0] {CLOSED, OPENING, OPENED, CLOSING, STOPPED} state_t;\n" if variant < 2 else ""

    def reset(s: State) -> None:
        s.mode, s.timer = "stopped", 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"motor_up": int(s.mode == "opening"), "motor_down": int(s.mode == "closing")}
        up = s.timer == limit - 1
        old = s.mode
        if s.mode == "opening":
            s.mode = "opened" if i.at_top else "stopped" if i.button or up else old
        elif s.mode == "closing":
            rest = "closed" if i.at_bottom else "stopped" if i.button or up else old
            s.mode = "opening" if i.obstacle else rest
        elif i.button:
            s.mode = "closing" if s.mode == "opened" else "opening"
        s.timer = s.timer + 1 if s.mode == old else 0
        return out

    return Draft(
        rtl=f"""
module garage_door #(
  parameter int LIMIT = {limit}
) (
  input logic clk,
  input logic rst,
  input logic button, // one cycle a press
  input logic at_top,
  input logic at_bottom,
  input logic obstacle,
  output logic motor_up,
  output logic motor_down
);
{enum}
  logic [4:0] timer;
  logic time_up;

  assign time_up = (timer == LIMIT - 1); // should have arrived
  {body}
endmodule
""",
        about=f"""Garage door with one `button`. A press lets a closed door go up, an open one go down, stops one that
            moves, and lets one that was stopped go up. The door stands open when it goes up and `at_top` is high,
            closed when it goes down and `at_bottom` is high; each sensor matters only in its direction and counts
            before the button. `obstacle` on the way down, before anything else, turns the door upwards at once. A
            movement of {limit} cycles in one direction without arriving is stopped. After reset the door is stopped.
            `motor_up` and `motor_down` follow the state.""",
        model=Machine(reset, step),
        names=("gate_controller", "door_fsm", "garage_opener"),
        stimulus={"button": 0.12, "at_top": 0.07, "at_bottom": 0.07, "obstacle": 0.08},
        cycles=260,
    )


@family(variants=3)
def bouncing_light(r: Random, variant: int) -> Draft:
    """One light runs to and fro on a row of LEDs."""
    width = r.choice((4, 6, 8, 10))
    period = r.choice((1, 2, 3, 5))
    bits = max(1, (width - 1).bit_length())
    shifting = """
  logic left; // the direction

  always_ff @(posedge clk) begin
    if (rst) begin
      leds <= 1;
      left <= 1'b1;
    end else if (step) begin
      if (left) begin
        leds <= leds << 1;
        if (leds[WIDTH-2]) left <= 1'b0; // arrives at the end
      end else begin
        leds <= leds >> 1;
        if (leds[1]) left <= 1'b1;
      end
    end
  end
"""
    placed = f"""
  logic [{bits - 1}:0] place;
  logic back;

  always_ff @(posedge clk) begin
    if (rst) begin
      place <= '0;
      back <= 1'b0;
    end else if (step) begin
      if (!back && place == WIDTH - 1) begin
        back <= 1'b1;
        place <= WIDTH - 2;
      end else if (back && place == 0) begin
        back <= 1'b0;
        place <= {bits}'d1;
      end else begin
        place <= back ? place - 1'b1 : place + 1'b1;
      end
    end
  end

  assign leds = {{{{(WIDTH-1){{1'b0}}}}, 1'b1}} << place;
"""
    triangle = f"""
  localparam int TURNS = 2 * WIDTH - 2; // steps until it is back
  logic [{bits}:0] phase, place;

  always_ff @(posedge clk) begin
    if (rst) phase <= '0;
    else if (step) phase <= (phase == TURNS - 1) ? '0 : phase + 1'b1;
  end

  // the second half runs backwards
  assign place = (phase < WIDTH) ? phase : TURNS - phase;

  always_comb begin
    for (int i = 0; i < WIDTH; i++) leds[i] = (place == i);
  end
"""
    body = (shifting, placed, triangle)[variant]
    tick = """
  // one step in each period
  always_ff @(posedge clk) begin
    if (rst) tick_count <= '0;
    else if (run) tick_count <= (tick_count == PERIOD - 1) ? '0 : tick_count + 1'b1;
  end

  assign step = run && (tick_count == PERIOD - 1);
"""

    def reset(s: State) -> None:
        s.count = s.phase = 0

    def step(s: State, i: Pins) -> Outputs:
        turns = 2 * width - 2
        out = {"leds": 1 << (s.phase if s.phase < width else turns - s.phase)}
        if i.run:
            s.count += 1
            if s.count == period:
                s.count, s.phase = 0, (s.phase + 1) % turns
        return out

    return Draft(
        rtl=f"""
module bouncing_light #(
  parameter int WIDTH = {width}{f",{chr(10)}  parameter int PERIOD = {period}" if period > 1 else ""}
) (
  input logic clk,
  input logic rst,
  input logic run,
  output logic [WIDTH-1:0] leds
);
  logic step;
  {f"logic [{(period - 1).bit_length() - 1}:0] tick_count;" + tick if period > 1 else "assign step = run;"}
  {body}
endmodule
""",
        about=f"""Running light on {width} LEDs: one is lit, at first the lowest; the light goes up by one LED in every
            {f"{period} cycles" if period > 1 else "cycle"} with `run` high, turns at the top, comes down, turns at the
            bottom and so on, standing at each end for one step. It stands still while `run` is low.""",
        model=Machine(reset, step),
        names=("led_chaser", "knight_rider", "ping_pong_led", "scanner"),
        stimulus={"run": 0.93},
        cycles=40 + period * width * 5,
    )
