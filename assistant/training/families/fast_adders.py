"""Adders that save time, and sums of many things at once."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits


@family(variants=3)
def carry_select_adder(r: Random, variant: int) -> Draft:
    """Both sums of each group are ready when the carry comes."""
    group, groups = r.choice(((2, 4), (4, 2), (4, 4), (3, 3), (8, 2)))
    width = group * groups
    subtracts = r.random() < 0.5
    flags = r.random() < 0.5
    port = "  input logic subtract,\n" if subtracts else "  input logic cin,\n"
    other = "b ^ {WIDTH{subtract}}" if subtracts else "b"
    carry_in = "subtract" if subtracts else "cin"
    overflow = "  output logic overflow, // of signed numbers\n" if flags else ""
    unrolled = "\n\n".join(
        f"  assign plain_{k} = a[{top}:{bottom}] + other[{top}:{bottom}];\n"
        f"  assign more_{k} = a[{top}:{bottom}] + other[{top}:{bottom}] + 1'b1;\n"
        f"  assign {{carry[{k + 1}], sum[{top}:{bottom}]}} = carry[{k}] ? more_{k} : plain_{k};"
        for k, top, bottom in ((k, k * group + group - 1, k * group) for k in range(groups))
    )
    declared = ", ".join(f"plain_{k}, more_{k}" for k in range(groups))
    body = (
        f"""
  for (genvar k = 0; k < GROUPS; k++) begin : gen_group
    logic [GROUP:0] plain, more; // without and with a carry into the group

    assign plain = a[k*GROUP +: GROUP] + other[k*GROUP +: GROUP];
    assign more = a[k*GROUP +: GROUP] + other[k*GROUP +: GROUP] + 1'b1;
    assign sum[k*GROUP +: GROUP] = carry[k] ? more[GROUP-1:0] : plain[GROUP-1:0];
    assign carry[k+1] = carry[k] ? more[GROUP] : plain[GROUP];
  end

  assign carry[0] = {carry_in};
""",
        f"""
  logic [GROUP:0] {declared};

  assign carry[0] = {carry_in};
  // each group adds twice, and the carry chooses
{unrolled}
""",
        f"""
  logic [GROUP:0] plain, more;

  always_comb begin
    carry = '0;
    carry[0] = {carry_in};
    sum = '0;
    plain = '0;
    more = '0;
    for (int i = 0; i < GROUPS; i++) begin
      plain = {{1'b0, a[i*GROUP +: GROUP]}} + {{1'b0, other[i*GROUP +: GROUP]}};
      more = plain + 1'b1;
      if (carry[i]) sum[i*GROUP +: GROUP] = more[GROUP-1:0];
      else sum[i*GROUP +: GROUP] = plain[GROUP-1:0];
      carry[i+1] = plain[GROUP] | (carry[i] & more[GROUP]);
    end
  end
""",
    )[variant]
    sign = (
        "assign overflow = (a[WIDTH-1] == other[WIDTH-1]) && (sum[WIDTH-1] != a[WIDTH-1]);",
        "assign overflow = (a[WIDTH-1] ^ sum[WIDTH-1]) & (other[WIDTH-1] ^ sum[WIDTH-1]);",
        "assign overflow = (a[WIDTH-1] & other[WIDTH-1] & ~sum[WIDTH-1])"
        " | (~a[WIDTH-1] & ~other[WIDTH-1] & sum[WIDTH-1]);",
    )[variant]

    def model(i: Pins) -> Outputs:
        other_value = i.b ^ ((1 << width) - 1) if subtracts and i.subtract else i.b
        total = i.a + other_value + (i.subtract if subtracts else i.cin)
        value = to_bits(total, width)
        out = {"sum": value, "cout": total >> width}
        if flags:
            top = width - 1
            out["overflow"] = int(i.a >> top == other_value >> top != value >> top)
        return out

    what = (
        "`sum` is `a` minus `b` where `subtract` is high, else `a` plus `b`. `cout` is the carry (when subtracting, 1"
        " means that there is no borrow)"
        if subtracts
        else "`sum` is `a` plus `b` plus `cin`, and `cout` the carry"
    )
    return Draft(
        rtl=f"""
