"""Division, roots, common divisors."""

from __future__ import annotations

from math import gcd, isqrt
from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def restoring_divider(r: Random, variant: int) -> Draft:
    """Quotient and remainder, one bit a cycle."""
    width = r.choice((4, 8, 10))
    bits = width.bit_length()
    body = (
        """
  logic [WIDTH:0] trial;

  // the remainder moved up by a bit of the dividend, less the divisor
  assign trial = {remainder, quotient[WIDTH-1]} - {1'b0, divisor_q};
  assign busy = (count != 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      done <= 1'b0;
      by_zero <= 1'b0;
    end else begin
      done <= 1'b0;
      if (busy) begin
        if (trial[WIDTH]) begin
          remainder <= {remainder[WIDTH-2:0], quotient[WIDTH-1]}; // it did not fit
          quotient <= {quotient[WIDTH-2:0], 1'b0};
        end else begin
          remainder <= trial[WIDTH-1:0];
          quotient <= {quotient[WIDTH-2:0], 1'b1};
        end
        count <= count - 1'b1;
        if (count == 1) done <= 1'b1;
      end else if (start) begin
        remainder <= '0;
        quotient <= dividend;
        divisor_q <= divisor;
        by_zero <= (divisor == 0);
        count <= WIDTH;
      end
    end
  end
""",
        """
  typedef enum logic [1:0] {IDLE, RUN, FINISH} state_t;
  state_t state;
  logic [2*WIDTH-1:0] work; // remainder above, dividend below
  logic [WIDTH:0] upper;
  logic fits;

  assign upper = work[2*WIDTH-1:WIDTH-1];
  assign fits = (upper >= {1'b0, divisor_q});
  assign busy = (state == RUN);
  assign done = (state == FINISH);
  assign quotient = work[WIDTH-1:0];
  assign remainder = work[2*WIDTH-1:WIDTH];

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      by_zero <= 1'b0;
      count <= '0;
    end else begin
      case (state)
        RUN: begin
          work <= {fits ? upper[WIDTH-1:0] - divisor_q : upper[WIDTH-1:0], work[WIDTH-2:0], fits};
          count <= count + 1'b1;
          if (count == WIDTH - 1) state <= FINISH;
        end
        default: begin
          state <= IDLE;
          if (start) begin
            work <= {{WIDTH{1'b0}}, dividend};
            divisor_q <= divisor;
            by_zero <= (divisor == 0);
            count <= '0;
            state <= RUN;
          end
        end
      endcase
    end
  end
""",
        """
  logic [WIDTH-1:0] remainder_next, quotient_next;
  logic [WIDTH:0] shifted;

  // one step of long division
  always_comb begin
    shifted = {remainder, quotient[WIDTH-1]};
    quotient_next = quotient << 1;
    if (shifted >= divisor_q) begin
      remainder_next = shifted - divisor_q;
      quotient_next[0] = 1'b1;
    end else begin
      remainder_next = shifted[WIDTH-1:0];
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
      by_zero <= 1'b0;
      count <= '0;
    end else begin
      done <= busy && (count == WIDTH - 1);
      if (busy) begin
        remainder <= remainder_next;
        quotient <= quotient_next;
        count <= count + 1'b1;
        if (count == WIDTH - 1) busy <= 1'b0;
      end else if (start) begin
        busy <= 1'b1;
        count <= '0;
        remainder <= '0;
        quotient <= dividend;
        divisor_q <= divisor;
        by_zero <= ~|divisor;
      end
    end
  end
""",
    )[variant]
    top = (1 << width) - 1

    def reset(s: State) -> None:
        s.left = s.done = s.by_zero = 0
        s.answer = s.next_answer = (None, None)

    def step(s: State, i: Pins) -> Outputs:
        quotient, remainder = (None, None) if s.left else s.answer
        out = {
            "busy": int(s.left > 0),
            "done": s.done,
            "quotient": quotient,
            "remainder": remainder,
            "by_zero": s.by_zero,
        }
        s.done = 0
        if s.left:
            s.left -= 1
            if not s.left:
                s.done, s.answer = 1, s.next_answer
        elif i.start:
            s.left, s.by_zero = width, int(i.divisor == 0)
            # Every step fits where the divisor is zero.
            s.next_answer = divmod(i.dividend, i.divisor) if i.divisor else (top, i.dividend)
        return out

    return Draft(
        rtl=f"""
module restoring_divider #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [WIDTH-1:0] dividend,
  input logic [WIDTH-1:0] divisor,
  output logic busy,
  output logic done,
  output logic [WIDTH-1:0] quotient,
  output logic [WIDTH-1:0] remainder,
  output logic by_zero // the divisor of this division is zero
);
  logic [WIDTH-1:0] divisor_q;
  logic [{bits - 1}:0] count;
  {body}
endmodule
""",
        about=f"""Unsigned {width}-bit divider, one bit of the quotient a cycle. `start` takes `dividend` and
        `divisor` where it is
            not `busy`; {width} cycles later `done` is high for one cycle and `quotient` and `remainder` are there
            until the next
            start. A `divisor` of zero sets `by_zero`, and gives a quotient of all ones and the dividend as
            remainder.""",
        model=Machine(reset, step),
        names=("divider", "seq_divider", "udiv"),
        stimulus={"start": 0.4, "divisor": lambda r: r.choice((0, r.randrange(1, 8), r.getrandbits(width)))},
        cycles=12 * width,
    )


