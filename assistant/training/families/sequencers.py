"""What decides which instruction comes next, and a whole small processor."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_signed


@family(variants=3)
def program_counter(r: Random, variant: int) -> Draft:
    """The address of the next instruction: on, elsewhere, or to a handler."""
    width = r.choice((8, 10, 12, 16))
    reach = r.choice((5, 6, 8)) if width > 8 else 5
    mask = (1 << width) - 1
    step = r.choice((1, 2, 4))
    start = r.randrange(4) * 16
    handler = r.choice((4, 8, 12)) * 8
    branch_first = r.random() < 0.5
    links = r.random() < 0.5
    choices = ["branch", "jump"] if branch_first else ["jump", "branch"]
    targets = {"jump": "jump_target", "branch": "pc + away"}
    first, second = choices
    chain = f"""
  always_ff @(posedge clk) begin
    if (rst) pc <= START;
    else if (trap) pc <= HANDLER;
    else if (!stall) begin
      if ({first}) pc <= {targets[first]};
      else if ({second}) pc <= {targets[second]};
      else pc <= following;
    end
  end
"""
    ternary = f"""
  logic [WIDTH-1:0] pc_next;

  // from the most urgent on
  assign pc_next = trap ? HANDLER
                 : stall ? pc
                 : {first} ? {targets[first]}
                 : {second} ? {targets[second]}
                 : following;

  always_ff @(posedge clk) begin
    if (rst) pc <= START;
    else pc <= pc_next;
  end
"""
    pattern = {f"{first}": "4'b001?", f"{second}": "4'b0001"}
    cased = f"""
  logic [WIDTH-1:0] pc_next;

  always_comb begin
    casez ({{trap, stall, {first}, {second}}})
      4'b1???: pc_next = HANDLER;
      4'b01??: pc_next = pc;
      {pattern[first]}: pc_next = {targets[first]};
      {pattern[second]}: pc_next = {targets[second]};
      default: pc_next = following;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      pc <= START;
    end else begin
      pc <= pc_next;
    end
  end
"""
    body = (chain, ternary, cased)[variant]
    link_port = "  output logic [WIDTH-1:0] link, // where the last jump came from\n" if links else ""
    wins = "jump && !trap && !stall" + (" && !branch" if branch_first else "")
    link_text = (
        f"""
  // the return address of a jump that is carried out
  always_ff @(posedge clk) begin
    if (rst) link <= '0;
    else if ({wins}) link <= following;
  end
"""
        if links
        else ""
    )

    def reset(s: State) -> None:
        s.pc, s.link = start, 0

    def step_model(s: State, i: Pins) -> Outputs:
        out = {"pc": s.pc, "following": (s.pc + step) & mask}
        if links:
            out["link"] = s.link
        away = (s.pc + to_signed(i.offset, reach) * step) & mask
        if i.trap:
            s.pc = handler
        elif not i.stall:
            if i.jump and not (branch_first and i.branch):
                s.pc, s.link = i.jump_target, out["following"]
            elif i.branch:
                s.pc = away
            else:
                s.pc = out["following"]
        return out

    shift = {1: "", 2: ", 1'b0", 4: ", 2'b00"}[step]
    extension = width - reach - len(bin(step)) + 3
    times = "" if step == 1 else f"{step} times "
    kept = " A jump that is carried out also puts `following` into `link`, which starts at 0." if links else ""
    return Draft(
        rtl=f"""
module program_counter #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic stall,
  input logic trap,
  input logic jump,
  input logic branch, // it is taken
  input logic [WIDTH-1:0] jump_target,
  input logic [{reach - 1}:0] offset, // signed, in instructions
{link_port}  output logic [WIDTH-1:0] pc,
  output logic [WIDTH-1:0] following
);
  localparam logic [WIDTH-1:0] START = {width}'h{start:x};
  localparam logic [WIDTH-1:0] HANDLER = {width}'h{handler:x};
  logic [WIDTH-1:0] away;

  assign following = pc + {step};
  assign away = {{{{{extension}{{offset[{reach - 1}]}}}}, offset{shift}}};
  {body}{link_text}
