"""Functions given as tables: a few inputs, a few outputs, and gates between them."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.boolean import cover, depends_on_all, product_of_sums, sum_of_products
from veriloop.assistant.training.draft import Draft, Outputs, Pins, family


def _table(r: Random, bits: int) -> list[int]:
    """The inputs for which a function is 1; it depends on all of them."""
    while True:
        ones = sorted(r.sample(range(1 << bits), r.randrange((1 << bits) // 4 + 1, (1 << bits) * 3 // 4)))
        if depends_on_all(ones, bits):
            return ones


def _listed(values: list[int]) -> str:
    return ", ".join(map(str, values))


@family(variants=4)
def truth_table_function(r: Random, variant: int) -> Draft:
    """One or two functions of three or four inputs, by their tables."""
    bits = r.choice((3, 3, 4))
    vector = r.random() < 0.4
    letters = r.choice((("a", "b", "c", "d"), ("p", "q", "r", "s"), ("w", "x", "y", "z")))[:bits]
    outputs = r.choice((("f",), ("f", "g"), ("g", "h")))
    if set(outputs) & set(letters):
        outputs = ("f",)
    tables = {name: _table(r, bits) for name in outputs}
    word = "x" if vector else f"{{{', '.join(letters)}}}"
    names = [f"x[{k}]" for k in reversed(range(bits))] if vector else list(letters)
    equations = "\n".join(
        f"  assign {name} = {sum_of_products(cover(ones, bits), names)};" for name, ones in tables.items()
    )
    constants = "\n".join(
        f"  localparam logic [{(1 << bits) - 1}:0] {name.upper()}_TABLE ="
        f" {1 << bits}'b{sum(1 << k for k in ones):0{1 << bits}b};"
        for name, ones in tables.items()
    )
    looked_up = "\n".join(f"  assign {name} = {name.upper()}_TABLE[{word}];" for name in tables)
    processes = "\n".join(
        f"""
  always_comb begin
    case ({word})
      {", ".join(f"{bits}'b{k:0{bits}b}" for k in ones)}: {name} = 1'b1;
      default: {name} = 1'b0;
    endcase
  end
"""
        for name, ones in tables.items()
    )
    first, *others = names
    half = 1 << (bits - 1)
    halves = "\n".join(
        f"""
  // what is left of `{name}` for either value of `{first}`
  assign {name}_low = {sum_of_products(cover([k for k in ones if k < half], bits - 1), others)};
  assign {name}_high = {sum_of_products(cover([k - half for k in ones if k >= half], bits - 1), others)};
  assign {name} = {first} ? {name}_high : {name}_low;
"""
        for name, ones in tables.items()
    )
    split = f"  logic {', '.join(f'{name}_low, {name}_high' for name in tables)};\n{halves}"
    body = (equations, processes, f"{constants}\n{looked_up}", split)[variant]

    def model(i: Pins) -> Outputs:
        number = i.x if vector else sum(getattr(i, name) << (bits - 1 - k) for k, name in enumerate(letters))
        return {name: int(number in ones) for name, ones in tables.items()}

    ports = [f"input logic [{bits - 1}:0] x"] if vector else [f"input logic {name}" for name in letters]
    ports += [f"output logic {name}" for name in outputs]
    said = "`x`" if vector else f"the number {{{', '.join(f'`{name}`' for name in letters)}}}"
    order = "" if vector else f" (`{letters[0]}` is its highest bit)"
    whole = range(1 << bits)
    high = "; ".join(f"`{name}` is 1 for {_listed(ones)}" for name, ones in tables.items())
    low = "; ".join(
        f"`{name}` is 0 for {_listed([k for k in whole if k not in ones])}" for name, ones in tables.items()
    )
    strings = "; ".join(f"`{name}`: {' '.join(str(int(k in ones)) for k in whole)}" for name, ones in tables.items())
    top = (1 << bits) - 1
    return Draft(
        rtl=f"""
module truth_table_function (
  {", ".join(ports)}
);
  {body}