module carry_select_adder #(
  parameter int GROUP = {group}, // bits
  parameter int GROUPS = {groups}
) (
{port}  input logic [GROUP*GROUPS-1:0] a,
  input logic [GROUP*GROUPS-1:0] b,
{overflow}  output logic cout,
  output logic [GROUP*GROUPS-1:0] sum
);
  localparam int WIDTH = GROUP * GROUPS;
  logic [WIDTH-1:0] other;
  logic [GROUPS:0] carry; // into each group

  assign other = {other};
  {body}
  assign cout = carry[GROUPS];
  {sign if flags else ""}
endmodule
""",
        about=f"""Carry-select adder of {width} bits in {groups} groups of {group} bits: each group has its sum ready
            without and with a carry, and the carry of the group below chooses. Combinational. {what}.{
            " `overflow` is high where the result, as a signed number, does not fit." if flags else ""
        }""",
        model=model,
        names=("csel_adder", "carry_select", "select_adder"),
        cycles=160,
    )


@family(variants=3)
def carry_skip_adder(r: Random, variant: int) -> Draft:
    """Carries ripple within a group, and pass by it where all of its bits propagate."""
    group, groups = r.choice(((2, 3), (4, 2), (4, 4), (3, 4), (5, 2)))
    width = group * groups
    generous = r.random() < 0.5
    skipped = "  output logic [GROUPS-1:0] skipped, // groups that a carry has passed by\n" if generous else ""
    flat = "\n".join(
        f"  assign ripple[{k + 1}] = (a[{k}] & b[{k}]) | (p[{k}] & "
        f"{f'carry[{k // group}]' if k % group == 0 else f'ripple[{k}]'});"
        for k in range(width)
    )
    skips = "\n".join(
        f"  assign carry[{k + 1}] = (&p[{k * group + group - 1}:{k * group}]) ? carry[{k}] :"
        f" ripple[{k * group + group}];"
        for k in range(groups)
    )
    sums = "\n".join(
        f"  assign sum[{k}] = p[{k}] ^ {f'carry[{k // group}]' if k % group == 0 else f'ripple[{k}]'};"
        for k in range(width)
    )
    body = (
        """
  for (genvar k = 0; k < GROUPS; k++) begin : gen_group
    logic [GROUP:0] ripple;

    assign ripple[0] = carry[k];
    for (genvar m = 0; m < GROUP; m++) begin : gen_bit
      assign ripple[m+1] = (a[k*GROUP+m] & b[k*GROUP+m]) | (p[k*GROUP+m] & ripple[m]);
      assign sum[k*GROUP+m] = p[k*GROUP+m] ^ ripple[m];
    end
    assign pass[k] = &p[k*GROUP +: GROUP];
    assign carry[k+1] = pass[k] ? carry[k] : ripple[GROUP]; // the short way
  end

  assign carry[0] = cin;
""",
        f"""
  logic [WIDTH:0] ripple; // carries within the groups

  assign ripple[0] = cin;
  assign carry[0] = cin;

{flat}

  // a group whose bits all propagate lets the carry by
{skips}

{sums}

  assign pass = {{{", ".join(f"&p[{k * group + group - 1}:{k * group}]" for k in reversed(range(groups)))}}};
""",
        """
  logic c; // the carry on its way

  always_comb begin
    carry = '0;
    carry[0] = cin;
    sum = '0;
    pass = '0;
    c = cin;
    for (int i = 0; i < GROUPS; i++) begin
      pass[i] = 1'b1;
      c = carry[i];
      for (int j = 0; j < GROUP; j++) begin
        sum[i*GROUP+j] = p[i*GROUP+j] ^ c;
        if (!p[i*GROUP+j]) begin
          c = a[i*GROUP+j]; // both bits are the same: made or stopped here
          pass[i] = 1'b0;
        end
      end
      carry[i+1] = pass[i] ? carry[i] : c;
    end
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        total = i.a + i.b + i.cin
        out = {"sum": to_bits(total, width), "cout": total >> width}
        if generous:
            passed = 0
            for k in range(groups):
                low = k * group
                mask = (1 << low) - 1
                carry = ((i.a & mask) + (i.b & mask) + i.cin) >> low & 1
                whole = (i.a ^ i.b) >> low & ((1 << group) - 1) == (1 << group) - 1
                passed |= int(bool(whole and carry)) << k
            out["skipped"] = passed
        return out

    full = (1 << width) - 1

    def drive(r: Random, s: State) -> dict[str, int]:
        a = r.getrandbits(width)
        flips = 0
        for _ in range(r.choice((0, 1, 1, 2, 4))):
            flips |= 1 << r.randrange(width)
        return {"a": a, "b": a ^ full ^ flips} if r.random() < 0.7 else {}

    return Draft(
        rtl=f"""
module carry_skip_adder #(
  parameter int GROUP = {group},
  parameter int GROUPS = {groups}
) (
  input logic cin,
  input logic [GROUP*GROUPS-1:0] a,
  input logic [GROUP*GROUPS-1:0] b,
{skipped}  output logic cout,
  output logic [GROUP*GROUPS-1:0] sum
);
  localparam int WIDTH = GROUP * GROUPS;
  logic [WIDTH-1:0] p; // propagate
  logic [GROUPS-1:0] pass;
  logic [GROUPS:0] carry; // into each group

  assign p = a ^ b;
  {body}
  assign cout = carry[GROUPS];
  {"assign skipped = pass & carry[GROUPS-1:0];" if generous else ""}
endmodule
""",
        about=f"""Carry-skip adder of {width} bits in {groups} groups of {group}: `sum` and `cout` are `a` plus `b` plus
            `cin`, combinational. The carry into a group is also its carry out where in all of its bits exactly one of
            `a` and `b` is 1; otherwise its carry ripples.{
            " Bit k of `skipped` says that a carry of 1 came into group k and was passed by." if generous else ""
        }""",
        model=model,
        names=("skip_adder", "carry_bypass_adder", "cska"),
        drive=drive,
        cycles=160,
    )