@family(variants=2)
def integer_square_root(r: Random, variant: int) -> Draft:
    """The root of a number, two bits of it a cycle."""
    half = r.choice((3, 4, 5, 6))
    width = 2 * half
    bits = half.bit_length()
    body = (
        """
  logic [HALF+1:0] remainder, shifted, trial;
  logic [WIDTH-1:0] rest;

  // two more bits of the number, and what the root so far takes away
  assign shifted = {remainder[HALF-1:0], rest[WIDTH-1:WIDTH-2]};
  assign trial = {root, 2'b01};
  assign busy = (count != 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      if (busy) begin
        rest <= rest << 2;
        if (shifted >= trial) begin
          remainder <= shifted - trial;
          root <= {root[HALF-2:0], 1'b1};
        end else begin
          remainder <= shifted;
          root <= {root[HALF-2:0], 1'b0};
        end
        count <= count - 1'b1;
        done <= (count == 1);
      end else if (start) begin
        rest <= value;
        remainder <= '0;
        root <= '0;
        count <= HALF;
      end
    end
  end
""",
        """
  logic [WIDTH-1:0] target;
  logic [HALF-1:0] place, candidate;
  logic [2*HALF-1:0] square;

  // tries each bit of the root from the top: it stays where the square is not too large
  assign candidate = root | place;
  assign square = candidate * candidate;

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
      count <= '0;
    end else if (busy) begin
      if (square <= target) root <= candidate;
      place <= place >> 1;
      count <= count + 1'b1;
      if (count == HALF - 1) begin
        busy <= 1'b0;
        done <= 1'b1;
      end
    end else begin
      done <= 1'b0;
      if (start) begin
        target <= value;
        root <= '0;
        place <= {1'b1, {(HALF-1){1'b0}}};
        count <= '0;
        busy <= 1'b1;
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.left = s.done = 0
        s.root = s.next_root = None

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": int(s.left > 0), "done": s.done, "root": None if s.left else s.root}
        s.done = 0
        if s.left:
            s.left -= 1
            if not s.left:
                s.done, s.root = 1, s.next_root
        elif i.start:
            s.left, s.next_root = half, isqrt(i.value)
        return out

    return Draft(
        rtl=f"""
module integer_square_root #(
  parameter int HALF = {half}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [2*HALF-1:0] value,
  output logic busy,
  output logic done,
  output logic [HALF-1:0] root
);
  localparam int WIDTH = 2 * HALF;
  logic [{bits - 1}:0] count;
  {body}
