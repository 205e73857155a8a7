"""Controllers of plants: tanks, pumps, supplies, belts and their safety."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def tank_control(r: Random, variant: int) -> Draft:
    """Keeps the level of a tank between two float switches, without starting its pump too often."""
    drains = r.random() < 0.4
    rest = r.choice((3, 4, 6, 8))
    dry = r.random() < 0.6
    run_limit = r.choice((12, 16, 20))
    bits = max(rest, run_limit if dry else 1).bit_length()
    begin, end = ("high_float", "!low_float") if drains else ("!low_float", "high_float")
    pumping = (
        """
        PUMP: begin
          timer <= timer + 1'b1;
          if (enough || timer == RUN_LIMIT - 1) begin
            state <= enough ? REST : FAILED;
            timer <= '0;
          end
        end
"""
        if dry
        else """
        PUMP: if (enough) begin
          state <= REST;
          timer <= '0;
        end
"""
    )
    machine = f"""
  typedef enum logic [1:0] {{IDLE, PUMP, REST{", FAILED" if dry else ""}}} state_t;
  state_t state;

  assign pump = (state == PUMP) && !sensor_fault;
  {"assign failed = (state == FAILED);" if dry else ""}

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= '0;
    end else if (sensor_fault) begin
      {"if (state != FAILED) begin state <= REST; timer <= '0; end" if dry else "state <= REST;"}
      {"" if dry else "timer <= '0;"}
    end else begin
      case (state)
        IDLE: begin
          timer <= '0;
          if (needed) state <= PUMP;
        end
{pumping}
        REST: begin
          timer <= timer + 1'b1;
          if (timer == REST_TIME - 1) state <= IDLE;
        end
        default: {"if (restart) begin state <= IDLE; timer <= '0; end" if dry else "state <= IDLE;"}
      endcase
    end
  end
"""
    parted = f"""
  typedef enum logic [1:0] {{IDLE, PUMP, REST{", FAILED" if dry else ""}}} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (needed) state_next = PUMP;
      PUMP: begin
        if (enough) state_next = REST;
        {"else if (timer == RUN_LIMIT - 1) state_next = FAILED; // no water, or a leak" if dry else ""}
      end
      REST: if (timer == REST_TIME - 1) state_next = IDLE;
      default: {"if (restart) state_next = IDLE;" if dry else "state_next = IDLE;"}
    endcase
    if (sensor_fault{" && state != FAILED" if dry else ""}) state_next = REST;
    {"else if (sensor_fault) state_next = FAILED;" if dry else ""}
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else state <= state_next;
  end

  // cycles in this state
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (state_next != state || sensor_fault) timer <= '0;
    else if ({"state == PUMP || state == REST" if dry else "state == REST"}) timer <= timer + 1'b1;
  end

  assign pump = (state == PUMP) && !sensor_fault;
  {"assign failed = (state == FAILED);" if dry else ""}
"""
    flags = f"""
  logic running, resting;
  {"logic too_long;" if dry else ""}

  assign pump = running && !sensor_fault;
  {"assign too_long = running && !enough && !sensor_fault && (timer == RUN_LIMIT - 1);" if dry else ""}

  always_ff @(posedge clk) begin
    if (rst) begin
      running <= 1'b0;
    end else if (running) begin
      running <= !(enough || sensor_fault{" || too_long" if dry else ""});
    end else begin
      running <= needed && !resting && !sensor_fault{" && !failed" if dry else ""};
    end
  end

  // after each run, and after a fault of the sensors, the motor cools down
  always_ff @(posedge clk) begin
    if (rst) begin
      resting <= 1'b0;
    end else if (sensor_fault) begin
      resting <= {"!failed" if dry else "1'b1"};
    end else if (running) begin
      resting <= enough;
    end else if (resting) begin
      resting <= (timer != REST_TIME - 1);
    end
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (sensor_fault) timer <= '0;
    else if (running) timer <= {"(enough || too_long) ? '0 : timer + 1'b1" if dry else "'0"};
    else timer <= resting && (timer != REST_TIME - 1) ? timer + 1'b1 : '0;
  end
"""
    if dry:
        flags += """
  always_ff @(posedge clk) begin
    if (rst) failed <= 1'b0;
    else if (too_long) failed <= 1'b1;
    else if (restart && !sensor_fault) failed <= 1'b0;
  end
"""
    body = (machine, parted, flags)[variant]

    def reset(s: State) -> None:
        s.mode, s.timer = "idle", 0

    def step(s: State, i: Pins) -> Outputs:
        fault = i.high_float and not i.low_float
        out = {"pump": int(s.mode == "pump" and not fault), "sensor_fault": int(fault)}
        if dry:
            out["failed"] = int(s.mode == "failed")
        needed = i.high_float if drains else not i.low_float
        enough = not i.low_float if drains else i.high_float
        if fault:
            if s.mode != "failed":
                s.mode, s.timer = "rest", 0
        elif s.mode == "idle":
            if needed:
                s.mode, s.timer = "pump", 0
        elif s.mode == "pump":
            s.timer += 1
            if enough:
                s.mode, s.timer = "rest", 0
            elif dry and s.timer == run_limit:
                s.mode = "failed"
        elif s.mode == "rest":
            s.timer += 1
            if s.timer == rest:
                s.mode = "idle"
        elif i.restart:
            s.mode = "idle"
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        level = getattr(s, "level", 10)
        strong = getattr(s, "strong", 2)
        if r.random() < 0.05:
            strong = s.strong = r.choice((0, 1, 2, 3, 3))
        pumped = strong if s.mode == "pump" else 0
        flow = r.choice((0, 1, 1))
        level += (flow - pumped) if drains else (pumped - flow)
        s.level = max(0, min(20, level))
        low, high = int(s.level > 6), int(s.level > 13)
        if r.random() < 0.02:
            low, high = 0, 1
        return {"low_float": low, "high_float": high}

    job = "emptied" if drains else "filled"
    return Draft(
        rtl=f"""
