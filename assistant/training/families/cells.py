"""Structures of small equal cells: full adders, comparing cells, toggle flip-flops, edge catchers."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits, to_signed

_FULL_ADDER = """
module full_adder (
  input logic a,
  input logic b,
  input logic carry_in,
  output logic sum,
  output logic carry_out
);
  assign sum = a ^ b ^ carry_in;
  assign carry_out = (a & b) | (carry_in & (a ^ b));
endmodule
"""


@family(variants=3)
def adder_subtractor(r: Random, variant: int) -> Draft:
    """Adds or subtracts with a row of full adders, and says what is special about the result."""
    width = r.choice((4, 6, 8, 12, 16))
    with_carry = r.random() < 0.5
    borrows = r.random() < 0.5
    flags = r.sample(("zero", "negative", "parity", "less"), r.randrange(1, 4))
    first = "sub ^ extend" if with_carry else "sub"
    rippled = f"""
  logic [WIDTH:0] carry;
  logic [WIDTH-1:0] operand;

  // subtracting is adding the inverse, and one
  assign operand = b ^ {{WIDTH{{sub}}}};
  assign carry[0] = {first};

  for (genvar k = 0; k < WIDTH; k++) begin : gen_bit
    full_adder u_adder (.a(a[k]), .b(operand[k]), .carry_in(carry[k]), .sum(sum[k]), .carry_out(carry[k+1]));
  end

  assign carry_top = carry[WIDTH];
  assign overflow = carry[WIDTH] ^ carry[WIDTH-1];
"""
    looped = f"""
  logic ripple, operand_bit, carry_before;

  // bit by bit, from the lowest
  always_comb begin
    ripple = {first};
    carry_before = 1'b0;
    operand_bit = 1'b0;
    sum = '0;
    for (int k = 0; k < WIDTH; k++) begin
      carry_before = ripple;
      operand_bit = b[k] ^ sub;
      sum[k] = a[k] ^ operand_bit ^ ripple;
      ripple = (a[k] & operand_bit) | (a[k] & ripple) | (operand_bit & ripple);
    end
  end

  assign carry_top = ripple;
  assign overflow = ripple != carry_before;
"""
    wide = f"""
  logic [WIDTH-1:0] operand;
  logic first;

  assign operand = sub ? ~b : b;
  assign first = {first};
  assign {{carry_top, sum}} = {{1'b0, a}} + {{1'b0, operand}} + first;
  // two numbers of one sign with a sum of the other
  assign overflow = (a[WIDTH-1] == operand[WIDTH-1]) && (sum[WIDTH-1] != a[WIDTH-1]);
"""
    body = (rippled, looped, wide)[variant]
    texts = {
        "zero": ("(sum == 0)", "~|sum", "(sum == 0)")[variant],
        "negative": "sum[WIDTH-1]",
        "parity": "^sum",
        "less": "sub & (sum[WIDTH-1] ^ overflow)",
    }
    assigns = "\n".join(f"  assign {flag} = {texts[flag]};" for flag in flags)

    def model(i: Pins) -> Outputs:
        extend = i.extend if with_carry else 0
        operand = to_bits(~i.b, width) if i.sub else i.b
        whole = i.a + operand + (i.sub ^ extend)
        value = to_bits(whole, width)
        by = -to_signed(i.b, width) - extend if i.sub else to_signed(i.b, width) + extend
        exact = to_signed(i.a, width) + by
        carry = whole >> width
        out = {
            "sum": value,
            "carry_out": carry ^ (i.sub if borrows else 0),
            "overflow": int(exact != to_signed(value, width)),
            "zero": int(value == 0),
            "negative": value >> (width - 1),
            "parity": value.bit_count() & 1,
            "less": int(bool(i.sub and exact < 0)),
        }
        return {name: out[name] for name in ("sum", "carry_out", "overflow", *flags)}

    said = {
        "zero": "`zero` is high where `sum` is 0",
        "negative": "`negative` is its highest bit",
        "parity": "`parity` is the exclusive or of its bits",
        "less": "`less` is high where a subtraction of signed numbers is below zero, even if it does not fit",
    }
    chain = (
        " With `extend`, the carry or borrow of a lower part, the sum is one more and the difference one less."
        if with_carry
        else ""
    )
    top = (
        "is the carry of an addition, and the borrow of a subtraction"
        if borrows
        else "is the carry out of the highest bit, where a subtraction adds the inverse of `b`, so 0 is a borrow"
    )
    return Draft(
        rtl=f"""
