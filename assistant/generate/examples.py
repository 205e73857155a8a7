"""A specification's own examples as evidence: a waveform beside the prose, some rows of a truth table.

They do not say enough to make a module of, and every answer has to show them all the same.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.bench_text import bench_text, expected_of
from veriloop.assistant.generate.interface import Bit, Interface, PortDeclaration
from veriloop.assistant.generate.reference import Row
from veriloop.assistant.generate.tables import Table, tables
from veriloop.assistant.generate.truth_text import columned
from veriloop.assistant.generate.waveform import Waveform, read_waveform
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import run_icarus, run_verilator
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_TIMEOUT_S = 20.0
_CELL = re.compile(r"(?:\d+'[bdh])?([01]+|0x[0-9a-f]+|\d+)", re.I)


def example_rows(text: str, interface: Interface) -> tuple[Row, ...]:
    """What a specification shows: inputs in their order, with the outputs that they have to have; none if nothing."""
    waveform = read_waveform(text, interface)
    if waveform is not None:
        return tuple(replayed(waveform, interface))
    if interface.clock is not None:
        return ()
    return tuple(row for table in [*tables(text), *columned(text)] for row in _listed(table, interface))


def replayed(waveform: Waveform, interface: Interface) -> Iterator[Row]:
    """The waveform's own rows; inputs that change with the clock change just after it, as the outputs do."""
    clock = interface.clock.name if interface.clock else ""
    before: dict[str, int] = {}
    for row in waveform.rows:
        given = {port.name: row[port.name] for port in interface.inputs}
        known = {name: value for name, value in given.items() if value is not None}
        if clock in known and before.get(clock, known[clock]) != known[clock]:
            yield Row({clock: known[clock]}, {})
        yield Row(known, expected_of(row, interface) if len(known) == len(given) else {})
        before = known


def _listed(table: Table, interface: Interface) -> Iterator[Row]:
    """The rows of a table with a column for every port and a number in every cell."""
    ports = [interface.port(re.sub(r"\[\d+:\d+\]", "", cell).strip("` ")) for cell in table.header]
    columns = [port for port in ports if port is not None]
    if len(columns) != len(ports) or {port.name for port in columns} != {port.name for port in interface.ports}:
        return
    for cells in table.rows:
        values = [_value(cell, port) for cell, port in zip(cells, columns, strict=True)]
        known = {port.name: value for port, value in zip(columns, values, strict=True) if value is not None}
        if all(port.name in known for port in interface.inputs):
            inputs = {port.name: known[port.name] for port in interface.inputs}
            expected: dict[Bit, str] = expected_of(known, interface)
            yield Row(inputs, expected)


def _value(cell: str, port: PortDeclaration) -> int | None:
    """A cell's number: bits where there are as many as the port has, else decimal or hexadecimal."""
    match = _CELL.fullmatch(cell.strip("` "))
    if match is None:
        return None
    digits = match[1]
    if set(digits) <= {"0", "1"} and len(digits) == port.width_bits:
        return int(digits, 2)
    if "'" in cell:
        return None
    value = int(digits, 0) if digits.lower().startswith("0x") else int(digits)
    return value if value < 1 << port.width_bits else None


def contradicted(
    texts: Sequence[bytes],
    rows: Sequence[Row],
    interface: Interface,
    *,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> frozenset[int]:
    """Which modules, by their places, show something else than the rows; one that cannot be run is not among them.

    Args:
        texts: modules that elaborate with these ports.
        rows: what they have to show.
        interface: the ports.
        scratch: an existing directory.
        toolchain: Icarus where it is installed, else Verilator.
        cancel: stops it.
    """
    bench = bench_text(interface, rows, name="veriloop_example")
    failed = set()
    for place, text in enumerate(texts):
        cancel.check()
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            run = _run(bench, text, Path(name), toolchain, cancel)
        if run.outcome is Outcome.FAIL and run.failures:
            failed.add(place)
    return frozenset(failed)


def _run(bench: str, text: bytes, directory: Path, toolchain: Toolchain, cancel: CancelToken) -> SimResult:
    files = {Path("example.sv"): bench.encode(), Path("answer.sv"): text}
    for path, content in files.items():
        (directory / path).write_bytes(content)
    scratch = directory / "scratch"
    scratch.mkdir()
    test = VerilogTestbench(
        name="the specification's example",
        design=Design(toplevel="veriloop_example", sources=tuple(files)),
        timeout_s=_TIMEOUT_S,
    )
    run = run_icarus(test, root=directory, scratch=scratch, toolchain=toolchain, cancel=cancel)
    if run is not None:
        return run
    return run_verilator(test, root=directory, scratch=scratch, toolchain=toolchain, cancel=cancel)[0]