endmodule
""",
        about=f"""Program counter of a processor with {width}-bit addresses; an instruction takes {step}. `pc` starts at
            {start}. At each edge, most urgent first: `trap` sets it to {handler}; `stall` keeps it; then `{first}`,
            then `{second}`: a jump goes to `jump_target`, a branch to `pc` plus {times}the signed `offset`; otherwise
            it becomes `following`, which is `pc` plus {step} without delay.{kept}""",
        model=Machine(reset, step_model),
        names=("pc_unit", "pc_reg", "next_pc", "fetch_pc"),
        stimulus={"stall": 0.25, "trap": 0.1, "jump": 0.3, "branch": 0.4},
        cycles=150,
    )


@family(variants=2)
def loop_controller(r: Random, variant: int) -> Draft:
    """Repeats a piece of a program without branches that cost time."""
    width = r.choice((6, 8, 10))
    cbits = r.choice((3, 4))
    mask = (1 << width) - 1
    nested = r.random() < 0.5
    simple = """
  assign at_end = active && valid && (pc == last);
  assign repeat_now = at_end && (left != 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      active <= 1'b0;
      first <= '0;
      last <= '0;
      left <= '0;
    end else if (setup) begin
      active <= 1'b1;
      first <= setup_first;
      last <= setup_last;
      left <= setup_count;
    end else if (cancel) begin
      active <= 1'b0;
    end else if (at_end) begin
      if (left == 0) active <= 1'b0;
      else left <= left - 1'b1;
    end
  end
"""
    apart = """
  logic finished;

  assign at_end = valid & active & ~|(pc ^ last);
  assign finished = at_end & ~|left;
  assign repeat_now = at_end & |left;

  // where the loop lies
  always_ff @(posedge clk) begin
    if (rst) {first, last} <= '0;
    else if (setup) {first, last} <= {setup_first, setup_last};
  end

  always_ff @(posedge clk) begin
    if (rst) active <= 1'b0;
    else active <= setup | (active & ~cancel & ~finished);
  end

  // how often it is still to be repeated
  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (setup) left <= setup_count;
    else if (repeat_now && !cancel) left <= left - 1'b1;
  end
"""
    body = (simple, apart)[variant]
    counter_port = "  output logic [7:0] rounds,\n" if nested else ""
    rounds = (
        """
  // rounds that were begun anew since the loop was set up
  always_ff @(posedge clk) begin
    if (rst) rounds <= '0;
    else if (setup) rounds <= '0;
    else if (repeat_now && !cancel) rounds <= rounds + 1'b1;
  end
"""
        if nested
        else ""
    )

    def reset(s: State) -> None:
        s.active = s.first = s.last = s.left = s.rounds = s.pc = 0

    def step(s: State, i: Pins) -> Outputs:
        at_end = bool(s.active and i.valid and i.pc == s.last)
        again = at_end and s.left > 0
        out = {
            "repeat_now": int(again),
            "next_pc": s.first if again else (i.pc + 1) & mask,
            "active": s.active,
            "left": s.left,
        }
        if nested:
            out["rounds"] = s.rounds
        s.pc = out["next_pc"] if i.valid else i.pc
        if i.setup:
            s.active, s.first, s.last, s.left, s.rounds = 1, i.setup_first, i.setup_last, i.setup_count, 0
        elif i.cancel:
            s.active = 0
        elif again:
            s.left -= 1
            s.rounds += 1
        elif at_end:
            s.active = 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        pc = s.pc if r.random() < 0.95 else r.getrandbits(width)
        first = (pc + r.randrange(1, 3)) & mask
        return {
            "pc": pc,
            "setup": int(r.random() < (0.03 if s.active else 0.4)),
            "setup_first": first,
            "setup_last": (first + r.randrange(3)) & mask,
            "setup_count": r.choice((0, 1, 2, 3, r.getrandbits(cbits))),
        }

    counted = " `rounds` counts these repetitions, from 0 at each set-up, in 8 bits." if nested else ""
    return Draft(
        rtl=f"""
module loop_controller #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic setup,
  input logic [WIDTH-1:0] setup_first,
  input logic [WIDTH-1:0] setup_last,
  input logic [{cbits - 1}:0] setup_count, // repetitions, besides the first round
  input logic cancel,
  input logic valid, // the instruction at `pc` is carried out
  input logic [WIDTH-1:0] pc,
  output logic repeat_now,
  output logic [WIDTH-1:0] next_pc,
  output logic active,
{counter_port}  output logic [{cbits - 1}:0] left
);
  logic [WIDTH-1:0] first, last;
  logic at_end;
  {body}{rounds}
  assign next_pc = repeat_now ? first : pc + 1'b1;
