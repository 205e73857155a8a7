"""Coders that make data shorter, and their counterparts."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def run_length_encoder(r: Random, variant: int) -> Draft:
    """Replaces equal values in a row by one value and a number."""
    width, bits = r.choice((2, 3, 4, 8)), r.choice((2, 3, 4))
    most = r.choice(((1 << bits) - 1, (1 << bits) - 2))
    less_one = r.random() < 0.4  # the number of repetitions is told, which is one less
    shown = "count - 1'b1" if less_one else "count"
    joint = f"""
  logic [WIDTH-1:0] value;
  logic [{bits - 1}:0] count; // 0: there is no run

  always_ff @(posedge clk) begin
    if (rst) begin
      value <= '0;
      count <= '0;
      out_valid <= 1'b0;
      out_value <= '0;
      out_count <= '0;
    end else begin
      out_valid <= 1'b0;
      if (valid && count != 0 && din == value && count != MOST) begin
        count <= count + 1'b1;
      end else if (valid || flush) begin
        // the run is over
        out_valid <= (count != 0);
        out_value <= value;
        out_count <= {shown};
        value <= din;
        count <= valid ? 1 : 0;
      end
    end
  end
"""
    split = f"""
  logic [WIDTH-1:0] value;
  logic [{bits - 1}:0] count;
  logic open, same, extend, finish;

  assign open = |count;
  assign same = (din == value) && (count < MOST);
  assign extend = valid && open && same;
  assign finish = open && (valid ? !same : flush);

  // the present run
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      value <= '0;
    end else if (extend) begin
      count <= count + 1'b1;
    end else if (valid) begin
      count <= {bits}'d1;
      value <= din;
    end else if (flush) begin
      count <= {bits}'d0;
    end
  end

  // what is told of it
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      out_value <= '0;
      out_count <= '0;
    end else begin
      out_valid <= finish;
      if (finish) begin
        out_value <= value;
        out_count <= {shown};
      end
    end
  end
"""
    machine = f"""
  typedef enum logic {{EMPTY, RUN}} state_t;
  state_t state, state_next;
  logic [WIDTH-1:0] value, value_next;
  logic [{bits - 1}:0] count, count_next;
  logic emit;

  always_comb begin
    state_next = state;
    value_next = value;
    count_next = count;
    emit = 1'b0;
    case (state)
      EMPTY: begin
        if (valid) begin
          state_next = RUN;
          value_next = din;
          count_next = 1;
        end
      end
      RUN: begin
        if (valid) begin
          if (din == value && count != MOST) begin
            count_next = count + 1'b1;
          end else begin
            emit = 1'b1; // and the next run starts at once
            value_next = din;
            count_next = 1;
          end
        end else if (flush) begin
          emit = 1'b1;
          state_next = EMPTY;
        end
      end
      default: state_next = EMPTY;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= EMPTY;
      value <= '0;
      count <= '0;
      out_valid <= 1'b0;
      out_value <= '0;
      out_count <= '0;
    end else begin
      state <= state_next;
      value <= value_next;
      count <= count_next;
      out_valid <= emit;
      if (emit) {{out_value, out_count}} <= {{value, {"count_less" if less_one else "count"}}};
    end
  end
"""
    if less_one:
        machine = machine.replace(
            "  logic emit;\n",
            f"  logic [{bits - 1}:0] count_less;\n  logic emit;\n\n  assign count_less = count - 1'b1;\n",
        )
    body = (joint, split, machine)[variant]

    def reset(s: State) -> None:
        s.value = s.count = s.valid = 0
        s.shown = (None, None)

    def step(s: State, i: Pins) -> Outputs:
        value, count = s.shown if s.valid else (None, None)
        out = {"out_valid": s.valid, "out_value": value, "out_count": count}
        s.valid = 0
        if i.valid and s.count and i.din == s.value and s.count < most:
            s.count += 1
        elif i.valid or i.flush:
            if s.count:
                s.valid, s.shown = 1, (s.value, s.count - less_one)
            s.value, s.count = i.din, i.valid
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        return {"din": s.value} if r.random() < 0.75 else {}

    number = "the number of its values less one" if less_one else "the number of its values"
    return Draft(
        rtl=f"""
