"""What keeps instructions in order that overlap: stalls, flushes, scoreboards, queues and retirement."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def load_use_stall(r: Random, variant: int) -> Draft:
    """Holds an instruction back that needs what is still being loaded."""
    bits = r.choice((3, 4, 5))
    late = r.choice((1, 2))  # how many stages behind decode a load has no result
    zero = r.random() < 0.6
    divides = r.random() < 0.5
    stages = ["ex", "mem"][:late]
    ports = "\n".join(
        f"  input logic {one}_valid,\n  input logic {one}_load,\n  input logic [BITS-1:0] {one}_rd," for one in stages
    )
    real = {one: f" && ({one}_rd != 0)" if zero else "" for one in stages}
    tests = " ||\n      ".join(
        f"({one}_valid && {one}_load{real[one]} && ((use_rs1 && rs1 == {one}_rd) || (use_rs2 && rs2 == {one}_rd)))"
        for one in stages
    )
    plain = f"""
  // a load further on writes a register that is read here
  assign load_hazard = id_valid && (
      {tests});
"""
    stepwise = "\n".join(
        f"    if ({one}_valid && {one}_load) begin\n"
        f"      if (use_rs1 && rs1 == {one}_rd{' && rs1 != 0' if zero else ''}) load_hazard = 1'b1;\n"
        f"      if (use_rs2 && rs2 == {one}_rd{' && rs2 != 0' if zero else ''}) load_hazard = 1'b1;\n"
        f"    end"
        for one in stages
    )
    process = f"""
  always_comb begin
    load_hazard = 1'b0;
{stepwise}
    if (!id_valid) load_hazard = 1'b0;
  end
"""
    width = len(stages)
    loads = ", ".join(f"{one}_valid & {one}_load{f' & (|{one}_rd)' if zero else ''}" for one in reversed(stages))
    same_1 = ", ".join(f"{one}_rd == rs1" for one in reversed(stages))
    same_2 = ", ".join(f"{one}_rd == rs2" for one in reversed(stages))
    vectors = f"""
  logic [{width - 1}:0] loading, same_1, same_2; // a bit for each stage ahead

  assign loading = {{{loads}}};
  assign same_1 = {{{same_1}}} & {{{width}{{use_rs1}}}};
  assign same_2 = {{{same_2}}} & {{{width}{{use_rs2}}}};
  assign load_hazard = id_valid & |(loading & (same_1 | same_2));
"""
    body = (plain, process, vectors)[variant]
    busy_port = "  input logic ex_busy, // a division goes on\n" if divides else ""
    stall = "load_hazard || ex_busy" if divides else "load_hazard"
    bubble = "load_hazard && !ex_busy" if divides else "load_hazard"

    def reset(s: State) -> None:
        s.lost = 0

    def step(s: State, i: Pins) -> Outputs:
        hazard = False
        for one in stages:
            rd = getattr(i, f"{one}_rd")
            if getattr(i, f"{one}_valid") and getattr(i, f"{one}_load") and not (zero and rd == 0):
                hazard |= bool((i.use_rs1 and i.rs1 == rd) or (i.use_rs2 and i.rs2 == rd))
        hazard = hazard and bool(i.id_valid) and not i.flush
        busy = bool(divides and i.ex_busy) and not i.flush
        out = {"stall": int(hazard or busy), "bubble": int((hazard and not busy) or i.flush), "lost_cycles": s.lost}
        if out["stall"] and s.lost < 255:
            s.lost += 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        names = [r.choice((0, r.getrandbits(bits))), r.getrandbits(bits)]
        keys = ("rs1", "rs2", *(f"{one}_rd" for one in stages))
        return {key: r.choice((*names, r.getrandbits(bits))) for key in keys}

    where = "in `ex`" if late == 1 else "in `ex` or in `mem`"
    where = where.replace("`", "")
    none = " Register 0 is constant and never waited for." if zero else ""
    more = " `stall` is high, too, while `ex_busy` is; then nothing moves, and there is no bubble." if divides else ""
    return Draft(
        rtl=f"""
