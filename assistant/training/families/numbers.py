"""Forms of numbers: decimal, Gray, floating point, fixed point."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import saturated, to_bits, to_signed


@family(variants=3)
def binary_to_bcd(r: Random, variant: int) -> Draft:
    """Decimal digits of a binary number."""
    width = r.choice((6, 7, 8, 10))
    digits = len(str((1 << width) - 1))
    out_bits = 4 * digits
    divide = "\n".join(f"  assign bcd[{4 * k + 3}:{4 * k}] = (value / {10**k}) % 10;" for k in range(digits))
    body = (
        """
  // shift and add three: a digit of five or more doubles to one with a carry
  always_comb begin
    bcd = '0;
    for (int i = WIDTH - 1; i >= 0; i = i - 1) begin
      for (int j = 0; j < DIGITS; j++) begin
        if (bcd[4*j +: 4] >= 5) bcd[4*j +: 4] = bcd[4*j +: 4] + 4'd3;
      end
      bcd = {bcd[4*DIGITS-2:0], value[i]};
    end
  end
""",
        f"""
  // by division; the tools make multiplications of it
{divide}
""",
        """
  logic [4*DIGITS+WIDTH-1:0] work; // digits above, what is left of the value below

  always_comb begin
    work = {{(4*DIGITS){1'b0}}, value};
    for (int i = 0; i < WIDTH; i++) begin
      for (int j = 0; j < DIGITS; j++) begin
        if (work[WIDTH+4*j +: 4] > 4'd4) work[WIDTH+4*j +: 4] = work[WIDTH+4*j +: 4] + 4'd3;
      end
      work = work << 1;
    end
  end

  assign bcd = work[4*DIGITS+WIDTH-1:WIDTH];
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        return {"bcd": sum((i.value // 10**k % 10) << (4 * k) for k in range(digits))}

    return Draft(
        rtl=f"""
module binary_to_bcd #(
  parameter int WIDTH = {width},
  parameter int DIGITS = {digits}
) (
  input logic [WIDTH-1:0] value,
  output logic [4*DIGITS-1:0] bcd
);
  {body}
endmodule
""",
        about=f"""Combinational conversion of the unsigned {width}-bit `value` to {digits} decimal digits of four
        bits, {out_bits} bits, the units in
            the lowest four.""",
        model=model,
        names=("bin2bcd", "double_dabble", "to_decimal"),
    )


@family(variants=3)
def bcd_counter(r: Random, variant: int) -> Draft:
    """Counts in decimal digits, up or down."""
    digits = r.choice((1, 2))
    limit = r.choice((9,)) if digits == 1 else r.choice((23, 59, 99))
    low_top, high_top = limit % 10, limit // 10
    high = ""
    if digits == 2:
        body = (
            f"""
  logic last;

  assign last = (tens == {high_top}) && (units == {low_top});
  assign carry = en && last;

  always_ff @(posedge clk) begin
    if (rst) begin
      units <= '0;
      tens <= '0;
    end else if (clear || carry) begin
      units <= '0;
      tens <= '0;
    end else if (en) begin
      if (units == 9) begin
        units <= '0;
        tens <= tens + 1'b1; // a full ten
      end else begin
        units <= units + 1'b1;
      end
    end
  end
""",
            f"""
  logic [3:0] units_next, tens_next;

  always_comb begin
    units_next = units;
    tens_next = tens;
    if (clear) begin
      units_next = '0;
      tens_next = '0;
    end else if (en) begin
      if ({{tens, units}} == 8'h{limit}) begin
        {{tens_next, units_next}} = 8'h00;
      end else if (units == 4'd9) begin
        units_next = '0;
        tens_next = tens + 4'd1;
      end else begin
        units_next = units + 4'd1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      units <= '0;
      tens <= '0;
    end else begin
      units <= units_next;
      tens <= tens_next;
    end
  end

  assign carry = en & (tens == 4'd{high_top}) & (units == 4'd{low_top});
""",
            f"""
  logic units_wrap, all_wrap;

  assign all_wrap = (tens == 4'd{high_top}) && (units == 4'd{low_top});
  assign units_wrap = (units == 4'd9) || all_wrap;
  assign carry = all_wrap && en;

  // each digit on its own
  always_ff @(posedge clk) begin
    if (rst) units <= '0;
    else if (clear) units <= '0;
    else if (en) units <= units_wrap ? 4'd0 : units + 4'd1;
  end

  always_ff @(posedge clk) begin
    if (rst) tens <= '0;
    else if (clear) tens <= '0;
    else if (en && units_wrap) tens <= all_wrap ? 4'd0 : tens + 4'd1;
  end
""",
        )[variant]
        high = "  output logic [3:0] tens,"
    else:
        body = (
            """
  assign carry = en && (units == 9);

  always_ff @(posedge clk) begin
    if (rst) begin
      units <= '0;
    end else if (clear) begin
      units <= '0;
    end else if (en) begin
      units <= (units == 9) ? 4'd0 : units + 4'd1;
    end
  end
""",
            """
  logic at_nine;

  assign at_nine = units[3] & units[0]; // no other digit has both
  assign carry = at_nine & en;

  always_ff @(posedge clk) begin
    if (rst) units <= '0;
    else if (clear || carry) units <= '0;
    else if (en) units <= units + 1'b1;
  end
""",
            """
  always_ff @(posedge clk) begin
    if (rst) begin
      units <= '0;
    end else begin
      case ({clear, en})
        2'b01: units <= (units < 4'd9) ? units + 4'd1 : 4'd0;
        2'b10, 2'b11: units <= '0;
        default: units <= units;
      endcase
    end
  end

  assign carry = (units == 4'd9) ? en : 1'b0;
""",
        )[variant]

    def reset(s: State) -> None:
        s.value = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"units": s.value % 10, "carry": int(i.en and s.value == limit)}
        if digits == 2:
            out["tens"] = s.value // 10
        if i.clear:
            s.value = 0
        elif i.en:
            s.value = 0 if s.value == limit else s.value + 1
        return out

    return Draft(
        rtl=f"""
module bcd_counter (
  input logic clk,
  input logic rst,
  input logic clear,
  input logic en,
{high}
  output logic [3:0] units,
  output logic carry // into the next counter
);
  {body}
endmodule
""",
        about=f"""Decimal counter from 0 to {limit} in
        {"two digits, `tens` and `units`" if digits == 2 else "one digit, `units`"}. `en` counts by one and wraps
            after {limit}; `clear` sets it to zero and goes before `en`. `carry` is high in a cycle with `en` at
            {limit}.""",
        model=Machine(reset, step),
        names=("decade_counter" if digits == 1 else f"counter_0_{limit}", "dec_counter", "bcd_count"),
        stimulus={"en": 0.9, "clear": 0.01},
        cycles=60 + 2 * limit,
    )


@family(variants=3)
def gray_counter(r: Random, variant: int) -> Draft:
    """Counts so that one bit changes at a time."""
    width = r.choice((3, 4, 5, 6))
    body = (
        """
  logic [WIDTH-1:0] binary, binary_next;

  assign binary_next = binary + 1'b1;

  // both codes move together, so that the output comes from a register
  always_ff @(posedge clk) begin
    if (rst) begin
      binary <= '0;
      gray <= '0;
    end else if (en) begin
      binary <= binary_next;
      gray <= binary_next ^ (binary_next >> 1);
    end
  end
""",
        """
  logic [WIDTH-1:0] binary, gray_next;

  // back to binary, one more, to Gray again
  always_comb begin
    binary[WIDTH-1] = gray[WIDTH-1];
    for (int i = WIDTH - 2; i >= 0; i = i - 1) begin
      binary[i] = binary[i+1] ^ gray[i];
    end
    binary = binary + en;
    gray_next = (binary >> 1) ^ binary;
  end

  always_ff @(posedge clk) begin
    if (rst) gray <= '0;
    else gray <= gray_next;
  end
""",
        """
  logic parity; // of the code: high after an odd number of steps
  logic [WIDTH-1:0] toggle;

  // even steps turn the lowest bit, odd ones the bit above the lowest one that is set
  always_comb begin
    toggle = '0;
    if (!parity) begin
      toggle[0] = 1'b1;
    end else if (gray[WIDTH-2:0] == {1'b1, {(WIDTH-2){1'b0}}} || gray[WIDTH-2:0] == 0) begin
      toggle[WIDTH-1] = 1'b1;
    end else begin
      toggle = (gray & (~gray + 1'b1)) << 1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      gray <= '0;
      parity <= 1'b0;
    end else if (en) begin
      gray <= gray ^ toggle;
      parity <= ~parity;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.count = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"gray": s.count ^ s.count >> 1}
        s.count = (s.count + i.en) % (1 << width)
        return out

    return Draft(
        rtl=f"""
module gray_counter #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic en,
  output logic [WIDTH-1:0] gray
);
  {body}
endmodule
""",
        about=f"""{width}-bit Gray code counter: `gray` goes through the reflected binary code from zero, one step in
        each cycle with `en`, so
            that a single bit changes at a time, also where it wraps.""",
        model=Machine(reset, step),
        names=("gray_cnt", "grey_counter", "gray_code_counter"),
        stimulus={"en": 0.9},
        cycles=100,
    )


@family(variants=2, held_out=True)
def integer_to_float(r: Random, variant: int) -> Draft:
    """A signed integer as sign, exponent and fraction."""
    width = r.choice((8, 12, 16))
    exponent, fraction = (5, 10) if width > 8 else r.choice(((4, 3), (5, 7)))
    bias = (1 << (exponent - 1)) - 1
    wide = width + fraction
    body = (
        """
  // the highest bit that is set
  always_comb begin
    place = '0;
    for (int i = 0; i < WIDTH; i++) begin
      if (magnitude[i]) place = i;
    end
  end

  // moves it just above the fraction
  assign aligned = {magnitude, {FRACTION{1'b0}}} >> place;
  assign exponent = place + BIAS;
  assign result = (value == 0) ? '0 : {sign, exponent, aligned[FRACTION-1:0]};
""",
        """
  logic [WIDTH-1:0] shifted;

  // shifts left until the highest bit is set, and counts
  always_comb begin
    shifted = magnitude;
    place = WIDTH - 1;
    for (int i = 0; i < WIDTH - 1; i++) begin
      if (!shifted[WIDTH-1]) begin
        shifted = shifted << 1;
        place = place - 1'b1;
      end
    end
  end

  assign aligned = {1'b0, shifted, {FRACTION{1'b0}}} >> WIDTH - 1;

  always_comb begin
    exponent = BIAS + place;
    result = {sign, exponent, aligned[FRACTION-1:0]};
    if (value == 0) result = '0;
  end
""",
    )[variant]
    place_bits = (width - 1).bit_length()

    def model(i: Pins) -> Outputs:
        number = to_signed(i.value, width)
        if number == 0:
            return {"result": 0}
        magnitude = abs(number)
        place = magnitude.bit_length() - 1
        mantissa = (magnitude << fraction) >> place & ((1 << fraction) - 1)
        return {"result": int(number < 0) << (exponent + fraction) | (place + bias) << fraction | mantissa}

    return Draft(
        rtl=f"""
module integer_to_float #(
  parameter int WIDTH = {width},
  parameter int EXPONENT = {exponent},
  parameter int FRACTION = {fraction}
) (
  input logic signed [WIDTH-1:0] value,
  output logic [EXPONENT+FRACTION:0] result
);
  localparam int BIAS = (1 << (EXPONENT - 1)) - 1;
  logic sign;
  logic [WIDTH-1:0] magnitude;
  logic [{place_bits - 1}:0] place;
  logic [EXPONENT-1:0] exponent;
  logic [{wide - 1}:0] aligned;

  assign sign = value[WIDTH-1];
  assign magnitude = sign ? -value : value;
  {body}
endmodule
""",
        about=f"""Converts a signed {width}-bit integer to a floating-point number of {exponent + fraction + 1} bits:
        sign, {exponent}-bit exponent with bias {bias},
            {fraction}-bit fraction without the leading one, rounded towards zero. Zero becomes all zeros.""",
        model=model,
        names=("int2float", "i2f", "fp_from_int"),
        stimulus={"value": lambda r: r.choice((r.getrandbits(width), r.randrange(20), -r.randrange(20)))},
    )


@family(variants=3)
def round_and_saturate(r: Random, variant: int) -> Draft:
    """Takes a fixed-point number to fewer bits."""
    drop, out = r.choice((3, 4, 6)), r.choice((8, 10))
    extra = r.choice((1, 2, 3))
    width = out + drop + extra
    half = r.random() < 0.6
    addition = f"({width + 1}'d1 << (DROP - 1))" if half else "0"
    body = (
        f"""
  logic signed [WIDTH:0] rounded;
  logic signed [WIDTH-DROP:0] whole;

  // half a unit more, then the fraction goes
  assign rounded = value + $signed({addition});
  assign whole = rounded >>> DROP;
  assign overflow = (whole > HIGHEST) || (whole < LOWEST);
  assign result = (whole > HIGHEST) ? HIGHEST : (whole < LOWEST) ? LOWEST : whole[OUT-1:0];
"""
        if half
        else """
  logic signed [WIDTH-DROP-1:0] whole;

  // the fraction goes: rounded down
  assign whole = value >>> DROP;
  assign overflow = (whole > HIGHEST) || (whole < LOWEST);
  assign result = (whole > HIGHEST) ? HIGHEST : (whole < LOWEST) ? LOWEST : whole[OUT-1:0];
""",
        f"""
  logic signed [WIDTH-DROP:0] whole;

  assign whole = $signed(value[WIDTH-1:DROP]){" + $signed({1'b0, value[DROP-1]})" if half else ""};

  always_comb begin
    result = whole[OUT-1:0];
    overflow = 1'b0;
    if (whole > HIGHEST) begin
      result = HIGHEST;
      overflow = 1'b1;
    end else if (whole < LOWEST) begin
      result = LOWEST;
      overflow = 1'b1;
    end
  end
""",
        f"""
  logic [WIDTH-DROP:0] whole;
  logic [WIDTH-DROP-OUT+1:0] above; // the bits above the result, with its sign

  assign whole = {{value[WIDTH-1], value[WIDTH-1:DROP]}}{" + value[DROP-1]" if half else ""};
  assign above = whole[WIDTH-DROP:OUT-1];
  // it fits where they are all alike
  assign overflow = (above != 0) && !(&above);
  assign result = !overflow ? whole[OUT-1:0] : whole[WIDTH-DROP] ? LOWEST : HIGHEST;
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        exact = (to_signed(i.value, width) + (1 << (drop - 1) if half else 0)) >> drop
        value = saturated(exact, out, signed=True)
        return {"result": to_bits(value, out), "overflow": int(value != exact)}

    return Draft(
        rtl=f"""
module round_and_saturate #(
  parameter int WIDTH = {width},
  parameter int DROP = {drop},
  parameter int OUT = {out}
) (
  input logic signed [WIDTH-1:0] value,
  output logic signed [OUT-1:0] result,
  output logic overflow
);
  localparam logic signed [OUT-1:0] HIGHEST = {{1'b0, {{(OUT-1){{1'b1}}}}}};
  localparam logic signed [OUT-1:0] LOWEST = {{1'b1, {{(OUT-1){{1'b0}}}}}};
  {body}
endmodule
""",
        about=f"""Takes a signed {width}-bit fixed-point number to {out} bits: the lowest {drop} bits go,
        {"halves are rounded up" if half else "which rounds down"}; a result that
            does not fit becomes the largest or smallest number, and `overflow` is high.""",
        model=model,
        names=("fixed_round", "quantizer", "narrow_sat"),
        stimulus={
            "value": lambda r: r.choice(
                (r.getrandbits(width), r.randrange(1 << (out + drop)) - (1 << (out + drop - 1)))
            )
        },
        cycles=140,
    )


@family(variants=3)
def seven_segment(r: Random, variant: int) -> Draft:
    """A digit as segments."""
    low = r.random() < 0.5
    hexadecimal = r.random() < 0.5
    lit = [0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F, 0x77, 0x7C, 0x39, 0x5E, 0x79, 0x71]
    count = 16 if hexadecimal else 10
    flip = 0x7F if low else 0
    dark = f"7'b{flip:07b}"
    arms = "\n".join(f"      4'd{k}: pattern = 7'b{lit[k]:07b};" for k in range(count))
    chain = " : ".join(f"(digit == 4'd{k}) ? 7'b{lit[k] ^ flip:07b}" for k in range(count))
    tests = "\n    else ".join(f"if (digit == 4'd{k}) pattern = 7'h{lit[k]:02x};" for k in range(count))
    show = "~pattern" if low else "pattern"
    body = (
        f"""
  logic [6:0] pattern;

  // segments from g down to a
  always_comb begin
    case (digit)
{arms}
      default: pattern = 7'b0000000;
    endcase
  end

  assign segments = blank ? {dark} : {show};
""",
        f"""
  assign segments = blank ? {dark} : {chain} : {dark};
""",
        f"""
  logic [6:0] pattern;

  always_comb begin
    {tests}
    else pattern = 7'h00;
    segments = {show};
    if (blank) segments = {dark}; // nothing is lit
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        on = 0 if i.blank or i.digit >= count else lit[i.digit]
        return {"segments": on ^ flip}

    return Draft(
        rtl=f"""
module seven_segment (
  input logic [3:0] digit,
  input logic blank,
  output logic [6:0] segments // a is bit 0, g is bit 6
);
  {body}
endmodule
""",
        about=f"""Seven-segment decoder for
        {"hexadecimal digits (b and d in lower case)" if hexadecimal else "the digits 0 to 9; other codes stay dark"},
        segments a to g in bits 0 to 6,
            {"low where lit" if low else "high where lit"}. `blank` turns all off. 6 and 9 have their tails.""",
        model=model,
        names=("seg7", "hex_display", "bcd_to_7seg"),
        stimulus={"blank": 0.15, "digit": range(16)},
        cycles=90,
    )


@family(variants=2)
def float_compare(r: Random, variant: int) -> Draft:
    """Order of two floating-point numbers from their bits."""
    exponent, fraction = r.choice(((5, 10), (4, 3), (8, 7)))
    width = 1 + exponent + fraction
    body = (
        """
  logic both_zero, larger, smaller;

  assign both_zero = ((a[WIDTH-2:0] | b[WIDTH-2:0]) == 0);
  // the bits of the magnitude sort like the numbers
  assign larger = (a[WIDTH-2:0] > b[WIDTH-2:0]);
  assign smaller = (a[WIDTH-2:0] < b[WIDTH-2:0]);

  always_comb begin
    less = 1'b0;
    if (!unordered && !both_zero) begin
      case ({a[WIDTH-1], b[WIDTH-1]})
        2'b00: less = smaller;
        2'b01: less = 1'b0;
        2'b10: less = 1'b1;
        default: less = larger; // among negative ones the larger magnitude is less
      endcase
    end
  end

  assign equal = !unordered && (both_zero || a == b);
""",
        """
  logic signed [WIDTH-1:0] key_a, key_b;

  // as integers that sort like the numbers; both zeros become one
  assign key_a = a[WIDTH-1] ? -$signed({1'b0, a[WIDTH-2:0]}) : $signed({1'b0, a[WIDTH-2:0]});
  assign key_b = b[WIDTH-1] ? -$signed({1'b0, b[WIDTH-2:0]}) : $signed({1'b0, b[WIDTH-2:0]});
  assign less = !unordered & (key_a < key_b);
  assign equal = !unordered & (key_a == key_b);
""",
    )[variant]
    infinity = ((1 << exponent) - 1) << fraction

    def model(i: Pins) -> Outputs:
        mask = (1 << (width - 1)) - 1
        magnitudes = i.a & mask, i.b & mask
        keys = [-m if v >> (width - 1) else m for m, v in zip(magnitudes, (i.a, i.b), strict=True)]
        unordered = any(m > infinity for m in magnitudes)
        return {
            "less": int(not unordered and keys[0] < keys[1]),
            "equal": int(not unordered and keys[0] == keys[1]),
            "unordered": int(unordered),
        }

    def number(r: Random) -> int:
        sign = r.getrandbits(1) << (width - 1)
        some = (0, infinity, infinity + 1, r.getrandbits(width - 1), r.randrange(8) << fraction)
        return sign | r.choice((*some, r.getrandbits(width - 1)))

    return Draft(
        rtl=f"""
module float_compare #(
  parameter int EXPONENT = {exponent},
  parameter int FRACTION = {fraction}
) (
  input logic [EXPONENT+FRACTION:0] a,
  input logic [EXPONENT+FRACTION:0] b,
  output logic less, // `a` is below `b`
  output logic equal,
  output logic unordered // one of them is no number
);
  localparam int WIDTH = 1 + EXPONENT + FRACTION;
  logic a_nan, b_nan;

  // all ones in the exponent, and something in the fraction
  assign a_nan = (&a[WIDTH-2:FRACTION]) && (a[FRACTION-1:0] != 0);
  assign b_nan = (&b[WIDTH-2:FRACTION]) && (b[FRACTION-1:0] != 0);
  assign unordered = a_nan || b_nan;
  {body}
endmodule
""",
        about=f"""Compares two floating-point numbers of {width} bits: sign, {exponent}-bit exponent, {fraction}-bit
        fraction, as in IEEE 754. `less` and
            `equal` compare `a` with `b`; the two zeros are equal. Where one of them is a NaN (exponent all ones,
            fraction not
            zero), `unordered` is high and the others are low.""",
        model=model,
        names=("fp_cmp", "float_cmp", "fcmp"),
        stimulus={"a": number, "b": number},
        cycles=160,
    )