endmodule
""",
        about=f"""Zero-overhead loop of a processor with {width}-bit addresses. `setup` stores the address of the first
            and the last instruction of a loop and puts `setup_count` into `left`, the number of repetitions still to
            come; the loop is then `active`. When the instruction at the last address is carried out (`valid`, `pc`
            equal to it, loop active) and `left` is not 0, `repeat_now` is high, `next_pc` is the first address, and
            `left` falls by one; with `left` 0 the loop ceases to be active. Otherwise `next_pc` is `pc` plus one.
            {counted} `cancel` ends the loop and leaves `left` alone. `setup` goes before `cancel`, and both go before
            counting and ending. Everything starts at 0.""",
        model=Machine(reset, step),
        names=("hw_loop", "loop_unit", "zero_overhead_loop", "repeat_unit"),
        stimulus={"valid": 0.8, "cancel": 0.05},
        drive=drive,
        cycles=250,
    )


@family(variants=2)
def accumulator_processor(r: Random, variant: int) -> Draft:
    """A processor with one register, which takes three cycles for an instruction."""
    width = r.choice((8, 12, 16))
    abits = 5
    mask, top = (1 << width) - 1, (1 << abits) - 1
    logic_name, sign = r.choice((("AND", "&"), ("OR", "|"), ("XOR", "^")))
    condition = r.choice(("ZERO", "NEGATIVE"))
    names = ["LOAD", "STORE", "ADD", "SUB", logic_name, "JUMP", f"JUMP_{condition}", "CONST"]
    codes = dict(zip(names, r.sample(range(8), 8), strict=True))
    constants = "\n".join(f"  localparam logic [2:0] OP_{one} = 3'd{codes[one]};" for one in names)
    test = "acc == 0" if condition == "ZERO" else f"acc[{width - 1}]"
    one_process = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= FETCH;
      pc <= '0;
      acc <= '0;
      op <= '0;
      operand <= '0;
    end else begin
      case (state)
        FETCH: if (mem_ready) begin
          op <= mem_rdata[7:5];
          operand <= mem_rdata[4:0];
          pc <= pc + 5'd1;
          state <= DECODE;
        end
        DECODE: begin
          state <= FETCH;
          case (op)
            OP_JUMP: pc <= operand;
            OP_JUMP_{condition}: if ({test}) pc <= operand;
            OP_CONST: acc <= {{{{{width - 5}{{operand[4]}}}}, operand}};
            default: state <= EXECUTE;
          endcase
        end
        EXECUTE: if (mem_ready) begin
          state <= FETCH;
          case (op)
            OP_LOAD: acc <= mem_rdata;
            OP_ADD: acc <= acc + mem_rdata;
            OP_SUB: acc <= acc - mem_rdata;
            OP_{logic_name}: acc <= acc {sign} mem_rdata;
            default: ; // a store leaves it alone
          endcase
        end
        default: state <= FETCH;
      endcase
    end
  end
"""
    split = f"""
  state_t state_next;
  logic uses_memory, jumps;
  logic [{width - 1}:0] alu;

  assign uses_memory = (op != OP_JUMP) && (op != OP_JUMP_{condition}) && (op != OP_CONST);
  assign jumps = (op == OP_JUMP) || (op == OP_JUMP_{condition} && ({test}));

  // control
  always_comb begin
    state_next = state;
    case (state)
      FETCH: if (mem_ready) state_next = DECODE;
      DECODE: begin
        if (uses_memory) state_next = EXECUTE;
        else state_next = FETCH;
      end
      EXECUTE: if (mem_ready) state_next = FETCH;
      default: state_next = FETCH;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= FETCH;
    else state <= state_next;
  end

  // instruction register and program counter
  always_ff @(posedge clk) begin
    if (rst) begin
      op <= 3'd0;
      operand <= 5'd0;
      pc <= 5'd0;
    end else if (state == FETCH && mem_ready) begin
      {{op, operand}} <= mem_rdata[7:0];
      pc <= pc + 1'b1;
    end else if (state == DECODE && jumps) begin
      pc <= operand;
    end
  end

  // datapath
  always_comb begin
    case (op)
      OP_ADD: alu = acc + mem_rdata;
      OP_SUB: alu = acc - mem_rdata;
      OP_{logic_name}: alu = acc {sign} mem_rdata;
      OP_LOAD: alu = mem_rdata;
      default: alu = acc;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) acc <= '0;
    else if (state == DECODE && op == OP_CONST) acc <= {{{{{width - 5}{{operand[4]}}}}, operand}};
    else if (state == EXECUTE && mem_ready) acc <= alu;
  end
"""
    body = (one_process, split)[variant]

    def reset(s: State) -> None:
        s.at, s.pc, s.acc, s.op, s.operand = "fetch", 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        name = next(one for one in names if codes[one] == s.op)
        out = {
            "mem_req": int(s.at != "decode"),
            "mem_wr": int(s.at == "execute" and name == "STORE"),
            "mem_addr": s.pc if s.at == "fetch" else s.operand,
            "mem_wdata": s.acc,
            "fetching": int(s.at == "fetch"),
        }
        if s.at == "fetch":
            if i.mem_ready:
                s.op, s.operand = i.mem_rdata >> 5 & 7, i.mem_rdata & 31
                s.pc = (s.pc + 1) & top
                s.at = "decode"
        elif s.at == "decode":
            s.at = "fetch"
            holds = s.acc == 0 if condition == "ZERO" else s.acc >> (width - 1)
            if name == "JUMP" or (name.startswith("JUMP_") and holds):
                s.pc = s.operand
            elif name == "CONST":
                s.acc = to_signed(s.operand, 5) & mask
            elif not name.startswith("JUMP"):
                s.at = "execute"
        elif i.mem_ready:
            s.at = "fetch"
            word = i.mem_rdata
            new = {"LOAD": word, "ADD": s.acc + word, "SUB": s.acc - word, "AND": s.acc & word}
            new |= {"OR": s.acc | word, "XOR": s.acc ^ word}
            s.acc = new.get(name, s.acc) & mask
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if s.at == "execute":
            return {"mem_rdata": r.choice((s.acc, r.getrandbits(width), 0, r.randrange(8)))}
        word = r.getrandbits(width)
        if r.random() < 0.1:
            word = word >> 8 << 8 | codes["CONST"] << 5
        return {"mem_rdata": word}

    says = {
        "LOAD": "the accumulator takes the word at the address",
        "STORE": "the accumulator goes to the address",
        "ADD": "the word is added to it",
        "SUB": "the word is subtracted from it",
        logic_name: f"its bitwise {logic_name.lower()} with the word",
        "JUMP": "the program goes on at the address",
        f"JUMP_{condition}": f"so, if the accumulator is {condition.lower()}",
        "CONST": "the accumulator takes the operand, sign-extended",
    }
    listing = "; ".join(f"{codes[one]} {one}: {says[one]}" for one in names)
    return Draft(
        rtl=f"""
module accumulator_processor (
  input logic clk,
  input logic rst,
  output logic mem_req,
  output logic mem_wr,
  output logic [4:0] mem_addr,
  output logic [{width - 1}:0] mem_wdata,
  input logic [{width - 1}:0] mem_rdata,
  input logic mem_ready,
  output logic fetching
);
{constants}
  typedef enum logic [1:0] {{FETCH, DECODE, EXECUTE}} state_t;
  state_t state;
  logic [{width - 1}:0] acc;
  logic [4:0] pc, operand;
  logic [2:0] op;

  // one memory for program and data
  assign mem_req = (state != DECODE);
  assign mem_wr = (state == EXECUTE) && (op == OP_STORE);
  assign mem_addr = (state == FETCH) ? pc : operand;
  assign mem_wdata = acc;
  assign fetching = (state == FETCH);
  {body}
endmodule
""",
        about=f"""Processor with one {width}-bit accumulator and a 5-bit program counter, both 0 after reset, and one
            memory for program and data. It fetches first: `mem_req` and `fetching` are high and `mem_addr` is the
            program counter until `mem_ready`, with which the instruction comes in `mem_rdata`: bits 7 to 5 are the
            operation, bits 4 to 0 the operand, usually an address. The program counter then grows by one. One cycle for
            decoding follows, without `mem_req`, in which jumps and constants are carried out, after which it fetches
            again. The other operations access the memory after that: `mem_req` with the operand on `mem_addr`, with
            `mem_wr` for a store, until `mem_ready`; then it fetches again. `mem_addr` is the operand, also when
            decoding; `mem_wdata` is always the accumulator. Operations: {listing}.""",
        model=Machine(reset, step),
        names=("acc_cpu", "tiny_cpu", "simple_processor", "acc_machine"),
        stimulus={"mem_ready": 0.8},
        drive=drive,
        cycles=350,
    )


