"""Small parts of accelerators for neural networks."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import saturated, to_bits, to_signed


@family(variants=3)
def requantiser(r: Random, variant: int) -> Draft:
    """Brings a wide sum back to a small number: scale, shift, round, offset, clamp."""
    wide, narrow = r.choice((12, 16)), r.choice((4, 8))
    scale_bits = r.choice((4, 6))
    shift_bits = r.choice((3, 4))
    signed = r.random() < 0.6
    nearest = r.random() < 0.7
    zero_point = r.choice((0, 0, 3, -5, 8))
    relu = r.random() < 0.5
    low = 0 if relu or not signed else -(1 << (narrow - 1))
    high = (1 << (narrow - 1)) - 1 if signed else (1 << narrow) - 1
    total = wide + scale_bits + 1
    sign = "signed " if signed else ""
    add_zero = " + ZERO_POINT" if zero_point else ""
    half = "(shift == 0) ? 0 : (1 << (shift - 1))" if nearest else ""
    constant = f"  localparam int ZERO_POINT = {zero_point};\n" if zero_point else ""
    body = (
        f"""
  // first stage: the product
  always_ff @(posedge clk) begin
    if (rst) begin
      product <= '0;
      stage_valid <= 1'b0;
    end else begin
      stage_valid <= valid;
      if (valid) product <= acc * $signed({{1'b0, scale}});
    end
  end

{"  assign half = " + half + ";" + chr(10) if nearest else ""}  assign shifted =
            {"(product + half)" if nearest else "product"} >>> shift;
  assign moved = shifted{add_zero};

  // second stage: what fits
  always_ff @(posedge clk) begin
    if (rst) begin
      result <= '0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= stage_valid;
      if (stage_valid) begin
        if (moved > HIGH) result <= HIGH;
        else if (moved < LOW) result <= LOW;
        else result <= moved[NARROW-1:0];
      end
    end
  end
""",
        f"""
  function automatic logic {sign}[NARROW-1:0] clamp(input logic signed [TOTAL:0] number);
    if (number < LOW) clamp = LOW;
    else if (number > HIGH) clamp = HIGH;
    else clamp = number[NARROW-1:0];
  endfunction

  logic signed [TOTAL-1:0] product_next;

  always_comb begin
    product_next = product;
    if (valid) product_next = acc * $signed({{1'b0, scale}});
  end

  always_comb begin
{
            '''    half = 0;
    if (shift != 0) half[shift-1] = 1'b1; // one half of the last place that stays
'''
            if nearest
            else ""
        }    shifted = product;
    {"shifted = shifted + half;" if nearest else ""}
    shifted = shifted >>> shift;
    moved = shifted{add_zero};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      {{stage_valid, out_valid}} <= '0;
      product <= '0;
      result <= '0;
    end else begin
      {{out_valid, stage_valid}} <= {{stage_valid, valid}};
      product <= product_next;
      if (stage_valid) result <= clamp(moved);
    end
  end
""",
        f"""
  logic signed [TOTAL:0] capped;
  {"logic carry; // the highest of the bits that go" if nearest else ""}

{"  assign carry = (shift != 0) && product[shift-1];" if nearest else ""}
  assign shifted = product >>> shift;
  assign moved = shifted{" + $signed({1'b0, carry})" if nearest else ""}{add_zero};
  assign capped = (moved > HIGH) ? HIGH : moved;

  always_ff @(posedge clk) begin
    if (rst) product <= '0;
    else if (valid) product <= $signed({{1'b0, scale}}) * acc;
  end

  always_ff @(posedge clk) begin
    if (rst) result <= '0;
    else if (stage_valid) result <= (capped < LOW) ? LOW : capped[NARROW-1:0];
  end

  // what is valid moves along with the data
  always_ff @(posedge clk) begin
    if (rst) begin
      stage_valid <= 1'b0;
      out_valid <= 1'b0;
    end else begin
      stage_valid <= valid;
      out_valid <= stage_valid;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.product, s.due, s.valid, s.result = 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"result": to_bits(s.result, narrow), "out_valid": s.valid}
        s.valid = s.due
        if s.due:
            half_value = (1 << i.shift) >> 1 if nearest else 0
            s.result = max(low, min(high, (s.product + half_value >> i.shift) + zero_point))
        s.due = i.valid
        if i.valid:
            s.product = to_signed(i.acc, wide) * i.scale
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.1 or not hasattr(s, "shift"):
            s.scale, s.shift = r.getrandbits(scale_bits), r.randrange(1 << shift_bits)
        reach = min((1 << (wide - 1)) - 1, ((high * 3 << s.shift) // max(1, s.scale)) + 3)
        return {"scale": s.scale, "shift": s.shift, "acc": to_bits(r.randint(-reach, reach), wide)}

    offset = f", plus {zero_point}" if zero_point > 0 else f", minus {-zero_point}" if zero_point else ""
    declared = "  logic signed [TOTAL-1:0] half;\n" if nearest and variant != 2 else ""
    return Draft(
        rtl=f"""
module requantiser #(
  parameter int WIDE = {wide},
  parameter int NARROW = {narrow}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic signed [WIDE-1:0] acc,
  input logic [{scale_bits - 1}:0] scale,
  input logic [{shift_bits - 1}:0] shift,
  output logic out_valid,
  output logic {sign}[NARROW-1:0] result
);
  localparam int TOTAL = WIDE + {scale_bits + 1};
  localparam int HIGH = {high};
  localparam int LOW = {low};
{constant}  logic signed [TOTAL-1:0] product;
{declared}  logic signed [TOTAL-1:0] shifted;
  logic signed [TOTAL:0] moved;
  logic stage_valid;
  {body}
endmodule
""",
        about=f"""Requantiser: `result` is the signed {wide}-bit `acc` times the unsigned `scale`, shifted right by
            `shift` and {"rounded to the nearest, a half upwards" if nearest else "rounded down"}{offset}, limited to
            {low} to {high}. `acc` and `scale` are taken with `valid`; `shift` is that of the next cycle, when the
            product is shifted (there are {total} bits for it). The result comes two cycles after `valid`, with
            `out_valid`, and stays until the next.""",
        model=Machine(reset, step),
        names=("requantizer", "requant", "scale_and_clamp"),
        stimulus={"valid": 0.88},
        drive=drive,
        cycles=180,
    )


@family(variants=3)
def max_pooling(r: Random, variant: int) -> Draft:
    """Of each group of values the largest one, over a row of channels."""
    width, group = r.choice((4, 6, 8)), r.choice((2, 3, 4))
    signed = r.random() < 0.6
    smallest = r.random() < 0.25
    bits = max(1, (group - 1).bit_length())
    sign = "signed " if signed else ""
    better, worse = ("<", ">") if smallest else (">", "<")
    word = "smallest" if smallest else "largest"
    start = (
        ("{1'b0, {(WIDTH-1){1'b1}}}" if signed else "{WIDTH{1'b1}}")
        if smallest
        else ("{1'b1, {(WIDTH-1){1'b0}}}" if signed else "'0")
    )
    body = (
        f"""
  assign first = (count == 0);
  assign last = (count == GROUP - 1);
  assign best = (first || din {better} held) ? din : held;

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      held <= '0;
      out_valid <= 1'b0;
      dout <= '0;
    end else begin
      out_valid <= 1'b0;
      if (valid) begin
        held <= best;
        count <= last ? '0 : count + 1'b1;
        if (last) begin
          out_valid <= 1'b1;
          dout <= best;
        end
      end
      if (flush) count <= '0; // what there is of the group is dropped
    end
  end
""",
        f"""
  // starts with the value that loses against all
  assign best = (din {better} held) ? din : held;
  assign last = valid & (count == GROUP - 1);

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (flush || last) count <= '0;
    else if (valid) count <= count + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) held <= {start};
    else if (flush || last) held <= {start};
    else if (valid) held <= best;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      dout <= '0;
    end else begin
      out_valid <= last;
      if (last) dout <= best;
    end
  end
""",
        f"""
  logic {sign}[WIDTH-1:0] held_next;
  logic [{bits - 1}:0] count_next; // values to come after this one
  logic finished;

  assign first = (count == GROUP - 1);
  assign last = (count == 0);
  assign finished = last && valid;

  always_comb begin
    best = held;
    if (first) best = din;
    else if (held {worse} din) best = din;
  end

  always_comb begin
    held_next = valid ? best : held;
    count_next = count;
    if (flush || finished) count_next = GROUP - 1;
    else if (valid) count_next = count - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      held <= '0;
      dout <= '0;
      out_valid <= 1'b0;
      count <= GROUP - 1;
    end else begin
      held <= held_next;
      count <= count_next;
      out_valid <= finished;
      if (finished) dout <= best;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.group, s.valid, s.dout = [], 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "dout": to_bits(s.dout, width)}
        s.valid = 0
        if i.valid:
            s.group.append(to_signed(i.din, width) if signed else i.din)
            if len(s.group) == group:
                s.dout, s.valid, s.group = (min if smallest else max)(s.group), 1, []
        if i.flush:
            s.group = []
        return out

    flags = "last" if variant == 1 else "first, last"
    return Draft(
        rtl=f"""
module max_pooling #(
  parameter int WIDTH = {width},
  parameter int GROUP = {group}
) (
  input logic clk,
  input logic rst,
  input logic flush,
  input logic valid,
  input logic {sign}[WIDTH-1:0] din,
  output logic out_valid,
  output logic {sign}[WIDTH-1:0] dout
);
  logic {sign}[WIDTH-1:0] held, best;
  logic [{bits - 1}:0] count;
  logic {flags}; // of a group
  {body}
endmodule
""",
        about=f"""Pooling of {"signed" if signed else "unsigned"} {width}-bit values in groups of {group}: after the
            last value of a group, which come with `valid`, `dout` shows the {word} of them, from the next cycle on,
            with `out_valid` for one cycle. `flush` drops an incomplete group, with a value that comes in the same
            cycle; a group that this value completes still goes out.""",
        model=Machine(reset, step),
        names=("min_pool" if smallest else "max_pool", "pooling_unit", "pool_1d"),
        stimulus={"valid": 0.85, "flush": 0.05},
        cycles=160,
    )


@family(variants=3)
def systolic_cell(r: Random, variant: int) -> Draft:
    """One cell of an array that multiplies matrices; its weight or its sum stays."""
    width = r.choice((4, 6, 8))
    stationary = r.choice(("weight", "output"))
    total = 2 * width + r.choice((3, 4))
    saturate = r.random() < 0.4
    high, low = (1 << (total - 1)) - 1, -(1 << (total - 1))
    weight = stationary == "weight"
    limits = f"(sum > {high}) ? {high} : (sum < {low}) ? {low} : sum[TOTAL-1:0]" if saturate else "sum[TOTAL-1:0]"
    if weight:
        body = (
            f"""
  assign sum = in_sum + weight * in_data;

  // the weight is loaded once and used for many products
  always_ff @(posedge clk) begin
    if (rst) begin
      weight <= '0;
    end else if (load) begin
      weight <= in_data;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      out_data <= '0;
      out_sum <= '0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= valid && !load;
      if (valid || load) out_data <= in_data; // on to the next cell
      if (valid && !load) out_sum <= {limits};
    end
  end
""",
            f"""
  logic signed [WIDTH-1:0] weight_next, data_next;
  logic signed [TOTAL-1:0] sum_next;
  logic fire;

  assign fire = valid & ~load;
  assign sum = weight * in_data + in_sum;

  always_comb begin
    weight_next = weight;
    data_next = out_data;
    sum_next = out_sum;
    if (load) begin
      weight_next = in_data;
      data_next = in_data;
    end else if (valid) begin
      data_next = in_data;
      sum_next = {limits};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      {{weight, out_data}} <= '0;
      out_sum <= '0;
      out_valid <= 1'b0;
    end else begin
      {{weight, out_data}} <= {{weight_next, data_next}};
      out_sum <= sum_next;
      out_valid <= fire;
    end
  end
""",
            f"""
  logic signed [2*WIDTH-1:0] product;

  assign product = in_data * weight;
  assign sum = product + in_sum;

  always_ff @(posedge clk) begin
    if (rst) begin
      weight <= '0;
      out_data <= '0;
      out_sum <= '0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= 1'b0;
      case ({{load, valid}})
        2'b10, 2'b11: begin
          weight <= in_data;
          out_data <= in_data;
        end
        2'b01: begin
          out_data <= in_data;
          out_sum <= {limits};
          out_valid <= 1'b1;
        end
        default: ;
      endcase
    end
  end
""",
        )[variant]
        ports = """  input logic load, // `in_data` is a weight
  input logic valid,
  input logic signed [WIDTH-1:0] in_data,
  input logic signed [TOTAL-1:0] in_sum,
  output logic signed [WIDTH-1:0] out_data,
  output logic signed [TOTAL-1:0] out_sum,
  output logic out_valid
"""
        about = f"""Cell of a systolic array whose weight stays, for signed {width}-bit data. With `load`, `in_data`
            becomes the weight and also goes to `out_data`. With `valid` and no `load`, `out_data` takes `in_data` and
            `out_sum` takes `in_sum` plus weight times `in_data`, {total} bits, {
            f"limited to {low} to {high}" if saturate else "wrapping around"
        }; `out_valid` is high in the cycle after. All registers hold otherwise and start at 0."""
    else:
        body = (
            f"""
  assign base = first ? '0 : acc;
  assign sum = base + in_a * in_b;

  // both factors go on to the neighbours
  always_ff @(posedge clk) begin
    if (rst) begin
      out_a <= '0;
      out_b <= '0;
      out_valid <= 1'b0;
      out_first <= 1'b0;
    end else begin
      out_valid <= valid;
      if (valid) begin
        out_a <= in_a;
        out_b <= in_b;
        out_first <= first;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) acc <= '0;
    else if (valid) acc <= {limits};
  end
""",
            f"""
  logic signed [TOTAL-1:0] acc_next;

  always_comb begin
    base = acc;
    if (first) base = '0; // a new product of matrices begins
    sum = in_a * in_b;
    sum = sum + base;
    acc_next = acc;
    if (valid) acc_next = {limits};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      {{out_valid, out_first}} <= '0;
      {{out_a, out_b}} <= '0;
      acc <= '0;
    end else begin
      acc <= acc_next;
      out_valid <= valid;
      if (valid) {{out_first, out_a, out_b}} <= {{first, in_a, in_b}};
    end
  end
""",
            f"""
  logic signed [2*WIDTH-1:0] product;

  assign product = in_a * in_b;
  assign base = acc & {{TOTAL{{~first}}}};
  assign sum = $signed({{base[TOTAL-1], base}}) + product;

  always_ff @(posedge clk) begin
    if (rst) begin
      acc <= '0;
      out_a <= '0;
      out_b <= '0;
      out_first <= 1'b0;
      out_valid <= 1'b0;
    end else if (!valid) begin
      out_valid <= 1'b0;
    end else begin
      acc <= {limits};
      out_a <= in_a;
      out_b <= in_b;
      out_first <= first;
      out_valid <= 1'b1;
    end
  end
""",
        )[variant]
        ports = """  input logic valid,
  input logic first, // of a row of products
  input logic signed [WIDTH-1:0] in_a, // from the left
  input logic signed [WIDTH-1:0] in_b, // from above
  output logic out_valid,
  output logic out_first,
  output logic signed [WIDTH-1:0] out_a,
  output logic signed [WIDTH-1:0] out_b,
  output logic signed [TOTAL-1:0] acc
"""
        about = f"""Cell of a systolic array whose sum stays. With `valid`, `acc` ({total} bits) becomes `in_a` times
            `in_b` (signed, {width} bits each) plus what it was, or plus nothing with `first`{
            f", limited to {low} to {high}" if saturate else ", wrapping around"
        }. `in_a`, `in_b` and `first` go on to `out_a`, `out_b` and `out_first`, which hold without `valid`;
            `out_valid` is `valid` one cycle later. All start at 0."""

    def reset(s: State) -> None:
        s.weight = s.a = s.b = s.acc = s.valid = s.first = 0

    def fitted(value: int) -> int:
        return saturated(value, total, signed=True) if saturate else to_signed(value, total)

    def step(s: State, i: Pins) -> Outputs:
        if weight:
            out = {"out_data": s.a, "out_sum": to_bits(s.acc, total), "out_valid": s.valid}
            s.valid = int(bool(i.valid) and not i.load)
            if s.valid:
                s.acc = fitted(to_signed(i.in_sum, total) + s.weight * to_signed(i.in_data, width))
            if i.load:
                s.weight = to_signed(i.in_data, width)
            if i.load or i.valid:
                s.a = i.in_data
            return out
        out = {"out_valid": s.valid, "out_first": s.first, "out_a": s.a, "out_b": s.b, "acc": to_bits(s.acc, total)}
        s.valid = i.valid
        if i.valid:
            s.a, s.b, s.first = i.in_a, i.in_b, i.first
            s.acc = fitted((0 if i.first else s.acc) + to_signed(i.in_a, width) * to_signed(i.in_b, width))
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.sign = getattr(s, "sign", 1) if r.random() < 0.96 else r.choice((1, -1))
        big = 1 << (width - 1)
        if weight or r.random() < 0.4:
            return {}
        a, b = r.randint(big // 2, big - 1), r.randint(big // 2, big - 1)
        return {"in_a": a, "in_b": to_bits(s.sign * b, width)}

    base = "" if weight else "  logic signed [TOTAL-1:0] base;\n"
    return Draft(
        rtl=f"""
module systolic_cell #(
  parameter int WIDTH = {width},
  parameter int TOTAL = {total}
) (
  input logic clk,
  input logic rst,
{ports});
{"  logic signed [WIDTH-1:0] weight;" + chr(10) if weight else base}  logic signed [TOTAL:0] sum;
  {body}
endmodule
""",
        about=about,
        model=Machine(reset, step),
        names=("pe", "mac_cell", "array_cell", "processing_element"),
        stimulus={"load": 0.1, "valid": 0.85, "first": 0.03},
        drive=drive,
        cycles=220,
    )


@family(variants=3)
def argmax_unit(r: Random, variant: int) -> Draft:
    """Which class has the highest score."""
    width, bits = r.choice((4, 6, 8)), r.choice((3, 4))
    signed = r.random() < 0.6
    first_wins = r.random() < 0.6
    gap = r.random() < 0.5
    sign = "signed " if signed else ""
    beats = "score > best" if first_wins else "score >= best"
    port = "  output logic [WIDTH:0] margin, // over the second best\n" if gap else ""
    second = "  logic " + sign + "[WIDTH-1:0] second;\n" if gap else ""
    lowest = "{1'b1, {(WIDTH-1){1'b0}}}" if signed else "'0"
    body = (
        f"""
  assign wins = !active || ({beats});

  // the best score so far and its place
  always_ff @(posedge clk) begin
    if (rst) begin
      active <= 1'b0;
      index <= '0;
      best <= {lowest};
      best_index <= '0;
      {f"second <= {lowest};" if gap else ""}
    end else if (valid) begin
      active <= !last;
      index <= last ? '0 : index + 1'b1;
      if (wins) begin
        best <= score;
        best_index <= index;
      end
      {
            f'''if (!active) second <= {lowest};
      else if (wins) second <= best;
      else if (score > second) second <= score;'''
            if gap
            else ""
        }
    end
  end

  always_ff @(posedge clk) begin
    if (rst) done <= 1'b0;
    else done <= valid && last;
  end

  assign winner = best_index;
  {"assign margin = best - second;" if gap else ""}
""",
        f"""
  logic {sign}[WIDTH-1:0] best_next{", second_next" if gap else ""};
  logic [BITS-1:0] best_index_next;

  assign wins = ({beats}) || !active;

  always_comb begin
    best_next = wins ? score : best;
    best_index_next = wins ? index : best_index;
    {
            f'''if (!active) second_next = {lowest};
    else if (wins) second_next = best; // the old winner comes second
    else second_next = (score > second) ? score : second;'''
            if gap
            else ""
        }
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      best <= {lowest};
      best_index <= '0;
      {f"second <= {lowest};" if gap else ""}
    end else if (valid) begin
      best <= best_next;
      best_index <= best_index_next;
      {"second <= second_next;" if gap else ""}
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      index <= '0;
      active <= 1'b0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      if (valid && last) begin
        index <= '0;
        active <= 1'b0;
        done <= 1'b1;
      end else if (valid) begin
        index <= index + 1'b1;
        active <= 1'b1;
      end
    end
  end

  assign winner = best_index;
  {"assign margin = best - second;" if gap else ""}
""",
        f"""
  typedef enum logic {{FIRST, OTHERS}} state_t;
  state_t state;

  assign active = (state == OTHERS);
  assign wins = {beats};
  assign winner = best_index;
  {"assign margin = best - second;" if gap else ""}

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= FIRST;
      done <= 1'b0;
      index <= '0;
      best <= {lowest};
      best_index <= '0;
      {f"second <= {lowest};" if gap else ""}
    end else begin
      done <= valid & last;
      if (valid) begin
        case (state)
          FIRST: begin
            best <= score;
            best_index <= '0;
            {f"second <= {lowest};" if gap else ""}
            if (!last) state <= OTHERS;
          end
          default: begin
            if (wins) begin
              best <= score;
              best_index <= index;
              {"second <= best;" if gap else ""}
            end{f" else if (score > second) begin{chr(10)}second <= score;{chr(10)}end" if gap else ""}
            if (last) state <= FIRST;
          end
        endcase
        if (last) index <= '0;
        else index <= index + 1'b1;
      end
    end
  end
""",
    )[variant]
    floor = -(1 << (width - 1)) if signed else 0

    def reset(s: State) -> None:
        s.scores, s.done, s.best, s.second, s.winner = [], 0, floor, floor, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"done": s.done, "winner": s.winner}
        if gap:
            out["margin"] = s.best - s.second
        s.done = int(bool(i.valid and i.last))
        if i.valid:
            s.scores.append(to_signed(i.score, width) if signed else i.score)
            places = range(len(s.scores))
            key = min if first_wins else max
            s.best = max(s.scores)
            place = key(k for k in places if s.scores[k] == s.best)
            s.winner = place
            s.second = max([floor, *(one for k, one in enumerate(s.scores) if k != place)])
            if i.last:
                s.scores = []
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        known = len(s.scores)
        last = known >= (1 << bits) - 1 or r.random() < 0.15
        values = {"last": int(last)}
        if known and r.random() < 0.25:
            values["score"] = to_bits(r.choice(s.scores), width)
        return values

    how = "the first" if first_wins else "the last"
    return Draft(
        rtl=f"""
module argmax_unit #(
  parameter int WIDTH = {width},
  parameter int BITS = {bits}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic {sign}[WIDTH-1:0] score,
  input logic last,
  output logic done,
{port}  output logic [BITS-1:0] winner
);
  logic {sign}[WIDTH-1:0] best;
{second}  logic [BITS-1:0] index, best_index;
  logic active; // there has been a score
  logic wins;
  {body}
endmodule
""",
        about=f"""Finds the place of the highest score in a list. {"Signed" if signed else "Unsigned"} {
            width
        }-bit scores
            come with `valid`, at most {1 << bits} in a list, `last` with the final one. `winner` is the place of the
            highest score so far, counted from 0, {how} of equal ones; it is up to date in the cycle after a score.
            `done` is high for one cycle after the last score; `winner` stays until the next list begins.{
            f" `margin` is the difference between the highest score and the second highest; a list of one is compared"
            f" with {floor}. Both are 0 after reset."
            if gap
            else " It is 0 after reset."
        }""",
        model=Machine(reset, step),
        names=("argmax", "classifier_output", "best_class"),
        stimulus={"valid": 0.85},
        drive=drive,
        cycles=200,
    )


@family(variants=3)
def dot_product(r: Random, variant: int) -> Draft:
    """The inner product of two vectors, a few elements at a time, with a tree of adders."""
    width, lanes = r.choice((4, 6, 8)), r.choice((2, 4))
    beats = r.choice((2, 3, 4, 5))
    bias = r.random() < 0.5
    signed_a = r.random() < 0.7
    total = 2 * width + 5
    bits = (beats - 1).bit_length()
    first_value = "bias" if bias else "'0"
    port = "  input logic signed [TOTAL-1:0] bias,\n" if bias else ""

    def lane(name: str, k: str | int) -> str:
        return f"{name}[{k}*WIDTH +: WIDTH]"

    def factor(k: str | int) -> str:
        inner = lane("a", k)
        return f"$signed({inner})" if signed_a else f"$signed({{1'b0, {inner}}})"

    tree = (
        "  assign partial = product_0 + product_1;"
        if lanes == 2
        else "  assign partial = (product_0 + product_1) + (product_2 + product_3);"
    )
    products = "\n".join(f"  assign product_{k} = {factor(k)} * $signed({lane('b', k)});" for k in range(lanes))
    body = (
        f"""
  logic signed [TOTAL-1:0] {", ".join(f"product_{k}" for k in range(lanes))};

{products}
{tree}

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      acc <= '0;
      done <= 1'b0;
      result <= '0;
    end else begin
      done <= 1'b0;
      if (valid) begin
        if (count == BEATS - 1) begin
          count <= '0;
          result <= sum;
          done <= 1'b1;
        end else begin
          count <= count + 1'b1;
          acc <= sum;
        end
      end
    end
  end

  // the first beat starts anew
  assign sum = ((count == 0) ? {first_value if bias else "0"} : acc) + partial;
""",
        f"""
  logic first, last;

  assign first = (count == 0);
  assign last = (count == BEATS - 1);

  always_comb begin
    partial = '0;
    for (int i = 0; i < LANES; i++) begin
      partial = partial + {factor("i")} * $signed({lane("b", "i")});
    end
  end

  always_comb begin
    sum = partial;
    if (!first) sum = sum + acc;
    {"else sum = sum + bias; // counts once" if bias else ""}
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      acc <= '0;
    end else if (valid) begin
      count <= last ? '0 : count + 1'b1;
      acc <= sum;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      result <= '0;
      done <= 1'b0;
    end else begin
      done <= valid && last;
      if (valid && last) result <= sum;
    end
  end
""",
        f"""
  logic signed [TOTAL-1:0] products [0:LANES-1];

  for (genvar k = 0; k < LANES; k++) begin : gen_lane
    assign products[k] = {factor("k")} * $signed({lane("b", "k")});
  end

  assign partial = {" + ".join(f"products[{k}]" for k in range(lanes))};
  assign sum = acc + partial{" + (count == 0 ? bias : 0)" if bias else ""};

  // between two vectors the sum is zero
  always_ff @(posedge clk) begin
    if (rst) begin
      {{count, done}} <= '0;
      acc <= '0;
      result <= '0;
    end else if (valid && count == BEATS - 1) begin
      count <= '0;
      acc <= '0;
      result <= sum;
      done <= 1'b1;
    end else begin
      done <= 1'b0;
      if (valid) begin
        count <= count + 1'b1;
        acc <= sum;
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.count, s.acc, s.done, s.result = 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"done": s.done, "result": to_bits(s.result, total)}
        s.done = 0
        if i.valid:
            if s.count == 0:
                s.acc = to_signed(i.bias, total) if bias else 0
            for k in range(lanes):
                a, b = (one >> (k * width) & ((1 << width) - 1) for one in (i.a, i.b))
                s.acc += (to_signed(a, width) if signed_a else a) * to_signed(b, width)
            s.count += 1
            if s.count == beats:
                s.count, s.done, s.result = 0, 1, s.acc
        return out

    return Draft(
        rtl=f"""
module dot_product #(
  parameter int WIDTH = {width},
  parameter int LANES = {lanes},
  parameter int BEATS = {beats},
  parameter int TOTAL = {total}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [LANES*WIDTH-1:0] a, // element 0 lowest
  input logic [LANES*WIDTH-1:0] b,
{port}  output logic done,
  output logic signed [TOTAL-1:0] result
);
  logic [{bits - 1}:0] count;
  logic signed [TOTAL-1:0] acc, partial, sum;
  {body}
endmodule
""",
        about=f"""Dot product of vectors of {lanes * beats} elements, {lanes} with each `valid`: `a` holds {lanes} {
            "signed" if signed_a else "unsigned"
        } and `b` {lanes} signed elements of {width} bits. After {beats} such beats `result` ({total} bits, wrapping
            around) is the sum of all products{
            ", plus the `bias` that stood there at the first beat" if bias else ""
        }, from the next cycle on, with `done` for one cycle. The next vectors may follow at once.""",
        model=Machine(reset, step),
        names=("dot_engine", "inner_product", "vector_mac"),
        stimulus={"valid": 0.85},
        cycles=140,
    )


@family(variants=3)
def leaky_activation(r: Random, variant: int) -> Draft:
    """Bends a line: negative values count less, large ones end at a limit."""
    width = r.choice((6, 8, 10))
    shift = r.choice((2, 3, 4))
    top = r.choice((1 << (width - 2), 3 << (width - 3), 6 << (width - 5)))
    order = r.sample(("PASS", "RELU", "LEAKY", "CAPPED"), 4)
    codes = "\n".join(f"  localparam logic [1:0] {one} = 2'd{k};" for k, one in enumerate(order))
    toward_zero = r.random() < 0.4
    leak = "-(-din >>> SHIFT)" if toward_zero else "din >>> SHIFT"
    body = (
        """
  always_comb begin
    case (mode)
      PASS: dout_next = din;
      RELU: dout_next = negative ? 0 : din;
      LEAKY: dout_next = negative ? leaked : din;
      default: begin
        if (negative) dout_next = '0;
        else if (din > CEILING) dout_next = CEILING;
        else dout_next = din;
      end
    endcase
  end
""",
        """
  always_comb begin
    dout_next = din;
    if (negative) begin
      // what becomes of a negative value
      if (mode == LEAKY) dout_next = leaked;
      else if (mode != PASS) dout_next = '0;
    end else if (mode == CAPPED && din > CEILING) begin
      dout_next = CEILING;
    end
  end
""",
        """
  logic drop, leak, cap;

  assign drop = negative & ((mode == RELU) | (mode == CAPPED));
  assign leak = negative & (mode == LEAKY);
  assign cap = ~negative & (mode == CAPPED) & (din > CEILING);
  assign dout_next = drop ? 0 : leak ? leaked : cap ? CEILING : din;
""",
    )[variant]

    def reset(s: State) -> None:
        s.valid, s.dout, s.zeros = 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "dout": to_bits(s.dout, width), "zeros": s.zeros}
        s.valid = i.valid
        if i.valid:
            value, mode = to_signed(i.din, width), order[i.mode]
            if value < 0 and mode != "PASS":
                value = (-(-value >> shift) if toward_zero else value >> shift) if mode == "LEAKY" else 0
            if mode == "CAPPED":
                value = min(value, top)
            s.dout = value
            s.zeros = (s.zeros + (value == 0)) % 256
        return out

    rule = {
        "PASS": "passes the value",
        "RELU": "makes negative values 0",
        "LEAKY": f"divides negative values by {1 << shift}, rounded {'towards 0' if toward_zero else 'down'}",
        "CAPPED": f"makes negative values 0 and values above {top} {top}",
    }
    return Draft(
        rtl=f"""
module leaky_activation #(
  parameter int WIDTH = {width},
  parameter int SHIFT = {shift}
) (
  input logic clk,
  input logic rst,
  input logic [1:0] mode,
  input logic valid,
  input logic signed [WIDTH-1:0] din,
  output logic out_valid,
  output logic signed [WIDTH-1:0] dout,
  output logic [7:0] zeros // how many, for skipping
);
{codes}
  localparam logic signed [WIDTH-1:0] CEILING = {top};
  logic negative;
  logic signed [WIDTH-1:0] leaked, dout_next;

  assign negative = {("din[WIDTH-1]", "(din < 0)", "din[WIDTH-1]")[variant]};
  assign leaked = {leak};
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      dout <= '0;
      zeros <= '0;
    end else begin
      out_valid <= valid;
      if (valid) begin
        dout <= dout_next;
        if (dout_next == 0) zeros <= zeros + 1'b1;
      end
    end
  end
endmodule
""",
        about=f"""Activation function for signed {width}-bit values, chosen by `mode`: {
            "; ".join(f"{k} {rule[one]}" for k, one in enumerate(order))
        }. A value comes with `valid`; `dout` follows in the next cycle with `out_valid` and stays. `zeros` counts the
            results that were 0, 8 bits, wrapping around.""",
        model=Machine(reset, step),
        names=("relu_unit", "activation", "leaky_relu"),
        stimulus={"valid": 0.85, "din": lambda r: r.choice((r.getrandbits(width), r.randint(-20, 20), top + 1, top))},
        cycles=160,
    )
