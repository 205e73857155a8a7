"""Shifting, counting and finding bits."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits, to_signed


@family(variants=3)
def barrel_shifter(r: Random, variant: int) -> Draft:
    """Shifts or rotates by any amount at once."""
    bits = r.choice((3, 4, 5))
    width = 1 << bits
    codes = """
  localparam logic [1:0] LEFT = 2'd0;
  localparam logic [1:0] RIGHT = 2'd1;
  localparam logic [1:0] ARITHMETIC = 2'd2;
  localparam logic [1:0] ROTATE = 2'd3;
"""
    stages = "\n".join(
        f"""    if (amount[{k}]) begin
      case (op)
        LEFT: work = {{work[{width - (1 << k) - 1}:0], {1 << k}'d0}};
        RIGHT: work = {{{1 << k}'d0, work[{width - 1}:{1 << k}]}};
        ARITHMETIC: work = {{{{{1 << k}{{work[{width - 1}]}}}}, work[{width - 1}:{1 << k}]}};
        default: work = {{work[{width - (1 << k) - 1}:0], work[{width - 1}:{width - (1 << k)}]}};
      endcase
    end"""
        for k in range(bits)
    )
    body = (
        f"""
  logic [{width - 1}:0] work;

  // a stage for each bit of the amount
  always_comb begin
    work = din;
{stages}
    dout = work;
  end
""",
        f"""
  logic [{2 * width - 1}:0] doubled;

  assign doubled = {{din, din}} << amount;

  always_comb begin
    case (op)
      LEFT: dout = din << amount;
      RIGHT: dout = din >> amount;
      ARITHMETIC: dout = $signed(din) >>> amount;
      default: dout = doubled[{2 * width - 1}:{width}]; // what leaves comes in again
    endcase
  end
""",
        f"""
  logic [{2 * width - 1}:0] window;
  logic [{bits}:0] distance;

  // every operation is a right shift of a window of two words
  always_comb begin
    case (op)
      LEFT: window = {{din, {width}'d0}};
      RIGHT: window = {{{width}'d0, din}};
      ARITHMETIC: window = {{{{{width}{{din[{width - 1}]}}}}, din}};
      default: window = {{din, din}};
    endcase
    if (op == LEFT || op == ROTATE) distance = {bits + 1}'d{width} - amount;
    else distance = amount;
  end

  assign dout = window >> distance;
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        mask = width - 1
        results = (
            i.din << i.amount,
            i.din >> i.amount,
            to_signed(i.din, width) >> i.amount,
            i.din << i.amount | i.din >> ((width - i.amount) & mask if i.amount else width),
        )
        return {"dout": to_bits(results[i.op], width)}

    return Draft(
        rtl=f"""
module barrel_shifter (
  input logic [{width - 1}:0] din,
  input logic [{bits - 1}:0] amount,
  input logic [1:0] op,
  output logic [{width - 1}:0] dout
);
{codes}
  {body}
endmodule
""",
        about=f"""Barrel shifter for {width} bits. `op` 0 shifts `din` left by `amount`, 1 right with zeros, 2 right
        with the sign, 3 rotates left.""",
        model=model,
        names=("shifter", "barrel", "shift_unit"),
    )


@family(variants=2, held_out=True)
def funnel_shifter(r: Random, variant: int) -> Draft:
    """A word out of two neighbours, at any bit."""
    bits = r.choice((3, 4))
    width = 1 << bits
    body = (
        """
  logic [2*WIDTH-1:0] pair;

  // the older word below, since its bits come first
  assign pair = {din, older};
  assign aligned = pair >> offset;
""",
        """
  always_comb begin
    aligned = older >> offset;
    for (int i = 0; i < WIDTH; i++) begin
      if (i >= WIDTH - offset) aligned[i] = din[i + offset - WIDTH]; // the rest is in the newer word
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.older, s.primed, s.dout, s.valid = 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "dout": s.dout if s.valid else None}
        s.valid = int(i.valid and s.primed and not i.restart)
        if i.restart:
            s.primed = 0
        elif i.valid:
            s.dout = (i.din << width | s.older) >> i.offset & ((1 << width) - 1)
            s.older, s.primed = i.din, 1
        return out

    return Draft(
        rtl=f"""
module funnel_shifter #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic restart,
  input logic valid,
  input logic [WIDTH-1:0] din,
  input logic [{bits - 1}:0] offset,
  output logic out_valid,
  output logic [WIDTH-1:0] dout
);
  logic [WIDTH-1:0] older, aligned;
  logic primed; // there is an older word
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      primed <= 1'b0;
      out_valid <= 1'b0;
    end else if (restart) begin
      primed <= 1'b0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= valid && primed;
      if (valid) primed <= 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (valid && !restart) begin
      older <= din;
      dout <= aligned;
    end
  end
endmodule
""",
        about=f"""Aligns a stream of {width}-bit words, lowest bit first, by `offset` bits: in a cycle with `valid`,
        `dout` takes the {width} bits that
            begin `offset` bits into the word before `din`, and go on in `din`. The first word after reset or
            `restart` only
            fills the aligner. `out_valid` marks aligned words, one cycle later; `restart` goes before `valid`.""",
        model=Machine(reset, step),
        names=("aligner", "funnel", "word_aligner"),
        stimulus={"valid": 0.85, "restart": 0.05},
    )


@family(variants=3)
def population_count(r: Random, variant: int) -> Draft:
    """How many bits are set."""
    width = r.choice((8, 12, 16))
    bits = width.bit_length()
    pairs = width // 2
    body = (
        """
  always_comb begin
    count = '0;
    for (int i = 0; i < WIDTH; i++) begin
      count = count + din[i];
    end
  end
""",
        f"""
  // by nibbles from a table, then a sum
  function automatic logic [2:0] ones(input logic [3:0] nibble);
    case (nibble)
      4'h0: ones = 3'd0;
      4'h1, 4'h2, 4'h4, 4'h8: ones = 3'd1;
      4'h7, 4'hb, 4'hd, 4'he: ones = 3'd3;
      4'hf: ones = 3'd4;
      default: ones = 3'd2;
    endcase
  endfunction

  assign count = {" + ".join(f"ones(din[{4 * k + 3}:{4 * k}])" for k in range(width // 4))};
""",
        f"""
  logic [1:0] pair [0:{pairs - 1}];

  // pairs first
  for (genvar k = 0; k < {pairs}; k++) begin : gen_pair
    assign pair[k] = din[2*k] + din[2*k+1];
  end

  always_comb begin
    count = '0;
    for (int i = 0; i < {pairs}; i++) begin
      count = count + pair[i];
    end
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        ones = i.din.bit_count()
        return {"count": ones, "odd": ones & 1, "majority": int(ones > width // 2)}

    return Draft(
        rtl=f"""
module population_count #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] din,
  output logic [{bits - 1}:0] count,
  output logic odd,
  output logic majority // more than half of the bits
);
  {body}
  assign odd = count[0];
  assign majority = (count > WIDTH / 2);
endmodule
""",
        about=f"""Counts the ones in the {width}-bit `din`. `odd` is the lowest bit of `count`; `majority` is high
        where more than {width // 2} bits
            are set.""",
        model=model,
        names=("popcount", "ones_counter", "bit_count"),
    )


@family(variants=3)
def leading_zero_counter(r: Random, variant: int) -> Draft:
    """How many zeros stand above the highest one."""
    bits = r.choice((3, 4))
    width = 1 << bits
    chain = "\n    else ".join(f"if (din[{width - 1 - k}]) zeros = {bits + 1}'d{k};" for k in range(width))
    patterns = "\n".join(
        f"      {width}'b{'0' * k}1{'?' * (width - k - 1)}: zeros = {bits + 1}'d{k};" for k in range(width)
    )
    halves = "\n".join(
        f"""    zeros[{k}] = (work[{width - 1}:{width - (1 << k)}] == 0);
    if (zeros[{k}]) work = work << {1 << k};"""
        for k in reversed(range(bits))
    )
    body = (
        f"""
  always_comb begin
    casez (din)
{patterns}
      default: zeros = {bits + 1}'d{width};
    endcase
  end
""",
        f"""
  logic [{width - 1}:0] work;

  // halves: is the upper one empty, and by how much the rest moves up
  always_comb begin
    work = din;
    zeros = '0;
{halves}
    if (din == 0) zeros = {bits + 1}'d{width};
  end
""",
        f"""
  always_comb begin
    {chain}
    else zeros = {bits + 1}'d{width};
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        zeros = width - i.din.bit_length()
        return {"zeros": zeros, "normal": i.din << zeros & ((1 << width) - 1)}

    return Draft(
        rtl=f"""
module leading_zero_counter (
  input logic [{width - 1}:0] din,
  output logic [{bits}:0] zeros,
  output logic [{width - 1}:0] normal // with its highest one at the top
);
  {body}
  assign normal = din << zeros;
endmodule
""",
        about=f"""Counts the leading zeros of the {width}-bit `din`: `zeros` is 0 where the top bit is set and {width}
        where none is. `normal` is
            `din` moved left by that.""",
        model=model,
        names=("lzc", "clz", "normalizer"),
        stimulus={"din": lambda r: r.getrandbits(width) >> r.randrange(width + 1)},
        cycles=120,
    )


@family(variants=2, held_out=True)
def thermometer_encoder(r: Random, variant: int) -> Draft:
    """From a flash converter's column of ones to a number."""
    count = r.choice((7, 15))
    bits = count.bit_length()
    forgiving = r.random() < 0.5
    clean = (
        "  // a single zero in the ones, or one in the zeros, is taken for a bubble\n"
        f"  assign clean = (column & {{column[{count - 2}:0], 1'b1}}) | (column & {{1'b0, column[{count - 1}:1]}})"
        f" | ({{column[{count - 2}:0], 1'b1}} & {{1'b0, column[{count - 1}:1]}});"
        if forgiving
        else "  assign clean = column;"
    )
    body = (
        f"""
  logic [{count}:0] edges;

  // where the ones end
  assign edges = {{1'b0, clean}} ^ {{clean, 1'b1}};

  always_comb begin
    value = '0;
    for (int i = 0; i <= {count}; i++) begin
      if (edges[i]) value = value | i;
    end
  end

  assign bubble = (edges & (edges - 1'b1)) != 0; // more than one end
""",
        f"""
  always_comb begin
    value = '0;
    for (int i = 0; i < {count}; i++) begin
      value = value + clean[i];
    end
  end

  // a one above a zero
  assign bubble = |(clean[{count - 1}:1] & ~clean[{count - 2}:0]);
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        column = [1, *((i.column >> k & 1) for k in range(count)), 0]
        clean = column
        if forgiving:
            clean = [1, *(int(sum(column[k - 1 : k + 2]) >= 2) for k in range(1, count + 1)), 0]
        bubble = any(high and not low for low, high in pairwise(clean[1:]))
        return {"value": None if bubble else sum(clean[1:-1]), "bubble": int(bubble)}

    cleaning = """Each bit is first replaced by the majority of itself and its two neighbours, with a one below the
        lowest and a zero above the highest."""

    def column(r: Random) -> int:
        value = (1 << r.randrange(count + 1)) - 1
        return value ^ (1 << r.randrange(count) if r.random() < 0.3 else 0)

    return Draft(
        rtl=f"""
module thermometer_encoder (
  input logic [{count - 1}:0] column, // comparators, the lowest threshold first
  output logic [{bits - 1}:0] value,
  output logic bubble // a zero below a one
);
  logic [{count - 1}:0] clean;

{clean}
  {body}
endmodule
""",
        about=f"""Thermometer-to-binary encoder for {count} comparators: `value` is how many ones stand in `column`
        from the bottom.
            {cleaning if forgiving else ""}
            `bubble` is high where a zero stands below a one{" after that" if forgiving else ""}; `value` does not
            matter then.""",
        model=model,
        names=("therm2bin", "flash_encoder", "thermo_enc"),
        stimulus={"column": column},
    )


@family(variants=3)
def bit_reverser(r: Random, variant: int) -> Draft:
    """Reverses bits, bytes, or both."""
    lanes = r.choice((2, 4))
    width = 8 * lanes
    swap = ", ".join(f"din[{8 * k + 7}:{8 * k}]" for k in range(lanes))
    body = (
        """
  always_comb begin
    for (int i = 0; i < WIDTH; i++) begin
      mirrored[i] = din[WIDTH-1-i];
    end
  end
""",
        """
  for (genvar k = 0; k < WIDTH; k++) begin : gen_bit
    assign mirrored[k] = din[WIDTH-1-k];
  end
""",
        f"""
  assign mirrored = {{{", ".join(f"din[{k}]" for k in range(width))}}};
""",
    )[variant]
    choice = (
        """
  always_comb begin
    case ({bytes, bits})
      2'b01: dout = in_bytes; // each byte for itself
      2'b10: dout = swapped;
      2'b11: dout = mirrored;
      default: dout = din;
    endcase
  end
""",
        """
  assign dout = bytes ? (bits ? mirrored : swapped) : (bits ? in_bytes : din);
""",
    )[variant % 2]

    def model(i: Pins) -> Outputs:
        lanes_in = [i.din >> (8 * k) & 255 for k in range(lanes)]
        if i.bits:
            lanes_in = [int(f"{lane:08b}"[::-1], 2) for lane in lanes_in]
        if i.bytes:
            lanes_in.reverse()
        return {"dout": sum(lane << (8 * k) for k, lane in enumerate(lanes_in))}

    return Draft(
        rtl=f"""
module bit_reverser #(
  parameter int LANES = {lanes}
) (
  input logic [8*LANES-1:0] din,
  input logic bytes, // in reverse order
  input logic bits, // of each byte in reverse order
  output logic [8*LANES-1:0] dout
);
  localparam int WIDTH = 8 * LANES;
  logic [WIDTH-1:0] mirrored, swapped, in_bytes;
  {body}
  assign swapped = {{{swap}}};

  // reversing everything and then the bytes leaves the bytes where they were
  for (genvar k = 0; k < LANES; k++) begin : gen_lane
    assign in_bytes[8*k +: 8] = mirrored[WIDTH-8-8*k +: 8];
  end
  {choice}
endmodule
""",
        about=f"""Reorders a word of {lanes} bytes: `bytes` reverses the order of the bytes (endianness), `bits` the
        order of the bits in each byte;
            with both, all {width} bits are reversed.""",
        model=model,
        names=("endian_swap", "byte_swapper", "reverse_unit"),
        cycles=60,
    )


@family(variants=3)
def slot_allocator(r: Random, variant: int) -> Draft:
    """Hands out the lowest slot that is free."""
    count = r.choice((4, 8))
    bits = (count - 1).bit_length()
    body = (
        """
  // the lowest zero
  assign lowest = ~busy & (busy + 1'b1);

  always_comb begin
    slot = '0;
    for (int i = 0; i < SLOTS; i++) begin
      if (lowest[i]) slot = i;
    end
  end
""",
        """
  always_comb begin
    slot = '0;
    lowest = '0;
    for (int i = SLOTS - 1; i >= 0; i = i - 1) begin
      if (!busy[i]) begin
        slot = i;
        lowest = '0;
        lowest[i] = 1'b1;
      end
    end
  end
""",
        """
  logic [SLOTS:0] blocked; // all slots below are taken

  assign blocked[0] = 1'b1;

  for (genvar k = 0; k < SLOTS; k++) begin : gen_slot
    assign blocked[k+1] = blocked[k] & busy[k];
    assign lowest[k] = blocked[k] & ~busy[k];
  end

  always_comb begin
    slot = '0;
    for (int i = 1; i < SLOTS; i++) begin
      if (lowest[i]) slot = slot | i;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.busy = 0

    def step(s: State, i: Pins) -> Outputs:
        free = [k for k in range(count) if not s.busy >> k & 1]
        out = {"full": int(not free), "slot": free[0] if free else None, "busy": s.busy}
        released = 1 << i.which if i.free else 0
        taken = 1 << free[0] if i.take and free else 0
        s.busy = (s.busy & ~released) | taken
        return out

    return Draft(
        rtl=f"""
module slot_allocator #(
  parameter int SLOTS = {count}
) (
  input logic clk,
  input logic rst,
  input logic take,
  input logic free,
  input logic [{bits - 1}:0] which, // slot is given back
  output logic full,
  output logic [{bits - 1}:0] slot, // the next one to be taken
  output logic [SLOTS-1:0] busy
);
  logic [SLOTS-1:0] lowest, taken, released;

  assign full = &busy;
  {body}
  assign taken = (take && !full) ? lowest : 0;
  assign released = free ? {{{{(SLOTS-1){{1'b0}}}}, 1'b1}} << which : 0;

  always_ff @(posedge clk) begin
    if (rst) busy <= '0;
    else busy <= (busy & ~released) | taken;
  end
endmodule
""",
        about=f"""Allocator of {count} slots. `slot` is the lowest one that is not `busy`; `take` takes it, unless all
        are (`full`). `free` gives the
            slot numbered `which` back. Both may happen in one cycle; a slot that is given back can be taken from the
            next
            cycle on.""",
        model=Machine(reset, step),
        names=("free_list", "tag_allocator", "id_pool"),
        stimulus={"take": 0.6, "free": 0.45},
        cycles=140,
    )


@family(variants=2)
def one_hot_checker(r: Random, variant: int) -> Draft:
    """Tells none, one and several active lines apart, and remembers violations."""
    width = r.choice((4, 6, 8))
    body = (
        """
  // a one is left over only where there were two
  assign none = (lines == 0);
  assign several = ((lines & (lines - 1'b1)) != 0);
""",
        """
  logic found;

  always_comb begin
    found = 1'b0;
    several = 1'b0;
    for (int i = 0; i < WIDTH; i++) begin
      if (lines[i]) begin
        if (found) several = 1'b1; // another one
        found = 1'b1;
      end
    end
    none = !found;
  end
""",
    )[variant]
    allow_none = r.random() < 0.5
    bad = "several" if allow_none else "(several || none)"

    def reset(s: State) -> None:
        s.violated, s.first = 0, 0

    def step(s: State, i: Pins) -> Outputs:
        ones = i.lines.bit_count()
        out = {"none": int(ones == 0), "several": int(ones > 1), "violated": s.violated, "first": s.first}
        wrong = i.check and (ones > 1 or (ones == 0 and not allow_none))
        if i.clear:
            s.violated = s.first = 0
        elif wrong and not s.violated:
            s.violated, s.first = 1, i.lines
        return out

    def few(r: Random) -> int:
        return r.choice((1 << r.randrange(width),) * 6 + (0, 1 << r.randrange(width) | 1 << r.randrange(width)))

    return Draft(
        rtl=f"""
module one_hot_checker #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic check,
  input logic clear,
  input logic [WIDTH-1:0] lines,
  output logic none,
  output logic several,
  output logic violated,
  output logic [WIDTH-1:0] first // the lines at the first violation
);
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      violated <= 1'b0;
      first <= '0;
    end else if (clear) begin
      violated <= 1'b0;
      first <= '0;
    end else if (check && {bad} && !violated) begin
      violated <= 1'b1;
      first <= lines;
    end
  end
endmodule
""",
        about=f"""Watches {width} `lines` that should be one-hot{", or all zero" if allow_none else ""}. `none` and
        `several` describe them now. Where `check` is high and they
            are wrong, `violated` is set, and `first` keeps the lines of the first violation, until `clear`, which
            goes first.""",
        model=Machine(reset, step),
        names=("onehot_monitor", "grant_checker", "onehot_check"),
        stimulus={"check": 0.7, "clear": 0.05, "lines": few},
    )
