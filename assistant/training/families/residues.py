"""Arithmetic in residues and finite fields."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family

_POLYNOMIALS = {
    3: (0b1011, 0b1101),
    4: (0b10011, 0b11001),
    5: (0b100101, 0b111101, 0b101111),
    6: (0b1000011, 0b1011011),
}
"""Irreducible polynomials by their degree."""


def _times(a: int, b: int, polynomial: int) -> int:
    """A product in a field of characteristic two."""
    bits, product = polynomial.bit_length() - 1, 0
    for _ in range(bits):
        if b & 1:
            product ^= a
        b >>= 1
        a <<= 1
        if a >> bits:
            a ^= polynomial
    return product


def _terms(polynomial: int) -> str:
    """A polynomial as one writes it."""
    names = {0: "1", 1: "x"}
    bits = range(polynomial.bit_length() - 1, -1, -1)
    return " + ".join(names.get(k, f"x^{k}") for k in bits if polynomial >> k & 1)


@family(variants=3)
def modular_adder(r: Random, variant: int) -> Draft:
    """Adds or subtracts numbers that are taken modulo a prime."""
    modulus = r.choice((5, 7, 11, 13, 17, 23, 29, 31, 61, 97, 113, 127, 251))
    bits = modulus.bit_length()
    kind = r.choice(("add", "both", "both", "three"))
    third = kind == "three"
    both = kind == "both"
    port = "  input logic subtract,\n" if both else "  input logic double, // a twice, and no b\n" if third else ""
    if both:
        body = (
            """
  assign sum = a + b;
  assign difference = a - b;

  // at most one correction is needed
  always_comb begin
    if (subtract) begin
      if (difference[BITS]) result = difference + MODULUS; // it was negative
      else result = difference[BITS-1:0];
    end else begin
      if (sum >= MODULUS) result = sum - MODULUS;
      else result = sum[BITS-1:0];
    end
  end
""",
            """
  logic [BITS-1:0] addend;

  // subtracting is adding the opposite number
  assign addend = !subtract ? b : (b == 0) ? 0 : MODULUS - b;
  assign sum = a + addend;
  assign difference = sum - MODULUS;
  assign result = difference[BITS] ? sum[BITS-1:0] : difference[BITS-1:0];
""",
            """
  logic borrow, over;

  assign difference = {1'b0, a} - {1'b0, b};
  assign sum = {1'b0, a} + {1'b0, b};
  assign borrow = (a < b);
  assign over = ~(sum < MODULUS);

  always_comb begin
    case ({subtract, subtract ? borrow : over})
      2'b00: result = sum[BITS-1:0];
      2'b01: result = sum - MODULUS;
      2'b10: result = difference[BITS-1:0];
      default: result = difference + MODULUS;
    endcase
  end
""",
        )[variant]
    else:
        second = "(double ? a : b)" if third else "b"
        body = (
            f"""
  assign sum = a + {second};
  assign difference = sum - MODULUS;

  // the sum is below twice the modulus
  always_comb begin
    if (sum >= MODULUS) result = difference[BITS-1:0];
    else result = sum[BITS-1:0];
  end
""",
            f"""
  logic over;

  assign sum = a + {second};
  assign over = (sum > MODULUS - 1);
  assign difference = over ? MODULUS : 0;
  assign result = sum - difference;
""",
            f"""
  function automatic logic [BITS-1:0] reduced(input logic [BITS:0] number);
    reduced = (number < MODULUS) ? number : number - MODULUS;
  endfunction

  always_comb begin
    sum = a;
    sum = sum + {second};
    result = reduced(sum);
  end
""",
        )[variant]

    def model(i: Pins) -> Outputs:
        other = -i.b if both and i.subtract else i.a if third and i.double else i.b
        return {"result": (i.a + other) % modulus}

    declared = "sum" if variant == 2 and not both else "sum, difference"
    what = (
        "`a` minus `b` where `subtract` is high, else `a` plus `b`"
        if both
        else "twice `a` where `double` is high, else `a` plus `b`"
        if third
        else "`a` plus `b`"
    )
    near = (0, 1, modulus - 1, modulus - 2, modulus // 2, modulus // 2 + 1)

    def operand_of(r: Random) -> int:
        return r.choice(near) if r.random() < 0.4 else r.randrange(modulus)

    return Draft(
        rtl=f"""
module modular_adder #(
  parameter int BITS = {bits},
  parameter int MODULUS = {modulus}
) (
{port}  input logic [BITS-1:0] a, // below the modulus
  input logic [BITS-1:0] b,
  output logic [BITS-1:0] result
);
  logic [BITS:0] {declared};
  {body}