@family(variants=3)
def microcode_sequencer(r: Random, variant: int) -> Draft:
    """Finds the address of the next microinstruction."""
    bits = r.choice((5, 6, 7, 8))
    mask = (1 << bits) - 1
    order = r.sample(("NEXT", "GOTO", "BRANCH", "CALL", "RETURN", "DISPATCH", "REPEAT", "HALT"), 8)
    inverted = r.random() < 0.5
    scale = r.choice((1, 2))  # a routine begins every 2 or 4 microinstructions
    constants = "\n".join(f"  localparam logic [2:0] SEQ_{one} = 3'd{k};" for k, one in enumerate(order))
    taken = "test ^ negate" if inverted else "test"
    entry = f"{{{{{bits - 3 - scale}{{1'b1}}}}, opcode, {scale}'b{'0' * scale}}}" if bits - 3 - scale else ""
    if not entry:
        entry = f"{{opcode, {scale}'b{'0' * scale}}}"
    targets = {
        "NEXT": "following",
        "GOTO": "target",
        "BRANCH": "met ? target : following",
        "CALL": "target",
        "RETURN": "back",
        "DISPATCH": "entry",
        "REPEAT": "(count != 0) ? target : following",
        "HALT": "addr",
    }
    arms = "\n".join(f"      SEQ_{one}: addr_next = {targets[one]};" for one in order)
    cased = f"""
  always_comb begin
    case (seq)
{arms}
      default: addr_next = following;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      addr <= '0;
      back <= '0;
      count <= 4'd0;
    end else if (en) begin
      addr <= addr_next;
      if (seq == SEQ_CALL) back <= following;
      if (load_count) count <= target[3:0];
      else if (seq == SEQ_REPEAT && count != 0) count <= count - 4'd1;
    end
  end
"""
    selected = """
  logic to_target, to_back, to_entry, stays;

  // where the address comes from; only one of these is high
  assign to_target = (seq == SEQ_GOTO) || (seq == SEQ_CALL)
      || (seq == SEQ_BRANCH && met) || (seq == SEQ_REPEAT && |count);
  assign to_back = (seq == SEQ_RETURN);
  assign to_entry = (seq == SEQ_DISPATCH);
  assign stays = (seq == SEQ_HALT);
  assign addr_next = to_target ? target : to_back ? back : to_entry ? entry : stays ? addr : following;

  always_ff @(posedge clk) begin
    if (rst) addr <= '0;
    else if (en) addr <= addr_next;
  end

  always_ff @(posedge clk) begin
    if (rst) back <= '0;
    else if (en && seq == SEQ_CALL) back <= following;
  end

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (en && load_count) count <= target[3:0];
    else if (en && seq == SEQ_REPEAT && |count) count <= count - 1'b1;
  end
"""
    steps = {
        "NEXT": "addr <= following;",
        "GOTO": "addr <= target;",
        "BRANCH": "if (met) addr <= target;\n          else addr <= following;",
        "CALL": "addr <= target;\n          back <= following;",
        "RETURN": "addr <= back;",
        "DISPATCH": "addr <= entry;",
        "REPEAT": "if (count == 0) begin\n            addr <= following;\n          end else begin\n"
        "            addr <= target;\n            count <= count - 1'b1;\n          end",
    }
    blocks = "\n".join(
        f"        SEQ_{one}: begin\n          {steps[one]}\n        end" for one in order if one != "HALT"
    )
    single = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      addr <= '0;
      back <= '0;
      count <= '0;
    end else if (en) begin
      case (seq)
{blocks}
        default: ; // stands still
      endcase
      // loading goes before counting down
      if (load_count) count <= target[3:0];
    end
  end
