"""Adders, subtractors, accumulators."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import saturated, to_bits, to_signed


@family(variants=3)
def carry_lookahead_adder(r: Random, variant: int) -> Draft:
    """An adder with carry in and out, built from generate and propagate."""
    width = r.choice((4, 8, 16))
    flat = "\n".join(
        f"  assign carry[{k + 1}] = "
        + " | ".join(
            [f"g[{k}]"]
            + [
                f"({' & '.join(f'p[{m}]' for m in range(k, j - 1, -1))} & {'cin' if j == 0 else f'g[{j - 1}]'})"
                for j in range(k, -1, -1)
            ]
        )
        + ";"
        for k in range(4)
    )
    if variant == 2:
        width = 4
    body = (
        """
  // each carry from the one before: made here or passed on
  always_comb begin
    carry[0] = cin;
    for (int i = 0; i < WIDTH; i++) begin
      carry[i+1] = g[i] | (p[i] & carry[i]);
    end
  end
""",
        """
  assign carry[0] = cin;

  for (genvar k = 0; k < WIDTH; k++) begin : gen_carry
    assign carry[k+1] = g[k] | (p[k] & carry[k]); // made here or passed on
  end
""",
        f"""
  // every carry in two levels of logic
  assign carry[0] = cin;
{flat}
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        total = i.a + i.b + i.cin
        return {"sum": total & ((1 << width) - 1), "cout": total >> width}

    return Draft(
        rtl=f"""
module carry_lookahead_adder #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  input logic cin,
  output logic [WIDTH-1:0] sum,
  output logic cout
);
  logic [WIDTH-1:0] g, p; // carry generated, carry propagated
  logic [WIDTH:0] carry; // into each bit

  assign g = a & b;
  assign p = a ^ b;
  {body}
  assign sum = p ^ carry[WIDTH-1:0];
  assign cout = carry[WIDTH];
endmodule
""",
        about=f"""Adds `a`, `b` and `cin`, {width} bits, to `sum` and the carry `cout`, with carries worked out from
        generate
            (both bits set) and propagate (one bit set).""",
        model=model,
        names=("cla_adder", "lookahead_adder", "adder"),
    )


@family(variants=3)
def saturating_adder(r: Random, variant: int) -> Draft:
    """Adds and stays at the end of the range instead of wrapping."""
    width = r.choice((8, 10, 12, 16))
    signed = r.random() < 0.6
    top = "{1'b0, {(WIDTH-1){1'b1}}}" if signed else "{WIDTH{1'b1}}"
    bottom = "{1'b1, {(WIDTH-1){1'b0}}}"
    if signed:
        body = (
            f"""
  logic [WIDTH-1:0] total;

  assign total = a + b;
  // both of one sign, and the sum of the other
  assign overflow = (a[WIDTH-1] == b[WIDTH-1]) && (total[WIDTH-1] != a[WIDTH-1]);
  assign sum = !overflow ? total : a[WIDTH-1] ? {bottom} : {top};
""",
            f"""
  logic [WIDTH:0] wide;

  // one more bit holds every sum; its two top bits differ where it does not fit
  assign wide = {{a[WIDTH-1], a}} + {{b[WIDTH-1], b}};
  assign overflow = wide[WIDTH] ^ wide[WIDTH-1];

  always_comb begin
    sum = wide[WIDTH-1:0];
    if (overflow) begin
      sum = wide[WIDTH] ? {bottom} : {top};
    end
  end
""",
            f"""
  logic [WIDTH:0] wide;

  assign wide = {{a[WIDTH-1], a}} + {{b[WIDTH-1], b}};

  always_comb begin
    case (wide[WIDTH:WIDTH-1])
      2'b01: sum = {top}; // too large
      2'b10: sum = {bottom}; // too small
      default: sum = wide[WIDTH-1:0];
    endcase
  end

  assign overflow = (wide[WIDTH] != wide[WIDTH-1]);
""",
        )[variant]
    else:
        body = (
            f"""
  logic [WIDTH:0] wide;

  assign wide = {{1'b0, a}} + {{1'b0, b}};
  assign overflow = wide[WIDTH]; // the carry
  assign sum = overflow ? {top} : wide[WIDTH-1:0];
""",
            """
  logic [WIDTH-1:0] total;

  assign total = a + b;
  // a sum that wraps is smaller than what went in
  assign overflow = (total < a);
  assign sum = total | {WIDTH{overflow}};
""",
            f"""
  logic carry;
  logic [WIDTH-1:0] total;

  always_comb begin
    {{carry, total}} = a + b;
    if (carry) sum = {top};
    else sum = total;
  end

  assign overflow = carry;
""",
        )[variant]

    def model(i: Pins) -> Outputs:
        a, b = (to_signed(i.a, width), to_signed(i.b, width)) if signed else (i.a, i.b)
        value = saturated(a + b, width, signed=signed)
        return {"sum": to_bits(value, width), "overflow": int(value != a + b)}

    kind = "signed" if signed else "unsigned"
    return Draft(
        rtl=f"""
module saturating_adder #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  output logic [WIDTH-1:0] sum,
  output logic overflow // the sum was cut
);
  {body}
endmodule
""",
        about=f"""Adds two {kind} {width}-bit numbers. Where the result does not fit, `sum` is the
            {"largest or smallest" if signed else "largest"} number that does, and `overflow` is high.""",
        model=model,
        names=("sat_add", "add_sat", f"{kind}_sat_adder"),
    )