endmodule
""",
        about=f"""Integer square root: `start` takes the {width}-bit `value` where it is not `busy`, and after {half}
        cycles `done` is
            high for one cycle with the largest `root` whose square is not above it; `root` stays until the next
            start.""",
        model=Machine(reset, step),
        names=("isqrt", "sqrt_unit", "root_unit"),
        stimulus={"start": 0.4},
        cycles=20 * half,
    )


@family(variants=2, held_out=True)
def gcd_unit(r: Random, variant: int) -> Draft:
    """Euclid's algorithm by subtraction."""
    width = r.choice((4, 6, 8))
    body = (
        """
  typedef enum logic [1:0] {IDLE, RUN, DONE} state_t;
  state_t state, state_next;
  logic [WIDTH-1:0] x, y, x_next, y_next;

  // the smaller number is taken from the larger one until both are the same
  always_comb begin
    state_next = state;
    x_next = x;
    y_next = y;
    case (state)
      IDLE: if (start) begin
        x_next = a;
        y_next = b;
        state_next = RUN;
      end
      RUN: begin
        if (x == y || x == 0 || y == 0) state_next = DONE;
        else if (x > y) x_next = x - y;
        else y_next = y - x;
      end
      default: if (take) state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
    end else begin
      state <= state_next;
      x <= x_next;
      y <= y_next;
    end
  end

  assign ready = (state == IDLE);
  assign valid = (state == DONE);
  assign result = x | ((x == 0) ? y : 0);
""",
        """
  logic [WIDTH-1:0] x, y;
  logic running;

  assign ready = !running && !valid;

  always_ff @(posedge clk) begin
    if (rst) begin
      running <= 1'b0;
      valid <= 1'b0;
    end else if (running) begin
      if (x == 0 || y == 0 || x == y) begin
        running <= 1'b0;
        valid <= 1'b1;
        result <= (x == 0) ? y : x;
      end else if (x < y) begin
        y <= y - x;
      end else begin
        x <= x - y;
      end
    end else if (valid) begin
      if (take) valid <= 1'b0; // the result has been seen
    end else if (start) begin
      x <= a;
      y <= b;
      running <= 1'b1;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.state, s.x, s.y = "idle", 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "ready": int(s.state == "idle"),
            "valid": int(s.state == "done"),
            "result": gcd(s.x, s.y) if s.state == "done" else None,
        }
        if s.state == "idle":
            if i.start:
                s.x, s.y, s.state = i.a, i.b, "run"
        elif s.state == "run":
            if s.x == s.y or 0 in (s.x, s.y):
                s.state = "done"
            elif s.x > s.y:
                s.x -= s.y
            else:
                s.y -= s.x
        elif i.take:
            s.state = "idle"
        return out

    def number(r: Random) -> int:
        factor = r.choice((1, 1, 2, 3, 4))
        return r.choice((0, factor * r.randrange(1, 1 + (1 << width) // (factor + 1))))

    return Draft(
        rtl=f"""
module gcd_unit #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  input logic take, // the result has been seen
  output logic ready,
  output logic valid,
  output logic [WIDTH-1:0] result
);
  {body}
endmodule
""",
        about=f"""Greatest common divisor of two {width}-bit numbers by repeated subtraction. `start` takes `a` and
        `b` while `ready`;
            each cycle then takes the smaller number from the larger one, until they are equal or one is zero. `valid`
            goes
            high in the next cycle with the `result` and stays until `take`. The divisor of a number and zero is the
            number.""",
        model=Machine(reset, step),
        names=("gcd", "euclid", "gcd_engine"),
        stimulus={"start": 0.7, "take": 0.6, "a": number, "b": number},
        cycles=200,
    )


@family(variants=3)
def serial_remainder(r: Random, variant: int) -> Draft:
    """Whether a number that comes in bit by bit is divisible."""
    divisor = r.choice((3, 5, 6, 7))
    bits = (divisor - 1).bit_length()
    names = ", ".join(f"REM_{k}" for k in range(divisor))
    arms = "\n".join(
        f"      REM_{k}: state_next = din ? REM_{(2 * k + 1) % divisor} : REM_{2 * k % divisor};"
        for k in range(divisor)
    )
    fsm = f"""
  typedef enum logic [{bits - 1}:0] {{{names}}} state_t;
  state_t state, state_next;

  // another bit doubles the number and adds itself
  always_comb begin
    case (state)
{arms}
      default: state_next = REM_0;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= REM_0;
    else if (clear) state <= REM_0;
    else if (valid) state <= state_next;
  end

  assign divisible = (state == REM_0);