endmodule
""",
        about=(
            f"Combinational logic by a truth table. Taking {said} as an index{order}: {high}. For all others 0.",
            f"""Logic of {bits} inputs without a clock, where the outputs depend on {said}{order}: {low}; everything
            else gives 1.""",
            f"""Truth table over {said}{order}, the outputs for 0 to {top} in this order. {strings}.""",
        ),
        model=model,
        names=("logic_function", "comb_logic", "sop_logic", "truth_table", "gates"),
    )


@family(variants=3)
def karnaugh_function(r: Random, variant: int) -> Draft:
    """A function of four inputs, some of which never come together."""
    letters = r.choice((("a", "b", "c", "d"), ("a", "b", "c", "d"), ("w", "x", "y", "z")))
    vector = r.random() < 0.35
    while True:
        order = r.sample(range(16), 16)
        count, idle = r.randrange(4, 8), r.randrange(3, 6)
        ones, free = sorted(order[:count]), sorted(order[count : count + idle])
        zeros = sorted(order[count + idle :])
        if depends_on_all(ones, 4) and len(cover(ones, 4, free)) > 1 and len(cover(zeros, 4, free)) > 1:
            break
    names = [f"x[{k}]" for k in (3, 2, 1, 0)] if vector else list(letters)
    word = "x" if vector else f"{{{', '.join(letters)}}}"
    cubes, holes = cover(ones, 4, free), cover(zeros, 4, free)
    terms = "\n".join(f"  assign term_{k} = {sum_of_products([cube], names)};" for k, cube in enumerate(cubes))
    sops = f"""
  logic {", ".join(f"term_{k}" for k in range(len(cubes)))};

  // the fewest products that cover the ones
{terms}
  assign f = {" | ".join(f"term_{k}" for k in range(len(cubes)))};
"""
    sums = f"""
  // each sum keeps some of the zeros away
  assign f = {product_of_sums(holes, names)};
"""
    cased = f"""
  always_comb begin
    case ({word})
      {", ".join(f"4'd{k}" for k in ones)}: f = 1'b1;
      {", ".join(f"4'd{k}" for k in zeros)}: f = 1'b0;
      default: f = 1'b{r.getrandbits(1)}; // never comes
    endcase
  end
"""
    body = (sops, sums, cased)[variant]

    def model(i: Pins) -> Outputs:
        number = i.x if vector else sum(getattr(i, name) << (3 - k) for k, name in enumerate(letters))
        return {"f": None if number in free else int(number in ones)}

    ports = ["input logic [3:0] x"] if vector else [f"input logic {name}" for name in letters]
    said = "`x`" if vector else f"{{{', '.join(f'`{name}`' for name in letters)}}}"
    return Draft(
        rtl=f"""
module karnaugh_function (
  {", ".join(ports)},
  output logic f
);
  {body}
endmodule
""",
        about=(
            f"""Function of four inputs with don't-cares. With the number {said}: `f` is 1 for {_listed(ones)} and 0 for
            {_listed(zeros)}. The inputs {_listed(free)} never occur, and what `f` is for them does not matter.""",
            f"""`f` is the function of {said} with the minterms {_listed(ones)} and the don't-cares {_listed(free)}; it
            may be anything for the latter, to save gates.""",
        ),
        model=model,
        names=("kmap", "minimised_logic", "dont_care_logic", "logic_fn"),
    )


_DIGITS = {
    "8421": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    "excess-3": [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    "2421": [0, 1, 2, 3, 4, 11, 12, 13, 14, 15],
    "5421": [0, 1, 2, 3, 4, 8, 9, 10, 11, 12],
    "Gray": [0, 1, 3, 2, 6, 7, 5, 4, 12, 13],
}
"""Ways to write a decimal digit with four bits."""


@family(variants=3)
def digit_recoder(r: Random, variant: int) -> Draft:
    """Turns a decimal digit from one four-bit code into another."""
    source, target = r.sample(tuple(_DIGITS), 2)
    old, new = _DIGITS[source], _DIGITS[target]
    flagged = r.random() < 0.6
    free = [k for k in range(16) if k not in old]
    names = [f"code[{k}]" for k in (3, 2, 1, 0)]
    arms = "\n".join(
        f"      4'b{a:04b}: recoded = 4'b{b:04b}; // digit {k}" for k, (a, b) in enumerate(zip(old, new, strict=True))
    )
    lines = "\n".join(
        f"  assign recoded[{k}] ="
        f" {sum_of_products(cover([a for a, b in zip(old, new, strict=True) if b >> k & 1], 4, free), names)};"
        for k in (3, 2, 1, 0)
    )
    decode = "\n".join(f"      4'b{a:04b}: digit = 4'd{k};" for k, a in enumerate(old))
    encode = "\n".join(f"      4'd{k}: recoded = 4'b{b:04b};" for k, b in enumerate(new))
    bad = f"\n  assign error = {sum_of_products(cover(free, 4), names)};" if flagged else ""
    cased = f"""
  always_comb begin
    {"error = 1'b0;" if flagged else ""}
    case (code)
{arms}
      default: begin
        recoded = 4'd0;
        {"error = 1'b1;" if flagged else ""}
      end
    endcase
  end
