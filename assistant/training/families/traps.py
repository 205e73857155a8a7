"""How a processor is interrupted, watched and stopped: traps, control registers, timers and debugging."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def csr_file(r: Random, variant: int) -> Draft:
    """Control and status registers that are written, or whose bits are set or cleared."""
    width = r.choice((8, 16, 32))
    mask = (1 << width) - 1
    align = r.choice((1, 2))
    order = r.sample(("STATUS", "SCRATCH", "EPC", "CAUSE", "CYCLE", "ID"), 6)
    places = {one: k for k, one in enumerate(order)}
    ops = dict(zip(("WRITE", "SET", "CLEAR"), r.sample((1, 2, 3), 3), strict=True))
    identity = r.randrange(1, 1 << min(width, 16))
    bits = sorted(r.sample(range(min(width, 8)), r.choice((2, 3, 4))))
    there = sum(1 << k for k in bits)
    stops = r.random() < 0.5  # the cycle counter stands still while the processor is halted
    count_text = "if (!halted) cycle_count <= cycle_count + 1'b1;" if stops else "cycle_count <= cycle_count + 1'b1;"
    addresses = "\n".join(f"  localparam logic [2:0] CSR_{one} = 3'd{k};" for k, one in enumerate(order))
    codes = "\n".join(f"  localparam logic [1:0] OP_{one} = 2'd{code};" for one, code in ops.items())
    reads = {"STATUS": "status", "SCRATCH": "scratch", "EPC": "epc", "CAUSE": "cause", "CYCLE": "cycle_count"}
    reads["ID"] = "IDENTITY"
    arms = "\n".join(f"      CSR_{one}: rdata = {reads[one]};" for one in order)
    epc_from = f"{{new_value[WIDTH-1:{align}], {align}'b{'0' * align}}}"
    trap_from = f"{{pc[WIDTH-1:{align}], {align}'b{'0' * align}}}"
    combined = """
  // what the operation makes of the old value
  always_comb begin
    case (op)
      OP_WRITE: new_value = wdata;
      OP_SET: new_value = rdata | wdata;
      OP_CLEAR: new_value = rdata & ~wdata;
      default: new_value = rdata; // only read
    endcase
  end
"""
    one_process = f"""{combined}
  always_ff @(posedge clk) begin
    if (rst) begin
      status <= '0;
      scratch <= '0;
      epc <= '0;
      cause <= '0;
    end else begin
      if (change && !illegal) begin
        case (addr)
          CSR_STATUS: status <= new_value & STATUS_BITS;
          CSR_SCRATCH: scratch <= new_value;
          CSR_EPC: epc <= {epc_from};
          CSR_CAUSE: cause <= new_value;
          default: ;
        endcase
      end
      // a trap has the last word about these two
      if (trap) begin
        epc <= {trap_from};
        cause <= trap_cause;
      end
    end
  end
"""
    separate = f"""
  logic [WIDTH-1:0] ones, zeros;
  logic wr;

  assign ones = (op == OP_WRITE || op == OP_SET) ? wdata : '0;
  assign zeros = (op == OP_WRITE) ? ~wdata : (op == OP_CLEAR) ? wdata : '0;
  assign new_value = (rdata & ~zeros) | ones;
  assign wr = change & ~illegal;

  always_ff @(posedge clk) begin
    if (rst) status <= '0;
    else if (wr && addr == CSR_STATUS) status <= STATUS_BITS & new_value;
  end

  always_ff @(posedge clk) begin
    if (rst) scratch <= '0;
    else if (wr && addr == CSR_SCRATCH) scratch <= new_value;
  end

  always_ff @(posedge clk) begin
    if (rst) epc <= '0;
    else if (trap) epc <= {trap_from};
    else if (wr && addr == CSR_EPC) epc <= {epc_from};
  end

  always_ff @(posedge clk) begin
    if (rst) cause <= '0;
    else if (trap) cause <= trap_cause;
    else if (wr && addr == CSR_CAUSE) cause <= new_value;
  end
"""
    nexts = f"""
  logic [WIDTH-1:0] status_next, scratch_next, epc_next, cause_next;

  function automatic logic [WIDTH-1:0] modified(
    input logic [1:0] how, input logic [WIDTH-1:0] old_value, input logic [WIDTH-1:0] ones
  );
    if (how == OP_SET) modified = old_value | ones;
    else if (how == OP_CLEAR) modified = old_value & ~ones;
    else modified = ones;
  endfunction

  assign new_value = modified(op, rdata, wdata);

  always_comb begin
    status_next = status;
    scratch_next = scratch;
    epc_next = epc;
    cause_next = cause;
    if (trap) begin
      epc_next = {trap_from};
      cause_next = trap_cause;
    end
    if (change) begin
      if (addr == CSR_STATUS) status_next = new_value & STATUS_BITS;
      if (addr == CSR_SCRATCH) scratch_next = new_value;
      if (addr == CSR_EPC && !trap) epc_next = {epc_from};
      if (addr == CSR_CAUSE && !trap) cause_next = new_value;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      status <= '0;
      scratch <= '0;
      epc <= '0;
      cause <= '0;
    end else begin
      status <= status_next;
      scratch <= scratch_next;
      epc <= epc_next;
      cause <= cause_next;
    end
  end