module run_length_encoder #(
  parameter int WIDTH = {width},
  parameter int MOST = {most}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [WIDTH-1:0] din,
  input logic flush, // ends the run where no value comes
  output logic out_valid,
  output logic [WIDTH-1:0] out_value,
  output logic [{bits - 1}:0] out_count
);
{body}
endmodule
""",
        about=(
            f"""Run-length encoder for {width}-bit values. Equal values in cycles with `valid` form a run, of {most} at
            most. A run ends with a valid value that is another one or would be one too many (and starts the next run),
            or in a cycle with `flush` and without `valid`. In the cycle after, `out_valid` is high, `out_value` is the
            value and `out_count` {number}. Without a run `flush` does nothing.""",
            f"""Compresses a stream by counting repetitions: for each run of equal valid words `din` one pair comes
            out, `out_value` and, in `out_count`, {number}, with `out_valid` for one cycle, registered. Runs are closed
            by a different word, at {most} words, or by `flush` (which a valid word in the same cycle overrides).""",
        ),
        model=Machine(reset, step),
        names=("rle_encoder", "run_encoder", "rle_compress", "run_counter"),
        stimulus={"valid": 0.85, "flush": 0.3},
        drive=drive,
        cycles=180,
    )


@family(variants=3)
def run_length_decoder(r: Random, variant: int) -> Draft:
    """Repeats a value as often as its number says."""
    width, bits = r.choice((2, 4, 8)), r.choice((2, 3, 4))
    plus_one = r.random() < 0.5
    gapless = r.random() < 0.6
    ready = "!active || (out_ready && last)" if gapless else "!active"
    load = "count" if not plus_one else "{1'b0, count} + 1'b1"
    lbits = bits + plus_one
    down = f"""
  logic [{lbits - 1}:0] left;
  logic active, last;

  assign active = (left != 0);
  assign last = (left == 1);
  assign in_ready = {ready};
  assign out_valid = active;
  assign out_last = active && last;

  always_ff @(posedge clk) begin
    if (rst) begin
      left <= '0;
      dout <= '0;
    end else if (in_valid && in_ready) begin
      left <= {load};
      dout <= value;
    end else if (out_valid && out_ready) begin
      left <= left - 1'b1;
    end
  end