module adder_subtractor #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  input logic sub,
  {"input logic extend, // from a lower part" if with_carry else ""}
  output logic [WIDTH-1:0] sum,
  output logic carry_out,
  {chr(10).join(f"output logic {flag}," for flag in flags)}
  output logic overflow
);
  logic carry_top;
  {body}
  assign carry_out = {"carry_top ^ sub" if borrows else "carry_top"};
{assigns}
endmodule
{_FULL_ADDER if variant == 0 else ""}
""",
        about=f"""Adds `a` and `b` of {width} bits, or subtracts `b` from `a` where `sub` is high.{chain} `carry_out`
            {top}. `overflow` is high where the result does not fit as a signed number.
            {"; ".join(said[flag] for flag in flags)}. No clock.""",
        model=model,
        names=("add_sub", "addsub", "ripple_add_sub", "adder_unit"),
        stimulus={
            name: lambda r: r.choice((0, 1, (1 << width) - 1, 1 << (width - 1), *(r.getrandbits(width),) * 5))
            for name in ("a", "b")
        },
        cycles=160,
    )


@family(variants=3)
def toggle_counter(r: Random, variant: int) -> Draft:
    """A counter of toggle flip-flops, each of which turns where all below it are ones."""
    width = r.choice((3, 4, 5, 6))
    down = r.random() < 0.35
    inverse = r.random() < 0.4
    kind = r.choice(("T", "JK"))
    ready = "~count" if down else "count"
    bit = "~count[{k}]" if down else "count[{k}]"
    chain = "\n".join(
        f"  assign toggle[{k}] = " + " & ".join(["en", *(bit.format(k=n) for n in range(k))]) + ";"
        for k in range(width)
    )
    jk = """
      case ({clear_bit[k], toggle[k]})
        2'b01: count[k] <= ~count[k];
        2'b10, 2'b11: count[k] <= 1'b0;
        default: ; // stays
      endcase"""
    unrolled = f"""
{chain}

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (clear) count <= '0;
    else count <= count ^ toggle;
  end
"""
    rippling = f"""
  for (genvar k = 0; k < WIDTH; k++) begin : gen_toggle
    if (k == 0) begin : gen_first
      assign toggle[k] = en;
    end else begin : gen_other
      assign toggle[k] = toggle[k-1] & {"~" if down else ""}count[k-1];
    end

    always_ff @(posedge clk) begin
      if (rst) count[k] <= 1'b0;
      else if (clear) count[k] <= 1'b0;
      else if (toggle[k]) count[k] <= ~count[k];
    end
  end
"""
    cased = f"""
  logic [WIDTH-1:0] clear_bit, below;

  // all bits below are ready to turn over
  always_comb begin
    below = '0;
    below[0] = 1'b1;
    for (int k = 1; k < WIDTH; k++) begin
      below[k] = below[k-1] & {"~" if down else ""}count[k-1];
    end
  end

  assign clear_bit = {{WIDTH{{clear}}}};
  assign toggle = below & {{WIDTH{{en}}}};

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
    end else begin
      for (int k = 0; k < WIDTH; k++) begin
        {jk if kind == "JK" else "count[k] <= (count[k] ^ toggle[k]) & ~clear_bit[k];"}
      end
    end
  end
"""
    body = (unrolled, rippling, cased)[variant]

    def reset(s: State) -> None:
        s.count = 0

    def step(s: State, i: Pins) -> Outputs:
        now = s.count
        whole = (1 << width) - 1
        after = (now + (-1 if down else 1)) & whole
        toggle = now ^ after if i.en else 0
        last = now == 0 if down else now == whole
        out = {"count": now, "toggle": toggle, "ripple_out": int(bool(i.en and last))}
        if inverse:
            out["count_n"] = now ^ whole
        s.count = 0 if i.clear else now ^ toggle
        return out

    return Draft(
        rtl=f"""
module toggle_counter #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic clear,
  output logic [WIDTH-1:0] count,
  {"output logic [WIDTH-1:0] count_n," if inverse else ""}
  output logic [WIDTH-1:0] toggle, // which bits turn over with the next edge
  output logic ripple_out
);
  {body}
  assign ripple_out = en & (&{f"({ready})" if down else ready});
  {"assign count_n = ~count;" if inverse else ""}
