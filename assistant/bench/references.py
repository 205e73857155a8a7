"""The reference designs of public sets, for measuring what is done with a design alone.

RTLLM v2.0 (Lu et al., https://github.com/hkust-zhiyao/RTLLM), ChipBench's generation tasks
(https://github.com/zhongkaiyu/ChipBench) and HDLBits as AutoBench uses it (https://github.com/AutoBench/CorrectBench).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.bench.chipbench import modules
from veriloop.assistant.bench.problems import hdlbits
from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import UsageError

RTL = Path("rtl/design.sv")
_DEFINES = re.compile(r"^[ \t]*`define[ \t]+\w+[^\n]*$", re.M)
_INSTANCE = re.compile(rb"^\s*(\w+)\s*(?:#\s*\([^;]*?\))?\s+\w+\s*\(", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceDesign:
    """A design that is right by definition, with its set's own testbench.

    Attributes:
        name: what it is called.
        rtl: its text, helper modules included.
        toplevel: its module.
        bench: the testbench's files by name; empty where there is none.
        bench_top: the testbench's module.
        instance: the module's name that the testbench instantiates.
    """

    name: str
    rtl: bytes
    toplevel: str
    bench: Mapping[str, bytes]
    bench_top: str
    instance: str

    @property
    def design(self) -> Design:
        """The design alone, as the file `RTL` of a tree."""
        return Design(toplevel=self.toplevel, sources=(RTL,))


def reference_designs(data: Path) -> Iterator[ReferenceDesign]:
    """The designs of whichever set lies in a directory.

    Raises:
        UsageError: none does.
    """
    if any(data.rglob("design_description.txt")):
        yield from _rtllm(data)
    elif any(data.rglob("Prob*_ref.sv")):
        yield from _problems(data)
    elif (data / "HDLBits_data.jsonl").is_file():
        for problem in hdlbits(data):
            yield ReferenceDesign(
                name=problem.name,
                rtl=problem.golden,
                toplevel="top_module",
                bench=problem.bench,
                bench_top="tb",
                instance="top_module",
            )
    else:
        raise UsageError(f"{data} holds none of the sets that are known here: RTLLM, ChipBench, HDLBits")


def _rtllm(data: Path) -> Iterator[ReferenceDesign]:
    for description in sorted(data.rglob("design_description.txt")):
        folder = description.parent
        references = sorted(folder.glob("verified_*.v"))
        bench = folder / "testbench.v"
        if not references or not bench.is_file():
            continue
        rtl = references[0].read_bytes()
        others = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".dat", ".txt", ".hex")}
        others.pop("design_description.txt", None)
        tops = _tops(rtl)
        text = bench.read_bytes()
        instances = {name.decode() for name in _INSTANCE.findall(text)} - set(modules(text))
        wanted = [name for name in instances if name in folder.name or folder.name in name or name in tops]
        yield ReferenceDesign(
            name=folder.name,
            rtl=rtl,
            toplevel=tops[0] if tops else "",
            bench={"testbench.v": text, **others},
            bench_top=next(iter(modules(text)), ""),
            instance=wanted[0] if wanted else folder.name,
        )


def _problems(data: Path) -> Iterator[ReferenceDesign]:
    for reference in sorted(data.rglob("Prob*_ref.sv")):
        stem = reference.name.removesuffix("_ref.sv")
        test = reference.with_name(f"{stem}_test.sv").read_bytes()
        prompt = reference.with_name(f"{stem}_prompt.txt")
        own = modules(reference.read_bytes())
        helpers = modules(prompt.read_bytes()) if prompt.is_file() else {}
        macros = "\n".join(_DEFINES.findall(test.decode("utf-8", errors="replace")))
        rtl = macros.encode() + b"\n" + reference.read_bytes() + b"\n"
        for name, content in helpers.items():
            if name not in own and re.search(rb"\b" + name.encode() + rb"\b", reference.read_bytes()):
                rtl += content + b"\n"
        yield ReferenceDesign(
            name=stem, rtl=rtl, toplevel="RefModule", bench={"test.sv": test}, bench_top="tb", instance="TopModule"
        )


def _tops(rtl: bytes) -> tuple[str, ...]:
    path = Path("design.sv")
    elaboration = Elaborator(Design(toplevel="", sources=(path,)), {path: rtl}).elaborate()
    return elaboration.tops
