"""What keeps a chip in order: resets, clocks that rest, configuration that changes at the right moment."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def reset_sequencer(r: Random, variant: int) -> Draft:
    """Releases the resets of several domains one after the other."""
    count = r.choice((2, 3, 4))
    delays = [r.randrange(2, 9) for _ in range(count)]
    low = r.random() < 0.5  # the resets that it gives are active low
    reverse = r.random() < 0.4  # they come back one a cycle, the last one first
    bits = max(delays).bit_length()
    ibits = count.bit_length()
    arms = "\n".join(f"      {ibits}'d{k}: delay = {bits}'d{d};" for k, d in enumerate(delays))
    back = "released <= released >> 1; // the last one first" if reverse else "released <= '0; // all at once"
    chain = f"""
  logic [N-1:0] released;
  logic [{bits - 1}:0] timer, delay;
  logic [{ibits - 1}:0] stage;

  // how long the next domain waits
  always_comb begin
    case (stage)
{arms}
      default: delay = {bits}'d1;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      released <= '0;
      timer <= '0;
      stage <= '0;
    end else if (hold || !locked) begin
      {back}
      timer <= '0;
      {"if (stage != 0) stage <= stage - 1'b1;" if reverse else "stage <= '0;"}
    end else if (stage != N) begin
      if (timer == delay - 1) begin
        released[stage] <= 1'b1;
        stage <= stage + 1'b1;
        timer <= '0;
      end else begin
        timer <= timer + 1'b1;
      end
    end
  end

  assign domain_reset = {"released" if low else "~released"};
  assign done = (stage == N);
"""
    names = [f"WAIT_{k}" for k in range(count)]
    sbits = count.bit_length()
    state_arms = "\n".join(
        f"        {name}: if (timer == {delays[k] - 1}) begin state <= {names[k + 1] if k + 1 < count else 'DONE'};"
        f" timer <= '0; end else timer <= timer + 1'b1;"
        for k, name in enumerate(names)
    )
    back_arms = "\n".join(
        f"        {names[k + 1] if k + 1 < count else 'DONE'}: state <= {name};" for k, name in enumerate(names)
    )
    falling = (
        f"""
      case (state)
{back_arms}
        default: state <= {names[0]};
      endcase"""
        if reverse
        else f"\n      state <= {names[0]};"
    )
    shown = "\n".join(f"  assign domain_reset[{k}] = (state {'>' if low else '<='} {names[k]});" for k in range(count))
    machine = f"""
  typedef enum logic [{sbits - 1}:0] {{{", ".join(names)}, DONE}} state_t;
  state_t state;
  logic [{bits - 1}:0] timer;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= {names[0]};
      timer <= '0;
    end else if (hold || !locked) begin
      timer <= '0;{falling}
    end else begin
      case (state)
{state_arms}
        default: state <= DONE;
      endcase
    end
  end

  // the states are in the order of the domains
{shown}
  assign done = (state == DONE);
"""
    processes = []
    for k, d in enumerate(delays):
        before = "1'b1" if k == 0 else f"released[{k - 1}]"
        after = "1'b0" if k == count - 1 else f"released[{k + 1}]"
        gate = f"{before} && " if k else ""
        processes.append(f"""
  // domain {k}
  always_ff @(posedge clk) begin
    if (rst) begin
      released[{k}] <= 1'b0;
      wait_{k} <= '0;
    end else if (stop) begin
      {f"if (!{after}) " if reverse and k < count - 1 else ""}released[{k}] <= 1'b0;
      wait_{k} <= '0;
    end else if ({gate}!released[{k}]) begin
      wait_{k} <= wait_{k} + 1'b1;
      if (wait_{k} == {d - 1}) released[{k}] <= 1'b1;
    end
  end
""")
    apart = f"""
  logic [N-1:0] released;
  logic [{bits - 1}:0] {", ".join(f"wait_{k}" for k in range(count))};
  logic stop;

  assign stop = hold | ~locked;
{"".join(processes)}
  assign domain_reset = {"released" if low else "~released"};
  assign done = &released;
