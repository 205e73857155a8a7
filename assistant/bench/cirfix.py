"""CirFix's small circuits: broken versions, a testbench that records its outputs, and a table of what they should be.

Source: Ahmad et al., CirFix: Automatically Repairing Defects in Hardware Design Code, ASPLOS 2022,
https://github.com/hammad-a/verilog_repair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from veriloop.assistant.bench.case import Case
from veriloop.assistant.bench.chipbench import modules
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import UsageError
from veriloop.assistant.verify.testbench import TraceTestbench

_BROKEN = re.compile(r"_(?:wadden|kgoliya|ssscrazy)_")
_TESTBENCH = re.compile(r"tb|test", re.I)
_OPENED = re.compile(rb'\$fopen\(\s*"([^"]+)"')
_TABLE = re.compile(rb'\$fwrite\([^"]*"time,([^"\\]*)')
_MODULE = re.compile(rb"^\s*module\s+(\w+)", re.M)
_TIMEOUT_S = 5.0


def load(data: Path) -> Iterator[Case]:
    """The cases of every circuit below a directory, or of the one that it is.

    Raises:
        UsageError: there are none.
    """
    folders = sorted({path.parent for path in data.rglob("oracle*.txt") if path.is_file()})
    cases = [case for folder in folders for case in _circuit(folder, data)]
    if not cases:
        raise UsageError(f"{data} holds no CirFix circuits: no folder with an oracle.txt and broken versions")
    yield from cases


def _circuit(folder: Path, data: Path) -> Iterator[Case]:
    sources = sorted(path for path in folder.iterdir() if path.suffix in (".v", ".sv"))
    broken = [path for path in sources if _BROKEN.search(path.name)]
    designs = [path for path in sources if not _TESTBENCH.search(path.stem) and "buggy" not in path.name]
    pair = _bench(folder, [path for path in sources if _TESTBENCH.search(path.stem) and "buggy" not in path.name])
    if pair is None:
        return
    bench, oracle, output = pair
    for path in broken:
        golden = _original(path, designs)
        if golden is None:
            continue
        rest = [
            one
            for one in designs
            if one != golden and not set(modules(one.read_bytes())) & set(modules(golden.read_bytes()))
        ]
        yield _case(path, golden, rest, bench, oracle, output, data)


def _case(path: Path, golden: Path, rest: list[Path], bench: Path, oracle: Path, output: str, data: Path) -> Case:
    rtl = f"rtl/{golden.name}"
    headers = {f"rtl/{one.name}": one.read_bytes() for one in path.parent.iterdir() if one.suffix in (".vh", ".svh")}
    files = {
        **headers,
        **{f"rtl/{one.name}": one.read_bytes() for one in rest},
        rtl: path.read_bytes(),
        f"tb/{bench.name}": bench.read_bytes(),
        "tb/oracle.txt": oracle.read_bytes(),
    }
    top = _MODULE.search(bench.read_bytes())
    names = (f"tb/{bench.name}", *(f"rtl/{one.name}" for one in rest), rtl)
    design = Design(
        toplevel=top[1].decode() if top else "",
        sources=tuple(Path(name) for name in names),
        include_dirs=(Path("rtl"),),
    )
    testbench = TraceTestbench(
        name=bench.stem, design=design, oracle=Path("tb/oracle.txt"), output=output, timeout_s=_TIMEOUT_S
    )
    name = f"{path.parent.relative_to(data) if path.parent != data else path.parent.name}/{path.stem}"
    kind = "not usable" if b"does not compile. Not usable" in path.read_bytes() else "defect"
    return Case(name=name, kind=kind, files=files, rtl=rtl, golden=golden.read_bytes(), testbench=testbench)


def _original(broken: Path, designs: list[Path]) -> Path | None:
    """The file that a broken one is named after: the one with the longest beginning in common."""
    named = [path for path in designs if broken.stem.startswith(path.stem)]
    return max(named, key=lambda path: len(path.stem), default=None)


def _bench(folder: Path, benches: list[Path]) -> tuple[Path, Path, str] | None:
    """The testbench and the oracle that belong together: the columns agree, and the sampled times do.

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
                found.append((_preference(bench, oracle, len(lines)), bench, oracle, opened[1].decode()))
    return min(found)[1:] if found else None


def _preference(bench: Path, oracle: Path, rows: int) -> tuple[int, int, int]:
    odd = any(word in bench.stem for word in ("fuzz", "backup", "bak"))
    instrumented = bool(re.search(r"_t\d+$", bench.stem))
    return (odd, not instrumented, -rows)
