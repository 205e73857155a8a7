"""A draft in a style: the text, and where its signals are found in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from veriloop.assistant.training import reform
from veriloop.assistant.training.code import Instance, Module, read_modules, walk
from veriloop.assistant.training.draft import Draft
from veriloop.assistant.training.facts import Facts, declarations, facts, rewrite, width_bits
from veriloop.assistant.training.language import chooses_states, needs_systemverilog, to_plain_states, to_verilog
from veriloop.assistant.training.names import is_clock, is_reset, rename
from veriloop.assistant.training.printer import print_modules
from veriloop.assistant.training.style import CANONICAL, Style

_QUOTED = re.compile(r"`([A-Za-z_]\w*)`")
_MARK = "\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A port of the top module."""

    canonical: str
    name: str
    """In this text."""
    output: bool
    width_bits: int

    @property
    def clock(self) -> bool:
        """Whether it is a clock."""
        return not self.output and is_clock(self.canonical)

    @property
    def reset(self) -> bool:
        """Whether it is a reset."""
        return not self.output and is_reset(self.canonical)


@dataclass(frozen=True, slots=True)
class Remark:
    """What a comment says about a place in the code; `line` is 1-based, of the code that it is about."""

    line: int
    text: str
    block: bool
    """It is about what follows, rather than about its own line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One text of a design."""

    top: str
    text: str
    pins: tuple[Pin, ...]
    about: str
    remarks: tuple[Remark, ...]
    style: Style
    modules: tuple[str, ...]
    """The names of all modules in the text."""


def render(draft: Draft, style: Style = CANONICAL, *, seed: int = 0) -> Rendered:
    """Writes a draft in a style.

    Raises:
        ValueError: the draft is not in the canonical form.
    """
    random = Random(f"render {seed} {style.names}")
    modules = read_modules(draft.rtl)
    known = [facts(module) for module in modules]
    for index, (module, found) in enumerate(zip(modules, known, strict=True)):
        plain = not (style.enumerations and style.systemverilog) or chooses_states(module, found)
        if found.types and plain:
            to_plain_states(module, found)
            known[index] = replace(facts(module), states=found.states)
    top = top_module(modules)
    old_top = top.name
    pins = _pins(top, known[modules.index(top)])
    style = _possible(style, modules, known)
    instances = [part for module in modules for part in walk(module) if isinstance(part, Instance)]
    parametrised = {part.module for part in instances if part.parameters}
    head: list[str] = []
    for module, found in zip(modules, known, strict=True):
        if len(modules) == 1 or style.constants != "define":
            head += reform.place_constants(module, found, style, fixed=module.name in parametrised)
            _number_remarks(module, found, style)
        _reformed(module, found, style, random)
    names = _renamed(modules, known, style, draft, random)
    table = names[old_top]
    pins = tuple(replace(pin, name=table.get(pin.canonical, pin.canonical)) for pin in pins)
    about = _about(draft, style, table, random)
    new_top = names[""][old_top]
    return _printed(modules, style, head, about, random, pins=pins, top=new_top, names=names)


def _number_remarks(module: Module, found: Facts, style: Style) -> None:
    """Makes comments give the number of a parameter that the text does not name any more."""
    if style.constants != "magic":
        return
    kept = {entry.name for entry in module.parameters}
    numbers = {name: str(value) for name, value in found.values().items() if name in found.parameters}
    table = {name: number for name, number in numbers.items() if name not in kept}

    def said(text: str) -> str:
        return _QUOTED.sub(lambda match: table.get(match[1], match[0]), text)

    for part in (*module.parameters, *module.ports, *walk(module)):
        part.lead = [said(text) for text in part.lead]
        part.note = said(part.note)


def top_module(modules: Sequence[Module]) -> Module:
    """The module that no other one instantiates."""
    used = {part.module for module in modules for part in walk(module) if isinstance(part, Instance)}
    return next(module for module in modules if module.name not in used)


