"""Registers whose ends meet: rings, twisted rings, and rows of cells that look at their neighbours."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.boolean import cover, sum_of_products
from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family
from veriloop.assistant.training.numerals import to_bits


def _johnson(width: int, *, right: bool) -> list[int]:
    """The words that a twisted ring goes through."""
    full, words, value = (1 << width) - 1, [], 0
    for _ in range(2 * width):
        words.append(value)
        fed = ~value & 1 if right else ~value >> (width - 1) & 1
        value = value >> 1 | fed << (width - 1) if right else (value << 1 | fed) & full
    return words


@family(variants=3)
def johnson_counter(r: Random, variant: int) -> Draft:
    """A twisted ring, with its phases decoded, that finds back after a bad word."""
    width = r.choice((3, 4, 4, 5, 6))
    right = r.random() < 0.4
    loads = r.random() < 0.6
    words = _johnson(width, right=right)
    count = len(words)
    moved = "{~ring[0], ring[WIDTH-1:1]}" if right else "{ring[WIDTH-2:0], ~ring[WIDTH-1]}"
    # in a good word ones and zeros meet once at most
    legal = " || ".join(f"ring == {width}'b{word:0{width}b}" for word in words)
    arms = "\n".join(
        f"      {width}'b{words[k]:0{width}b}: ring_next = {width}'b{words[(k + 1) % count]:0{width}b};"
        for k in range(count)
    )
    meet = """
  logic [WIDTH-2:0] meets; // where neighbours differ

  assign meets = ring[WIDTH-1:1] ^ ring[WIDTH-2:0];
  assign bad = |(meets & (meets - 1'b1)); // more than one place
"""

    def pair(k: int) -> str:
        """Two bits tell a good word from all others."""
        word = words[k]
        edges = [b for b in range(width - 1) if (word >> b ^ word >> b + 1) & 1]
        low, high = (edges[0], edges[0] + 1) if edges else (0, width - 1)
        return " & ".join(f"{'' if word >> b & 1 else '~'}ring[{b}]" for b in (high, low))

    decode = "\n".join(f"  assign phase[{k}] = {pair(k)};" for k in range(count))
    equal = "\n".join(f"  assign phase[{k}] = (ring == {width}'b{words[k]:0{width}b});" for k in range(count))
    load = "else if (load) ring <= din;" if loads else ""
    body = (
        f"""
{meet}
  always_ff @(posedge clk) begin
    if (rst) ring <= '0;
    {load}
    else if (en) ring <= bad ? '0 : {moved};
  end

  // two neighbours are enough to know a phase
{decode}
""",
        f"""
  assign bad = !({legal});

  always_ff @(posedge clk) begin
    if (rst) begin
      ring <= '0;
    end {"else if (load) begin ring <= din; end" if loads else ""} else if (en) begin
      if (bad) ring <= '0;
      else ring <= {moved};
    end
  end

{decode}
""",
        f"""
  logic [WIDTH-1:0] ring_next;

  // word by word; from any other word it goes back to the first
  always_comb begin
    case (ring)
{arms}
      default: ring_next = '0;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) ring <= '0;
    {load}
    else if (en) ring <= ring_next;
  end

  assign bad = ~|phase;
{equal}
""",
    )[variant]

    def reset(s: State) -> None:
        s.ring = 0

    def step(s: State, i: Pins) -> Outputs:
        known = s.ring in words
        out: dict[str, int | None] = {
            "ring": s.ring,
            "phase": 1 << words.index(s.ring) if known else None,
            "bad": int(not known),
        }
        if loads and i.load:
            s.ring = i.din
        elif i.en:
            s.ring = words[(words.index(s.ring) + 1) % count] if known else 0
        return out

    order = ", ".join(f"{word:0{width}b}" for word in words)
    return Draft(
        rtl=f"""
module johnson_counter #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic en,
  {"input logic load," if loads else ""}
  {"input logic [WIDTH-1:0] din," if loads else ""}
  output logic [WIDTH-1:0] ring,
  output logic [2*WIDTH-1:0] phase, // one hot
  output logic bad
);
  {body}
endmodule
""".replace("2*WIDTH-1", f"{count - 1}"),
        about=f"""Johnson counter of {width} bits: `ring` shifts {"right" if right else "left"} in each cycle with `en`,
            and the inverse of the bit that leaves comes in at the other end, so that it goes through {order}, and
            around. Bit k of `phase` is high for word number k of these, from 0 on. `bad` is high while `ring` holds any
            other word ({"after a load; " if loads else ""}`phase` does not matter then); the next cycle with `en`
            leads from there to 0. {"`load` goes before `en` and loads `din`. " if loads else ""}It starts at 0.""",
        model=Machine(reset, step),
        names=("twisted_ring", "johnson", "phase_gen", "moebius_counter"),
        stimulus={"en": 0.85, "load": 0.08, "din": lambda r: r.choice((r.getrandbits(width), r.choice(words)))},
        cycles=140,
    )


@family(variants=3)
def ring_counter(r: Random, variant: int) -> Draft:
    """One bit that goes around, in either direction, and comes back if it gets lost."""
    width = r.choice((4, 5, 6, 8))
    both = r.random() < 0.5
    skips = r.random() < 0.5
    start = r.choice((0, 0, width - 1))
    up = "{spot[WIDTH-2:0], spot[WIDTH-1]}"
    down = "{spot[0], spot[WIDTH-1:1]}"
    up_two = "{spot[WIDTH-3:0], spot[WIDTH-1:WIDTH-2]}"
    moved = f"dir ? {up} : {down}" if both else up
    ladder = "\n".join(
        line
        for line in (
            "        if (skip) spot <= " + up_two + ";" if skips else "",
            f"        {'else ' if skips else ''}if (!dir) spot <= {down};" if both else "",
            f"        {'else ' if skips or both else ''}spot <= {up};",
        )
        if line
    )
    bits = "\n".join(
        "    "
        + (f"if (skip) spot_next[{k}] = spot[{(k - 2) % width}]; else " if skips else "")
        + (f"if (!dir) spot_next[{k}] = spot[{(k + 1) % width}]; else " if both else "")
        + f"spot_next[{k}] = spot[{(k - 1) % width}];"
        for k in range(width)
    )
    body = (
        f"""
  assign lost = (spot == 0) || ((spot & (spot - 1'b1)) != 0);

  always_ff @(posedge clk) begin
    if (rst) spot <= FIRST;
    else if (set) spot <= mask;
    else if (step) begin
      if (lost) begin
        spot <= FIRST; // none or several: start again
      end else begin
{ladder}
      end
    end
  end
""",
        f"""
  logic [WIDTH-1:0] spot_next;
  logic one, several;

  // looks at the bits one after the other
  always_comb begin
    one = 1'b0;
    several = 1'b0;
    for (int i = 0; i < WIDTH; i++) begin
      several = several | (one & spot[i]);
      one = one | spot[i];
    end
  end

  assign lost = ~one | several;

  always_comb begin
{bits}
    if (lost) spot_next = FIRST;
  end

  always_ff @(posedge clk) begin
    if (rst) spot <= FIRST;
    else if (set) spot <= mask;
    else if (step) spot <= spot_next;
  end
""",
        f"""
  logic [{(width).bit_length() - 1}:0] ones;
  logic [WIDTH-1:0] turned;

  always_comb begin
    ones = '0;
    for (int i = 0; i < WIDTH; i++) begin
      ones = ones + spot[i];
    end
  end

  assign lost = (ones != 1);
  assign turned = {f"skip ? {up_two} : " if skips else ""}{f"({moved})" if both and skips else moved};

  always_ff @(posedge clk) begin
    if (rst) begin
      spot <= FIRST;
    end else if (set) begin
      spot <= mask;
    end else if (step) begin
      spot <= lost ? FIRST : turned;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.spot = 1 << start

    def step(s: State, i: Pins) -> Outputs:
        lost = s.spot.bit_count() != 1
        out = {"spot": s.spot, "lost": int(lost)}
        if i.set:
            s.spot = i.mask
        elif i.step:
            if lost:
                s.spot = 1 << start
            else:
                by = 2 if skips and i.skip else -1 if both and not i.dir else 1
                s.spot = 1 << (s.spot.bit_length() - 1 + by) % width
        return out

    extra = (
        ("`skip` makes it two places up. " if skips else "")
        + (f"{'Otherwise `dir`' if skips else '`dir`'} high means one place up, low one place down. " if both else "")
        + ("Otherwise it goes one place up. " if skips and not both else "")
        + ("" if skips or both else "It goes one place up. ")
    )
    return Draft(
        rtl=f"""
module ring_counter #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic step,
  {"input logic dir, // high: up" if both else ""}
  {"input logic skip," if skips else ""}
  input logic set,
  input logic [WIDTH-1:0] mask,
  output logic [WIDTH-1:0] spot,
  output logic lost
);
  localparam logic [WIDTH-1:0] FIRST = {width}'b{1 << start:0{width}b};
  {body}
endmodule
""",
        about=f"""Ring counter: one bit of {width} is set in `spot`, after reset bit {start}, and moves on in each cycle
            with `step`, around at both ends. {extra}`set` goes before that and loads `spot` with `mask`, whatever it
            is. `lost` is high while not exactly one bit is set; the next `step` then leads back to bit {start}.""",
        model=Machine(reset, step),
        names=("one_hot_ring", "ring", "rotating_one", "token_ring", "scan_select"),
        stimulus={
            "step": 0.8,
            "set": 0.08,
            "skip": 0.3,
            "dir": 0.55,
            "mask": lambda r: r.choice((r.getrandbits(width), 1 << r.randrange(width), 0)),
        },
        cycles=140,
    )


_RULES = (18, 22, 26, 30, 45, 54, 57, 60, 62, 73, 86, 102, 105, 106, 109, 120, 126, 129, 146, 150, 161, 165, 225)


@family(variants=4)
def cellular_row(r: Random, variant: int) -> Draft:
    """A row of cells; each becomes what a rule says for itself and its two neighbours."""
    rule = r.choice(_RULES)
    width = r.choice((8, 12, 16, 24, 32))
    edges = r.choice(("ring", "zero", "zero", "ones", "port"))
    paused = r.random() < 0.5
    ones = [k for k in range(8) if rule >> k & 1]
    before, after = {
        "ring": ("cells[0]", "cells[WIDTH-1]"),
        "zero": ("1'b0", "1'b0"),
        "ones": ("1'b1", "1'b1"),
        "port": ("edge_left", "edge_right"),
    }[edges]
    cubes = cover(ones, 3)
    local = sum_of_products(cubes, ("left", "cells[k]", "right"))
    whole = sum_of_products(cubes, ("left", "cells", "right"))
    arms = ", ".join(f"3'b{k:03b}" for k in reversed(ones))
    body = (
        f"""
  logic [WIDTH-1:0] left, right;

  // the neighbours of all cells at once
  assign left = {{{before}, cells[WIDTH-1:1]}};
  assign right = {{cells[WIDTH-2:0], {after}}};
  assign cells_next = {whole};
""",
        f"""
  localparam logic [7:0] RULE = 8'd{rule};
  logic [WIDTH+1:0] padded;

  // one more cell at each end
  assign padded = {{{before}, cells, {after}}};

  for (genvar k = 0; k < WIDTH; k++) begin : gen_cell
    assign cells_next[k] = RULE[padded[k +: 3]];
  end
""",
        f"""
  logic left, right;

  always_comb begin
    for (int k = 0; k < WIDTH; k++) begin
      left = (k == WIDTH - 1) ? {before} : cells[(k + 1) % WIDTH];
      right = (k == 0) ? {after} : cells[(k + WIDTH - 1) % WIDTH];
      cells_next[k] = {local};
    end
  end
""",
        f"""
  function automatic logic cell_rule(input logic [2:0] around);
    case (around)
      {arms}: cell_rule = 1'b1;
      default: cell_rule = 1'b0;
    endcase
  endfunction

  assign cells_next[WIDTH-1] = cell_rule({{{before}, cells[WIDTH-1], cells[WIDTH-2]}});
  assign cells_next[0] = cell_rule({{cells[1], cells[0], {after}}});

  for (genvar k = 1; k < WIDTH - 1; k++) begin : gen_inner
    assign cells_next[k] = cell_rule(cells[k+1:k-1]);
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.cells = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"cells": s.cells}
        if i.load:
            s.cells = i.din
        elif not paused or i.en:
            left, right = {
                "ring": (s.cells & 1, s.cells >> (width - 1)),
                "zero": (0, 0),
                "ones": (1, 1),
                "port": (getattr(i, "edge_left", 0), getattr(i, "edge_right", 0)),
            }[edges]
            padded = left << (width + 1) | s.cells << 1 | right
            s.cells = sum((rule >> (padded >> k & 7) & 1) << k for k in range(width))
        return out

    ends = {
        "ring": f"Bit {width - 1} and bit 0 are neighbours, as on a ring.",
        "zero": "Beyond both ends there are zeros.",
        "ones": "Beyond both ends there are ones.",
        "port": "`edge_left` stands above the highest bit, `edge_right` below the lowest.",
    }[edges]
    listing = ", ".join(f"{k:03b}" for k in reversed(ones))
    port = "  input logic edge_left,\n  input logic edge_right,\n" if edges == "port" else ""
    return Draft(
        rtl=f"""
module cellular_row #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic load,
  {"input logic en," if paused else ""}
{port}
  input logic [WIDTH-1:0] din,
  output logic [WIDTH-1:0] cells
);
  logic [WIDTH-1:0] cells_next;
  {body}
  always_ff @(posedge clk) begin
    if (rst) cells <= '0;
    else if (load) cells <= din;
    else {"if (en) " if paused else ""}cells <= cells_next;
  end
endmodule
""",
        about=(
            f"""Row of {width} cells after rule {rule}. In each cycle{" with `en`" if paused else ""} every bit of
            `cells` becomes what the three bits {{upper neighbour, itself, lower neighbour}} say: 1 for {listing}, else
            0. {ends} `load` goes before that and loads `din`. All cells start at 0.""",
            f"""One-dimensional cellular automaton, {width} cells in `cells`, which start at 0. `load` puts `din` in;
            otherwise{", with `en`," if paused else ""} all cells move on at once: a cell is 1 if before the step the
            cell above it, it and the cell below it, read as three bits, were one of {listing} (rule {rule}), else 0.
            {ends}""",
        ),
        model=Machine(reset, step),
        names=(f"rule{rule}", "cell_automaton", "automaton_row", "ca_row", "pattern_row"),
        stimulus={
            "load": 0.08,
            "en": 0.8,
            "din": lambda r: to_bits(r.choice((1 << width // 2, r.getrandbits(width))), width),
        },
        cycles=100,
    )


@family(variants=3)
def stepper_driver(r: Random, variant: int) -> Draft:
    """Drives the coils of a stepping motor: whole steps, half steps, either way, or off."""
    half_first = r.random() < 0.5
    drive_one = r.random() < 0.5
    holds = r.random() < 0.5
    coils = [0b0001, 0b0011, 0b0010, 0b0110, 0b0100, 0b1100, 0b1000, 0b1001]
    arms = "\n".join(f"      3'd{k}: wound = 4'b{word:04b};" for k, word in enumerate(coils))
    odd = 0 if drive_one else 1
    half = "half" if half_first else "!full_step"
    mode = "half" if half_first else "full_step"
    # whole steps use every second place only: those with one coil, or those with two
    whole = f"(place[0] == 1'b{odd})"
    places = ["place[2]", "place[1]", "place[0]"]
    lines = "\n".join(
        f"  assign wound[{b}] ="
        f" {sum_of_products(cover([k for k, word in enumerate(coils) if word >> b & 1], 3), places)};"
        for b in range(4)
    )
    body = (
        f"""
  logic [2:0] place;

  always_ff @(posedge clk) begin
    if (rst) begin
      place <= 3'd{odd};
    end else if (step) begin
      if ({half} || !{whole}) place <= dir ? place + 3'd1 : place - 3'd1;
      else place <= dir ? place + 3'd2 : place - 3'd2;
    end
  end

  always_comb begin
    case (place)
{arms}
      default: wound = 4'b0000;
    endcase
  end
""",
        f"""
  logic [2:0] place, place_next;
  logic [1:0] stride;

  // a whole step from between two of them is half as long
  assign stride = ({half} || place[0] != 1'b{odd}) ? 2'd1 : 2'd2;

  always_comb begin
    place_next = place;
    if (step) begin
      if (dir) place_next = place + stride;
      else place_next = place - stride;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) place <= 3'd{odd};
    else place <= place_next;
  end

{lines}
""",
        f"""
  logic [7:0] spot, one_on, two_on; // the place in the round, one hot
  logic whole;

  assign whole = |(spot & 8'b{sum(1 << k for k in range(odd, 8, 2)):08b});
  assign one_on = dir ? {{spot[6:0], spot[7]}} : {{spot[0], spot[7:1]}};
  assign two_on = dir ? {{spot[5:0], spot[7:6]}} : {{spot[1:0], spot[7:2]}};

  always_ff @(posedge clk) begin
    if (rst)
      spot <= 8'd{1 << odd};
    else if (step)
      spot <= ({half} || !whole) ? one_on : two_on;
  end

  assign wound[0] = spot[7] | spot[0] | spot[1];
  assign wound[1] = spot[1] | spot[2] | spot[3];
  assign wound[2] = spot[3] | spot[4] | spot[5];
  assign wound[3] = spot[5] | spot[6] | spot[7];
""",
    )[variant]

    def reset(s: State) -> None:
        s.place = odd

    def step(s: State, i: Pins) -> Outputs:
        on = holds or i.en
        out = {"coil": coils[s.place] if on else 0}
        if i.step:
            small = i.half if half_first else not i.full_step
            by = 1 if small or s.place % 2 != odd else 2
            s.place = (s.place + (by if i.dir else -by)) % 8
        return out

    order = ", ".join(f"{word:04b}" for word in coils)
    which = "one coil" if drive_one else "two coils"
    return Draft(
        rtl=f"""
module stepper_driver (
  input logic clk,
  input logic rst,
  input logic step,
  input logic dir,
  input logic {mode},
  {"" if holds else "input logic en, // low: all coils off"}
  output logic [3:0] coil
);
  logic [3:0] wound;
  {body}
  assign coil = {"wound" if holds else "en ? wound : 4'b0000"};
endmodule
""",
        about=f"""Driver for the four coils of a stepping motor. The patterns of a round are {
            order
        }; after reset it is at
            {coils[odd]:04b}. A cycle with `step` moves it, forwards in this order where `dir` is high and else
            backwards: by one pattern with `{mode}` {"high" if half_first else "low"} (half steps), otherwise by two, so
            that {which} stay{"s" if drive_one else ""} on (whole steps); but a whole step from a pattern with {
            "two coils" if drive_one else "one coil"
        } goes on by one only. `coil` shows the pattern{
            "" if holds else " while `en` is high, else 0; steps count all the same"
        }.""",
        model=Machine(reset, step),
        names=("stepper_phases", "step_motor", "coil_sequencer", "stepper_phases"),
        stimulus={"step": 0.7, "en": 0.85, "half": 0.4, "full_step": 0.6},
        cycles=140,
    )
