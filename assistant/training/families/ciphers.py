"""Small ciphers, their keys and hashes."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


def _rotl(word: int, by: int, width: int) -> int:
    return (word << by | word >> (width - by)) & ((1 << width) - 1)


def _rotr(word: int, by: int, width: int) -> int:
    return _rotl(word, width - by, width)


def _nibbles(table: list[int], word: int, width: int) -> int:
    return sum(table[word >> k & 15] << k for k in range(0, width, 4))


def _table_arms(table: list[int], name: str) -> str:
    return "\n".join(f"      4'h{k:x}: {name} = 4'h{v:x};" for k, v in enumerate(table))


def _listed(table: list[int]) -> str:
    return " ".join(f"{v:x}" for v in table)


@family(variants=3)
def arx_quarter_round(r: Random, variant: int) -> Draft:
    """Additions, rotations and exclusive ors that mix four words."""
    width = r.choice((8, 16, 32))
    rotations = [r.randrange(1, width) for _ in range(4)]
    left = r.random() < 0.7
    pairs = r.choice(
        (
            [("a", "b", "d"), ("c", "d", "b"), ("a", "b", "d"), ("c", "d", "b")],
            [("b", "a", "c"), ("d", "c", "a"), ("b", "a", "c"), ("d", "c", "a")],
            [("a", "c", "b"), ("d", "b", "c"), ("a", "c", "b"), ("d", "b", "c")],
        )
    )
    turn, mask = (_rotl if left else _rotr), (1 << width) - 1

    def turned(name: str, by: int) -> str:
        if left:
            return f"{{{name}[{width - 1 - by}:0], {name}[{width - 1}:{width - by}]}}"
        return f"{{{name}[{by - 1}:0], {name}[{width - 1}:{by}]}}"

    step_lines = []
    for (x, y, z), by in zip(pairs, rotations, strict=True):
        step_lines.append(f"    {x} = {x} + {y};\n    {z} = {z} ^ {x};\n    {z} = {turned(z, by)};")
    blocks = f"""
  logic [WIDTH-1:0] a, b, c, d;

  // add, exclusive or, rotate, four times
  always_comb begin
    a = in_a;
    b = in_b;
    c = in_c;
    d = in_d;
{chr(10).join(step_lines)}
  end

  assign out_a = a;
  assign out_b = b;
  assign out_c = c;
  assign out_d = d;
"""
    present = {n: f"in_{n}" for n in "abcd"}
    declared, lines = [], []
    for n, ((x, y, z), by) in enumerate(zip(pairs, rotations, strict=True)):
        total, mixed, spun = f"sum_{n}", f"mix_{n}", f"rot_{n}"
        declared += [total, mixed, spun]
        lines.append(f"  assign {total} = {present[x]} + {present[y]};")
        lines.append(f"  assign {mixed} = {present[z]} ^ {total};")
        lines.append(f"  assign {spun} = {turned(mixed, by)};")
        present[x], present[z] = total, spun
    wires = (
        f"\n  logic [WIDTH-1:0] {', '.join(declared)};\n\n"
        + "\n".join(lines)
        + "\n\n"
        + "\n".join(f"  assign out_{n} = {present[n]};" for n in "abcd")
        + "\n"
    )
    way = ("<<", ">>") if left else (">>", "<<")
    shifts = "\n".join(
        f"    {x} = {x} + {y};\n    {z} = rotated({z} ^ {x}, {by});"
        for (x, y, z), by in zip(pairs, rotations, strict=True)
    )
    function = f"""
  logic [WIDTH-1:0] a, b, c, d;

  function automatic logic [WIDTH-1:0] rotated(input logic [WIDTH-1:0] word, input logic [5:0] amount);
    rotated = (word {way[0]} amount) | (word {way[1]} (WIDTH - amount));
  endfunction

  always_comb begin
    {{a, b, c, d}} = {{in_a, in_b, in_c, in_d}};
{shifts}
    {{out_a, out_b, out_c, out_d}} = {{a, b, c, d}};
  end
"""
    body = (blocks, wires, function)[variant]

    def model(i: Pins) -> Outputs:
        w = {"a": i.in_a, "b": i.in_b, "c": i.in_c, "d": i.in_d}
        for (x, y, z), by in zip(pairs, rotations, strict=True):
            w[x] = (w[x] + w[y]) & mask
            w[z] = turn(w[z] ^ w[x], by, width)
        return {f"out_{n}": w[n] for n in "abcd"}

    told = "; ".join(
        f"{x} += {y}, {z} ^= {x}, {z} rotated {'left' if left else 'right'} by {by}"
        for (x, y, z), by in zip(pairs, rotations, strict=True)
    )
    ports = [f"input logic [WIDTH-1:0] in_{n}" for n in "abcd"] + [f"output logic [WIDTH-1:0] out_{n}" for n in "abcd"]
    return Draft(
        rtl=f"""