"""
    up = f"""
  logic [{lbits - 1}:0] goal, sent;
  logic active, last, take;

  // counts up to the number that came with the value
  assign last = (sent == goal - 1'b1);
  assign in_ready = {ready};
  assign out_valid = active;
  assign out_last = active & last;
  assign take = in_valid & in_ready;

  always_ff @(posedge clk) begin
    if (rst) active <= 1'b0;
    else if (take) active <= {"1'b1" if plus_one else "(count != 0)"};
    else if (active & out_ready & last) active <= 1'b0;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      goal <= '0;
      sent <= '0;
      dout <= '0;
    end else if (take) begin
      goal <= {load};
      sent <= '0;
      dout <= value;
    end else if (active & out_ready) begin
      sent <= sent + 1'b1;
    end
  end
"""
    machine = f"""
  typedef enum logic {{IDLE, REPEAT}} state_t;
  state_t state, state_next;
  logic [{lbits - 1}:0] left, left_next;
  logic load;

  always_comb begin
    state_next = state;
    left_next = left;
    in_ready = 1'b0;
    out_valid = 1'b0;
    out_last = 1'b0;
    case (state)
      IDLE: in_ready = 1'b1;
      REPEAT: begin
        out_valid = 1'b1;
        out_last = (left == 1);
        if (out_ready) begin
          left_next = left - 1'b1;
          if (left == 1) begin
            state_next = IDLE;
            {"in_ready = 1'b1; // the next one may follow directly" if gapless else ""}
          end
        end
      end
      default: state_next = IDLE;
    endcase
    load = in_valid && in_ready;
    if (load) begin
      left_next = {load};
      state_next = IDLE;
      if ({"1'b1" if plus_one else "count != 0"}) state_next = REPEAT;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      left <= '0;
      dout <= '0;
    end else begin
      state <= state_next;
      left <= left_next;
      if (load) dout <= value;
    end
  end
"""
    if plus_one:
        machine = machine.replace(
            "      state_next = IDLE;\n      if (1'b1) state_next = REPEAT;", "      state_next = REPEAT;"
        )
    body = (down, up, machine)[variant]

    def reset(s: State) -> None:
        s.left, s.value = 0, 0

    def step(s: State, i: Pins) -> Outputs:
        ready = s.left == 0 or (gapless and s.left == 1 and i.out_ready)
        out = {
            "in_ready": int(ready),
            "out_valid": int(s.left > 0),
            "out_last": int(s.left == 1),
            "dout": s.value if s.left else None,
        }
        if s.left and i.out_ready:
            s.left -= 1
        if i.in_valid and ready:
            s.left, s.value = i.count + plus_one, i.value
        return out

    meaning = "`count` + 1 times" if plus_one else "`count` times; a pair with the number 0 is taken and gives nothing"
    timing = (
        "A pair is taken while nothing is being repeated, or in the cycle in which the last copy leaves"
        if gapless
        else "A pair is taken only while nothing is being repeated"
    )
    return Draft(
        rtl=f"""
module run_length_decoder #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  output logic in_ready,
  input logic [WIDTH-1:0] value,
  input logic [{bits - 1}:0] count,
  output logic out_valid,
  input logic out_ready,
  output logic out_last, // of the run
  output logic [WIDTH-1:0] dout
);
{body}
endmodule
""",
        about=(
            f"""Run-length decoder with handshakes. Each pair of `value` ({width} bits) and `count` that is taken
            (`in_valid` and `in_ready`) puts `value` on `dout` {meaning}. The copies leave one in a cycle with
            `out_valid` and `out_ready`, from the cycle after; the last one has `out_last`. {timing}.""",
            f"""Expands pairs of a value and a number into runs: `value` is sent {meaning}. `dout` comes from a
            register and waits for `out_ready`. `out_last` marks the end of each run. {timing}.""",
        ),
        model=Machine(reset, step),
        names=("rle_decoder", "run_expander", "repeater", "rle_expand"),
        stimulus={"in_valid": 0.75, "out_ready": 0.8},
        cycles=160,
    )


@family(variants=3)
def prefix_decoder(r: Random, variant: int) -> Draft:
    """Walks through the tree of a prefix code, a bit at a time."""
    count = r.choice((4, 5, 6))
    # A tree drawn by splitting leaves; inner nodes get numbers, the root 0.
    leaves = [""]
    while len(leaves) < count:
        shallow = [one for one in leaves if len(one) < 4]
        split = r.choice(shallow)
        leaves.remove(split)
        leaves += [split + "0", split + "1"]
    leaves.sort()
    symbols = list(range(count))
    r.shuffle(symbols)
    decode = dict(zip(leaves, symbols, strict=True))
    inner = sorted({code[:k] for code in leaves for k in range(len(code))}, key=lambda one: (len(one), one))
    number = {one: n for n, one in enumerate(inner)}
    nbits, sbits = max(1, (len(inner) - 1).bit_length()), (count - 1).bit_length()
    longest = max(map(len, leaves))
    state_names = ["ROOT", *(f"AT_{one}" for one in inner[1:])]
    arms = []
    for one, name in zip(inner, state_names, strict=True):
        halves = []
        for bit in "10":
            child = one + bit
            if child in decode:
                halves.append(f"hit = 1'b1; found = {sbits}'d{decode[child]};")
            else:
                halves.append(f"state_next = {state_names[number[child]]};")
        arms.append(f"""      {name}: begin
        if (din) begin {halves[0]} end
        else begin {halves[1]} end
      end""")
    enum = f"  typedef enum logic [{nbits - 1}:0] {{{', '.join(state_names)}}} state_t;\n  state_t state, state_next;"
    machine = f"""
{enum}
  logic hit;
  logic [{sbits - 1}:0] found;

  // states are the beginnings of codes; a whole one leads back to the root
  always_comb begin
    state_next = ROOT;
    hit = 1'b0;
    found = '0;
    case (state)
{chr(10).join(arms)}
      default: state_next = ROOT;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= ROOT;
      symbol <= '0;
      out_valid <= 1'b0;
    end else if (restart) begin
      state <= ROOT;
      out_valid <= 1'b0;
    end else begin
      out_valid <= valid && hit;
      if (valid) state <= state_next;
      if (valid && hit) symbol <= found;
    end
  end

  assign idle = (state == ROOT);