"""
    body = (one_process, separate, nexts)[variant]

    def reset(s: State) -> None:
        s.r = dict.fromkeys(order, 0)
        s.r["ID"] = identity

    def step(s: State, i: Pins) -> Outputs:
        name = order[i.addr] if i.addr < 6 else ""
        old = s.r[name] if name else 0
        new = {ops["WRITE"]: i.wdata, ops["SET"]: old | i.wdata, ops["CLEAR"]: old & ~i.wdata}.get(i.op, old)
        change = i.op != 0 and (i.op == ops["WRITE"] or i.wdata != 0)
        illegal = not name or (change and name in ("CYCLE", "ID"))
        out = {"rdata": old, "illegal": int(i.valid and illegal)}
        if not (stops and i.halted):
            s.r["CYCLE"] = (s.r["CYCLE"] + 1) & mask
        if i.valid and change and not illegal:
            s.r[name] = {"STATUS": new & there, "EPC": new >> align << align}.get(name, new)
        if i.trap:
            s.r["EPC"], s.r["CAUSE"] = i.pc >> align << align, i.trap_cause
        return out

    listing = ", ".join(f"{k} {one.lower()}" for one, k in places.items())
    how = ", ".join(f"{code} {one.lower()}" for one, code in sorted(ops.items(), key=lambda pair: pair[1]))
    halt_port = "  input logic halted,\n" if stops else ""
    return Draft(
        rtl=f"""