"""
    body = (chain, machine, apart)[variant]

    def reset(s: State) -> None:
        s.stage = s.timer = 0

    def step(s: State, i: Pins) -> Outputs:
        free = (1 << s.stage) - 1
        out = {"domain_reset": free if low else ~free & ((1 << count) - 1), "done": int(s.stage == count)}
        if i.hold or not i.locked:
            s.timer = 0
            s.stage = max(0, s.stage - 1) if reverse else 0
        elif s.stage < count:
            s.timer += 1
            if s.timer == delays[s.stage]:
                s.stage, s.timer = s.stage + 1, 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        quiet = getattr(s, "quiet", 0)
        if quiet:
            s.quiet = quiet - 1
            return {"hold": 0, "locked": 1}
        s.quiet = r.choice((0, 0, 3, 10, sum(delays), sum(delays) + 4))
        return {"hold": r.getrandbits(1), "locked": int(r.random() < 0.6)}

    waits = ", ".join(str(d) for d in delays)
    again = (
        "one domain goes back into reset per cycle, the one released last first"
        if reverse
        else "all domains go back into reset at the next edge"
    )
    level = "low" if low else "high"
    return Draft(
        rtl=f"""
module reset_sequencer #(
  parameter int N = {count}
) (
  input logic clk,
  input logic rst,
  input logic locked, // the clocks are stable
  input logic hold,
  output logic [N-1:0] domain_reset, // active {level}
  output logic done
);
{body}
endmodule
""",
        about=(
            f"""Reset sequencer for {count} domains, whose resets `domain_reset` are active {level}. While `locked` is
            high and `hold` low, domain 0 is released after {delays[0]} cycles, and each further one some cycles after
            the one before it; the numbers of cycles are {waits}. `done` is high when all are released. In cycles with
            `hold`, or without `locked`, {again}, and the waiting of the next domain starts from the beginning.""",
            f"""Brings {count} domains out of reset in the order of their bits, with delays of {waits} cycles between
            them (the first counted from the start). The start condition is `locked` without `hold`; where it fails,
            {again} and the present delay is forgotten. An active bit of `domain_reset` is {level}; after `rst` all are
            active. `done`: none is.""",
        ),
        model=Machine(reset, step),
        names=("reset_controller", "power_on_sequencer", "rst_sequencer", "release_sequencer"),
        drive=drive,
        cycles=260,
    )


@family(variants=3)
def clock_gate_control(r: Random, variant: int) -> Draft:
    """Stops the clock of a unit that has been idle for a while."""
    idle_most = r.choice((3, 4, 6, 8))
    wake = r.choice((0, 1, 2, 3))
    force = r.random() < 0.6
    bits = max(idle_most, wake + 1).bit_length()
    keep = "request || unit_busy || force_on" if force else "request || unit_busy"
    flags = f"""
  logic [{bits - 1}:0] timer;
  logic keep;

  assign keep = {keep};
  assign ready = clock_on && {"(warm == 0)" if wake else "1'b1"};

  always_ff @(posedge clk) begin
    if (rst) begin
      clock_on <= 1'b0;
      timer <= '0;
    end else if (!clock_on) begin
      clock_on <= request{" || force_on" if force else ""};
      timer <= '0;
    end else if ({"warm != 0 || " if wake else ""}keep) begin
      timer <= '0; // in use
    end else if (timer == IDLE - 1) begin
      clock_on <= 1'b0;
    end else begin
      timer <= timer + 1'b1;
    end
  end
"""
    if wake:
        flags += f"""
  // cycles until the unit may be used
  always_ff @(posedge clk) begin
    if (rst) warm <= '0;
    else if (!clock_on) warm <= {wake};
    else if (warm != 0) warm <= warm - 1'b1;
  end
"""
        flags = f"\n  logic [{wake.bit_length() - 1}:0] warm;{flags}"
    flags = flags.replace(" && 1'b1", "")
    states = "OFF, WAKE, ON" if wake else "OFF, ON"
    wake_arm = (
        f"""
      WAKE: begin
        timer_next = timer + 1'b1;
        if (timer == {wake - 1}) begin
          state_next = ON;
          timer_next = '0;
        end
      end"""
        if wake
        else ""
    )
    machine = f"""
  typedef enum logic {"[1:0] " if wake else ""}{{{states}}} state_t;
  state_t state, state_next;
  logic [{bits - 1}:0] timer, timer_next;

  always_comb begin
    state_next = state;
    timer_next = '0;
    case (state)
      OFF: if (request{" || force_on" if force else ""}) state_next = {"WAKE" if wake else "ON"};{wake_arm}
      ON: begin
        if (!({keep})) begin
          timer_next = timer + 1'b1;
          if (timer == IDLE - 1) state_next = OFF; // long enough without work
        end
      end
      default: state_next = OFF;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= OFF;
      timer <= '0;
    end else begin
      state <= state_next;
      timer <= timer_next;
    end
  end

  assign clock_on = (state != OFF);
  assign ready = (state == ON);
