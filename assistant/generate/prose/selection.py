"""Multiplexers, priority encoders, and outputs that conditions choose."""

from __future__ import annotations

import re

from veriloop.assistant.generate.interface import PortDeclaration
from veriloop.assistant.generate.prose.circuit import Circuit, Expr, chosen, compared, const, name, part, picked
from veriloop.assistant.generate.prose.conditions import condition, value_of
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.prose.values import number

_MUX = r"(?:(?:an? )?(?:one|\w+|\d+)[- ]?bit(?:[- ]wide)?,? )?(\w+)-to-(?:1|one) (?:mux|multiplexer)(?: (?:circuit)?)?"


def _ways(prose: Prose) -> int | None:
    """How many ways a multiplexer has that the text asks for; none if it asks for none."""
    match = prose.take(_MUX) or prose.take(r"(?:\w+[- ]bit(?: wide)?,? )?(\w+)-(?:to-)?(?:1|one) (?:mux|multiplexer)")
    return number(match[1]) if match is not None else None


def read_packed_mux(prose: Prose) -> Circuit | None:
    """All inputs in one vector, one bit each."""
    ways = _ways(prose)
    output = prose.output
    vectors = [port for port in prose.inputs if ways is not None and port.width_bits == ways]
    selectors = [port for port in prose.inputs if port not in vectors]
    if (
        ways is None
        or output is None
        or len(vectors) != 1
        or len(selectors) != 1
        or 1 << selectors[0].width_bits != ways
    ):
        return None
    if output.width_bits != 1:
        return None
    vector, selector = vectors[0], selectors[0]
    prose.drop(r"(?:the )?\w+ inputs are all packed into a single \d+-bit input vector")
    name_, select = re.escape(vector.name.lower()), re.escape(selector.name.lower())
    order = prose.take(
        rf"`?{select}`? ?= ?0 (?:should )?selects? (?:bits? )?(?:in )?`?{name_}`?\[0\],? `?{select}`? ?= ?1 selects (?:bits? )?(?:in )?`?{name_}`?\[1\],? `?{select}`? ?= ?2 selects (?:bits? )?(?:in )?`?{name_}`?\[2\],? etc"
    )
    if order is None:
        return None
    return Circuit(outputs={output.name: picked(vector.name, prose.whole(selector), vector.lsb)})


def read_sliced_mux(prose: Prose) -> Circuit | None:
    """All inputs in one vector, some bits each."""
    ways = _ways(prose)
    output = prose.output
    if ways is None or output is None or output.width_bits == 1:
        return None
    width = output.width_bits
    vectors = [port for port in prose.inputs if port.width_bits == ways * width and port.lsb == 0]
    selectors = [port for port in prose.inputs if port not in vectors]
    if len(vectors) != 1 or len(selectors) != 1 or 1 << selectors[0].width_bits != ways:
        return None
    vector, selector = vectors[0], prose.whole(selectors[0])
    prose.drop(rf"(?:the )?\w+ {width}-bit inputs are all packed into a single \d+-bit input vector")
    name_, select = re.escape(vector.name.lower()), re.escape(selectors[0].name.lower())
    order = prose.take(
        rf"`?{select}`? ?= ?0 (?:should )?selects? bits `?{name_}`?\[{width - 1}:0\],? `?{select}`? ?= ?1 selects bits `?{name_}`?\[{2 * width - 1}:{width}\],? (?:`?{select}`? ?= ?2 selects bits `?{name_}`?\[{3 * width - 1}:{2 * width}\],? )?etc"
    )
    if order is None:
        return None
    mask = (1 << width) - 1
    text = f"{vector.name}[{selector.text} * {width} +: {width}]"
    value = Expr(width, text, lambda values: values[vector.name] >> selector.value(values) * width & mask, atom=True)
    return Circuit(outputs={output.name: value})