@family(variants=3)
def prefix_adder(r: Random, variant: int) -> Draft:
    """Carries by a tree of groups that generate or propagate."""
    width = r.choice((4, 8, 8, 16))
    levels = width.bit_length() - 1
    stage = r.random() < 0.4
    compare = r.random() < 0.4
    kogge = "\n".join(
        f"""
  for (genvar k = 0; k < WIDTH; k++) begin : gen_level_{n}
    if (k >= {1 << n}) begin : gen_join
      assign g_{n + 1}[k] = g_{n}[k] | (p_{n}[k] & g_{n}[k-{1 << n}]);
      assign p_{n + 1}[k] = p_{n}[k] & p_{n}[k-{1 << n}];
    end else begin : gen_keep
      assign g_{n + 1}[k] = g_{n}[k];
      assign p_{n + 1}[k] = p_{n}[k];
    end
  end"""
        for n in range(levels)
    )
    shifted = "\n".join(
        f"  assign g_{n + 1} = g_{n} | (p_{n} & (g_{n} << {1 << n}));\n"
        f"  assign p_{n + 1} = p_{n} & ((p_{n} << {1 << n}) | {width}'d{(1 << (1 << n)) - 1});"
        for n in range(levels)
    )
    names = ", ".join(f"g_{n}, p_{n}" for n in range(1, levels + 1))
    body = (
        f"""
  logic [WIDTH-1:0] {names};
{kogge}

  assign group_g = g_{levels};
  assign group_p = p_{levels};
""",
        f"""
  logic [WIDTH-1:0] {names};

  // each level looks twice as far down
{shifted}

  assign group_g = g_{levels};
  assign group_p = p_{levels};
""",
        f"""
  always_comb begin
    group_g = g_0;
    group_p = p_0;
    for (int level = 0; level < {levels}; level++) begin
      // the lower half of each pair is complete already
      for (int i = 0; i < WIDTH; i++) begin
        if (i[level]) begin
          group_g[i] = group_g[i] | (group_p[i] & group_g[((i >> level) << level) - 1]);
          group_p[i] = group_p[i] & group_p[((i >> level) << level) - 1];
        end
      end
    end
  end
""",
    )[variant]
    names_out = "  output logic equal, // a and b are complements of each other\n" if compare else ""
    final = """
  // the carry into a bit comes from all bits below it
  assign carry[0] = cin;
  assign carry[WIDTH:1] = group_g | (group_p & {WIDTH{cin}});
"""
    if stage:
        clocking = "  input logic clk,\n  input logic rst,\n  input logic valid,\n"
        ends = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      sum <= '0;
      cout <= 1'b0;
      {"equal <= 1'b0;" if compare else ""}
    end else begin
      out_valid <= valid;
      if (valid) begin
        sum <= p_0 ^ carry[WIDTH-1:0];
        cout <= carry[WIDTH];
        {"equal <= group_p[WIDTH-1];" if compare else ""}
      end
    end
  end
