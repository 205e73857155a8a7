"""CirFix's small circuits: broken versions, a testbench that records its outputs, and a table of what they should be.

Source: Ahmad et al., CirFix: Automatically Repairing Defects in Hardware Design Code, ASPLOS 2022,
https://github.com/hammad-a/verilog_repair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.bench.case import Case
from veriloop.assistant.bench.chipbench import modules
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import UsageError
from veriloop.assistant.verify.testbench import TraceTestbench

NOT_USABLE = "not usable"
"""The kind of a case that its author takes out of the count."""

_BROKEN = re.compile(r"_(?:wadden|kgoliya|ssscrazy)_")
_TESTBENCH = re.compile(r"(?:^|_)(?:tb|test|testbench|tst|bench)(?=_|\d|$)", re.I)
_OPENED = re.compile(rb'\$fopen\(\s*"([^"]+)"')
_TABLE = re.compile(rb'\$fwrite\([^"]*"time,([^"\\]*)')
_MODULE = re.compile(rb"^\s*module\s+(\w+)", re.M)
_TIMEOUT_S = 5.0
_LONGEST_TIMEOUT_S = 60.0
_TIMEOUT_FACTOR = 10

Meets = Callable[[Case], float | None]
"""Runs the right design of a case: the seconds of a run that meets the oracle, or None where no run does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    testbench: Path
    oracle: Path
    output: str
    timeout_s: float = _TIMEOUT_S


def load(data: Path, meets: Meets | None = None) -> Iterator[Case]:
    """The cases of every circuit below a directory, or of the one that it is.

    Args:
        data: the directory.
        meets: tells which testbench and oracle belong together where a circuit has several; without it their names
            and columns do.

    Raises:
        UsageError: there are none.
    """
    folders = sorted({path.parent for path in data.rglob("oracle*.txt") if path.is_file()})
    cases = [case for folder in folders for case in _circuit(folder, data, meets)]
    if not cases:
        raise UsageError(f"{data} holds no CirFix circuits: no folder with an oracle.txt and broken versions")
    yield from cases


def _circuit(folder: Path, data: Path, meets: Meets | None) -> Iterator[Case]:
    sources = sorted(path for path in folder.iterdir() if path.suffix in (".v", ".sv"))
    right = [path for path in sources if "buggy" not in path.name]
    benches = [path for path in right if _TESTBENCH.search(path.stem) or _TABLE.search(path.read_bytes())]
    designs = [path for path in right if path not in benches]
    broken = [
        (path, original)
        for path in sources
        if _BROKEN.search(path.name)
        for original in [_original(path, designs)]
        if original is not None
    ]
    pairs = _pairs(folder, benches)
    if not pairs or not broken:
        return
    bench = _settled(pairs, lambda pair: _case(broken[0][1], broken[0][1], designs, pair, data), meets)
    for path, golden in broken:
        yield _case(path, golden, designs, bench, data)


def _settled(pairs: Sequence[_Bench], golden: Callable[[_Bench], Case], meets: Meets | None) -> _Bench:
    """The first pair whose oracle the right design meets, with time for slower runs; the first pair if none is met."""
    if meets is None:
        return pairs[0]
    for pair in pairs:
        wall_s = meets(golden(replace(pair, timeout_s=_LONGEST_TIMEOUT_S)))
        if wall_s is not None:
            return replace(pair, timeout_s=min(_LONGEST_TIMEOUT_S, max(_TIMEOUT_S, _TIMEOUT_FACTOR * wall_s)))
    return pairs[0]


def _case(path: Path, golden: Path, designs: Sequence[Path], bench: _Bench, data: Path) -> Case:
    rtl = f"rtl/{golden.name}"
    own = set(modules(golden.read_bytes()))
    rest = [one for one in designs if one != golden and not own & set(modules(one.read_bytes()))]
    headers = {f"rtl/{one.name}": one.read_bytes() for one in path.parent.iterdir() if one.suffix in (".vh", ".svh")}
    tb = f"tb/{bench.testbench.name}"
    files = {
        **headers,
        **{f"rtl/{one.name}": one.read_bytes() for one in rest},
        rtl: path.read_bytes(),
        tb: bench.testbench.read_bytes(),
        "tb/oracle.txt": bench.oracle.read_bytes(),
    }
    top = _MODULE.search(files[tb])
    design = Design(
        toplevel=top[1].decode() if top else "",
        sources=tuple(Path(name) for name in (tb, *(f"rtl/{one.name}" for one in rest), rtl)),
        include_dirs=(Path("rtl"),),
    )
    testbench = TraceTestbench(
        name=bench.testbench.stem,
        design=design,
        oracle=Path("tb/oracle.txt"),
        output=bench.output,
        timeout_s=bench.timeout_s,
    )
    name = f"{path.parent.relative_to(data) if path.parent != data else path.parent.name}/{path.stem}"
    kind = NOT_USABLE if b"does not compile. Not usable" in files[rtl] else "defect"
    return Case(name=name, kind=kind, files=files, rtl=rtl, golden=golden.read_bytes(), testbench=testbench)


def _original(broken: Path, designs: Sequence[Path]) -> Path | None:
    """The file that a broken one is named after: the one with the longest beginning in common; else its module's."""
    named = [path for path in designs if broken.stem.startswith(path.stem)]
    if named:
        return max(named, key=lambda path: len(path.stem))
    own = set(modules(broken.read_bytes()))
    return next((path for path in designs if own & set(modules(path.read_bytes()))), None)


def _pairs(folder: Path, benches: Sequence[Path]) -> list[_Bench]:
    """The testbenches and oracles whose columns agree, the likeliest pair first.

    Several testbenches record the same columns; the one whose name says that it is the instrumented one is CirFix's.
    """
    found = []
    for bench in benches:
        content = bench.read_bytes()
        opened, table = _OPENED.search(content), _TABLE.search(content)
        if opened is None or table is None:
            continue
        columns = [name.strip() for name in table[1].decode().split(",")]
        for oracle in sorted(folder.glob("oracle*.txt")):
            lines = oracle.read_text(errors="replace").splitlines()
            if "half" in oracle.name or "quarter" in oracle.name or "old" in oracle.name or not lines:
                continue
            if [name.strip() for name in lines[0].split(",")[1:]] == columns:
                pair = _Bench(testbench=bench, oracle=oracle, output=opened[1].decode())
                found.append((_preference(bench, len(lines)), str(bench), str(oracle), pair))
    return [pair for *_, pair in sorted(found, key=lambda one: one[:3])]


def _preference(bench: Path, rows: int) -> tuple[bool, bool, int]:
    odd = any(word in bench.stem for word in ("fuzz", "backup", "bak"))
    instrumented = bool(re.search(r"_t\d+$", bench.stem))
    return (odd, not instrumented, -rows)