def read_numbered_mux(prose: Prose) -> Circuit | None:
    """Inputs that carry their numbers, or letters in their order; what lies beyond is a constant."""
    ways = _ways(prose)
    output = prose.output
    if ways is None or output is None:
        return None
    selectors = [port for port in prose.inputs if re.fullmatch(r"s|sel\w*|select\w*", port.name, re.I)]
    data = [port for port in prose.inputs if port not in selectors]
    if len(selectors) != 1 or len(data) != ways or any(port.width_bits != output.width_bits for port in data):
        return None
    selector, ordered = selectors[0], _ordered(data)
    if ordered is None or 1 << selector.width_bits < ways:
        return None
    select = re.escape(selector.name.lower())
    first = re.escape(ordered[0].name.lower())
    prose.drop(
        r"(?:the )?data inputs and outputs are all \d+ bits wide",
        r"(?:all )?(?:inputs|data) are (?:all )?\d+ bits wide",
    )
    rest: int | None = None
    said = (
        prose.take(rf"(?:when|if) `?{select}`? is between 0 and {ways - 1}, choose the corresponding data input")
        is not None
    )
    if not said:
        pairs = prose.take(
            rf"`?{select}`? ?= ?0 (?:chooses|selects|should (?:choose|select)) `?{first}`?,? `?{select}`? ?= ?1 (?:chooses|selects) `?{re.escape(ordered[1].name.lower())}`?,? etc"
        )
        said = pairs is not None
    if not said and ways == 2 and selector.width_bits == 1:
        return _two_ways(prose, selector, data, output)
    otherwise = prose.take(
        r"otherwise, (?:output|choose|set (?:all )?(?:the )?outputs? (?:bits )?to) (?:'?)(\w+)'?(?:s)?"
    )
    for_unused = prose.take(rf"for the unused cases \(`?{select}`? ?= ?\d+ to \d+\), set all output bits to '1'")
    if otherwise is not None:
        rest = number(otherwise[1])
    elif for_unused is not None:
        rest = (1 << output.width_bits) - 1
    full = 1 << selector.width_bits == ways
    if not said or (rest is None and not full):
        return None
    value: Expr = const(rest, output.width_bits) if rest is not None and not full else prose.whole(ordered[-1])
    for index in range(ways - 1 if full else ways, -1, -1):
        if full and index == ways - 1:
            continue
        if index < ways:
            value = chosen(
                compared("==", prose.whole(selector), const(index, selector.width_bits)),
                prose.whole(ordered[index]),
                value,
            )
    return Circuit(outputs={output.name: value})


def _two_ways(
    prose: Prose, selector: PortDeclaration, data: list[PortDeclaration], output: PortDeclaration
) -> Circuit | None:
    """`When sel=0, choose a. When sel=1, choose b.`"""
    select = re.escape(selector.name.lower())
    by_value: dict[int, PortDeclaration] = {}
    while match := prose.take(
        rf"(?:when|if) `?{select}`?(?: is| ?=) ?([01]), (?:it )?(?:choose|select|output|pass)s? `?(\w+)`?"
    ):
        port = prose.port(match[2])
        if port is None or port not in data:
            return None
        by_value[int(match[1])] = port
    if set(by_value) != {0, 1} or by_value[0] == by_value[1]:
        return None
    value = chosen(prose.whole(selector), prose.whole(by_value[1]), prose.whole(by_value[0]))
    return Circuit(outputs={output.name: value})


def _ordered(data: list[PortDeclaration]) -> list[PortDeclaration] | None:
    """Inputs in the order of their numbers from 0, or of their letters from a."""
    numbered = [re.fullmatch(r"[A-Za-z_]+?(\d+)", port.name) for port in data]
    if all(numbered):
        order = sorted(data, key=lambda port: int(re.sub(r"\D", "", port.name)))
        numbers = [int(re.sub(r"\D", "", port.name)) for port in order]
        return order if numbers == list(range(len(data))) else None
    order = sorted(data, key=lambda port: port.name)
    letters = [port.name.lower() for port in order]
    return order if letters == [chr(ord("a") + index) for index in range(len(data))] else None


def read_priority_encoder(prose: Prose) -> Circuit | None:
    """The position of the first bit that is 1, counted from the lowest."""
    output, source = prose.output, prose.inputs[0] if len(prose.inputs) == 1 else None
    if output is None or source is None or 1 << output.width_bits != source.width_bits or source.lsb:
        return None
    width = source.width_bits
    if prose.take(rf"(?:{width}-bit )?priority encoder") is None:
        return None
    prose.drop(rf"(?:{width}-bit )?priority encoder")
    example = prose.take(
        r"for example, an? \d+-bit priority encoder given the input \d+'b([01]+) would output \d+'d(\d+), because bit\[\d+\] is (?:the )?first bit that is high"
    )
    prose.drop(
        r"priority encoder is a combinational circuit that, when given an input bit vector, outputs the position of the first 1 bit in the vector",
        r"note that a 4-bit number has 16 possible combinations",
        r"4-bit number has 16 possible combinations",
    )
    zero = prose.take(
        r"(?:for this problem, )?if none of the input bits are high \(i\.e\., input is zero\), (?:it )?outputs? zero"
    )
    if (
        example is None
        or zero is None
        or (int(example[1], 2) & -int(example[1], 2)).bit_length() - 1 != int(example[2])
    ):
        return None
    value: Expr = const(0, output.width_bits)
    for index in range(width - 1, 0, -1):
        value = chosen(part(source, index, index), const(index, output.width_bits), value)
    return Circuit(outputs={output.name: chosen(part(source, 0, 0), const(0, output.width_bits), value)})


