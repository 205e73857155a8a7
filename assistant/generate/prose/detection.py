"""What looks back one cycle or more: edges of every bit, edges that are kept, sequences of bits."""

from __future__ import annotations

import re

from veriloop.assistant.generate.prose.circuit import (
    Circuit,
    Expr,
    Register,
    bitwise,
    chosen,
    compared,
    const,
    inverse,
)
from veriloop.assistant.generate.prose.clocking import Clocking, reset_of, reset_port
from veriloop.assistant.generate.prose.specification import Prose

_EACH = r"(?:examines? |for )?each bit (?:in|of) (?:an? |the )?(?:(\d+)-bit )?(?:input )?vector,? ?(?:and )?"
_FROM_TO = r"when the input signal changes from ([01]) in one clock cycle to ([01]) the next"


def read_edges(prose: Prose, clocking: Clocking) -> Circuit | None:
    """A pulse for each bit in the cycle after it rose, fell or changed."""
    match = prose.take(rf"{_EACH}detects? {_FROM_TO}(?: \(similar to (?:positive|negative) edge detection\))?")
    any_edge = (
        None
        if match is not None
        else prose.take(
            rf"{_EACH}detects? (?:when the input signal changes from one clock cycle to the next \(detect any edge\)|any edge)"
        )
    )
    output, clock = prose.output, prose.interface.clock
    found = match or any_edge
    if found is None or output is None or clock is None or len(prose.inputs) != 1 or reset_port(prose) is not None:
        return None
    source = prose.inputs[0]
    if source.width_bits != output.width_bits or (found[1] and int(found[1]) != source.width_bits):
        return None
    after = prose.take(
        r"(?:the )?output bit should be set (?:to 1 )?the cycle after (?:an? )?(.+?)(?: transition)? occurs"
    )
    if after is None:
        return None
    now = prose.whole(source)
    before = Expr(source.width_bits, "earlier", lambda values: values["earlier"], atom=True)
    if any_edge is not None:
        change = bitwise("^", [now, before])
    else:
        assert match is not None
        if match[2] == match[3] or (after[1] != f"{match[2]} to {match[3]}" and "edge" not in after[1]):
            return None
        change = bitwise("&", [now, inverse(before)]) if match[3] == "1" else bitwise("&", [inverse(now), before])
    return Circuit(
        registers=(Register("earlier", now), Register(output.name, change)),
        clock=clock.name,
        rising=clocking.rising is not False,
    )


def read_capture(prose: Prose, clocking: Clocking) -> Circuit | None:
    """For each bit whether it ever rose or fell since reset."""
    match = prose.take(rf"{_EACH}capture {_FROM_TO}")
    kept = prose.take(r"['\"]?capture['\"]? means that the output will remain 1 until the register is reset")
    output, clock = prose.output, prose.interface.clock
    made = reset_of(prose, clocking)
    if match is None or kept is None or output is None or clock is None or made is None or made.asynchronous:
        return None
    if len(prose.inputs) != 1 or prose.inputs[0].width_bits != output.width_bits or match[2] == match[3]:
        return None
    source = prose.inputs[0]
    now = prose.whole(source)
    before = Expr(source.width_bits, "earlier", lambda values: values["earlier"], atom=True)
    change = bitwise("&", [now, inverse(before)]) if match[3] == "1" else bitwise("&", [inverse(now), before])
    # What came before the edge is remembered in reset as well, so that an edge right after it is seen.
    seen = bitwise("|", [prose.whole(output), change])
    word = prose.whole(output).width
    following = chosen(_given(made.port, active_low=made.active_low), const(0, word), seen)
    return Circuit(
        registers=(Register("earlier", now), Register(output.name, following)),
        clock=clock.name,
        rising=clocking.rising is not False,
    )


def _given(port: str, *, active_low: bool) -> Expr:
    plain = Expr(1, port, lambda values: values[port], atom=True)
    return inverse(plain) if active_low else plain