"""
    twice = f"""
  logic [3:0] digit;

  // first which digit it is
  always_comb begin
    case (code)
{decode}
      default: digit = 4'd15; // none
    endcase
  end

  // then how it is written
  always_comb begin
    case (digit)
{encode}
      default: recoded = 4'd0;
    endcase
  end
{"  assign error = (digit == 4'd15);" if flagged else ""}
"""
    body = (cased, f"  // the six codes of no digit help to keep the equations short\n{lines}\n{bad}", twice)[variant]

    def model(i: Pins) -> Outputs:
        known = i.code in old
        out: dict[str, int | None] = {"recoded": new[old.index(i.code)] if known else None}
        if flagged:
            out["error"] = int(not known)
        return out

    pairs = ", ".join(f"{a:04b} to {b:04b}" for a, b in zip(old, new, strict=True))
    rest = "`error` is high, and `recoded` does not matter" if flagged else "`recoded` does not matter"
    return Draft(
        rtl=f"""
module digit_recoder (
  input logic [3:0] code, // {source}
  output logic [3:0] recoded{"," if flagged else ""} // {target}
  {"output logic error" if flagged else ""}
);
  {body}
endmodule
""",
        about=f"""Converts a decimal digit from the {source} code to the {target} code, without a clock. The
            digits 0 to 9 in this order: {pairs}. Where `code` stands for no digit, {rest}.""",
        model=model,
        names=("bcd_code_converter", "digit_converter", "code_converter", "recode_digit"),
    )


@family(variants=3)
def strobed_multiplexer(r: Random, variant: int) -> Draft:
    """One of eight or four lines, as a tree of small multiplexers, with a strobe and both polarities."""
    levels = r.choice((2, 3, 3))
    count = 1 << levels
    low = r.random() < 0.6
    both = r.random() < 0.6
    strobe = "strobe_n" if low else "strobe"
    tree = [f"line[{k}]" for k in range(count)]
    cells: list[str] = []
    for level in range(levels):
        size = len(tree) // 2
        cells += [
            f"  two_way u_{level}_{k} (.low({tree[2 * k]}), .high({tree[2 * k + 1]}), .sel(sel[{level}]),"
            f" .dout(level_{level}[{k}]));"
            for k in range(size)
        ]
        tree = [f"level_{level}[{k}]" for k in range(size)]
    wires = "\n".join(f"  logic [{(count >> level + 1) - 1}:0] level_{level};" for level in range(levels))
    wired = f"""
{wires}

{chr(10).join(cells)}

  assign picked = {tree[0]};
"""
    gates = " |\n    ".join(
        "("
        + " & ".join([*(f"{'' if k >> b & 1 else '~'}sel[{b}]" for b in reversed(range(levels))), f"line[{k}]"])
        + ")"
        for k in range(count)
    )
    folded = f"""
  {"logic [3:0] half;" if levels == 3 else ""}
  logic [1:0] pair;

  // each bit of the number halves what is left, the highest first
  {"assign half = sel[2] ? line[7:4] : line[3:0];" if levels == 3 else ""}
  assign pair = sel[1] ? {"half" if levels == 3 else "line"}[3:2] : {"half" if levels == 3 else "line"}[1:0];
  assign picked = sel[0] ? pair[1] : pair[0];
"""
    body = (wired, folded, f"  assign picked = {gates};")[variant]
    cell = """
module two_way (
  input logic low,
  input logic high,
  input logic sel,
  output logic dout
);
  assign dout = (low & ~sel) | (high & sel);
endmodule
"""

    def model(i: Pins) -> Outputs:
        active = i.strobe_n == 0 if low else i.strobe == 1
        bit = int(active and i.line >> i.sel & 1)
        return {"y": bit, "y_n": 1 - bit} if both else {"y": bit}

    return Draft(
        rtl=f"""