module tank_control #(
  parameter int REST_TIME = {rest}{f", parameter int RUN_LIMIT = {run_limit}" if dry else ""}
) (
  input logic clk,
  input logic rst,
  input logic low_float, // high when the water reaches it
  input logic high_float,
  {"input logic restart," if dry else ""}
  output logic pump,
  {"output logic failed," if dry else ""}
  output logic sensor_fault
);
  logic [{bits - 1}:0] timer;
  logic needed, enough;

  // water above and none below
  assign sensor_fault = high_float && !low_float;
  assign needed = {begin};
  assign enough = {end};
  {body}
endmodule
""",
        about=f"""Controls the pump by which a tank is {
            job
        }. `low_float` and `high_float` are high when the water reaches
            them. An idle pump starts, with the next edge, when {
            "the water has reached the high float" if drains else "the water is below the low float"
        },
            and runs until it {"is below the low float" if drains else "reaches the high one"}; then it rests for {rest}
            cycles and is idle for one at least.{
            f''' If it has
            run for {run_limit} cycles and the last of them is not the end either, it has `failed` and stays off until a
            cycle with `restart`, after which it is idle.'''
            if dry
            else ""
        } `sensor_fault` is high while only the high float sees water: the pump is off in that very cycle, and
            {"unless it has `failed` (which stays so, `restart` or not) " if dry else ""}it rests for {
            rest
        } cycles after
            the last such cycle. After reset it is idle.""",
        model=Machine(reset, step),
        names=("tank_pump", "level_control", "sump_pump" if drains else "fill_pump"),
        stimulus={"restart": 0.15},
        drive=drive,
        cycles=320,
    )


@family(variants=3)
def pump_alternator(r: Random, variant: int) -> Draft:
    """Runs as many pumps as are needed, and another one first each time."""
    count = r.choice((2, 3, 4))
    bits = (count - 1).bit_length()
    dbits = count.bit_length()
    mode = r.choice(("stop", "tick"))
    searched = f"""
  logic [{dbits - 1}:0] given;
  logic [{bits}:0] place;

  // from the lead pump on around, as many as are needed and fit
  always_comb begin
    wanted = '0;
    given = '0;
    place = '0;
    for (int i = 0; i < PUMPS; i++) begin
      place = lead + i;
      if (place >= PUMPS) place = place - PUMPS;
      if (!fault[place] && given < demand) begin
        wanted[place] = 1'b1;
        given = given + 1'b1;
      end
    end
  end