"""
    else:
        clocking = ""
        ends = f"""
  assign sum = p_0 ^ carry[WIDTH-1:0];
  assign cout = carry[WIDTH];
  {"assign equal = group_p[WIDTH-1];" if compare else ""}
"""
    full = (1 << width) - 1

    def answer(i: Pins) -> dict[str, int]:
        total = i.a + i.b + i.cin
        out = {"sum": to_bits(total, width), "cout": total >> width}
        if compare:
            out["equal"] = int(i.a ^ i.b == full)
        return out

    def reset(s: State) -> None:
        s.valid, s.out = 0, {"sum": 0, "cout": 0} | ({"equal": 0} if compare else {})

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, **s.out}
        s.valid = i.valid
        if i.valid:
            s.out = answer(i)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        a = r.getrandbits(width)
        return {"a": a, "b": a ^ full ^ r.choice((0, 1 << r.randrange(width)))} if r.random() < 0.4 else {}

    return Draft(
        rtl=f"""
module prefix_adder #(
  parameter int WIDTH = {width}
) (
{clocking}  input logic cin,
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
{"  output logic out_valid," + chr(10) if stage else ""}{names_out}  output logic cout,
  output logic [WIDTH-1:0] sum
);
  logic [WIDTH-1:0] g_0, p_0; // of single bits
  logic [WIDTH-1:0] group_g, group_p; // of all bits from the lowest up to this one
  logic [WIDTH:0] carry;

  assign g_0 = a & b;
  assign p_0 = a ^ b;
  {body}{final}{ends}endmodule
""",
        about=f"""Parallel-prefix adder of {width} bits: `sum` and `cout` are `a` plus `b` plus `cin`{
            ", in the cycle after `valid`, with `out_valid`; they stay until the next" if stage else ", combinational"
        }. From generate (both bits set) and propagate (one bit set) of single bits, {levels} levels work out whether
            all bits from the lowest up to each one generate or propagate a carry.{
            " `equal` says that all bits together propagate: `a` and `b` are complements." if compare else ""
        }""",
        model=Machine(reset, step) if stage else answer,
        names=("kogge_stone" if variant < 2 else "sklansky_adder", "parallel_prefix_adder", "tree_adder"),
        stimulus={"valid": 0.85},
        drive=drive,
        cycles=140,
    )


@family(variants=3)
def column_compressor(r: Random, variant: int) -> Draft:
    """Many numbers become two by full adders, level by level, and only then there is one real addition."""
    width, count = r.choice((4, 6, 8)), r.choice((4, 5, 6))
    total = width + 3
    piped = r.random() < 0.6
    flat = ", ".join(f"x_{k}" for k in range(count))
    takes = "\n".join(f"  assign x_{k} = {{3'b000, terms[{k * width + width - 1}:{k * width}]}};" for k in range(count))
    lines: list[str] = []
    rows = [f"x_{k}" for k in range(count)]
    declared: list[str] = []
    number = 0
    while len(rows) > 2:
        following: list[str] = []
        while len(rows) >= 3:
            one, two, three, *rows = rows
            s_name, c_name = f"sum_{number}", f"carry_{number}"
            number += 1
            declared += [s_name, c_name]
            if variant == 0:
                lines.append(f"  assign {s_name} = {one} ^ {two} ^ {three};")
                lines.append(f"  assign {c_name} = (({one} & {two}) | ({one} & {three}) | ({two} & {three})) << 1;")
            elif variant == 1:
                lines.append(
                    f"  compressor_row u_row_{number - 1} (\n    .a({one}),\n    .b({two}),\n    .c({three}),\n"
                    f"    .sum({s_name}),\n    .carry({c_name})\n  );"
                )
            else:
                lines.append(f"  assign {s_name} = odd({one}, {two}, {three});")
                lines.append(f"  assign {c_name} = {{most({one}, {two}, {three}), 1'b0}};")
            following += [s_name, c_name]
        rows = following + rows
    first, second = rows
    functions = """
  function automatic logic [TOTAL-1:0] odd(
    input logic [TOTAL-1:0] a, input logic [TOTAL-1:0] b, input logic [TOTAL-1:0] c
  );
    odd = a ^ b ^ c;
  endfunction

  function automatic logic [TOTAL-1:0] most(
    input logic [TOTAL-1:0] a, input logic [TOTAL-1:0] b, input logic [TOTAL-1:0] c
  );
    most = (a & b) | ((a ^ b) & c);
  endfunction
"""
    helper = """
