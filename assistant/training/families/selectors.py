"""Multiplexers, decoders, comparators, sorters."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_signed


@family(variants=3)
def one_hot_decoder(r: Random, variant: int) -> Draft:
    """One line of many, by its number."""
    bits = r.choice((2, 3, 4))
    count = r.choice(((1 << bits), (1 << bits) - 1)) if bits > 2 else 1 << bits
    low = r.random() < 0.35
    idle = f"{{{count}{{1'b1}}}}" if low else "'0"
    arms = "\n".join(
        f"        {bits}'d{k}: select = {count}'b{(1 << k) ^ ((1 << count) - 1 if low else 0):0{count}b};"
        for k in range(count)
    )
    body = (
        f"""
  always_comb begin
    select = {idle};
    if (en) begin
      case (addr)
{arms}
        default: select = {idle}; // no such line
      endcase
    end
  end
""",
        f"""
  // the line's number says how far a one is moved
  assign select = en ? {"~" if low else ""}({count}'d1 << addr) : {idle};
""",
        f"""
  for (genvar k = 0; k < {count}; k++) begin : gen_line
    assign select[k] = {"~(" if low else ""}en && (addr == k){")" if low else ""};
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        hot = 1 << i.addr if i.en and i.addr < count else 0
        return {"select": hot ^ ((1 << count) - 1 if low else 0)}

    return Draft(
        rtl=f"""
module one_hot_decoder (
  input logic en,
  input logic [{bits - 1}:0] addr,
  output logic [{count - 1}:0] select{" // low where selected" if low else ""}
);
  {body}
endmodule
""",
        about=f"""Decoder from {bits} bits to {count} lines, {"low where selected" if low else "high where selected"}:
        with `en`, line number `addr` of
            `select` is active; without it, or where there is no such line, none is.""",
        model=model,
        names=(f"decoder_{bits}to{count}", "line_decoder", "chip_select_decoder"),
        stimulus={"en": 0.8, "addr": range(1 << bits)},
        cycles=80,
    )


@family(variants=3)
def one_hot_multiplexer(r: Random, variant: int) -> Draft:
    """Chooses a word by one active line."""
    count, width = r.choice((3, 4, 5)), r.choice((4, 8, 12))
    terms = "\n    | ".join(f"({{WIDTH{{select[{k}]}}}} & word_{k})" for k in range(count))
    arms = "\n".join(f"      {count}'b{1 << k:0{count}b}: dout = word_{k};" for k in range(count))
    tests = "\n".join(f"    if (select[{k}]) dout = dout | word_{k};" for k in range(count))
    body = (
        f"""
  // a gate for each word, and one or
  assign dout = {terms};
""",
        f"""
  always_comb begin
    case (select)
{arms}
      default: dout = '0; // none, or more than one
    endcase
  end
""",
        f"""
  always_comb begin
    dout = '0;
{tests}
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        words = [getattr(i, f"word_{k}") for k in range(count)]
        chosen = [word for k, word in enumerate(words) if i.select >> k & 1]
        single = len(chosen) == 1
        # What more than one line gives depends on how it is built.
        return {"dout": chosen[0] if single else None if chosen else 0, "valid": int(single)}

    def lines(r: Random) -> int:
        return r.choice((1 << r.randrange(count), 1 << r.randrange(count), r.getrandbits(count)))

    return Draft(
        rtl=f"""
module one_hot_multiplexer #(
  parameter int WIDTH = {width}
) (
  input logic [{count - 1}:0] select,
{chr(10).join(f"  input logic [WIDTH-1:0] word_{k}," for k in range(count))}
  output logic [WIDTH-1:0] dout,
  output logic valid // exactly one line is active
);
  {body}
  assign valid = (select != 0) && ((select & (select - 1'b1)) == 0);
endmodule
""",
        about=f"""Multiplexer of {count} words of {width} bits by one-hot lines: bit k of `select` passes word k to
        `dout`, and `valid` is high
            where exactly one line is active. Without an active line `dout` is zero; with several it does not
            matter.""",
        model=model,
        names=("onehot_mux", "and_or_mux", f"mux{count}_onehot"),
        stimulus={"select": lines},
    )


@family(variants=3)
def word_multiplexer(r: Random, variant: int) -> Draft:
    """Chooses a word by number, with a register behind it."""
    count, width = r.choice((3, 4, 6, 8)), r.choice((8, 16))
    bits = (count - 1).bit_length()
    full = count == 1 << bits
    arms = "\n".join(f"      {bits}'d{k}: chosen = words[{(k + 1) * width - 1}:{k * width}];" for k in range(count))
    tree = " : ".join(f"(sel == {k}) ? words[{k}*WIDTH +: WIDTH]" for k in range(count - 1))
    last = f"words[{count - 1}*WIDTH +: WIDTH]"
    body = (
        f"""
  always_comb begin
    case (sel)
{arms}
      default: chosen = '0;
    endcase
  end
""",
        f"""
  assign chosen = {f"(sel < {count}) ? words[sel*WIDTH +: WIDTH] : 0" if not full else "words[sel*WIDTH +: WIDTH]"};
""",
        f"""
  assign chosen = {tree} : {last if full else f"(sel == {count - 1}) ? {last} : 0"};
""",
    )[variant]

    def reset(s: State) -> None:
        s.dout = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.dout}
        if not i.hold:
            s.dout = i.words >> (i.sel * width) & ((1 << width) - 1) if i.sel < count else 0
        return out

    return Draft(
        rtl=f"""
module word_multiplexer #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic hold,
  input logic [{bits - 1}:0] sel,
  input logic [{count}*WIDTH-1:0] words, // word 0 lowest
  output logic [WIDTH-1:0] dout
);
  logic [WIDTH-1:0] chosen;
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      dout <= '0;
    end else if (!hold) begin
      dout <= chosen;
    end
  end
endmodule
""",
        about=f"""Multiplexer of {count} words of {width} bits with a register: in a cycle without `hold`, word number
        `sel` of `words` goes to
            `dout`{"" if full else ", or zero where there is no such word"}. Word 0 stands in the lowest bits.""",
        model=Machine(reset, step),
        names=(f"mux{count}_reg", "reg_mux", "selector"),
        stimulus={"hold": 0.2, "sel": range(1 << bits)},
    )


@family(variants=3)
def magnitude_comparator(r: Random, variant: int) -> Draft:
    """Less, equal, greater; signed or not by an input."""
    width = r.choice((4, 8, 12, 16))
    body = (
        """
  logic [WIDTH-1:0] a_key, b_key;

  // turning the sign bit over makes signed numbers sort like unsigned ones
  assign a_key = {a[WIDTH-1] ^ is_signed, a[WIDTH-2:0]};
  assign b_key = {b[WIDTH-1] ^ is_signed, b[WIDTH-2:0]};
  assign less = (a_key < b_key);
  assign equal = (a == b);
  assign greater = (a_key > b_key);
""",
        """
  always_comb begin
    if (is_signed)
      less = ($signed(a) < $signed(b));
    else
      less = (a < b);
  end

  assign equal = (a == b);
  assign greater = !less && !equal;
""",
        """
  logic [WIDTH:0] difference;
  logic overflow;

  // from a subtraction, as a processor does it
  assign difference = {1'b0, a} - {1'b0, b};
  assign overflow = (a[WIDTH-1] != b[WIDTH-1]) && (difference[WIDTH-1] != a[WIDTH-1]);
  assign equal = (difference == 0);
  assign less = is_signed ? (difference[WIDTH-1] ^ overflow) : difference[WIDTH];
  assign greater = ~(less | equal);
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        a, b = (to_signed(i.a, width), to_signed(i.b, width)) if i.is_signed else (i.a, i.b)
        return {"less": int(a < b), "equal": int(a == b), "greater": int(a > b)}

    def near(r: Random, s: State) -> dict[str, int]:
        # Equal or nearly equal numbers are rare by chance.
        a = r.getrandbits(width)
        return {"a": a, "b": (a + r.choice((-1, 0, 0, 1))) % (1 << width)} if r.random() < 0.4 else {}

    return Draft(
        rtl=f"""
module magnitude_comparator #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  input logic is_signed,
  output logic less,
  output logic equal,
  output logic greater
);
  {body}
endmodule
""",
        about=f"""Compares `a` with `b`, {width} bits, as two's complement numbers where `is_signed` is high and as
        unsigned ones otherwise. One
            of `less`, `equal` and `greater` is high.""",
        model=model,
        names=("comparator", "cmp", "compare_unit"),
        drive=near,
    )


@family(variants=3)
def sorting_network(r: Random, variant: int) -> Draft:
    """Four words in order, by five comparisons."""
    width = r.choice((4, 8, 10))
    down = r.random() < 0.4
    compare = "<" if down else ">"
    pairs = [(0, 1), (2, 3), (0, 2), (1, 3), (1, 2)]
    statements = "\n".join(
        f"""    if (work[{a}] {compare} work[{b}]) begin
      swap = work[{a}];
      work[{a}] = work[{b}];
      work[{b}] = swap;
    end"""
        for a, b in pairs
    )
    names = ["a", "b", "c", "d"]
    wires, lines = list(names), []
    for number, (a, b) in enumerate(pairs):
        lines.append(f"  assign low_{number} = ({wires[a]} {compare} {wires[b]}) ? {wires[b]} : {wires[a]};")
        lines.append(f"  assign high_{number} = ({wires[a]} {compare} {wires[b]}) ? {wires[a]} : {wires[b]};")
        wires[a], wires[b] = f"low_{number}", f"high_{number}"
    declared = ", ".join(f"low_{k}, high_{k}" for k in range(len(pairs)))
    cells, at = [], list(names)
    for number, (a, b) in enumerate(pairs):
        cells.append(
            f"  compare_swap #(.WIDTH(WIDTH)) u_{number} "
            f"(.a({at[a]}), .b({at[b]}), .low(low_{number}), .high(high_{number}));"
        )
        at[a], at[b] = f"low_{number}", f"high_{number}"
    ends = "\n".join(f"  assign sorted_{k} = {wires[k]};" for k in range(4))
    cell = f"""
module compare_swap #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  output logic [WIDTH-1:0] low,
  output logic [WIDTH-1:0] high
);
  logic swapped;

  assign swapped = (a {compare} b);
  assign low = swapped ? b : a;
  assign high = swapped ? a : b;
endmodule
"""
    body = (
        f"""
  logic [WIDTH-1:0] work [0:3];
  logic [WIDTH-1:0] swap;

  always_comb begin
    work[0] = a;
    work[1] = b;
    work[2] = c;
    work[3] = d;
    swap = '0;
{statements}
    sorted_0 = work[0];
    sorted_1 = work[1];
    sorted_2 = work[2];
    sorted_3 = work[3];
  end
""",
        f"""
  logic [WIDTH-1:0] {declared};

  // neighbours, then the ends, then the middle
{chr(10).join(lines)}
{ends}
""",
        f"""
  logic [WIDTH-1:0] {declared};

{chr(10).join(cells)}
{ends}
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        ordered = sorted((i.a, i.b, i.c, i.d), reverse=down)
        return {f"sorted_{k}": value for k, value in enumerate(ordered)}

    return Draft(
        rtl=f"""
module sorting_network #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  input logic [WIDTH-1:0] c,
  input logic [WIDTH-1:0] d,
  output logic [WIDTH-1:0] sorted_0,
  output logic [WIDTH-1:0] sorted_1,
  output logic [WIDTH-1:0] sorted_2,
  output logic [WIDTH-1:0] sorted_3
);
  {body}
endmodule
{cell if variant == 2 else ""}""",
        about=f"""Sorting network for four unsigned {width}-bit words: `sorted_0` to `sorted_3` are `a`, `b`, `c` and
        `d` from the
            {"largest to the smallest" if down else "smallest to the largest"}, by five compare-and-swap steps.""",
        model=model,
        names=("sort4", "sorter", "bitonic4"),
    )


@family(variants=3)
def extreme_tracker(r: Random, variant: int) -> Draft:
    """The smallest and the largest sample, and when the largest was seen."""
    width, index = r.choice((8, 12)), r.choice((4, 5))
    signed = r.random() < 0.4
    word = "logic signed" if signed else "logic"
    body = (
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      seen <= 1'b0;
      lowest <= '0;
      highest <= '0;
      place <= '0;
      number <= '0;
    end else if (restart) begin
      seen <= 1'b0;
      number <= '0;
    end else if (valid) begin
      seen <= 1'b1;
      number <= number + 1'b1;
      if (!seen || sample < lowest) lowest <= sample;
      if (!seen || sample > highest) begin
        highest <= sample;
        place <= number; // of the first of several
      end
    end
  end
""",
        """
  logic below, above;

  // the first sample is both
  assign below = valid && (!seen || (sample < lowest));
  assign above = valid && (!seen || (sample > highest));

  always_ff @(posedge clk) begin
    if (rst) begin
      seen <= 1'b0;
      number <= '0;
    end else if (restart) begin
      seen <= 1'b0;
      number <= '0;
    end else if (valid) begin
      seen <= 1'b1;
      number <= number + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      lowest <= '0;
      highest <= '0;
      place <= '0;
    end else if (!restart) begin
      if (below) lowest <= sample;
      if (above) highest <= sample;
      if (above) place <= number;
    end
  end
""",
        """
  logic seen_next;

  assign seen_next = !restart && (seen || valid);

  always_ff @(posedge clk) begin
    if (rst) begin
      {seen, number, place} <= '0;
      lowest <= '0;
      highest <= '0;
    end else begin
      seen <= seen_next;
      if (restart) begin
        number <= '0;
      end else if (valid) begin
        number <= number + 1'b1;
        if (seen) begin
          lowest <= (sample < lowest) ? sample : lowest;
          if (sample > highest) begin
            highest <= sample;
            place <= number;
          end
        end else begin
          lowest <= sample;
          highest <= sample;
          place <= number;
        end
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.samples, s.last = [], (0, 0, 0)

    def step(s: State, i: Pins) -> Outputs:
        low, high, place = s.last
        mask = (1 << width) - 1
        out = {"seen": int(bool(s.samples)), "lowest": low & mask, "highest": high & mask, "place": place}
        if i.restart:
            s.samples = []
        elif i.valid:
            s.samples.append(to_signed(i.sample, width) if signed else i.sample)
            top = max(s.samples)
            s.last = (min(s.samples), top, s.samples.index(top) % (1 << index))
        return out

    return Draft(
        rtl=f"""
module extreme_tracker #(
  parameter int WIDTH = {width},
  parameter int INDEX = {index}
) (
  input logic clk,
  input logic rst,
  input logic restart,
  input logic valid,
  input {word} [WIDTH-1:0] sample,
  output logic seen, // there was a sample since the start
  output {word} [WIDTH-1:0] lowest,
  output {word} [WIDTH-1:0] highest,
  output logic [INDEX-1:0] place // the number of the highest sample
);
  logic [INDEX-1:0] number; // of the next sample
  {body}
endmodule
""",
        about=f"""Keeps the lowest and the highest of the {"signed" if signed else "unsigned"} {width}-bit samples
        since `restart`. A cycle with `valid` takes `sample` in;
            samples are numbered from 0 with {index} bits that wrap, and `place` is the number of the highest one, the
            first of
            several. `restart` goes before `valid`; the old values stay until the next sample, with `seen` low.""",
        model=Machine(reset, step),
        names=("min_max", "minmax_tracker", "range_monitor"),
        stimulus={"valid": 0.8, "restart": 0.06},
    )


@family(variants=3)
def window_comparator(r: Random, variant: int) -> Draft:
    """An alarm with hysteresis around two thresholds."""
    width = r.choice((8, 10))
    low, high = r.randrange(20, 80), r.randrange(120, 200)
    gap = r.choice((4, 8, 16))
    body = (
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      too_low <= 1'b0;
      too_high <= 1'b0;
    end else if (valid) begin
      // an alarm goes off only when the value has come back by the gap
      if (value < LOW) too_low <= 1'b1;
      else if (value >= LOW + GAP) too_low <= 1'b0;
      if (value > HIGH) too_high <= 1'b1;
      else if (value <= HIGH - GAP) too_high <= 1'b0;
    end
  end

  assign alarm = too_low || too_high;
""",
        """
  typedef enum logic [1:0] {INSIDE, BELOW, ABOVE} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      INSIDE: begin
        if (value < LOW) state_next = BELOW;
        else if (value > HIGH) state_next = ABOVE;
      end
      BELOW: begin
        if (value > HIGH) state_next = ABOVE;
        else if (value >= LOW + GAP) state_next = INSIDE;
      end
      ABOVE: begin
        if (value < LOW) state_next = BELOW;
        else if (value <= HIGH - GAP) state_next = INSIDE;
      end
      default: state_next = INSIDE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= INSIDE;
    else if (valid) state <= state_next;
  end

  assign too_low = (state == BELOW);
  assign too_high = (state == ABOVE);
  assign alarm = (state != INSIDE);
""",
        """
  logic [WIDTH-1:0] low_limit, high_limit;

  // the thresholds move inwards while an alarm is on
  assign low_limit = too_low ? LOW + GAP : LOW;
  assign high_limit = too_high ? HIGH - GAP : HIGH;
  assign alarm = too_low | too_high;

  always_ff @(posedge clk) begin
    if (rst) begin
      too_low <= 1'b0;
      too_high <= 1'b0;
    end else if (valid) begin
      too_low <= (value < low_limit);
      too_high <= (value > high_limit);
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.low = s.high = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"too_low": s.low, "too_high": s.high, "alarm": s.low | s.high}
        if i.valid:
            s.low = int(i.value < (low + gap if s.low else low))
            s.high = int(i.value > (high - gap if s.high else high))
        return out

    def near(r: Random) -> int:
        edges = (low, low + gap, high, high - gap)
        return max(0, r.choice((*edges, *edges, r.randrange(256))) + r.randrange(-2, 3))

    return Draft(
        rtl=f"""
module window_comparator #(
  parameter int WIDTH = {width},
  parameter logic [WIDTH-1:0] LOW = {low},
  parameter logic [WIDTH-1:0] HIGH = {high},
  parameter logic [WIDTH-1:0] GAP = {gap}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [WIDTH-1:0] value,
  output logic too_low,
  output logic too_high,
  output logic alarm
);
  {body}
endmodule
""",
        about=f"""Watches an unsigned {width}-bit `value` in cycles with `valid`. `too_low` goes high below {low} and
        low again from {low + gap} on;
            `too_high` goes high above {high} and low again from {high - gap} down. `alarm` is either. They follow in
            the next cycle.""",
        model=Machine(reset, step),
        names=("hysteresis_monitor", "limit_check", "threshold_alarm"),
        stimulus={"valid": 0.85, "value": near},
        cycles=140,
    )


@family(variants=2)
def majority_voter(r: Random, variant: int) -> Draft:
    """Two of three copies decide, and the third is named."""
    width = r.choice((1, 4, 8, 16))
    dims = "[WIDTH-1:0] " if width > 1 else ""
    head = f"#(\n  parameter int WIDTH = {width}\n) " if width > 1 else ""
    body = (
        """
  // bit by bit
  assign voted = (copy_a & copy_b) | (copy_a & copy_c) | (copy_b & copy_c);
  assign faulty[0] = (copy_a != voted);
  assign faulty[1] = (copy_b != voted);
  assign faulty[2] = (copy_c != voted);
""",
        """
  assign voted = (copy_a & (copy_b | copy_c)) | (copy_b & copy_c);

  // who is outvoted
  always_comb begin
    faulty = 3'b000;
    if (copy_a != voted) faulty[0] = 1'b1;
    if (copy_b != voted) faulty[1] = 1'b1;
    if (copy_c != voted) faulty[2] = 1'b1;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.errors = 0

    def step(s: State, i: Pins) -> Outputs:
        voted = (i.copy_a & i.copy_b) | (i.copy_a & i.copy_c) | (i.copy_b & i.copy_c)
        faulty = sum(int(one != voted) << k for k, one in enumerate((i.copy_a, i.copy_b, i.copy_c)))
        out = {"voted": voted, "faulty": faulty, "errors": s.errors}
        if i.clear:
            s.errors = 0
        elif faulty and s.errors < 15:
            s.errors += 1
        return out

    def copies(r: Random, s: State) -> dict[str, int]:
        word = r.getrandbits(width)
        noise = [1 << r.randrange(width) if r.random() < 0.15 else 0 for _ in range(3)]
        return {f"copy_{name}": word ^ one for name, one in zip("abc", noise, strict=True)}

    return Draft(
        rtl=f"""
module majority_voter {head}(
  input logic clk,
  input logic rst,
  input logic clear,
  input logic {dims}copy_a,
  input logic {dims}copy_b,
  input logic {dims}copy_c,
  output logic {dims}voted,
  output logic [2:0] faulty,
  output logic [3:0] errors // cycles with a fault, up to 15
);
  {body}
  // counts, and stays at the top
  always_ff @(posedge clk) begin
    if (rst) begin
      errors <= '0;
    end else if (clear) begin
      errors <= '0;
    end else if (faulty != 0 && errors != 4'd15) begin
      errors <= errors + 1'b1;
    end
  end
endmodule
""",
        about=f"""Voter for triple redundancy: each bit of `voted` is what at least two of the
        {"three copies" if width > 1 else "three bits"} `copy_a`, `copy_b` and `copy_c` say.
            `faulty` marks the copies that differ from it, a in bit 0. `errors` counts the cycles with a fault, up to
            15; `clear`
            sets it to zero and goes first.""",
        model=Machine(reset, step),
        names=("tmr_voter", "voter", "triple_vote"),
        stimulus={"clear": 0.03},
        drive=copies,
    )


@family(variants=2)
def address_decoder(r: Random, variant: int) -> Draft:
    """Which peripheral an address belongs to."""
    sizes = r.sample((0x400, 0x100, 0x800, 0x1000), 3)
    bases, at = [], 0
    for size in sorted(sizes, reverse=True):
        at = -(-at // size) * size + r.choice((0, 1)) * size
        bases.append((at, size))
        at += size
    names = r.sample(["RAM", "UART", "TIMER", "GPIO", "SPI"], 3)
    regions = list(zip(names, bases, strict=True))
    constants = "\n".join(f"  localparam logic [15:0] {name}_BASE = 16'h{base:04x};" for name, (base, _) in regions)
    upper = "\n".join(
        f"      select[{k}] = (addr[15:{size.bit_length() - 1}] == {name}_BASE[15:{size.bit_length() - 1}]);"
        for k, (name, (_, size)) in enumerate(regions)
    )
    ranges = "\n".join(
        f"  assign select[{k}] = valid && {f'(addr >= {name}_BASE) && ' if base else ''}"
        f"(addr < {name}_BASE + 16'h{size:x});"
        for k, (name, (base, size)) in enumerate(regions)
    )
    offsets = " | ".join(f"({{16{{select[{k}]}}}} & (addr - {name}_BASE))" for k, (name, _) in enumerate(regions))
    body = (
        f"""
  // each region is as large as its alignment, so the upper bits decide
  always_comb begin
    select = '0;
    if (valid) begin
{upper}
    end
  end

  always_comb begin
    case (select)
{chr(10).join(f"      3'b{1 << k:03b}: offset = addr - {name}_BASE;" for k, (name, _) in enumerate(regions))}
      default: offset = '0;
    endcase
  end
""",
        f"""
{ranges}
  // the distance from the region's start
  assign offset = {offsets};
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        for k, (_, (base, size)) in enumerate(regions):
            if i.valid and base <= i.addr < base + size:
                return {"select": 1 << k, "offset": i.addr - base, "error": 0}
        return {"select": 0, "offset": 0, "error": i.valid}

    def address(r: Random) -> int:
        base, size = r.choice(bases)
        return (
            r.choice((base + r.randrange(size), base + r.randrange(size), base + size, base - 1, r.getrandbits(16)))
            & 0xFFFF
        )

    said = "; ".join(
        f"{name} from 0x{base:04x} to 0x{base + size - 1:04x} is bit {k}"
        for k, (name, (base, size)) in enumerate(regions)
    )
    return Draft(
        rtl=f"""
module address_decoder (
  input logic valid,
  input logic [15:0] addr,
  output logic [2:0] select,
  output logic [15:0] offset, // in the region
  output logic error // nobody is there
);
{constants}
  {body}
  assign error = valid && (select == 0);
endmodule
""",
        about=f"""Address decoder for three regions of a 16-bit bus: {said} of `select`. `offset` is the address less
        the region's start, zero
            outside. Without `valid` nothing is selected; a valid address outside all regions raises `error`.""",
        model=model,
        names=("addr_decode", "region_decoder", "bus_decoder"),
        stimulus={"valid": 0.85, "addr": address},
        cycles=140,
    )