"""
    turned = f"""
  logic [PUMPS-1:0] able, chosen; // turned so that the lead pump is bit 0
  logic [2*PUMPS-1:0] unturned;
  logic [{dbits - 1}:0] rank;

  assign able = {{~fault, ~fault}} >> lead;

  always_comb begin
    chosen = '0;
    rank = '0;
    for (int i = 0; i < PUMPS; i++) begin
      chosen[i] = able[i] && (rank < demand);
      rank = rank + able[i];
    end
  end

  // and back
  assign unturned = {{{{PUMPS{{1'b0}}}}, chosen}} << lead;
  assign wanted = unturned[2*PUMPS-1:PUMPS] | unturned[PUMPS-1:0];
"""
    # For each pump: how many able ones come before it.
    ranked = f"""
  for (genvar k = 0; k < PUMPS; k++) begin : gen_pump
    logic [{dbits - 1}:0] ahead_count; // able pumps that come before this one

    always_comb begin
      ahead_count = '0;
      for (int i = 0; i < PUMPS; i++) begin
        if (k >= lead) begin
          if (i >= lead && i < k && !fault[i]) ahead_count = ahead_count + 1'b1;
        end else begin
          if ((i >= lead || i < k) && !fault[i]) ahead_count = ahead_count + 1'b1;
        end
      end
    end

    assign wanted[k] = !fault[k] && (ahead_count < demand);
  end
"""
    advance = "stopped" if mode == "stop" else "rotate"
    ahead = (
        """
  // the next pump leads when all have come to rest
  assign stopped = (|run) && (wanted == 0);
"""
        if mode == "stop"
        else ""
    )
    body = (searched, turned, ranked)[variant]

    def reset(s: State) -> None:
        s.lead = s.run = 0

    def step(s: State, i: Pins) -> Outputs:
        able = [(s.lead + k) % count for k in range(count) if not i.fault >> (s.lead + k) % count & 1]
        out = {"run": s.run, "lead": s.lead, "scarce": int(len(able) < i.demand)}
        wanted = sum(1 << k for k in able[: i.demand])
        if (s.run and not wanted) if mode == "stop" else i.rotate:
            s.lead = (s.lead + 1) % count
        s.run = wanted
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "need") or r.random() < 0.35:
            s.need = r.choice((0, 0, 1, r.randrange(count + 1), r.randrange(count + 1)))
        if not hasattr(s, "broken") or r.random() < 0.2:
            s.broken = r.choice((0, 0, 0, 1 << r.randrange(count), r.getrandbits(count)))
        return {"demand": s.need, "fault": s.broken}

    when = (
        "When the pumps stop, that is, when some ran and none is wanted any more, the lead goes to the next one"
        if mode == "stop"
        else "`rotate` gives the lead to the next one"
    )
    return Draft(
        rtl=f"""
module pump_alternator #(
  parameter int PUMPS = {count}
) (
  input logic clk,
  input logic rst,
  input logic [{dbits - 1}:0] demand, // how many should run
  input logic [PUMPS-1:0] fault,
  {"input logic rotate, // from a timer" if mode == "tick" else ""}
  output logic [PUMPS-1:0] run,
  output logic [{bits - 1}:0] lead,
  output logic scarce // fewer can run than should
);
  logic [PUMPS-1:0] wanted;
  {"logic stopped;" if mode == "stop" else ""}
  {body}
  {ahead}
  always_ff @(posedge clk) begin
    if (rst) lead <= '0;
    else if ({advance}) lead <= (lead == PUMPS - 1) ? '0 : lead + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) run <= '0;
    else run <= wanted;
  end

  logic [{dbits - 1}:0] able_count;

  always_comb begin
    able_count = '0;
    for (int i = 0; i < PUMPS; i++) begin
      able_count = able_count + (fault[i] ? 1'b0 : 1'b1);
    end
  end

  assign scarce = (demand > able_count);
endmodule
""",
        about=f"""Shares the work among {count} pumps. `demand` (0 to {
            count
        }) of them should run: the first ones without
            `fault` from the lead pump on, upwards in number and around from {
            count - 1
        } to 0; if fewer are without fault,
            all of these. `run` is registered. `scarce` is high in cycles in which fewer can run than should. {when} in
            number and around{
            " (`run` and the want as they are in a cycle decide about the edge that ends it)" if mode == "stop" else ""
        }. After reset pump 0 leads and none runs.""",
        model=Machine(reset, step),
        names=("lead_lag_pumps", "pump_rotation", "duty_standby"),
        stimulus={"rotate": 0.2},
        drive=drive,
        cycles=200,
    )


@family(variants=3)
def power_sequencer(r: Random, variant: int) -> Draft:
    """Switches supply rails on in order and off in the reverse one."""
    rails = r.choice((3, 4, 5))
    bits = rails.bit_length()
    settle = r.choice((2, 3, 4))
    timeout = settle + r.choice((5, 8, 10))
    gap = r.choice((2, 3))
    tbits = timeout.bit_length()
    latch = r.random() < 0.6
    retry = "!enable" if latch else "timer == TIMEOUT - 1"
    ok = "(&(power_good | ~rail_en))"
    common = """
  typedef enum logic [2:0] {OFF, RISE, ON, FALL, FAULT} state_t;
"""
    fsm = f"""{common}
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= OFF;
      rail_en <= '0;
      timer <= '0;
    end else begin
      timer <= timer + 1'b1;
      case (state)
        OFF: begin
          timer <= '0;
          if (enable) begin
            state <= RISE;
            rail_en <= {rails}'d1;
          end
        end
        RISE: begin
          if (!enable) begin
            state <= FALL;
            timer <= '0;
          end else if (timer >= SETTLE - 1 && all_good) begin
            timer <= '0;
            if (&rail_en) state <= ON;
            else rail_en <= {{rail_en[RAILS-2:0], 1'b1}};
          end else if (timer == TIMEOUT - 1) begin
            state <= FAULT;
            rail_en <= '0;
            timer <= '0;
          end
        end
        ON: begin
          timer <= '0;
          if (!all_good) begin
            state <= FAULT; // all at once
            rail_en <= '0;
          end else if (!enable) begin
            state <= FALL;
          end
        end
        FALL: if (timer == GAP - 1) begin
          timer <= '0;
          rail_en <= rail_en >> 1;
          if (rail_en == 1) state <= OFF;
        end
        default: if ({retry}) state <= OFF;
      endcase
    end
  end
"""
    counted = f"""{common}
  state_t state, state_next;
  logic [{bits - 1}:0] count, count_next; // rails that are on

  for (genvar k = 0; k < RAILS; k++) begin : gen_rail
    assign rail_en[k] = (count > k);
  end

  always_comb begin
    state_next = state;
    count_next = count;
    case (state)
      OFF: if (enable) begin
        state_next = RISE;
        count_next = 1;
      end
      RISE: begin
        if (!enable) state_next = FALL;
        else if (all_good && timer >= SETTLE - 1) begin
          if (count == RAILS) state_next = ON;
          else count_next = count + 1'b1;
        end else if (timer == TIMEOUT - 1) state_next = FAULT;
      end
      ON: begin
        if (!all_good) state_next = FAULT;
        else if (!enable) state_next = FALL;
      end
      FALL: if (timer == GAP - 1) begin
        count_next = count - 1'b1;
        if (count == 1) state_next = OFF;
      end
      default: if ({retry}) state_next = OFF;
    endcase
    if (state_next == FAULT) count_next = '0; // without order
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= OFF;
      count <= '0;
    end else begin
      state <= state_next;
      count <= count_next;
    end
  end

  // time since the last change
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (state_next != state || count_next != count) timer <= '0;
    else if (timer != TIMEOUT - 1) timer <= timer + 1'b1;
  end
"""
    split = f"""{common}
  state_t state;
  logic rail_ok, late, next_rail, drop_rail;

  assign rail_ok = (timer >= SETTLE - 1) && all_good;
  assign late = (timer == TIMEOUT - 1) && !all_good;
  assign next_rail = (state == OFF && enable) || (state == RISE && enable && rail_ok && !(&rail_en));
  assign drop_rail = (state == FALL) && (timer == GAP - 1);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= OFF;
    end else begin
      case (state)
        OFF: if (enable) state <= RISE;
        RISE: state <= !enable ? FALL : late ? FAULT : (rail_ok && &rail_en) ? ON : RISE;
        ON: state <= !all_good ? FAULT : !enable ? FALL : ON;
        FALL: if (drop_rail && !rail_en[1]) state <= OFF;
        default: if ({retry}) state <= OFF;
      endcase
    end
  end

  // a thermometer code: filled from below, emptied from above
  always_ff @(posedge clk) begin
    if (rst) rail_en <= '0;
    else if ((state == RISE && enable && late) || (state == ON && !all_good)) rail_en <= '0;
    else if (next_rail) rail_en <= (rail_en << 1) | 1'b1;
    else if (drop_rail) rail_en <= rail_en >> 1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      timer <= '0;
    end else begin
      case (state)
        RISE: timer <= (!enable || rail_ok || late) ? '0 : timer + 1'b1;
        FALL: timer <= drop_rail ? '0 : timer + 1'b1;
        FAULT: timer <= {"'0" if latch else "(timer == TIMEOUT - 1) ? '0 : timer + 1'b1"};
        default: timer <= '0;
      endcase
    end
  end
"""
    body = (fsm, counted, split)[variant]

    def reset(s: State) -> None:
        s.mode, s.count, s.timer = "off", 0, 0

    def step(s: State, i: Pins) -> Outputs:
        on = (1 << s.count) - 1
        out = {"rail_en": on, "powered": int(s.mode == "on"), "fault": int(s.mode == "fault")}
        good = not on & ~i.power_good
        s.timer += 1
        if s.mode == "off":
            s.timer = 0
            if i.enable:
                s.mode, s.count = "rise", 1
        elif s.mode == "rise":
            if not i.enable:
                s.mode, s.timer = "fall", 0
            elif good and s.timer >= settle:
                s.timer = 0
                if s.count == rails:
                    s.mode = "on"
                else:
                    s.count += 1
            elif s.timer == timeout:
                s.mode, s.count, s.timer = "fault", 0, 0
        elif s.mode == "on":
            s.timer = 0
            if not good:
                s.mode, s.count = "fault", 0
            elif not i.enable:
                s.mode = "fall"
        elif s.mode == "fall":
            if s.timer == gap:
                s.timer, s.count = 0, s.count - 1
                if s.count == 0:
                    s.mode = "off"
        elif not i.enable if latch else s.timer == timeout:
            s.mode, s.timer = "off", 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.on = getattr(s, "on", 0) ^ 1
            left = r.choice((6, 30, 45, 60)) if s.on else r.choice((2, 8, gap * rails + 4))
            s.stuck = r.choice((0, 0, 0, 1 << r.randrange(rails)))
        s.left = left - 1
        now = (1 << s.count) - 1
        if s.count and s.timer < 2 and r.random() < 0.7:
            now &= ~(1 << s.count - 1)
        if s.mode == "on" and r.random() < 0.03:
            now ^= 1 << r.randrange(rails)
        return {"enable": s.on, "power_good": (now | (r.getrandbits(rails) & ~((1 << s.count) - 1))) & ~s.stuck}

    return Draft(
        rtl=f"""
module power_sequencer #(
  parameter int RAILS = {rails},
  parameter int SETTLE = {settle}, // cycles that a rail gets at least
  parameter int TIMEOUT = {timeout},
  parameter int GAP = {gap} // cycles between two rails on the way down
) (
  input logic clk,
  input logic rst,
  input logic enable,
  input logic [RAILS-1:0] power_good,
  output logic [RAILS-1:0] rail_en,
  output logic powered,
  output logic fault
);
  logic [{tbits - 1}:0] timer;
  logic all_good; // of those that are on

  assign all_good = {ok};
  {body}
  assign powered = (state == ON);
  assign fault = (state == FAULT);
endmodule
""",
        about=f"""Sequencer for {rails} supply rails. When off, `enable` switches rail 0 on with the next edge. A rail
            has
            come up in a cycle, its {settle}th or later, in which `power_good` is high for all rails that are on; then
            the
            next one is switched on, or after the last one the supply is `powered`. If that has not happened in the
            {timeout}th cycle of a rail, or if while `powered` one loses its `power_good`, all rails go off at once and
            `fault` is high {"until a cycle without `enable`" if latch else f"for {timeout} cycles"}, after which the
            sequencer is off. Without `enable` during the rise (whatever the rails) or while powered (and all good) it
            starts to go down: every {gap} cycles the highest rail that is on goes off; `enable` is not looked at
            until all
            are off.""",
        model=Machine(reset, step),
        names=("rail_sequencer", "supply_sequencer", "power_up_fsm"),
        drive=drive,
        cycles=340,
    )


@family(variants=3)
def battery_charger(r: Random, variant: int) -> Draft:
    """The phases of charging: gently, with full current, at constant voltage, and done."""
    width = 8
    empty = r.randrange(90, 110)
    full = r.randrange(190, 210)
    again = full - r.choice((10, 15, 20))
    taper = r.choice((10, 12, 20))
    pre_limit = r.choice((12, 16, 20))
    bits = pre_limit.bit_length()
    cold = r.random() < 0.5
    currents = sorted(r.sample(range(1, 8), 3))
    small, large = currents[0], currents[2]
    temperature = "too_hot || too_cold" if cold else "too_hot"
    machine = """
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= '0;
    end else if (!present) begin
      state <= IDLE;
    end else if (sample_valid) begin
      case (state)
        IDLE: begin
          timer <= '0;
          if (voltage < EMPTY) state <= PRECHARGE;
          else if (voltage < RECHARGE) state <= CURRENT;
          else state <= COMPLETE;
        end
        PRECHARGE: begin
          if (voltage >= EMPTY) state <= CURRENT;
          else if (!paused) begin
            timer <= timer + 1'b1;
            if (timer == PRE_LIMIT - 1) state <= FAILED; // a dead cell
          end
        end
        CURRENT: if (voltage >= FULL) state <= CONSTANT;
        CONSTANT: if (current < TAPER && !paused) state <= COMPLETE;
        COMPLETE: if (voltage < RECHARGE) state <= CURRENT;
        default: ;
      endcase
    end
  end
"""
    parted = """
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      IDLE: state_next = (voltage < EMPTY) ? PRECHARGE : (voltage < RECHARGE) ? CURRENT : COMPLETE;
      PRECHARGE: begin
        if (voltage >= EMPTY) state_next = CURRENT;
        else if (!paused && timer == PRE_LIMIT - 1) state_next = FAILED;
      end
      CURRENT: if (voltage >= FULL) state_next = CONSTANT;
      CONSTANT: if (!paused && current < TAPER) state_next = COMPLETE;
      COMPLETE: if (voltage < RECHARGE) state_next = CURRENT;
      FAILED: ; // until the battery is taken out
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else if (!present) state <= IDLE;
    else if (sample_valid) state <= state_next;
  end

  // samples of weak charging without a pause
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (state == IDLE) timer <= '0;
    else if (sample_valid && state == PRECHARGE && !paused) timer <= timer + 1'b1;
  end
"""
    one_hot = """
  logic is_empty, is_low, is_full, trickle_end;
  logic [5:0] phase, phase_next; // one hot: idle, precharge, current, constant, complete, failed

  assign is_empty = (voltage < EMPTY);
  assign is_low = (voltage < RECHARGE);
  assign is_full = (voltage >= FULL);
  assign trickle_end = !paused && (timer == PRE_LIMIT - 1);

  assign phase_next[0] = 1'b0;
  assign phase_next[1] = (phase[0] & is_empty) | (phase[1] & is_empty & ~trickle_end);
  assign phase_next[2] = (phase[0] & ~is_empty & is_low) | (phase[1] & ~is_empty) | (phase[2] & ~is_full) | (phase[4]
            & is_low);
  assign phase_next[3] = (phase[2] & is_full) | (phase[3] & (paused | (current >= TAPER)));
  assign phase_next[4] = (phase[0] & ~is_low) | (phase[3] & ~paused & (current < TAPER)) | (phase[4] & ~is_low);
  assign phase_next[5] = phase[5] | (phase[1] & is_empty & trickle_end);

  always_ff @(posedge clk) begin
    if (rst) phase <= 6'b000001;
    else if (!present) phase <= 6'b000001;
    else if (sample_valid) phase <= phase_next;
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (phase[0]) timer <= '0;
    else if (phase[1] && sample_valid && !paused) timer <= timer + 1'b1;
  end

  assign setting = (paused || !present) ? '0 : phase[1] ? SMALL : (phase[2] || phase[3]) ? LARGE : '0;
  assign hold_voltage = phase[3];
  assign complete = phase[4];
  assign failed = phase[5];
"""
    states = """
  typedef enum logic [2:0] {IDLE, PRECHARGE, CURRENT, CONSTANT, COMPLETE, FAILED} state_t;
"""
    shown = """
  // what the regulator is told
  always_comb begin
    setting = '0;
    if (present && !paused) begin
      case (state)
        PRECHARGE: setting = SMALL;
        CURRENT, CONSTANT: setting = LARGE;
        default: setting = '0;
      endcase
    end
  end

  assign hold_voltage = (state == CONSTANT);
  assign complete = (state == COMPLETE);
  assign failed = (state == FAILED);
"""
    body = (states + machine + shown, states + parted + shown, one_hot)[variant]

    def reset(s: State) -> None:
        s.mode, s.timer = "idle", 0

    def step(s: State, i: Pins) -> Outputs:
        paused = i.too_hot or (cold and i.too_cold)
        flow = {"pre": small, "current": large, "constant": large}.get(s.mode, 0)
        out = {
            "setting": flow if i.present and not paused else 0,
            "hold_voltage": int(s.mode == "constant"),
            "complete": int(s.mode == "complete"),
            "failed": int(s.mode == "failed"),
        }
        if not i.present:
            s.mode = "idle"
        elif not i.sample_valid:
            pass
        elif s.mode == "idle":
            s.timer = 0
            s.mode = "pre" if i.voltage < empty else "current" if i.voltage < again else "complete"
        elif s.mode == "pre":
            if i.voltage >= empty:
                s.mode = "current"
            elif not paused:
                s.timer += 1
                if s.timer == pre_limit:
                    s.mode = "failed"
        elif s.mode == "current":
            if i.voltage >= full:
                s.mode = "constant"
        elif s.mode == "constant":
            if i.current < taper and not paused:
                s.mode = "complete"
        elif s.mode == "complete" and i.voltage < again:
            s.mode = "current"
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "here") or r.random() < 0.015:
            s.here = 0
            s.good = r.random() < 0.8
            s.cell = r.choice((empty - 20, empty - 5, empty + 5, again - 3, again, again + 2))
        elif s.here == 0 and r.random() < 0.5:
            s.here = 1
        if s.mode in ("pre", "current") and s.good:
            s.cell += r.choice((0, 2, 7, 12))
        if s.mode == "complete":
            s.cell -= r.choice((0, 0, 1, 3))
        s.cell = max(0, min(s.cell, full + 1))
        near = r.choice((empty - 1, empty, full - 1, full, again - 1, again))
        return {
            "present": s.here,
            "voltage": near if r.random() < 0.06 and s.good else s.cell,
            "current": r.choice((taper - 1, taper, taper + 1, 60, 60, 60)),
        }

    return Draft(
        rtl=f"""
module battery_charger #(
  parameter int EMPTY = {empty}, // below it the current has to be small
  parameter int FULL = {full},
  parameter int RECHARGE = {again},
  parameter int TAPER = {taper}, // at the end of charging the current falls below it
  parameter int PRE_LIMIT = {pre_limit}
) (
  input logic clk,
  input logic rst,
  input logic present,
  input logic sample_valid,
  input logic [{width - 1}:0] voltage,
  input logic [{width - 1}:0] current,
  input logic too_hot,
  {"input logic too_cold," if cold else ""}
  output logic [2:0] setting, // of the current
  output logic hold_voltage,
  output logic complete,
  output logic failed
);
  localparam logic [2:0] SMALL = 3'd{small};
  localparam logic [2:0] LARGE = 3'd{large};
  logic [{bits - 1}:0] timer;
  logic paused;

  assign paused = {temperature};
  {body}
endmodule
""",
        about=f"""Controls the phases of charging a battery; it looks at `voltage` and `current` in cycles with
            `sample_valid`. Without `present` it is idle from the next edge on. The first sample decides where to begin:
            with precharge below {empty}, with full current below {again}, else charging is `complete`. Precharge
            (`setting` {small}) goes over to full current at {empty} or more, and has `failed`, until the battery is
            taken
            out, with the {pre_limit}th sample below {empty}, not counting those while paused. Full current (`setting`
            {large}) lasts until {full} or more is seen; then `hold_voltage` is high, with the same `setting`, until a
            sample while not paused has a current below {taper}. Then it is `complete`, until the voltage is below
            {again},
            from where it goes on with full current. `setting` is 0 in the other phases, and at once without `present`
            or
            while paused by `too_hot`{" or `too_cold`" if cold else ""}.""",
        model=Machine(reset, step),
        names=("charge_control", "charger_fsm", "cc_cv_charger"),
        stimulus={"sample_valid": 0.85, "too_hot": 0.06, "too_cold": 0.04},
        drive=drive,
        cycles=360,
    )


@family(variants=3)
def parcel_sorter(r: Random, variant: int) -> Draft:
    """Pushes each parcel off a belt at the chute that it was scanned for."""
    chutes = r.choice((2, 3, 4))
    bits = (chutes + 1).bit_length()
    spacing = r.choice((1, 2))
    first = r.choice((2, 3))
    places = [first + spacing * k for k in range(chutes)]
    length = places[-1]
    jam = r.random() < 0.5
    named = ", ".join(f"chute {k} at place {place}" for k, place in enumerate(places))
    # As one vector that is shifted by a field.
    wide = length * bits
    push_terms = "\n".join(
        f"  assign push[{k}] = belt_tick && (belt[{bits * place - 1}:{bits * (place - 1)}] == {bits}'d{k});"
        for k, place in enumerate(places)
    )
    clear_terms = "\n".join(
        f"    if (push[{k}]) belt_after[{bits * place - 1}:{bits * (place - 1)}] = NOTHING;"
        for k, place in enumerate(places)
    )
    fields = f"""
  logic [{wide - 1}:0] belt, belt_after; // a field for each place, the first one lowest

  // the parcel is at its chute when the belt moves
{push_terms}

  always_comb begin
    belt_after = belt;
{clear_terms}
  end

  always_ff @(posedge clk) begin
    if (rst) belt <= {{{wide}{{1'b1}}}};
    else if (belt_tick) belt <= {{belt_after[{wide - bits - 1}:0], arriving}};
  end

  assign leaving = belt_after[{wide - 1}:{wide - bits}];
"""
    place_of = "FIRST + SPACING * k - 1" if spacing > 1 else "FIRST + k - 1"
    lanes = f"""
  logic [{bits - 1}:0] place [0:LENGTH-1];
  logic [LENGTH-1:0] pushed;

  // chute k stands at every {"other " if spacing == 2 else ""}place from the first one on
  always_comb begin
    pushed = '0;
    push = '0;
    for (int i = 0; i < CHUTES; i++) begin
      if (belt_tick && place[{place_of.replace(" k", " i")}] == i) begin
        push[i] = 1'b1;
        pushed[{place_of.replace(" k", " i")}] = 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < LENGTH; i++) place[i] <= NOTHING;
    end else if (belt_tick) begin
      place[0] <= arriving;
      for (int i = 1; i < LENGTH; i++) place[i] <= pushed[i-1] ? NOTHING : place[i-1];
    end
  end

  assign leaving = pushed[LENGTH-1] ? NOTHING : place[LENGTH-1];
"""
    # One shift register for each chute, only as long as its way, and one for strays.
    ways = "\n".join(
        f"""
  logic [{place - 1}:0] way_{k};

  always_ff @(posedge clk) begin
    if (rst) way_{k} <= '0;
    else if (belt_tick) way_{k} <= {{way_{k}[{place - 2}:0], arriving == {bits}'d{k}}};
  end

  assign push[{k}] = belt_tick & way_{k}[{place - 1}];
"""
        for k, place in enumerate(places)
    )
    separate = f"""
  // a bit for each parcel that is on its way to a chute
{ways}
  logic [LENGTH-1:0] stray; // parcels for no chute

  always_ff @(posedge clk) begin
    if (rst) stray <= '0;
    else if (belt_tick) stray <= {{stray[LENGTH-2:0], arriving >= {bits}'d{chutes} && arriving != NOTHING}};
  end

  assign leaving = stray[LENGTH-1] ? {bits}'d{chutes} : NOTHING;
"""
    body = (fields, lanes, separate)[variant]
    nothing = (1 << bits) - 1
    jam_text = (
        """
  // parcels that no chute has taken, in a row
  always_ff @(posedge clk) begin
    if (rst) misses <= '0;
    else if (push != 0) misses <= '0;
    else if (missed && misses != 3) misses <= misses + 1'b1;
  end

  assign warning = (misses == 3);
"""
        if jam
        else ""
    )

    def reset(s: State) -> None:
        s.belt, s.misses = [nothing] * length, 0

    def step(s: State, i: Pins) -> Outputs:
        push = 0
        belt = list(s.belt)
        for k, place in enumerate(places):
            if i.belt_tick and belt[place - 1] == k:
                push |= 1 << k
                belt[place - 1] = nothing
        missed = int(i.belt_tick and belt[-1] != nothing)
        out = {"push": push, "missed": missed}
        if jam:
            out["warning"] = int(s.misses == 3)
        if push:
            s.misses = 0
        elif missed:
            s.misses = min(3, s.misses + 1)
        if i.belt_tick:
            s.belt = [i.chute if i.parcel and i.chute != nothing else nothing, *belt[:-1]]
        return out

    def pick(r: Random) -> int:
        return r.randrange(chutes) if r.random() < 0.6 else r.randrange(nothing + 1)

    return Draft(
        rtl=f"""
module parcel_sorter (
  input logic clk,
  input logic rst,
  input logic belt_tick, // the belt moves by one place
  input logic parcel, // one comes onto the belt with this tick
  input logic [{bits - 1}:0] chute, // for which it is
  output logic [{chutes - 1}:0] push,
  {"output logic warning," if jam else ""}
  output logic missed // a parcel falls off the end
);
  localparam int LENGTH = {length};
  localparam int CHUTES = {chutes};
  localparam int FIRST = {first};
  localparam int SPACING = {spacing};
  localparam logic [{bits - 1}:0] NOTHING = {bits}'d{nothing};
  logic [{bits - 1}:0] arriving, leaving;
  {"logic [1:0] misses;" if jam else ""}

  assign arriving = parcel ? chute : NOTHING;
  {body}
  assign missed = belt_tick && (leaving != NOTHING);
  {jam_text}
endmodule
""",
        about=f"""Tracks parcels on a belt of {
            length
        } places. At each edge with `belt_tick` everything moves on by a place; a
            `parcel` then comes onto place 1 with the number of its `chute`, where {
            nothing
        } means the same as no parcel.
            The pushers stand beside the belt: {named}. In a cycle with `belt_tick` in which the parcel at a pusher's
            place is for its chute, the bit of `push` is high and the parcel is off the belt. `missed` is high in a
            cycle
            with `belt_tick` in which a parcel is on place {length} and not pushed off: it falls off the end.{
            ''' `warning`
            is high when three or more have been missed since the last cycle with any push (a miss in a cycle with a
            push
            does not count).'''
            if jam
            else ""
        } The belt is empty after reset.""",
        model=Machine(reset, step),
        names=("belt_sorter", "conveyor_sorter", "sorting_belt"),
        stimulus={"belt_tick": 0.8, "parcel": 0.7, "chute": pick},
        cycles=200,
    )


@family(variants=3)
def two_hand_control(r: Random, variant: int) -> Draft:
    """Lets a press run only while both hands are on its buttons, pressed at nearly the same time."""
    window = r.choice((3, 4, 5, 8))
    bits = window.bit_length()
    guarded = r.random() < 0.6
    single = r.random() < 0.5
    ok = " && guard_closed" if guarded else ""
    machine = f"""
  typedef enum logic [1:0] {{IDLE, ONE_HAND, RUN, BLOCKED}} state_t;
  state_t state;
  logic [{bits - 1}:0] timer;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= BLOCKED; // both have to be seen released first
      timer <= '0;
    end else begin
      case (state)
        IDLE: begin
          timer <= '0;
          if (both{ok}) state <= RUN;
          else if (both) state <= BLOCKED;
          else if (either) state <= ONE_HAND;
        end
        ONE_HAND: begin
          timer <= timer + 1'b1;
          if (both) state <= {"guard_closed ? RUN : BLOCKED" if guarded else "RUN"};
          else if (!either) state <= IDLE;
          else if (timer == WINDOW - 1) state <= BLOCKED; // somebody has tied the other one down
        end
        RUN: if (!keep) state <= either ? BLOCKED : IDLE;
        default: if (!either) state <= IDLE;
      endcase
    end
  end

  assign run = (state == RUN) && keep;
"""
    parted = f"""
  typedef enum logic [1:0] {{BLOCKED, IDLE, ONE_HAND, RUN}} state_t;
  state_t state, state_next;
  logic [{bits - 1}:0] left; // for the second hand

  always_comb begin
    state_next = state;
    if (!either) begin
      state_next = IDLE;
    end else begin
      case (state)
        IDLE, ONE_HAND: begin
          if (both) state_next = {"guard_closed ? RUN : BLOCKED" if guarded else "RUN"};
          else if (state == IDLE) state_next = ONE_HAND;
          else if (left == 0) state_next = BLOCKED;
        end
        RUN: if (!keep) state_next = BLOCKED;
        default: state_next = BLOCKED;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (rst) state <= BLOCKED;
    else state <= state_next;
  end

  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else left <= (state == ONE_HAND) ? left - 1'b1 : WINDOW - 1;
  end

  assign run = keep && (state == RUN);
"""
    flags = f"""
  logic [{bits - 1}:0] count; // cycles with one hand alone
  logic active, ready;

  // ready to start: all released, and no time lost since
  always_ff @(posedge clk) begin
    if (rst) ready <= 1'b0;
    else if (!either) ready <= 1'b1;
    else if (both || count == WINDOW) ready <= 1'b0;
  end

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (!either) count <= '0;
    else if (ready && count != WINDOW) count <= count + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) active <= 1'b0;
    else if (active) active <= keep;
    else active <= ready && both{ok};
  end

  assign run = active && keep;
"""
    body = (machine, parted, flags)[variant]

    def reset(s: State) -> None:
        s.mode, s.timer = "blocked", 0

    def step(s: State, i: Pins) -> Outputs:
        both, either = i.left_hand and i.right_hand, i.left_hand or i.right_hand
        guard = not guarded or i.guard_closed
        keep = both and guard and not (single and i.stroke_end)
        out = {"run": int(s.mode == "run" and keep)}
        if not either:
            s.mode, s.timer = "idle", 0
        elif s.mode == "idle" or s.mode == "one":
            if both:
                s.mode = "run" if guard else "blocked"
            elif s.mode == "idle":
                s.mode, s.timer = "one", 0
            else:
                s.timer += 1
                if s.timer == window:
                    s.mode = "blocked"
        elif s.mode == "run" and not keep:
            s.mode = "blocked"
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not getattr(s, "script", None):
            delay = r.choice((0, 1, window - 1, window, window + 1, window + 2))
            one, two = r.choice(((1, 2), (2, 1)))
            hold = r.choice((2, 5, 9))
            s.script = [0] * r.choice((1, 2)) + [one] * delay + [3] * hold + [two] * r.choice((0, 1, 3))
            if r.random() < 0.3:
                s.script += [3] * 3
        now = s.script.pop(0)
        return {"left_hand": now & 1, "right_hand": now >> 1}

    conditions = [*["the guard is open"] * guarded, *["the stroke has ended (`stroke_end`)"] * single]
    return Draft(
        rtl=f"""
module two_hand_control #(
  parameter int WINDOW = {window} // cycles
) (
  input logic clk,
  input logic rst,
  input logic left_hand, // debounced
  input logic right_hand,
  {"input logic guard_closed," if guarded else ""}
  {"input logic stroke_end, // one stroke for each time" if single else ""}
  output logic run
);
  logic both, either, keep;

  assign both = left_hand && right_hand;
  assign either = left_hand || right_hand;
  assign keep = both{" && guard_closed" if guarded else ""}{" && !stroke_end" if single else ""};
  {body}
endmodule
""",
        about=f"""Two-hand control of a press. If both buttons have been released (seen with both low in some cycle
            since the
            last run or failed try, or reset) and the second one is pressed in the same cycle as the first or at most
            {window} cycles after it, the press may `run` from the next cycle on{
            ", provided that the guard is closed in that cycle" if guarded else ""
        }. It runs in the cycles from then on in which both are pressed, up to the first in which one is not{
            "".join(f" or in which {one}" for one in conditions)
        }: there `run` falls in that very cycle, and both have to be released before it can start again. The same is
            needed where the second came too late{" or the guard was open at its coming" if guarded else ""}.""",
        model=Machine(reset, step),
        names=("two_hand_safety", "press_interlock", "bimanual_control"),
        stimulus={"guard_closed": 0.93, "stroke_end": 0.05},
        drive=drive,
        cycles=260,
    )


@family(variants=3)
def fan_stages(r: Random, variant: int) -> Draft:
    """Runs a fan faster in stages as it gets warmer, with hysteresis at each."""
    stages = r.choice((2, 3, 4))
    bits = stages.bit_length()
    band = r.choice((2, 3, 4))
    ups = sorted(r.sample(range(30, 60, 5), stages))
    forced = r.random() < 0.5
    duties = sorted(r.sample(range(40, 250), stages))
    duties[-1] = 255
    table = "\n".join(f"      {bits}'d{k + 1}: duty = 8'd{duty};" for k, duty in enumerate(duties))
    one_step = """
  // one stage at a time
  always_ff @(posedge clk) begin
    if (rst) stage <= '0;
    else if (sample_valid) begin
      if (temperature >= up_limit && stage != STAGES) stage <= stage + 1'b1;
      else if (temperature < down_limit && stage != 0) stage <= stage - 1'b1;
    end
  end
"""
    ups_text = "\n".join(f"      {bits}'d{k}: up_limit = 7'd{up};" for k, up in enumerate(ups))
    downs_text = "\n".join(f"      {bits}'d{k + 1}: down_limit = 7'd{up - band};" for k, up in enumerate(ups))
    cased = f"""
  logic [6:0] up_limit, down_limit; // of the present stage

  always_comb begin
    case (stage)
{ups_text}
      default: up_limit = 7'd127;
    endcase
  end

  always_comb begin
    case (stage)
{downs_text}
      default: down_limit = '0;
    endcase
  end
{one_step}
"""
    compare_up = ", ".join(f"temperature >= 7'd{up}" for up in reversed(ups))
    compare_down = ", ".join(f"temperature < 7'd{up - band}" for up in reversed(ups))
    vectors = f"""
  logic [STAGES-1:0] warm, cool; // for each stage: warm enough to enter it, cool enough to leave it

  assign warm = {{{compare_up}}};
  assign cool = {{{compare_down}}};

  always_ff @(posedge clk) begin
    if (rst) begin
      stage <= '0;
    end else if (sample_valid) begin
      if (stage != STAGES && warm[stage]) stage <= stage + 1'b1;
      else if (stage != 0 && cool[stage-1]) stage <= stage - 1'b1;
    end
  end
"""
    arms = []
    for k in range(stages + 1):
        moves = []
        if k < stages:
            moves.append(f"if (temperature >= {ups[k]}) stage_next = {bits}'d{k + 1};")
        if k:
            moves.append(f"if (temperature < {ups[k - 1] - band}) stage_next = {bits}'d{k - 1};")
        arms.append(f"      {bits}'d{k}: begin\n        " + "\n        else ".join(moves) + "\n      end")
    stepped = f"""
  logic [{bits - 1}:0] stage_next;

  // up at a limit, down again {band} degrees below it
  always_comb begin
    stage_next = stage;
    case (stage)
{chr(10).join(arms)}
      default: stage_next = '0;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) stage <= '0;
    else if (sample_valid) stage <= stage_next;
  end
"""
    body = (cased, vectors, stepped)[variant]

    def reset(s: State) -> None:
        s.stage = 0

    def step(s: State, i: Pins) -> Outputs:
        duty = duties[s.stage - 1] if s.stage else 0
        if forced and i.override:
            duty = 255
        out = {"stage": s.stage, "duty": duty}
        if i.sample_valid:
            if s.stage < stages and i.temperature >= ups[s.stage]:
                s.stage += 1
            elif s.stage and i.temperature < ups[s.stage - 1] - band:
                s.stage -= 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "near") or r.random() < 0.3:
            limit = ups[r.randrange(max(0, s.stage - 1), min(stages, s.stage + 1))]
            s.near = r.choice((limit, limit - 1, limit - band, limit - band - 1, limit + 3, limit - band - 4))
        return {"temperature": s.near}

    limits = ", ".join(str(one) for one in ups)
    speeds = ", ".join(str(one) for one in (0, *duties))
    return Draft(
        rtl=f"""
module fan_stages (
  input logic clk,
  input logic rst,
  input logic sample_valid,
  input logic [6:0] temperature, // degrees
  {"input logic override, // full speed" if forced else ""}
  output logic [{bits - 1}:0] stage,
  output logic [7:0] duty
);
  localparam int STAGES = {stages};
  {body}
  always_comb begin
    case (stage)
{table}
      default: duty = 8'd0; // off
    endcase
    {"if (override) duty = 8'd255;" if forced else ""}
  end
endmodule
""",
        about=f"""Speed of a fan in {
            stages
        } stages above 0 (off). In a cycle with `sample_valid` the `stage` changes by one
            at most, with the edge: up if `temperature` is at least the limit of the next stage (from stage 1 on: {
            limits
        });
            down if it is more than {band} degrees below the limit of the present one, that is, if it was entered at 40,
            below {40 - band}. `duty` is that of the stage, from 0 on: {speeds}{
            "; `override` makes it 255 at once and leaves the stage alone" if forced else ""
        }. After reset the stage is 0.""",
        model=Machine(reset, step),
        names=("fan_control", "fan_speed", "thermal_stages"),
        stimulus={"sample_valid": 0.7, "override": 0.15},
        drive=drive,
        cycles=200,
    )