@family(variants=3)
def bcd_adder(r: Random, variant: int) -> Draft:
    """Adds decimal digits, four bits each."""
    digits = r.choice((1, 2, 3))
    bits = 4 * digits
    body = (
        """
  logic [4:0] digit;
  logic carry;

  // digit by digit, from the lowest
  always_comb begin
    carry = cin;
    sum = '0;
    digit = '0;
    for (int i = 0; i < DIGITS; i++) begin
      digit = a[4*i +: 4] + b[4*i +: 4] + carry;
      if (digit > 9) begin
        sum[4*i +: 4] = digit[3:0] + 4'd6; // skip the six codes that are no digit
        carry = 1'b1;
      end else begin
        sum[4*i +: 4] = digit[3:0];
        carry = 1'b0;
      end
    end
    cout = carry;
  end
""",
        """
  logic [DIGITS:0] carry;

  assign carry[0] = cin;
  assign cout = carry[DIGITS];

  for (genvar k = 0; k < DIGITS; k++) begin : gen_digit
    logic [4:0] plain;

    assign plain = a[4*k+3:4*k] + b[4*k+3:4*k] + carry[k];
    assign carry[k+1] = (plain > 5'd9);
    assign sum[4*k+3:4*k] = carry[k+1] ? plain[3:0] + 4'd6 : plain[3:0];
  end
""",
        """
  logic [DIGITS:0] carry;

  assign carry[0] = cin;
  assign cout = carry[DIGITS];

  for (genvar k = 0; k < DIGITS; k++) begin : gen_digit
    bcd_digit_adder u_digit (
      .a(a[4*k+3:4*k]),
      .b(b[4*k+3:4*k]),
      .cin(carry[k]),
      .sum(sum[4*k+3:4*k]),
      .cout(carry[k+1])
    );
  end
""",
    )[variant]
    digit = """
module bcd_digit_adder (
  input logic [3:0] a,
  input logic [3:0] b,
  input logic cin,
  output logic [3:0] sum,
  output logic cout
);
  logic [4:0] plain, fixed;

  assign plain = {1'b0, a} + {1'b0, b} + cin;
  assign fixed = plain + 5'd6; // skips the six codes that are no digit
  assign cout = (plain >= 5'd10);
  assign sum = cout ? fixed[3:0] : plain[3:0];
endmodule
"""

    def number(value: int) -> int:
        return sum((value >> (4 * k) & 15) * 10**k for k in range(digits))

    def model(i: Pins) -> Outputs:
        total = number(i.a) + number(i.b) + i.cin
        return {
            "sum": sum((total // 10**k % 10) << (4 * k) for k in range(digits)),
            "cout": int(total >= 10**digits),
        }

    def decimal(r: Random) -> int:
        return sum(r.choice((0, 9, r.randrange(10))) << (4 * k) for k in range(digits))

    return Draft(
        rtl=f"""
module bcd_adder #(
  parameter int DIGITS = {digits}
) (
  input logic [4*DIGITS-1:0] a,
  input logic [4*DIGITS-1:0] b,
  input logic cin,
  output logic [4*DIGITS-1:0] sum,
  output logic cout
);
  {body}
endmodule
{digit if variant == 2 else ""}""",
        about=f"""BCD adder for {digits} decimal digit{"s" if digits > 1 else ""} of four bits ({bits} bits), lowest
        digit in
            the lowest bits. `sum` is the decimal sum of `a`, `b` and `cin`, `cout` its carry. Inputs hold digits 0 to
            9.""",
        model=model,
        names=("decimal_adder", "bcd_add"),
        stimulus={"a": decimal, "b": decimal},
    )


@family(variants=3)
def rounding_average(r: Random, variant: int) -> Draft:
    """The mean of two numbers without a wider adder, rounded up or down."""
    width = r.choice((8, 10, 16))
    up = r.random() < 0.5
    body = (
        f"""
  logic [WIDTH:0] total;

  assign total = {{1'b0, a}} + {{1'b0, b}}{" + 1'b1" if up else ""};
  assign mean = total[WIDTH:1];
""",
        f"""
  logic [WIDTH-1:0] common, differing;

  // what both have, and half of what only one has
  assign common = {"a | b" if up else "a & b"};
  assign differing = (a ^ b) >> 1;
  assign mean = common {"-" if up else "+"} differing;
""",
        f"""
  logic carry;

  // the halves, and what their lowest bits add up to
  assign carry = {"a[0] | b[0]" if up else "a[0] & b[0]"};
  assign mean = (a >> 1) + (b >> 1) + carry;
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        return {"mean": (i.a + i.b + up) // 2}

    return Draft(
        rtl=f"""
module rounding_average #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  output logic [WIDTH-1:0] mean
);
  {body}
endmodule
""",
        about=f"""Mean of two unsigned {width}-bit numbers: half of `a` plus `b`, rounded {"up" if up else "down"};
        the sum does
            not overflow.""",
        model=model,
        names=("average2", "mean2", "avg_round"),
    )


@family(variants=2)
def serial_adder(r: Random, variant: int) -> Draft:
    """Adds two numbers one bit a cycle with one full adder."""
    width = r.choice((4, 8, 12))
    bits = width.bit_length()
    body = (
        """
  // one full adder
  assign bit_sum = a_shift[0] ^ b_shift[0] ^ carry;
  assign bit_carry = (a_shift[0] & b_shift[0]) | (carry & (a_shift[0] ^ b_shift[0]));
  assign busy = (count != 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      carry <= 1'b0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      if (busy) begin
        carry <= bit_carry;
        count <= count - 1'b1;
        done <= (count == 1); // the last bit
      end else if (start) begin
        carry <= 1'b0;
        count <= WIDTH;
      end
    end
  end

  // operands leave at the bottom, the sum comes in at the top
  always_ff @(posedge clk) begin
    if (busy) begin
      a_shift <= a_shift >> 1;
      b_shift <= b_shift >> 1;
      sum <= {bit_sum, sum[WIDTH-1:1]};
    end else if (start) begin
      a_shift <= a;
      b_shift <= b;
    end
  end

  assign cout = carry;
""",
        """
  typedef enum logic {IDLE, RUN} state_t;
  state_t state;

  assign {bit_carry, bit_sum} = a_shift[0] + b_shift[0] + carry;
  assign busy = (state == RUN);
  assign cout = carry;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      count <= '0;
      carry <= 1'b0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      case (state)
        IDLE: begin
          if (start) begin
            a_shift <= a;
            b_shift <= b;
            carry <= 1'b0;
            count <= '0;
            state <= RUN;
          end
        end
        default: begin
          a_shift <= {1'b0, a_shift[WIDTH-1:1]};
          b_shift <= {1'b0, b_shift[WIDTH-1:1]};
          sum <= {bit_sum, sum[WIDTH-1:1]};
          carry <= bit_carry;
          count <= count + 1'b1;
          if (count == WIDTH - 1) begin
            done <= 1'b1;
            state <= IDLE;
          end
        end
      endcase
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.left = s.done = 0
        s.total = s.shown = None
        s.fresh = True

    def step(s: State, i: Pins) -> Outputs:
        # The sum and the carry are meant to be read where `done` is high, and stay until the next start.
        valid = s.shown is not None and not s.left
        out = {
            "busy": int(s.left > 0),
            "done": s.done,
            "sum": s.shown & ((1 << width) - 1) if valid else None,
            "cout": s.shown >> width if valid else None,
        }
        s.done = 0
        if s.left:
            s.left -= 1
            if not s.left:
                s.done, s.shown = 1, s.total
        elif i.start:
            s.left, s.total, s.shown = width, i.a + i.b, None
        return out

    return Draft(
        rtl=f"""
module serial_adder #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  output logic busy,
  output logic done, // for one cycle, with the sum
  output logic [WIDTH-1:0] sum,
  output logic cout
);
  logic [WIDTH-1:0] a_shift, b_shift;
  logic [{bits - 1}:0] count;
  logic carry, bit_sum, bit_carry;
  {body}
endmodule
""",
        about=f"""Bit-serial adder: `start` takes `a` and `b` where the adder is not `busy`; it then adds one bit a
        cycle for
            {width} cycles, lowest first. `done` is high for one cycle when `sum` and the carry `cout` are there; they
            stay
            until the next start. A start while `busy` is ignored.""",
        model=Machine(reset, step),
        names=("bit_serial_adder", "ser_add"),
        stimulus={"start": 0.4},
        cycles=12 * width,
    )


@family(variants=3)
def saturating_accumulator(r: Random, variant: int) -> Draft:
    """Adds signed samples up, within limits."""
    width, extra = r.choice((8, 12)), r.choice((2, 4))
    total = width + extra
    body = (
        """
  logic signed [TOTAL:0] sum;

  // one bit more than the register shows a sum that does not fit
  assign sum = acc + sample;

  always_ff @(posedge clk) begin
    if (rst) begin
      acc <= '0;
      saturated <= 1'b0;
    end else if (clear) begin
      acc <= '0;
      saturated <= 1'b0;
    end else if (valid) begin
      if (sum > HIGHEST) begin
        acc <= HIGHEST;
        saturated <= 1'b1;
      end else if (sum < LOWEST) begin
        acc <= LOWEST;
        saturated <= 1'b1;
      end else begin
        acc <= sum[TOTAL-1:0];
      end
    end
  end
""",
        """
  logic signed [TOTAL:0] sum;
  logic signed [TOTAL-1:0] acc_next;
  logic over, under;

  assign sum = acc + sample;
  assign over = (sum[TOTAL:TOTAL-1] == 2'b01);
  assign under = (sum[TOTAL:TOTAL-1] == 2'b10);

  always_comb begin
    if (over) acc_next = HIGHEST;
    else if (under) acc_next = LOWEST;
    else acc_next = sum[TOTAL-1:0];
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      acc <= '0;
      saturated <= 1'b0;
    end else begin
      if (clear) begin
        acc <= '0;
        saturated <= 1'b0;
      end else if (valid) begin
        acc <= acc_next;
        saturated <= saturated | over | under; // stays until it is cleared
      end
    end
  end
""",
        """
  logic signed [TOTAL:0] sum;
  logic fits;

  assign sum = acc + sample;
  assign fits = (sum[TOTAL] == sum[TOTAL-1]);

  always_ff @(posedge clk) begin
    if (rst) begin
      acc <= '0;
    end else if (clear) begin
      acc <= '0;
    end else if (valid) begin
      acc <= fits ? sum[TOTAL-1:0] : sum[TOTAL] ? LOWEST : HIGHEST;
    end
  end

  // remembers that something was lost
  always_ff @(posedge clk) begin
    if (rst) begin
      saturated <= 1'b0;
    end else if (clear) begin
      saturated <= 1'b0;
    end else if (valid && !fits) begin
      saturated <= 1'b1;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.acc = s.saturated = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"acc": to_bits(s.acc, total), "saturated": s.saturated}
        if i.clear:
            s.acc = s.saturated = 0
        elif i.valid:
            exact = s.acc + to_signed(i.sample, width)
            s.acc = saturated(exact, total, signed=True)
            s.saturated |= int(s.acc != exact)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        # Runs of one sign take the sum to its limits.
        s.sign = getattr(s, "sign", 0) ^ (r.random() < 0.04)
        return {
            "sample": to_bits(
                r.randrange(1 << (width - 1)) - (r.random() < 0.2) * 9 - s.sign * (1 << (width - 1)), width
            )
        }

    return Draft(
        rtl=f"""
module saturating_accumulator #(
  parameter int WIDTH = {width},
  parameter int TOTAL = {total}
) (
  input logic clk,
  input logic rst,
  input logic clear,
  input logic valid,
  input logic signed [WIDTH-1:0] sample,
  output logic signed [TOTAL-1:0] acc,
  output logic saturated
);
  localparam logic signed [TOTAL-1:0] HIGHEST = {{1'b0, {{(TOTAL-1){{1'b1}}}}}};
  localparam logic signed [TOTAL-1:0] LOWEST = {{1'b1, {{(TOTAL-1){{1'b0}}}}}};
  {body}
