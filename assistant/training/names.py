"""New names for what a design declares, by one scheme a design."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from random import Random

from veriloop.assistant.training.facts import Facts
from veriloop.assistant.training.style import Style

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "acc": ("accum", "accumulator", "sum"),
    "accept": ("take", "fire", "xfer"),
    "ack": ("acknowledge", "ackn", "done"),
    "active": ("busy", "running", "act"),
    "addr": ("address", "adr", "a"),
    "alarm": ("alert", "irq", "warn"),
    "amount": ("amt", "shamt", "dist"),
    "baud": ("bit", "brg"),
    "bit_count": ("bitcnt", "nbits"),
    "buffer": ("buf", "hold", "store"),
    "busy": ("active", "running", "working"),
    "button": ("btn", "key", "pb"),
    "byte": ("octet", "data"),
    "carry": ("cy", "c"),
    "channel": ("chan", "ch"),
    "clear": ("clr", "flush", "zero"),
    "code": ("sym", "encoded", "cd"),
    "coin": ("money", "token"),
    "command": ("cmd", "op"),
    "count": ("cnt", "counter", "ctr", "tally"),
    "credit": ("tokens", "credits", "avail"),
    "data": ("dat", "payload", "word", "d"),
    "delay": ("dly", "latency"),
    "depth": ("level", "fill"),
    "detect": ("found", "det", "match"),
    "din": ("data_in", "d", "wdata", "in_data", "datain"),
    "dir": ("direction", "up_down"),
    "divisor": ("div", "den", "denominator"),
    "dividend": ("num", "numer", "numerator"),
    "done": ("finished", "complete", "rdy", "fin"),
    "dout": ("data_out", "q", "rdata", "out_data", "dataout"),
    "duty": ("level", "compare", "threshold"),
    "empty": ("is_empty", "mt", "none_left"),
    "en": ("enable", "ce", "ena", "en_in"),
    "enable": ("en", "ce", "ena"),
    "error": ("err", "fault", "bad"),
    "fill": ("level", "used", "occupancy"),
    "flag": ("flg", "status"),
    "frame": ("frm", "packet"),
    "full": ("is_full", "no_room", "fl"),
    "grant": ("gnt", "gr", "ack"),
    "head": ("hd", "front", "first"),
    "hit": ("match", "found"),
    "hold": ("keep", "stall", "freeze"),
    "idle": ("quiet", "inactive"),
    "index": ("idx", "pos", "ix"),
    "last": ("eop", "final", "end_of_packet"),
    "level": ("lvl", "fill", "amount"),
    "limit": ("max", "top", "bound"),
    "load": ("ld", "set", "preset"),
    "locked": ("lock", "held"),
    "lower": ("low", "lo", "lsb"),
    "mask": ("msk", "enables"),
    "match": ("hit", "eq", "same"),
    "mem": ("ram", "storage", "array", "memory"),
    "mode": ("cfg", "md", "sel"),
    "occupied": ("busy", "full", "taken"),
    "op": ("opcode", "func", "operation", "cmd"),
    "overflow": ("ovf", "ovfl", "of"),
    "parity": ("par", "p"),
    "pending": ("pend", "waiting", "queued"),
    "period": ("cycle", "interval", "reload"),
    "phase": ("ph", "step"),
    "pop": ("rd_en", "read", "deq", "get"),
    "prev": ("last", "old", "previous", "d1"),
    "product": ("prod", "result", "p"),
    "ptr": ("pointer", "p", "addr"),
    "pulse": ("tick", "strobe", "stb"),
    "push": ("wr_en", "write", "enq", "put"),
    "quotient": ("quot", "quo", "q"),
    "rd": ("read", "r", "rd"),
    "ready": ("rdy", "ok", "can_take"),
    "remainder": ("rem", "rest", "modulo"),
    "req": ("request", "rq", "ask"),
    "result": ("res", "out", "y", "value"),
    "sample": ("smp", "x", "value"),
    "sel": ("select", "s", "choice", "which"),
    "serial": ("ser", "s", "stream"),
    "shift": ("sh", "shreg", "sr"),
    "sign": ("sgn", "neg"),
    "stage": ("st", "pipe", "step"),
    "start": ("go", "begin_op", "launch", "trigger"),
    "state": ("st", "cs", "fsm", "current_state", "state"),
    "status": ("stat", "flags"),
    "stop": ("halt", "abort", "quit"),
    "strobe": ("stb", "pulse", "tick"),
    "sum": ("total", "s", "acc"),
    "tail": ("tl", "back", "end_ptr"),
    "tick": ("pulse", "strobe", "ce"),
    "timeout": ("expired", "tmo", "timed_out"),
    "timer": ("tmr", "counter", "countdown"),
    "token": ("tok", "turn"),
    "trigger": ("trig", "fire"),
    "upper": ("high", "hi", "msb"),
    "valid": ("vld", "v", "en"),
    "value": ("val", "v", "number"),
    "window": ("win", "span"),
    "word": ("data", "wd", "entry"),
    "wr": ("write", "w", "wr"),
    "zero": ("z", "is_zero", "nil"),
    "WIDTH": ("W", "DATA_WIDTH", "DW", "BITS", "N"),
    "DEPTH": ("ENTRIES", "SIZE", "WORDS", "N"),
    "LIMIT": ("MAX", "TOP", "MODULUS"),
    "PERIOD": ("CYCLES", "DIVIDE", "DIV"),
    "ADDR": ("A", "ADR", "AW"),
    "COUNT": ("CNT", "NUM", "N"),
    "INIT": ("START", "SEED", "RESET_VALUE"),
    "STAGES": ("DEPTH", "N", "LATENCY"),
    "DONE": ("FINISH", "COMPLETE", "END_ST"),
    "IDLE": ("WAIT", "READY", "REST"),
    "RUN": ("BUSY", "ACTIVE", "WORK"),
    "START": ("BEGIN_ST", "INIT", "GO"),
}
"""Nouns of the canonical texts, and what else engineers call the same thing."""

RESERVED = frozenset(
    "accept_on alias always and assert assign assume auto automatic before begin bind bins binsof bit break buf"
    " bufif0 bufif1 byte case casex casez cell chandle char checker class clocking cmos config const constraint"
    " context continue cover covergroup coverpoint cross deassign default defparam delete design disable dist do"
    " double edge else end endcase endmodule enum event eventually expect export extends extern final first_match"
    " float for force foreach forever fork forkjoin function generate genvar global highz0 highz1 if iff ifnone"
    " ignore_bins illegal_bins implements implies import incdir include initial inout input inside instance int"
    " integer interconnect interface intersect join large let liblist library local localparam logic long longint"
    " macromodule matches medium modport module nand negedge nettype new nexttime nmos nor noshowcancelled not"
    " notif0 notif1 null operator or output package packed parameter pmos posedge primitive priority private"
    " program property protected public pull0 pull1 pulldown pullup pure rand randc randcase randsequence rcmos"
    " real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran s_always scalared sequence"
    " short shortint shortreal signed small soft solve specify specparam static string strong strong0 struct super"
    " supply0 supply1 table tagged task template this throughout time timeprecision timeunit tran tri tri0 tri1"
    " triand trior trireg type typedef typename union unique unsigned until until_with untyped use uwire var"
    " vectored virtual void wait wand weak weak0 weak1 while wildcard wire with within wor xnor xor".split()
)
"""Words of SystemVerilog and of C++, which Verilator's output trips over."""