"""
    # Bits collected behind a leading one: the code so far, with its length.
    wide = longest + 1
    table = "\n".join(
        f"      {wide}'b{int('1' + code, 2):0{wide}b}: found = {sbits}'d{s};" for code, s in decode.items()
    )
    collected = f"""
  logic [{wide - 1}:0] prefix, longer; // a one, and behind it the bits since the last symbol
  logic hit;
  logic [{sbits - 1}:0] found;

  assign longer = {{prefix[{wide - 2}:0], din}};
  assign idle = (prefix == 1);

  always_comb begin
    hit = 1'b1;
    found = '0;
    case (longer)
{table}
      default: hit = 1'b0;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) prefix <= 1;
    else if (restart) prefix <= 1;
    else if (valid) prefix <= hit ? 1 : longer;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      symbol <= '0;
    end else begin
      out_valid <= valid && hit && !restart;
      if (valid && hit && !restart) symbol <= found;
    end
  end
"""
    ebits = max(nbits, sbits) + 1
    entries = []
    for one in inner:
        for bit in "01":
            child = one + bit
            code = 1 << (ebits - 1) | decode[child] if child in decode else number[child]
            entries.append(f"{ebits}'b{code:0{ebits}b}")
    cases = "\n".join(f"      {nbits + 1}'d{n}: entry = {text};" for n, text in enumerate(entries))
    tabled = f"""
  logic [{nbits - 1}:0] node;
  logic [{ebits - 1}:0] entry;
  logic leaf;

  // the tree: the top bit says that the rest is a symbol, else it is the next node
  always_comb begin
    case ({{node, din}})
{cases}
      default: entry = '0;
    endcase
  end

  assign leaf = entry[{ebits - 1}];
  assign idle = (node == 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      node <= '0;
      out_valid <= 1'b0;
      symbol <= '0;
    end else begin
      out_valid <= 1'b0;
      if (restart) begin
        node <= '0;
      end else if (valid) begin
        if (leaf) begin
          node <= '0;
          symbol <= entry[{sbits - 1}:0];
          out_valid <= 1'b1;
        end else begin
          node <= entry[{nbits - 1}:0];
        end
      end
    end
  end
"""
    body = (machine, collected, tabled)[variant]

    def reset(s: State) -> None:
        s.prefix, s.valid, s.symbol = "", 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "symbol": s.symbol, "idle": int(s.prefix == "")}
        s.valid = 0
        if i.restart:
            s.prefix = ""
        elif i.valid:
            s.prefix += str(i.din)
            if s.prefix in decode:
                s.symbol, s.valid, s.prefix = decode[s.prefix], 1, ""
        return out

    listing = ", ".join(f"{code} is {decode[code]}" for code in sorted(leaves, key=lambda c: (len(c), c)))
    return Draft(
        rtl=f"""
module prefix_decoder (
  input logic clk,
  input logic rst,
  input logic restart,
  input logic valid,
  input logic din,
  output logic idle, // between two symbols
  output logic out_valid,
  output logic [{sbits - 1}:0] symbol
);
{body}
endmodule
""",
        about=(
            f"""Serial decoder of a prefix code with {count} symbols. One bit `din` comes with each `valid`; as soon as
            the bits since the last symbol are a code, `symbol` is that symbol and `out_valid` is high, in the cycle
            after its last bit. `symbol` keeps its value. The codes, first bit left: {listing}. `restart` forgets the
            bits of an unfinished code, and a bit that comes with it. `idle` is high while no bit of the next code has
            been taken.""",
            f"""Huffman decoder that takes a bit per cycle: it follows the tree of the codes ({listing}; read from
            the left) and at a leaf returns to the root, with the symbol in a register and a pulse on `out_valid`.
            `idle` says that it is at the root. `restart` goes before `valid` and leads back to the root without a
            symbol.""",
        ),
        model=Machine(reset, step),
        names=("huffman_decoder", "vlc_decoder", "prefix_tree", "code_tree_walker"),
        stimulus={"restart": 0.04, "valid": 0.9},
        cycles=200,
    )


@family(variants=3)
def exp_golomb_decoder(r: Random, variant: int) -> Draft:
    """Numbers that come as a unary length and that many bits."""
    zeros_most = r.choice((3, 4, 5))
    order = r.choice((0, 0, 1, 2))
    signed_out = r.random() < 0.4
    width = zeros_most + order + 1
    cbits = (zeros_most + order).bit_length()
    unary = r.choice((0, 1))  # the bit of the unary part that is counted
    stop = "din" if unary == 0 else "!din"
    joint = f"""
  typedef enum logic {{PREFIX, SUFFIX}} state_t;
  state_t state;
  logic [{cbits - 1}:0] length;
  logic [{width - 1}:0] bits;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= PREFIX;
      length <= {order};
      bits <= 1;
      number <= '0;
      out_valid <= 1'b0;
      error <= 1'b0;
    end else begin
      out_valid <= 1'b0;
      error <= 1'b0;
      if (valid) begin
        case (state)
          PREFIX: begin
            if ({stop}) begin
              bits <= 1; // the leading one that is not sent
              if (length == 0) begin
                number <= '0;
                out_valid <= 1'b1;
              end else begin
                state <= SUFFIX;
              end
            end else if (length == {zeros_most + order}) begin
              error <= 1'b1; // no number is as long as that
              length <= {order};
            end else begin
              length <= length + 1'b1;
            end
          end
          SUFFIX: begin
            bits <= {{bits[{width - 2}:0], din}};
            length <= length - 1'b1;
            if (length == 1) begin
              number <= {{bits[{width - 2}:0], din}} - {1 << order};
              out_valid <= 1'b1;
              length <= {order};
              state <= PREFIX;
            end
          end
          default: state <= PREFIX;
        endcase
      end
    end
  end
"""
    nexts = f"""
  logic in_suffix, in_suffix_next, emit, bad;
  logic [{cbits - 1}:0] length, length_next;
  logic [{width - 1}:0] bits, bits_next;

  always_comb begin
    in_suffix_next = in_suffix;
    length_next = length;
    bits_next = bits;
    emit = 1'b0;
    bad = 1'b0;
    if (valid && !in_suffix) begin
      bits_next = 1;
      if ({stop}) begin
        in_suffix_next = (length != 0);
        emit = (length == 0);
      end else begin
        bad = (length == {zeros_most + order});
        length_next = bad ? {order} : length + 1'b1;
      end
    end else if (valid) begin
      bits_next = (bits << 1) | din;
      emit = (length == 1);
      in_suffix_next = !emit;
      length_next = emit ? {order} : length - 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      in_suffix <= 1'b0;
      length <= {order};
      bits <= 1;
    end else begin
      in_suffix <= in_suffix_next;
      length <= length_next;
      bits <= bits_next;
    end
  end

  // the sum of the bits, less what the code starts with
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      error <= 1'b0;
      number <= '0;
    end else begin
      out_valid <= emit;
      error <= bad;
      if (emit) number <= bits_next - {1 << order};
    end
  end
"""
    counters = f"""
  logic [{cbits - 1}:0] zeros, left;
  logic [{width - 1}:0] bits, whole;
  logic counting, finish, ends;

  assign counting = (left == 0);
  assign ends = valid & counting & ({stop});
  assign whole = counting ? 1 : {{bits[{width - 2}:0], din}};
  assign finish = (ends & (zeros == 0)) | (valid & (left == 1));

  // how many bits the unary part promises
  always_ff @(posedge clk) begin
    if (rst) zeros <= {order};
    else if (finish | ends) zeros <= {order};
    else if (valid & counting) zeros <= (zeros == {zeros_most + order}) ? {order} : zeros + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (ends) left <= zeros;
    else if (valid & !counting) left <= left - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) bits <= '0;
    else if (valid) bits <= whole;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      number <= '0;
      out_valid <= 1'b0;
      error <= 1'b0;
    end else begin
      out_valid <= finish;
      error <= valid & counting & ~({stop}) & (zeros == {zeros_most + order});
      if (finish) number <= whole - {1 << order};
    end
  end