def read_sequence_latch(prose: Prose, clocking: Clocking) -> Circuit | None:
    """Searches a bit stream for a sequence; once it is found, an output is 1 until reset."""
    match = prose.take(
        r"(?:finite[- ])?state machine that searches for the sequence ([01]{2,12}) in an input bit stream"
    )
    forever = prose.take(r"when the sequence is found, it should set `?(\w+)`? to 1, forever, until reset")
    output, clock = prose.output, prose.interface.clock
    made = reset_of(prose, clocking)
    if match is None or forever is None or output is None or clock is None or made is None:
        return None
    if len(prose.inputs) != 1 or prose.inputs[0].width_bits != 1 or prose.port(forever[1]) is not output:
        return None
    word = match[1]
    width = len(word).bit_length()
    now = Expr(width, "found", lambda values: values["found"], atom=True)
    source = prose.whole(prose.inputs[0])
    following: Expr = const(len(word), width)
    for state in range(len(word) - 1, -1, -1):
        on_one, on_zero = (const(_advance(word, state, bit), width) for bit in "10")
        step = chosen(source, on_one, on_zero)
        following = chosen(compared("==", now, const(state, width)), step, following)
    return Circuit(
        outputs={output.name: compared("==", now, const(len(word), width))},
        registers=(Register("found", following),),
        clock=clock.name,
        rising=clocking.rising is not False,
        reset=made,
    )


def _advance(word: str, state: int, bit: str) -> int:
    """How much of a word is seen after one more bit (Knuth, Morris and Pratt)."""
    seen = word[:state] + bit
    return next(count for count in range(min(len(word), len(seen)), -1, -1) if seen.endswith(word[:count]))


def read_conway(prose: Prose, clocking: Clocking) -> Circuit | None:
    """Conway's game of life on a torus, loaded and then a step a clock."""
    output, clock = prose.output, prose.interface.clock
    load = [port for port in prose.inputs if port.width_bits == 1]
    data = [port for port in prose.inputs if output is not None and port.width_bits == output.width_bits]
    if output is None or clock is None or len(load) != 1 or len(data) != 1 or output.lsb:
        return None
    rules = [
        prose.take(r"(\d)(?:-(\d)|\+)? neighbou?rs?: cell (becomes ([01])|state does not change)") for _ in range(4)
    ]
    size = prose.take(r"(?:in this circuit, we will )?use an? (\d+)x(\d+) grid")
    rows = prose.take(
        rf"(?:the )?(\d+)x(\d+) grid is represented by a length {output.width_bits} vector, where each row of (\d+) cells is represented by a sub-vector: \w+\[(\d+):0\] is row 0, \w+\[\d+:\d+\] is row 1, etc"
    )
    torus = prose.take(
        r"to make things more interesting, we will use an? (\d+)x(\d+) toroid, where the sides wrap around to the other side of the grid"
    )
    if None in rules or size is None or rows is None or torus is None:
        return None
    side = int(size[1])
    if side * side != output.width_bits or {size[1], size[2], rows[3], torus[1], torus[2]} != {str(side)}:
        return None
    said = [(rule[1], rule[2] or ("+" if "+" in rule[0].split(" ")[0] else ""), rule[3]) for rule in rules if rule]
    if said != [
        ("0", "1", "becomes 0"),
        ("2", "", "state does not change"),
        ("3", "", "becomes 1"),
        ("4", "+", "becomes 0"),
    ]:
        return None
    prose.drop(
        r"['\"]?game['\"]? played on a two-dimensional grid of cells, where each cell is either 1 \(alive\) or 0 \(dead\)",
        r"at each time step, each cell changes state depending on how many neighbou?rs it has",
        r"(?:the )?game is formulated for an infinite grid",
        r"for example, the corner cell \(0,0\) has 8 neighbou?rs: .*",
        rf"`?{re.escape(load[0].name.lower())}`?: loads `?{re.escape(data[0].name.lower())}`? into `?{re.escape(output.name.lower())}`? at the next clock edge, for loading initial state",
        r"active high synchronous",
        rf"`?{re.escape(output.name.lower())}`?: (?:the )?\d+x\d+ current state of the game, updated every clock cycle",
        r"(?:the )?game state should advance by one timestep every clock cycle",
    )
    name, given, word = output.name, load[0].name, data[0].name
    lines = f"""  logic [{output.msb}:0] following;
  always_comb
    for (int row = 0; row < {side}; row++)
      for (int column = 0; column < {side}; column++) begin
        logic [3:0] alive;
        alive = 4'd0;
        for (int down = {side - 1}; down <= {side + 1}; down++)
          for (int right = {side - 1}; right <= {side + 1}; right++)
            if (down != {side} || right != {side})
              alive = alive + {{3'd0, {name}[((row + down) % {side}) * {side} + (column + right) % {side}]}};
        following[row * {side} + column] = alive == 4'd3 || (alive == 4'd2 && {name}[row * {side} + column]);
      end
  always_ff @({"pos" if clocking.rising is not False else "neg"}edge {clock.name})
    if ({given}) {name} <= {word};
    else {name} <= following;"""
    return Circuit(raw=lines)