"""
    down = f"""
  logic [{bits - 1}:0] left; // cycles until the clock stops
  logic start, used;
{f"  logic [{wake - 1}:0] warm; // a one for each cycle since the clock started" if wake else ""}

  assign used = {keep};
  assign start = !clock_on && (request{" || force_on" if force else ""});
  assign clock_on = (left != 0);
  assign ready = clock_on{f" && warm[{wake - 1}]" if wake else ""};

  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (start || (clock_on && {"(!ready || used)" if wake else "used"})) left <= IDLE;
    else if (clock_on) left <= left - 1'b1;
  end
"""
    if wake:
        shifted = f"{{warm[{wake - 2}:0], 1'b1}}" if wake > 1 else "1'b1"
        down += f"""
  always_ff @(posedge clk) begin
    if (rst) warm <= '0;
    else if (!clock_on) warm <= '0;
    else warm <= {shifted};
  end
"""
    body = (flags, machine, down)[variant]

    def reset(s: State) -> None:
        s.on = s.warm = s.timer = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"clock_on": s.on, "ready": int(s.on and not s.warm)}
        keep = i.request or i.unit_busy or (force and i.force_on)
        if not s.on:
            if i.request or (force and i.force_on):
                s.on, s.warm, s.timer = 1, wake, 0
        elif s.warm:
            s.warm -= 1
        elif keep:
            s.timer = 0
        else:
            s.timer += 1
            if s.timer == idle_most:
                s.on = 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        quiet = getattr(s, "quiet", 0)
        if quiet:
            s.quiet = quiet - 1
            return {"request": 0, "unit_busy": 0, "force_on": 0} if force else {"request": 0, "unit_busy": 0}
        s.quiet = r.choice((0, 1, idle_most - 1, idle_most, idle_most + 1, idle_most + 4))
        row = {"request": int(r.random() < 0.5), "unit_busy": int(r.random() < 0.5)}
        return row | {"force_on": int(r.random() < 0.15)} if force else row

    port = "\n  input logic force_on, // for tests: the clock runs" if force else ""
    forced = " or `force_on`" if force else ""
    ready_text = (
        f"""`ready` follows {wake} cycle{"s" if wake > 1 else ""} after `clock_on`; until then the unit is not idle"""
        if wake
        else "`ready` is the same as `clock_on`"
    )
    return Draft(
        rtl=f"""
module clock_gate_control #(
  parameter int IDLE = {idle_most}
) (
  input logic clk,
  input logic rst,
  input logic request,
  input logic unit_busy,{port}
  output logic clock_on, // enables the unit's clock
  output logic ready
);
{body}
endmodule
""",
        about=(
            f"""Controls the clock gate of a unit. While the clock is off, `request`{forced} turns it on: `clock_on` is
            high from the next cycle. {ready_text}. While it is on and ready, a cycle without `request`, `unit_busy`
            {"and `force_on`" if force else ""} is an idle one; after {idle_most} idle cycles in a row the clock is
            turned off. `unit_busy` alone does not turn it on. It is off after reset.""",
            f"""Saves power by stopping a clock after {idle_most} consecutive cycles in which nothing wants it: not
            `request`, not `unit_busy`{", not `force_on`" if force else ""}. A later `request`{forced} starts it again
            (`clock_on` in the next cycle). {ready_text}, and idle cycles are counted from `ready` on.""",
        ),
        model=Machine(reset, step),
        names=("clock_gating", "idle_gate", "clk_gate_ctrl", "power_saver"),
        drive=drive,
        cycles=260,
    )


@family(variants=3)
def lock_filter(r: Random, variant: int) -> Draft:
    """Believes a lock signal when it has been there for long, and gives it up after a few bad samples."""
    good, bad = r.choice((4, 6, 8, 12)), r.choice((2, 3, 4))
    counts = r.random() < 0.6
    gbits, bbits = good.bit_length(), bad.bit_length()
    lost = "\n      lost_count <= '0;" if counts else ""
    up = "\n        if (lost_count != 4'hf) lost_count <= lost_count + 1'b1;" if counts else ""
    tally = "      if (losing && lost_count != 15) lost_count <= lost_count + 1'b1;" if counts else ""
    losing = "  logic losing;\n\n  assign losing = (state == LOSING) && (state_next == LOST);\n" if counts else ""
    joint = f"""
  logic [{max(gbits, bbits) - 1}:0] count; // samples in a row that speak for a change

  always_ff @(posedge clk) begin
    if (rst) begin
      locked <= 1'b0;
      count <= '0;{lost}
    end else if (sample) begin
      if (raw_lock == locked) begin
        count <= '0;
      end else if (count == (locked ? BAD : GOOD) - 1) begin
        locked <= !locked;
        count <= '0;
{"        if (locked && lost_count != 4'hf) lost_count <= lost_count + 1'b1;" if counts else ""}
      end else begin
        count <= count + 1'b1;
      end
    end
  end