module arx_quarter_round #(
  parameter int WIDTH = {width}
) (
  {("," + chr(10) + "  ").join(ports)}
);
{body}
endmodule
""",
        about=(
            f"""Combinational quarter round of an add-rotate-xor cipher on four {width}-bit words a, b, c and d, which
            come in on `in_a` to `in_d` and leave on `out_a` to `out_d`. In this order: {told}. Sums are modulo
            2^{width}.""",
            f"""ARX mixing step without a register: the words a to d ({width} bits each, `in_a`..`in_d`) go through
            these steps one after the other: {told}. The results are `out_a`..`out_d`.""",
        ),
        model=model,
        names=("quarter_round", "arx_mix", "qround", "mix_words"),
        cycles=100,
    )


@family(variants=3)
def feistel_cipher(r: Random, variant: int) -> Draft:
    """Encrypts and decrypts a block, one round a cycle."""
    half = r.choice((8, 12, 16))
    rounds = r.choice((4, 6, 8))
    table = r.sample(range(16), 16)
    spin = r.choice([k for k in range(1, half) if k % 4])
    step_by = r.choice((1, 3, 5))
    rbits = (rounds - 1).bit_length()
    key_bits = 2 * half
    slices = ", ".join(f"sbox(mixed[{k + 3}:{k}])" for k in range(half - 4, -1, -4))
    after = f"{{boxed[{half - 1 - spin}:0], boxed[{half - 1}:{half - spin}]}}"
    arms = _table_arms(table, "sbox")
    box = f"""
  function automatic logic [3:0] sbox(input logic [3:0] nibble);
    case (nibble)
{arms}
      default: sbox = '0;
    endcase
  endfunction
"""
    key_turn = f"{{key_reg[KEY-1-{step_by}:0], key_reg[KEY-1:KEY-{step_by}]}}"
    key_back = f"{{key_reg[{step_by - 1}:0], key_reg[KEY-1:{step_by}]}}"
    total = step_by * (rounds - 1) % key_bits
    ahead = f"{{key[KEY-1-{total}:0], key[KEY-1:KEY-{total}]}}" if total else "key"
    inner = f"""{box}
  // the round function: add the key, substitute, rotate
  assign mixed = right ^ key_reg[HALF-1:0] ^ round_number;
  assign boxed = {{{slices}}};
  assign feedback = {after};
  assign round_number = backwards ? ROUNDS - 1 - count : count;
"""
    flags = f"""{inner}
  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
      backwards <= 1'b0;
      count <= '0;
      left <= '0;
      right <= '0;
      key_reg <= '0;
    end else begin
      done <= 1'b0;
      if (!busy) begin
        if (start) begin
          {{left, right}} <= din;
          backwards <= decrypt;
          key_reg <= decrypt ? {ahead} : key; // the last round's key comes first then
          count <= '0;
          busy <= 1'b1;
        end
      end else begin
        left <= right;
        right <= left ^ feedback;
        key_reg <= backwards ? {key_back} : {key_turn};
        count <= count + 1'b1;
        if (count == ROUNDS - 1) begin
          busy <= 1'b0;
          done <= 1'b1;
        end
      end
    end
  end

  // the halves change places at the end, so that decryption is the same machine
  assign dout = {{right, left}};
"""
    machine = f"""
  typedef enum logic {{IDLE, ROUND}} state_t;
  state_t state, state_next;
{inner}
  assign busy = (state == ROUND);
  assign dout = {{right, left}}; // without the last exchange

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (start) state_next = ROUND;
      ROUND: if (count == ROUNDS - 1) state_next = IDLE;
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
    end else begin
      state <= state_next;
      done <= (state == ROUND) && (state_next == IDLE);
    end
  end

  // the block
  always_ff @(posedge clk) begin
    if (rst) begin
      left <= '0;
      right <= '0;
      count <= '0;
    end else if (state == ROUND) begin
      left <= right;
      right <= left ^ feedback;
      count <= count + 1'b1;
    end else if (start) begin
      left <= din[2*HALF-1:HALF];
      right <= din[HALF-1:0];
      count <= '0;
    end
  end

  // the key turns one way or the other
  always_ff @(posedge clk) begin
    if (rst) begin
      key_reg <= '0;
      backwards <= 1'b0;
    end else if (state == IDLE) begin
      if (start) begin
        backwards <= decrypt;
        if (decrypt) key_reg <= {ahead};
        else key_reg <= key;
      end
    end else if (backwards) begin
      key_reg <= {key_back};
    end else begin
      key_reg <= {key_turn};
    end
  end
"""
    nexts = f"""
  logic [HALF-1:0] left_next, right_next;
  logic [KEY-1:0] key_next;
  logic accept, last;
{inner}
  assign accept = start & ~busy;
  assign last = busy & (count == ROUNDS - 1);
  assign dout = {{right, left}};

  always_comb begin
    left_next = left;
    right_next = right;
    key_next = key_reg;
    if (accept) begin
      {{left_next, right_next}} = din;
      key_next = decrypt ? {ahead} : key;
    end else if (busy) begin
      left_next = right;
      right_next = left ^ feedback;
      if (backwards) key_next = {key_back};
      else key_next = {key_turn};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      left <= '0;
      right <= '0;
      key_reg <= '0;
      backwards <= 1'b0;
      count <= '0;
      busy <= 1'b0;
      done <= 1'b0;
    end else begin
      left <= left_next;
      right <= right_next;
      key_reg <= key_next;
      if (accept) backwards <= decrypt;
      count <= accept ? '0 : count + busy;
      busy <= (busy | accept) & ~last;
      done <= last;
    end
  end
