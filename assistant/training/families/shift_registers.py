"""Registers that shift: in both directions, by steps, in tables and in rings of feedback."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits, to_signed


@family(variants=3)
def universal_shift_register(r: Random, variant: int) -> Draft:
    """Holds, shifts to either side or loads, by a mode."""
    width = r.choice((4, 6, 8, 8, 12, 16))
    right = r.choice(
        (
            ("takes `ser_left` in at the top", "ser_left"),
            ("takes `ser_left` in at the top", "ser_left"),
            ("keeps its top bit, as for signed numbers", "value[WIDTH-1]"),
            ("turns around: the lowest bit comes in at the top", "value[0]"),
        )
    )
    modes = r.sample(("HOLD", "RIGHT", "LEFT", "LOAD"), 4) if r.random() < 0.5 else ["HOLD", "RIGHT", "LEFT", "LOAD"]
    does = {
        "HOLD": "value",
        "RIGHT": f"{{{right[1]}, value[WIDTH-1:1]}}",
        "LEFT": "{value[WIDTH-2:0], ser_right}",
        "LOAD": "din",
    }
    code = {name: k for k, name in enumerate(modes)}
    places = "\n".join(f"  localparam logic [1:0] {name} = 2'd{k};" for name, k in code.items())
    arms = "\n".join(f"        {name}: value <= {does[name]};" for name in modes if name != "HOLD")
    bits = {name: f"2'b{k:02b}" for name, k in code.items()}
    chain = " : ".join(f"(mode == {bits[name]}) ? {does[name]}" for name in modes if name != "HOLD") + " : value"
    cell = f"""
module shift_cell (
  input logic [1:0] mode,
  input logic kept,
  input logic from_left,
  input logic from_right,
  input logic from_din,
  output logic bit_next
);
  // a multiplexer of four before each flip-flop
  always_comb begin
    case (mode)
      {bits["RIGHT"]}: bit_next = from_left;
      {bits["LEFT"]}: bit_next = from_right;
      {bits["LOAD"]}: bit_next = from_din;
      default: bit_next = kept;
    endcase
  end
endmodule
"""
    body = (
        f"""
{places}

  always_ff @(posedge clk) begin
    if (rst) begin
      value <= '0;
    end else begin
      case (mode)
{arms}
        default: value <= value;
      endcase
    end
  end
""",
        f"""
  logic [WIDTH-1:0] value_next;

  assign value_next = {chain};

  always_ff @(posedge clk) begin
    if (rst) value <= '0;
    else value <= value_next;
  end
""",
        f"""
  logic [WIDTH+1:0] around; // each bit with both its neighbours
  logic [WIDTH-1:0] value_next;

  assign around = {{{right[1]}, value, ser_right}};

  for (genvar k = 0; k < WIDTH; k++) begin : gen_cell
    shift_cell u_cell (
      .mode(mode),
      .kept(value[k]),
      .from_left(around[k+2]),
      .from_right(around[k]),
      .from_din(din[k]),
      .bit_next(value_next[k])
    );
  end

  always_ff @(posedge clk) begin
    if (rst) value <= '0;
    else value <= value_next;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.value = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"value": s.value}
        match modes[i.mode]:
            case "RIGHT":
                top = s.value >> (width - 1) if "WIDTH" in right[1] else s.value & 1 if "0" in right[1] else i.ser_left
                s.value = s.value >> 1 | top << (width - 1)
            case "LEFT":
                s.value = to_bits(s.value << 1 | i.ser_right, width)
            case "LOAD":
                s.value = i.din
        return out

    said = {
        "HOLD": "keeps its value",
        "RIGHT": f"shifts right and {right[0]}",
        "LEFT": "shifts left and takes `ser_right` in at the bottom",
        "LOAD": "loads `din`",
    }
    listing = "; ".join(f"{k} {said[name]}" for k, name in enumerate(modes))
    serial = "  input logic ser_left,\n" if right[1] == "ser_left" else ""
    return Draft(
        rtl=f"""
module universal_shift_register #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic [1:0] mode,
{serial}
  input logic ser_right,
  input logic [WIDTH-1:0] din,
  output logic [WIDTH-1:0] value
);
  {body}
endmodule
{cell if variant == 2 else ""}
""",
        about=(
            f"""Universal shift register of {width} bits, cleared by reset. At each clock it does what `mode` says:
            {listing}. `value` shows all its bits.""",
            f"""{width}-bit register with four modes, chosen by `mode` in each cycle: {listing}. `value`
            starts at 0.""",
        ),
        model=Machine(reset, step),
        names=("shift_reg", "univ_shift_reg", "bidir_shift_reg", "usr"),
        cycles=120,
    )