def _pins(top: Module, found: Facts) -> tuple[Pin, ...]:
    values = found.values()
    return tuple(
        Pin(
            canonical=port.name,
            name=port.name,
            output=port.words[0] == "output",
            width_bits=width_bits(declarations([*port.words, ";"])[0], values),
        )
        for port in top.ports
    )


def _possible(style: Style, modules: Sequence[Module], known: Sequence[Facts]) -> Style:
    """The style, without what this text does not allow."""
    if not style.systemverilog and needs_systemverilog(modules, known):
        style = replace(style, systemverilog=True, ansi=True)
    if style.reset_async and any(reform.only_synchronous(module) for module in modules):
        style = replace(style, reset_async=False)
    if not style.ansi and style.constants == "parameter" and len(modules) > 1:
        style = replace(style, ansi=True)
    if len(modules) > 1 and style.constants == "define":
        style = replace(style, constants="parameter")
    return style


def _reformed(module: Module, found: Facts, style: Style, random: Random) -> None:
    reform.set_reset(module, style)
    if style.one_bit == "compare":
        reform.compare_bits(module, found)
    if not style.systemverilog:
        to_verilog(module, found, style)
        if style.merge_wires:
            reform.merge_wires(module, found)
    reform.set_radix(module, style)
    reform.set_blocks(module, style)
    if style.declarations == "shuffle":
        reform.shuffle_declarations(module, found, random)
    if style.generate_keywords:
        reform.add_generate(module)
    if style.clock_last:
        reform.clock_last(module)


def _renamed(
    modules: Sequence[Module], known: Sequence[Facts], style: Style, draft: Draft, random: Random
) -> dict[str, dict[str, str]]:
    """Renames everything; returns the new names by module, and those of the modules under the empty name."""
    every: set[str] = set()

    def note(words: list[str]) -> list[str]:
        every.update(words)
        return words

    for module in modules:
        rewrite(module, note)
    top = top_module(modules)
    names: dict[str, dict[str, str]] = {"": {}}
    for module, found in zip(modules, known, strict=True):
        kept = every - found.signals.keys() - found.constants.keys() - {*found.states, *found.genvars}
        names[module.name] = rename(found, style, {*kept, *(one.name for one in modules)})
        names[""][module.name] = module.name
    used = {new for table in names.values() for new in table.values()} | every
    wishes = [name for name in draft.names if name not in used]
    if wishes and style.synonyms:
        names[""][top.name] = random.choice((top.name, *wishes))
    for module in modules:
        _apply(module, names)
    return names


def _apply(module: Module, names: Mapping[str, Mapping[str, str]]) -> None:
    table = names[module.name]

    def change(words: list[str]) -> list[str]:
        return [table.get(word, f"`{table.get(word[1:], word[1:])}" if word[0] == "`" else word) for word in words]

    rewrite(module, change)
    for part in walk(module):
        if isinstance(part, Instance):
            inner = names[part.module]
            part.ports = [(inner.get(name, name), value) for name, value in part.ports]
            part.parameters = [(inner.get(name, name), value) for name, value in part.parameters]
            part.module = names[""][part.module]
            part.name = table.get(part.name, part.name)
        part.lead = [_translated(text, table) for text in part.lead]
        part.note = _translated(part.note, table)
    for entry in (*module.parameters, *module.ports):
        entry.lead = [_translated(text, table) for text in entry.lead]
        entry.note = _translated(entry.note, table)
    module.name = names[""][module.name]


def _translated(text: str, table: Mapping[str, str], quote: str = "") -> str:
    return _QUOTED.sub(lambda match: f"{quote}{table.get(match[1], match[1])}{quote}", text)