"""
    body = (flags, machine, nexts)[variant]
    mask = (1 << half) - 1

    def crypt(block: int, key: int, backwards: int) -> int:
        left, right = block >> half, block & mask
        for n in range(rounds):
            number = rounds - 1 - n if backwards else n
            subkey = _rotl(key, number * step_by % key_bits, key_bits) & mask if number * step_by % key_bits else key
            mixed = right ^ subkey & mask ^ number
            left, right = right, left ^ _rotl(_nibbles(table, mixed, half), spin, half)
        return right << half | left

    def reset(s: State) -> None:
        s.left = s.done = s.result = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": int(s.left > 0), "done": s.done, "dout": None if s.left else s.result}
        s.done = 0
        if s.left:
            s.left -= 1
            s.done = int(s.left == 0)
        elif i.start:
            s.result, s.left = crypt(i.din, i.key, i.decrypt), rounds
            s.plain = (i.din, i.key, i.decrypt)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if getattr(s, "plain", None) and r.random() < 0.4:
            return {"din": s.result, "key": s.plain[1], "decrypt": 1 - s.plain[2]}
        return {}

    return Draft(
        rtl=f"""
module feistel_cipher #(
  parameter int HALF = {half},
  parameter int KEY = {key_bits},
  parameter int ROUNDS = {rounds}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic decrypt,
  input logic [2*HALF-1:0] din,
  input logic [KEY-1:0] key,
  output logic busy,
  output logic done,
  output logic [2*HALF-1:0] dout
);
  logic [HALF-1:0] left, right, mixed, boxed, feedback;
  logic [KEY-1:0] key_reg;
  logic [{rbits}:0] count, round_number;
  logic backwards;
{body}
endmodule
""",
        about=(
            f"""Feistel cipher on blocks of {2 * half} bits with a {key_bits}-bit key, {rounds} rounds, one a cycle.
            `start` without `busy` takes `din`, `key` and `decrypt`; `busy` is high for {rounds} cycles, and `done` for
            the one after them; `dout` then stays until the next start. In each round the new left half is the old right
            one, and the new right half the old left one exclusive-or F. F is the right half exclusive-or the low half
            of the round key and the round number, each nibble through the S-box {_listed(table)} (entries 0 to f),
            rotated left by {spin}. The round key of round n (from 0) is the key rotated left by {step_by} n. Decryption
            takes the rounds from the last to the first. `dout` has the right half on top: no exchange after the last
            round.""",
            f"""Iterative block cipher, a Feistel network with {rounds} rounds on two halves of {half} bits. Round n:
            L, R = R, L ^ F(R), with F(R) = rotate-left by {spin} of the S-box layer of R ^ K ^ n; K is the low half
            of `key` rotated left by {step_by} n bits, and the S-box maps 0..f to {_listed(table)}. The result on `dout`
            is R, L with R in the upper bits. With `decrypt` the round numbers run downwards. A `start` while idle
            loads everything, `busy` covers the {rounds} rounds, `done` pulses in the cycle behind them.""",
        ),
        model=Machine(reset, step),
        names=("block_cipher", "feistel_core", "feistel_network", "cipher_core"),
        stimulus={"start": 0.5},
        drive=drive,
        cycles=25 * rounds,
    )


@family(variants=3)
def substitution_round(r: Random, variant: int) -> Draft:
    """One round of a substitution-permutation network, in a register."""
    width = r.choice((8, 12, 16))
    table = r.sample(range(16), 16)
    inverse = r.random() < 0.35
    stride = r.choice([k for k in range(3, width) if all(width % d or k % d for d in (2, 3))])
    offset = r.randrange(width)
    key_first = r.random() < 0.6
    if inverse:
        box = [table.index(k) for k in range(16)]
        moves = {(stride * k + offset) % width: k for k in range(width)}
    else:
        box = table
        moves = {k: (stride * k + offset) % width for k in range(width)}
    inner = "data_in ^ round_key" if key_first else "data_in"
    outer = "" if key_first else " ^ round_key"
    arms = _table_arms(box, "sbox")
    place = f"({stride}*k + {offset}) % WIDTH"
    function = f"""
  function automatic logic [3:0] sbox(input logic [3:0] nibble);
    case (nibble)
{arms}
      default: sbox = 4'h0;
    endcase
  endfunction
"""
    generated = f"""{function}
  for (genvar k = 0; k < WIDTH / 4; k++) begin : gen_box
    assign boxed[4*k +: 4] = sbox({"mixed" if not inverse else "spread"}[4*k +: 4]);
  end

  // every bit goes to a place of its own
  for (genvar k = 0; k < WIDTH; k++) begin : gen_bit
    assign {f"spread[{place}] = boxed[k]" if not inverse else f"spread[k] = mixed[{place}]"};
  end
"""
    packed = "".join(f"{v:x}" for v in reversed(box))
    loops = f"""
  localparam logic [63:0] SBOX = 64'h{packed}; // entry 0 in the lowest nibble

  always_comb begin
    for (int k = 0; k < WIDTH; k = k + 4) begin
      boxed[k +: 4] = SBOX[4*{"mixed" if not inverse else "spread"}[k +: 4] +: 4];
    end
  end

  always_comb begin
    for (int k = 0; k < WIDTH; k++) begin
      {f"spread[{place}] = boxed[k]" if not inverse else f"spread[k] = mixed[{place}]"};
    end
  end