@family(variants=3)
def step_shift_register(r: Random, variant: int) -> Draft:
    """A wide register with a load that shifts or rotates by one of two distances, keeping the sign where asked."""
    width = r.choice((16, 24, 32, 40, 64))
    far = r.choice((4, 8, width // 4, width // 2))
    left_rotates = r.random() < 0.4
    kinds = [
        ("LEFT_ONE", 1, "left"),
        ("RIGHT_ONE", 1, "right"),
        ("LEFT_FAR", far, "left"),
        ("RIGHT_FAR", far, "right"),
    ]
    if r.random() < 0.5:
        r.shuffle(kinds)
    right_way = r.choice(("signed", "signed", "zero", "choice"))
    top = width - 1

    def shifted(amount: int, way: str, *, operator: bool) -> str:
        if way == "left":
            if left_rotates:
                upper = f"data[{top}:{width - amount}]" if amount > 1 else f"data[{top}]"
                return f"{{data[{top - amount}:0], {upper}}}"
            return f"data << {amount}" if operator else f"{{data[{top - amount}:0], {amount}'d0}}"
        if right_way == "zero":
            return f"data >> {amount}" if operator else f"{{{amount}'d0, data[{top}:{amount}]}}"
        sign = "ser_in" if right_way == "choice" else f"data[{top}]"
        if operator and right_way == "signed":
            return f"$signed(data) >>> {amount}"
        fill = f"{{{amount}{{{sign}}}}}" if amount > 1 else sign
        return f"{{{fill}, data[{top}:{amount}]}}"

    arms = "\n".join(
        f"        2'd{k}: data <= {shifted(n, way, operator=False)};" for k, (_, n, way) in enumerate(kinds)
    )
    places = "\n".join(f"  localparam logic [1:0] {name} = 2'd{k};" for k, (name, _, _) in enumerate(kinds))
    named = "\n".join(f"        {name}: data_next = {shifted(n, way, operator=True)};" for name, n, way in kinds)
    tests = {
        "left": " || ".join(f"amount == 2'd{k}" for k, one in enumerate(kinds) if one[2] == "left"),
        "far": " || ".join(f"amount == 2'd{k}" for k, one in enumerate(kinds) if one[1] == far),
    }
    into_left = {1: f"data[{top}]" if left_rotates else "1'b0"}
    sign = {"zero": "1'b0", "signed": f"data[{top}]", "choice": "ser_in"}[right_way]
    outer = f"data[{top}:{width - far}]" if left_rotates else f"{far}'d0"
    body = (
        f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      data <= '0;
    end else if (load) begin
      data <= din; // before any shift
    end else if (en) begin
      case (amount)
{arms}
        default: data <= data;
      endcase
    end
  end
""",
        f"""
{places}
  logic [{top}:0] data_next;

  always_comb begin
    data_next = data;
    if (load) begin
      data_next = din;
    end else if (en) begin
      case (amount)
{named}
        default: ;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (rst) data <= '0;
    else data <= data_next;
  end
""",
        f"""
  logic left, far;
  logic [{top}:0] one_step, far_step;

  assign left = {tests["left"]};
  assign far = {tests["far"]};
  // both distances, in the direction wanted
  assign one_step = left ? {{data[{top - 1}:0], {into_left[1]}}} : {{{sign}, data[{top}:1]}};
  assign far_step = left ? {{data[{top - far}:0], {outer}}} : {{{{{far}{{{sign}}}}}, data[{top}:{far}]}};

  always_ff @(posedge clk) begin
    if (rst)
      data <= '0;
    else if (load)
      data <= din;
    else if (en)
      data <= far ? far_step : one_step;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.data = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"data": s.data}
        if i.load:
            s.data = i.din
        elif i.en:
            _, amount, way = kinds[i.amount]
            if way == "left":
                s.data = to_bits(s.data << amount | (s.data >> (width - amount) if left_rotates else 0), width)
            else:
                ones = {"signed": s.data >> top, "zero": 0}.get(right_way, getattr(i, "ser_in", 0))
                s.data = s.data >> amount | (((1 << amount) - 1) << (width - amount) if ones else 0)
        return out

    comes = {"signed": "copies of the sign bit come in", "zero": "zeros come in", "choice": "`ser_in` comes in"}
    moves = {
        "left": ("rotates left", "") if left_rotates else ("shifts left", " (zeros come in)"),
        "right": ("shifts right", f" ({comes[right_way]})"),
    }
    listing = "; ".join(f"{k} {moves[way][0]} by {n}{moves[way][1]}" for k, (_, n, way) in enumerate(kinds))
    return Draft(
        rtl=f"""
module step_shift_register (
  input logic clk,
  input logic rst,
  input logic load,
  input logic en,
  input logic [1:0] amount,
  {"input logic ser_in," if right_way == "choice" else ""}
  input logic [{top}:0] din,
  output logic [{top}:0] data
);
  {body}
endmodule
""",
        about=f"""{width}-bit shift register with load, which starts at 0. `load` puts `din` in and goes before
            everything else. Without it, in a cycle with `en`, `amount` says what happens to `data`: {listing}.""",
        model=Machine(reset, step),
        names=("shift_register", "shifter", "arith_shift_reg", f"shift{width}"),
        stimulus={"load": 0.12, "en": 0.85, "din": lambda r: r.getrandbits(width) | r.choice((0, 1 << top))},
        cycles=140,
    )


@family(variants=3)
def loadable_lookup_table(r: Random, variant: int) -> Draft:
    """A function of a few inputs, whose table is shifted in."""
    bits = r.choice((2, 3, 3, 4))
    size = 1 << bits
    first_high = r.random() < 0.5
    registered = r.random() < 0.4
    chained = r.random() < 0.6
    inputs = ["a", "b", "c", "d"][:bits]
    word = f"{{{', '.join(reversed(inputs))}}}"
    shift = f"{{table_bits[{size - 2}:0], cfg_in}}" if first_high else f"{{cfg_in, table_bits[{size - 1}:1]}}"
    minterms = " |\n    ".join(
        f"(table_bits[{k}] & "
        + " & ".join(f"{'' if k >> b & 1 else '~'}{inputs[b]}" for b in reversed(range(bits)))
        + ")"
        for k in range(size)
    )
    levels = []
    source = "table_bits"
    for b in range(bits):
        half = size >> b + 1
        target = f"level_{b}"
        picks = ", ".join(f"{inputs[b]} ? {source}[{2 * k + 1}] : {source}[{2 * k}]" for k in reversed(range(half)))
        dims = f"[{half - 1}:0] " if half > 1 else ""
        levels.append(
            f"  logic {dims}{target};\n  assign {target} = {{{picks}}};"
            if half > 1
            else f"  logic {target};\n  assign {target} = {picks};"
        )
        source = target
    tree = "\n".join(levels)
    out = "looked_up" if registered else "z"
    direction = "[k-1]" if first_high else "[k+1]"
    edge = 0 if first_high else size - 1
    loop = f"""
      for (int k = {1 if first_high else 0}; k < {size if first_high else size - 1}; k++) begin
        table_bits[k] <= table_bits{direction};
      end
      table_bits[{edge}] <= cfg_in;"""
    body = (
        f"""
  always_ff @(posedge clk) begin
    if (rst) table_bits <= '0;
    else if (cfg_en) table_bits <= {shift};
  end

  // the inputs are the number of a bit
  assign {out} = table_bits[{word}];
""",
        f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      table_bits <= '0;
    end else if (cfg_en) begin
      {loop}
    end
  end

{tree}

  assign {out} = {source};
""",
        f"""
  logic [{size - 1}:0] table_next;

  assign table_next = cfg_en ? {shift} : table_bits;
  assign {out} = {minterms};

  always_ff @(posedge clk) begin
    if (rst) table_bits <= '0;
    else table_bits <= table_next;
  end
""",
    )[variant]
    if registered:
        body = f"""
  logic looked_up;
{body}
  always_ff @(posedge clk) begin
    if (rst) z <= 1'b0;
    else z <= looked_up;
  end
"""
    last = size - 1 if first_high else 0

    def reset(s: State) -> None:
        s.table = s.z = 0

    def step(s: State, i: Pins) -> Outputs:
        number = sum(getattr(i, name) << b for b, name in enumerate(inputs))
        now = s.table >> number & 1
        out = {"z": s.z if registered else now}
        if chained:
            out["cfg_out"] = s.table >> last & 1
        s.z = now
        if i.cfg_en:
            s.table = to_bits(s.table << 1 | i.cfg_in, size) if first_high else s.table >> 1 | i.cfg_in << (size - 1)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.busy = not getattr(s, "busy", False)
            left = size if s.busy else r.randrange(4, 3 * size)
        s.left = left - 1
        return {"cfg_en": int(s.busy)}

    said = ", ".join(f"`{name}` (weight {1 << b})" for b, name in enumerate(inputs))
    return Draft(
        rtl=f"""
module loadable_lookup_table (
  input logic clk,
  input logic rst,
  input logic cfg_en,
  input logic cfg_in,
  {chr(10).join(f"input logic {name}," for name in inputs)}
  output logic z{"," if chained else ""}
  {"output logic cfg_out // to the next table" if chained else ""}
);
  logic [{size - 1}:0] table_bits;
  {body}
  {f"assign cfg_out = table_bits[{last}];" if chained else ""}
endmodule
""",
        about=f"""Look-up table of {bits} inputs: `z` is the table's bit whose number the inputs {said} give, {
            "one cycle later (it starts at 0)" if registered else "in the same cycle"
        }. While `cfg_en` is high the table of {size} bits shifts by one in each cycle, {
            "upwards, with `cfg_in` coming in as bit 0"
            if first_high
            else f"downwards, with `cfg_in` coming in as bit {size - 1}"
        }. {
            f"`cfg_out` is the bit that leaves it next, bit {last}." if chained else ""
        } The table starts as all zeros.""",
        model=Machine(reset, step),
        names=(f"lut{bits}", "lut_cell", "shift_lut", "config_lut", "logic_cell"),
        drive=drive,
        cycles=180,
    )


@family(variants=3)
def serial_negator(r: Random, variant: int) -> Draft:
    """Negates numbers that come bit by bit, the lowest first."""
    choice = r.random() < 0.5
    gated = r.random() < 0.5
    late = r.random() < 0.4
    machine = f"""
  typedef enum logic {{COPY, INVERT}} state_t;
  state_t state, state_next;

  // copies up to the first one, and inverts what comes after it
  always_comb begin
    state_next = state;
    flipped = din;
    case (state)
      COPY: if (din) state_next = INVERT;
      INVERT: begin
        flipped = ~din;
      end
      default: state_next = COPY;
    endcase
    if (first) begin
      flipped = din; // the lowest bit never changes
      state_next = din ? INVERT : COPY;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) state <= COPY;
    else {"if (valid) " if gated else ""}state <= state_next;
  end
"""
    flag = f"""
  logic seen; // a one has gone by in this number

  assign flipped = din ^ (seen & ~first);

  always_ff @(posedge clk) begin
    if (rst) begin
      seen <= 1'b0;
    end else {"if (valid) " if gated else ""}begin
      if (first) seen <= din;
      else if (din) seen <= 1'b1;
    end
  end
"""
    carrying = f"""
  logic carry, carry_in;

  // inverts every bit and adds one, which the carry brings along
  assign carry_in = first | carry;
  assign flipped = ~din ^ carry_in;

  always_ff @(posedge clk) begin
    if (rst) carry <= 1'b1;
    else {"if (valid) " if gated else ""}carry <= ~din & carry_in;
  end
"""
    body = (machine, flag, carrying)[variant]
    chosen = "negate ? flipped : din" if choice else "flipped"
    tail = (
        f"""
  always_ff @(posedge clk) begin
    if (rst) dout <= 1'b0;
    else {"if (valid) " if gated else ""}dout <= {chosen};
  end
"""
        if late
        else f"  assign dout = {chosen};"
    )

    def reset(s: State) -> None:
        s.seen = s.dout = 0

    def step(s: State, i: Pins) -> Outputs:
        seen = 0 if i.first else s.seen
        bit = i.din ^ (seen if not choice or i.negate else 0)
        out = {"dout": s.dout if late else None if gated and not i.valid else bit}
        if not gated or i.valid:
            s.dout = bit
            s.seen = seen | i.din
        return out

    when = (
        " Bits count only in cycles with `valid`; between them nothing is remembered."
        if gated
        else " One bit comes a cycle."
    )
    return Draft(
        rtl=f"""
module serial_negator (
  input logic clk,
  input logic rst,
  {"input logic valid," if gated else ""}
  input logic first, // with the lowest bit of a number
  {"input logic negate," if choice else ""}
  input logic din,
  output logic dout
);
  logic flipped;
  {body}
  {tail}
endmodule
""",
        about=f"""Serial two's complementer. Numbers come on `din` with the lowest bit first, marked by `first`.{
            when
        } `dout`
            is the negated number, bit by bit, {
            "one bit later, through a flip-flop that starts at 0" if late else "in the same cycle"
        }: bits are passed on up to and including the first 1 of a number, and inverted after it.{
            " Only bits that come while `negate` is high are treated so; the others are passed on as they are, but"
            " count for whether a 1 has come."
            if choice
            else ""
        } After reset it is at the beginning of a number.""",
        model=Machine(reset, step),
        names=("twos_complementer", "serial_negate", "bit_serial_neg", "serial_complement"),
        stimulus={"first": 0.12, "valid": 0.7, "negate": 0.8},
        cycles=150,
    )


_POLYNOMIALS = {
    3: (0b011, 0b101),
    4: (0b0011, 0b1001),
    5: (0b00101, 0b01001),
    6: (0b000011, 0b100001),
    7: (0b0000011, 0b0001001),
    8: (0b00011101, 0b00101011, 0b01100011),
    9: (0b000010001,),
    10: (0b0000001001,),
    15: (0b000000000000011,),
    16: (0b0001000000001011,),
}
"""Primitive polynomials by their degree, without the highest term."""


@family(variants=3)
def galois_lfsr(r: Random, variant: int) -> Draft:
    """A pseudo-random sequence, the feedback going into several bits."""
    width = r.choice(tuple(_POLYNOMIALS))
    poly = r.choice(_POLYNOMIALS[width])
    left = r.random() < 0.5
    seed = r.choice((1, (1 << width) - 1, r.randrange(1, 1 << width)))
    loads = r.random() < 0.5
    # Shifted to the right, bit k is the coefficient of the mirrored power.
    mask = poly if left else sum(1 << (width - 1 - k) for k in range(width) if poly >> k & 1)
    out = width - 1 if left else 0
    moved = "{value[WIDTH-2:0], 1'b0}" if left else "{1'b0, value[WIDTH-1:1]}"
    bits = []
    for k in reversed(range(width)):
        source = k - 1 if left else k + 1
        inner = f"value[{source}]" if 0 <= source < width else ""
        tap = mask >> k & 1
        bits.append(f"{inner} ^ value[{out}]" if inner and tap else inner or f"value[{out}]")
    unrolled = ", ".join(bits)
    loop = f"""
    for (int k = 0; k < WIDTH; k++) begin
      stepped[k] = ({"k == 0" if left else "k == WIDTH - 1"}) ? 1'b0 : value[{"k - 1" if left else "k + 1"}];
      if (TAPS[k] && value[{out}]) stepped[k] = ~stepped[k];
    end"""
    body = (
        f"""
  assign stepped = value[{out}] ? ({moved} ^ TAPS) : {moved};