"""
    body = (joint, nexts, counters)[variant]
    if signed_out:
        body += (
            f"""
  // 1, -1, 2, -2 and so on
  assign value = number[0] ? $signed({{1'b0, number[{width - 1}:1]}}) + 1 : -$signed({{1'b0, number[{width - 1}:1]}});
"""
            if variant != 1
            else f"""
  logic [{width - 1}:0] half;

  assign half = (number >> 1) + number[0];

  // odd numbers are positive
  always_comb begin
    if (number[0]) value = half;
    else value = ~half + 1'b1;
  end
"""
        )

    def reset(s: State) -> None:
        s.zeros, s.rest, s.bits, s.number, s.valid, s.error = 0, 0, 1, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "error": s.error, "number": s.number}
        if signed_out:
            half = (s.number + 1) // 2
            out["value"] = (half if s.number % 2 else -half) % (1 << width)
        s.valid = s.error = 0
        if i.valid:
            if s.rest:
                s.bits, s.rest = s.bits << 1 | i.din, s.rest - 1
                if not s.rest:
                    s.number, s.valid = s.bits - (1 << order), 1
            elif i.din == unary:
                s.zeros += 1
                if s.zeros > zeros_most:
                    s.error, s.zeros = 1, 0
            else:
                s.rest, s.bits, s.zeros = s.zeros + order, 1, 0
                if not s.rest:
                    s.number, s.valid = 0, 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if s.rest or r.random() < 0.4:
            return {}
        return {"din": unary if s.zeros < zeros_most or r.random() < 0.2 else 1 - unary}

    port = f",\n  output logic signed [{width - 1}:0] value" if signed_out else ""
    signed_text = (
        " `value` shows `number` as a signed one: n odd stands for (n + 1) / 2, n even for -n / 2."
        if signed_out
        else ""
    )
    extra = f" plus {order}" if order else ""
    return Draft(
        rtl=f"""