"""
    back = {to: k for k, to in moves.items()}
    before = "mixed" if inverse else "boxed"
    listed = ", ".join(f"{before}[{back[k]}]" for k in range(width - 1, -1, -1))
    stage_in = "spread" if inverse else "mixed"
    boxes = "\n".join(f"    boxed[{k + 3}:{k}] = sbox({stage_in}[{k + 3}:{k}]);" for k in range(0, width, 4))
    unrolled = f"""{function}
  // the substitution
  always_comb begin
{boxes}
  end

  // wires only: from the highest bit to the lowest
  assign spread = {{{listed}}};
"""
    body = (generated, loops, unrolled)[variant]
    result = "boxed" if inverse else "spread"

    def moved(word: int) -> int:
        return sum((word >> k & 1) << to for k, to in moves.items())

    def reset(s: State) -> None:
        s.valid = s.data = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"out_valid": s.valid, "data_out": s.data}
        s.valid = i.in_valid
        if i.in_valid:
            word = i.data_in ^ (i.round_key if key_first else 0)
            word = _nibbles(box, moved(word), width) if inverse else moved(_nibbles(box, word, width))
            s.data = word ^ (0 if key_first else i.round_key)
        return out

    sub = f"each nibble v becomes entry v of the table {_listed(box)}"
    perm = (
        "bit (" + f"{stride} k + {offset}) mod {width} moves to bit k"
        if inverse
        else f"bit k moves to bit ({stride} k + {offset}) mod {width}"
    )
    order = f"{perm}, then {sub}" if inverse else f"{sub}, then {perm}"
    keyed = (
        f"exclusive-or with `round_key`, then {order}" if key_first else f"{order}, then exclusive-or with `round_key`"
    )
    return Draft(
        rtl=f"""
module substitution_round #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  input logic [WIDTH-1:0] data_in,
  input logic [WIDTH-1:0] round_key,
  output logic out_valid,
  output logic [WIDTH-1:0] data_out
);
  logic [WIDTH-1:0] mixed, boxed, spread;

  assign mixed = {inner};
{body}
  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      data_out <= '0;
    end else begin
      out_valid <= in_valid;
      if (in_valid) data_out <= {result}{outer};
    end
  end
endmodule
""",
        about=(
            f"""One {"inverse " if inverse else ""}round of a substitution-permutation cipher on {width} bits,
            registered: {keyed}. The word of a cycle with `in_valid` is on `data_out` in the next cycle, with
            `out_valid`; without a valid word `data_out` keeps its value.""",
            f"""Pipeline stage of a {width}-bit SP network{" for decryption" if inverse else ""}. On `in_valid`, the
            register `data_out` takes {keyed}. `out_valid` is `in_valid` one cycle later. Both are 0 after reset.""",
        ),
        model=Machine(reset, step),
        names=("sp_round", "spn_stage", "cipher_round", "sbox_layer"),
        stimulus={"in_valid": 0.8},
        cycles=100,
    )


@family(variants=2)
def delta_cipher(r: Random, variant: int) -> Draft:
    """A block cipher of shifts and additions, half a cycle of it in each clock cycle."""
    width = r.choice((8, 16, 32))
    rounds = r.choice((4, 5, 8))
    delta = r.getrandbits(width) | 1 | 1 << (width - 2)
    up, down = r.choice((2, 3, 4)), r.choice((3, 5, 6))
    bits = (2 * rounds - 1).bit_length()
    mask = (1 << width) - 1
    by_phase = """
  logic [WIDTH-1:0] other, first_key, second_key, mixed;
  logic odd;

  assign odd = count[0];
  assign other = odd ? word0 : word1; // the half that stays
  assign first_key = odd ? key[2*WIDTH +: WIDTH] : key[0 +: WIDTH];
  assign second_key = odd ? key[3*WIDTH +: WIDTH] : key[WIDTH +: WIDTH];
  assign mixed = ((other << UP) + first_key) ^ (other + sum) ^ ((other >> DOWN) + second_key);

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
      count <= '0;
      sum <= '0;
      word0 <= '0;
      word1 <= '0;
    end else begin
      done <= 1'b0;
      if (busy) begin
        if (odd) begin
          word1 <= word1 + mixed;
          sum <= sum + DELTA; // for the next round
        end else begin
          word0 <= word0 + mixed;
        end
        if (count == 2 * ROUNDS - 1) begin
          busy <= 1'b0;
          done <= 1'b1;
        end
        count <= count + 1'b1;
      end else if (start) begin
        busy <= 1'b1;
        count <= '0;
        sum <= DELTA;
        word0 <= din[WIDTH-1:0];
        word1 <= din[2*WIDTH-1:WIDTH];
      end
    end
  end
