"""What holds words: register files, memories, stacks, and what finds words again."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Function, Machine, Outputs, Pins, State, family


@family(variants=2)
def register_file(r: Random, variant: int) -> Draft:
    """Two read ports, one write port; register 0 may read as zero."""
    width, bits = r.choice((8, 16, 32)), r.choice((2, 3, 4))
    zero, forward = r.random() < 0.6, r.random() < 0.5
    guard = " && rd_addr != '0" if zero else ""

    def port(letter: str) -> str:
        plain = f"regs[rs{letter}_addr]"
        value = f"(we && rd_addr == rs{letter}_addr) ? wdata : {plain}" if forward else plain
        return f"(rs{letter}_addr == '0) ? '0 : ({value})" if zero else value

    reads = (
        f"""
  assign rs1_data = {port("1")};
  assign rs2_data = {port("2")};
""",
        f"""
  // both read ports look at the same registers
  always_comb begin
    rs1_data = {port("1")};
    rs2_data = {port("2")};
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.regs = [0] * (1 << bits)

    def read(s: State, i: Pins, addr: int) -> int:
        if zero and addr == 0:
            return 0
        return i.wdata if forward and i.we and i.rd_addr == addr else int(s.regs[addr])

    def step(s: State, i: Pins) -> Outputs:
        out = {"rs1_data": read(s, i, i.rs1_addr), "rs2_data": read(s, i, i.rs2_addr)}
        if i.we and not (zero and i.rd_addr == 0):
            s.regs[i.rd_addr] = i.wdata
        return out

    return Draft(
        rtl=f"""
module register_file #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic we,
  input logic [ADDR-1:0] rd_addr,
  input logic [WIDTH-1:0] wdata,
  input logic [ADDR-1:0] rs1_addr,
  input logic [ADDR-1:0] rs2_addr,
  output logic [WIDTH-1:0] rs1_data,
  output logic [WIDTH-1:0] rs2_data
);
  logic [WIDTH-1:0] regs [0:(1<<ADDR)-1];

  // every register is zero after a reset
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < (1 << ADDR); k++) regs[k] <= '0;
    end else if (we{guard}) begin
      regs[rd_addr] <= wdata;
    end
  end
{reads}endmodule
""",
        about=(
            f"A register file of {1 << bits} words with one write and two read ports. `wdata` is stored at `rd_addr`"
            f" when `we` is set; `rs1_data` and `rs2_data` follow their addresses at once"
            f"{', and show a word in the cycle in which it is written' if forward else ''}."
            f"{' Register 0 is always zero.' if zero else ''}"
        ),
        model=Machine(reset, step),
        names=("regfile", "gpr_file", "reg_bank"),
        stimulus={"we": 0.6},
    )


@family(variants=2)
def single_port_memory(r: Random, variant: int) -> Draft:
    """A memory with one registered port."""
    width, bits = r.choice((8, 12, 16)), r.choice((2, 3, 4))
    first = r.choice(("read", "write", "keep"))
    body = {
        "read": """
      if (we) mem[addr] <= din;
      dout <= mem[addr];""",
        "write": """
      if (we) begin
        mem[addr] <= din;
        dout <= din;
      end else begin
        dout <= mem[addr];
      end""",
        "keep": """
      if (we) mem[addr] <= din;
      else dout <= mem[addr];""",
    }[first]
    if variant and first == "write":
        body = """
      if (we) mem[addr] <= din;
      dout <= we ? din : mem[addr];"""

    def reset(s: State) -> None:
        s.mem, s.dout = [None] * (1 << bits), None

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.dout}
        if i.en:
            if i.we:
                s.dout = {"read": s.mem[i.addr], "write": i.din, "keep": s.dout}[first]
                s.mem[i.addr] = i.din
            else:
                s.dout = s.mem[i.addr]
        return out

    said = {
        "read": "the word that was there before",
        "write": "the word that is being written",
        "keep": "what it showed before",
    }[first]
    return Draft(
        rtl=f"""
module single_port_memory #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic en,
  input logic we,
  input logic [ADDR-1:0] addr,
  input logic [WIDTH-1:0] din,
  output logic [WIDTH-1:0] dout
);
  logic [WIDTH-1:0] mem [0:(1<<ADDR)-1];

  // while a word is written, the output shows {said}
  always_ff @(posedge clk) begin
    if (en) begin{body}
    end
  end
endmodule
""",
        about=(
            f"A memory of {1 << bits} words with one port. When `en` is set, `we` stores `din` at `addr`, and a cycle"
            f" later `dout` shows the word at `addr`; while a word is written it shows {said}."
        ),
        model=Machine(reset, step),
        names=("ram", "spram", "scratchpad"),
        stimulus={"en": 0.9, "we": 0.5},
        cycles=140,
    )


