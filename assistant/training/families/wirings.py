"""What is mostly wiring: words taken apart and put together in another way."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits, to_signed


def _pieces(value: int, width: int, size: int) -> list[int]:
    """The parts of a word, the lowest first."""
    return [value >> k & ((1 << size) - 1) for k in range(0, width, size)]


def _joined(pieces: list[int], size: int) -> int:
    return sum(piece << (k * size) for k, piece in enumerate(pieces))


def _swapped(value: int, width: int, unit: int, within: int) -> int:
    """A word in which the units of some size change their order in each larger part."""
    parts = _pieces(value, width, within)
    return _joined([_joined(_pieces(part, within, unit)[::-1], unit) for part in parts], within)


@family(variants=3)
def byte_order_swap(r: Random, variant: int) -> Draft:
    """Puts the bytes, nibbles or halves of a word into another order, by a mode."""
    width = r.choice((16, 32, 32, 64))
    ways = [
        ("the bytes of the whole word change their order", 8, width),
        ("the two nibbles of each byte change places", 4, 8),
        ("the two bytes of each half word of 16 bits change places", 8, 16),
        ("the two halves of the word change places", width // 2, width),
        ("the bits of each byte change their order", 1, 8),
        ("the nibbles of the whole word change their order", 4, width),
    ]
    if width == 16:
        ways = [way for way in ways if way[1:] != (8, 16) and way[1:] != (width // 2, width)]
    chosen: list[tuple[str, int, int] | None] = [None, *r.sample(ways, 3)]
    if r.random() < 0.5:
        r.shuffle(chosen)
    inverse = r.random() < 0.3

    def pick(unit: int, within: int) -> str:
        """The new word as a concatenation, from the top."""
        parts = []
        for base in reversed(range(0, width, within)):
            for k in range(0, within, unit):
                low = base + k
                parts.append(f"din[{low + unit - 1}:{low}]" if unit > 1 else f"din[{low}]")
        return "{" + ", ".join(parts) + "}"

    def loop(k: int, unit: int, within: int) -> str:
        count, per = width // within, within // unit
        if count == 1:
            return f"""
    for (int i = 0; i < {per}; i++) begin
      way_{k}[i*{unit} +: {unit}] = din[({per - 1} - i)*{unit} +: {unit}];
    end"""
        return f"""
    for (int i = 0; i < {count}; i++) begin
      for (int j = 0; j < {per}; j++) begin
        way_{k}[i*{within} + j*{unit} +: {unit}] = din[i*{within} + ({per - 1} - j)*{unit} +: {unit}];
      end
    end"""

    wires = [f"way_{k}" for k, way in enumerate(chosen) if way]
    tail = " : ".join(f"(mode == 2'd{k}) ? {f'way_{k}' if way else 'din'}" for k, way in enumerate(chosen[:3]))
    tail += f" : {'way_3' if chosen[3] else 'din'}"
    assigns = "\n".join(f"  assign way_{k} = {pick(*way[1:])}; // {way[0]}" for k, way in enumerate(chosen) if way)
    arms = "\n".join(f"      2'd{k}: swapped = {pick(*way[1:]) if way else 'din'};" for k, way in enumerate(chosen))
    arms = arms.replace("      2'd3", "      default")
    loops = "\n".join(loop(k, *way[1:]) for k, way in enumerate(chosen) if way)
    body = (
        f"""
  logic [{width - 1}:0] {", ".join(wires)};

{assigns}
  assign swapped = {tail};
""",
        f"""
  always_comb begin
    case (mode)
{arms}
    endcase
  end
