"""Numbers in few bits: small floating point, reciprocals and powers by approximation, digits, signs."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits, to_signed


@family(variants=3)
def small_float_multiplier(r: Random, variant: int) -> Draft:
    """Multiplies floating-point numbers of a few bits."""
    exponent, mantissa = r.choice(((3, 2), (3, 4), (4, 3), (5, 2)))
    bias = (1 << (exponent - 1)) - 1
    top = (1 << exponent) - 1
    width = 1 + exponent + mantissa
    keep_sign = r.random() < 0.5
    zero = f"{{sign, {{{width - 1}{{1'b0}}}}}}" if keep_sign else "'0"
    body = (
        f"""
  // exponents add, and one bias is too many
  assign power = $signed({{2'b00, a_exp}}) + $signed({{2'b00, b_exp}}) - BIAS;
  assign product = {{1'b1, a[M-1:0]}} * {{1'b1, b[M-1:0]}};
  assign carry = product[2*M+1];
  assign fraction = carry ? product[2*M:M+1] : product[2*M-1:M];
  assign power_last = carry ? power + 1 : power;

  always_comb begin
    if (a_exp == 0 || b_exp == 0 || power_last < 1) result = {zero};
    else if (power_last > {top}) result = {{sign, {{(E+M){{1'b1}}}}}}; // the largest number
    else result = {{sign, power_last[E-1:0], fraction}};
  end
""",
        f"""
  logic tiny, huge;

  always_comb begin
    product = {{1'b1, a[M-1:0]}} * {{1'b1, b[M-1:0]}};
    power = $signed({{2'b00, a_exp}}) + $signed({{2'b00, b_exp}});
    power = power - BIAS;
    carry = product[2*M+1];
    power_last = power;
    // from two on, the point moves by one place
    if (carry) begin
      product = product >> 1;
      power_last = power_last + 1;
    end
    fraction = product[2*M-1:M];
  end

  assign tiny = (power_last <= 0);
  assign huge = (power_last >= {top + 1});
  assign result = (a_exp == 0 || b_exp == 0 || tiny) ? {zero} :
    huge ? {{sign, {{(E+M){{1'b1}}}}}} : {{sign, power_last[E-1:0], fraction}};
""",
        f"""
  logic a_zero, b_zero;

  assign a_zero = ~(|a_exp);
  assign b_zero = ~(|b_exp);
  assign product = ({{1'b1, a[M-1:0]}}) * ({{1'b1, b[M-1:0]}});
  assign carry = product[2*M+1];
  assign power = $signed({{2'b00, a_exp}}) - BIAS + $signed({{2'b00, b_exp}});
  assign power_last = power + $signed({{1'b0, carry}});

  always_comb begin
    case (carry)
      1'b1: fraction = product[2*M:M+1];
      default: fraction = product[2*M-1:M];
    endcase
  end

  always_comb begin
    result = {{sign, power_last[E-1:0], fraction}};
    if (power_last > {top}) begin
      result[E+M-1:0] = {{(E+M){{1'b1}}}}; // limited
    end
    if (a_zero || b_zero || power_last[E+1] || power_last == 0) begin
      result = {zero};
    end
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        sign = (i.a ^ i.b) >> (width - 1)
        a_exp, b_exp = (one >> mantissa & top for one in (i.a, i.b))
        a_man, b_man = ((one & ((1 << mantissa) - 1)) | 1 << mantissa for one in (i.a, i.b))
        product = a_man * b_man
        carry = product >> (2 * mantissa + 1)
        power = a_exp + b_exp - bias + carry
        fraction = product >> (mantissa + carry) & ((1 << mantissa) - 1)
        if not a_exp or not b_exp or power < 1:
            return {"result": sign << (width - 1) if keep_sign else 0}
        rest = (1 << (exponent + mantissa)) - 1 if power > top else power << mantissa | fraction
        return {"result": sign << (width - 1) | rest}

    def operand(r: Random) -> int:
        power = r.choice((bias, bias + r.randint(-2, 2), r.randint(0, top), top, 0))
        return r.getrandbits(1) << (width - 1) | max(0, min(top, power)) << mantissa | r.getrandbits(mantissa)

    return Draft(
        rtl=f"""
module small_float_multiplier #(
  parameter int E = {exponent}, // bits of the exponent
  parameter int M = {mantissa} // bits behind the point
) (
  input logic [E+M:0] a, // sign, exponent, fraction
  input logic [E+M:0] b,
  output logic [E+M:0] result
);
  localparam int BIAS = {bias};
  logic [E-1:0] a_exp, b_exp;
  logic sign, carry;
  logic signed [E+1:0] power, power_last;
  logic [2*M+1:0] product;
  logic [M-1:0] fraction;

  assign a_exp = a[E+M-1:M];
  assign b_exp = b[E+M-1:M];
  assign sign = a[E+M] ^ b[E+M];
  {body}
endmodule
""",
        about=f"""Combinational multiplier for floating-point numbers of {width} bits: sign, {
            exponent
        } bits of exponent with
            the bias {bias}, {mantissa} bits of fraction behind a hidden one. An exponent of 0 means zero, whatever the
            fraction; there are no infinities. `result` is `a` times `b`, with further bits of the fraction dropped;
            beyond the range it is the largest number (all ones) with the sign of the product, below it zero, with {
            "the sign of the product" if keep_sign else "a positive sign"
        }.""",
        model=model,
        names=("minifloat_mul", f"fp{width}_mul", "float_multiplier"),
        stimulus={"a": operand, "b": operand},
        cycles=220,
    )


@family(variants=2)
def small_float_adder(r: Random, variant: int) -> Draft:
    """Adds floating-point numbers of a few bits: align, add, normalise."""
    exponent, mantissa = r.choice(((3, 3), (3, 4), (4, 3)))
    top = (1 << exponent) - 1
    width = 1 + exponent + mantissa
    guard = r.choice((1, 2))
    wide = mantissa + 2 + guard
    subtract = r.random() < 0.5
    port = "  input logic subtract,\n" if subtract else ""
    b_in = "{b[E+M] ^ subtract, b[E+M-1:0]}" if subtract else "b"
    chain = "\n".join(
        f"    {'if' if k == wide - 1 else 'else if'} (sum[{k}]) place = {wide - 1 - k};" for k in range(wide - 1, 0, -1)
    )
    body = (
        f"""
  // the larger number, by size, goes first
  assign swap = (other[E+M-1:0] > a[E+M-1:0]);
  assign first = swap ? other : a;
  assign second = swap ? a : other;

  assign big = (first[E+M-1:M] == 0) ? 0 : {{2'b01, first[M-1:0], {{G{{1'b0}}}}}};
  assign little = (second[E+M-1:M] == 0) ? 0 : {{2'b01, second[M-1:0], {{G{{1'b0}}}}}};
  assign aligned = little >> (first[E+M-1:M] - second[E+M-1:M]);
  assign sum = (first[E+M] == second[E+M]) ? big + aligned : big - aligned;

  // how far the highest one is from the top
  always_comb begin
{chain}
    else place = {wide - 1};
  end

  assign shifted = sum << place;
  assign power = $signed({{2'b00, first[E+M-1:M]}}) + 1 - $signed({{1'b0, place}});

  always_comb begin
    if (sum == 0 || power < 1) result = '0;
    else if (power > {top}) result = {{first[E+M], {{(E+M){{1'b1}}}}}};
    else result = {{first[E+M], power[E-1:0], shifted[M+G:G+1]}};
  end
""",
        f"""
  function automatic logic [WIDE-1:0] unpacked(input logic [E+M-1:0] number);
    unpacked = '0;
    if (number[E+M-1:M] != 0) unpacked = {{2'b01, number[M-1:0], {{G{{1'b0}}}}}}; // with the hidden one
  endfunction

  logic [E-1:0] gap;
  logic opposite;

  always_comb begin
    swap = 1'b0;
    first = a;
    second = other;
    if (other[E+M-1:0] > a[E+M-1:0]) begin
      swap = 1'b1;
      first = other;
      second = a;
    end
  end

  assign opposite = first[E+M] ^ second[E+M];
  assign gap = first[E+M-1:M] - second[E+M-1:M];
  assign big = unpacked(first[E+M-1:0]);
  assign little = unpacked(second[E+M-1:0]);
  assign aligned = little >> gap;

  assign sum = opposite ? big - aligned : big + aligned;

  // moves the highest one to the top, and the exponent with it
  always_comb begin
    shifted = sum;
    place = '0;
    for (int i = 0; i < WIDE - 1; i++) begin
      if (shifted[WIDE-1] == 1'b0) begin
        shifted = shifted << 1;
        place = place + 1'b1;
      end
    end
  end

  assign power = $signed({{2'b00, first[E+M-1:M]}}) - $signed({{1'b0, place}}) + 1;
  assign result = (sum == 0 || power <= 0) ? 0 :
    (power > {top}) ? {{first[E+M], {{(E+M){{1'b1}}}}}} : {{first[E+M], power[E-1:0], shifted[M+G:G+1]}};
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        other = i.b ^ (i.subtract << (width - 1) if subtract else 0)
        body_mask = (1 << (width - 1)) - 1
        first, second = (other, i.a) if other & body_mask > i.a & body_mask else (i.a, other)

        def parts(number: int) -> tuple[int, int, int]:
            power = number >> mantissa & top
            value = (number & ((1 << mantissa) - 1) | 1 << mantissa) << guard if power else 0
            return number >> (width - 1), power, value

        sign, power, big = parts(first)
        sign_2, power_2, little = parts(second)
        little >>= power - power_2
        total = big + little if sign == sign_2 else big - little
        if total == 0:
            return {"result": 0}
        place = wide - total.bit_length()
        power += 1 - place
        if power < 1:
            return {"result": 0}
        if power > top:
            return {"result": sign << (width - 1) | body_mask}
        fraction = (total << place) >> (guard + 1) & ((1 << mantissa) - 1)
        return {"result": sign << (width - 1) | power << mantissa | fraction}

    def drive(r: Random, s: State) -> dict[str, int]:
        power = r.randint(0, top)
        near = max(0, min(top, power + r.randint(-3, 3)))
        sign = r.getrandbits(1) << (width - 1)
        a = sign | power << mantissa | r.getrandbits(mantissa)
        b = r.getrandbits(1) << (width - 1) | near << mantissa | r.getrandbits(mantissa)
        return {"a": a, "b": a ^ (1 << (width - 1)) if r.random() < 0.04 else b}

    bits = (wide - 1).bit_length()
    return Draft(
        rtl=f"""
module small_float_adder #(
  parameter int E = {exponent}, // bits of the exponent
  parameter int M = {mantissa} // bits behind the point
) (
{port}  input logic [E+M:0] a, // sign, exponent, fraction
  input logic [E+M:0] b,
  output logic [E+M:0] result
);
  localparam int G = {guard}; // bits below the fraction
  localparam int WIDE = M + 2 + G;
  logic [E+M:0] other, first, second;
  logic swap;
  logic [WIDE-1:0] big, little, aligned, sum, shifted;
  logic [{bits - 1}:0] place;
  logic signed [E+1:0] power;

  assign other = {b_in};
  {body}
endmodule
""",
        about=f"""Combinational adder for floating-point numbers of {width} bits: sign, {exponent} bits of exponent,
            {mantissa} bits of fraction behind a hidden one. An exponent of 0 means zero; there are no infinities.
            `result` is `a` plus `b`{", or minus `b` where `subtract` is high" if subtract else ""}. The number of
            smaller size is shifted to the exponent of the larger, with {guard} guard bit{"s" if guard > 1 else ""}
            below the fraction and further bits dropped; the sum or difference is normalised, and bits that do not fit
            are dropped. It has the sign of the larger one (`a` where the sizes are equal). Beyond the range it is the
            largest number (all ones) with that sign; where it is zero or too small, all bits are 0.""",
        model=model,
        names=("minifloat_add", f"fp{width}_add", "float_adder"),
        drive=drive,
        cycles=260,
    )


@family(variants=2)
def newton_reciprocal(r: Random, variant: int) -> Draft:
    """One over a number by Newton's steps, each of which doubles the good digits."""
    width, fraction = r.choice(((6, 8), (8, 8), (8, 10), (8, 12)))
    rounds = r.choice((2, 3))
    bits = rounds.bit_length()
    body = (
        """
  assign product = operand * guess;
  assign correction = TWO - (product >> WIDTH);
  assign improved = guess * correction;

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
      count <= '0;
      guess <= '0;
      operand <= '0;
    end else begin
      done <= 1'b0;
      if (!busy) begin
        if (start) begin
          operand <= divisor;
          guess <= first_guess;
          count <= '0;
          busy <= 1'b1;
        end
      end else begin
        guess <= improved[2*FRACTION+1:FRACTION];
        count <= count + 1'b1;
        if (count == ROUNDS - 1) begin
          busy <= 1'b0;
          done <= 1'b1;
        end
      end
    end
  end
""",
        """
  typedef enum logic {IDLE, ITERATE} state_t;
  state_t state, state_next;
  logic [FRACTION+1:0] guess_next;
  logic last;

  assign busy = (state == ITERATE);
  assign last = busy && (count == 1);

  // a guess that is too small gets a factor above one
  always_comb begin
    product = guess * operand;
    correction = TWO;
    correction = correction - (product >> WIDTH);
    improved = correction * guess;
  end

  always_comb begin
    state_next = state;
    guess_next = guess;
    case (state)
      IDLE: if (start) begin
        state_next = ITERATE;
        guess_next = first_guess;
      end
      ITERATE: begin
        guess_next = improved >> FRACTION;
        if (last) state_next = IDLE;
      end
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
      guess <= '0;
    end else begin
      state <= state_next;
      done <= last;
      guess <= guess_next;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      operand <= '0;
      count <= '0;
    end else if (start && !busy) begin
      operand <= divisor;
      count <= ROUNDS; // steps to go
    end else if (busy) begin
      count <= count - 1'b1;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.left, s.done, s.guess, s.divisor = 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": int(s.left > 0), "done": s.done, "result": None if s.left else s.guess}
        s.done = 0
        if s.left:
            correction = (2 << fraction) - (s.divisor * s.guess >> width)
            s.guess = s.guess * correction >> fraction
            s.left -= 1
            s.done = int(s.left == 0)
        elif i.start:
            s.left, s.divisor = rounds, i.divisor
            s.guess = (3 << fraction) - (i.divisor << (fraction - width + 1))
        return out

    return Draft(
        rtl=f"""
module newton_reciprocal #(
  parameter int WIDTH = {width},
  parameter int FRACTION = {fraction}, // bits of the result behind the point
  parameter int ROUNDS = {rounds}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [WIDTH-1:0] divisor, // a fraction from a half up to one: the top bit is set
  output logic busy,
  output logic done,
  output logic [FRACTION+1:0] result
);
  localparam logic [FRACTION+1:0] TWO = {2 << fraction};
  localparam logic [FRACTION+1:0] THREE = {3 << fraction};
  logic [WIDTH-1:0] operand;
  logic [FRACTION+1:0] guess, first_guess, correction;
  logic [WIDTH+FRACTION+1:0] product;
  logic [2*FRACTION+3:0] improved;
  logic [{bits - 1}:0] count;

  // a straight line to begin with: three minus twice the number
  assign first_guess = THREE - (divisor << (FRACTION - WIDTH + 1));
  {body}
  assign result = guess;
endmodule
""",
        about=f"""Reciprocal by Newton's method. `divisor`, {width} bits, is a fraction d = divisor / {1 << width} with
            its top bit set, taken with `start` while not `busy`. The guess x has {fraction} fractional bits and begins
            as 3 - 2d. In each of {rounds} cycles it becomes x times (2 - d x), where the product d x, in {fraction}
            fractional bits, and the new x are rounded down. Then `done` is high for one cycle; `result` is x, and
            stays until the next start. `busy` is high during the steps.""",
        model=Machine(reset, step),
        names=("reciprocal", "newton_raphson", "inverse_unit"),
        stimulus={"start": 0.5, "divisor": lambda r: r.getrandbits(width - 1) | 1 << (width - 1)},
        cycles=160,
    )


@family(variants=3)
def non_restoring_divider(r: Random, variant: int) -> Draft:
    """Divides with one addition or subtraction in each cycle; a remainder below zero is mended at the end."""
    width = r.choice((4, 6, 8))
    bits = (width + 1).bit_length()
    body = (
        """
  assign moved = {partial[WIDTH-1:0], quotient_bits[WIDTH-1]};
  assign partial_next = partial[WIDTH] ? moved + operand : moved - operand;

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      done <= 1'b0;
      quotient <= '0;
      remainder <= '0;
    end else begin
      done <= 1'b0;
      if (count == 0) begin
        if (start) begin
          partial <= '0;
          quotient_bits <= dividend;
          operand <= divisor;
          count <= WIDTH + 1;
        end
      end else if (count != 1) begin
        partial <= partial_next;
        quotient_bits <= {quotient_bits[WIDTH-2:0], ~partial_next[WIDTH]};
        count <= count - 1'b1;
      end else begin
        // the last step: the remainder must not be negative
        remainder <= partial[WIDTH] ? partial + operand : partial;
        quotient <= quotient_bits;
        done <= 1'b1;
        count <= '0;
      end
    end
  end

  assign busy = (count != 0);
""",
        """
  typedef enum logic [1:0] {IDLE, DIVIDE, MEND} state_t;
  state_t state;
  logic negative;

  assign busy = (state != IDLE);
  assign negative = partial[WIDTH];

  always_comb begin
    moved = (partial << 1) | quotient_bits[WIDTH-1];
    // below zero one adds, otherwise one subtracts
    if (negative) partial_next = moved + operand;
    else partial_next = moved - operand;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
      count <= '0;
      {quotient, remainder} <= '0;
    end else begin
      done <= (state == MEND);
      case (state)
        IDLE: if (start) begin
          state <= DIVIDE;
          partial <= '0;
          {operand, quotient_bits} <= {divisor, dividend};
          count <= '0;
        end
        DIVIDE: begin
          partial <= partial_next;
          quotient_bits <= (quotient_bits << 1) | !partial_next[WIDTH];
          count <= count + 1'b1;
          if (count == WIDTH - 1) state <= MEND;
        end
        default: begin
          quotient <= quotient_bits;
          if (negative) remainder <= partial + operand;
          else remainder <= partial[WIDTH-1:0];
          state <= IDLE;
        end
      endcase
    end
  end
""",
        """
  logic load, last;

  assign load = start & ~busy;
  assign last = (count == 1);
  assign busy = |count;
  assign moved = {partial[WIDTH-1:0], quotient_bits[WIDTH-1]};
  // the complement and a carry make a subtraction
  assign partial_next = moved + ({1'b0, operand} ^ {(WIDTH+1){~partial[WIDTH]}}) + !partial[WIDTH];

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (load) count <= WIDTH + 1;
    else if (busy) count <= count - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (load) begin
      operand <= divisor;
      quotient_bits <= dividend;
      partial <= '0;
    end else if (busy && !last) begin
      quotient_bits <= {quotient_bits[WIDTH-2:0], ~partial_next[WIDTH]};
      partial <= partial_next;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
      quotient <= '0;
      remainder <= '0;
    end else begin
      done <= last;
      if (last) begin
        quotient <= quotient_bits;
        remainder <= partial + (partial[WIDTH] ? operand : 0);
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.left, s.done, s.shown, s.next = 0, 0, (0, 0), (0, 0)

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": int(s.left > 0), "done": s.done, "quotient": s.shown[0], "remainder": s.shown[1]}
        s.done = 0
        if s.left:
            s.left -= 1
            if not s.left:
                s.done, s.shown = 1, s.next
        elif i.start:
            s.left, s.next = width + 1, divmod(i.dividend, i.divisor)
        return out

    return Draft(
        rtl=f"""
module non_restoring_divider #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [WIDTH-1:0] dividend,
  input logic [WIDTH-1:0] divisor, // not zero
  output logic busy,
  output logic done,
  output logic [WIDTH-1:0] quotient,
  output logic [WIDTH-1:0] remainder
);
  logic [WIDTH:0] partial; // the remainder on the way, with a sign
  logic [WIDTH:0] moved, partial_next;
  logic [WIDTH-1:0] operand;
  logic [WIDTH-1:0] quotient_bits; // the dividend leaves it upwards
  logic [{bits - 1}:0] count;
  {body}
endmodule
""",
        about=f"""Unsigned non-restoring division of {width} bits. `start`, while not `busy`, takes `dividend` and
            `divisor`, which is not 0. In {width} cycles the partial remainder is doubled, takes in the next bit of the
            dividend, and then the divisor is subtracted, or added where the partial remainder was negative before; the
            quotient bit is 1 where the new one is not negative. One more cycle adds the divisor to a negative
            remainder. `busy` is high in these {width + 1} cycles; then `done` is high for one cycle, and `quotient` and
            `remainder` show the result until the next is ready.""",
        model=Machine(reset, step),
        names=("nr_divider", "divider", "serial_divider"),
        stimulus={
            "start": 0.5,
            "divisor": lambda r: r.choice((1, r.randrange(1, 1 << width), r.randrange(1, 6), (1 << width) - 1)),
        },
        cycles=24 * width,
    )


@family(variants=3)
def bcd_subtractor(r: Random, variant: int) -> Draft:
    """Subtracts decimal numbers, digit by digit."""
    digits = r.choice((1, 2, 3))
    width = 4 * digits
    port = "  input logic borrow_in,\n"
    checks = r.random() < 0.5
    out_port = "  output logic error, // some digit is none\n" if checks else ""
    unrolled = "\n\n".join(
        f"  assign plain_{k} = {{1'b0, a[{4 * k + 3}:{4 * k}]}} - {{1'b0, b[{4 * k + 3}:{4 * k}]}} - borrow[{k}];\n"
        f"  assign borrow[{k + 1}] = plain_{k}[4];\n"
        f"  assign difference[{4 * k + 3}:{4 * k}] = borrow[{k + 1}] ? plain_{k}[3:0] - 4'd6 : plain_{k}[3:0];"
        for k in range(digits)
    )
    body = (
        f"""
  logic [4:0] {", ".join(f"plain_{k}" for k in range(digits))};

  assign borrow[0] = borrow_in;
  // sixteen is lent where ten is meant
{unrolled}
""",
        """
  assign borrow[0] = borrow_in;

  // adds the complement to nine
  for (genvar k = 0; k < DIGITS; k++) begin : gen_digit
    logic [3:0] nines;
    logic [4:0] sum;

    assign nines = 4'd9 - b[4*k +: 4];
    assign sum = a[4*k +: 4] + nines + !borrow[k];
    assign borrow[k+1] = (sum < 5'd10);
    assign difference[4*k +: 4] = borrow[k+1] ? sum[3:0] : sum[3:0] - 4'd10;
  end
""",
        """
  logic signed [5:0] digit; // of the difference, may be negative

  always_comb begin
    borrow = '0;
    borrow[0] = borrow_in;
    difference = '0;
    digit = 0;
    for (int i = 0; i < DIGITS; i++) begin
      digit = $signed({2'b00, a[4*i +: 4]}) - $signed({2'b00, b[4*i +: 4]});
      if (borrow[i]) digit = digit - 1;
      if (digit < 0) begin
        digit = digit + 10;
        borrow[i+1] = 1'b1;
      end
      difference[4*i +: 4] = digit[3:0];
    end
  end
""",
    )[variant]
    checking = (
        "  assign error = "
        + " | ".join(f"({name}[{4 * k + 3}:{4 * k}] > 9)" for name in ("a", "b") for k in range(digits))
        + ";",
        """  always_comb begin
    error = 1'b0;
    for (int i = 0; i < DIGITS; i++) begin
      if (a[4*i +: 4] > 4'd9 || b[4*i +: 4] > 4'd9) error = 1'b1;
    end
  end""",
        "  assign error = "
        + " | ".join(
            f"({name}[{4 * k + 3}] & ({name}[{4 * k + 2}] | {name}[{4 * k + 1}]))"
            for name in ("a", "b")
            for k in range(digits)
        )
        + ";",
    )[variant]

    def model(i: Pins) -> Outputs:
        pairs = [(i.a >> (4 * k) & 15, i.b >> (4 * k) & 15) for k in range(digits)]
        bad = any(max(pair) > 9 for pair in pairs)
        value = sum((p - q) * 10**k for k, (p, q) in enumerate(pairs)) - i.borrow_in
        decimal = value % 10**digits
        out: dict[str, int | None] = {
            "difference": None if bad else sum((decimal // 10**k % 10) << (4 * k) for k in range(digits)),
            "borrow_out": None if bad else int(value < 0),
        }
        if checks:
            out["error"] = int(bad)
        return out

    def operand(r: Random) -> int:
        value = sum(r.choice((0, 1, 5, 8, 9, r.randrange(10))) << (4 * k) for k in range(digits))
        return value | (r.getrandbits(width) if checks and r.random() < 0.12 else 0)

    return Draft(
        rtl=f"""
module bcd_subtractor #(
  parameter int DIGITS = {digits}
) (
{port}  input logic [4*DIGITS-1:0] a, // the units lowest
  input logic [4*DIGITS-1:0] b,
{out_port}  output logic borrow_out,
  output logic [4*DIGITS-1:0] difference
);
  logic [DIGITS:0] borrow; // from each digit
  {body}
{checking + chr(10) if checks else ""}
  assign borrow_out = borrow[DIGITS];
endmodule
""",
        about=f"""Combinational decimal subtraction of {digits} BCD digit{
            "s" if digits > 1 else ""
        }, four bits each, the
            units in the lowest: `difference` is `a` minus `b` minus `borrow_in`, modulo {10**digits}, and
            `borrow_out` is 1 where that is negative.{
            " `error` is 1 where a digit of `a` or `b` is above 9; the other outputs do not matter then."
            if checks
            else " All digits are 0 to 9."
        }""",
        model=model,
        names=("bcd_sub", "decimal_subtractor", "bcd_difference"),
        stimulus={"a": operand, "b": operand, "borrow_in": 0.4},
        cycles=200,
    )


@family(variants=3)
def sign_converter(r: Random, variant: int) -> Draft:
    """Numbers with a sign in three notations: two's complement, ones' complement, sign and magnitude."""
    width = r.choice((4, 6, 8))
    order = r.sample(("TWOS", "ONES", "SIGNED", "OFFSET"), 4)
    codes = "\n".join(f"  localparam logic [1:0] {one} = 2'd{k};" for k, one in enumerate(order))
    lowest = -(1 << (width - 1))
    body = (
        """
  // two's complement in between
  always_comb begin
    case (source)
      ONES: twos = din + din[WIDTH-1];
      SIGNED: twos = din[WIDTH-1] ? -{1'b0, din[WIDTH-2:0]} : din;
      OFFSET: twos = {~din[WIDTH-1], din[WIDTH-2:0]};
      default: twos = din;
    endcase
  end

  assign negative = twos[WIDTH-1];

  always_comb begin
    case (to)
      ONES: dout = negative ? twos - 1'b1 : twos;
      SIGNED: dout = negative ? {1'b1, magnitude} : twos;
      OFFSET: dout = {~negative, twos[WIDTH-2:0]};
      default: dout = twos;
    endcase
    if (overflow) dout = '0;
  end

  assign magnitude = ~twos[WIDTH-2:0] + 1'b1;
  assign overflow = (to == ONES || to == SIGNED) && negative && (twos[WIDTH-2:0] == 0);
""",
        """
  always_comb begin
    twos = din;
    if (source == OFFSET) begin
      twos[WIDTH-1] = ~din[WIDTH-1];
    end else if (din[WIDTH-1]) begin
      if (source == ONES) twos = din + 1'b1; // minus zero becomes zero
      else if (source == SIGNED) twos = ~{1'b0, din[WIDTH-2:0]} + 1'b1;
    end
  end

  assign negative = (twos >> (WIDTH - 1)) != 0;
  assign magnitude = -twos[WIDTH-2:0];
  assign overflow = (twos == LOWEST) && (to != TWOS) && (to != OFFSET);

  always_comb begin
    dout = twos;
    if (overflow) begin
      dout = '0;
    end else if (to == OFFSET) begin
      dout[WIDTH-1] = ~negative;
    end else if (negative) begin
      if (to == ONES) dout = twos - 1'b1;
      if (to == SIGNED) dout = {negative, magnitude};
    end
  end
""",
        """
  logic flip, narrow;

  assign flip = (source == SIGNED) & din[WIDTH-1];
  assign twos = (source == OFFSET) ? din ^ LOWEST
    : flip ? (din ^ {1'b0, {(WIDTH-1){1'b1}}}) + 1'b1
    : din + ((source == ONES) & din[WIDTH-1]);
  assign negative = twos[WIDTH-1];
  assign magnitude = ~(twos[WIDTH-2:0] - 1'b1);
  assign narrow = (to == ONES) | (to == SIGNED); // as many numbers on both sides
  assign overflow = narrow & (twos == LOWEST);
  assign dout = overflow ? 0
    : (to == OFFSET) ? twos ^ LOWEST
    : (to == SIGNED && negative) ? {1'b1, magnitude}
    : twos - ((to == ONES) & negative);
""",
    )[variant]

    def value_of(kind: str, bits_in: int) -> int:
        low = bits_in & ((1 << (width - 1)) - 1)
        match kind:
            case "TWOS":
                return to_signed(bits_in, width)
            case "ONES":
                return to_signed(bits_in, width) + (bits_in >> (width - 1))
            case "SIGNED":
                return -low if bits_in >> (width - 1) else low
        return bits_in + lowest

    def model(i: Pins) -> Outputs:
        value, kind = value_of(order[i.source], i.din), order[i.to]
        if value == lowest and kind in ("ONES", "SIGNED"):
            return {"dout": 0, "overflow": 1, "negative": 1}
        if kind == "TWOS" or (value >= 0 and kind != "OFFSET"):
            answer = to_bits(value, width)
        elif kind == "ONES":
            answer = to_bits(value - 1, width)
        elif kind == "SIGNED":
            answer = 1 << (width - 1) | -value
        else:
            answer = value - lowest
        return {"dout": answer, "overflow": 0, "negative": int(value < 0)}

    words = {
        "TWOS": "two's complement",
        "ONES": "ones' complement",
        "SIGNED": "sign and magnitude",
        "OFFSET": f"offset binary (the number plus {-lowest})",
    }
    special = (lowest, lowest + 1, 0, 1, -1, -lowest - 1)
    return Draft(
        rtl=f"""
module sign_converter #(
  parameter int WIDTH = {width}
) (
  input logic [1:0] source, // how the number is written
  input logic [1:0] to, // how it shall be written
  input logic [WIDTH-1:0] din,
  output logic [WIDTH-1:0] dout,
  output logic negative,
  output logic overflow // it cannot be written so
);
{codes}
  localparam logic [WIDTH-1:0] LOWEST = {{1'b1, {{(WIDTH-1){{1'b0}}}}}};
  logic [WIDTH-1:0] twos;
  logic [WIDTH-2:0] magnitude; // of a negative number
  {body}
endmodule
""",
        about=f"""Combinational converter between notations of signed {width}-bit numbers. `source` says how `din` is
            written and `to` how `dout` shall be: {"; ".join(f"{k} {words[one]}" for k, one in enumerate(order))}. A
            minus zero counts as zero, and none comes out. `negative` is 1 where the number is below 0. Where {lowest}
            shall be written in ones' complement or as sign and magnitude, which is impossible, `overflow` is 1 and
            `dout` 0.""",
        model=model,
        names=("sign_format", "complement_converter", "number_format"),
        stimulus={
            "din": lambda r: to_bits(r.choice(special), width) if r.random() < 0.4 else r.getrandbits(width),
        },
        cycles=260,
    )


@family(variants=3)
def power_of_two(r: Random, variant: int) -> Draft:
    """Two to the power of a number with a fraction: a table for the fraction, a shift for the whole part."""
    whole, fraction = r.choice(((2, 3), (3, 3), (3, 2), (2, 4)))
    places = r.choice((3, 4, 6))
    falling = r.random() < 0.4
    width = places + (1 << whole)
    table = [round((1 << places) * 2 ** (k / (1 << fraction))) for k in range(1 << fraction)]
    arms = "\n".join(f"      {fraction}'d{k}: mantissa = {one};" for k, one in enumerate(table))
    packed = "".join(f"{one:0{places + 1}b}" for one in reversed(table))
    entry = places + 1
    most = (1 << whole) - 1
    amount = f"({most} - whole)" if falling else "whole"
    shifting = (
        f"""
  // the whole part moves the point
  assign power = mantissa << {amount};
""",
        f"""
  always_comb begin
    power = mantissa;
    // one stage for each bit of the whole part
    for (int i = 0; i < {whole}; i++) begin
      if ({"!" if falling else ""}whole[i]) power = power << (1 << i);
    end
  end
""",
        f"""
  always_comb begin
    case (whole)
{chr(10).join(f"      {whole}'d{k}: power = mantissa << {most - k if falling else k};" for k in range(1 << whole))}
      default: power = '0;
    endcase
  end
""",
    )[variant]
    looking = (
        f"""
  // two to the power of the fraction
  always_comb begin
    case (part)
{arms}
      default: mantissa = '0;
    endcase
  end
""",
        f"""
  localparam logic [{entry * len(table) - 1}:0] TABLE = {entry * len(table)}'b{packed}; // the first entry lowest

  assign mantissa = TABLE[{entry} * part +: {entry}];
""",
        f"""
  function automatic logic [{entry - 1}:0] root(input logic [{fraction - 1}:0] k);
    case (k)
{arms.replace("mantissa = ", "root = ")}
      default: root = {1 << places};
    endcase
  endfunction

  assign mantissa = root(part);
""",
    )[variant]

    def reset(s: State) -> None:
        s.valid = s.result = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "result": s.result}
        s.valid = i.valid
        if i.valid:
            high, low = divmod(i.exponent, 1 << fraction)
            low = low if not falling else (1 << fraction) - 1 - low
            s.result = table[low] << (most - high if falling else high)
        return out

    part = f"~exponent[{fraction - 1}:0]" if falling else f"exponent[{fraction - 1}:0]"
    meaning = (
        f"The fraction's bits are inverted and choose an entry, which is shifted left by {most} minus the whole part,"
        " so that the result falls from the full scale as `exponent` grows"
        if falling
        else "The fraction chooses an entry, which is shifted left by the whole part"
    )
    return Draft(
        rtl=f"""
module power_of_two (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [{whole + fraction - 1}:0] exponent, // {fraction} bits behind the point
  output logic out_valid,
  output logic [{width - 1}:0] result // {places} bits behind the point
);
  logic [{whole - 1}:0] whole;
  logic [{fraction - 1}:0] part;
  logic [{places}:0] mantissa; // from one up to two
  logic [{width - 1}:0] power;

  assign whole = exponent[{whole + fraction - 1}:{fraction}];
  assign part = {part};
  {looking}{shifting}
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      result <= '0;
    end else begin
      out_valid <= valid;
      if (valid) result <= power;
    end
  end
endmodule
""",
        about=f"""{"Exponential decay" if falling else "Power of two"} by a table and a shift. `exponent` has {whole}
            bits before and {fraction} behind the point. {meaning}. The table holds 2 to the power of k/{1 << fraction},
            times {1 << places} and rounded, for k from 0: {", ".join(map(str, table))}. `result`, {width} bits, follows
            `valid` in the next cycle with `out_valid`, and stays until the next.""",
        model=Machine(reset, step),
        names=("exp2", "antilog", "exponential_table"),
        stimulus={"valid": 0.85},
        cycles=160,
    )