"""
    split = f"""
  logic [{gbits - 1}:0] good_count;
  logic [{bbits - 1}:0] bad_count;
  logic rise, fall;

  assign rise = sample && !locked && raw_lock && (good_count == GOOD - 1);
  assign fall = sample && locked && !raw_lock && (bad_count == BAD - 1);

  always_ff @(posedge clk) begin
    if (rst) good_count <= '0;
    else if (sample) good_count <= (raw_lock && !locked && !rise) ? good_count + 1'b1 : '0;
  end

  always_ff @(posedge clk) begin
    if (rst) bad_count <= '0;
    else if (sample) bad_count <= (locked && !raw_lock && !fall) ? bad_count + 1'b1 : '0;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      locked <= 1'b0;{lost}
    end else begin
      if (rise) locked <= 1'b1;
      if (fall) begin
        locked <= 1'b0;{up}
      end
    end
  end
"""
    machine = f"""
  typedef enum logic [1:0] {{LOST, GAINING, HELD, LOSING}} state_t;
  state_t state, state_next;
  logic [{max(gbits, bbits) - 1}:0] count, count_next;
{losing}
  assign locked = (state == HELD) || (state == LOSING);

  always_comb begin
    state_next = state;
    count_next = count;
    if (sample) begin
      case (state)
        LOST: if (raw_lock) begin
          state_next = GAINING;
          count_next = 1;
        end
        GAINING: begin
          count_next = count + 1'b1;
          if (!raw_lock) state_next = LOST;
          else if (count == GOOD - 1) state_next = HELD;
        end
        HELD: if (!raw_lock) begin
          state_next = LOSING;
          count_next = 1;
        end
        LOSING: begin
          count_next = count + 1'b1;
          if (raw_lock) state_next = HELD; // it was a glitch
          else if (count == BAD - 1) state_next = LOST;
        end
        default: state_next = LOST;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= LOST;
      count <= '0;{lost}
    end else begin
      state <= state_next;
      count <= count_next;
{tally}
    end
  end
"""
    body = (joint, split, machine)[variant]

    def reset(s: State) -> None:
        s.locked = s.count = s.lost = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"locked": s.locked}
        if counts:
            out["lost_count"] = s.lost
        if i.sample:
            s.count = s.count + 1 if i.raw_lock != s.locked else 0
            if s.count == (bad if s.locked else good):
                s.lost = min(s.lost + s.locked, 15)
                s.locked, s.count = 1 - s.locked, 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        run = getattr(s, "run", 0)
        if not run:
            s.level = 1 - getattr(s, "level", 0)
            edge = good if s.level else bad
            run = r.choice((1, edge - 1, edge, edge + 1, edge + 3))
        sample = int(r.random() < 0.9)
        s.run = run - sample
        return {"raw_lock": s.level, "sample": sample}

    port = ",\n  output logic [3:0] lost_count" if counts else ""
    count_text = " `lost_count` counts the losses, 15 at most." if counts else ""
    return Draft(
        rtl=f"""