def is_clock(name: str) -> bool:
    """Whether a canonical name is a clock's."""
    return name == "clk" or name.endswith("_clk")


def is_reset(name: str) -> bool:
    """Whether a canonical name is a reset's."""
    return name == "rst" or name.endswith("_rst")


def rename(found: Facts, style: Style, taken: Iterable[str]) -> dict[str, str]:
    """The new name of each name that a module declares; two never get the same, and none gets one in `taken`.

    Args:
        found: the module.
        style: what kind of names.
        taken: names that must not be given: all that stand in the text and are not renamed.
    """
    new: dict[str, str] = {}
    used = {*taken, *RESERVED}

    def give(old: str, *wishes: str) -> None:
        name = next((wish for wish in (*wishes, old, f"{old}_1", f"{old}_2") if wish not in used), f"{old}_3")
        new[old] = name
        used.add(name)

    for old, declared in found.signals.items():
        if declared.direction and (is_clock(old) or is_reset(old)):
            give(old, _control(old, style))
    bases: dict[str, str] = {}
    for old, declared in found.signals.items():
        if old in new or old.endswith("_next"):
            continue
        base = _cased(_noun(old, style), style)
        plain = _cased(old, style)
        bases[old] = base
        if declared.direction:
            give(old, _port(base, declared.direction, style), _port(plain, declared.direction, style), base, plain)
        elif old in found.registers and not declared.unpacked:
            give(old, base + style.register_affix, plain + style.register_affix, base, plain)
        else:
            give(old, base, plain)
    for old in found.signals:
        if old not in new:
            stem = old.removesuffix("_next")
            give(old, bases.get(stem, _cased(_noun(stem, style), style)) + style.next_affix)
    for old in dict.fromkeys(found.instances):
        give(old, _instance(old, style))
    for old in dict.fromkeys(found.genvars):
        give(old, Random(f"{style.names} {old}").choice((old, "g", "gi", "n")) if style.synonyms else old)
    for old in dict.fromkeys((*found.constants, *found.states)):
        prefix = style.state_prefix if old in found.states else ""
        give(old, prefix + _noun(old, style), prefix + old)
    return new


def _instance(old: str, style: Style) -> str:
    stem = old.removeprefix("u_")
    if not style.synonyms or not stem[:1].isalpha():
        return old
    return Random(f"{style.names} instance").choice((old, old, f"i_{stem}", f"{stem}_inst", f"{stem}_0"))


def _port(base: str, direction: str, style: Style) -> str:
    way = "i" if direction == "input" else "o"
    match style.port_affix:
        case "i_":
            return f"{way}_{base}"
        case "_i":
            return f"{base}_{way}"
        case "_in":
            return f"{base}_{'in' if way == 'i' else 'out'}"
    return base


def _control(old: str, style: Style) -> str:
    """A clock's or a reset's name, with the domain before it where there are several."""
    domain, _, _ = old.rpartition("_")
    name = style.clock if is_clock(old) else style.reset
    return f"{domain}_{name}" if domain else name


def _noun(old: str, style: Style) -> str:
    """A name with some of its words replaced, the same word always in the same way."""
    if style.synonyms == 0:
        return old
    words = [_synonym(word, style) for word in old.split("_")]
    return "_".join(words)


def _synonym(word: str, style: Style) -> str:
    random = Random(f"{style.names} {word}")
    stem, digits = re.fullmatch(r"(.*?)(\d*)", word).groups()  # type: ignore[union-attr]
    choices = SYNONYMS.get(stem)
    if choices is None or random.random() >= style.synonyms:
        return word
    return random.choice(choices) + digits


def _cased(name: str, style: Style) -> str:
    if style.case == "snake" or not re.fullmatch(r"[a-z0-9_]+", name):
        return name
    first, *rest = [part for part in name.split("_") if part]
    return first + "".join(word.capitalize() for word in rest)