module csr_file #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic valid, // an instruction uses a register
  input logic [2:0] addr,
  input logic [1:0] op,
  input logic [WIDTH-1:0] wdata,
  output logic [WIDTH-1:0] rdata,
  output logic illegal,
{halt_port}  input logic trap,
  input logic [WIDTH-1:0] pc,
  input logic [WIDTH-1:0] trap_cause
);
{addresses}
{codes}
  localparam logic [WIDTH-1:0] IDENTITY = {width}'h{identity:x};
  localparam logic [WIDTH-1:0] STATUS_BITS = {width}'h{there:x}; // the others do not exist
  logic [WIDTH-1:0] status, scratch, epc, cause, cycle_count;
  logic [WIDTH-1:0] new_value;
  logic change, read_only;

  always_comb begin
    case (addr)
{arms}
      default: rdata = '0;
    endcase
  end

  // setting or clearing no bits at all does not count as a change
  assign change = valid && (op == OP_WRITE || (op != 2'd0 && wdata != 0));
  assign read_only = (addr == CSR_CYCLE) || (addr == CSR_ID);
  assign illegal = valid && ((addr > 3'd5) || (change && read_only));
  {body}
  // cycles since reset
  always_ff @(posedge clk) begin
    if (rst) cycle_count <= '0;
    else {count_text}
  end
endmodule
""",
        about=f"""Control and status registers of a processor, {width} bits each: {listing}. `rdata` is the register at
            `addr` before the access, 0 where there is none. In a cycle with `valid` the operation `op` changes it:
            {how} (the bits that are 1 in `wdata`); 0 only reads. Set and clear with `wdata` 0 change nothing. `illegal`
            answers a `valid` access to address 6 or 7, or one that would change cycle or id, which are read-only. Of
            status only the bits {", ".join(map(str, bits))} exist; the lowest {align} bit{"s" if align > 1 else ""} of
            epc are always 0. `trap` puts `pc` into epc and `trap_cause` into cause and goes before a write to these.
            Cycle counts every cycle{" without `halted`" if stops else ""}; id is the constant {identity}. The rest
            starts at 0.""",
        model=Machine(reset, step),
        names=("csrs", "csr_unit", "control_registers", "csr_regs"),
        stimulus={
            "valid": 0.85,
            "op": range(4),
            "wdata": lambda r: r.choice((0, r.getrandbits(width), r.getrandbits(width), r.getrandbits(width))),
            "trap": 0.15,
            "halted": 0.3,
        },
        cycles=250,
    )


@family(variants=3)
def trap_unit(r: Random, variant: int) -> Draft:
    """Takes exceptions and interrupts in the order of their urgency, and returns from them."""
    width = r.choice((8, 12, 16))
    align = 2
    sources = ["ILLEGAL", "FETCH_FAULT", "MISALIGNED", "SOFT_BREAK", "CALL"]
    count = r.choice((3, 4, 5))
    chosen = r.sample(sources, count)
    lines = r.choice((2, 3, 4))
    vectored = r.random() < 0.5
    irq_first = r.random() < 0.5
    base = r.randrange(1, 1 << (width - 6)) << 6
    causes = dict(zip(chosen, r.sample(range(8), count), strict=True))
    ports = "\n".join(f"  input logic {one.lower()}," for one in sorted(chosen))
    constants = "\n".join(f"  localparam logic [3:0] CAUSE_{one} = 4'd{causes[one]};" for one in chosen)
    numbers = "\n".join(f"  localparam logic [3:0] CAUSE_IRQ{k} = 4'd{8 + k};" for k in range(lines))
    any_exception = " || ".join(one.lower() for one in chosen)
    ladder = "\n".join(
        f"      {'' if n == 0 else 'else '}if ({one.lower()}) cause_now = CAUSE_{one};" for n, one in enumerate(chosen)
    )
    irqs = "\n".join(
        f"      {'' if n == 0 else 'else '}if (active[{k}]) cause_now = CAUSE_IRQ{k};"
        for n, k in enumerate(range(lines - 1, -1, -1))
    )
    first, second = (irqs, ladder) if irq_first else (ladder, irqs)
    leader = "interrupt" if irq_first else "exception"
    chained = f"""
  always_comb begin
    cause_now = 4'd0;
    if ({leader}) begin
{first}
    end else begin
{second}
    end
  end
"""
    overriding = "\n".join(f"    if ({one.lower()}) exception_cause = CAUSE_{one};" for one in reversed(chosen))
    last_wins = f"""
  logic [3:0] exception_cause, interrupt_cause;

  // the most urgent comes last and overrides the others
  always_comb begin
    exception_cause = 4'd0;
{overriding}
  end

  always_comb begin
    interrupt_cause = 4'd0;
    for (int i = 0; i < LINES; i++) begin
      if (active[i]) interrupt_cause = CAUSE_IRQ0 + i;
    end
  end

  assign cause_now = {leader} ? {leader}_cause : {"exception" if irq_first else "interrupt"}_cause;
"""
    picked_e = "\n      : ".join(f"{one.lower()} ? CAUSE_{one}" for one in chosen)
    picked_i = "\n      : ".join(f"active[{k}] ? CAUSE_IRQ{k}" for k in range(lines - 1, -1, -1))
    one, two = (picked_i, picked_e) if irq_first else (picked_e, picked_i)
    ternary = f"""
  // most urgent first
  assign cause_now = {one}
      : {two}
      : 4'd0;
"""
    searches = (chained, last_wins, ternary)[variant]
    together = """
  always_ff @(posedge clk) begin
    if (rst) begin
      epc <= '0;
      cause <= 4'd0;
      enabled <= 1'b0;
      enabled_prev <= 1'b0;
    end else if (take) begin
      epc <= pc;
      cause <= cause_now;
      enabled_prev <= enabled;
      enabled <= 1'b0;
    end else if (give_back) begin
      enabled <= enabled_prev;
      enabled_prev <= 1'b1;
    end else if (wr_enable) begin
      enabled <= wdata;
    end
  end
"""
    apart = """
  // where and why
  always_ff @(posedge clk) begin
    if (rst) begin
      epc <= '0;
      cause <= '0;
    end else if (take) begin
      epc <= pc;
      cause <= cause_now;
    end
  end

  // two levels of the interrupt enable: entering pushes, returning pops
  always_ff @(posedge clk) begin
    if (rst) {enabled, enabled_prev} <= 2'b00;
    else if (take) {enabled, enabled_prev} <= {1'b0, enabled};
    else if (give_back) {enabled, enabled_prev} <= {enabled_prev, 1'b1};
    else if (wr_enable) enabled <= wdata;
  end
"""
    registers = (together, apart, apart)[variant]
    entry = f"BASE + ((cause_now[3]) ? {{cause_now, {align}'b00}} : 0)" if vectored else "BASE"

    def reset(s: State) -> None:
        s.epc = s.cause = s.ie = s.prev = 0

    def step(s: State, i: Pins) -> Outputs:
        active = i.irq & i.irq_enable if s.ie else 0
        exception = next((causes[one] for one in chosen if getattr(i, one.lower())), None) if i.valid else None
        interrupt = 7 + active.bit_length() if active and i.valid else None
        both = (interrupt, exception) if irq_first else (exception, interrupt)
        cause = next((one for one in both if one is not None), None)
        back = i.valid and i.ret and cause is None
        entry = base + (cause << align if vectored and cause is not None and cause >= 8 else 0)
        out = {
            "redirect": int(cause is not None or bool(back)),
            "take": int(cause is not None),
            "target": None,
            "epc": s.epc,
            "cause": s.cause,
            "enabled": s.ie,
        }
        if cause is not None:
            out["target"] = entry & ((1 << width) - 1)
            s.epc, s.cause, s.prev, s.ie = i.pc, cause, s.ie, 0
        elif back:
            out["target"] = s.epc
            s.ie, s.prev = s.prev, 1
        elif i.wr_enable:
            s.ie = i.wdata
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        quiet = r.random() < 0.5
        return {one.lower(): int(not quiet and r.random() < 0.3) for one in chosen}

    listing = ", ".join(f"`{one.lower()}` (cause {causes[one]})" for one in chosen)
    lead, follow = ("interrupts", "exceptions") if irq_first else ("exceptions", "interrupts")
    vector = f", for an interrupt plus {1 << align} times the cause" if vectored else ""
    return Draft(
        rtl=f"""
module trap_unit #(
  parameter int WIDTH = {width},
  parameter int LINES = {lines}
) (
  input logic clk,
  input logic rst,
  input logic valid, // there is an instruction at `pc`
  input logic [WIDTH-1:0] pc,
{ports}
  input logic [LINES-1:0] irq,
  input logic [LINES-1:0] irq_enable,
  input logic ret, // the instruction returns from a trap
  input logic wr_enable,
  input logic wdata,
  output logic take,
  output logic redirect,
  output logic [WIDTH-1:0] target,
  output logic [WIDTH-1:0] epc,
  output logic [3:0] cause,
  output logic enabled
);
{constants}
{numbers}
  localparam logic [WIDTH-1:0] BASE = {width}'h{base:x};
  logic [LINES-1:0] active;
  logic [3:0] cause_now;
  logic exception, interrupt, give_back;
  logic enabled_prev;

  // nothing is taken between instructions
  assign active = enabled ? (irq & irq_enable) : '0;
  assign interrupt = valid && (active != 0);
  assign exception = valid && ({any_exception});
  assign take = exception || interrupt;
  assign give_back = valid && ret && !take;
  {searches}
  assign redirect = take || give_back;
  assign target = take ? {entry} : epc;
  {registers}
endmodule
""",
        about=f"""Trap entry and return of a processor. Only in a cycle with `valid` anything is taken: exceptions, the
            most urgent first, {listing}; and interrupts while `enabled` is high: any bit of `irq` that is set in
            `irq_enable`, the highest first, with cause 8 plus its number. Among both, {lead} go before {follow}. In the
            same cycle `take` and `redirect` are high and `target` is the entry, {base}{vector}. At the edge `epc` takes
            `pc`, `cause` the cause, and `enabled` falls, its old value being kept. Without a trap, `ret` with `valid`
            redirects to `epc`; `enabled` gets the kept value back, and the kept value becomes 1. Otherwise `wr_enable`
            loads `enabled` from `wdata`. `target` does not matter without `redirect`. All start at 0.""",
        model=Machine(reset, step),
        names=("trap_ctrl", "exception_unit", "trap_handler", "exc_ctrl"),
        stimulus={
            "valid": 0.8,
            "irq": lambda r: r.getrandbits(lines) & r.getrandbits(lines),
            "irq_enable": lambda r: r.getrandbits(lines) | r.getrandbits(lines),
            "ret": 0.3,
            "wr_enable": 0.3,
            "wdata": 0.8,
        },
        drive=drive,
        cycles=250,
    )


@family(variants=2)
def machine_timer(r: Random, variant: int) -> Draft:
    """System time and a compare register, each in two halves on a narrow bus."""
    half = r.choice((4, 8))
    divide = r.choice((1, 2, 3, 4))
    pbits = max(1, (divide - 1).bit_length())
    order = r.sample(("TIME_LOW", "TIME_HIGH", "COMPARE_LOW", "COMPARE_HIGH"), 4)
    never = r.random() < 0.6  # the compare register starts at its largest value
    full = (1 << (2 * half)) - 1
    init = "1" if never else "0"
    constants = "\n".join(f"  localparam logic [1:0] {one} = 2'd{k};" for k, one in enumerate(order))
    prescaler = (
        f"""
  logic [{pbits - 1}:0] prescaler;

  always_ff @(posedge clk) begin
    if (rst) prescaler <= '0;
    else if (tick) prescaler <= '0;
    else prescaler <= prescaler + 1'b1;
  end

  assign tick = (prescaler == DIVIDE - 1);
"""
        if divide > 1
        else "\n  assign tick = 1'b1;\n"
    )
    words = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      now <= '0;
      compare <= {{(2*HALF){{1'b{init}}}}};
    end else begin
      if (tick) now <= now + 1'b1;
      // a write to one half goes before counting in all of the time
      if (wr) begin
        case (addr)
          TIME_LOW: now <= {{now[2*HALF-1:HALF], wdata}};
          TIME_HIGH: now <= {{wdata, now[HALF-1:0]}};
          COMPARE_LOW: compare[HALF-1:0] <= wdata;
          default: compare[2*HALF-1:HALF] <= wdata;
        endcase
      end
    end
  end
"""
    halves = f"""
  logic [HALF-1:0] now_low, now_high, compare_low, compare_high;
  logic wr_time, carry;

  assign now = {{now_high, now_low}};
  assign compare = {{compare_high, compare_low}};
  assign wr_time = wr && (addr == TIME_LOW || addr == TIME_HIGH);
  assign carry = &now_low; // the upper half moves with the overflow of the lower

  always_ff @(posedge clk) begin
    if (rst) begin
      now_low <= '0;
      now_high <= '0;
    end else if (wr_time) begin
      if (addr == TIME_LOW) now_low <= wdata;
      else now_high <= wdata;
    end else if (tick) begin
      now_low <= now_low + 1'b1;
      if (carry) now_high <= now_high + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      compare_low <= {{HALF{{1'b{init}}}}};
      compare_high <= {{HALF{{1'b{init}}}}};
    end else if (wr) begin
      if (addr == COMPARE_LOW) compare_low <= wdata;
      if (addr == COMPARE_HIGH) compare_high <= wdata;
    end
  end
"""
    body = prescaler + (words, halves)[variant]

    def reset(s: State) -> None:
        s.now, s.compare, s.shadow, s.phase, s.irq = 0, full if never else 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        low = (1 << half) - 1
        name = order[i.addr]
        rdata = {
            "TIME_LOW": s.now & low,
            "TIME_HIGH": s.shadow,
            "COMPARE_LOW": s.compare & low,
            "COMPARE_HIGH": s.compare >> half,
        }[name]
        out = {"rdata": rdata, "irq": s.irq}
        s.irq = int(s.now >= s.compare)
        tick = s.phase == divide - 1
        s.phase = 0 if tick else s.phase + 1
        if i.rd and name == "TIME_LOW":
            s.shadow = s.now >> half
        if tick and not (i.wr and name.startswith("TIME")):
            s.now = (s.now + 1) & full
        if i.wr:
            match name:
                case "TIME_LOW":
                    s.now = s.now & ~low | i.wdata
                case "TIME_HIGH":
                    s.now = s.now & low | i.wdata << half
                case "COMPARE_LOW":
                    s.compare = s.compare & ~low | i.wdata
                case _:
                    s.compare = s.compare & low | i.wdata << half
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        ahead = (s.now + r.randrange(2, 40)) & full
        value = {
            "TIME_LOW": r.choice(((1 << half) - 1 - r.randrange(4), r.getrandbits(half))),
            "TIME_HIGH": r.choice((r.getrandbits(half), s.compare >> half)),
            "COMPARE_LOW": ahead & ((1 << half) - 1),
            "COMPARE_HIGH": ahead >> half,
        }
        addr = r.randrange(4)
        return {"addr": addr, "wdata": value[order[addr]]}

    listing = ", ".join(f"{k} {one.lower().replace('_', ' ')}" for k, one in enumerate(order))
    pace = "every cycle" if divide == 1 else f"every {divide}th cycle, from the reset on"
    parameter = f",\n  parameter int DIVIDE = {divide}" if divide > 1 else ""
    return Draft(
        rtl=f"""
module machine_timer #(
  parameter int HALF = {half}{parameter}
) (
  input logic clk,
  input logic rst,
  input logic wr,
  input logic rd,
  input logic [1:0] addr,
  input logic [HALF-1:0] wdata,
  output logic [HALF-1:0] rdata,
  output logic irq
);
{constants}
  logic [2*HALF-1:0] now, compare;
  logic [HALF-1:0] shadow;
  logic tick;
  {body}
  // reading the lower half keeps the upper one that belongs to it
  always_ff @(posedge clk) begin
    if (rst) shadow <= '0;
    else if (rd && addr == TIME_LOW) shadow <= now[2*HALF-1:HALF];
  end

  always_comb begin
    case (addr)
      TIME_LOW: rdata = now[HALF-1:0];
      TIME_HIGH: rdata = shadow;
      COMPARE_LOW: rdata = compare[HALF-1:0];
      default: rdata = compare[2*HALF-1:HALF];
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) irq <= 1'b0;
    else irq <= (now >= compare);
  end
endmodule
""",
        about=f"""Timer of a processor: a time of {2 * half} bits that grows by one {pace}, and a compare register of
            the same width, which a bus of {half} bits reaches in halves. Addresses: {listing}. `wr` writes `wdata`; in
            a cycle in which either half of the time is written it does not count. `rdata` shows the addressed half
            without delay; at the address of the upper half of the time it is the copy that was taken when the lower
            half was last read (`rd`), so that both belong together. `irq` is high in the cycle after one in which the
            time was not below the compare register. The time, its copy and `irq` start at 0, the compare register with
            all bits {init}.""",
        model=Machine(reset, step),
        names=("mtimer", "system_timer", "timer_compare", "time_unit"),
        stimulus={"wr": 0.2, "rd": 0.5},
        drive=drive,
        cycles=300,
    )


@family(variants=2)
def breakpoint_unit(r: Random, variant: int) -> Draft:
    """Comparators that stop a program at an address or at an access to data."""
    slots = r.choice((2, 3, 4))
    width = r.choice((8, 12, 16))
    sbits = 1 if slots == 2 else 2
    kbits = r.choice((2, 3))
    naturally = r.random() < 0.5  # an address may match within a range that a mask gives
    counts = r.random() < 0.5
    passes = r.choice((2, 3))
    mask_field = (
        """
        if (cfg_sel == 2'd1) mask[cfg_index] <= cfg_data;"""
        if naturally
        else ""
    )
    kinds = ["fetch", "load", "store"][: 3 if kbits == 3 else 2]
    access = ", ".join(reversed(kinds))
    compare = "((addr ^ match[{k}]) & ~mask[{k}]) == 0" if naturally else "addr == match[{k}]"
    generated = f"""
  for (genvar k = 0; k < SLOTS; k++) begin : gen_slot
    assign hit[k] = valid && ({compare.format(k="k")}) && ((kind[k] & access) != 0);
  end
"""
    looped = f"""
  always_comb begin
    hit = '0;
    if (valid) begin
      for (int i = 0; i < SLOTS; i++) begin
        if (|(kind[i] & access)) hit[i] = ({compare.format(k="i")});
      end
    end
  end
"""
    count_port = "  output logic [1:0] left,\n" if counts else ""
    if counts:
        firing = (
            f"""
  // slot 0 lets some hits pass before it stops the program
  always_ff @(posedge clk) begin
    if (rst) left <= 2'd{passes};
    else if (cfg_wr && cfg_index == 0) left <= 2'd{passes};
    else if (hit[0] && left != 2'd0) left <= left - 2'd1;
  end

  assign fires = {{hit[SLOTS-1:1], hit[0] && (left == 2'd0)}};
""",
            f"""
  logic passed;

  assign passed = (left == 0);

  always_comb begin
    fires = hit;
    if (!passed) fires[0] = 1'b0;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      left <= 2'd{passes};
    end else begin
      if (cfg_wr && cfg_index == 0) left <= 2'd{passes}; // set up anew
      else if (hit[0] && !passed) left <= left - 1'b1;
    end
  end
""",
        )[variant]
    else:
        firing = "\n  assign fires = hit;\n"
    keep = (
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      halted <= 1'b0;
      status <= '0;
    end else if (resume) begin
      halted <= 1'b0;
      status <= '0;
    end else begin
      if (break_now) halted <= 1'b1;
      status <= status | fires;
    end
  end
""",
        """
  always_ff @(posedge clk) begin
    if (rst) halted <= 1'b0;
    else halted <= !resume && (halted || break_now);
  end

  // which ones it was
  always_ff @(posedge clk) begin
    if (rst) status <= '0;
    else status <= resume ? '0 : (status | fires);
  end
""",
    )[variant]
    body = (generated, looped)[variant] + firing
    nk = len(kinds)
    mask_reset = "\n        mask[i] <= '0;" if naturally else ""
    mask_declared = "  logic [WIDTH-1:0] mask [0:SLOTS-1]; // 1: the bit does not matter\n" if naturally else ""
    kind_code = 2 if naturally else 1
    sel_bits = 2 if naturally else 1
    sel_range, index_range = "[1:0] " if naturally else "", "[1:0] " if sbits == 2 else ""

    def reset(s: State) -> None:
        s.match, s.mask, s.kind = [0] * slots, [0] * slots, [0] * slots
        s.left, s.halted, s.status = passes, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        access_now = sum(getattr(i, one) << k for k, one in enumerate(kinds))
        hits = [
            bool(i.valid and not (i.addr ^ s.match[k]) & ~s.mask[k] and s.kind[k] & access_now) for k in range(slots)
        ]
        fires = sum(1 << k for k in range(slots) if hits[k] and not (counts and k == 0 and s.left))
        out = {"break_now": int(fires != 0), "halted": s.halted, "status": s.status}
        if counts:
            out["left"] = s.left
        if i.resume:
            s.halted = s.status = 0
        else:
            s.halted |= int(fires != 0)
            s.status |= fires
        if i.cfg_wr and i.cfg_index == 0:
            s.left = passes
        elif hits[0] and s.left:
            s.left -= 1
        if i.cfg_wr and i.cfg_index < slots:
            if i.cfg_sel == 0:
                s.match[i.cfg_index] = i.cfg_data
            elif i.cfg_sel == kind_code:
                s.kind[i.cfg_index] = i.cfg_data & ((1 << nk) - 1)
            elif i.cfg_sel == 1:
                s.mask[i.cfg_index] = i.cfg_data
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        near = s.match[r.randrange(slots)]
        sel = r.choice((0, 1, 2) if naturally else (0, 1))
        data = r.getrandbits(width)
        if sel == 1 and naturally:
            data = (1 << r.randrange(4)) - 1
        elif sel == kind_code:
            data = r.choice((1, 1, 2, 3, (1 << nk) - 1, data))
        top = (1 << width) - 1
        return {
            "addr": r.choice((near, near, near ^ 1 << r.randrange(width), near + 1, r.getrandbits(width))) & top,
            "cfg_sel": r.choice((sel, sel, sel, 3)) if naturally else sel,
            "cfg_data": data,
            "cfg_index": r.choice((0, r.randrange(slots), r.randrange(1 << sbits))),
            "cfg_wr": int(r.random() < (0.3 if 0 in s.kind else 0.08)),
        }

    fields = ["0 its address"]
    if naturally:
        fields.append("1 its mask, whose ones are bits that are not compared")
    fields.append(f"{kind_code} the kinds of access it watches, from bit 0: {', '.join(kinds)}")
    late = (
        f""" Slot 0 lets {passes} hits pass first: `left` starts at {passes}, falls by one at each of its hits until it
            is 0, and only then it fires; any `cfg_wr` to slot 0 sets `left` to {passes} again, which goes first."""
        if counts
        else ""
    )
    ignored = f" Indices from {slots} on are ignored." if slots == 3 else ""
    access_ports = "\n".join(f"  input logic {one}," for one in kinds)
    return Draft(
        rtl=f"""
module breakpoint_unit #(
  parameter int SLOTS = {slots},
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic cfg_wr,
  input logic {index_range}cfg_index,
  input logic {sel_range}cfg_sel,
  input logic [WIDTH-1:0] cfg_data,
  input logic valid,
{access_ports}
  input logic [WIDTH-1:0] addr,
  input logic resume,
  output logic break_now,
  output logic halted,
{count_port}  output logic [SLOTS-1:0] status
);
  logic [WIDTH-1:0] match [0:SLOTS-1];
{mask_declared}  logic [{nk - 1}:0] kind [0:SLOTS-1];
  logic [{nk - 1}:0] access;
  logic [SLOTS-1:0] hit, fires;

  assign access = {{{access}}};

  // what the debugger sets up; a slot without a kind is off
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < SLOTS; i++) begin
        match[i] <= '0;{mask_reset}
        kind[i] <= '0;
      end
    end else if (cfg_wr) begin
      if (cfg_index < SLOTS) begin
        if (cfg_sel == {sel_bits}'d0) match[cfg_index] <= cfg_data;{mask_field}
        if (cfg_sel == {sel_bits}'d{kind_code}) kind[cfg_index] <= cfg_data[{nk - 1}:0];
      end
    end
  end
  {body}
  assign break_now = (fires != 0);
  {keep}
endmodule
""",
        about=f"""Hardware breakpoints: {slots} slots that compare `addr` ({width} bits) in each cycle with `valid`.
            `cfg_wr` writes `cfg_data` to slot `cfg_index`, `cfg_sel` says what: {"; ".join(fields)}.{ignored} All
            starts at 0, that is switched off. A slot hits where the address matches and one of its kinds is high among
            {", ".join(f"`{one}`" for one in kinds)}.{late if counts else " A hit fires."} `break_now` says without
            delay that a slot fires (any of them); from the next cycle on `halted` is high and `status` shows which
            ones fired since the last `resume`. `resume` clears both and goes before new ones.{
            " The other slots fire at every hit." if counts else ""
        }""",
        model=Machine(reset, step),
        names=("hw_breakpoint", "watchpoints", "debug_compare", "trigger_unit"),
        stimulus={"valid": 0.85, "resume": 0.2, "fetch": 0.5, "load": 0.4, "store": 0.3},
        drive=drive,
        cycles=250,
    )


@family(variants=3)
def debug_control(r: Random, variant: int) -> Draft:
    """Halts a processor, lets it run on, or lets it do a single step."""
    causes = dict(zip(("REQUEST", "BREAK", "STEP"), r.sample((1, 2, 3), 3), strict=True))
    steps = r.choice((1, 1, 4))  # how many instructions a step may take at most
    many = steps > 1
    start_halted = r.random() < 0.3
    first = "HALTED" if start_halted else "RUN"
    count_port = "  input logic [1:0] step_count, // less one\n" if many else ""
    last = "left == 2'd0" if many else "1'b1"
    constants = "\n".join(f"  localparam logic [1:0] WHY_{one} = 2'd{code};" for one, code in causes.items())
    stepped = f"retire && ({last})" if many else "retire"
    count_down = (
        """
  always_ff @(posedge clk) begin
    if (rst) left <= 2'd0;
    else if (state == HALTED) left <= step_count;
    else if (state == STEP && retire) left <= left - 2'd1;
  end
"""
        if many
        else ""
    )
    declared = "  logic [1:0] left;\n" if many else ""
    direct = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= {first};
      why <= 2'd0;
    end else begin
      case (state)
        RUN: begin
          if (retire && is_break) begin
            state <= HALTED;
            why <= WHY_BREAK;
          end else if (halt_req && (retire || idle)) begin
            state <= HALTED;
            why <= WHY_REQUEST;
          end
        end
        STEP: begin
          if (retire && is_break) begin
            state <= HALTED;
            why <= WHY_BREAK;
          end else if ({stepped}) begin
            state <= HALTED;
            why <= WHY_STEP;
          end
        end
        default: begin // halted
          if (step_req) state <= STEP;
          else if (resume_req && !halt_req) state <= RUN;
        end
      endcase
    end
  end
{count_down}
  assign stall = (state == HALTED);
  assign halted = (state == HALTED);
"""
    split = f"""
  state_t state_next;
  logic stops;

  always_comb begin
    state_next = state;
    case (state)
      RUN: if (stops) state_next = HALTED;
      STEP: if (stops) state_next = HALTED;
      HALTED: begin
        if (step_req) state_next = STEP;
        else if (resume_req & ~halt_req) state_next = RUN;
      end
      default: state_next = HALTED;
    endcase
  end

  // always between two instructions
  always_comb begin
    stops = retire && is_break;
    if (state == RUN) stops = stops || (halt_req && (retire || idle));
    if (state == STEP) stops = stops || ({stepped});
  end

  always_ff @(posedge clk) begin
    if (rst) state <= {first};
    else state <= state_next;
  end

  always_ff @(posedge clk) begin
    if (rst) why <= '0;
    else if (state != HALTED && stops)
      why <= (retire && is_break) ? WHY_BREAK : (state == STEP) ? WHY_STEP : WHY_REQUEST;
  end
{count_down}
  assign halted = (state == HALTED);
  assign stall = halted;
"""
    run_next = "(running & ~enter_break & ~enter_req) | (at_rest & ~step_req & resume_req & ~halt_req)"
    one_hot = f"""
  logic running, stepping, at_rest; // one of them is high
  logic enter_break, enter_req, enter_step;

  assign enter_break = ~at_rest & retire & is_break;
  assign enter_req = running & halt_req & (retire | idle) & ~enter_break;
  assign enter_step = stepping & {"retire & (left == 2'd0)" if many else "retire"} & ~enter_break;

  always_ff @(posedge clk) begin
    if (rst) begin
      running <= 1'b{int(not start_halted)};
      stepping <= 1'b0;
      at_rest <= 1'b{int(start_halted)};
    end else begin
      running <= {run_next};
      stepping <= (stepping & ~enter_break & ~enter_step) | (at_rest & step_req);
      at_rest <= enter_break | enter_req | enter_step | (at_rest & ~step_req & ~(resume_req & ~halt_req));
    end
  end

  always_ff @(posedge clk) begin
    if (rst) why <= 2'd0;
    else if (enter_break) why <= WHY_BREAK;
    else if (enter_req) why <= WHY_REQUEST;
    else if (enter_step) why <= WHY_STEP;
  end
{count_down.replace("state == HALTED", "at_rest").replace("state == STEP && retire", "stepping && retire")}
  assign halted = at_rest;
  assign stall = at_rest;
"""
    body = (direct, split, one_hot)[variant]
    typed = "  typedef enum logic [1:0] {RUN, STEP, HALTED} state_t;\n  state_t state;\n" if variant < 2 else ""

    def reset(s: State) -> None:
        s.at, s.why, s.left = "halted" if start_halted else "run", 0, 0

    def step(s: State, i: Pins) -> Outputs:
        halted = int(s.at == "halted")
        out = {"halted": halted, "stall": halted, "why": s.why}
        left = i.step_count if many and halted else s.left
        if s.at == "halted":
            if i.step_req:
                s.at = "step"
            elif i.resume_req and not i.halt_req:
                s.at = "run"
        elif i.retire and i.is_break:
            s.at, s.why = "halted", causes["BREAK"]
        elif s.at == "run":
            if i.halt_req and (i.retire or i.idle):
                s.at, s.why = "halted", causes["REQUEST"]
        elif i.retire and not s.left:
            s.at, s.why = "halted", causes["STEP"]
        if many and s.at == "step" and not halted and i.retire:
            left = (s.left - 1) & 3
        s.left = left
        return out

    many_text = (
        "a step of `step_count` plus one instructions, as `step_count` stands in that cycle"
        if many
        else "a step of one instruction"
    )
    return Draft(
        rtl=f"""
module debug_control (
  input logic clk,
  input logic rst,
  input logic halt_req,
  input logic resume_req,
  input logic step_req,
{count_port}  input logic retire, // an instruction completes
  input logic is_break, // it is the breakpoint instruction
  input logic idle, // the processor waits for an interrupt
  output logic stall,
  output logic halted,
  output logic [1:0] why
);
{constants}
{typed}{declared}  {body}
endmodule
""",
        about=f"""Run control of a debugger for a processor, which is running, stepping or halted, and {
            "halted" if start_halted else "running"
        } after reset. Halted: `step_req` begins {many_text}; otherwise `resume_req` without `halt_req` lets the
            processor run. Running or stepping: an instruction that completes (`retire`) with `is_break` halts it.
            Otherwise, when running, `halt_req` halts it as soon as an instruction completes or the processor is `idle`;
            when stepping, the completion of the {"last" if many else "one"} instruction does. `halted` and `stall` are
            high in the halted state. `why` says why it was halted last: {causes["REQUEST"]} by request, {
            causes["BREAK"]
        } by a breakpoint instruction, {causes["STEP"]} after a step; 0 after reset.""",
        model=Machine(reset, step),
        names=("debug_ctrl", "run_control", "step_control", "halt_ctrl"),
        stimulus={"halt_req": 0.35, "resume_req": 0.5, "step_req": 0.35, "retire": 0.6, "is_break": 0.2, "idle": 0.15},
        cycles=250,
    )