module lock_filter #(
  parameter int GOOD = {good},
  parameter int BAD = {bad}
) (
  input logic clk,
  input logic rst,
  input logic sample,
  input logic raw_lock,
  output logic locked{port}
);
{body}
endmodule
""",
        about=(
            f"""Filter with hysteresis for the lock signal of a PLL or a receiver. `raw_lock` is looked at in cycles
            with `sample`. `locked` rises after {good} samples in a row that are high and falls after {bad} in a row
            that are low, in the cycle after the last of them; a sample that agrees with `locked` starts the count
            anew.{count_text} Everything starts at 0.""",
            f"""Debounces a lock indication, slowly upwards and fast downwards: {good} consecutive high samples of
            `raw_lock` set `locked`, {bad} consecutive low ones clear it. Cycles without `sample` change
            nothing.{count_text}""",
        ),
        model=Machine(reset, step),
        names=("lock_detector", "lock_qualifier", "pll_lock_filter", "sync_flywheel"),
        drive=drive,
        cycles=280,
    )


@family(variants=3)
def staged_settings(r: Random, variant: int) -> Draft:
    """Settings that are written one by one and take effect together."""
    count, width = r.choice((2, 3, 4)), r.choice((4, 8, 12))
    bits = (count - 1).bit_length()
    resets = [r.choice((0, r.getrandbits(width))) for _ in range(count)]
    locks = r.random() < 0.5
    sync = r.random() < 0.7  # a commit waits for the boundary of a frame
    readable = r.random() < 0.5
    allowed = "wr && !frozen" if locks else "wr"
    ordered = ", ".join(f"{width}'h{v:x}" for v in reversed(resets))
    moment = "pending && boundary" if sync else "commit"
    pend = (
        """
  // a commit waits for the boundary
  always_ff @(posedge clk) begin
    if (rst) pending <= 1'b0;
    else if (commit) pending <= 1'b1;
    else if (boundary) pending <= 1'b0;
  end
"""
        if sync
        else ""
    )
    array_init = "\n".join(f"      shadow[{k}] <= {width}'h{v:x};" for k, v in enumerate(resets))
    arrays = f"""
  logic [WIDTH-1:0] shadow [0:COUNT-1];

  always_ff @(posedge clk) begin
    if (rst) begin
{array_init}
    end else if ({allowed}{f" && addr < {count}" if count == 3 else ""}) begin
      shadow[addr] <= wdata;
    end
  end

  // all at the same edge
  always_ff @(posedge clk) begin
    if (rst) begin
      active <= INIT;
    end else if (update) begin
      for (int i = 0; i < COUNT; i++) active[WIDTH*i +: WIDTH] <= shadow[i];
    end
  end
{pend}"""
    cases = "\n".join(f"        {bits}'d{k}: shadow[{width * (k + 1) - 1}:{width * k}] <= wdata;" for k in range(count))
    flat = f"""
  logic [COUNT*WIDTH-1:0] shadow;

  always_ff @(posedge clk) begin
    if (rst) begin
      shadow <= INIT;
      active <= INIT;
{"      pending <= 1'b0;" if sync else ""}
    end else begin
      if ({allowed}) begin
        case (addr)
{cases}
          default: ;
        endcase
      end
      if (update) active <= shadow;
{
        '''      if (commit) pending <= 1'b1;
      else if (boundary) pending <= 1'b0;'''
        if sync
        else ""
    }
    end
  end
"""
    generated = f"""
  logic [COUNT*WIDTH-1:0] shadow;

  for (genvar k = 0; k < COUNT; k++) begin : gen_register
    always_ff @(posedge clk) begin
      if (rst) shadow[WIDTH*k +: WIDTH] <= INIT[WIDTH*k +: WIDTH];
      else if ({allowed} && addr == k) shadow[WIDTH*k +: WIDTH] <= wdata;
    end

    always_ff @(posedge clk) begin
      if (rst) active[WIDTH*k +: WIDTH] <= INIT[WIDTH*k +: WIDTH];
      else if (update) active[WIDTH*k +: WIDTH] <= shadow[WIDTH*k +: WIDTH];
    end
  end
{pend}"""
    body = (arrays, flat, generated)[variant]
    if locks:
        key = r.randrange(1, 1 << width)
        body += """
  // once locked, only the key opens it again
  always_ff @(posedge clk) begin
    if (rst) frozen <= 1'b0;
    else if (lock) frozen <= (wdata != KEY);
  end