"""
    states = """
  typedef enum logic [1:0] {IDLE, FIRST, SECOND} state_t;
  state_t state;

  function automatic logic [WIDTH-1:0] mix(
    input logic [WIDTH-1:0] half,
    input logic [WIDTH-1:0] total,
    input logic [WIDTH-1:0] key_low,
    input logic [WIDTH-1:0] key_high
  );
    logic [WIDTH-1:0] left, right;
    left = (half << UP) + key_low;
    right = (half >> DOWN) + key_high;
    mix = left ^ (half + total) ^ right;
  endfunction

  assign busy = (state != IDLE);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
      count <= '0;
      sum <= '0;
      word0 <= '0;
      word1 <= '0;
    end else begin
      done <= 1'b0;
      case (state)
        IDLE: begin
          if (start) begin
            {word1, word0} <= din;
            sum <= DELTA;
            count <= '0;
            state <= FIRST;
          end
        end
        FIRST: begin
          word0 <= word0 + mix(word1, sum, key[WIDTH-1:0], key[2*WIDTH-1:WIDTH]);
          state <= SECOND;
        end
        SECOND: begin
          word1 <= word1 + mix(word0, sum, key[3*WIDTH-1:2*WIDTH], key[4*WIDTH-1:3*WIDTH]);
          sum <= sum + DELTA;
          count <= count + 1'b1;
          if (count == ROUNDS - 1) begin
            state <= IDLE;
            done <= 1'b1;
          end else begin
            state <= FIRST;
          end
        end
        default: state <= IDLE;
      endcase
    end
  end
"""
    body = (by_phase, states)[variant]

    def reset(s: State) -> None:
        s.left = s.done = 0
        s.words, s.sum = [0, 0], 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": int(s.left > 0), "done": s.done, "dout": s.words[1] << width | s.words[0]}
        s.done = 0
        if s.left:
            odd = s.left % 2
            other, keys = s.words[1 - odd], i.key >> 2 * odd * width
            low, high = keys & mask, keys >> width & mask
            mixed = (other << up) + low & mask ^ other + s.sum & mask ^ (other >> down) + high & mask
            s.words[odd] = s.words[odd] + mixed & mask
            if odd:
                s.sum = s.sum + delta & mask
            s.left -= 1
            s.done = int(not s.left)
        elif i.start:
            s.left, s.sum, s.words = 2 * rounds, delta, [i.din & mask, i.din >> width]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not s.left or not hasattr(s, "key"):
            s.key = r.getrandbits(4 * width)
        return {"key": s.key}

    return Draft(
        rtl=f"""
module delta_cipher #(
  parameter int WIDTH = {width},
  parameter int ROUNDS = {rounds},
  parameter int UP = {up},
  parameter int DOWN = {down}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [2*WIDTH-1:0] din,
  input logic [4*WIDTH-1:0] key, // stays as it is while `busy`
  output logic busy,
  output logic done,
  output logic [2*WIDTH-1:0] dout
);
  localparam logic [WIDTH-1:0] DELTA = {width}'h{delta:x};
  logic [WIDTH-1:0] word0, word1, sum;
  logic [{bits - 1}:0] count;
{body}
  assign dout = {{word1, word0}};
endmodule
""",
        about=f"""Block cipher of shifts and additions modulo 2^{width} on the two {width}-bit halves v0 (lower) and v1
            of `din`, with the four words k0 (lowest) to k3 of `key`. `start` while not `busy` loads the block and sets
            the sum to {width}'h{delta:x}. Then {rounds} rounds of two cycles each: first v0 += (v1 << {up}) + k0 ^
            v1 + sum ^ (v1 >> {down}) + k1; then v1 += (v0 << {up}) + k2 ^ v0 + sum ^ (v0 >> {down}) + k3 (here + binds
            closer than ^) and the sum grows by {width}'h{delta:x}. `done` pulses for one cycle after the last of
            them. `dout` shows v1 and v0 all the time, also between rounds.""",
        model=Machine(reset, step),
        names=("tiny_cipher", "block_encrypt", "shift_add_cipher", "encryptor"),
        stimulus={"start": 0.5},
        drive=drive,
        cycles=24 * rounds,
    )


@family(variants=3)
def key_schedule(r: Random, variant: int) -> Draft:
    """Gives one round key after the other from a key."""
    width, out_bits = r.choice(((16, 8), (20, 12), (24, 16), (32, 16)))
    spin = r.choice((3, 5, 7, 9, 11, 13))
    table = r.sample(range(16), 16)
    rounds = r.choice((6, 8, 12))
    rbits = rounds.bit_length()
    at = r.randrange(1, width - 4 - rbits)
    from_top = r.random() < 0.6
    arms = _table_arms(table, "boxed")
    take = f"key_reg[{width - 1}:{width - out_bits}]" if from_top else f"key_reg[{out_bits - 1}:0]"
    concat = f"""
  logic [3:0] nibble, boxed;

  assign turned = {{key_reg[{width - 1 - spin}:0], key_reg[{width - 1}:{width - spin}]}};
  assign nibble = turned[{width - 1}:{width - 4}];

  always_comb begin
    case (nibble)
{arms}
      default: boxed = '0;
    endcase
  end

  assign key_next = {{
    boxed, turned[{width - 5}:{at + rbits}], turned[{at + rbits - 1}:{at}] ^ index, turned[{at - 1}:0]
  }};
"""
    function = f"""
  function automatic logic [3:0] boxed(input logic [3:0] nibble);
    case (nibble)
{arms}
      default: boxed = 4'd0;
    endcase
  endfunction

  // rotate, substitute the top, mix in the number of the round
  assign turned = (key_reg << {spin}) | (key_reg >> {width - spin});

  always_comb begin
    key_next = turned;
    key_next[{width - 1} -: 4] = boxed(turned[{width - 1} -: 4]);
    key_next[{at} +: {rbits}] = turned[{at} +: {rbits}] ^ index;
  end