@family(variants=2, held_out=True)
def hardware_stack(r: Random, variant: int) -> Draft:
    """Last in, first out."""
    width, bits = r.choice((4, 8, 16)), r.choice((2, 3))
    depth = 1 << bits
    moves = (
        """
  // as many words as were pushed and not popped yet
  always_ff @(posedge clk) begin
    if (rst) begin
      depth <= '0;
    end else if (do_push && !do_pop) begin
      depth <= depth + 1'b1;
    end else if (do_pop && !do_push) begin
      depth <= depth - 1'b1;
    end
  end
""",
        """
  logic [ADDR:0] depth_next;

  always_comb begin
    depth_next = depth;
    case ({do_push, do_pop})
      2'b10: depth_next = depth + 1'b1;
      2'b01: depth_next = depth - 1'b1;
      default: depth_next = depth; // the top is replaced, or nothing happens
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) depth <= '0;
    else depth <= depth_next;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.words = []

    def step(s: State, i: Pins) -> Outputs:
        full, empty = len(s.words) == depth, not s.words
        out = {"top": s.words[-1] if s.words else 0, "full": int(full), "empty": int(empty)}
        pop = i.pop and not empty
        push = i.push and (not full or pop)
        if pop:
            s.words.pop()
        if push:
            s.words.append(i.din)
        return out

    return Draft(
        rtl=f"""
module hardware_stack #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic push,
  input logic pop,
  input logic [WIDTH-1:0] din,
  output logic [WIDTH-1:0] top,
  output logic full,
  output logic empty
);
  logic [WIDTH-1:0] mem [0:(1<<ADDR)-1];
  logic [ADDR:0] depth;
  logic do_push, do_pop;

  assign full = depth[ADDR];
  assign empty = (depth == '0);
  assign do_pop = pop && !empty;
  assign do_push = push && (!full || do_pop);
{moves}
  // a push together with a pop replaces the top
  always_ff @(posedge clk) begin
    if (do_push) mem[do_pop ? depth - 1'b1 : depth] <= din;
  end

  assign top = empty ? '0 : mem[depth - 1'b1];
endmodule
""",
        about=(
            f"A stack of {depth} words. `push` puts `din` on it, `pop` takes the top word away, both together replace"
            " it. `top` shows the top word, or zero while the stack is `empty`. A `full` stack takes no push"
            " without a pop."
        ),
        model=Machine(reset, step),
        names=("lifo", "call_stack", "stack_memory"),
        stimulus={"push": 0.55, "pop": 0.45},
        cycles=160,
    )


@family(variants=2, held_out=True)
def associative_memory(r: Random, variant: int) -> Draft:
    """Finds the place of a key."""
    width, bits = r.choice((4, 6, 8)), r.choice((1, 2))
    words = 1 << bits
    search = (
        """
  // the lowest place that holds it counts
  always_comb begin
    hit = 1'b0;
    index = '0;
    for (int k = WORDS - 1; k >= 0; k--) begin
      if (valid[k] && keys[k] == key) begin
        hit = 1'b1;
        index = k[ADDR-1:0];
      end
    end
  end
""",
        """
  logic [WORDS-1:0] same_key;

  always_comb begin
    for (int k = 0; k < WORDS; k++) same_key[k] = valid[k] & (keys[k] == key);
  end

  assign hit = |same_key;

  always_comb begin
    index = '0;
    for (int k = WORDS - 1; k >= 0; k--) if (same_key[k]) index = k[ADDR-1:0];
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.keys, s.valid = [0] * words, [0] * words

    def step(s: State, i: Pins) -> Outputs:
        found = [k for k in range(words) if s.valid[k] and s.keys[k] == i.key]
        out = {"hit": int(bool(found)), "index": found[0] if found else 0}
        if i.clear:
            s.valid = [0] * words
        elif i.we:
            s.keys[i.waddr], s.valid[i.waddr] = i.wkey, 1
        return out

    return Draft(
        rtl=f"""
module associative_memory #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic clear,
  input logic we,
  input logic [ADDR-1:0] waddr,
  input logic [WIDTH-1:0] wkey,
  input logic [WIDTH-1:0] key,
  output logic hit,
  output logic [ADDR-1:0] index
);
  localparam int WORDS = 1 << ADDR;
  logic [WIDTH-1:0] keys [0:WORDS-1];
  logic [WORDS-1:0] valid;

  // clearing goes before writing
  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= '0;
    end else if (clear) begin
      valid <= '0;
    end else if (we) begin
      valid[waddr] <= 1'b1;
      keys[waddr] <= wkey;
    end
  end
{search}endmodule
""",
        about=(
            f"Holds up to {words} keys. `we` stores `wkey` at `waddr`, `clear` forgets all. `hit` says whether `key` is"
            " held, and `index` where, the lowest place if there are several."
        ),
        model=Machine(reset, step),
        names=("cam", "key_table", "tlb_tags"),
        stimulus={"clear": 0.04, "we": 0.5, "key": lambda r: r.randrange(6), "wkey": lambda r: r.randrange(6)},
        cycles=140,
    )


@family(variants=2, held_out=True)
def cache_tags(r: Random, variant: int) -> Draft:
    """Tags of a direct-mapped cache, with what has to be written back."""
    tag, bits = r.choice((3, 4, 6)), r.choice((1, 2))
    lines = 1 << bits
    update = (
        """
      if (fill) begin
        tags[set] <= tag;
        valid[set] <= 1'b1;
        dirty[set] <= write;
      end else if (lookup && hit && write) begin
        dirty[set] <= 1'b1;
      end""",
        """
      if (fill) tags[set] <= tag;
      if (fill) valid[set] <= 1'b1;
      if (fill) dirty[set] <= write;
      else if (lookup && hit && write) dirty[set] <= 1'b1;""",
    )[variant]

    def reset(s: State) -> None:
        s.tags, s.valid, s.dirty = [0] * lines, [0] * lines, [0] * lines

    def step(s: State, i: Pins) -> Outputs:
        place, wanted = i.addr & (lines - 1), i.addr >> bits
        hit = s.valid[place] and s.tags[place] == wanted
        evict = s.valid[place] and s.dirty[place] and not hit
        out = {"hit": int(hit and i.lookup), "writeback": int(evict and i.lookup)}
        if i.fill:
            s.tags[place], s.valid[place], s.dirty[place] = wanted, 1, i.write
        elif i.lookup and hit and i.write:
            s.dirty[place] = 1
        return out

    return Draft(
        rtl=f"""
module cache_tags #(
  parameter int TAG = {tag},
  parameter int SET = {bits}
) (
  input logic clk,
  input logic rst,
  input logic lookup,
  input logic write,
  input logic fill,
  input logic [TAG+SET-1:0] addr,
  output logic hit,
  output logic writeback
);
  localparam int LINES = 1 << SET;
  logic [TAG-1:0] tags [0:LINES-1];
  logic [LINES-1:0] valid, dirty;
  logic [SET-1:0] set;
  logic [TAG-1:0] tag;
  logic match;

  // the lower part of the address chooses the line, the upper part is its tag
  assign set = addr[SET-1:0];
  assign tag = addr[TAG+SET-1:SET];
  assign match = valid[set] && (tags[set] == tag);
  assign hit = lookup && match;
  assign writeback = lookup && valid[set] && dirty[set] && !match; // the old line has changes

  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= '0;
      dirty <= '0;
    end else begin{update}
    end
  end
endmodule
""",
        about=(
            f"The tags of a direct-mapped cache of {lines} lines. `lookup` asks whether `addr` is held: `hit`;"
            " `writeback` says that the line in its place is another one and has changes. `fill` puts the address in, a"
            " `write` that hits or fills makes its line dirty."
        ),
        model=Machine(reset, step),
        names=("tag_ram", "dcache_tags", "line_directory"),
        stimulus={"lookup": 0.8, "fill": 0.4, "write": 0.4, "addr": lambda r: r.randrange(3 * lines)},
        cycles=160,
    )


@family(variants=2)
def delay_line(r: Random, variant: int) -> Draft:
    """A word comes out some enabled cycles after it went in."""
    width, delay = r.choice((1, 4, 8)), r.choice((2, 3, 4, 5))
    shift = (
        """
      for (int k = DELAY - 1; k > 0; k--) taps[k] <= taps[k-1];
      taps[0] <= din;""",
        """
      taps[0] <= din;
      for (int k = 1; k < DELAY; k++) begin
        taps[k] <= taps[k-1];
      end""",
    )[variant]

    def reset(s: State) -> None:
        s.taps = [0] * delay

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.taps[-1]}
        if i.en:
            s.taps = [i.din, *s.taps[:-1]]
        return out

    return Draft(
        rtl=f"""
module delay_line #(
  parameter int WIDTH = {width},
  parameter int DELAY = {delay}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic [WIDTH-1:0] din,
  output logic [WIDTH-1:0] dout
);
  logic [WIDTH-1:0] taps [0:DELAY-1];

  // every enabled cycle moves each word one place on
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < DELAY; k++) taps[k] <= '0;
    end else if (en) begin{shift}
    end
  end

  assign dout = taps[DELAY-1];
endmodule
""",
        about=f"`dout` is `din` as it was {delay} cycles of `en` ago; zero at first.",
        model=Machine(reset, step),
        names=("tapped_delay", "word_delay", "pipe_delay"),
        stimulus={"en": 0.75},
    )


