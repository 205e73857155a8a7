"""How a design is written down: everything about a text that does not change what it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One way of writing; the defaults are the canonical form."""

    # Names
    case: str = "snake"
    """snake, camel"""
    port_affix: str = ""
    """empty, `i_` (i_, o_ before), `_i` (_i, _o behind), `_in` (_in, _out behind)"""
    register_affix: str = ""
    next_affix: str = "_next"
    synonyms: float = 0.0
    """How likely a noun is replaced by another one for the same thing."""
    names: int = 0
    """Seed of the choices among names."""
    clock: str = "clk"
    reset: str = "rst"

    # Language
    reset_low: bool = False
    reset_async: bool = False
    systemverilog: bool = True
    enumerations: bool = True
    """Whether states are an enumeration rather than local parameters."""
    ansi: bool = True
    constants: str = "parameter"
    """parameter, localparam, define, magic"""
    radix: str = "keep"
    """keep, d, h, b"""
    star: str = "@(*)"
    not_reset: str = "!"
    port_types: bool = True
    """In Verilog, whether a port that is a wire says so."""
    merge_wires: bool = False
    state_prefix: str = ""
    generate_keywords: bool = False
    """Whether generate loops stand between `generate` and `endgenerate`."""
    short_if: bool = False
    """A condition with one short statement stands on one line."""
    one_bit: str = "keep"
    """keep, `compare`: a condition on one bit is written `== 1'b1`"""

    # Layout
    indent: str = "  "
    begin: str = "keep"
    """keep, all, needed"""
    begin_own_line: bool = False
    else_own_line: bool = False
    case_inline: bool = True
    tight: bool = False
    """No spaces around operators."""
    keyword_space: bool = True
    comma_space: bool = True
    align_ports: bool = False
    blank_lines: str = "keep"
    """keep: between the parts of a module; none; wide"""
    declarations: str = "keep"
    """keep, shuffle"""
    clock_last: bool = False
    end_label: bool = False
    """In SystemVerilog."""
    instance_lines: bool = True

    # Comments
    comments: str = "all"
    """all, blocks, lines, some, none"""
    block_comments: bool = False
    header: str = "none"
    """none, brief, box"""
    preamble: str = "none"
    """none, timescale, nettype"""

    def to_json(self) -> dict[str, Any]:
        """The settings that are not the canonical ones."""
        return {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default and field.name != "names"
        }

    @property
    def held_out(self) -> bool:
        """Whether texts in this style are kept out of training: one look in twenty, named by its traits."""
        return self.indent == "   " or (self.reset_low and self.reset_async and self.case == "camel")

    @classmethod
    def draw(cls, random: Random) -> Style:
        """A style as engineers have them: traits go together, so a house style is drawn, then varied."""
        systemverilog = random.random() < 0.5
        low = random.random() < 0.55
        return cls(
            case=_weighted(random, {"snake": 9, "camel": 1}),
            port_affix=_weighted(random, {"": 12, "i_": 3, "_i": 3, "_in": 1}),
            register_affix=_weighted(random, {"": 8, "_q": 4, "_r": 3, "_reg": 3}),
            next_affix=_weighted(random, {"_next": 4, "_nxt": 2, "_d": 3, "_n": 2}),
            synonyms=random.choice((0.0, 0.3, 0.6)),
            names=random.randrange(1 << 30),
            clock=_weighted(random, {"clk": 12, "clock": 3, "clk_i": 2, "i_clk": 2, "CLK": 1, "sys_clk": 1}),
            reset=_weighted(random, _LOW_RESETS if low else _HIGH_RESETS),
            reset_low=low,
            reset_async=random.random() < 0.5,
            systemverilog=systemverilog,
            enumerations=random.random() < 0.75,
            ansi=systemverilog or random.random() < 0.7,
            constants=_weighted(random, {"parameter": 6, "localparam": 2, "define": 1, "magic": 5}),
            radix=_weighted(random, {"keep": 6, "d": 2, "h": 2, "b": 1}),
            star=_weighted(random, {"@(*)": 5, "@*": 4, "@ (*)": 1}),
            not_reset=_weighted(random, {"!": 5, "~": 3, "== 1'b0": 1}),
            port_types=random.random() < 0.5,
            merge_wires=random.random() < 0.5,
            state_prefix=_weighted(random, {"": 8, "S_": 3, "ST_": 2}),
            generate_keywords=random.random() < 0.5,
            short_if=random.random() < 0.3,
            one_bit=_weighted(random, {"keep": 9, "compare": 1}),
            indent=_weighted(random, {"  ": 7, "    ": 7, "\t": 2, "   ": 1}),
            begin=_weighted(random, {"keep": 4, "all": 3, "needed": 3}),
            begin_own_line=random.random() < 0.15,
            else_own_line=random.random() < 0.4,
            case_inline=random.random() < 0.6,
            tight=random.random() < 0.12,
            keyword_space=random.random() < 0.8,
            comma_space=random.random() < 0.9,
            align_ports=random.random() < 0.4,
            blank_lines=_weighted(random, {"keep": 6, "none": 1, "wide": 1}),
            declarations=_weighted(random, {"keep": 3, "shuffle": 1}),
            clock_last=random.random() < 0.1,
            end_label=random.random() < 0.2,
            instance_lines=random.random() < 0.8,
            comments=_weighted(random, {"all": 4, "blocks": 3, "lines": 1, "some": 3, "none": 4}),
            block_comments=random.random() < 0.1,
            header=_weighted(random, {"none": 6, "brief": 3, "box": 2}),
            preamble=_weighted(random, {"none": 7, "timescale": 2, "nettype": 1}),
        )


CANONICAL = Style()

_HIGH_RESETS = {"rst": 9, "reset": 6, "rst_i": 2, "i_rst": 2, "RST": 1, "sys_rst": 1, "srst": 1}
_LOW_RESETS = {"rst_n": 10, "reset_n": 3, "resetn": 3, "rst_ni": 2, "i_rst_n": 2, "nrst": 1, "aresetn": 1, "RST_N": 1}


def _weighted(random: Random, choices: dict[str, int]) -> str:
    values: Sequence[str] = tuple(choices)
    return random.choices(values, tuple(choices.values()))[0]