module strobed_multiplexer (
  input logic [{count - 1}:0] line,
  input logic [{levels - 1}:0] sel,
  input logic {strobe}, // {"low" if low else "high"}: the multiplexer is on
  output logic y{"," if both else ""}
  {"output logic y_n" if both else ""}
);
  logic picked;
  {body}
  assign y = picked & {"~" if low else ""}{strobe};
  {"assign y_n = ~y;" if both else ""}
endmodule
{cell if variant == 0 else ""}
""",
        about=f"""{count}-to-1 multiplexer of one bit with a strobe. With `{strobe}` {"low" if low else "high"}, `y` is
            bit number `sel` of `line`; otherwise it is 0. {"`y_n` is always the opposite of `y`." if both else ""}""",
        model=model,
        names=(f"mux{count}_strobe", f"mux_{count}to1", "data_selector", "mux_tree"),
        stimulus={strobe: 0.25 if low else 0.75},
        cycles=140,
    )


@family(variants=3)
def three_enable_decoder(r: Random, variant: int) -> Draft:
    """A decoder that is on only where several enables agree, so that decoders can be put together."""
    bits = r.choice((2, 3, 3))
    count = 1 << bits
    levels = [r.random() < 0.5 for _ in range(r.choice((2, 3)))]
    active_low = r.random() < 0.7
    enables = [f"en_{k}" + ("" if level else "_n") for k, level in enumerate(levels)]
    agree = " & ".join(("" if level else "~") + name for name, level in zip(enables, levels, strict=True))
    out = "select_n" if active_low else "select"
    arms = "\n".join(
        f"        {bits}'d{k}: {out} = {count}'b{(1 << k) ^ ((1 << count) - 1 if active_low else 0):0{count}b};"
        for k in range(count)
    )
    nothing = f"{count}'b{'1' * count if active_low else '0' * count}"
    bars = [[f"{'' if k >> b & 1 else '~'}addr[{b}]" for b in reversed(range(bits))] for k in range(count)]
    lines = "\n".join(
        f"  assign {out}[{k}] = {'~' if active_low else ''}({' & '.join(['on', *bar])});" for k, bar in enumerate(bars)
    )
    halves = bits - 1
    body = (
        f"""
  assign on = {agree};

  always_comb begin
    {out} = {nothing};
    if (on) begin
      case (addr)
{arms}
        default: {out} = {nothing};
      endcase
    end
  end
""",
        f"""
  assign on = {agree};

  // a gate for each line
{lines}
""",
        f"""
  logic [{count - 1}:0] hot;

  assign on = {agree};

  // two decoders of half the size, one for each value of the highest bit
  half_decoder u_lower (.en(on & ~addr[{halves}]), .addr(addr[{halves - 1}:0]), .select(hot[{count // 2 - 1}:0]));
  half_decoder u_upper (.en(on & addr[{halves}]), .addr(addr[{halves - 1}:0]), .select(hot[{count - 1}:{count // 2}]));

  assign {out} = {"~hot" if active_low else "hot"};
""",
    )[variant]
    cell = f"""
module half_decoder (
  input logic en,
  input logic [{halves - 1}:0] addr,
  output logic [{count // 2 - 1}:0] select
);
  for (genvar k = 0; k < {count // 2}; k++) begin : gen_line
    assign select[k] = en & (addr == k);
  end
endmodule
"""

    def model(i: Pins) -> Outputs:
        on = all(getattr(i, name) == level for name, level in zip(enables, levels, strict=True))
        return {out: (1 << i.addr if on else 0) ^ ((1 << count) - 1 if active_low else 0)}

    wanted = ", ".join(f"`{name}` {'high' if level else 'low'}" for name, level in zip(enables, levels, strict=True))
    return Draft(
        rtl=f"""
module three_enable_decoder (
  {chr(10).join(f"input logic {name}," for name in enables)}
  input logic [{bits - 1}:0] addr,
  output logic [{count - 1}:0] {out} // {"low" if active_low else "high"} where selected
);
  logic on; // all enables agree
  {body}
endmodule
{cell if variant == 2 else ""}
""",
        about=f"""{bits}-to-{count} decoder with {len(enables)} enables for cascading. With {wanted}, bit `addr` of
            `{out}` is {0 if active_low else 1} and the others {1 if active_low else 0}; otherwise all are
            {1 if active_low else 0}.""",
        model=model,
        names=("decoder_en", f"decoder{bits}x{count}", "line_decoder", "chip_selects"),
        stimulus={name: 0.8 if level else 0.2 for name, level in zip(enables, levels, strict=True)},
        cycles=120,
    )
