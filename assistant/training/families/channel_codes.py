"""What a sender does to bits so that a receiver finds them again: codes, spreading, scrambling, mapping."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family

_PRIMITIVE = {4: (0x13, 0x19), 5: (0x25, 0x29), 6: (0x43, 0x61), 8: (0x11D, 0x12B, 0x14D)}
"""Polynomials of fields, with their highest bit."""


def _odd(word: int) -> int:
    return word.bit_count() & 1


def _field_product(a: int, b: int, bits: int, poly: int) -> int:
    out = 0
    while b:
        if b & 1:
            out ^= a
        a <<= 1
        if a >> bits:
            a ^= poly
        b >>= 1
    return out


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


@family(variants=3)
def convolutional_encoder(r: Random, variant: int) -> Draft:
    """Two or three coded bits for each bit, from the last few."""
    length = r.choice((3, 4, 5, 7))
    outs = r.choice((2, 2, 3)) if length > 3 else 2
    ends = 1 | 1 << (length - 1)
    polys = r.sample(range(ends, 1 << length, 2), outs)
    terminated = r.random() < 0.5
    tbits = (length - 1).bit_length()

    def taps(poly: int) -> list[int]:
        return [k for k in range(length) if poly >> k & 1]

    def bit(k: int) -> str:
        return "bit_now" if k == length - 1 else f"history[{k}]"

    xors = "\n".join(
        f"  assign code_next[{n}] = {' ^ '.join(bit(k) for k in reversed(taps(p)))};" for n, p in enumerate(polys)
    )
    masks = "\n".join(
        f"  localparam logic [{length - 1}:0] POLY{n} = {length}'b{p:0{length}b};" for n, p in enumerate(polys)
    )
    reductions = "\n".join(f"  assign code_next[{n}] = ^(window & POLY{n});" for n in range(outs))
    looped = "\n".join(f"      if (POLY{n}[i]) code_next[{n}] = code_next[{n}] ^ window[i];" for n in range(outs))
    form = (
        f"\n  // newest bit first\n{xors}\n",
        f"\n{masks}\n  logic [{length - 1}:0] window;\n\n  assign window = {{bit_now, history}};\n{reductions}\n",
        f"""
{masks}
  logic [{length - 1}:0] window;

  always_comb begin
    window = {{bit_now, history}};
    code_next = '0;
    for (int i = 0; i < {length}; i++) begin
{looped}
    end
  end
""",
    )[variant]
    shift = f"{{bit_now, history[{length - 2}:1]}}" if length > 2 else "bit_now"
    if terminated:
        front = """
  // after the last bit zeros push it through
  assign bit_now = flushing ? 1'b0 : din;
  assign step = flushing || valid;
"""
        moves = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      history <= '0;
      code <= '0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= step;
      if (step) begin
        history <= {shift};
        code <= code_next;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      flushing <= 1'b0;
      left <= '0;
    end else if (flushing) begin
      left <= left - 1'b1;
      if (left == 1) flushing <= 1'b0;
    end else if (valid && last) begin
      flushing <= 1'b1;
      left <= {length - 1};
    end
  end
"""
        if variant == 1:
            moves = moves.replace(
                """  always_ff @(posedge clk) begin
    if (rst) begin
      flushing <= 1'b0;
      left <= '0;
    end else if (flushing) begin
      left <= left - 1'b1;
      if (left == 1) flushing <= 1'b0;
    end else if (valid && last) begin
      flushing <= 1'b1;
""",
                """  assign flushing = (left != 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      left <= '0;
    end else if (flushing) begin
      left <= left - 1'b1;
    end else if (valid && last) begin
""",
            )
        declare = f"  logic flushing, step;\n  logic [{tbits - 1}:0] left;\n"
        ports = "\n  input logic last,"
        busy = "\n  output logic ready,"
        front += "  assign ready = !flushing;\n"
    else:
        front = "\n  assign bit_now = din;\n"
        moves = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      history <= '0;
      code <= '0;
    end else if (valid) begin
      history <= clear ? '0 : {shift}; // the block ends with this bit
      code <= code_next;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) out_valid <= 1'b0;
    else out_valid <= valid;
  end
"""
        declare, ports, busy = "", "\n  input logic clear,", ""

    def reset(s: State) -> None:
        s.history = s.code = s.valid = s.left = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "code": s.code}
        if terminated:
            out["ready"] = int(not s.left)
        s.valid = int(bool(i.valid or s.left))
        if s.valid:
            window = (0 if s.left else i.din) << (length - 1) | s.history
            s.code = sum(_odd(window & p) << n for n, p in enumerate(polys))
            s.history = window >> 1
            if s.left:
                s.left -= 1
            elif terminated and i.last:
                s.left = length - 1
            elif not terminated and i.clear:
                s.history = 0
        return out

    told = "; ".join(
        f"bit {n} from " + ", ".join(str(length - 1 - k) for k in reversed(taps(p))) for n, p in enumerate(polys)
    )
    end_text = (
        f"""After a valid bit with `last`, `ready` is low for {length - 1} cycles, in which zeros are encoded instead of
            `din`, with `out_valid` as usual; `valid` is ignored there."""
        if terminated
        else "A valid bit with `clear` is encoded as usual, but after it the history is all zeros."
    )
    return Draft(
        rtl=f"""