""",
        f"""
  // each tap takes the bit that leaves
  assign stepped = {{{unrolled}}};
""",
        f"""
  always_comb begin
    {loop}
  end
""",
    )[variant]
    taps = f"  localparam logic [WIDTH-1:0] TAPS = {width}'b{mask:0{width}b};" if variant != 1 else ""
    load_text = "else if (load) value <= (din == 0) ? SEED : din; // zero would stay zero" if loads else ""

    def reset(s: State) -> None:
        s.value = seed

    def step(s: State, i: Pins) -> Outputs:
        out_bit = s.value >> out & 1
        result = {"value": s.value, "bit_out": out_bit}
        if loads and i.load:
            s.value = i.din or seed
        elif i.en:
            moved = to_bits(s.value << 1, width) if left else s.value >> 1
            s.value = moved ^ (mask if out_bit else 0)
        return result

    ones = ", ".join(str(k) for k in reversed(range(width)) if mask >> k & 1)
    return Draft(
        rtl=f"""
module galois_lfsr #(
  parameter int WIDTH = {width},
  parameter logic [WIDTH-1:0] SEED = {width}'d{seed}
) (
  input logic clk,
  input logic rst,
  input logic en,
  {"input logic load," if loads else ""}
  {"input logic [WIDTH-1:0] din," if loads else ""}
  output logic [WIDTH-1:0] value,
  output logic bit_out
);
{taps}
  logic [WIDTH-1:0] stepped;
  {body}
  assign bit_out = value[{out}];

  always_ff @(posedge clk) begin
    if (rst) value <= SEED;
    {load_text}
    else if (en) value <= stepped;
  end
