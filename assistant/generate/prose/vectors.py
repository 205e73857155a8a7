"""Vectors: turned round, split, extended, joined; bits counted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from veriloop.assistant.generate.interface import PortDeclaration
from veriloop.assistant.generate.prose.circuit import (
    Circuit,
    Expr,
    bitwise,
    const,
    counted_ones,
    extended,
    inverse,
    joined,
    part,
    reduce,
    repeated,
)
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.prose.values import number

_OF = r"(?: of (?:an? |the )?(?:(\d+)-bit )?(?:input )?(?:vector|port|number|word|input|`?\w+`?)(?: `?\w+`?)?(?:\[\d+:\d+\])?)?"


def _one_to_one(prose: Prose) -> tuple[PortDeclaration, PortDeclaration] | None:
    output = prose.output
    return (prose.inputs[0], output) if output is not None and len(prose.inputs) == 1 else None


def read_reversal(prose: Prose) -> Circuit | None:
    """The bits or the bytes in the opposite order."""
    ports = _one_to_one(prose)
    if ports is None or ports[0].width_bits != ports[1].width_bits:
        return None
    source, output = ports
    match = prose.take(
        rf"(?:re)?(reverse|flip|swap)s? (?:the )?(bit|byte)s?(?: order(?:ing)?| positions?)?{_OF}(?: and (?:write|output|assign)s? (?:the )?result to (?:the )?(?:output(?: port)?|`?\w+`?))?"
    ) or prose.take(
        r"given (?:an? )?(?:(\d+)-bit )?(?:input )?vector(?: \[\d+:\d+\])?, reverse its (bit|byte) order(?:ing)?"
    )
    if match is None:
        return None
    words = match[0]
    size = re.search(r"(\d+)-bit", words)
    if size is not None and int(size[1]) != source.width_bits:
        return None
    step = 8 if "byte" in words else 1
    if source.width_bits % step:
        return None
    parts = [part(source, low + step - 1, low) for low in range(source.lsb, source.msb + 1, step)]
    return Circuit(outputs={output.name: joined(parts)})


def read_extension(prose: Prose) -> Circuit | None:
    """A smaller number as a larger one."""
    ports = _one_to_one(prose)
    if ports is None or ports[0].width_bits >= ports[1].width_bits:
        return None
    source, output = ports
    match = prose.take(
        r"(sign|zero)[- ]?extend(?:s|ing)?(?: an?| the)?(?: (\d+)-bit)?(?: number| input| value| vector)?(?: `?\w+`?)? to (\d+)(?:[- ]bits?)?(?: (?:number|output|value))?"
    )
    if match is None:
        return None
    if (match[2] and int(match[2]) != source.width_bits) or int(match[3]) != output.width_bits:
        return None
    prose.drop(
        r"(?:one )?common place to see a replication operator is when sign-extending a smaller number to a larger one, while preserving its signed value",
        r"(?:this|it) is done by replicating the sign bit \(the most significant bit\) of the smaller number to the left",
        r"for example, sign-extending \S+ \(\d+\) to 8 bits results in \S+ \(\d+\), while sign-extending \S+ \(-\d+\) to 8 bits results in \S+ \(-\d+\)",
        r"(?:this|it) requires a concatenation of \d+ copies of the sign bit .* followed by the \d+-bit number itself",
    )
    return Circuit(outputs={output.name: extended(prose.whole(source), output.width_bits, signed=match[1] == "sign")})


def read_population(prose: Prose) -> Circuit | None:
    """How many bits of a vector are 1."""
    ports = _one_to_one(prose)
    if ports is None:
        return None
    source, output = ports
    match = prose.take(
        r"population count(?:er)?(?: circuit)?(?: for (?:an? )?(\d+)-bit (?:input )?(?:vector|number)?)?"
    ) or prose.take(
        r"counts? (?:the )?number of ['\"]?(?:1|one)['\"]?s? (?:bits )?in (?:an? |the )?(?:(\d+)-bit )?(?:input )?(?:vector|input|number)?(?: `?\w+`?)?"
    )
    if (
        match is None
        or (match[1] and int(match[1]) != source.width_bits)
        or source.width_bits >= 1 << output.width_bits
    ):
        return None
    prose.drop(r"['\"]?population count['\"]? circuit counts the number of ['\"]?1['\"]?s? in an? input vector")
    return Circuit(outputs={output.name: counted_ones(prose.whole(source), output.width_bits)})


def read_parts(prose: Prose) -> Circuit | None:
    """A vector as it is and bit by bit, or its halves: `connect output o0 to position 0`, `upper byte`."""
    if len(prose.inputs) != 1:
        return None
    source = prose.inputs[0]
    found = _bits_of(prose, source) or _halves(prose, source)
    return Circuit(outputs=found) if found else None


def _bits_of(prose: Prose, source: PortDeclaration) -> dict[str, Expr] | None:
    """Outputs that carry their index in their names, and one that is the whole."""
    match = prose.take(
        r"(?:connect )?(?:output )?`?(\w+?)(\d)`?(?: is connected)? to (?:the )?(?:input )?(?:vector'?s? )?(?:bit |position )+(\d),? `?(\w+?)(\d)`? to (?:bit |position )*(\d),? (?:etc|and so on|.*\d)"
    )
    if match is None or match[1] != match[4] or (match[2], match[5]) != (match[3], match[6]):
        return None
    outputs: dict[str, Expr] = {}
    for port in prose.interface.outputs:
        single = re.fullmatch(rf"{re.escape(match[1])}(\d+)", port.name, re.I)
        if single is not None and port.width_bits == 1 and int(single[1]) < source.width_bits:
            outputs[port.name] = part(source, source.lsb + int(single[1]), source.lsb + int(single[1]))
        elif port.width_bits == source.width_bits:
            outputs[port.name] = prose.whole(source)
        else:
            return None
    prose.drop(
        r"(?:has |one )*(?:\d+-bit )?(?:input|vector)(?: vector)?,? ?(?:and )?then outputs the same vector,? and also splits it into (?:three|\w+) separate (?:1-bit )?outputs",
    )
    return outputs


def _halves(prose: Prose, source: PortDeclaration) -> dict[str, Expr] | None:
    """Two outputs that are the upper and the lower half."""
    outputs = prose.interface.outputs
    half = source.width_bits // 2
    if len(outputs) != 2 or source.width_bits % 2 or any(port.width_bits != half for port in outputs):
        return None
    match = prose.take(
        r"(?:split|separate|divide)s? (?:an? |the )?(?:input )?(?:(\d+)-bit |half-word |word )*(?:\(\d+ bits?,? ?\[\d+:\d+\]\) )?(?:input )?(?:half-word |word |vector |number )?"
        r"(?:\(\d+ bits?,? ?\[\d+:\d+\]\) )?into (?:its |the )?(lower|upper|low|high|least significant|most significant) (?:\[\d+:\d+\] )?(?:and|,) (?:the )?(upper|lower|high|low|most significant|least significant) (?:\[\d+:\d+\] )?(?:bytes?|halves|half|nibbles?)(?: \(?\[?.*)?"
    )
    if match is None or (match[1] and int(match[1]) != source.width_bits):
        return None
    by_side: dict[str, Expr] = {}
    for port in outputs:
        side = re.search(r"(hi|up|msb)|(lo|lsb)", port.name, re.I)
        if side is None:
            return None
        low = source.lsb + (half if side[1] else 0)
        by_side[port.name] = part(source, low + half - 1, low)
    return by_side if len({one.text for one in by_side.values()}) == 2 else None


def read_joined(prose: Prose) -> Circuit | None:
    """All inputs one after the other, with constant bits behind, cut into the outputs."""
    match = prose.take(
        r"(?:the )?output should be (?:an? )?(?:the )?concatenation of (?:the )?input vectors(?: followed by (\w+) (1|0|one|zero) bits?(?: \(the .* bits should be in the lsb positions?\))?)?"
    )
    if match is None:
        return None
    extra = number(match[1]) if match[1] else 0
    if extra is None:
        return None
    ones = match[2] in ("1", "one")
    width = sum(port.width_bits for port in prose.inputs) + extra
    outputs = prose.interface.outputs
    if width != sum(port.width_bits for port in outputs):
        return None
    bits = [part(port, index, index) for port in prose.inputs for index in range(port.msb, port.lsb - 1, -1)]
    bits += [const(int(ones), 1)] * extra
    found: dict[str, Expr] = {}
    for port in outputs:
        own, bits = bits[: port.width_bits], bits[port.width_bits :]
        found[port.name] = joined(own)
    prose.drop(
        r"given several input vectors, concatenate them together then splits? them up into several output vectors",
        r"concatenates? (?:the )?input vectors together then splits? them up into several output vectors",
        r"(?:there are )?(?:\w+) \d+-bit input vectors: .*, for a total of \d+ bits of input",
        r"(?:there are )?(?:\w+) \d+-bit output vectors: .*, for \d+ bits of output",
    )
    return Circuit(outputs=found)


def read_bitwise_pair(prose: Prose) -> Circuit | None:
    """Bitwise and logical OR of two vectors, and the inverse of both."""
    if len(prose.inputs) != 2 or prose.inputs[0].width_bits != prose.inputs[1].width_bits:
        return None
    one, two = prose.inputs
    match = prose.take(
        r"(?:module )?(?:with )?two \d+-bit inputs that computes? the bitwise-(or|and|xor) of the two vectors, the logical-(or|and) of the two vectors, and the inverse \(not\) of both vectors"
    )
    place = prose.take(
        r"place the inverse of `?(\w+)`? in the (upper|lower) half of `?(\w+)`? (?:\(i\.e\., bits \[\d+:\d+\]\), )?and the inverse of `?(\w+)`? in the (?:lower|upper)(?: half)?"
    )
    if match is None or place is None:
        return None
    first, second, target = prose.port(place[1]), prose.port(place[4]), prose.port(place[3])
    if first is None or second is None or target is None or {first.name, second.name} != {one.name, two.name}:
        return None
    high, low = (first, second) if place[2] == "upper" else (second, first)
    found: dict[str, Expr] = {target.name: joined([inverse(prose.whole(high)), inverse(prose.whole(low))])}
    sign = {"or": "|", "and": "&", "xor": "^"}
    for port in prose.interface.outputs:
        if port is target:
            continue
        if port.width_bits == one.width_bits and "bit" in port.name.lower():
            found[port.name] = bitwise(sign[match[1]], [prose.whole(one), prose.whole(two)])
        elif port.width_bits == 1 and "logic" in port.name.lower():
            found[port.name] = bitwise(sign[match[2]], [reduce("|", prose.whole(one)), reduce("|", prose.whole(two))])
        else:
            return None
    return Circuit(outputs=found)


_NEIGHBOUR = re.compile(
    r"`?(?P<port>\w+)`?: each bit of this output vector should indicate whether (?P<how>both|any of|the corresponding input bit is different from)"
)


def read_neighbours(prose: Prose) -> Circuit | None:
    """For each bit what it and its neighbour are: both 1, any 1, different; with what holds at the ends."""
    if len(prose.inputs) != 1:
        return None
    source = prose.inputs[0]
    outputs: dict[str, Expr] = {}
    for port in prose.interface.outputs:
        value = _relation(prose, port, source)
        if value is None:
            return None
        outputs[port.name] = value
    prose.drop(
        r"(?:takes as input |you are given )?(?:an? |as input )*(?:[\w-]+[- ]bit )?input vector(?: `?\w+`?\[\d+:\d+\])?(?: and (?:should )?produces? the following (?:three|\w+) outputs)?",
        r"(?:module )?(?:takes|given) as input an? .* and should produce the following (?:three|\w+) outputs",
        r"you are given an? .* input vector(?: \S+)?",
        r"(?:we want )?(?:to )?know some relationships between each bit and its neighbou?r",
    )
    return Circuit(outputs=outputs)


def _relation(prose: Prose, port: PortDeclaration, source: PortDeclaration) -> Expr | None:
    name = re.escape(port.name.lower())
    match = prose.take(
        rf"`?{name}`?: each bit of this output vector should indicate whether (both the|any of the|the) corresponding input bit "
        r"(?:and|is different from) its neighbou?r to the (left|right)(?: \(higher index\)| \(lower index\))?(?: (?:are|is) '?1'?)?"
    )
    if match is None:
        return None
    left = match[2] == "left"
    kind = {"both the": "&", "any of the": "|", "the": "^"}[match[1]]
    prose.take(rf"for example, `?{name}`?\[\d+\] should indicate if .*")
    wraps = (
        kind == "^"
        and prose.take(
            r"for this part, treat the vector as wrapping around, so \S+'s neighbou?r to the (?:left|right) is \S+"
        )
        is not None
    )
    lone = source.msb if left else source.lsb
    edge = prose.take(
        rf"since \w+\[{lone}\] has no neighbou?r to the {match[2]}, the answer is obvious so (?:simply set `?{name}`?\[{lone}\] to be (?:zero|0)|we don't need to know `?{name}`?\[{lone}\])"
    )
    if not wraps and edge is None:
        return None
    if port.width_bits == source.width_bits:
        indices = list(range(source.msb, source.lsb - 1, -1))
    else:
        indices = [index for index in range(source.msb, source.lsb - 1, -1) if index != lone]
        if port.width_bits != len(indices):
            return None
    values = list(_neighboured(source, indices, kind, left=left, wraps=wraps, lone=lone))
    return _compact(source, values, indices, kind, left=left, wraps=wraps, lone=lone)


def _neighboured(
    source: PortDeclaration, indices: list[int], kind: str, *, left: bool, wraps: bool, lone: int
) -> Iterator[Expr]:
    for index in indices:
        other = index + 1 if left else index - 1
        if not source.lsb <= other <= source.msb:
            if not wraps:
                yield const(0, 1)
                continue
            other = source.lsb if left else source.msb
        yield bitwise(kind, [part(source, index, index), part(source, other, other)])


def _compact(
    source: PortDeclaration, values: list[Expr], indices: list[int], kind: str, *, left: bool, wraps: bool, lone: int
) -> Expr:
    """The same as one expression over the whole vector, where every bit has its value."""
    bit = joined(values)
    high, low = source.msb, source.lsb
    own = part(source, high, low)
    if left:
        moved = joined([part(source, low, low) if wraps else const(0, 1), part(source, high, low + 1)])
    else:
        moved = joined([part(source, high - 1, low), part(source, high, high) if wraps else const(0, 1)])
    if len(indices) < source.width_bits:
        inner = (high - 1, low) if lone == high else (high, low + 1)
        outer = (high, low + 1) if lone == high else (high - 1, low)
        return bitwise(kind, [part(source, *inner), part(source, *outer)])
    if wraps:
        return bitwise(kind, [own, moved])
    # The end that has no neighbour is 0 whatever its own bit is.
    masked = part(source, high - 1, low) if left else part(source, high, low + 1)
    shifted = part(source, high, low + 1) if left else part(source, high - 1, low)
    inside = bitwise(kind, [masked, shifted])
    pieces = [const(0, 1), inside] if left else [inside, const(0, 1)]
    return joined(pieces) if bit.width == source.width_bits else bit


def read_repetition(prose: Prose) -> Circuit | None:
    """One bit copied to all bits of the output."""
    ports = _one_to_one(prose)
    if ports is None or ports[0].width_bits != 1 or ports[1].width_bits < 2:
        return None
    if (
        prose.take(
            r"(?:replicate|copy|repeat)s? (?:the )?input(?: bit)? (?:to|across|into) (?:every|all)(?: bits?)?(?: of)? (?:the )?output(?: vector)?"
        )
        is None
    ):
        return None
    return Circuit(outputs={ports[1].name: repeated(prose.whole(ports[0]), ports[1].width_bits)})
