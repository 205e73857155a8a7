"""Multipliers."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits, to_signed


@family(variants=3)
def shift_add_multiplier(r: Random, variant: int) -> Draft:
    """Multiplies in as many cycles as the factor has bits."""
    width = r.choice((4, 6, 8))
    bits = width.bit_length()
    body = (
        """
  typedef enum logic {IDLE, RUN} state_t;
  state_t state;
  logic [2*WIDTH-1:0] addend;
  logic [WIDTH-1:0] factor;

  assign busy = (state == RUN);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
      product <= '0;
      count <= '0;
    end else begin
      done <= 1'b0;
      case (state)
        IDLE: begin
          if (start) begin
            addend <= {{WIDTH{1'b0}}, a};
            factor <= b;
            product <= '0;
            count <= '0;
            state <= RUN;
          end
        end
        default: begin
          if (factor[0]) product <= product + addend;
          addend <= addend << 1; // the next bit weighs twice as much
          factor <= factor >> 1;
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
        """
  logic [WIDTH-1:0] multiplicand;
  logic [WIDTH:0] upper;

  assign busy = (count != 0);
  // the upper half, with a carry
  assign upper = {1'b0, product[2*WIDTH-1:WIDTH]} + (product[0] ? {1'b0, multiplicand} : 0);

  // the factor leaves the lower half while the product moves down into it
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      done <= 1'b0;
      product <= '0;
    end else begin
      done <= (count == 1);
      if (busy) begin
        product <= {upper, product[WIDTH-1:1]};
        count <= count - 1'b1;
      end else if (start) begin
        multiplicand <= a;
        product <= {{WIDTH{1'b0}}, b};
        count <= WIDTH;
      end
    end
  end
""",
        """
  logic [WIDTH-1:0] factor_a, factor_b;
  logic [2*WIDTH-1:0] product_next;

  assign busy = (count != 0);

  // from the top bit down: double, and add where the bit is set
  always_comb begin
    product_next = product << 1;
    if (factor_b[WIDTH-1]) product_next = product_next + factor_a;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      done <= 1'b0;
      product <= '0;
    end else begin
      done <= 1'b0;
      if (!busy && start) begin
        factor_a <= a;
        factor_b <= b;
        product <= '0;
        count <= WIDTH;
      end else if (busy) begin
        product <= product_next;
        factor_b <= {factor_b[WIDTH-2:0], 1'b0};
        count <= count - 1'b1;
        if (count == 1) done <= 1'b1;
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.left = s.done = s.product = s.result = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": int(s.left > 0), "done": s.done, "product": None if s.left else s.product}
        s.done = 0
        if s.left:
            s.left -= 1
            if not s.left:
                s.done, s.product = 1, s.result
        elif i.start:
            s.left, s.result = width, i.a * i.b
        return out

    return Draft(
        rtl=f"""
module shift_add_multiplier #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  output logic busy,
  output logic done, // for one cycle, with the product
  output logic [2*WIDTH-1:0] product
);
  logic [{bits - 1}:0] count;
  {body}
endmodule
""",
        about=f"""Sequential unsigned multiplier, {width} by {width} bits, by shifting and adding: `start` takes `a`
        and `b` where
            it is not `busy`, {width} cycles later `done` is high for one cycle and `product` holds the
            {2 * width}-bit product
            until the next start. It is `busy` in between and ignores `start` then. `product` is zero after reset.""",
        model=Machine(reset, step),
        names=("seq_multiplier", "mult_serial", "multiplier"),
        stimulus={"start": 0.4},
        cycles=14 * width,
    )


@family(variants=2, held_out=True)
def booth_multiplier(r: Random, variant: int) -> Draft:
    """Multiplies signed numbers by Booth's recoding, one bit a cycle."""
    width = r.choice((4, 6, 8))
    bits = width.bit_length()
    body = (
        """
  logic signed [WIDTH:0] upper; // one bit more, for the smallest number
  logic signed [WIDTH:0] sum;
  logic [WIDTH-1:0] lower;
  logic last; // the bit that was looked at before

  // the end of a run of ones adds, its start subtracts
  always_comb begin
    case ({lower[0], last})
      2'b01: sum = upper + multiplicand;
      2'b10: sum = upper - multiplicand;
      default: sum = upper;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      if (count != 0) begin
        {upper, lower, last} <= {sum[WIDTH], sum, lower};
        count <= count - 1'b1;
        done <= (count == 1);
      end else if (start) begin
        multiplicand <= a;
        upper <= '0;
        lower <= b;
        last <= 1'b0;
        count <= WIDTH;
      end
    end
  end

  assign busy = (count != 0);
  assign product = {upper[WIDTH-1:0], lower};
""",
        """
  logic signed [2*WIDTH+1:0] work; // sum, factor and the bit looked at before
  logic signed [2*WIDTH+1:0] work_next;
  logic signed [2*WIDTH+1:0] step;

  assign step = {multiplicand[WIDTH-1], multiplicand, {(WIDTH+1){1'b0}}};

  always_comb begin
    work_next = work;
    if (work[1:0] == 2'b01)
      work_next = work + step; // a run of ones has ended
    else if (work[1:0] == 2'b10)
      work_next = work - step; // a run of ones begins
    work_next = work_next >>> 1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
      count <= '0;
    end else begin
      done <= 1'b0;
      if (busy) begin
        work <= work_next;
        count <= count + 1'b1;
        if (count == WIDTH - 1) begin
          busy <= 1'b0;
          done <= 1'b1;
        end
      end else if (start) begin
        multiplicand <= a;
        work <= {{(WIDTH+1){1'b0}}, b, 1'b0};
        count <= '0;
        busy <= 1'b1;
      end
    end
  end

  assign product = work[2*WIDTH:1];
""",
    )[variant]

    def reset(s: State) -> None:
        s.left = s.done = 0
        s.product = s.result = None

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": int(s.left > 0), "done": s.done, "product": None if s.left else s.product}
        s.done = 0
        if s.left:
            s.left -= 1
            if not s.left:
                s.done, s.product = 1, s.result
        elif i.start:
            exact = to_signed(i.a, width) * to_signed(i.b, width)
            s.left, s.result = width, to_bits(exact, 2 * width)
        return out

    return Draft(
        rtl=f"""
module booth_multiplier #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic signed [WIDTH-1:0] a,
  input logic signed [WIDTH-1:0] b,
  output logic busy,
  output logic done,
  output logic signed [2*WIDTH-1:0] product
);
  logic signed [WIDTH-1:0] multiplicand;
  logic [{bits - 1}:0] count;
  {body}
endmodule
""",
        about=f"""Radix-2 Booth multiplier of signed {width}-bit numbers. `start` takes `a` and `b` where it is not
        `busy`; in
            each of {width} cycles a pair of neighbouring bits of `b` says whether `a` is added, subtracted or left,
            and the
            result moves right. `done` is high for one cycle when `product` is there; it stays until the next start.""",
        model=Machine(reset, step),
        names=("booth_mult", "signed_multiplier"),
        stimulus={"start": 0.4},
        cycles=14 * width,
    )


@family(variants=3)
def array_multiplier(r: Random, variant: int) -> Draft:
    """A combinational multiplier from partial products."""
    width = r.choice((4, 6, 8))
    adds = " + ".join(f"(b[{k}] ? {{{{WIDTH{{1'b0}}}}, a}} << {k} : 0)" for k in range(width))
    body = (
        """
  // one row for each bit of the factor
  always_comb begin
    product = '0;
    for (int i = 0; i < WIDTH; i++) begin
      if (b[i]) product = product + ({{WIDTH{1'b0}}, a} << i);
    end
  end
""",
        """
  logic [2*WIDTH-1:0] partial [0:WIDTH];

  assign partial[0] = '0;

  for (genvar k = 0; k < WIDTH; k++) begin : gen_row
    assign partial[k+1] = partial[k] + (({{WIDTH{1'b0}}, a} & {(2*WIDTH){b[k]}}) << k);
  end

  assign product = partial[WIDTH];
""",
        f"""
  // all rows at once
  assign product = {adds};
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        return {"product": i.a * i.b}

    return Draft(
        rtl=f"""
module array_multiplier #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  output logic [2*WIDTH-1:0] product
);
  {body}
endmodule
""",
        about=f"""Combinational unsigned multiplier, {width} by {width} bits, {2 * width}-bit `product`: the sum of
        `a`, moved
            left by the place of each bit of `b` that is set.""",
        model=model,
        names=("comb_multiplier", "mult_array", "umul"),
    )


@family(variants=3)
def pipelined_multiplier(r: Random, variant: int) -> Draft:
    """A product a cycle, some cycles later, with its valid beside it."""
    width = r.choice((8, 12, 16))
    stages = r.choice((2, 3))
    half = width // 2
    chain = "\n".join(f"      product_{k} <= product_{k - 1};" for k in range(2, stages))
    last = f"product_{stages - 1}"
    declared = ", ".join(f"product_{k}" for k in range(1, stages))
    body = (
        f"""
  logic signed [WIDTH-1:0] a_1, b_1;
  logic signed [2*WIDTH-1:0] {declared};
  logic [{stages - 1}:0] valids;

  // a bit for each stage
  always_ff @(posedge clk) begin
    if (rst)
      valids <= '0;
    else
      valids <= {{valids[{stages - 2}:0], in_valid}};
  end

  always_ff @(posedge clk) begin
    a_1 <= a;
    b_1 <= b;
    product_1 <= a_1 * b_1;
{chain}
  end

  assign out_valid = valids[{stages - 1}];
  assign product = {last};
""",
        f"""
  logic signed [2*WIDTH-1:0] pipe [0:{stages - 1}];
  logic [{stages - 1}:0] valids;

  always_ff @(posedge clk) begin
    pipe[0] <= a * b;
    for (int i = 1; i < {stages}; i++) begin
      pipe[i] <= pipe[i-1]; // room for retiming
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      valids <= '0;
    end else begin
      valids[0] <= in_valid;
      for (int i = 1; i < {stages}; i++) begin
        valids[i] <= valids[i-1];
      end
    end
  end

  assign out_valid = valids[{stages - 1}];
  assign product = pipe[{stages - 1}];
""",
        f"""
  // the factor in two halves, the upper one with the sign
  logic signed [WIDTH-1:0] a_1;
  logic signed [{width - half - 1}:0] b_high;
  logic [{half - 1}:0] b_low;
  logic signed [2*WIDTH-1:0] sum{", sum_q" if stages == 3 else ""};
  logic valid_1, valid_2;

  always_ff @(posedge clk) begin
    a_1 <= a;
    b_high <= b[WIDTH-1:{half}];
    b_low <= b[{half - 1}:0];
    sum <= ((a_1 * b_high) <<< {half}) + a_1 * $signed({{1'b0, b_low}});
{"    sum_q <= sum;" if stages == 3 else ""}
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      valid_1 <= 1'b0;
      valid_2 <= 1'b0;
{"      out_valid <= 1'b0;" if stages == 3 else ""}
    end else begin
      valid_1 <= in_valid;
      valid_2 <= valid_1;
{"      out_valid <= valid_2;" if stages == 3 else ""}
    end
  end

{"  assign product = sum_q;" if stages == 3 else "  assign out_valid = valid_2; assign product = sum;"}
""",
    )[variant]

    def reset(s: State) -> None:
        s.pipe = [None] * stages

    def step(s: State, i: Pins) -> Outputs:
        last = s.pipe.pop()
        exact = to_bits(to_signed(i.a, width) * to_signed(i.b, width), 2 * width)
        s.pipe.insert(0, exact if i.in_valid else None)
        return {"out_valid": int(last is not None), "product": last}

    return Draft(
        rtl=f"""
module pipelined_multiplier #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  input logic signed [WIDTH-1:0] a,
  input logic signed [WIDTH-1:0] b,
  output logic out_valid,
  output logic signed [2*WIDTH-1:0] product
);
  {body}
endmodule
""",
        about=f"""Pipelined multiplier of signed {width}-bit numbers that takes a pair a cycle. `product` and
        `out_valid` follow
            `a`, `b` and `in_valid` {stages} cycles later; `product` counts only where `out_valid` is high.""",
        model=Machine(reset, step),
        names=("mult_pipe", "pipe_mult", "signed_mult"),
    )


@family(variants=3)
def constant_multiplier(r: Random, variant: int) -> Draft:
    """Multiplies by a constant with shifts and few adders."""
    width = r.choice((8, 10, 12))
    factor = r.choice((3, 5, 7, 10, 11, 13, 15, 20, 25, 100))
    extra = factor.bit_length()
    places = [k for k in range(extra) if factor >> k & 1]
    sums = " + ".join(f"(wide << {k})" if k else "wide" for k in reversed(places))
    signed_digits = _signed_digits(factor)
    recoded = " ".join(
        f"{'' if index == 0 and sign > 0 else '+ ' if sign > 0 else '- '}{f'(wide << {k})' if k else 'wide'}"
        for index, (k, sign) in enumerate(signed_digits)
    )
    body = (
        f"""
  // a shift for each bit of the factor that is set
  assign product = {sums};
""",
        f"""
  // as sums and differences of powers of two
  assign product = {recoded};
""",
        f"""
  // adds what each bit of the factor weighs
  always_comb begin
    product = '0;
    for (int i = 0; i < {extra}; i++) begin
      if (FACTOR[i]) product = product + (wide << i);
    end
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        return {"product": i.value * factor}

    return Draft(
        rtl=f"""
module constant_multiplier #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] value,
  output logic [WIDTH+{extra - 1}:0] product
);
  {f"localparam logic [{extra - 1}:0] FACTOR = {extra}'d{factor};" if variant == 2 else ""}
  logic [WIDTH+{extra - 1}:0] wide;

  assign wide = {{{extra}'d0, value}};
  {body}
endmodule
""",
        about=f"Multiplies the unsigned {width}-bit `value` by {factor}; `product` has {width + extra} bits.",
        model=model,
        names=(f"times_{factor}", f"mul_by_{factor}", "const_mult"),
    )


def _signed_digits(factor: int) -> list[tuple[int, int]]:
    """The factor as powers of two with signs, none of them neighbours, highest first."""
    digits = []
    place = 0
    while factor:
        if factor & 1:
            digit = 2 - (factor & 3)
            digits.append((place, digit))
            factor -= digit
        factor >>= 1
        place += 1
    return digits[::-1]


@family(variants=3)
def multiply_accumulate(r: Random, variant: int) -> Draft:
    """Sums of products, as a filter needs them."""
    width, guard = r.choice((8, 10)), r.choice((2, 4))
    total = 2 * width + guard
    body = (
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      acc <= '0;
    end else if (valid) begin
      if (first)
        acc <= a * b; // a new sum begins
      else
        acc <= acc + a * b;
    end
  end
""",
        """
  logic signed [2*WIDTH-1:0] product;
  logic signed [TOTAL-1:0] base;

  assign product = a * b;
  assign base = first ? '0 : acc; // a new sum begins with nothing

  always_ff @(posedge clk) begin
    if (rst) acc <= '0;
    else if (valid) acc <= base + product;
  end
""",
        """
  logic signed [2*WIDTH-1:0] product;
  logic signed [TOTAL-1:0] extended, acc_next;

  assign product = a * b;
  assign extended = {{GUARD{product[2*WIDTH-1]}}, product};

  always_comb begin
    case ({valid, first})
      2'b10: acc_next = acc + extended;
      2'b11: acc_next = extended; // a new sum begins
      default: acc_next = acc;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) acc <= '0;
    else acc <= acc_next;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.acc = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"acc": to_bits(s.acc, total)}
        if i.valid:
            s.acc = (0 if i.first else s.acc) + to_signed(i.a, width) * to_signed(i.b, width)
        return out

    return Draft(
        rtl=f"""
module multiply_accumulate #(
  parameter int WIDTH = {width},
  parameter int GUARD = {guard}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic first,
  input logic signed [WIDTH-1:0] a,
  input logic signed [WIDTH-1:0] b,
  output logic signed [2*WIDTH+GUARD-1:0] acc
);
  localparam int TOTAL = 2 * WIDTH + GUARD;
  {body}
endmodule
""",
        about=f"""Multiply-accumulate unit for signed {width}-bit numbers. Each cycle with `valid` adds `a` times `b`
        to `acc`; with
            `first` the product starts a new sum instead. {guard} guard bits above the product keep it from
            overflowing for
            {1 << guard} products.""",
        model=Machine(reset, step),
        names=("mac", "mac_unit", "dot_product"),
        stimulus={"valid": 0.8, "first": 0.1},
    )


@family(variants=2)
def complex_multiplier(r: Random, variant: int) -> Draft:
    """Real and imaginary part of a product, with four multipliers or three."""
    width = r.choice((6, 8, 10))
    conjugate = r.random() < 0.4
    plus, minus = ("-", "+") if conjugate else ("+", "-")
    body = (
        f"""
  // four products
  assign p_re = a_re * b_re {minus} a_im * b_im;
  assign p_im = a_im * b_re {plus} a_re * b_im;
""",
        f"""
  logic signed [2*WIDTH+1:0] shared, for_re, for_im;
  logic signed [WIDTH:0] a_sum, b_diff, b_sum;
  logic signed [WIDTH:0] b_used; // the second factor's imaginary part

  assign b_used = {"-b_im" if conjugate else "b_im"};
  // three products: one of them serves both parts
  assign a_sum = a_re + a_im;
  assign b_diff = b_used - b_re;
  assign b_sum = b_re + b_used;
  assign shared = b_re * a_sum;
  assign for_re = a_im * b_sum;
  assign for_im = a_re * b_diff;
  assign p_re = shared - for_re;
  assign p_im = shared + for_im;
""",
    )[variant]
    if variant == 1:
        body = body.replace(
            "logic signed [WIDTH:0] a_sum, b_diff, b_sum;", "logic signed [WIDTH+1:0] a_sum, b_diff, b_sum;"
        )

    def model(i: Pins) -> Outputs:
        a = to_signed(i.a_re, width), to_signed(i.a_im, width)
        b = to_signed(i.b_re, width), to_signed(i.b_im, width) * (-1 if conjugate else 1)
        bits = 2 * width + 1
        return {"p_re": to_bits(a[0] * b[0] - a[1] * b[1], bits), "p_im": to_bits(a[1] * b[0] + a[0] * b[1], bits)}

    return Draft(
        rtl=f"""
module complex_multiplier #(
  parameter int WIDTH = {width}
) (
  input logic signed [WIDTH-1:0] a_re,
  input logic signed [WIDTH-1:0] a_im,
  input logic signed [WIDTH-1:0] b_re,
  input logic signed [WIDTH-1:0] b_im,
  output logic signed [2*WIDTH:0] p_re,
  output logic signed [2*WIDTH:0] p_im
);
  {body}
endmodule
""",
        about=f"""Multiplies complex numbers with signed {width}-bit parts: `p_re` and `p_im` are the parts of a times
            {"the conjugate of " if conjugate else ""}b, full width.""",
        model=model,
        names=("cmult", "complex_mult", "cmul"),
    )