""",
        f"""
  logic [{width - 1}:0] {", ".join(wires)};

  // every order at once
  always_comb begin
    {loops}
  end

  assign swapped = {tail};
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        way = chosen[i.mode]
        value = _swapped(i.din, width, way[1], way[2]) if way else i.din
        return {"dout": to_bits(~value if inverse and i.invert else value, width)}

    listing = "; ".join(f"{k}: {way[0] if way else 'the word stays as it is'}" for k, way in enumerate(chosen))
    return Draft(
        rtl=f"""
module byte_order_swap (
  input logic [{width - 1}:0] din,
  input logic [1:0] mode,
  {"input logic invert, // all bits, after the swap" if inverse else ""}
  output logic [{width - 1}:0] dout
);
  logic [{width - 1}:0] swapped;
  {body}
  assign dout = {"invert ? ~swapped : swapped" if inverse else "swapped"};
endmodule
""",
        about=(
            f"""Reorders a word of {width} bits without a clock. `mode` says how: {listing}.
            {"`invert` then inverts all bits of `dout`." if inverse else ""}""",
            f"""Endianness converter for {width}-bit words, combinational; `dout` is `din` with its parts in the order
            that `mode` chooses ({listing}){", inverted with `invert`" if inverse else ""}.""",
        ),
        model=model,
        names=("byte_swap", "endian_swap", "bswap", "endianness", "lane_swap"),
        stimulus={"mode": range(4)},
        cycles=100,
    )