"""
    body = (cased, selected, single)[variant]
    declared = "  logic [BITS-1:0] addr_next;\n" if variant < 2 else ""

    def reset(s: State) -> None:
        s.addr = s.back = s.count = 0

    def step(s: State, i: Pins) -> Outputs:
        name = order[i.seq]
        out = {"addr": s.addr, "halted": int(name == "HALT"), "count": s.count}
        if not i.en:
            return out
        following = (s.addr + 1) & mask
        met = bool(i.test) != bool(inverted and i.negate)
        begin = (i.opcode << scale | mask >> (3 + scale) << (3 + scale)) & mask
        again = name == "REPEAT" and s.count > 0
        if name in ("GOTO", "CALL") or (name == "BRANCH" and met) or again:
            after = i.target
        else:
            after = {"RETURN": s.back, "DISPATCH": begin, "HALT": s.addr}.get(name, following)
        if name == "CALL":
            s.back = following
        if i.load_count:
            s.count = i.target & 15
        elif again:
            s.count -= 1
        s.addr = after
        return out

    high = bits - 3 - scale
    base = f" with {high} ones above them" if high else ""
    says = {
        "NEXT": "the following address",
        "GOTO": "`target`",
        "BRANCH": "`target` if the test is met, otherwise the following address",
        "CALL": "`target`, and the following address is kept",
        "RETURN": "the kept address",
        "DISPATCH": f"`opcode` followed by {scale} zero bit{'s' if scale > 1 else ''}{base}",
        "REPEAT": "`target` while `count` is not 0, which falls by one; with 0 the following address",
        "HALT": "the same address again",
    }
    listing = "; ".join(f"{k} {one.lower()}: {says[one]}" for k, one in enumerate(order))
    negate = "  input logic negate,\n" if inverted else ""
    met_text = "`test` differs from `negate`" if inverted else "`test` is high"
    return Draft(
        rtl=f"""