endmodule
""",
        about=f"""{width}-bit Galois LFSR, which starts with {seed}. In a cycle with `en` it shifts {
            "left" if left else "right"
        } by one, with a zero coming in, and where the bit that leaves (bit {out}, shown as `bit_out`) was 1, bits {
            ones
        }
            of the new value are inverted. {
            f"`load` goes before that and puts `din` in, or {seed} where that is zero." if loads else ""
        }""",
        model=Machine(reset, step),
        names=("lfsr", "galois_prng", "prbs", "lfsr_galois", "noise_gen"),
        stimulus={"en": 0.85, "load": 0.08, "din": lambda r: r.choice((0, r.getrandbits(width)))},
        cycles=120,
    )


@family(variants=2)
def window_register(r: Random, variant: int) -> Draft:
    """The last words of a stream side by side, and how the newest compares with them."""
    depth, width = r.choice((3, 4, 5)), r.choice((4, 6, 8))
    signed = r.random() < 0.4
    shifts = "\n".join(f"      word_{k} <= word_{k - 1};" for k in range(1, depth))
    zeros = "\n".join(f"      word_{k} <= '0;" for k in range(depth))
    sign = "$signed" if signed else ""
    rising = " && ".join(f"({sign}(word_{k - 1}) > {sign}(word_{k}))" for k in range(1, depth))
    same = " && ".join(f"(word_{k} == word_0)" for k in range(1, depth))
    fields = f"""
  logic [{width - 1}:0] {", ".join(f"word_{k}" for k in range(depth))}; // the newest is word 0

  always_ff @(posedge clk) begin
    if (rst) begin
{zeros}
    end else if (valid) begin
      word_0 <= din;
{shifts}
    end
  end

  assign words = {{{", ".join(f"word_{k}" for k in reversed(range(depth)))}}};
  assign steady = {same};
  assign rising = {rising};