// a row of full adders
module compressor_row #(
  parameter int TOTAL = 8
) (
  input logic [TOTAL-1:0] a,
  input logic [TOTAL-1:0] b,
  input logic [TOTAL-1:0] c,
  output logic [TOTAL-1:0] sum,
  output logic [TOTAL-1:0] carry // for the next higher bits
);
  logic [TOTAL-1:0] half;

  assign half = a ^ b;
  assign sum = half ^ c;
  assign carry = ((a & b) | (half & c)) << 1;
endmodule
""".replace("TOTAL = 8", f"TOTAL = {total}")
    stage = (
        f"""
  // the addition has a cycle of its own
  always_ff @(posedge clk) begin
    if (rst) begin
      left <= '0;
      right <= '0;
      stage_valid <= 1'b0;
      out_valid <= 1'b0;
      result <= '0;
    end else begin
      stage_valid <= valid;
      out_valid <= stage_valid;
      if (valid) begin
        left <= {first};
        right <= {second};
      end
      if (stage_valid) result <= left + right;
    end
  end
"""
        if piped
        else f"""
  assign left = {first};
  assign right = {second};
  assign stage_valid = valid;

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      result <= '0;
    end else begin
      out_valid <= stage_valid;
      if (stage_valid) result <= left + right;
    end
  end
"""
    )

    def reset(s: State) -> None:
        s.due, s.valid, s.result = None, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "result": s.result}
        mask = (1 << width) - 1
        value = sum(i.terms >> (k * width) & mask for k in range(count)) if i.valid else None
        ready = s.due if piped else value
        s.due = value
        s.valid = int(ready is not None)
        if ready is not None:
            s.result = ready
        return out

    return Draft(
        rtl=f"""{helper if variant == 1 else ""}
module column_compressor #(
  parameter int WIDTH = {width},
  parameter int COUNT = {count}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [COUNT*WIDTH-1:0] terms, // the first one lowest
  output logic out_valid,
  output logic [WIDTH+2:0] result
);
  localparam int TOTAL = WIDTH + 3;
  logic [TOTAL-1:0] {flat};
  logic [TOTAL-1:0] {", ".join(declared)};
  logic [TOTAL-1:0] left, right; // what is left to add
  logic stage_valid;
{functions if variant == 2 else ""}
{takes}

  // three rows become two, without carries that ripple
{chr(10).join(lines)}
{stage}endmodule
""",
        about=f"""Adds {count} unsigned {width}-bit numbers from `terms` (the first in the lowest bits) with carry-save
            rows: each takes three numbers to a sum (exclusive or) and a carry (majority, one place up), until two are
            left, which are added. `result`, {total} bits, follows `valid` after {
            "two cycles (the two numbers are registered)" if piped else "one cycle"
        }, with `out_valid`, and stays until the next.""",
        model=Machine(reset, step),
        names=("wallace_adder", "multi_operand_adder", "compressor_tree"),
        stimulus={"valid": 0.85},
    )


@family(variants=3)
def absolute_differences(r: Random, variant: int) -> Draft:
    """How unlike two blocks of pixels are: the sum of absolute differences."""
    width, lanes = r.choice((4, 6, 8)), r.choice((1, 2, 4))
    rows = r.choice((2, 4, 8))
    total = width + (lanes * rows).bit_length()
    early = r.random() < 0.5
    bits = (rows - 1).bit_length()

    def lane(name: str, k: int | str) -> str:
        if lanes == 1:
            return name
        return f"{name}[{k * width + width - 1}:{k * width}]" if isinstance(k, int) else f"{name}[{k}*WIDTH +: WIDTH]"

    port = "  input logic [TOTAL-1:0] limit,\n" if early else ""
    out_port = "  output logic match, // not above the limit\n" if early else ""
    ternaries = "\n".join(
        f"  assign apart_{k} = ({lane('a', k)} > {lane('b', k)}) ? {lane('a', k)} - {lane('b', k)} :"
        f" {lane('b', k)} - {lane('a', k)};"
        for k in range(lanes)
    )
    body = (
        f"""
  logic [WIDTH-1:0] {", ".join(f"apart_{k}" for k in range(lanes))};