endmodule
""",
        about=f"""Accumulator of signed {width}-bit samples in {total} bits. Each cycle with `valid` adds `sample` to
        `acc`; a
            sum that does not fit becomes the largest or smallest number, and sets `saturated`. `clear` sets both to
            zero
            and goes before `valid`.""",
        model=Machine(reset, step),
        names=("accumulator", "sat_acc", "integrator"),
        stimulus={"clear": 0.03, "valid": 0.85},
        drive=drive,
        cycles=150,
    )


@family(variants=2)
def carry_save_adder(r: Random, variant: int) -> Draft:
    """Adds three or four numbers with one carry chain."""
    width = r.choice((8, 12, 16))
    four = r.random() < 0.5
    last = "d" if four else ""
    ports = "\n".join(f"  input logic [WIDTH-1:0] {name}," for name in ("a", "b", "c", *last))
    bits = width + 2
    second = """
  // the second layer takes the fourth number in
  assign second_sum = first_sum ^ first_carry ^ {2'b00, d};
  assign second_carry = ((first_sum & first_carry) | ({2'b00, d} & (first_sum | first_carry))) << 1;
  assign total = second_sum + second_carry;
"""
    layers = f"""
  logic [WIDTH+1:0] first_sum, first_carry{", second_sum, second_carry" if four else ""};

  // sums and carries of each bit, without a chain
  assign first_sum = {{2'b00, a ^ b ^ c}};
  assign first_carry = {{1'b0, (a & b) | (a & c) | (b & c), 1'b0}};
{second if four else "  assign total = first_sum + first_carry; // the only chain"}
"""
    cells = f"""
  logic [WIDTH-1:0] sums, carries;

  for (genvar k = 0; k < WIDTH; k++) begin : gen_cell
    full_adder u_cell (
      .a(a[k]),
      .b(b[k]),
      .cin(c[k]),
      .sum(sums[k]),
      .cout(carries[k])
    );
  end

  // a carry counts twice
  assign total = {{2'b00, sums}} + {{1'b0, carries, 1'b0}}{" + {2'b00, d}" if four else ""};
"""
    cell = """
module full_adder (
  input logic a,
  input logic b,
  input logic cin,
  output logic sum,
  output logic cout
);
  assign sum = a ^ b ^ cin;
  assign cout = (a & b) | (cin & (a ^ b));
endmodule
"""

    def model(i: Pins) -> Outputs:
        return {"total": i.a + i.b + i.c + (i.d if four else 0)}

    return Draft(
        rtl=f"""
module carry_save_adder #(
  parameter int WIDTH = {width}
) (
{ports}
  output logic [WIDTH+1:0] total
);
  {(layers, cells)[variant]}
endmodule
{cell if variant else ""}""",
        about=f"""Adds {"four" if four else "three"} unsigned {width}-bit numbers to a {bits}-bit `total`. Carry-save:
        a layer of
            full adders without a carry chain reduces three numbers to sums and carries, and one adder adds those.""",
        model=model,
        names=("csa", "add3", "multi_operand_adder"),
    )