"""
    loops = f"""
  logic [{depth - 2}:0] equal, above; // of neighbours

  // the newest word stands lowest
  always_ff @(posedge clk) begin
    if (rst) words <= '0;
    else if (valid) words <= {{words[{(depth - 1) * width - 1}:0], din}};
  end

  for (genvar k = 0; k < {depth - 1}; k++) begin : gen_pair
    assign equal[k] = (words[k*{width} +: {width}] == words[(k+1)*{width} +: {width}]);
    assign above[k] = ({sign}(words[k*{width} +: {width}]) > {sign}(words[(k+1)*{width} +: {width}]));
  end

  assign steady = &equal;
  assign rising = &above;
"""
    body = (fields, loops)[variant]

    def reset(s: State) -> None:
        s.words = [0] * depth

    def step(s: State, i: Pins) -> Outputs:
        seen = [to_signed(word, width) if signed else word for word in s.words]
        out = {
            "words": sum(word << (k * width) for k, word in enumerate(s.words)),
            "steady": int(len(set(seen)) == 1),
            "rising": int(all(seen[k] > seen[k + 1] for k in range(depth - 1))),
        }
        if i.valid:
            s.words = [i.din, *s.words[:-1]]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        kind = r.random()
        if kind < 0.45:
            return {"din": to_bits(s.words[0] + r.randrange(1, 4), width)}
        return {"din": s.words[0]} if kind < 0.8 else {}

    return Draft(
        rtl=f"""
module window_register (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [{width - 1}:0] din,
  output logic [{depth * width - 1}:0] words,
  output logic steady,
  output logic rising
);
  {body}
endmodule
""",
        about=f"""Keeps the last {depth} words of {width} bits that came on `din` with `valid`: `words` shows them side
            by side, the newest in the lowest bits; all are 0 after reset. `steady` is high while all are equal,
            `rising` while each is greater than the one before{", as signed numbers" if signed else ""}.""",
        model=Machine(reset, step),
        names=("sample_window", "history_register", "tapped_delay", "word_shift_reg"),
        stimulus={"valid": 0.8},
        drive=drive,
        cycles=160,
    )