{ternaries}
  assign row = {" + ".join(f"apart_{k}" for k in range(lanes))};
  assign last = valid && (count == ROWS - 1);
  assign sum = acc + row;

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      acc <= '0;
      done <= 1'b0;
      sad <= '0;
      {"match <= 1'b0;" if early else ""}
    end else begin
      done <= last;
      if (last) begin
        sad <= sum;
        {"match <= (sum <= limit);" if early else ""}
        acc <= '0;
        count <= '0;
      end else if (valid) begin
        acc <= sum;
        count <= count + 1'b1;
      end
    end
  end
""",
        f"""
  logic signed [WIDTH:0] difference;

  // the sizes of all differences in this row
  always_comb begin
    row = '0;
    difference = '0;
    for (int i = 0; i < LANES; i++) begin
      difference = $signed({{1'b0, {lane("a", "i")}}}) - $signed({{1'b0, {lane("b", "i")}}});
      if (difference < 0) difference = -difference;
      row = row + difference[WIDTH-1:0];
    end
  end

  assign last = valid & (&count);

  always_comb begin
    sum = row;
    if (count != 0) sum = sum + acc;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      acc <= '0;
    end else if (valid) begin
      count <= count + 1'b1;
      acc <= sum;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
      sad <= '0;
      {"match <= 1'b0;" if early else ""}
    end else begin
      done <= last;
      if (last) sad <= sum;
      {"if (last) match <= !(sum > limit);" if early else ""}
    end
  end
""",
        f"""
  function automatic logic [WIDTH-1:0] distance(input logic [WIDTH-1:0] p, input logic [WIDTH-1:0] q);
    logic [WIDTH:0] gap;
    gap = {{1'b0, p}} - {{1'b0, q}};
    distance = gap[WIDTH] ? ~gap[WIDTH-1:0] + 1'b1 : gap[WIDTH-1:0];
  endfunction

  assign row = {" + ".join(f"distance({lane('a', k)}, {lane('b', k)})" for k in range(lanes))};
  assign last = (count == 0) && valid;
  assign sum = row + acc;

  always_ff @(posedge clk) begin
    if (rst) count <= ROWS - 1; // rows to come after this one
    else if (valid) count <= (count == 0) ? ROWS - 1 : count - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) acc <= '0;
    else if (valid) acc <= last ? '0 : sum;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
      sad <= '0;
      {"match <= 1'b0;" if early else ""}
    end else if (last) begin
      done <= 1'b1;
      sad <= sum;
      {"match <= ~(limit < sum);" if early else ""}
    end else begin
      done <= 1'b0;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.rows, s.done, s.sad, s.match = [], 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"done": s.done, "sad": s.sad} | ({"match": s.match} if early else {})
        s.done = 0
        if i.valid:
            mask = (1 << width) - 1
            s.rows.append(sum(abs((i.a >> (k * width) & mask) - (i.b >> (k * width) & mask)) for k in range(lanes)))
            if len(s.rows) == rows:
                s.sad, s.done, s.rows = sum(s.rows), 1, []
                s.match = int(early and s.sad <= i.limit)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        values: dict[str, int] = {}
        if early:
            values["limit"] = max(0, min((1 << total) - 1, sum(s.rows) + r.randint(-4, 1 << width)))
        if r.random() < 0.4:
            a = r.getrandbits(width * lanes)
            values |= {"a": a, "b": a ^ r.getrandbits(2)}
        return values

    pixels = f"{lanes} pixels" if lanes > 1 else "one pixel"
    return Draft(
        rtl=f"""
module absolute_differences #(
  parameter int WIDTH = {width},
  parameter int LANES = {lanes},
  parameter int ROWS = {rows},
  parameter int TOTAL = {total}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [LANES*WIDTH-1:0] a,
  input logic [LANES*WIDTH-1:0] b,
{port}  output logic done,
{out_port}  output logic [TOTAL-1:0] sad
);
  logic [{bits - 1}:0] count;
  logic [TOTAL-1:0] acc, row, sum;
  logic last; // row of a block
  {body}
endmodule
""",
        about=f"""Sum of absolute differences of two blocks. Each `valid` brings a row of {pixels} of {
            width
        } bits of each
            block in `a` and `b`; after {rows} rows `sad` is the sum of |a - b| over all {lanes * rows} pixels, from the
            next cycle on, and `done` is high for one cycle.{
            " `match` then says whether it is not above the `limit` at the last row." if early else ""
        } The next block may follow at once.""",
        model=Machine(reset, step),
        names=("sad_unit", "block_matcher", "sum_abs_diff"),
        stimulus={"valid": 0.85},
        drive=drive,
        cycles=150,
    )