module exp_golomb_decoder (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic din,
  output logic out_valid,
  output logic error,
  output logic [{width - 1}:0] number{port}
);
{body}
endmodule
""",
        about=(
            f"""Serial decoder of exponential Golomb codes of order {order}. Bits come with `valid`. A code has some
            {unary}s, at most {zeros_most}, then a {1 - unary}, then as many bits as there were {unary}s{extra}, the
            highest first. With a one in front of them these bits are a number that is {1 << order} more than `number`.
            `out_valid` is high in the cycle after the code's last bit, and `number` stays until the next one. With one
            {unary} too many, `error` is high for the next cycle and a new code begins after that bit.{signed_text}""",
            f"""Decodes variable-length numbers bit by bit: counts leading {unary}s up to the first {1 - unary}, then
            collects that count{extra} of further bits behind an implied 1, and puts the result less {1 << order} into
            `number` with a pulse on `out_valid`. More than {zeros_most} {unary}s are an `error` (one cycle), after
            which decoding starts anew.{signed_text}""",
        ),
        model=Machine(reset, step),
        names=("exp_golomb", "golomb_decoder", "ue_decoder", "vlc_number"),
        stimulus={"valid": 0.9},
        drive=drive,
        cycles=240,
    )


@family(variants=3)
def delta_coder(r: Random, variant: int) -> Draft:
    """Codes the step from one sample to the next, small steps as small numbers."""
    width = r.choice((6, 8, 10))
    small = r.choice((3, 4))
    limit = 1 << (small - 1)
    interval = r.choice((0, 8, 16))
    ibits = (interval - 1).bit_length() if interval else 0
    key_text = " || (since == INTERVAL - 1)" if interval else ""
    declare = f"\n  logic [{ibits - 1}:0] since; // samples since the last whole one" if interval else ""
    zig = (
        "step[WIDTH-1] ? ~{step[WIDTH-2:0], 1'b0} : {step[WIDTH-2:0], 1'b0}",
        "(step << 1) ^ {WIDTH{step[WIDTH-1]}}",
        "{step[WIDTH-2:0] ^ {(WIDTH-1){step[WIDTH-1]}}, step[WIDTH-1]}",
    )[variant]
    fits = (
        f"(folded < {1 << small})",
        f"(folded[WIDTH-1:{small}] == 0)",
        f"~|(folded >> {small})",
    )[variant]
    count_joint = (
        """
      if (whole_next) since <= '0;
      else since <= since + 1'b1;"""
        if interval
        else ""
    )
    zero = "\n      since <= '0;" if interval else ""
    joint = f"""
  assign step = din - prev;
  assign folded = {zig}; // 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4
  assign whole_next = fresh || !{fits}{key_text};

  always_ff @(posedge clk) begin
    if (rst) begin
      fresh <= 1'b1;
      prev <= '0;
      code <= '0;
      whole <= 1'b0;
      out_valid <= 1'b0;{zero}
    end else begin
      out_valid <= valid;
      if (valid) begin
        fresh <= 1'b0;
        prev <= din;
        whole <= whole_next;
        code <= whole_next ? din : folded;{count_joint}
      end
    end
  end
"""
    apart = f"""
  logic small_step;

  // the step is a signed number that may wrap around
  always_comb begin
    step = din - prev;
    folded = {zig};
    small_step = {fits};
    whole_next = 1'b0;
    if (fresh{key_text}) whole_next = 1'b1;
    else if (!small_step) whole_next = 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      prev <= '0;
      fresh <= 1'b1;
    end else if (valid) begin
      prev <= din;
      fresh <= 1'b0;
    end
  end
{
        '''
  always_ff @(posedge clk) begin
    if (rst) since <= '0;
    else if (valid) since <= whole_next ? '0 : since + 1'b1;
  end
'''
        if interval
        else ""
    }
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      whole <= 1'b0;
      code <= '0;
    end else begin
      out_valid <= valid;
      if (valid) begin
        whole <= whole_next;
        if (whole_next) code <= din;
        else code <= folded;
      end
    end
  end
"""
    function = f"""
  function automatic logic [WIDTH-1:0] zigzag(input logic [WIDTH-1:0] step);
    zigzag = {zig};
  endfunction

  assign step = din - prev;
  assign folded = zigzag(step);
  assign whole_next = fresh | ~({fits}){key_text.replace("||", "|")};

  always_ff @(posedge clk) begin
    if (rst) begin
      {{fresh, whole, out_valid}} <= 3'b100;
      {{prev, code}} <= 0;{zero}
    end else if (valid) begin
      {{fresh, whole, out_valid}} <= {{1'b0, whole_next, 1'b1}};
      {{prev, code}} <= {{din, whole_next ? din : folded}};{count_joint}
    end else begin
      out_valid <= 1'b0;
    end
  end
"""
    body = (joint, apart, function)[variant]
    mask = (1 << width) - 1

    def reset(s: State) -> None:
        s.prev, s.fresh, s.since, s.code, s.whole, s.valid = 0, 1, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "whole": s.whole, "code": s.code}
        s.valid = i.valid
        if i.valid:
            step = (i.din - s.prev) & mask
            step -= (step >> (width - 1)) << width
            folded = 2 * step if step >= 0 else -2 * step - 1
            s.whole = int(s.fresh or folded >= 1 << small or (interval and s.since == interval - 1))
            s.code = i.din if s.whole else folded
            s.since = 0 if s.whole else s.since + 1
            s.prev, s.fresh = i.din, 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.06:
            return {"din": r.getrandbits(width)}
        if r.random() < 0.12:
            return {"din": (s.prev + r.choice((limit, limit - 1, -limit, -limit - 1))) & mask}
        return {"din": (s.prev + r.randrange(-3, 4)) & mask}

    parameters = f"parameter int WIDTH = {width}" + (f",\n  parameter int INTERVAL = {interval}" if interval else "")
    regular = (
        f" Of {interval} samples in a row, one at least is whole: after {interval - 1} steps, a whole one follows."
        if interval
        else ""
    )
    return Draft(
        rtl=f"""
module delta_coder #(
  {parameters}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [WIDTH-1:0] din,
  output logic out_valid,
  output logic whole, // the code is the sample itself
  output logic [WIDTH-1:0] code
);
  logic [WIDTH-1:0] prev, step, folded;
  logic fresh; // nothing came since reset
  logic whole_next;{declare}
{body}
endmodule
""",
        about=(
            f"""Delta coder with zigzag numbers for samples of {width} bits. For each `valid` sample it takes the step
            from the one before, modulo 2^{width} and as a signed number, and folds it: a step d from 0 up becomes 2 d,
            a negative one -2 d - 1. If this is less than {1 << small}, `code` is this number with `whole` low;
            otherwise, and for the first sample after reset, `code` is the sample with `whole` high.{regular} The
            result is registered, with `out_valid` a cycle after `valid`.""",
            f"""First stage of a compressor: sends small differences between samples in {small} bits and all others
            as whole {width}-bit samples. Differences are zigzag coded (0, -1, 1, -2, ... become 0, 1, 2, 3, ...);
            those below {1 << small} are `code`, else `whole` is set and `code` is `din` itself. The first sample is
            always whole.{regular} Results follow by one cycle; `whole` and `code` keep them without `valid`.""",
        ),
        model=Machine(reset, step),
        names=("delta_encoder", "zigzag_coder", "dpcm_encoder", "difference_coder"),
        stimulus={"valid": 0.85},
        drive=drive,
        cycles=180,
    )