"""
    arithmetic = f"""
  logic [{bits - 1}:0] remainder;
  logic [{bits}:0] doubled;

  assign doubled = {{remainder, din}};
  assign divisible = (remainder == 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      remainder <= '0;
    end else if (clear) begin
      remainder <= '0;
    end else if (valid) begin
      if (doubled >= {divisor}) remainder <= doubled - {divisor}; // less than two times the divisor
      else remainder <= doubled[{bits - 1}:0];
    end
  end
"""
    one_process = f"""
  typedef enum logic [{bits - 1}:0] {{{names}}} state_t;
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= REM_0;
    end else begin
      if (clear) begin
        state <= REM_0;
      end else if (valid) begin
        case (state)
{arms.replace("state_next =", "state <=")}
          default: state <= REM_0;
        endcase
      end
    end
  end

  assign divisible = (state == REM_0) ? 1'b1 : 1'b0;
"""

    def reset(s: State) -> None:
        s.remainder = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"divisible": int(s.remainder == 0)}
        if i.clear:
            s.remainder = 0
        elif i.valid:
            s.remainder = (2 * s.remainder + i.din) % divisor
        return out

    return Draft(
        rtl=f"""
module serial_remainder (
  input logic clk,
  input logic rst,
  input logic clear, // a new number begins
  input logic valid,
  input logic din, // the highest bit comes first
  output logic divisible
);
  {(fsm, arithmetic, one_process)[variant]}
endmodule
""",
        about=f"""Tells whether a number is divisible by {divisor} while its bits come in on `din`, highest first, one
        in each cycle
            with `valid`. `divisible` describes the bits before this cycle; no bits count as zero. `clear` begins a
            new number
            and goes before `valid`.""",
        model=Machine(reset, step),
        names=(f"div_by_{divisor}", f"mod{divisor}_detector", "divisible_fsm"),
        stimulus={"clear": 0.06, "valid": 0.8},
    )


@family(variants=2)
def divide_by_constant(r: Random, variant: int) -> Draft:
    """Division by a small constant through its reciprocal."""
    width = 8
    divisor = r.choice((3, 5, 6, 7, 9, 10, 12))
    # The smallest reciprocal that is exact for all values of this width.
    shift, factor = next(
        (k, -(-(1 << k) // divisor))
        for k in range(width, 2 * width + 4)
        if all(n * -(-(1 << k) // divisor) >> k == n // divisor for n in range(1 << width))
    )
    bits = width + factor.bit_length()
    low = (divisor - 1).bit_length()
    body = (
        f"""
  logic [{bits - 1}:0] scaled;

  // {factor} / {1 << shift} is near enough to one {divisor}th for every value
  assign scaled = value * {factor.bit_length()}'d{factor};
  assign quotient = scaled >> {shift};
  assign remainder = value - quotient * {divisor};
""",
        f"""
  logic [{low + width - 1}:0] rest;

  // long division by the constant
  always_comb begin
    rest = {{{low}'d0, value}};
    quotient = '0;
    for (int i = {width - 1}; i >= 0; i = i - 1) begin
      if (rest >= ({low + width}'d{divisor} << i)) begin
        rest = rest - ({low + width}'d{divisor} << i);
        quotient[i] = 1'b1;
      end
    end
    remainder = rest[{low - 1}:0];
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        return {"quotient": i.value // divisor, "remainder": i.value % divisor}

    return Draft(
        rtl=f"""
module divide_by_constant (
  input logic [{width - 1}:0] value,
  output logic [{width - 1}:0] quotient,
  output logic [{low - 1}:0] remainder
);
  {body}
endmodule
""",
        about=f"Divides an unsigned {width}-bit `value` by {divisor}: `quotient` and `remainder`, without a clock.",
        model=model,
        names=(f"div{divisor}", f"divide_by_{divisor}", "const_divider"),
    )