module convolutional_encoder (
  input logic clk,
  input logic rst,
  input logic valid,{ports}
  input logic din,{busy}
  output logic out_valid,
  output logic [{outs - 1}:0] code
);
  logic [{length - 2}:0] history; // the newest bit on top
  logic [{outs - 1}:0] code_next;
  logic bit_now;
{declare}{front}{form}{moves}
endmodule
""",
        about=(
            f"""Convolutional encoder of rate 1/{outs} and constraint length {length}. Each `valid` bit `din` gives a
            word `code` of {outs} bits in the next cycle, with `out_valid`. Each of them is the exclusive or of some of
            the bit itself (age 0) and the {length - 1} bits before it (ages 1 to {length - 1}), which are 0 at first:
            {told}. {end_text} `code` keeps its value between valid bits.""",
            f"""Encodes a stream of bits for a Viterbi decoder: {outs} parities over the last {length} bits, registered.
            By the ages of the bits (0 is the present `din`): {told}. {end_text}""",
        ),
        model=Machine(reset, step),
        names=("conv_encoder", "convolutional_coder", "fec_encoder", "conv_enc"),
        stimulus={"valid": 0.8, "last": 0.08, "clear": 0.1},
        cycles=140,
    )


@family(variants=3)
def add_compare_select(r: Random, variant: int) -> Draft:
    """The heart of a Viterbi decoder: the better of two ways into a state."""
    width, branch = r.choice((5, 6, 8)), r.choice((2, 3))
    smaller = r.random() < 0.6
    saturates = r.random() < 0.5
    top = (1 << width) - 1
    # Without saturation, metrics wrap and are compared by the sign of their difference.
    sign = "<" if smaller else ">"
    if saturates:
        sums = """
  assign full_a = {1'b0, metric_a} + branch_a;
  assign full_b = {1'b0, metric_b} + branch_b;
  assign path_a = full_a[WIDTH] ? {WIDTH{1'b1}} : full_a[WIDTH-1:0]; // it stays at the largest
  assign path_b = full_b[WIDTH] ? {WIDTH{1'b1}} : full_b[WIDTH-1:0];
"""
        declare = "  logic [WIDTH:0] full_a, full_b;\n"
        better = (f"path_b {sign} path_a",) * 3
    else:
        sums = """
  assign path_a = metric_a + branch_a;
  assign path_b = metric_b + branch_b;
"""
        declare = "  logic [WIDTH-1:0] difference;\n"
        first, second = ("path_b", "path_a") if smaller else ("path_a", "path_b")
        sums += f"  assign difference = {first} - {second}; // the sign says which is ahead, also after wrapping\n"
        better = ("difference[WIDTH-1]", "difference[WIDTH-1] == 1'b1", "$signed(difference) < 0")
    forms = (
        f"""
  assign take_b = {better[0]};

  always_ff @(posedge clk) begin
    if (rst) begin
      metric <= '0;
      decision <= 1'b0;
    end else if (load) begin
      metric <= start;
      decision <= 1'b0;
    end else if (en) begin
      metric <= take_b ? path_b : path_a;
      decision <= take_b;
    end
  end
""",
        f"""
  logic [WIDTH-1:0] survivor;

  always_comb begin
    if ({better[1]}) begin
      survivor = path_b;
      take_b = 1'b1;
    end else begin
      survivor = path_a; // also of two that are alike
      take_b = 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) metric <= '0;
    else if (load) metric <= start;
    else if (en) metric <= survivor;
  end

  always_ff @(posedge clk) begin
    if (rst) decision <= 1'b0;
    else decision <= !load && (en ? take_b : decision);
  end
""",
        f"""
  logic [WIDTH-1:0] metric_next;
  logic decision_next;

  assign take_b = ({better[2]});

  always_comb begin
    metric_next = metric;
    decision_next = decision;
    case ({{load, en}})
      2'b01: begin
        metric_next = path_a;
        if (take_b) metric_next = path_b;
        decision_next = take_b;
      end
      2'b10, 2'b11: begin
        metric_next = start;
        decision_next = 1'b0;
      end
      default: ;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      metric <= '0;
      decision <= 1'b0;
    end else begin
      metric <= metric_next;
      decision <= decision_next;
    end
  end
""",
    )
    body = declare + sums + forms[variant]

    def reset(s: State) -> None:
        s.metric = s.decision = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"metric": s.metric, "decision": s.decision}
        a, b = i.metric_a + i.branch_a, i.metric_b + i.branch_b
        if saturates:
            a, b = min(a, top), min(b, top)
            second = int(b < a if smaller else b > a)
        else:
            a, b = a & top, b & top
            second = (b - a if smaller else a - b) >> (width - 1) & 1
        if i.load:
            s.metric, s.decision = i.start, 0
        elif i.en:
            s.metric, s.decision = (b, 1) if second else (a, 0)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        a = r.choice((r.getrandbits(width), r.randrange(4), top - r.randrange(6)))
        return {"metric_a": a, "metric_b": (a + r.randrange(-6, 7)) & top} if r.random() < 0.75 else {}

    which = "smaller" if smaller else "larger"
    rule = (
        f"Sums that do not fit stay at {top}; the {which} one wins"
        if saturates
        else f"""Sums wrap around, and the {which} one wins in the sense that the difference of the two, taken as a
            signed number of {width} bits, has the right sign"""
    )
    return Draft(
        rtl=f"""
module add_compare_select #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic load,
  input logic [WIDTH-1:0] start,
  input logic en,
  input logic [WIDTH-1:0] metric_a,
  input logic [{branch - 1}:0] branch_a,
  input logic [WIDTH-1:0] metric_b,
  input logic [{branch - 1}:0] branch_b,
  output logic [WIDTH-1:0] metric,
  output logic decision // 1: the survivor came from b
);
  logic [WIDTH-1:0] path_a, path_b;
  logic take_b;
{body}
endmodule
""",
        about=(
            f"""Add-compare-select unit of a Viterbi decoder. With `en` it adds each path metric and its branch metric
            ({width} and {branch} bits, unsigned). {rule}; a wins where they are equal. The winning sum goes into
            `metric` and `decision` becomes 1 where it is b's. `load` goes before `en`: `metric` takes `start` and
            `decision` becomes 0. Both are registers that start at 0.""",
        ),
        model=Machine(reset, step),
        names=("acs_unit", "viterbi_acs", "path_select", "acs"),
        stimulus={"load": 0.05, "en": 0.85},
        drive=drive,
        cycles=160,
    )


@family(variants=3)
def block_interleaver(r: Random, variant: int) -> Draft:
    """Writes rows, reads columns."""
    rows, columns = r.choice(((2, 4), (3, 4), (4, 4), (3, 5), (4, 8), (2, 8)))
    width = r.choice((1, 2, 4, 8))
    backwards = r.random() < 0.3  # de-interleaver: writes columns, reads rows
    size = rows * columns
    bits = (size - 1).bit_length()
    rbits, cbits = (rows - 1).bit_length(), (columns - 1).bit_length()
    word = "[WIDTH-1:0] " if width > 1 else ""
    mem = f"  logic {word}mem [0:SIZE-1];\n" if width > 1 else "  logic [SIZE-1:0] mem;\n"
    stride = rows if backwards else columns
    inner, outer = ("COLUMNS", "ROWS") if backwards else ("ROWS", "COLUMNS")
    ibits, obits = (cbits, rbits) if backwards else (rbits, cbits)
    two_counts = f"""
  logic draining;
  logic [{bits - 1}:0] wr_ptr, rd_ptr;
  logic [{ibits - 1}:0] inner;
  logic [{obits - 1}:0] outer;

  assign in_ready = !draining;
  assign out_valid = draining;
  assign dout = mem[rd_ptr];
  assign rd_ptr = inner * {stride} + outer;

  always_ff @(posedge clk) begin
    if (in_valid && in_ready) mem[wr_ptr] <= din;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      draining <= 1'b0;
      wr_ptr <= '0;
      inner <= '0;
      outer <= '0;
    end else if (!draining) begin
      if (in_valid) begin
        wr_ptr <= (wr_ptr == SIZE - 1) ? '0 : wr_ptr + 1'b1;
        draining <= (wr_ptr == SIZE - 1); // the block is complete
      end
    end else if (out_ready) begin
      if (inner == {inner} - 1) begin
        inner <= '0;
        if (outer == {outer} - 1) begin
          outer <= '0;
          draining <= 1'b0;
        end else begin
          outer <= outer + 1'b1;
        end
      end else begin
        inner <= inner + 1'b1;
      end
    end
  end
"""
    machine = f"""
  typedef enum logic {{FILL, DRAIN}} state_t;
  state_t state;
  logic [{bits - 1}:0] ptr, ptr_next;
  logic [{bits}:0] jump;

  assign in_ready = (state == FILL);
  assign out_valid = (state == DRAIN);
  assign dout = mem[ptr];

  // reading strides through the block and starts one further at its end
  assign jump = ptr + {stride};

  always_comb begin
    ptr_next = ptr;
    if (state == FILL) ptr_next = (ptr == SIZE - 1) ? '0 : ptr + 1'b1;
    else if (ptr == SIZE - 1) ptr_next = '0;
    else if (jump >= SIZE) ptr_next = jump - SIZE + 1;
    else ptr_next = jump;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= FILL;
      ptr <= '0;
    end else begin
      case (state)
        FILL: if (in_valid) begin
          ptr <= ptr_next;
          if (ptr == SIZE - 1) state <= DRAIN;
        end
        default: if (out_ready) begin
          ptr <= ptr_next;
          if (ptr == SIZE - 1) state <= FILL;
        end
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (in_valid && in_ready) mem[ptr] <= din;
  end
"""
    by_count = f"""
  logic full, write, read, last;
  logic [{bits - 1}:0] count, place;

  assign in_ready = ~full;
  assign out_valid = full;
  assign write = in_valid & ~full;
  assign read = out_ready & full;
  assign last = (count == SIZE - 1);

  // where the word number `count` of the output was written
  assign place = (count % {inner}) * {stride} + count / {inner};
  assign dout = mem[place];

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      full <= 1'b0;
    end else if (write | read) begin
      count <= last ? '0 : count + 1'b1;
      full <= full ^ last;
    end
  end

  always_ff @(posedge clk) begin
    if (write) mem[count] <= din;
  end
"""
    body = mem + (two_counts, machine, by_count)[variant]
    count_in = columns if backwards else rows
    order = [(n % count_in) * stride + n // count_in for n in range(size)]

    def reset(s: State) -> None:
        s.words, s.out = [], []

    def step(s: State, i: Pins) -> Outputs:
        out = {"in_ready": int(not s.out), "out_valid": int(bool(s.out)), "dout": s.out[0] if s.out else None}
        if s.out:
            if i.out_ready:
                s.out = s.out[1:]
        elif i.in_valid:
            s.words.append(i.din)
            if len(s.words) == size:
                s.out, s.words = [s.words[k] for k in order], []
        return out

    name = "de-interleaver" if backwards else "interleaver"
    writes = (
        f"fill a table of {rows} rows and {columns} columns column by column, and leave row by row"
        if backwards
        else f"fill a table of {rows} rows and {columns} columns row by row, and leave column by column"
    )
    return Draft(
        rtl=f"""
module block_interleaver #(
  parameter int WIDTH = {width},
  parameter int ROWS = {rows},
  parameter int COLUMNS = {columns}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  output logic in_ready,
  input logic [WIDTH-1:0] din,
  output logic out_valid,
  input logic out_ready,
  output logic [WIDTH-1:0] dout
);
  localparam int SIZE = ROWS * COLUMNS;
{body}
endmodule
""",
        about=(
            f"""Block {name} with one buffer. {size} words of {width} bit{"s" if width > 1 else ""} {writes}. While the
            buffer is filled only `in_ready` is high, while it is emptied only `out_valid`; `dout` is the word that
            leaves with `out_ready`. Filling starts in the cycle after the last word of a block has left.""",
            f"""Rectangular {name}: words {writes}, so that the order of the words written (from 0) becomes
            {", ".join(str(k) for k in order[: rows + 2])} and so on. It takes a whole block with `in_valid` and
            `in_ready`, then gives it out with `out_valid` and `out_ready`, then takes the next.""",
        ),
        model=Machine(reset, step),
        names=("interleaver", "row_column_buffer", "deinterleaver" if backwards else "interleave_buffer"),
        stimulus={"in_valid": 0.85, "out_ready": 0.85},
        cycles=max(120, 7 * size),
    )


@family(variants=3)
def gold_code(r: Random, variant: int) -> Draft:
    """A spreading code: the sum of two maximal sequences."""
    length, first, second = r.choice(
        (
            (5, (5, 3), (5, 4, 3, 2)),
            (6, (6, 5), (6, 5, 2, 1)),
            (7, (7, 4), (7, 3, 2, 1)),
            (7, (7, 3), (7, 3, 2, 1)),
            (10, (10, 3), (10, 9, 8, 6, 3, 2)),
        )
    )
    fixed = r.random() < 0.5
    ones = (1 << length) - 1
    taps_out = sorted(r.sample(range(1, length + 1), 2)) if fixed else [length]
    epoch = r.random() < 0.6
    # Stage k of a register is bit k-1; the sequence leaves at the last stage.
    feedback_a = " ^ ".join(f"reg_a[{t - 1}]" for t in first)
    feedback_b = " ^ ".join(f"reg_b[{t - 1}]" for t in second)
    tail_b = " ^ ".join(f"reg_b[{t - 1}]" for t in taps_out)
    mask_a = sum(1 << (t - 1) for t in first)
    mask_b = sum(1 << (t - 1) for t in second)
    mask_out = sum(1 << (t - 1) for t in taps_out)
    start_b = f"{{{length}{{1'b1}}}}" if fixed else "phase"
    direct = f"""
  // shifts up, the taps come in at the bottom
  always_ff @(posedge clk) begin
    if (rst) begin
      reg_a <= {{{length}{{1'b1}}}};
      reg_b <= {{{length}{{1'b1}}}};
    end else if (restart) begin
      reg_a <= {{{length}{{1'b1}}}};
      reg_b <= {start_b};
    end else if (en) begin
      reg_a <= {{reg_a[{length - 2}:0], {feedback_a}}};
      reg_b <= {{reg_b[{length - 2}:0], {feedback_b}}};
    end
  end

  assign chip = reg_a[{length - 1}] ^ {tail_b};
"""
    masked = f"""
  localparam logic [{length - 1}:0] TAPS_A = {length}'b{mask_a:0{length}b};
  localparam logic [{length - 1}:0] TAPS_B = {length}'b{mask_b:0{length}b};
  localparam logic [{length - 1}:0] PICK = {length}'b{mask_out:0{length}b}; // stages of b that make the code
  logic in_a, in_b;

  assign in_a = ^(reg_a & TAPS_A);
  assign in_b = ^(reg_b & TAPS_B);

  always_ff @(posedge clk) begin
    if (rst) reg_a <= '1;
    else if (restart) reg_a <= '1;
    else if (en) reg_a <= (reg_a << 1) | in_a;
  end

  always_ff @(posedge clk) begin
    if (rst) reg_b <= '1;
    else if (restart) reg_b <= {start_b};
    else if (en) reg_b <= (reg_b << 1) | in_b;
  end

  assign chip = (^(reg_b & PICK)) ^ reg_a[{length - 1}];
"""
    nexts = f"""
  logic [{length - 1}:0] next_a, next_b;

  always_comb begin
    next_a = reg_a;
    next_b = reg_b;
    if (restart) begin
      next_a = {length}'h{ones:x};
      next_b = {start_b};
    end else if (en) begin
      for (int i = 1; i < {length}; i++) begin
        next_a[i] = reg_a[i-1];
        next_b[i] = reg_b[i-1];
      end
      next_a[0] = {feedback_a};
      next_b[0] = {feedback_b};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      reg_a <= {length}'h{ones:x};
      reg_b <= {length}'h{ones:x};
    end else begin
      reg_a <= next_a;
      reg_b <= next_b;
    end
  end

  always_comb begin
    chip = reg_a[{length - 1}];
{chr(10).join(f"    if (reg_b[{t - 1}]) chip = !chip;" for t in taps_out)}
  end
"""
    body = (direct, masked, nexts)[variant]
    if epoch:
        body += f"\n  assign epoch = (reg_a == {length}'h{ones:x});\n"

    def reset(s: State) -> None:
        s.a = s.b = ones

    def step(s: State, i: Pins) -> Outputs:
        out = {"chip": s.a >> (length - 1) ^ _odd(s.b & mask_out)}
        if epoch:
            out["epoch"] = int(s.a == ones)
        if i.restart:
            s.a, s.b = ones, ones if fixed else i.phase
        elif i.en:
            s.a = (s.a << 1 | _odd(s.a & mask_a)) & ones
            s.b = (s.b << 1 | _odd(s.b & mask_b)) & ones
        return out

    port = "" if fixed else f"\n  input logic [{length - 1}:0] phase, // which code of the set"
    epoch_port = ",\n  output logic epoch // the first register starts again" if epoch else ""
    chosen = (
        f"the exclusive or of a's last stage and b's stages {taps_out[0]} and {taps_out[1]}"
        if fixed
        else "the exclusive or of the last stages of both"
    )
    begins = "both registers to ones" if fixed else "a to ones and b to `phase`"
    epoch_text = " `epoch` is high while a is all ones." if epoch else ""
    return Draft(
        rtl=f"""
module gold_code (
  input logic clk,
  input logic rst,
  input logic restart,{port}
  input logic en,
  output logic chip{epoch_port}
);
  logic [{length - 1}:0] reg_a, reg_b;
{body}
endmodule
""",
        about=(
            f"""Gold code generator with two shift registers a and b of {length} stages. With `en` each shifts from
            stage 1 (bit 0) towards stage {length}; into stage 1 of a goes the exclusive or of its stages
            {", ".join(map(str, first))}, into that of b of its stages {", ".join(map(str, second))}. `chip` is
            {chosen}, before the shift. `restart` goes before `en` and sets {begins}; after reset both are all
            ones.{epoch_text}""",
            f"""Spreading sequence of a Gold family, one `chip` per cycle with `en`: {chosen}, where a and b are
            {length}-stage LFSRs with the feedback taps {", ".join(map(str, first))} and
            {", ".join(map(str, second))} (stages count from 1, where the feedback enters). `restart` sets
            {begins}.{epoch_text} Reset: all ones.""",
        ),
        model=Machine(reset, step),
        names=("gold_generator", "prn_generator", "spreading_code", "gold_sequence"),
        stimulus={"restart": 0.03, "en": 0.9, "phase": lambda r: r.randrange(1, 1 << length)},
        cycles=220,
    )


@family(variants=3)
def additive_scrambler(r: Random, variant: int) -> Draft:
    """Whitens a stream with a sequence that starts anew with every frame."""
    length, tap = r.choice(((7, 4), (9, 5), (15, 14), (11, 9), (10, 7)))
    lanes = r.choice((1, 2, 4, 8))
    seed = r.randrange(1, 1 << length)
    bypass = r.random() < 0.5
    low_first = r.random() < 0.6
    order = range(lanes) if low_first else range(lanes - 1, -1, -1)
    data = f"[{lanes - 1}:0] " if lanes > 1 else ""
    at = "[i]" if lanes > 1 else ""
    loop = (
        (f"for (int i = 0; i < {lanes}; i++)" if low_first else f"for (int i = {lanes - 1}; i >= 0; i--)")
        if lanes > 1
        else ""
    )
    start = "in_first ? SEED : lfsr"
    body_lines = f"""work = {{work[{length - 2}:0], work[{length - 1}] ^ work[{tap - 1}]}};"""
    opening = f"{loop} begin" if loop else "begin"
    looped = f"""
  logic [{length - 1}:0] work;
  logic {data}mask;

  // one step of the register for each bit{" of the word" if lanes > 1 else ""}
  always_comb begin
    work = {start};
    {opening}
      mask{at} = work[{length - 1}];
      {body_lines}
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      lfsr <= SEED;
      dout <= '0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= in_valid;
      if (in_valid) begin
        lfsr <= work;
        dout <= {"bypass ? din : " if bypass else ""}din ^ mask;
      end
    end
  end
"""
    # The sequence as a list of terms of the start state, for the text that is unrolled.
    stages = [[k] for k in range(length)]
    masks: list[list[int]] = []
    for _ in range(lanes):
        masks.append(stages[-1])
        fed = sorted(set(stages[length - 1]) ^ set(stages[tap - 1]))
        stages = [fed, *stages[:-1]]

    def terms(places: list[int]) -> str:
        return " ^ ".join(f"now[{k}]" for k in places)

    mask_lines = "\n".join(
        f"  assign mask{f'[{lane}]' if lanes > 1 else ''} = {terms(places)};"
        for lane, places in sorted(zip(order, masks, strict=True))
    )
    state_lines = "\n".join(f"  assign lfsr_next[{k}] = {terms(places)};" for k, places in enumerate(stages))
    unrolled = f"""
  logic [{length - 1}:0] now, lfsr_next;
  logic {data}mask;

  assign now = {start};
{mask_lines}
{state_lines}

  always_ff @(posedge clk) begin
    if (rst) lfsr <= SEED;
    else if (in_valid) lfsr <= lfsr_next;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      dout <= '0;
    end else begin
      out_valid <= in_valid;
      if (in_valid) {"dout <= din ^ (mask & {" + str(lanes) + "{~bypass}});" if bypass else "dout <= din ^ mask;"}
    end
  end
"""
    function = f"""
  logic [{length + lanes - 1}:0] stepped; // the register after the word, and what it gave

  function automatic logic [{length + lanes - 1}:0] advance(input logic [{length - 1}:0] from);
    logic [{length - 1}:0] work;
    logic {data}given;
    work = from;
    given = 0;
    {opening}
      given{at} = work[{length - 1}];
      work = (work << 1) | (work[{length - 1}] ^ work[{tap - 1}]);
    end
    advance = {{work, given}};
  endfunction

  assign stepped = advance({start});

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      lfsr <= SEED;
      dout <= '0;
    end else if (in_valid) begin
      out_valid <= 1'b1;
      lfsr <= stepped[{length + lanes - 1}:{lanes}];
      dout <= din;
      {"if (!bypass) " if bypass else ""}dout <= din ^ stepped[{lanes - 1}:0];
    end else begin
      out_valid <= 1'b0;
    end
  end
"""
    body = (looped, unrolled, function)[variant]

    def reset(s: State) -> None:
        s.lfsr, s.dout, s.valid = seed, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.dout, "out_valid": s.valid}
        s.valid = i.in_valid
        if i.in_valid:
            work, mask = seed if i.in_first else s.lfsr, 0
            for lane in order:
                mask |= (work >> (length - 1) & 1) << lane
                work = (work << 1 | (work >> (length - 1) ^ work >> (tap - 1)) & 1) & ((1 << length) - 1)
            s.lfsr = work
            s.dout = i.din if bypass and i.bypass else i.din ^ mask
        return out

    port = "\n  input logic bypass, // the data stays as it is, the sequence goes on" if bypass else ""
    unit = f"{lanes}-bit words, the {'lowest' if low_first else 'highest'} bit first" if lanes > 1 else "bits"
    bypass_text = " With `bypass` the word goes on as it is, but the register moves as ever." if bypass else ""
    return Draft(
        rtl=f"""
module additive_scrambler #(
  parameter logic [{length - 1}:0] SEED = {length}'h{seed:x}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  input logic in_first, // of a frame{port}
  input logic [{lanes - 1}:0] din,
  output logic out_valid,
  output logic [{lanes - 1}:0] dout
);
  logic [{length - 1}:0] lfsr;
{body}
endmodule
""",
        about=(
            f"""Additive scrambler for {unit}; the same module descrambles. A {length}-bit register supplies the
            sequence: each bit of data is exclusive-ored with its top bit, then it shifts up by one, and the exclusive
            or of its bits {length - 1} and {tap - 1} comes in at the bottom. A valid word with `in_first` starts from
            {length}'h{seed:x}, as the first one after reset does; other words go on where the last valid one ended.
            `dout` and `out_valid` follow one cycle after `in_valid`.{bypass_text}""",
            f"""Whitens a stream of {unit} with the sequence of the polynomial x^{length} + x^{tap} + 1, which is set
            back to {length}'h{seed:x} for each word with `in_first` and stands still without `in_valid`. The top bit of
            the register is the sequence's bit. Result in `dout` with `out_valid` a cycle later.{bypass_text}""",
        ),
        model=Machine(reset, step),
        names=("frame_scrambler", "whitener", "sync_scrambler", "data_whitening"),
        stimulus={"in_valid": 0.85, "in_first": 0.08, "bypass": 0.15},
        cycles=120,
    )


@family(variants=3)
def syndrome_unit(r: Random, variant: int) -> Draft:
    """Syndromes of a Reed-Solomon code word, by Horner's rule."""
    bits = r.choice((4, 4, 5, 6, 8))
    poly = r.choice(_PRIMITIVE[bits])
    count = r.choice((2, 3, 4))
    base = r.choice((0, 1))
    roots = []
    power = 1
    for k in range(base + count):
        if k >= base:
            roots.append(power)
        power = _field_product(power, 2, bits, poly)
    low = poly & ((1 << bits) - 1)

    def product_terms(root: int) -> list[str]:
        columns = [_field_product(1 << k, root, bits, poly) for k in range(bits)]
        return [" ^ ".join(f"s[{k}]" for k in range(bits) if columns[k] >> row & 1) for row in range(bits)]

    by_two = f"""
  // times alpha, the root of the field's polynomial
  function automatic logic [{bits - 1}:0] times_alpha(input logic [{bits - 1}:0] word);
    times_alpha = {{word[{bits - 2}:0], 1'b0}} ^ (word[{bits - 1}] ? {bits}'h{low:x} : {bits}'h0);
  endfunction
"""
    nested = []
    for n in range(count):
        text = f"s{n}"
        for _ in range(base + n):
            text = f"times_alpha({text})"
        nested.append(text)
    declared = ", ".join(f"s{n}" for n in range(count))
    zero_lines = "\n".join(f"      s{n} <= '0;" for n in range(count))
    step_lines = "\n".join(f"      s{n} <= din ^ (first ? {bits}'h0 : {t});" for n, t in enumerate(nested))
    joined = ", ".join(f"s{n}" for n in range(count - 1, -1, -1))
    unrolled = f"""
  logic [{bits - 1}:0] {declared};
{by_two}
  always_ff @(posedge clk) begin
    if (rst) begin
{zero_lines}
    end else if (valid) begin
{step_lines}
    end
  end

  assign syndromes = {{{joined}}};
"""
    powers = f"""
  logic [{bits - 1}:0] s [0:COUNT-1];
  logic [{bits - 1}:0] scaled [0:COUNT-1];
{by_two}
  // one more factor alpha for each
  always_comb begin
    for (int k = 0; k < COUNT; k++) begin
      scaled[k] = first ? '0 : s[k];
      for (int j = 0; j < k + {base}; j++) scaled[k] = times_alpha(scaled[k]);
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < COUNT; k++) s[k] <= '0;
    end else if (valid) begin
      for (int k = 0; k < COUNT; k++) s[k] <= scaled[k] ^ din;
    end
  end

  for (genvar k = 0; k < COUNT; k++) begin : gen_syndrome
    assign syndromes[{bits}*k +: {bits}] = s[k];
  end
"""
    equations = []
    for n, root in enumerate(roots):
        for row, text in enumerate(product_terms(root)):
            equations.append(f"  assign scaled{n}[{row}] = {text.replace('s[', f's{n}[')};")
    scaled = ", ".join(f"scaled{n}" for n in range(count))
    wired = f"""
  logic [{bits - 1}:0] {declared};
  logic [{bits - 1}:0] {scaled}; // times alpha to the power of the root

{chr(10).join(equations)}

  always_ff @(posedge clk) begin
    if (rst) begin
{zero_lines}
    end else if (valid && first) begin
{chr(10).join(f"      s{n} <= din;" for n in range(count))}
    end else if (valid) begin
{chr(10).join(f"      s{n} <= scaled{n} ^ din;" for n in range(count))}
    end
  end

  assign syndromes = {{{joined}}};
"""
    body = (unrolled, powers, wired)[variant]

    def reset(s: State) -> None:
        s.parts, s.done = [0] * count, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "syndromes": sum(one << bits * k for k, one in enumerate(s.parts)),
            "done": s.done,
            "error": int(s.done and any(s.parts)),
        }
        s.done = int(i.valid and i.last)
        if i.valid:
            before = [0] * count if i.first else s.parts
            s.parts = [_field_product(one, root, bits, poly) ^ i.din for one, root in zip(before, roots, strict=True)]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.25:
            return {"first": 1, "din": 0, "last": r.getrandbits(1)}
        return {}

    powers_text = ", ".join(f"alpha^{base + k}" for k in range(count))
    return Draft(
        rtl=f"""
module syndrome_unit #(
  parameter int COUNT = {count}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic first,
  input logic last,
  input logic [{bits - 1}:0] din,
  output logic done,
  output logic error,
  output logic [{bits * count - 1}:0] syndromes
);
{body}
  always_ff @(posedge clk) begin
    if (rst) done <= 1'b0;
    else done <= valid && last;
  end

  assign error = done && (syndromes != 0);
endmodule
""",
        about=(
            f"""Syndrome calculator of a Reed-Solomon decoder over GF({1 << bits}) with the field polynomial
            {poly:#x} (alpha is 2). The symbols of a code word come with `valid`, the highest coefficient first, marked
            by `first` and `last`. Each of {count} registers is multiplied by its root, {powers_text} in this order, and
            the symbol is added (exclusive or); with `first` it just takes the symbol. `syndromes` shows them, the first
            in the lowest {bits} bits. `done` follows the last symbol by one cycle; `error` is high with it if any
            syndrome is not 0.""",
            f"""Evaluates a received word at {powers_text} by Horner's rule, all at once, one {bits}-bit symbol for each
            `valid`. The field GF({1 << bits}) is built on the polynomial {poly:#x}. `first` starts a new word, `last`
            brings `done` in the next cycle, with `error` where the word is no code word. Registers, in `syndromes` from
            the lowest bits up, are 0 after reset.""",
        ),
        model=Machine(reset, step),
        names=("rs_syndrome", "syndrome_calc", "horner_syndromes", "code_checker"),
        stimulus={"valid": 0.8, "first": 0.15, "last": 0.15},
        drive=drive,
        cycles=120,
    )


@family(variants=3)
def barker_correlator(r: Random, variant: int) -> Draft:
    """Finds a known word in a stream of bits, a few of which may be wrong."""
    code, length = r.choice(((0b11101, 5), (0b1110010, 7), (0b11100010010, 11), (0b1111100110101, 13)))
    wrong = r.choice((0, 1)) if length < 10 else r.choice((1, 2))
    inverted = r.random() < 0.6
    bits = length.bit_length()
    peak = length - wrong
    ones = f"""
  // how many bits agree
  always_comb begin
    score_next = '0;
    for (int i = 0; i < {length}; i++) begin
      if (window[i] == CODE[i]) score_next = score_next + 1'b1;
    end
  end
"""
    flat = f"""
  logic [{length - 1}:0] agree;

  assign agree = ~(window ^ CODE);
  assign score_next = {" + ".join(f"agree[{k}]" for k in range(length))};
"""
    function = f"""
  function automatic logic [{bits - 1}:0] ones(input logic [{length - 1}:0] word);
    ones = '0;
    for (int i = 0; i < {length}; i++) ones = ones + word[i];
  endfunction

  // those that differ, taken from all
  assign score_next = {length} - ones(window ^ CODE);
"""
    count_text = (ones, flat, function)[variant]
    hit = f"score_next >= {peak}"
    low = f"score_next <= {wrong}"
    if inverted:
        decide = (
            f"      hit <= ({hit}) || ({low});\n      inverted <= ({low});",
            f"      hit <= (score_next >= {peak}) | (score_next <= {wrong});\n"
            f"      inverted <= (score_next < {wrong + 1});",
            f"""      hit <= 1'b0;
      inverted <= 1'b0;
      if ({hit}) hit <= 1'b1;
      else if ({low}) {{hit, inverted}} <= 2'b11;""",
        )[variant]
    else:
        decide = (f"      hit <= ({hit});", f"      hit <= (score_next > {peak - 1});", f"      hit <= ({hit});")[
            variant
        ]
    clear_flag = "\n      inverted <= 1'b0;" if inverted else ""
    shifts = (
        "assign window = {history, din};",
        "assign window = (history << 1) | din;",
        f"assign window = {{history[{length - 2}:0], din}};",
    )[variant]
    port = ",\n  output logic inverted" if inverted else ""

    def reset(s: State) -> None:
        s.bits = s.score = s.hit = s.inverted = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"score": s.score, "hit": s.hit}
        if inverted:
            out["inverted"] = s.inverted
        s.hit = s.inverted = 0
        if i.valid:
            s.bits = (s.bits << 1 | i.din) & ((1 << length) - 1)
            s.score = length - (s.bits ^ code).bit_count()
            s.inverted = int(inverted and s.score <= wrong)
            s.hit = int(s.score >= peak or bool(s.inverted))
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        todo = getattr(s, "todo", [])
        if not todo:
            word = code ^ (r.choice((0, (1 << length) - 1)) if inverted else 0)
            for _ in range(r.randrange(wrong + 2)):
                word ^= 1 << r.randrange(length)
            todo = [word >> k & 1 for k in range(length - 1, -1, -1)] + [
                r.getrandbits(1) for _ in range(r.randrange(5))
            ]
        valid = int(r.random() < 0.9)
        row = {"valid": valid, "din": todo[0]}
        s.todo = todo[1:] if valid else todo
        return row

    both = (
        f" `hit` also rises with at most {wrong}, where the word came inverted; `inverted` tells this."
        if inverted
        else ""
    )
    return Draft(
        rtl=f"""
module barker_correlator (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic din,
  output logic [{bits - 1}:0] score,
  output logic hit{port}
);
  localparam logic [{length - 1}:0] CODE = {length}'b{code:0{length}b}; // the first bit on top
  logic [{length - 2}:0] history;
  logic [{length - 1}:0] window;
  logic [{bits - 1}:0] score_next;

  {shifts.replace(f"history[{length - 2}:0]", "history")}
{count_text}
  always_ff @(posedge clk) begin
    if (rst) begin
      history <= '0;
      score <= '0;
      hit <= 1'b0;{clear_flag}
    end else if (valid) begin
      history <= window[{length - 2}:0];
      score <= score_next;
{decide}
    end else begin
      hit <= 1'b0;{clear_flag}
    end
  end
endmodule
""",
        about=(
            f"""Correlates a stream of bits with the Barker code {code:0{length}b} (sent from the left). After each
            `valid` bit `score` is the number of the last {length} bits, this one included, that agree with the code;
            bits before the first count as 0. `hit` is high for one cycle, together with the new score, if it is at
            least {peak}.{both} Without `valid` the score stays. Everything is 0 after reset.""",
            f"""Preamble detector for the {length}-bit word {code:0{length}b}, first bit left, that tolerates {wrong}
            wrong bit{"" if wrong == 1 else "s"}. It counts agreements of the latest {length} valid bits with the word
            and registers the count as `score` and a one-cycle `hit` where it reaches {peak}.{both}""",
        ),
        model=Machine(reset, step),
        names=("barker_detector", "preamble_correlator", "sync_correlator", "code_correlator"),
        drive=drive,
        cycles=200,
    )


@family(variants=3)
def symbol_mapper(r: Random, variant: int) -> Draft:
    """Gray-coded levels of a multi-level signal, and back by slicing."""
    bits = r.choice((2, 3))
    levels = 1 << bits
    width = r.choice((6, 8))
    step_log = r.choice((2, 3)) if width == 6 else r.choice((3, 4, 5))
    if bits == 3:
        step_log = min(step_log, width - 3)
    flip = r.random() < 0.4
    spacing = 1 << step_log
    top = levels - 1
    # Level n lies at (2 n - top) / 2 spacings, on a raster of half a spacing.
    gray = [n ^ n >> 1 for n in range(levels)]
    if flip:
        gray = gray[::-1]
    place = {code: n for n, code in enumerate(gray)}
    values = [(2 * n - top) * spacing // 2 for n in range(levels)]
    mask = (1 << width) - 1
    arms = "\n".join(
        f"      {bits}'b{code:0{bits}b}: amplitude = {'-' if values[n] < 0 else ''}{width}'sd{abs(values[n])};"
        for code, n in sorted(place.items())
    )
    edges = [(values[n] + values[n + 1]) // 2 for n in range(levels - 1)]

    def number(value: int) -> str:
        return f"{'-' if value < 0 else ''}{width}'sd{abs(value)}"

    chain = "\n".join(
        f"    {'if' if n == 0 else 'else if'} (sample < {number(edge)}) symbol_out = {bits}'b{gray[n]:0{bits}b};"
        for n, edge in enumerate(edges)
    )
    cased = f"""
  // the level of each symbol
  always_comb begin
    case (symbol_in)
{arms}
      default: amplitude = '0;
    endcase
  end

  // decision thresholds halfway between
  always_comb begin
{chain}
    else symbol_out = {bits}'b{gray[-1]:0{bits}b};
  end
"""
    binary = [f"  assign index_in[{bits - 1}] = " + f"symbol[{bits - 1}];"]
    for k in range(bits - 2, -1, -1):
        binary.append(f"  assign index_in[{k}] = index_in[{k + 1}] ^ symbol[{k}];")
    # A mirrored Gray code differs in its top bit alone.
    top_flip = f"symbol_in ^ {bits}'b1{'0' * (bits - 1)}" if flip else "symbol_in"
    back_flip = f" ^ {bits}'b1{'0' * (bits - 1)}" if flip else ""
    comparisons = "\n".join(f"  assign above[{n}] = (sample >= {number(edge)});" for n, edge in enumerate(edges))
    computed = f"""
  logic [{bits - 1}:0] symbol, index_in, index_out;
  logic [{levels - 2}:0] above; // thresholds that the sample has reached

  // Gray to binary, then on the scale
  assign symbol = {top_flip};
{chr(10).join(binary)}
  assign amplitude = $signed({{1'b0, index_in}}) * {spacing} - {top * spacing // 2};

{comparisons}
  assign index_out = {" + ".join(f"above[{n}]" for n in range(levels - 1))};
  assign symbol_out = (index_out ^ (index_out >> 1)){back_flip};
"""
    table = "".join(f"{v & mask:0{width}b}_" for v in (values[place[code]] for code in range(levels - 1, -1, -1)))[:-1]
    grays = "_".join(f"{code:0{bits}b}" for code in reversed(gray))
    packed = f"""
  localparam logic [{levels * width - 1}:0] LEVELS = {levels * width}'b{table};
  localparam logic [{levels * bits - 1}:0] GRAY = {levels * bits}'b{grays};
  logic signed [{width}:0] shifted;
  logic [{bits - 1}:0] index;

  assign amplitude = LEVELS[{width}*symbol_in +: {width}];

  // from the lowest threshold up, in steps of {spacing}
  always_comb begin
    index = '0;
    shifted = sample - {edges[0] if edges[0] >= 0 else f"({edges[0]})"};
    for (int i = 0; i < {levels - 1}; i++) begin
      if (shifted >= 0) index = index + 1'b1;
      shifted = shifted - {spacing};
    end
  end

  assign symbol_out = GRAY[{bits}*index +: {bits}];
"""
    body = (cased, computed, packed)[variant]

    def model(i: Pins) -> Outputs:
        sample = _signed(i.sample, width)
        level = sum(sample >= edge for edge in edges)
        return {"amplitude": values[place[i.symbol_in]] & mask, "symbol_out": gray[level]}

    mapping = ", ".join(f"{gray[n]:0{bits}b} at {values[n]}" for n in range(levels))
    return Draft(
        rtl=f"""
module symbol_mapper (
  input logic [{bits - 1}:0] symbol_in,
  output logic signed [{width - 1}:0] amplitude,
  input logic signed [{width - 1}:0] sample,
  output logic [{bits - 1}:0] symbol_out
);
{body}
endmodule
""",
        about=(
            f"""Mapper and slicer for PAM-{levels} with a Gray code, both combinational. The levels, signed numbers of
            {width} bits, are: {mapping}. `amplitude` is the level of `symbol_in`. `symbol_out` is the symbol whose
            level is the nearest to the signed `sample`, beyond the outer levels that of the outer one; halfway between
            two levels, the higher one.""",
            f"""Turns {bits}-bit symbols into amplitudes and received samples into symbols. Neighbouring levels, which
            are {spacing} apart, differ in one bit: {mapping}. The thresholds of the decision on `sample` are
            {", ".join(map(str, edges))}; a sample on a threshold belongs to the level above it.""",
        ),
        model=model,
        names=("pam_mapper", "gray_mapper", "pam_slicer", "symbol_slicer"),
        stimulus={
            "sample": lambda r: r.choice((r.getrandbits(width), r.choice((*edges, *values)) + r.randrange(-1, 2)))
        },
        cycles=120,
    )