def _about(draft: Draft, style: Style, table: Mapping[str, str], random: Random) -> str:
    """The paragraph that describes the module, with what the style adds to it: the reset's kind."""
    text = " ".join(random.choice((draft.about,) if isinstance(draft.about, str) else draft.about).split())
    text = _translated(text, table, random.choice(("`", "")))
    resets = [new for name, new in table.items() if is_reset(name)]
    if resets:
        way = "asynchronous" if style.reset_async else "synchronous"
        level = "low" if style.reset_low else "high"
        text += f" {way.capitalize()} active-{level} reset {' and '.join(resets)}."
    return text


def _printed(
    modules: Sequence[Module],
    style: Style,
    head: Sequence[str],
    about: str,
    random: Random,
    *,
    pins: tuple[Pin, ...],
    top: str,
    names: Mapping[str, Mapping[str, str]],
) -> Rendered:
    """Prints the text, and finds where each comment of the full text would stand."""
    marked = _Marks(modules, style, random)
    macros = [_macro(line, names) for line in head]
    before, after = _frame(style, about, top)
    text = print_modules(modules, style, [*before, *macros, *([""] if macros else [])], after)
    text, remarks = marked.take(text)
    return Rendered(
        top=top,
        text=text,
        pins=pins,
        about=about,
        remarks=remarks,
        style=style,
        modules=tuple(module.name for module in modules),
    )


def _macro(line: str, names: Mapping[str, Mapping[str, str]]) -> str:
    word, name, value = line.split(" ", 2)
    table = {old: new for key, inner in names.items() if key for old, new in inner.items()}
    return f"{word} {table.get(name, name)} {value}"


def _frame(style: Style, about: str, top: str) -> tuple[list[str], list[str]]:
    before: list[str] = []
    after: list[str] = []
    first = about.split(". ")[0].rstrip(".")
    if style.header == "brief":
        before += [f"// {top}: {first}"]
    elif style.header == "box":
        before += ["//" + "-" * 70, f"// Module: {top}", f"// {first}", "//" + "-" * 70]
    if style.preamble == "timescale":
        before += ["`timescale 1ns / 1ps", ""]
    elif style.preamble == "nettype":
        before += ["`default_nettype none", ""]
        after += ["", "`default_nettype wire"]
    return before, after


class _Marks:
    """Stands a mark in for every comment, so that its place is known whether the style shows it or not."""

    def __init__(self, modules: Sequence[Module], style: Style, random: Random) -> None:
        self._texts: list[tuple[str, bool]] = []
        self._shown: list[bool] = []
        self._style = style
        for module in modules:
            for part in (*module.parameters, *module.ports, *walk(module)):
                part.lead = [self._mark(text, True, random) for text in part.lead]
                part.note = self._mark(part.note, False, random) if part.note else ""

    def _mark(self, text: str, block: bool, random: Random) -> str:
        self._texts.append((text, block))
        style = self._style.comments
        shown = style == "all" or (style == "blocks" and block) or (style == "lines" and not block)
        self._shown.append(shown or (style == "some" and random.random() < 0.4))
        return f"{_MARK}{len(self._texts) - 1}{_MARK}"

    def take(self, text: str) -> tuple[str, tuple[Remark, ...]]:
        """The text with its comments, and what each says about which line."""
        lines: list[str] = []
        remarks: list[Remark] = []
        waiting: list[str] = []
        for line in text.splitlines():
            match = re.search(rf"\s*(?://|/\*) {_MARK}(\d+){_MARK}(?: \*/)?", line)
            if match is None:
                lines.append(line)
            else:
                number = int(match[1])
                said, block = self._texts[number]
                if self._shown[number]:
                    lines.append(line.replace(f"{_MARK}{number}{_MARK}", said))
                elif not block:
                    lines.append(line[: match.start()])
                if block:
                    waiting.append(said)
                    continue
                remarks.append(Remark(len(lines), said, False))
            if waiting and lines[-1].strip():
                remarks.append(Remark(len(lines), " ".join(waiting), True))
                waiting = []
        return "\n".join(lines) + "\n", tuple(remarks)