"""
    if readable:
        word = "shadow[addr]" if variant == 0 else "shadow[WIDTH*addr +: WIDTH]"
        body += f"\n  assign rdata = {f'(addr < 3) ? {word} : 0' if count == 3 else word};\n"

    def reset(s: State) -> None:
        s.shadow, s.active, s.pending, s.frozen = [*resets], [*resets], 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out: dict[str, int | None] = {"active": sum(v << width * k for k, v in enumerate(s.active))}
        if sync:
            out["pending"] = s.pending
        if locks:
            out["frozen"] = s.frozen
        if readable:
            out["rdata"] = s.shadow[i.addr] if i.addr < count else 0
        if (s.pending and i.boundary) if sync else i.commit:
            s.active = [*s.shadow]
        if sync:
            s.pending = 1 if i.commit else 0 if i.boundary else s.pending
        if i.wr and not s.frozen and i.addr < count:
            s.shadow[i.addr] = i.wdata
        if locks and i.lock:
            s.frozen = int(i.wdata != key)
        return out

    ports = [
        "input logic wr",
        f"input logic [{bits - 1}:0] addr",
        "input logic [WIDTH-1:0] wdata",
        *(["output logic [WIDTH-1:0] rdata"] if readable else []),
        *(["input logic lock"] if locks else []),
        "input logic commit",
        *(["input logic boundary", "output logic pending"] if sync else []),
        *(["output logic frozen"] if locks else []),
        "output logic [COUNT*WIDTH-1:0] active",
    ]
    when = (
        """`commit` sets `pending`; the first `boundary` in a later cycle copies all shadow registers to `active` at
            once and ends `pending`, unless a new `commit` comes with it"""
        if sync
        else "`commit` copies all shadow registers to `active` at once"
    )
    lock_text = (
        f""" `lock` sets `frozen`, or clears it if `wdata` is then {width}'h{key:x}; while `frozen` is high writes to
            the shadow registers are ignored, but commits work."""
        if locks
        else ""
    )
    read_text = " `rdata` shows the addressed shadow register without delay." if readable else ""
    start_text = ", ".join(f"{v:x}" for v in resets)
    beyond = " Address 3 does not exist: writes to it do nothing" + (" and it reads as 0." if readable else ".")
    return Draft(
        rtl=f"""