module microcode_sequencer #(
  parameter int BITS = {bits}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic [2:0] seq, // this and `target` are fields of the microinstruction
  input logic [BITS-1:0] target,
  input logic load_count,
  input logic test,
{negate}  input logic [2:0] opcode,
  output logic [BITS-1:0] addr,
  output logic halted,
  output logic [3:0] count
);
{constants}
  logic [BITS-1:0] following, entry, back;
  logic met;
{declared}
  assign following = addr + 1'b1;
  assign met = {taken};
  // every opcode has a routine of its own
  assign entry = {entry};
  assign halted = (seq == SEQ_HALT);
  {body}
endmodule
""",
        about=f"""Microprogram sequencer. `addr` ({bits} bits) starts at 0 and in each cycle with `en` becomes, by
            `seq`: {listing}. The test is met if {met_text}. There is one level of calls. `load_count` (with `en`) loads
            the 4-bit `count` from the lowest bits of `target` and goes before counting down. `halted` is high while
            `seq` is halt. The kept address and `count` start at 0; without `en` nothing changes.""",
        model=Machine(reset, step),
        names=("micro_sequencer", "useq", "microprogram_ctrl", "ucode_seq"),
        stimulus={
            "en": 0.9,
            "seq": (*range(8), *range(8), order.index("REPEAT")),
            "load_count": 0.15,
            "target": lambda r: r.choice((r.getrandbits(bits), r.getrandbits(bits) & ~14)),
        },
        cycles=200,
    )


@family(variants=2)
def thread_selector(r: Random, variant: int) -> Draft:
    """Interleaves threads on one pipeline, in turn, and leaves out those that wait."""
    threads = r.choice((2, 4))
    bits = threads.bit_length() - 1
    pc_bits = r.choice((6, 8))
    mask = (1 << pc_bits) - 1
    apart = 1 << (pc_bits - bits)  # where the threads start
    looped = """
  // the first one that is ready behind the last
  always_comb begin
    chosen = last;
    some = 1'b0;
    for (int i = THREADS; i >= 1; i--) begin
      if (ready[(last + i) % THREADS]) begin
        chosen = last + i;
        some = 1'b1;
      end
    end
  end
"""
    if threads == 2:
        turned = """
  logic other;

  // the other thread first
  assign other = !last;
  assign some = |ready;
  assign chosen = ready[other] ? other : last;