endmodule
""",
        about=f"""Synchronous {"down" if down else "up"} counter of {width} toggle flip-flops, which starts at 0. With
            `en`, bit 0 toggles in every cycle, and every other bit where all bits below it are {0 if down else 1}:
            `toggle` shows which bits that is, before `clear`, which sets all to 0 and goes before counting.
            `ripple_out` is high with `en` where all bits are {0 if down else 1}, to enable a further counter.
            {"`count_n` is the inverse of `count`." if inverse else ""}""",
        model=Machine(reset, step),
        names=("t_ff_counter", "sync_counter", "tff_counter", "binary_counter"),
        stimulus={"en": 0.9, "clear": 0.02},
        cycles=150,
    )


@family(variants=3)
def edge_latch(r: Random, variant: int) -> Draft:
    """Remembers for each line that it has changed in the way that counts there, until it is read or cleared."""
    width = r.choice((4, 8, 8, 16))
    rise, fall = 0, 0
    for k in range(width):
        way = r.choice((1, 2, 3))
        rise |= (way & 1) << k
        fall |= (way >> 1) << k
    reads = r.random() < 0.4
    wins = r.random() < 0.6
    clearing = "{WIDTH{read}}" if reads else "ack"
    merged = "(caught & ~gone) | edges" if wins else "(caught | edges) & ~gone"
    first = ("edges[k]", "1'b1") if wins else ("gone[k]", "1'b0")
    second = ("gone[k]", "1'b0") if wins else ("edges[k]", "1'b1")
    vector = f"""
  assign edges = (RISE & line & ~line_prev) | (FALL & ~line & line_prev);

  always_ff @(posedge clk) begin
    if (rst) begin
      line_prev <= '0;
      caught <= '0;
    end else begin
      line_prev <= line;
      caught <= {merged};
    end
  end
"""
    cells = f"""
  always_ff @(posedge clk) begin
    if (rst) line_prev <= '0;
    else line_prev <= line;
  end

  for (genvar k = 0; k < WIDTH; k++) begin : gen_line
    assign edges[k] = line[k] ? (RISE[k] && !line_prev[k]) : (FALL[k] && line_prev[k]);

    always_ff @(posedge clk) begin
      if (rst) caught[k] <= 1'b0;
      else if ({first[0]}) caught[k] <= {first[1]}; // goes first
      else if ({second[0]}) caught[k] <= {second[1]};
    end
  end
"""
    looped = f"""
  logic [WIDTH-1:0] changed, caught_next;

  // a change counts by the level that it leads to
  assign changed = line ^ line_prev;
  assign edges = changed & ((line & RISE) | (~line & FALL));

  always_comb begin
    caught_next = caught;
    for (int k = 0; k < WIDTH; k++) begin
      if ({second[0]}) caught_next[k] = {second[1]};
      if ({first[0]}) caught_next[k] = {first[1]};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      line_prev <= '0;
      caught <= '0;
    end else begin
      line_prev <= line;
      caught <= caught_next;
    end
  end
"""
    body = (vector, cells, looped)[variant]

    def reset(s: State) -> None:
        s.caught = s.prev = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"caught": s.caught, "any_caught": int(s.caught != 0)}
        edges = rise & i.line & ~s.prev | fall & ~i.line & s.prev
        gone = (-1 if i.read else 0) if reads else i.ack
        s.caught = s.caught & ~gone | edges if wins else (s.caught | edges) & ~gone
        s.prev = i.line
        return out

    kinds = {"rising": rise & ~fall, "falling": fall & ~rise, "both": rise & fall}
    listing = "; ".join(
        f"{', '.join(str(k) for k in range(width) if mask >> k & 1)} ({name})" for name, mask in kinds.items() if mask
    )
    clear = (
        "A cycle with `read` clears all bits of it" if reads else "A bit of `ack` that is 1 clears the same bit of it"
    )
    return Draft(
        rtl=f"""
module edge_latch #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic [WIDTH-1:0] line,
  {"input logic read," if reads else "input logic [WIDTH-1:0] ack,"}
  output logic [WIDTH-1:0] caught,
  output logic any_caught
);
  localparam logic [WIDTH-1:0] RISE = {width}'b{rise:0{width}b};
  localparam logic [WIDTH-1:0] FALL = {width}'b{fall:0{width}b};
  logic [WIDTH-1:0] line_prev, edges, gone;

  assign gone = {clearing};
  assign any_caught = |caught;
  {body}
endmodule
""",
        about=f"""Catches edges on {width} lines. The edges that count, by the number of the line: {
            listing
        }. Such an edge
            of `line`, against the cycle before (0 after reset), sets the line's bit of `caught` from the next cycle on.
            {clear}; where an edge comes in the same cycle, {
            "the edge goes first and is kept" if wins else "clearing goes first and the edge is lost"
        }. `any_caught` is high while any bit is set. All bits start at 0.""",
        model=Machine(reset, step),
        names=("edge_catcher", "edge_capture_reg", "sticky_edges", "pin_change"),
        stimulus={
            "read": 0.2,
            "ack": lambda r: r.getrandbits(width) & r.getrandbits(width),
        },
        cycles=120,
    )