"""
    packed = "".join(f"{v:x}" for v in reversed(table))
    vector = f"""
  localparam logic [63:0] SBOX = 64'h{packed};
  logic [{width - 1}:0] number; // the index at its place

  assign number = {{{{{width - rbits}{{1'b0}}}}, index}} << {at};

  always_comb begin
    for (int k = 0; k < {width}; k++) turned[(k + {spin}) % {width}] = key_reg[k];
    key_next = turned ^ number;
    key_next[{width - 1}:{width - 4}] = SBOX[4*turned[{width - 1}:{width - 4}] +: 4];
  end
"""
    update = (
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      key_reg <= '0;
      index <= '0;
      valid <= 1'b0;
    end else if (load) begin
      key_reg <= key;
      index <= 1;
      valid <= 1'b1;
    end else if (next && valid) begin
      key_reg <= key_next;
      index <= index + 1'b1;
      if (index == ROUNDS) valid <= 1'b0; // that was the last one
    end
  end
""",
        """
  logic advance;

  assign advance = next && valid && !load;

  always_ff @(posedge clk) begin
    if (rst) key_reg <= '0;
    else if (load) key_reg <= key;
    else if (advance) key_reg <= key_next;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= 1'b0;
      index <= '0;
    end else begin
      if (load) begin
        valid <= 1'b1;
        index <= 1;
      end
      if (advance) begin
        valid <= (index != ROUNDS);
        index <= index + 1'b1;
      end
    end
  end
""",
    )[variant % 2]
    body = (concat, function, vector)[variant] + update
    mask = (1 << width) - 1

    def reset(s: State) -> None:
        s.key = s.index = s.valid = 0

    def step(s: State, i: Pins) -> Outputs:
        shown = s.key >> (width - out_bits) if from_top else s.key & ((1 << out_bits) - 1)
        out = {"round_key": shown if s.valid else None, "valid": s.valid, "last": int(s.valid and s.index == rounds)}
        if i.load:
            s.key, s.index, s.valid = i.key, 1, 1
        elif i.next and s.valid:
            key = _rotl(s.key, spin, width)
            key ^= s.index << at
            s.key = key & (mask >> 4) | table[key >> (width - 4)] << (width - 4)
            s.valid = int(s.index != rounds)
            s.index += 1
        return out

    return Draft(
        rtl=f"""
module key_schedule #(
  parameter int ROUNDS = {rounds}
) (
  input logic clk,
  input logic rst,
  input logic load,
  input logic [{width - 1}:0] key,
  input logic next,
  output logic [{out_bits - 1}:0] round_key,
  output logic valid,
  output logic last
);
  logic [{width - 1}:0] key_reg, turned, key_next;
  logic [{rbits - 1}:0] index; // of the round, from 1
{body}
  assign round_key = {take};
  assign last = valid && (index == ROUNDS);
endmodule
""",
        about=(
            f"""Key schedule of a small block cipher: {rounds} round keys of {out_bits} bits from a {width}-bit key.
            `load` takes `key` and starts with round 1. `round_key` is the {"top" if from_top else "bottom"} {out_bits}
            bits of the key register; it counts only in cycles with `valid`. `next` goes on by a round: the register is
            rotated left by {spin}, then its top nibble goes through the S-box {_listed(table)} (entries 0 to f), and
            the number of the round just finished (1 at first) is exclusive-ored into the bits from {at} upwards.
            `last` is high with round key {rounds}; `next` then ends `valid`. `load` goes before `next`.""",
            f"""Delivers the round keys of a cipher one by one: after `load`, `valid` is high and `round_key` shows
            {out_bits} bits of the register from its {"top" if from_top else "bottom"} end. Each `next` while valid
            replaces the {width}-bit register by itself rotated left by {spin} bits, its four highest bits substituted
            by the table {_listed(table)}, its bits {at + rbits - 1} to {at} exclusive-ored with the round's index,
            which starts with 1 and then grows by 1. `last` marks the {rounds}th key, after which `valid` falls.
            A `load` restarts at any time.""",
        ),
        model=Machine(reset, step),
        names=("round_keys", "key_expander", "subkey_generator", "key_sched"),
        stimulus={"load": 0.06, "next": 0.75},
        cycles=140,
    )


@family(variants=3)
def combined_keystream(r: Random, variant: int) -> Draft:
    """A stream cipher: three shift registers, combined, hide a stream of bits."""
    taps = r.sample([(5, 2), (6, 1), (7, 1), (9, 4), (10, 3), (11, 2)], 3)
    mode = r.choice(("majority", "choose", "product"))
    names = ("first", "second", "third")
    seeds = sum(n for n, _ in taps)
    formula = {
        "majority": "(first[0] & second[0]) | (second[0] & third[0]) | (first[0] & third[0])",
        "choose": "first[0] ? second[0] : third[0]",
        "product": "(first[0] & second[0]) ^ third[0]",
    }[mode]
    gated = mode != "majority" and r.random() < 0.4
    low = 0
    loads, plain, steps_if, nexts = [], [], [], []
    for (n, t), name in zip(taps, names, strict=True):
        word = f"key[{low + n - 1}:{low}]"
        loads.append((name, word))
        step_text = f"{{{name}[0] ^ {name}[{t}], {name}[{n - 1}:1]}}"
        plain.append(f"      {name} <= {step_text};")
        steps_if.append((name, step_text))
        low += n
    third_gate = "first[0]" if gated else ""
    declare = "\n".join(f"  logic [{n - 1}:0] {name};" for (n, _), name in zip(taps, names, strict=True))
    load_lines = "\n".join(f"      {name} <= {word};" for name, word in loads)
    run_lines = "\n".join(
        f"      {'if (' + third_gate + ') ' if gated and name == 'third' else ''}{name} <= {text};"
        for name, text in steps_if
    )
    zero_lines = "\n".join(f"      {name} <= '0;" for name in names)
    together = f"""
  assign stream = {formula};
  assign dout = din ^ stream;

  always_ff @(posedge clk) begin
    if (rst) begin
{zero_lines}
    end else if (load) begin
{load_lines}
    end else if (en) begin
{run_lines}
    end
  end
"""
    processes = []
    for (name, word), (_, text) in zip(loads, steps_if, strict=True):
        condition = "en && first[0]" if gated and name == "third" else "en"
        processes.append(f"""
  always_ff @(posedge clk) begin
    if (rst) {name} <= '0;
    else if (load) {name} <= {word};
    else if ({condition}) {name} <= {text};
  end
""")
    cases = {
        "majority": "3'b011, 3'b101, 3'b110, 3'b111",
        "choose": "3'b110, 3'b111, 3'b001, 3'b011",
        "product": "3'b001, 3'b011, 3'b101, 3'b110",
    }[mode]
    apart = f"""
  always_comb begin
    case ({{first[0], second[0], third[0]}})
      {cases}: stream = 1'b1;
      default: stream = 1'b0;
    endcase
  end
{"".join(processes)}
  assign dout = stream ? ~din : din;
"""
    for (n, t), name in zip(taps, names, strict=True):
        nexts.append(f"    {name}_next = {name} >> 1;\n    {name}_next[{n - 1}] = {name}[0] ^ {name}[{t}];")
    declared_next = "\n".join(f"  logic [{n - 1}:0] {name}_next;" for (n, _), name in zip(taps, names, strict=True))
    if gated:
        nexts[2] = f"    third_next = third;\n    if (first[0]) begin\n{nexts[2]}\n    end"
    everything = ", ".join(reversed(names))
    every_next = ", ".join(f"{name}_next" for name in reversed(names))
    two_step = f"""
{declared_next}

  // towards bit 0; what falls out comes back with the tap
  always_comb begin
{chr(10).join(nexts)}
  end

  assign stream = {formula};
  assign dout = stream ^ din;

  always_ff @(posedge clk) begin
    if (rst) {{{everything}}} <= 0;
    else if (load) {{{everything}}} <= key;
    else if (en) {{{everything}}} <= {{{every_next}}};
  end
"""
    body = (together, apart, two_step)[variant]

    def reset(s: State) -> None:
        s.regs = [0, 0, 0]

    def step(s: State, i: Pins) -> Outputs:
        a, b, c = (one & 1 for one in s.regs)
        bit = {"majority": int(a + b + c > 1), "choose": b if a else c, "product": a & b ^ c}[mode]
        out = {"dout": i.din ^ bit, "stream": bit}
        if i.load:
            place = 0
            for k, (n, _) in enumerate(taps):
                s.regs[k] = i.key >> place & ((1 << n) - 1)
                place += n
        elif i.en:
            for k, (n, t) in enumerate(taps):
                if not (gated and k == 2 and not a):
                    one = s.regs[k]
                    s.regs[k] = one >> 1 | ((one ^ one >> t) & 1) << (n - 1)
        return out

    told = {
        "majority": "the majority of their lowest bits",
        "choose": "the lowest bit of the second register where that of the first is 1, else that of the third",
        "product": "the lowest bits of the first and second register, anded, exclusive-or that of the third",
    }[mode]
    lengths = ", ".join(f"`{name}` of {n} bits with the tap {t}" for (n, t), name in zip(taps, names, strict=True))
    stops = " The third register only moves in cycles in which the lowest bit of the first is 1." if gated else ""
    return Draft(
        rtl=f"""
module combined_keystream (
  input logic clk,
  input logic rst,
  input logic load,
  input logic [{seeds - 1}:0] key,
  input logic en,
  input logic din,
  output logic stream,
  output logic dout
);
{declare}
{body}
endmodule
""",
        about=(
            f"""Stream cipher from three linear feedback shift registers: {lengths}. `load` fills them from `key`,
            the first one from its lowest bits, then the second and the third. In a cycle with `en` (and no `load`)
            each shifts down by one bit; into its top goes the exclusive or of bit 0 and the tap.{stops} `stream` is
            {told}, and `dout` is `din` exclusive-or `stream`, both without a delay.""",
            f"""Encrypts the bit `din` with a key stream in the same cycle: `dout` is `din` ^ `stream`. `stream` is
            {told}. The registers are {lengths}; on `en` they move one place towards bit 0, and the new top bit is
            bit 0 ^ the tap bit.{stops} `load` goes before `en` and puts `key` into all three, the lowest bits into the
            first, the highest into the third. They are 0 after reset.""",
        ),
        model=Machine(reset, step),
        names=("stream_cipher", "keystream", "lfsr_combiner", "bit_cipher"),
        stimulus={"load": 0.05, "en": 0.85},
        drive=lambda r, s: {"load": 1} if not any(s.regs) else {},
        cycles=140,
    )


@family(variants=3)
def running_hash(r: Random, variant: int) -> Draft:
    """A hash of a message that comes byte by byte."""
    width = r.choice((16, 24, 32))
    init = r.getrandbits(width) | 1 << (width - 1)
    multiplies = r.random() < 0.5
    shifts = sorted(r.sample(range(2, width - 2), 2))
    prime = 1 | 1 << shifts[0] | 1 << shifts[1]
    spin = r.choice((3, 5, 7, 9))
    xor_first = r.random() < 0.5
    fold = r.random() < 0.5
    mask = (1 << width) - 1
    wide_byte = "{{(WIDTH-8){1'b0}}, din}"
    absorbed = f"state ^ {wide_byte}" if xor_first or multiplies else f"state + {wide_byte}"
    turned = f"{{mixed[{width - 1 - spin}:0], mixed[{width - 1}:{width - spin}]}}"
    if multiplies:
        forms = ("mixed * PRIME", f"mixed + (mixed << {shifts[0]}) + (mixed << {shifts[1]})")
    else:
        other = "+" if xor_first else "^"
        forms = (f"{turned} {other} PRIME", f"((mixed << {spin}) | (mixed >> (WIDTH - {spin}))) {other} PRIME")
    half = width // 2
    digest = f"state[{width - 1}:{half}] ^ state[{half - 1}:0]" if fold else "state"
    base = "first ? INIT : state"
    absorb = absorbed.replace("state", "base")
    direct = f"""
  logic [WIDTH-1:0] base, mixed;

  assign base = {base}; // a new message forgets the old one
  assign mixed = {absorb};

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= INIT;
      done <= 1'b0;
    end else begin
      done <= valid && last;
      if (valid) state <= {forms[0]};
    end
  end
"""
    function = f"""
  // the state after one more byte
  function automatic logic [WIDTH-1:0] absorb(input logic [WIDTH-1:0] base, input logic [7:0] octet);
    logic [WIDTH-1:0] mixed;
    mixed = {absorb.replace("din", "octet")};
    absorb = {forms[1]};
  endfunction

  always_ff @(posedge clk) begin
    if (rst) state <= INIT;
    else if (valid && first) state <= absorb(INIT, din);
    else if (valid) state <= absorb(state, din);
  end

  always_ff @(posedge clk) begin
    if (rst) done <= 1'b0;
    else done <= valid & last;
  end
"""
    nexts = f"""
  logic [WIDTH-1:0] base, mixed, state_next;

  always_comb begin
    base = state;
    if (first) base = INIT;
    mixed = {absorb};
    state_next = state;
    if (valid) state_next = {forms[1] if multiplies else forms[0]};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
      state <= INIT;
    end else begin
      done <= 1'b0;
      state <= state_next;
      if (valid && last) done <= 1'b1;
    end
  end
"""
    body = (direct, function, nexts)[variant]

    def reset(s: State) -> None:
        s.state, s.done = init, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"digest": s.state >> half ^ s.state & ((1 << half) - 1) if fold else s.state, "done": s.done}
        s.done = i.valid & i.last
        if i.valid:
            base = init if i.first else s.state
            if multiplies:
                s.state = (base ^ i.din) * prime & mask
            elif xor_first:
                s.state = _rotl(base ^ i.din, spin, width) + prime & mask
            else:
                s.state = _rotl(base + i.din & mask, spin, width) ^ prime
        return out

    if multiplies:
        told = f"exclusive-ored with the byte, then multiplied by {width}'h{prime:x} modulo 2^{width}"
    elif xor_first:
        told = f"exclusive-ored with the byte, rotated left by {spin}, and {width}'h{prime:x} added"
    else:
        told = f"added to the byte, rotated left by {spin}, and exclusive-ored with {width}'h{prime:x}"
    shown = "the upper half of the state exclusive-or its lower half" if fold else "the state"
    return Draft(
        rtl=f"""
module running_hash #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic first, // of a message
  input logic last,
  input logic [7:0] din,
  output logic done,
  output logic [{half - 1 if fold else width - 1}:0] digest
);
  localparam logic [WIDTH-1:0] INIT = {width}'h{init:x};
  localparam logic [WIDTH-1:0] PRIME = {width}'h{prime:x};
  logic [WIDTH-1:0] state;
{body}
  assign digest = {digest};
endmodule
""",
        about=(
            f"""Hash of messages of bytes. With each `valid` the {width}-bit state (or, with `first`, the start value
            {width}'h{init:x}, which it also has after reset) is {told}. `digest` is {shown}. `done` is high for the
            cycle after a valid byte with `last`, when `digest` is that of the whole message.""",
            f"""Takes one byte `din` a cycle while `valid` and keeps a {width}-bit hash: the state is {told}. A byte
            with `first` starts from {width}'h{init:x} instead of from the state. `digest` shows {shown} at all times;
            `done` follows the byte with `last` by one cycle.""",
        ),
        model=Machine(reset, step),
        names=("byte_hash", "hash_unit", "string_hash", "message_digest"),
        stimulus={"valid": 0.8, "first": 0.15, "last": 0.15},
        cycles=120,
    )