endmodule
""",
        about=f"""Combinational modular arithmetic: `result` is {what}, modulo {modulus}. `a` and `b`, {bits} bits, are
            below {modulus}, and so is the result.""",
        model=model,
        names=("mod_add", "mod_add_sub" if both else "modadd", "prime_adder"),
        stimulus={"a": operand_of, "b": operand_of},
        cycles=160,
    )


@family(variants=3)
def montgomery_multiplier(r: Random, variant: int) -> Draft:
    """Multiplies modulo an odd number without a division: one bit of a factor in each cycle."""
    modulus = r.choice((11, 13, 23, 29, 31, 53, 59, 61, 101, 113, 127, 241, 251))
    width = modulus.bit_length()
    bits = width.bit_length()
    final = r.random() < 0.75
    inverse = pow(1 << width, -1, modulus)
    body = (
        """
  // adds the factor where its turn is, and the modulus where the sum is odd
  assign added = acc + (bits_left[0] ? factor : 0);
  assign even = added + (added[0] ? MODULUS : 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
      count <= '0;
      acc <= '0;
      result <= '0;
    end else begin
      done <= 1'b0;
      if (busy) begin
        acc <= even >> 1;
        bits_left <= bits_left >> 1;
        count <= count + 1'b1;
        if (count == WIDTH - 1) begin
          busy <= 1'b0;
          done <= 1'b1;
          result <= reduced;
        end
      end else if (start) begin
        busy <= 1'b1;
        factor <= b;
        bits_left <= a;
        count <= '0;
        acc <= '0;
      end
    end
  end
""",
        """
  typedef enum logic {IDLE, RUN} state_t;
  state_t state, state_next;

  assign busy = (state == RUN);

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (start) state_next = RUN;
      RUN: if (count == 1) state_next = IDLE;
      default: state_next = IDLE;
    endcase
  end

  always_comb begin
    added = acc;
    if (bits_left[0]) added = added + factor;
    even = added;
    if (added[0]) even = even + MODULUS; // now it can be halved
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
    end else begin
      state <= state_next;
      done <= (state == RUN) && (state_next == IDLE);
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      acc <= '0;
      result <= '0;
    end else if (state == IDLE) begin
      if (start) begin
        {factor, bits_left} <= {b, a};
        acc <= '0;
        count <= WIDTH; // rounds to go
      end
    end else begin
      acc <= even[WIDTH+1:1];
      bits_left <= {1'b0, bits_left[WIDTH-1:1]};
      count <= count - 1'b1;
      if (count == 1) result <= reduced;
    end
  end
""",
        """
  logic odd; // the sum would be
  logic last;

  assign busy = (count != 0);
  assign last = (count == WIDTH);
  assign odd = acc[0] ^ (bits_left[count-1] & factor[0]);
  assign added = bits_left[count-1] ? acc + factor : acc;
  assign even = odd ? added + MODULUS : added;

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      done <= 1'b0;
      acc <= '0;
      result <= '0;
    end else begin
      done <= last;
      if (!busy && start) begin
        count <= 1;
        acc <= '0;
        factor <= b;
        bits_left <= a;
      end else if (busy) begin
        acc <= even >> 1;
        count <= last ? '0 : count + 1'b1;
        if (last) result <= reduced;
      end
    end
  end
""",
    )[variant]
    wide = width if final else width + 1
    reducing = (
        (
            "  assign reduced = ((even >> 1) >= MODULUS) ? (even >> 1) - MODULUS : even >> 1;",
            """  logic [WIDTH+1:0] halved;

  assign halved = even >> 1;
  assign reduced = (halved < MODULUS) ? halved[WIDTH-1:0] : halved - MODULUS;""",
            """  // one subtraction brings it below the modulus
  always_comb begin
    reduced = even >> 1;
    if (even[WIDTH+1:1] >= MODULUS) reduced = reduced - MODULUS;
  end""",
        )[variant]
        if final
        else "  assign reduced = even >> 1;"
    )

    def reset(s: State) -> None:
        s.left = s.done = s.result = s.next = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": int(s.left > 0), "done": s.done, "result": s.result}
        s.done = 0
        if s.left:
            s.left -= 1
            if not s.left:
                s.done, s.result = 1, s.next
        elif i.start:
            total = 0
            for k in range(width):
                total += i.b * (i.a >> k & 1)
                total = (total + modulus * (total & 1)) >> 1
            if final:
                total %= modulus
                assert total == i.a * i.b * inverse % modulus
            s.left, s.next = width, total
        return out

    return Draft(
        rtl=f"""
module montgomery_multiplier #(
  parameter int WIDTH = {width},
  parameter int MODULUS = {modulus} // odd
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [WIDTH-1:0] a, // below the modulus
  input logic [WIDTH-1:0] b,
  output logic busy,
  output logic done,
  output logic [{wide - 1}:0] result
);
  logic [WIDTH+1:0] acc, added, even;
  logic [WIDTH-1:0] factor, bits_left;
  logic [{wide - 1}:0] reduced;
  logic [{bits - 1}:0] count;

{reducing}
  {body}
endmodule
""",
        about=f"""Montgomery multiplication modulo {modulus}: from `a` and `b`, which are below {modulus} and taken with
            `start` while not `busy`, comes `a` times `b` divided by {1 << width} modulo {modulus}. A sum that starts at
            0 goes through {width} rounds, one a cycle, for the bits of `a` from the lowest: add `b` where the bit is
            1; add {modulus} if that is odd; halve. {
            f"After the last round {modulus} is subtracted where the sum is not below it, and"
            if final
            else f"There is no subtraction at the end, so the sum may be up to {2 * modulus - 1};"
        } `result` shows it until the next is ready; `done` is high for one cycle. `busy` is high during the rounds.""",
        model=Machine(reset, step),
        names=("mont_mul", "montgomery", "modular_multiplier"),
        stimulus={
            "start": 0.5,
            "a": lambda r: r.choice((modulus - 1, r.randrange(modulus), r.randrange(modulus), 1)),
            "b": lambda r: r.choice((modulus - 1, r.randrange(modulus), r.randrange(modulus))),
        },
        cycles=24 * width,
    )


@family(variants=3)
def galois_multiplier(r: Random, variant: int) -> Draft:
    """A product in a field of two to the m: no carries, and a polynomial that brings it back."""
    bits = r.choice((3, 4, 4, 5, 6))
    polynomial = r.choice(_POLYNOMIALS[bits])
    low = polynomial & ((1 << bits) - 1)
    square = r.random() < 0.35
    add = not square and r.random() < 0.5
    port = "  input logic square, // a times itself\n" if square else "  input logic [BITS-1:0] c,\n" if add else ""
    factor = "square ? a : b" if square else "b"
    start = "c" if add else "'0"
    plus = " ^ c" if add else ""
    rows = []
    for k in range(2 * bits - 2, -1, -1):
        pairs = [f"a[{m}] & factor[{k - m}]" for m in range(bits) if 0 <= k - m < bits]
        rows.append(f"  assign wide[{k}] = {' ^ '.join(f'({pair})' if len(pairs) > 1 else pair for pair in pairs)};")
    powers = [1]
    for _ in range(2 * bits - 2):
        powers.append(_times(powers[-1], 2, polynomial))
    columns = "\n".join(
        f"  assign product[{k}] = "
        + " ^ ".join(f"wide[{m}]" for m in range(2 * bits - 1) if powers[m] >> k & 1)
        + (f" ^ c[{k}];" if add else ";")
        for k in range(bits)
    )
    body = (
        f"""
  logic [BITS-1:0] power; // a times a power of x

  always_comb begin
    product = {start};
    power = a;
    for (int i = 0; i < BITS; i++) begin
      if (factor[i]) product = product ^ power;
      // times x, brought back where it has become too long
      power = {{power[BITS-2:0], 1'b0}} ^ (power[BITS-1] ? POLY : 0);
    end
  end
""",
        f"""
  logic [2*BITS-2:0] wide;

  // the product of the polynomials
{chr(10).join(rows)}

  // what the high powers leave
{columns}
""",
        f"""
  function automatic logic [BITS-1:0] times_x(input logic [BITS-1:0] value);
    times_x = value << 1;
    if (value[BITS-1]) times_x = times_x ^ POLY;
  endfunction

  logic [BITS-1:0] acc;

  // from the highest bit of the factor on
  always_comb begin
    acc = '0;
    for (int i = BITS - 1; i >= 0; i = i - 1) begin
      acc = times_x(acc) ^ (a & {{BITS{{factor[i]}}}});
    end
  end

  assign product = acc{plus};
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        value = _times(i.a, i.a if square and i.square else i.b, polynomial)
        return {"product": value ^ (i.c if add else 0)}

    constant = "" if variant == 1 else f"  localparam logic [BITS-1:0] POLY = {bits}'b{low:0{bits}b};\n"
    what = (
        "`a` times `b`, or `a` times `a` where `square` is high,"
        if square
        else "`a` times `b` plus `c` (bitwise exclusive or)"
        if add
        else "`a` times `b`"
    )
    return Draft(
        rtl=f"""
module galois_multiplier #(
  parameter int BITS = {bits}
) (
{port}  input logic [BITS-1:0] a,
  input logic [BITS-1:0] b,
  output logic [BITS-1:0] product
);
{constant}  logic [BITS-1:0] factor;

  assign factor = {factor};
  {body}
endmodule
""",
        about=f"""Combinational multiplier in the field of {1 << bits} elements, GF(2^{bits}), modulo the polynomial
            {_terms(polynomial)}; bit k of a number is the coefficient of x^k. `product` is {what}.""",
        model=model,
        names=("gf_multiplier", "gf_mult", f"gf{1 << bits}_mul"),
        cycles=200,
        stimulus={"square": 0.5} if square else {},
    )


@family(variants=3)
def galois_inverse(r: Random, variant: int) -> Draft:
    """The inverse in a small field: by a table, by a search, or by a power."""
    bits = r.choice((3, 4, 4, 5))
    polynomial = r.choice(_POLYNOMIALS[bits])
    low = polynomial & ((1 << bits) - 1)
    size = 1 << bits
    inverses = [0] * size
    for a in range(1, size):
        inverses[a] = next(b for b in range(1, size) if _times(a, b, polynomial) == 1)
    divides = r.random() < 0.5
    arms = "\n".join(f"      {bits}'d{k}: inverse = {bits}'d{one};" for k, one in enumerate(inverses) if one)
    times = """
  function automatic logic [BITS-1:0] times(input logic [BITS-1:0] p, input logic [BITS-1:0] q);
    logic [BITS-1:0] power;
    power = p;
    times = 0;
    for (int i = 0; i < BITS; i++) begin
      if (q[i]) times = times ^ power;
      power = (power << 1) ^ (power[BITS-1] ? POLY : 0);
    end
  endfunction
"""
    squares = ["  assign power_2 = times(divisor, divisor);"]
    squares += [f"  assign power_{1 << k} = times(power_{1 << (k - 1)}, power_{1 << (k - 1)});" for k in range(2, bits)]
    product = f"power_{2}"
    chain = []
    for k in range(2, bits):
        chain.append(f"  assign part_{k} = times({product}, power_{1 << k});")
        product = f"part_{k}"
    declared = ", ".join([*(f"power_{1 << k}" for k in range(1, bits)), *(f"part_{k}" for k in range(2, bits))])
    body = (
        f"""{times if divides else ""}
  always_comb begin
    case (divisor)
{arms}
      default: inverse = '0; // zero has none
    endcase
  end
""",
        f"""{times}
  logic [BITS-1:0] {declared};

  // to the power {size - 2}: all squares but the first multiplied
{chr(10).join(squares)}
{chr(10).join(chain)}
  assign inverse = {product};
""",
        f"""{times}
  // tries all
  always_comb begin
    inverse = '0;
    for (int k = 1; k < {size}; k++) begin
      if (times(divisor, k) == 1) inverse = k;
    end
  end
""",
    )[variant]
    needs_poly = variant > 0 or divides

    def reset(s: State) -> None:
        s.valid = s.result = s.error = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "result": s.result, "error": s.error}
        s.valid = i.valid
        if i.valid:
            inverse = inverses[i.divisor]
            s.result = _times(i.dividend, inverse, polynomial) if divides else inverse
            s.error = int(i.divisor == 0)
        return out

    port = "  input logic [BITS-1:0] dividend,\n" if divides else ""
    what = "`dividend` divided by `divisor`" if divides else "the inverse of `divisor`, which times it gives 1,"
    return Draft(
        rtl=f"""
module galois_inverse #(
  parameter int BITS = {bits}
) (
  input logic clk,
  input logic rst,
  input logic valid,
{port}  input logic [BITS-1:0] divisor,
  output logic out_valid,
  output logic error, // there is no inverse
  output logic [BITS-1:0] result
);
{f"  localparam logic [BITS-1:0] POLY = {bits}'b{low:0{bits}b};{chr(10)}" if needs_poly else ""}  logic [BITS-1:0]
            inverse;
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      error <= 1'b0;
      result <= '0;
    end else begin
      out_valid <= valid;
      if (valid) begin
        error <= (divisor == 0);
        result <= {"times(dividend, inverse)" if divides else "inverse"};
      end
    end
  end
endmodule
""",
        about=f"""{"Divides" if divides else "Inverts"} in the field GF(2^{bits}) modulo the polynomial
            {_terms(polynomial)}; bit k of a number is the coefficient of x^k. In the cycle after `valid`, with
            `out_valid`, `result` is {what} and `error` is 0; where `divisor` is 0, `result` is 0 and `error` is 1.
            Both stay until the next.""",
        model=Machine(reset, step),
        names=("gf_divider" if divides else "gf_inverse", "field_inverter", f"gf{size}_inv"),
        stimulus={"valid": 0.85},
        cycles=160,
    )