"""
    else:
        turned = """
  logic [3:0] turned; // bit 0 is the thread behind the last one

  assign some = (ready != 0);

  always_comb begin
    case (last)
      2'd0: turned = {ready[0], ready[3:1]};
      2'd1: turned = {ready[1:0], ready[3:2]};
      2'd2: turned = {ready[2:0], ready[3]};
      default: turned = ready;
    endcase
  end

  assign chosen = turned[0] ? last + 2'd1
                : turned[1] ? last + 2'd2
                : turned[2] ? last + 2'd3
                : last;
"""
    body = (looped, turned)[variant]

    def reset(s: State) -> None:
        s.last, s.asleep, s.pc = threads - 1, 0, [k * apart for k in range(threads)]

    def step(s: State, i: Pins) -> Outputs:
        ready = ~s.asleep & ((1 << threads) - 1)
        ring = [(s.last + k) % threads for k in range(1, threads + 1)]
        found = next((k for k in ring if ready >> k & 1), None)
        out = {
            "valid": int(found is not None),
            "thread": s.last if found is None else found,
            "pc": s.pc[s.last if found is None else found],
            "asleep": s.asleep,
        }
        jumped = i.redirect
        if found is not None and not i.stall:
            s.last = found
            s.pc[found] = (s.pc[found] + 1) & mask
        if jumped:
            s.pc[i.redirect_thread] = i.redirect_pc
        s.asleep &= ~i.wake
        if i.sleep:
            s.asleep |= 1 << i.sleep_thread
        return out

    starts = ", ".join(str(k * apart) for k in range(threads))
    range_text = f"[{bits - 1}:0] " if bits > 1 else ""
    return Draft(
        rtl=f"""
module thread_selector #(
  parameter int THREADS = {threads},
  parameter int WIDTH = {pc_bits}
) (
  input logic clk,
  input logic rst,
  input logic stall,
  input logic sleep, // a thread waits for memory
  input logic {range_text}sleep_thread,
  input logic [THREADS-1:0] wake,
  input logic redirect,
  input logic {range_text}redirect_thread,
  input logic [WIDTH-1:0] redirect_pc,
  output logic valid,
  output logic {range_text}thread,
  output logic [WIDTH-1:0] pc,
  output logic [THREADS-1:0] asleep
);
  logic [WIDTH-1:0] pcs [0:THREADS-1];
  logic [THREADS-1:0] ready;
  logic {range_text}last, chosen;
  logic some;

  assign ready = ~asleep;
  assign valid = some;
  assign thread = chosen;
  assign pc = pcs[chosen];
  {body}
  always_ff @(posedge clk) begin
    if (rst) last <= THREADS - 1;
    else if (some && !stall) last <= chosen;
  end

  // a redirection goes before the next instruction in turn
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < THREADS; i++) pcs[i] <= i * {apart};
    end else begin
      if (some && !stall) pcs[chosen] <= pcs[chosen] + 1'b1;
      if (redirect) pcs[redirect_thread] <= redirect_pc;
    end
  end

  // going to sleep goes before waking up
  always_ff @(posedge clk) begin
    if (rst) begin
      asleep <= '0;
    end else begin
      asleep <= asleep & ~wake;
      if (sleep) asleep[sleep_thread] <= 1'b1;
    end
  end
endmodule
""",
        about=f"""Thread selection of a barrel processor with {threads} threads. Each has a program counter of {pc_bits}
            bits, which start at {starts}. In every cycle `thread` is the next thread, upwards and around from the one
            that was issued last, that is not `asleep`, and `pc` is its program counter; `valid` says that there is one,
            otherwise `thread` is the one issued last. With `valid` and without `stall` it is issued: its counter grows
            by one and it becomes the last. After reset thread {threads - 1} counts as the last. `redirect` sets the
            counter of `redirect_thread` to `redirect_pc` and goes before that growth. `sleep` puts `sleep_thread` to
            sleep from the next cycle on, `wake` wakes the threads whose bits are set; in the same cycle sleep goes
            first. No thread sleeps after reset.""",
        model=Machine(reset, step),
        names=("barrel_select", "thread_sched", "barrel_scheduler", "thread_picker"),
        stimulus={
            "stall": 0.2,
            "sleep": 0.5,
            "wake": lambda r: r.getrandbits(threads) & r.getrandbits(threads) & -r.getrandbits(1),
            "redirect": 0.2,
        },
        cycles=200,
    )