def read_equality(prose: Prose) -> Circuit | None:
    """One output that says whether a condition holds: `z should be 1 if A = B, otherwise 0`."""
    output = prose.output
    if output is None or output.width_bits != 1 or prose.interface.clock is not None:
        return None
    own = re.escape(output.name.lower())
    match = prose.take(
        rf"(?:the )?(?:value of |output )?`?{own}`? (?:should be|is|must be) (1|0|high|low|true) (?:only )?(?:if|when) (.+?)(?:,? (?:otherwise|and)(?:,)? (?:(?:the )?(?:value of |output )?`?{own}`? (?:should be|is|must be) |it (?:is|should be) )?(0|1|high|low)(?: otherwise)?)"
    )
    if match is None:
        return None
    holds = condition(match[2], prose)
    if holds is None or number(match[1].replace("true", "1")) != 1 or number(match[3]) != 0:
        return None
    prose.drop(
        r"(?:has |with )?(?:two \d+-bit inputs? )?\w+\[\d+:\d+\] and \w+\[\d+:\d+\],? and produces an output \w+",
        r"(?:has )?two \d+-bit inputs? \S+ and \S+,? and produces an output \w+",
    )
    return Circuit(outputs={output.name: holds})


def read_choice(prose: Prose) -> Circuit | None:
    """Two inputs of which conditions choose: `choose b if both x and y are true, otherwise choose a`."""
    output = prose.output
    if output is None or prose.interface.clock is not None:
        return None
    prose.drop(
        r"(?:2|two)-to-1 mux(?:es)? that chooses between `?\w+`? and `?\w+`?",
        r"(?:chooses|multiplexer that chooses|mux that chooses) between `?\w+`? and `?\w+`?",
        r".*do the same twice,? .*",
    )
    match = prose.take(r"choose `?(\w+)`? (?:if|when) (.+?)[,.;]? otherwise,? (?:choose )?`?(\w+)`?")
    if match is None:
        first = prose.take(r"choose `?(\w+)`? (?:if|when) (.+)")
        rest = prose.take(r"otherwise,? choose `?(\w+)`?")
        if first is None or rest is None:
            return None
        words = (first[1], first[2], rest[1])
    else:
        words = (match[1], match[2], match[3])
    holds = condition(words[1], prose)
    yes, no = (value_of(one, prose, output.width_bits) for one in (words[0], words[2]))
    if holds is None or yes is None or no is None:
        return None
    return Circuit(outputs={output.name: chosen(holds, yes, no)})


def read_codes(prose: Prose) -> Circuit | None:
    """A list of codes and a list of what each means, `respectively`, with one output that says whether any came."""
    if len(prose.inputs) != 1 or len(prose.interface.outputs) != 2:
        return None
    source = prose.inputs[0]
    match = prose.take(
        r"if the (\d+)-bit input is (.+?), the (\d+)-bit output will be set to (.+?) respectively,? (?:and )?(?:the )?1-bit `?(\w+)`? (?:would|will) be set to 1"
    )
    rest = prose.take(r"if the input does not match any of the cases, both output signals (?:would|will) be set to 0")
    if match is None or rest is None or int(match[1]) != source.width_bits:
        return None
    codes = [number(one) for one in re.split(r",? or |, ", match[2])]
    meanings = [number(one) for one in re.split(r",? or |, ", match[4])]
    flag = prose.port(match[5])
    others = [port for port in prose.interface.outputs if port is not flag]
    if flag is None or flag.width_bits != 1 or len(others) != 1 or others[0].width_bits != int(match[3]):
        return None
    if None in codes or None in meanings or len(codes) != len(meanings) or len(set(codes)) != len(codes):
        return None
    prose.drop(
        r"recognizes? \d+-bit keyboard scancodes for keys 0 through 9",
        r"(?:it should )?indicates? whether one of the (?:\d+|\w+) cases were recognized \(valid\), and if so, which key was detected",
        r"it should indicate whether one of the (?:\d+|\w+) cases were recognized \(valid\), and if so, which key was detected",
    )
    output = others[0]
    value: Expr = const(0, output.width_bits)
    valid: Expr = const(0, 1)
    for code, meaning in reversed(list(zip(codes, meanings, strict=True))):
        if code is None or meaning is None:
            return None
        hit = compared("==", name(source.name, source.width_bits), const(code, source.width_bits))
        value = chosen(hit, const(meaning, output.width_bits), value)
        valid = chosen(hit, const(1, 1), valid)
    return Circuit(outputs={output.name: value, flag.name: valid})