@family(variants=2, held_out=True)
def byte_merger(r: Random, variant: int) -> Draft:
    """Puts the chosen bytes of a new word into an old one."""
    lanes = r.choice((2, 4))
    invert = r.random() < 0.4
    chosen = "!keep[k]" if invert else "strobe[k]"
    pin = "keep" if invert else "strobe"
    body = (
        f"""
  always_comb begin
    merged = old_word;
    for (int k = 0; k < LANES; k++) begin
      if ({chosen}) merged[8*k +: 8] = new_word[8*k +: 8];
    end
  end
""",
        f"""
  genvar k;
  generate
    for (k = 0; k < LANES; k++) begin : g_lane
      assign merged[8*k +: 8] = {chosen} ? new_word[8*k +: 8] : old_word[8*k +: 8];
    end
  endgenerate
""",
    )[variant]

    def merge(i: Pins) -> Outputs:
        merged = 0
        bits = i.keep if invert else i.strobe
        for k in range(lanes):
            word = i.new_word if bool(bits >> k & 1) != invert else i.old_word
            merged |= word & (0xFF << 8 * k)
        return {"merged": merged, "partial": int(bits not in (0, (1 << lanes) - 1))}

    model: Function = merge
    return Draft(
        rtl=f"""
module byte_merger #(
  parameter int LANES = {lanes}
) (
  input logic [8*LANES-1:0] old_word,
  input logic [8*LANES-1:0] new_word,
  input logic [LANES-1:0] {pin},
  output logic [8*LANES-1:0] merged,
  output logic partial
);
{body}
  // neither all bytes nor none
  assign partial = (|{pin}) && !(&{pin});
endmodule
""",
        about=(
            f"Merges two words of {lanes} bytes: a byte comes from `new_word` where its bit of `{pin}` is"
            f" {'clear' if invert else 'set'}, else from `old_word`. `partial` says that the bits of `{pin}` differ."
        ),
        model=model,
        names=("lane_merge", "write_merge", "byte_mux"),
    )