module load_use_stall #(
  parameter int BITS = {bits}
) (
  input logic clk,
  input logic rst,
  input logic flush,
  input logic id_valid,
  input logic use_rs1,
  input logic use_rs2,
  input logic [BITS-1:0] rs1,
  input logic [BITS-1:0] rs2,
{ports}
{busy_port}  output logic stall,
  output logic bubble, // the next stage gets nothing
  output logic [7:0] lost_cycles
);
  logic load_hazard;
  {body}
  // what is flushed need not wait
  assign stall = ({stall}) && !flush;
  assign bubble = ({bubble}) || flush;

  // stays at its largest value
  always_ff @(posedge clk) begin
    if (rst) lost_cycles <= '0;
    else if (stall && lost_cycles != 8'hff) lost_cycles <= lost_cycles + 1'b1;
  end
endmodule
""",
        about=f"""Stall logic for loads in a pipeline. The instruction in decode (`id_valid`) reads `rs1` and `rs2`
            where `use_rs1` and `use_rs2` say so. If a valid load {where} writes one of these registers, decode has to
            wait: `stall` and `bubble` are high in that cycle.{none}{more} `flush` discards the instruction: no `stall`
            then, but `bubble`. `lost_cycles` counts the cycles with `stall`, from 0, and stays at 255.""",
        model=Machine(reset, step),
        names=("hazard_detect", "load_hazard", "interlock", "stall_unit"),
        stimulus={
            "flush": 0.12,
            "id_valid": 0.9,
            "use_rs1": 0.7,
            "use_rs2": 0.6,
            **{f"{one}_valid": 0.85 for one in stages},
            **{f"{one}_load": 0.7 for one in stages},
            "ex_busy": 0.15,
        },
        drive=drive,
        cycles=250,
    )


@family(variants=3)
def pipeline_control(r: Random, variant: int) -> Draft:
    """Which stages of a pipeline hold, move on or are emptied."""
    names = r.choice((("fetch", "decode", "execute", "write"), ("fetch", "decode", "execute", "memory", "write")))
    count = len(names)
    at = names.index("execute")
    causes = {"fetch": "fetch_wait", "decode": "hazard", "execute": "multiply_wait"}
    if count == 5:
        causes["memory"] = "data_wait"
    ports = "\n".join(f"  input logic {one}," for one in causes.values())
    waits = ["1'b0"] * count
    for one, signal in causes.items():
        waits[names.index(one)] = signal
    wanted = ", ".join(reversed(waits))
    vectors = f"""
  logic [STAGES-1:0] waits, young, squash;

  // a stage that waits holds all that are behind it
  assign waits = {{{wanted}}};

  always_comb begin
    hold[STAGES-1] = waits[STAGES-1];
    for (int i = STAGES - 2; i >= 0; i--) hold[i] = hold[i+1] | waits[i];
  end

  // who is thrown away
  assign young = trap ? {{STAGES{{1'b1}}}} : redirect ? {count}'b{(1 << at) - 1:0{count}b} : '0;
  assign squash = hold[{at}] && !trap ? '0 : young;
  assign redirected = |squash;
  assign go = valid & ~hold & ~squash;
"""
    ordered = []
    for k in range(count - 1, -1, -1):
        parts = [f"hold[{k + 1}]"] if k < count - 1 else []
        if waits[k] != "1'b0":
            parts.append(waits[k])
        ordered.append(f"  assign hold[{k}] = {' || '.join(parts) if parts else waits[k]};")
    holds = "\n".join(ordered)
    goes = "\n".join(
        f"  assign go[{k}] = valid[{k}] && !hold[{k}] && !{'flush_young' if k < at else 'trap'};" for k in range(count)
    )
    unrolled = f"""
  logic flush_young;

{holds}

  // a taken branch is only obeyed when it leaves its stage; a trap always
  assign flush_young = trap || (redirect && !hold[{at}]);
  assign redirected = flush_young;
{goes}
"""
    levels: list[str] = []
    for k in range(count - 1, -1, -1):
        if waits[k] != "1'b0":
            text = f"if ({waits[k]}) hold = {count}'b{(1 << (k + 1)) - 1:0{count}b};"
            levels.append(f"    {'else ' if levels else ''}{text}")
    ladder = "\n".join(levels)
    tables = f"""
  logic [STAGES-1:0] squash;

  // the stage furthest ahead decides how many hold
  always_comb begin
    hold = '0;
{ladder}
  end

  always_comb begin
    squash = '0;
    if (trap)
      squash = '1;
    else if (redirect && !hold[{at}])
      squash = {count}'b{(1 << at) - 1:0{count}b};
  end

  assign redirected = (squash != 0);

  assign go = valid & ~(hold | squash);
"""
    body = (vectors, unrolled, tables)[variant]
    keep_loop = """
  // a stage keeps its instruction, takes the one from behind, or gets none
  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= '0;
    end else begin
      if (squash_stage[0]) valid[0] <= 1'b0;
      else if (!hold[0]) valid[0] <= in_valid;
      for (int i = 1; i < STAGES; i++) begin
        if (squash_stage[i]) valid[i] <= 1'b0;
        else if (!hold[i]) valid[i] <= go[i-1];
      end
    end
  end
"""
    gone = f"""
  logic [STAGES-1:0] squash_stage;

  // the stage of the branch itself is not thrown away
  assign squash_stage = trap ? {{STAGES{{1'b1}}}} : redirected ? {count}'b{(1 << at) - 1:0{count}b} : '0;
"""
    registers = gone + keep_loop

    def reset(s: State) -> None:
        s.valid = [0] * count

    def step(s: State, i: Pins) -> Outputs:
        hold = [0] * count
        for k in range(count - 1, -1, -1):
            mine = getattr(i, waits[k]) if waits[k] != "1'b0" else 0
            hold[k] = int(bool(mine or (k < count - 1 and hold[k + 1])))
        redirected = bool(i.trap or (i.redirect and not hold[at]))
        squash = [bool(i.trap or (redirected and k < at)) for k in range(count)]
        go = [int(bool(s.valid[k] and not hold[k] and not squash[k])) for k in range(count)]
        out = {
            "hold": sum(bit << k for k, bit in enumerate(hold)),
            "go": sum(bit << k for k, bit in enumerate(go)),
            "valid": sum(bit << k for k, bit in enumerate(s.valid)),
            "redirected": int(redirected),
        }
        before = [i.in_valid, *go]
        s.valid = [0 if squash[k] else s.valid[k] if hold[k] else before[k] for k in range(count)]
        return out

    listing = ", ".join(f"{k} {one}" for k, one in enumerate(names))
    reasons = ", ".join(f"{one} while `{signal}`" for one, signal in causes.items())
    return Draft(
        rtl=f"""
module pipeline_control #(
  parameter int STAGES = {count}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
{ports}
  input logic redirect, // the instruction in execute goes elsewhere
  input logic trap,
  output logic [STAGES-1:0] hold,
  output logic [STAGES-1:0] go, // the instruction leaves its stage for the next
  output logic [STAGES-1:0] valid,
  output logic redirected
);
  {body}{registers}
endmodule
""",
        about=f"""Stall and flush control of a pipeline with the stages {listing}. Bit k of each output belongs to stage
            k. A stage waits for itself as follows: {reasons}. It has to `hold` while it or any stage ahead of it (with
            a higher number) waits. `trap` throws away the instructions of all stages; `redirect`, unless execute holds,
            those of all stages before execute; either way `redirected` is high. `go` marks the stages whose instruction
            is valid, not held and not thrown away. At the edge, a stage that is thrown away becomes invalid; otherwise
            a stage that holds keeps `valid`; otherwise it takes over `go` of the stage before, stage 0 `in_valid`. All
            stages start invalid. Except for `valid` the outputs follow the inputs without delay.""",
        model=Machine(reset, step),
        names=("pipe_ctrl", "stall_flush", "pipeline_ctrl", "hazard_control"),
        stimulus={
            "in_valid": 0.85,
            "fetch_wait": 0.15,
            "hazard": 0.2,
            "multiply_wait": 0.15,
            "data_wait": 0.15,
            "redirect": 0.2,
            "trap": 0.06,
        },
        cycles=200,
    )


@family(variants=3)
def register_scoreboard(r: Random, variant: int) -> Draft:
    """Remembers which registers still wait for a result."""
    bits = r.choice((2, 3, 4))
    count = 1 << bits
    zero = r.random() < 0.5
    early = r.random() < 0.5  # a result that arrives now may be used now
    ports = r.choice((1, 2))
    wb_ports = "\n".join(f"  input logic wb{k}_valid,\n  input logic [BITS-1:0] wb{k}_rd," for k in range(ports))
    freed = " | ".join(f"({{{{(COUNT-1){{1'b0}}}}, wb{k}_valid}} << wb{k}_rd)" for k in range(ports))
    seen = "busy & ~cleared" if early else "busy"
    not_zero = " && rd != 0" if zero else ""
    masks = f"""
  logic [COUNT-1:0] taken, cleared, waiting;

  // one bit a register
  assign taken = {{{{(COUNT-1){{1'b0}}}}, issue && write{not_zero}}} << rd;
  assign cleared = {freed};
  assign waiting = {seen};

  // reading needs the value, writing must not overtake an older write
  assign blocked = (use_rs1 && waiting[rs1]) || (use_rs2 && waiting[rs2]) || (write && waiting[rd]);
  assign issue = valid && !blocked && !flush;

  always_ff @(posedge clk) begin
    if (rst) busy <= '0;
    else if (flush) busy <= '0;
    else busy <= (busy & ~cleared) | taken;
  end
"""
    clears = "\n".join(f"      if (wb{k}_valid) busy[wb{k}_rd] <= 1'b0;" for k in range(ports))
    gone = [" || ".join(f"(wb{k}_valid && wb{k}_rd == {one})" for k in range(ports)) for one in ("rs1", "rs2", "rd")]
    looks = [f"busy[{one}] && !({gone[n]})" if early else f"busy[{one}]" for n, one in enumerate(("rs1", "rs2", "rd"))]
    indexed = f"""
  logic rs1_busy, rs2_busy, rd_busy;

  assign rs1_busy = use_rs1 && {looks[0]};
  assign rs2_busy = use_rs2 && {looks[1]};
  assign rd_busy = write && {looks[2]};
  assign blocked = rs1_busy | rs2_busy | rd_busy;
  assign issue = valid & ~blocked & ~flush;

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= '0;
    end else if (flush) begin
      busy <= '0;
    end else begin
{clears}
      // a new owner has the last word
      if (issue && write{not_zero}) busy[rd] <= 1'b1;
    end
  end
"""
    any_wb = " || ".join(f"(wb{k}_valid && wb{k}_rd == k)" for k in range(ports))
    generated = f"""
  logic [COUNT-1:0] waiting;

  for (genvar k = 0; k < COUNT; k++) begin : gen_register
    logic arrives, claimed;

    assign arrives = {any_wb};
    assign claimed = issue && write && (rd == k){" && (k != 0)" if zero else ""};
    assign waiting[k] = {"busy[k] && !arrives" if early else "busy[k]"};

    always_ff @(posedge clk) begin
      if (rst) busy[k] <= 1'b0;
      else if (flush) busy[k] <= 1'b0;
      else if (claimed) busy[k] <= 1'b1;
      else if (arrives) busy[k] <= 1'b0;
    end
  end

  always_comb begin
    blocked = 1'b0;
    if (use_rs1 && waiting[rs1]) blocked = 1'b1;
    if (use_rs2 && waiting[rs2]) blocked = 1'b1;
    if (write && waiting[rd]) blocked = 1'b1;
  end

  assign issue = valid && !(blocked || flush);
"""
    body = (masks, indexed, generated)[variant]

    def reset(s: State) -> None:
        s.busy = 0

    def step(s: State, i: Pins) -> Outputs:
        cleared = 0
        for k in range(ports):
            if getattr(i, f"wb{k}_valid"):
                cleared |= 1 << getattr(i, f"wb{k}_rd")
        waiting = s.busy & ~cleared if early else s.busy
        blocked = (i.use_rs1 and waiting >> i.rs1 & 1) or (i.use_rs2 and waiting >> i.rs2 & 1)
        blocked = bool(blocked or (i.write and waiting >> i.rd & 1))
        issue = bool(i.valid and not blocked and not i.flush)
        out = {"blocked": int(blocked), "issue": int(issue), "busy": s.busy, "drained": int(s.busy == 0)}
        s.busy &= ~cleared
        if issue and i.write and not (zero and i.rd == 0):
            s.busy |= 1 << i.rd
        if i.flush:
            s.busy = 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        waiting = [k for k in range(count) if s.busy >> k & 1] or [0]
        out = {}
        for k in range(ports):
            out[f"wb{k}_rd"] = r.choice((r.choice(waiting), r.choice(waiting), r.randrange(count)))
        for one in ("rs1", "rs2", "rd"):
            out[one] = r.choice((r.randrange(count), r.randrange(count), r.choice(waiting), out["wb0_rd"]))
        return out

    constant = " Register 0 is constant and never becomes busy." if zero else ""
    now = "unless its result arrives in this very cycle" if early else "even if its result arrives in this cycle"
    ways = "`wb0_valid` with `wb0_rd`" + (" and `wb1_valid` with `wb1_rd`" if ports == 2 else "")
    return Draft(
        rtl=f"""
module register_scoreboard #(
  parameter int BITS = {bits},
  parameter int COUNT = {count}
) (
  input logic clk,
  input logic rst,
  input logic flush,
  input logic valid, // an instruction wants to issue
  input logic use_rs1,
  input logic use_rs2,
  input logic write,
  input logic [BITS-1:0] rs1,
  input logic [BITS-1:0] rs2,
  input logic [BITS-1:0] rd,
{wb_ports}
  output logic blocked,
  output logic issue,
  output logic [COUNT-1:0] busy,
  output logic drained
);
  assign drained = (busy == 0);
  {body}
endmodule
""",
        about=f"""Scoreboard of {count} registers. An instruction reads `rs1` and `rs2` and writes `rd` where `use_rs1`,
            `use_rs2` and `write` say so. `blocked` is high if one of these registers is busy, {now}. `issue` is `valid`
            without `blocked` and without `flush`; the instruction's `rd` is then busy from the next cycle on.{constant}
            {ways} say that a register's result arrives, which makes it free, unless an instruction that issues in the
            same cycle takes it again. `flush` makes all free. `busy` has a bit for each register, all 0 after reset;
            `drained` is high while all are 0.""",
        model=Machine(reset, step),
        names=("scoreboard", "reg_busy_table", "issue_check", "reg_scoreboard"),
        stimulus={
            "flush": 0.04,
            "valid": 0.9,
            "use_rs1": 0.6,
            "use_rs2": 0.5,
            "write": 0.8,
            "wb0_valid": 0.5,
            "wb1_valid": 0.3,
        },
        drive=drive,
        cycles=250,
    )


@family(variants=2)
def register_free_list(r: Random, variant: int) -> Draft:
    """Physical registers that are not in use, given out and taken back in turn; a checkpoint undoes what was given."""
    bits = r.choice((3, 4))
    total = 1 << bits
    used = r.choice((2, total // 2))  # architectural registers, mapped from the start
    spare = total - used
    pbits = (spare - 1).bit_length()
    power = spare == 1 << pbits
    cbits = spare.bit_length()
    last = f"{pbits}'d{spare - 1}"

    def moved(ptr: str) -> str:
        return f"{ptr} + 1'b1" if power else f"({ptr} == {last}) ? '0 : {ptr} + 1'b1"

    together = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < SPARE; i++) list[i] <= USED + i;
      head <= '0;
      tail <= '0;
      count <= SPARE;
      saved_head <= '0;
      given <= '0;
    end else begin
      if (release_valid) begin
        list[tail] <= release_reg;
        tail <= {moved("tail")};
      end
      if (restore) begin
        // all that was given since the checkpoint comes back
        head <= saved_head;
        count <= count + given + release_valid;
        given <= '0;
      end else begin
        if (give) head <= {moved("head")};
        count <= count + release_valid - give;
        if (checkpoint) begin
          saved_head <= give ? head_next : head;
          given <= '0;
        end else begin
          given <= given + give;
        end
      end
    end
  end
"""
    split = """
  // the list itself
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < SPARE; i++) list[i] <= USED + i;
      tail <= '0;
    end else if (release_valid) begin
      list[tail] <= release_reg;
      tail <= tail_next;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) head <= '0;
    else if (restore) head <= saved_head;
    else if (give) head <= head_next;
  end

  // the checkpoint lies behind what is given in its own cycle
  always_ff @(posedge clk) begin
    if (rst) begin
      saved_head <= '0;
      given <= '0;
    end else if (restore) begin
      given <= '0;
    end else if (checkpoint) begin
      saved_head <= give ? head_next : head;
      given <= '0;
    end else if (give) begin
      given <= given + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) count <= SPARE;
    else count <= count + {{%d{1'b0}}, release_valid} + (restore ? given : 0) - {{%d{1'b0}}, give && !restore};
  end
"""
    split = split.replace("%d", str(cbits - 1)) if cbits > 1 else split
    body = (together, split)[variant]
    tail_next = f"  assign tail_next = {moved('tail')};\n" if variant else ""
    tail_named = ", tail_next" if variant else ""

    def reset(s: State) -> None:
        s.free, s.given, s.out = list(range(used, total)), [], list(range(used))

    def step(s: State, i: Pins) -> Outputs:
        some = bool(s.free)
        out = {"available": int(some), "reg_out": s.free[0] if some else None, "count": len(s.free)}
        give = bool(i.request and some)
        if i.restore:
            s.free = s.given + s.free
            for one in s.given:
                s.out.remove(one)
            s.given = []
        elif give:
            one = s.free.pop(0)
            s.given.append(one)
            s.out.append(one)
        if i.checkpoint and not i.restore:
            s.given = []
        if i.release_valid:
            s.free.append(i.release_reg)
            s.out.remove(i.release_reg)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        old = [one for one in s.out if one not in s.given]
        back = bool(old) and len(s.free) + len(s.given) < spare and r.random() < (0.6 if len(s.free) < 2 else 0.3)
        return {"release_valid": int(back), "release_reg": r.choice(old) if back else r.randrange(total)}

    return Draft(
        rtl=f"""
module register_free_list #(
  parameter int BITS = {bits},
  parameter int USED = {used}, // taken from the start
  parameter int SPARE = {spare}
) (
  input logic clk,
  input logic rst,
  input logic request,
  output logic available,
  output logic [BITS-1:0] reg_out,
  input logic release_valid,
  input logic [BITS-1:0] release_reg,
  input logic checkpoint,
  input logic restore,
  output logic [{cbits - 1}:0] count
);
  logic [BITS-1:0] list [0:SPARE-1];
  logic [{pbits - 1}:0] head, tail, saved_head, head_next{tail_named};
  logic [{cbits - 1}:0] given; // since the checkpoint
  logic give;

  assign available = (count != 0);
  assign reg_out = list[head];
  assign give = request && available;
  assign head_next = {moved("head")};
{tail_next}  {body}
endmodule
""",
        about=f"""Free list of a register renamer with {total} physical registers. 0 to {used - 1} are in use after
            reset, {used} to {total - 1} are free, in this order. `reg_out` is the first free one while `available`, and
            does not matter otherwise; `request` with `available` takes it. `release_valid` puts `release_reg` at the
            end of the list. `count` is the number of free ones. `checkpoint` marks a place in the program, behind the
            `request` of its own cycle; `restore` puts all that were given since the last checkpoint (or reset) back to
            the front of the list, in their old order, and ignores `request` and `checkpoint`, but not a release, in
            its cycle. Nobody releases a register that is free or was given since the checkpoint, so
            that there are never more than {spare} of both kinds.""",
        model=Machine(reset, step),
        names=("free_list", "rename_free_list", "phys_reg_pool", "reg_pool"),
        stimulus={"request": 0.65, "checkpoint": 0.15, "restore": 0.08},
        drive=drive,
        cycles=250,
    )


@family(variants=2)
def reorder_buffer(r: Random, variant: int) -> Draft:
    """Lets results come in any order and retires them in the order of the program."""
    bits = r.choice((2, 3))
    entries = 1 << bits
    rbits = r.choice((3, 4, 5))
    width = r.choice((8, 16))
    arrays = """
  // state of the entries as a bit each
  always_ff @(posedge clk) begin
    if (rst) begin
      done <= '0;
      failed <= '0;
      head <= '0;
      tail <= '0;
      count <= '0;
    end else if (fault) begin
      // nothing of what is younger may be seen
      done <= '0;
      failed <= '0;
      head <= '0;
      tail <= '0;
      count <= '0;
    end else begin
      if (finish_valid) begin
        done[finish_id] <= 1'b1;
        failed[finish_id] <= finish_error;
      end
      if (accept) begin
        done[tail] <= 1'b0;
        tail <= tail + 1'b1;
      end
      if (retire) head <= head + 1'b1;
      count <= count + accept - retire;
    end
  end

  always_ff @(posedge clk) begin
    if (accept) target[tail] <= alloc_rd;
    if (finish_valid) value[finish_id] <= finish_data;
  end
"""
    generated = """
  logic drop;

  assign drop = rst || fault;

  for (genvar k = 0; k < ENTRIES; k++) begin : gen_entry
    logic fill, finish;

    assign fill = accept && (tail == k);
    assign finish = finish_valid && (finish_id == k);

    always_ff @(posedge clk) begin
      if (rst) begin
        done[k] <= 1'b0;
        failed[k] <= 1'b0;
      end else if (drop || fill) begin
        done[k] <= 1'b0;
        failed[k] <= 1'b0;
      end else if (finish) begin
        done[k] <= 1'b1;
        failed[k] <= finish_error;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (accept) target[tail] <= alloc_rd;
  end

  always_ff @(posedge clk) begin
    if (finish_valid) value[finish_id] <= finish_data;
  end

  // a ring: new ones at the tail, old ones leave at the head
  always_ff @(posedge clk) begin
    if (rst) begin
      {head, tail} <= '0;
      count <= '0;
    end else if (drop) begin
      {head, tail} <= '0;
      count <= '0;
    end else begin
      if (accept) tail <= tail + 1'b1;
      if (retire) head <= head + 1'b1;
      case ({accept, retire})
        2'b10: count <= count + 1'b1;
        2'b01: count <= count - 1'b1;
        default: ;
      endcase
    end
  end
"""
    body = (arrays, generated)[variant]

    def reset(s: State) -> None:
        s.queue, s.tail = [], 0

    def step(s: State, i: Pins) -> Outputs:
        oldest = s.queue[0] if s.queue else None
        ready = bool(oldest and oldest["done"])
        fault = bool(oldest and ready and oldest["failed"])
        retire = ready and not fault
        out = {
            "alloc_ready": int(len(s.queue) < entries),
            "alloc_id": s.tail,
            "retire": int(retire),
            "retire_rd": oldest["rd"] if oldest and retire else None,
            "retire_data": oldest["data"] if oldest and retire else None,
            "fault": int(fault),
            "empty": int(not s.queue),
        }
        accept = i.alloc_valid and len(s.queue) < entries
        if fault:
            s.queue, s.tail = [], 0
            return out
        if i.finish_valid:
            for one in s.queue:
                if one["id"] == i.finish_id:
                    one.update(done=True, failed=i.finish_error, data=i.finish_data)
        if retire:
            s.queue.pop(0)
        if accept:
            s.queue.append({"id": s.tail, "rd": i.alloc_rd, "done": False, "failed": 0, "data": 0})
            s.tail = (s.tail + 1) % entries
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        open_ids = [one["id"] for one in s.queue if not one["done"]]
        if open_ids and r.random() < 0.6:
            return {"finish_valid": 1, "finish_id": r.choice(open_ids), "finish_error": int(r.random() < 0.1)}
        return {"finish_valid": 0}

    return Draft(
        rtl=f"""
module reorder_buffer #(
  parameter int ENTRIES = {entries},
  parameter int BITS = {bits},
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic alloc_valid,
  input logic [{rbits - 1}:0] alloc_rd, // where the result belongs
  output logic alloc_ready,
  output logic [BITS-1:0] alloc_id,
  input logic finish_valid,
  input logic [BITS-1:0] finish_id,
  input logic [WIDTH-1:0] finish_data,
  input logic finish_error,
  output logic retire,
  output logic [{rbits - 1}:0] retire_rd,
  output logic [WIDTH-1:0] retire_data,
  output logic fault,
  output logic empty
);
  logic [{rbits - 1}:0] target [0:ENTRIES-1];
  logic [WIDTH-1:0] value [0:ENTRIES-1];
  logic [ENTRIES-1:0] done, failed;
  logic [BITS-1:0] head, tail;
  logic [BITS:0] count;
  logic accept;

  assign empty = (count == 0);
  assign alloc_ready = (count != ENTRIES);
  assign alloc_id = tail;
  assign accept = alloc_valid && alloc_ready && !fault;

  // only the oldest may leave
  assign retire = !empty && done[head] && !failed[head];
  assign fault = !empty && done[head] && failed[head];
  assign retire_rd = target[head];
  assign retire_data = value[head];
  {body}
endmodule
""",
        about=f"""Reorder buffer of {entries} entries. `alloc_valid` with `alloc_ready` (an entry is free) puts an
            instruction at the end; `alloc_id` is its entry, from 0 upwards and around, and `alloc_rd` the register that
            its result of {width} bits is for. `finish_valid` brings the result of entry `finish_id`, in any order, with
            `finish_error` if it failed; it only names entries that are in use and not finished. While the oldest
            instruction is finished (from the cycle after that on) it leaves: `retire` is high, with `retire_rd` and
            `retire_data`, which do not matter otherwise, for one cycle. If it failed, `fault` is high instead, and at
            the edge the buffer becomes empty, with the next entry 0 again; an allocation or result in that cycle is
            lost. `empty` is high without any instruction, as after reset.""",
        model=Machine(reset, step),
        names=("rob", "retire_queue", "in_order_retire", "commit_buffer"),
        stimulus={"alloc_valid": 0.7},
        drive=drive,
        cycles=200,
    )


@family(variants=3)
def write_back_arbiter(r: Random, variant: int) -> Draft:
    """Shares one write port of the registers between units that finish at different times."""
    width = r.choice((8, 16, 32))
    bits = r.choice((3, 4, 5))
    units = r.sample(("alu", "load", "divide"), 3)
    patience = r.choice((2, 3, 5))
    zero = r.random() < 0.5
    tbits = patience.bit_length()
    one, two, three = units
    ports = "\n".join(
        f"  input logic {u}_valid,\n  input logic [BITS-1:0] {u}_rd,\n  input logic [WIDTH-1:0] {u}_data,\n"
        f"  output logic {u}_ready,"
        for u in ("alu", "load", "divide")
    )
    equations = f"""
  assign {three}_ready = {three}_valid && (urgent || (!{one}_valid && !{two}_valid));
  assign {one}_ready = {one}_valid && !(urgent && {three}_valid);
  assign {two}_ready = {two}_valid && !{one}_valid && !(urgent && {three}_valid);

  assign rd = {one}_ready ? {one}_rd : {two}_ready ? {two}_rd : {three}_rd;
  assign data = {one}_ready ? {one}_data : {two}_ready ? {two}_data : {three}_data;
"""
    chain = "\n".join(
        f"""    {"end else " if n else ""}if ({test}) begin
      {u}_ready = 1'b1;
      rd = {u}_rd;
      data = {u}_data;"""
        for n, (test, u) in enumerate(
            (
                (f"{three}_valid && urgent", three),
                (f"{one}_valid", one),
                (f"{two}_valid", two),
                (f"{three}_valid", three),
            )
        )
    )
    ladder = f"""
  always_comb begin
    alu_ready = 1'b0;
    load_ready = 1'b0;
    divide_ready = 1'b0;
    rd = '0;
    data = '0;
{chain}
    end
  end
"""
    vectors = f"""
  logic [2:0] want, grant; // {one}, {two}, {three}

  assign want = {{{one}_valid, {two}_valid, {three}_valid}};

  always_comb begin
    casez ({{urgent, want}})
      4'b1??1, 4'b0001: grant = 3'b001;
      4'b01??, 4'b11?0: grant = 3'b100;
      4'b001?, 4'b1010: grant = 3'b010;
      default: grant = 3'b000;
    endcase
  end

  assign {{{one}_ready, {two}_ready, {three}_ready}} = grant;
  assign rd = ({{BITS{{grant[2]}}}} & {one}_rd)
            | ({{BITS{{grant[1]}}}} & {two}_rd)
            | ({{BITS{{grant[0]}}}} & {three}_rd);
  assign data = ({{WIDTH{{grant[2]}}}} & {one}_data)
              | ({{WIDTH{{grant[1]}}}} & {two}_data)
              | ({{WIDTH{{grant[0]}}}} & {three}_data);
"""
    body = (equations, ladder, vectors)[variant]
    real = " && (rd != 0)" if zero else ""

    def reset(s: State) -> None:
        s.wait, s.wr, s.rd, s.data = 0, 0, None, None

    def step(s: State, i: Pins) -> Outputs:
        valid = {u: getattr(i, f"{u}_valid") for u in units}
        order = (three, one, two) if s.wait == patience else units
        winner = next((u for u in order if valid[u]), "")
        out: dict[str, int | None] = {f"{u}_ready": int(u == winner) for u in units}
        out |= {"wr": s.wr, "wr_rd": s.rd if s.wr else None, "wr_data": s.data if s.wr else None}
        s.wr = 0
        if winner:
            s.rd, s.data = getattr(i, f"{winner}_rd"), getattr(i, f"{winner}_data")
            s.wr = int(not (zero and s.rd == 0))
        s.wait = min(s.wait + 1, patience) if valid[three] and winner != three else 0
        return out

    constant = " (a result for register 0 is taken, but not written)" if zero else ""
    return Draft(
        rtl=f"""
module write_back_arbiter #(
  parameter int BITS = {bits},
  parameter int WIDTH = {width},
  parameter int PATIENCE = {patience}
) (
  input logic clk,
  input logic rst,
{ports}
  output logic wr,
  output logic [BITS-1:0] wr_rd,
  output logic [WIDTH-1:0] wr_data
);
  logic [BITS-1:0] rd;
  logic [WIDTH-1:0] data;
  logic [{tbits - 1}:0] waiting; // cycles that the last one has been refused
  logic urgent;

  assign urgent = (waiting == PATIENCE);
  {body}
  always_ff @(posedge clk) begin
    if (rst) waiting <= '0;
    else if (!{three}_valid || {three}_ready) waiting <= '0;
    else if (!urgent) waiting <= waiting + 1'b1;
  end

  // the write port
  always_ff @(posedge clk) begin
    if (rst) begin
      wr <= 1'b0;
      wr_rd <= '0;
      wr_data <= '0;
    end else begin
      wr <= (alu_ready || load_ready || divide_ready){real};
      wr_rd <= rd;
      wr_data <= data;
    end
  end
endmodule
""",
        about=f"""Write-back arbiter: three units, alu, load and divide, offer results (valid, register number, data of
            {width} bits) to the one write port of a register file. In each cycle one that is valid gets its ready,
            without delay: {one} before {two} before {three}, except that {three} goes first once it has been valid and
            refused in {patience} cycles in a row. The result that was taken is on `wr_rd` and `wr_data` in the next
            cycle, with `wr` high{constant}; without `wr` these do not matter. A unit that is not valid gets no
            ready.""",
        model=Machine(reset, step),
        names=("wb_arbiter", "writeback_mux", "result_arbiter", "wb_port"),
        stimulus={
            f"{one}_valid": 0.6,
            f"{two}_valid": 0.6,
            f"{three}_valid": 0.7,
            **{f"{u}_rd": lambda r: r.choice((0, r.getrandbits(bits), r.getrandbits(bits))) for u in units},
        },
        cycles=200,
    )