@family(variants=3)
def width_extender(r: Random, variant: int) -> Draft:
    """Makes a byte or a half of a word as wide as a word, with its sign or with zeros."""
    width = r.choice((16, 32, 32, 64))
    sizes = [8, 16, 32, 64][: {16: 1, 32: 2, 64: 3}[width]]
    codes = list(range(len(sizes) + 1))
    if r.random() < 0.4:
        codes.reverse()
    bits = 2 if len(codes) > 2 else 1
    signal = r.choice(("is_signed", "zero_extend"))
    signed = "is_signed" if signal == "is_signed" else "!zero_extend"
    ternary = "is_signed" if signal == "is_signed" else "~zero_extend"

    def extended(size: int, sign: str) -> str:
        return f"{{{{{width - size}{{{sign}}}}}, din[{size - 1}:0]}}"

    arms = "\n".join(
        f"      {bits}'d{codes[k]}: dout = {extended(size, f'{ternary} & din[{size - 1}]')};"
        for k, size in enumerate(sizes)
    )
    signs = "\n".join(f"      {bits}'d{codes[k]}: sign = din[{size - 1}];" for k, size in enumerate(sizes))
    masks = "\n".join(
        f"      {bits}'d{codes[k]}: upper = {width}'h{(1 << width) - (1 << size):x};" for k, size in enumerate(sizes)
    )
    tests = "\n".join(
        f"    {'if' if k == 0 else 'else if'} (size == {bits}'d{codes[k]}) begin\n"
        f"      if ({signed}) dout = $signed(din[{size - 1}:0]);\n"
        f"      else dout = din[{size - 1}:0];\n"
        "    end"
        for k, size in enumerate(sizes)
    )
    body = (
        f"""
  always_comb begin
    case (size)
{arms}
      default: dout = din;
    endcase
  end
""",
        f"""
  logic sign;
  logic [{width - 1}:0] upper; // the bits that the sign fills

  always_comb begin
    case (size)
{signs}
      default: sign = 1'b0;
    endcase
  end

  always_comb begin
    case (size)
{masks}
      default: upper = '0;
    endcase
  end

  assign dout = (sign && {signed}) ? (din | upper) : (din & ~upper);
""",
        f"""
  // a signed part grows with its sign
  always_comb begin
    dout = din;
{tests}
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        keep = bool(i.is_signed) if signal == "is_signed" else not i.zero_extend
        size = [*sizes, width][codes.index(i.size)] if i.size in codes else width
        part = to_bits(i.din, size)
        value = to_signed(part, size) if keep else part
        return {"dout": to_bits(value, width), "negative": to_bits(value, width) >> (width - 1)}

    listing = ", ".join(f"{codes[k]} for {size} bits" for k, size in enumerate([*sizes, width]))
    if len(codes) == 3:
        listing += " (and 3 too)" if codes[0] == 0 else ", and 3 like the full width"
    return Draft(
        rtl=f"""
module width_extender (
  input logic [{width - 1}:0] din,
  input logic [{bits - 1}:0] size,
  input logic {signal},
  output logic [{width - 1}:0] dout,
  output logic negative
);
  {body}
  assign negative = dout[{width - 1}];
endmodule
""",
        about=f"""Extends the lower part of a {width}-bit word. `size` says how many bits of `din` count: {listing}.
            Above them `dout` holds {
            "copies of the part's highest bit where `is_signed` is high, else zeros"
            if signal == "is_signed"
            else "zeros where `zero_extend` is high, else copies of the part's highest bit"
        }. `negative` is the highest bit of `dout`. No clock.""",
        model=model,
        names=("sign_extend", "extend_unit", "extender", "sext", "load_extend"),
        stimulus={
            "din": lambda r: r.getrandbits(width) ^ (r.choice((0, 0x80, 0x8080, 0x80008080)) & ((1 << width) - 1))
        },
        cycles=100,
    )


_LAYOUTS: tuple[tuple[str, tuple[tuple[str, int], ...], tuple[str, ...]], ...] = (
    ("a time of day", (("hour", 5), ("minute", 6), ("second", 5)), ("time_packer", "dos_time", "pack_time")),
    ("a date", (("year", 7), ("month", 4), ("day", 5)), ("date_packer", "dos_date", "pack_date")),
    ("a colour", (("red", 5), ("green", 6), ("blue", 5)), ("rgb565_pack", "pixel_pack", "colour_packer")),
    ("an instruction", (("op", 4), ("rd", 4), ("ra", 4), ("imm", 4)), ("instruction_packer", "encode_op")),
    ("a bus command", (("kind", 3), ("node", 5), ("offset", 8)), ("command_packer", "pack_cmd")),
    ("a node's status", (("fault", 2), ("level", 6), ("phase", 3), ("serial", 5)), ("status_packer", "pack_status")),
)


@family(variants=3)
def field_packer(r: Random, variant: int) -> Draft:
    """Packs fields into a word, or takes a word apart, or changes one field of it."""
    what, fields, names = r.choice(_LAYOUTS)
    fields = tuple(r.sample(fields, len(fields))) if r.random() < 0.5 else fields
    parity = r.random() < 0.4
    even = r.random() < 0.5
    total = sum(bits for _, bits in fields)
    places: dict[str, tuple[int, int]] = {}
    at = total
    for name, bits in fields:
        at -= bits
        places[name] = (at + bits - 1, at)
    code = (len(fields) - 1).bit_length()
    widest = max(bits for _, bits in fields)
    arms = "\n".join(
        f"        {code}'d{k}: packed[{places[name][0]}:{places[name][1]}] = value[{bits - 1}:0];"
        for k, (name, bits) in enumerate(fields)
    )
    masks = "\n".join(
        f"      {code}'d{k}: begin\n        mask = {total}'h{((1 << bits) - 1) << places[name][1]:x};\n"
        f"        moved = value[{bits - 1}:0] << {places[name][1]};\n      end"
        for k, (name, bits) in enumerate(fields)
    )
    singles = "\n".join(
        f"      {name}_next = (patch && index == {code}'d{k}) ? value[{bits - 1}:0] : {name};"
        for k, (name, bits) in enumerate(fields)
    )
    joined = ", ".join(name for name, _ in fields)
    nexts = ", ".join(f"{name}_next" for name, _ in fields)
    wires = "\n".join(f"  logic [{bits - 1}:0] {name}_next;" for name, bits in fields)
    body = (
        f"""
  always_comb begin
    packed = {{{joined}}};
    if (patch) begin
      case (index)
{arms}
        default: ; // no such field
      endcase
    end
  end
""",
        f"""
  logic [{total - 1}:0] mask, moved;

  // where the field stands, and its new value there
  always_comb begin
    mask = '0;
    moved = '0;
    case (index)
{masks}
      default: ;
    endcase
  end

  assign packed = patch ? (({{{joined}}} & ~mask) | (moved & mask)) : {{{joined}}};
""",
        f"""
{wires}

  always_comb begin
{singles}
  end

  assign packed = {{{nexts}}};
""",
    )[variant].replace("packed", "word")

    def model(i: Pins) -> Outputs:
        word = 0
        for k, (name, bits) in enumerate(fields):
            value = to_bits(i.value, bits) if i.patch and i.index == k else getattr(i, name)
            word = word << bits | value
        out = {"word": word}
        if parity:
            out["parity"] = (word.bit_count() & 1) ^ (0 if even else 1)
        return out

    listing = ", ".join(f"`{name}` in bits {places[name][0]} to {places[name][1]}" for name, _ in fields)
    numbers = ", ".join(f"{k} is `{name}`" for k, (name, _) in enumerate(fields))
    spare = "; a number without a field changes nothing" if 1 << code > len(fields) else ""
    return Draft(
        rtl=f"""
module field_packer (
  {chr(10).join(f"input logic [{bits - 1}:0] {name}," for name, bits in fields)}
  input logic patch, // one field takes its value from `value`
  input logic [{code - 1}:0] index,
  input logic [{widest - 1}:0] value,
  output logic [{total - 1}:0] word{"," if parity else ""}
  {"output logic parity" if parity else ""}
);
  {body}
  {f"assign parity = {'' if even else '~'}^word; // {'even' if even else 'odd'}" if parity else ""}
endmodule
""",
        about=f"""Packs {what} into a word of {total} bits, without a clock: {listing}. While `patch` is high the field
            number `index` ({numbers}{spare}) is taken from the lower bits of `value` instead.
            {f"`parity` makes the number of ones in `word` and it {'even' if even else 'odd'}." if parity else ""}""",
        model=model,
        names=names,
        stimulus={"patch": 0.7, "index": range(1 << code)},
        cycles=120,
    )


@family(variants=2)
def pixel_converter(r: Random, variant: int) -> Draft:
    """Turns pixels of eight bits a channel into fewer, or back, one word a cycle."""
    shape = r.choice(((5, 6, 5), (4, 4, 4), (3, 3, 2), (5, 5, 5)))
    swap = r.random() < 0.5
    rounding = r.random() < 0.5
    total = sum(shape)
    order = ["blue", "green", "red"] if swap else ["red", "green", "blue"]
    bits = dict(zip(("red", "green", "blue"), shape, strict=True))
    offsets: dict[str, int] = {}
    at = total
    for name in order:
        at -= bits[name]
        offsets[name] = at
    into = {"red": 16, "green": 8, "blue": 0}

    def widened(name: str) -> str:
        """The upper bits again below, so that full stays full."""
        size, low = bits[name], offsets[name]
        part = f"narrow[{low + size - 1}:{low}]"
        left = 8 - size
        copies = [part]
        while left > 0:
            take = min(left, size)
            copies.append(f"narrow[{low + size - 1}:{low + size - take}]" if take > 1 else f"narrow[{low + size - 1}]")
            left -= take
        return "{" + ", ".join(copies) + "}"

    def narrowed(name: str) -> str:
        low = into[name]
        return f"din[{low + 7}:{low + 8 - bits[name]}]"

    def rounded(name: str) -> str:
        size, low = bits[name], into[name]
        top = f"din[{low + 7}:{low + 8 - size}]"
        return f"(&{top}) ? {top} : {top} + din[{low + 7 - size}]"

    narrow = "{" + ", ".join(f"{name}_narrow" for name in order) + "}"
    wires = "\n".join(f"  logic [{bits[name] - 1}:0] {name}_narrow;" for name in ("red", "green", "blue"))
    assigns = "\n".join(
        f"  assign {name}_narrow = {rounded(name) if rounding else narrowed(name)};"
        for name in ("red", "green", "blue")
    )
    large = "{" + ", ".join(widened(name) for name in ("red", "green", "blue")) + "}"
    wide = f"""
{wires}

  // {"to the nearest, but never past the largest value" if rounding else "the upper bits of each channel"}
{assigns}

  always_ff @(posedge clk) begin
    if (rst) begin
      pixel <= '0;
      valid_out <= 1'b0;
    end else begin
      valid_out <= valid_in;
      if (valid_in) begin
        if (expand) pixel <= {large}; // the upper bits fill up the lower ones
        else pixel <= {narrow};
      end
    end
  end
"""
    step_text = "\n".join(
        f"    part = din[{into[name] + 7}:{into[name]}];\n"
        + (
            f"    if (part < 8'd{256 - (1 << 7 - bits[name])}) part = part + 8'd{1 << 7 - bits[name]};\n"
            if rounding
            else ""
        )
        + f"    shrunk[{offsets[name] + bits[name] - 1}:{offsets[name]}] = part[7:{8 - bits[name]}];"
        for name in ("red", "green", "blue")
    )
    grown = "\n".join(
        f"  assign grown[{into[name] + 7}:{into[name]}] = {widened(name)};" for name in ("red", "green", "blue")
    )
    parts = f"""
  logic [{total - 1}:0] shrunk;
  logic [23:0] grown, pixel_next;
  logic [7:0] part;

  always_comb begin
{step_text}
  end

  // the upper bits fill up the lower ones, so that white stays white
{grown}

  always_comb begin
    pixel_next = pixel;
    if (valid_in) pixel_next = expand ? grown : {{{24 - total}'d0, shrunk}};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      pixel <= '0;
      valid_out <= 1'b0;
    end else begin
      pixel <= pixel_next;
      valid_out <= valid_in;
    end
  end
"""

    def reset(s: State) -> None:
        s.pixel = s.valid = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"pixel": s.pixel, "valid_out": s.valid}
        s.valid = i.valid_in
        if i.valid_in:
            word = 0
            for name in ("red", "green", "blue"):
                size = bits[name]
                if i.expand:
                    value = i.din >> offsets[name] & ((1 << size) - 1)
                    pattern = value
                    for _ in range(3):
                        pattern = pattern << size | value
                    word |= pattern >> (4 * size - 8) << into[name]
                else:
                    value = i.din >> into[name] & 255
                    if rounding:
                        value = min((value + (1 << (7 - size))) >> (8 - size), (1 << size) - 1)
                    else:
                        value >>= 8 - size
                    word |= value << offsets[name]
            s.pixel = word
        return out

    form = ", ".join(f"{bits[name]} bits {name}" for name in order)
    cut = (
        "rounded to the nearest value that it can hold (half upwards, and never past the largest)"
        if rounding
        else "cut to its upper bits"
    )
    return Draft(
        rtl=f"""
module pixel_converter (
  input logic clk,
  input logic rst,
  input logic valid_in,
  input logic expand,
  input logic [23:0] din, // red, green, blue of 8 bits; a short pixel stands in its lowest bits
  output logic valid_out,
  output logic [23:0] pixel
);
  logic [{total - 1}:0] narrow;

  assign narrow = din[{total - 1}:0];
  {(wide, parts)[variant]}
endmodule
""",
        about=f"""Converts pixels between 24 bits (red, green and blue of 8 bits each, red on top) and {total} bits
            (from the top: {form}). A pixel on `din` with `valid_in` comes out as `pixel`, with `valid_out`, in the next
            cycle; without `valid_in` `pixel` keeps its value. With `expand` low each channel is {cut}, and the short
            pixel stands in the lowest bits under zeros. With `expand` high the lowest {total} bits of `din` are a
            short pixel, and each channel is made 8 bits wide by repeating its bits from the top on below it.
            Both outputs start at 0.""",
        model=Machine(reset, step),
        names=("rgb_convert", "pixel_format", "color_depth", f"rgb888_to_{''.join(map(str, shape))}"),
        stimulus={
            "valid_in": 0.8,
            "din": lambda r: r.getrandbits(24) | r.choice((0, 0, 0xF80000, 0xFF00, 0xFF, 0xF8FCF8)),
        },
    )