module staged_settings #(
  parameter int COUNT = {count},
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  {("," + chr(10) + "  ").join(ports)}
);
  localparam logic [COUNT*WIDTH-1:0] INIT = {{{ordered}}};
{f"  localparam logic [WIDTH-1:0] KEY = {width}'h{key:x};" if locks else ""}
  logic update;

  assign update = {moment};
{body}
endmodule
""",
        about=(
            f"""{count} configuration registers of {width} bits with shadows. `wr` writes `wdata` to the shadow register
            `addr`. {when}; a write in the same cycle comes too late for it. Register 0 is the lowest part of `active`.
            After reset shadows and active registers hold {start_text} (hexadecimal, from register
            0).{lock_text}{read_text}{beyond if count == 3 else ""}""",
        ),
        model=Machine(reset, step),
        names=("double_buffered_regs", "config_shadow", "shadowed_config", "buffered_settings"),
        stimulus={
            "wr": 0.6,
            "commit": 0.15,
            "boundary": 0.25,
            "lock": 0.12,
            "wdata": lambda r: key if locks and r.random() < 0.3 else r.getrandbits(width),
        },
        cycles=160,
    )


@family(variants=3)
def interrupt_moderation(r: Random, variant: int) -> Draft:
    """Collects events, and interrupts only when enough are there or the first has waited for long."""
    batch, wait = r.choice((3, 4, 6)), r.choice((8, 10, 14))
    cbits, tbits = 4, wait.bit_length()
    first = r.random() < 0.5  # the time runs from the first event, or from the last
    urgent = r.random() < 0.5
    rush = " || urgent" if urgent else ""
    restart = "!waiting" if first else "event_in"
    joint = f"""
  logic [{tbits - 1}:0] timer;
  logic waiting;

  assign waiting = (count != 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      timer <= '0;
      irq <= 1'b0;
    end else if (ack) begin
      // what comes now belongs to the next interrupt
      count <= event_in ? 1 : 0;
      timer <= '0;
      irq <= 1'b0;
    end else begin
      if (event_in && count != {(1 << cbits) - 1}) count <= count + 1'b1;
      if ({restart}) timer <= '0;
      else if (timer != WAIT) timer <= timer + 1'b1;
      if (count >= BATCH || (waiting && timer == WAIT){rush}) irq <= 1'b1;
    end
  end
"""
    split = f"""
  logic [{tbits - 1}:0] timer;
  logic waiting, enough, late;

  assign waiting = |count;
  assign enough = (count >= BATCH);
  assign late = waiting && (timer == WAIT);

  // events since the last acknowledge
  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (ack) count <= {{3'b000, event_in}};
    else if (!(&count)) count <= count + event_in;
  end

  // how long {"the first" if first else "the latest"} of them is ago
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (ack || {restart}) timer <= '0;
    else if (timer < WAIT) timer <= timer + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) irq <= 1'b0;
    else irq <= !ack && (irq || enough || late{rush});
  end
"""
    machine = f"""
  typedef enum logic {{COLLECT, RAISED}} state_t;
  state_t state, state_next;
  logic [{cbits - 1}:0] count_next;
  logic [{tbits - 1}:0] timer, timer_next;

  always_comb begin
    count_next = count;
    if (event_in && count != 15) count_next = count + 1'b1;
    timer_next = timer;
    if (timer != WAIT) timer_next = timer + 1'b1;
    if ({"count == 0" if first else "event_in"}) timer_next = '0;
    state_next = state;
    case (state)
      COLLECT: begin
        if (count >= BATCH) state_next = RAISED;
        else if (count != 0 && timer == WAIT) state_next = RAISED;
{"        else if (urgent) state_next = RAISED;" if urgent else ""}
      end
      default: ; // until it is acknowledged
    endcase
    if (ack) begin
      state_next = COLLECT;
      count_next = event_in;
      timer_next = '0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= COLLECT;
      count <= '0;
      timer <= '0;
    end else begin
      state <= state_next;
      count <= count_next;
      timer <= timer_next;
    end
  end

  assign irq = (state == RAISED);
"""
    body = (joint, split, machine)[variant]

    def reset(s: State) -> None:
        s.count = s.timer = s.irq = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"irq": s.irq, "count": s.count}
        if i.ack:
            s.count, s.timer, s.irq = i.event_in, 0, 0
            return out
        if s.count >= batch or (s.count and s.timer == wait) or (urgent and i.urgent):
            s.irq = 1
        restart_now = not s.count if first else i.event_in
        s.timer = 0 if restart_now else min(s.timer + 1, wait)
        s.count = min(s.count + i.event_in, 15)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.06:
            s.rate = r.choice((0.04, 0.1, 0.3, 0.8))
        row = {"event_in": int(r.random() < getattr(s, "rate", 0.3))}
        return row | {"ack": int(r.random() < (0.15 if s.irq else 0.01))}

    port = "\n  input logic urgent, // interrupts without waiting" if urgent else ""
    timing = (
        f"the first one has been counted for {wait} cycles and more"
        if first
        else f"{wait} cycles have passed since the latest one"
    )
    clock_text = (
        f"A timer is 0 while `count` is 0 and then counts the cycles, up to {wait}"
        if first
        else f"A timer counts the cycles, up to {wait}, and is set to 0 by each event"
    )
    return Draft(
        rtl=f"""
module interrupt_moderation #(
  parameter int BATCH = {batch},
  parameter int WAIT = {wait}
) (
  input logic clk,
  input logic rst,
  input logic event_in,{port}
  input logic ack,
  output logic irq,
  output logic [{cbits - 1}:0] count
);
{body}
endmodule
""",
        about=(
            f"""Interrupt coalescing. `count` counts events (15 at most). `irq` is set when {batch} of them are there,
            or when there is one at least and {timing}{", or by `urgent`" if urgent else ""}. {clock_text}; all
            conditions look at the registers, so `irq` follows a cycle later, and stays until `ack`. `ack` clears it
            and the timer, and sets `count` to 0, or to 1 with an event in the same cycle; it goes before
            everything else.""",
            f"""Moderates interrupts so that software handles several events at once: raises `irq` in the cycle after
            `count` has reached {batch}, or after the timer has reached {wait} with a count above
            0{", or after `urgent`" if urgent else ""}. {clock_text}. `ack` ends the interrupt and starts anew with the
            events from its own cycle on; `count` stops at 15.""",
        ),
        model=Machine(reset, step),
        names=("irq_coalescer", "irq_moderator", "interrupt_coalescing", "event_batcher"),
        stimulus={"urgent": 0.02},
        drive=drive,
        cycles=300,
    )