@family(variants=2)
def code_packer(r: Random, variant: int) -> Draft:
    """Puts codes of different lengths side by side into words."""
    width, most = r.choice(((8, 4), (8, 5), (12, 6), (16, 8)))
    lbits, fbits = most.bit_length(), (width + most).bit_length()
    msb_first = r.random() < 0.6
    total = width + most
    mask_code = "code & ~({" + str(most) + "{1'b1}} << length)"
    if msb_first:
        joined = f"bits | (clean << ({total} - fill - length))"
        word, rest = f"joined[{total - 1}:{most}]", f"joined << {width}"
    else:
        joined = "bits | (clean << fill)"
        word, rest = f"joined[{width - 1}:0]", f"joined >> {width}"
    direct = f"""
  // bits above the length do not count
  assign clean = {mask_code};
  assign joined = {joined};
  assign used = fill + length;

  always_ff @(posedge clk) begin
    if (rst) begin
      bits <= '0;
      fill <= '0;
      word <= '0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= 1'b0;
      if (valid) begin
        if (used >= WIDTH) begin
          word <= {word};
          out_valid <= 1'b1;
          bits <= {rest}; // what did not fit
          fill <= used - WIDTH;
        end else begin
          bits <= joined;
          fill <= used;
        end
      end else if (flush && fill != 0) begin
        word <= {word.replace("joined", "bits")};
        out_valid <= 1'b1;
        bits <= '0;
        fill <= '0;
      end
    end
  end
"""
    nexts = f"""
  logic [{total - 1}:0] bits_next;
  logic [{fbits - 1}:0] fill_next;
  logic emit;

  always_comb begin
    clean = valid ? {mask_code} : '0;
    used = valid ? fill + length : fill;
    joined = {joined.replace("- fill - length", "- used")};
    emit = (used >= WIDTH) || (flush && !valid && fill != 0);
    bits_next = joined;
    fill_next = used;
    if (emit) begin
      bits_next = {rest};
      fill_next = (used >= WIDTH) ? used - WIDTH : 0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      bits <= '0;
      fill <= '0;
      out_valid <= 1'b0;
    end else begin
      bits <= bits_next;
      fill <= fill_next;
      out_valid <= emit;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) word <= '0;
    else if (emit) word <= {word};
  end
"""
    body = (direct, nexts)[variant]

    def reset(s: State) -> None:
        s.bits, s.word, s.valid = "", 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "word": s.word, "fill": len(s.bits)}
        s.valid = 0

        def send(bits: str) -> None:
            s.valid, s.word = 1, int(bits if msb_first else bits[::-1], 2)

        if i.valid:
            code = f"{i.code & ((1 << i.length) - 1):0{i.length}b}" if i.length else ""
            s.bits += code if msb_first else code[::-1]
            if len(s.bits) >= width:
                send(s.bits[:width])
                s.bits = s.bits[width:]
        elif i.flush and s.bits:
            send(s.bits.ljust(width, "0"))
            s.bits = ""
        return out

    where = (
        "from the top of the word down, each with its highest bit first" if msb_first else "from bit 0 of the word up"
    )
    return Draft(
        rtl=f"""
module code_packer #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [{most - 1}:0] code, // in the lowest bits
  input logic [{lbits - 1}:0] length,
  input logic flush,
  output logic out_valid,
  output logic [WIDTH-1:0] word,
  output logic [{fbits - 1}:0] fill // bits that wait
);
  logic [{total - 1}:0] bits, joined;
  logic [{most - 1}:0] clean;
  logic [{fbits - 1}:0] used;
{body}
endmodule
""",
        about=(
            f"""Packs codes of 0 to {most} bits into words of {width} bits. With `valid` the lowest `length` bits of
            `code` are put behind the bits that wait, {where}. When {width} bits are there, they become `word` with
            `out_valid` in the next cycle, and the rest goes on waiting. `flush` in a cycle without `valid` sends the
            bits that wait, if there are any, filled up with zeros. `fill` is their number.""",
            f"""Bit packer behind a variable-length coder: joins codes ({where}) and gives out full {width}-bit words,
            registered, with a pulse on `out_valid`. `length` (at most {most}) says how many low bits of `code` count.
            `flush` closes an unfinished word with zeros; a valid code in the same cycle goes before it.""",
        ),
        model=Machine(reset, step),
        names=("bit_packer", "vlc_packer", "bitstream_writer", "code_joiner"),
        stimulus={"valid": 0.85, "flush": 0.3, "length": lambda r: r.randrange(most + 1)},
        cycles=160,
    )
