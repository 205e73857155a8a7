"""Where two versions of a design part under the same test: the first signal that is another one, and when."""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.cocotb import Cocotb
from veriloop.assistant.verify.testbench import (
    FINE_TIMESCALE,
    TIMESCALE,
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
    VerilogTestbench,
)
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import SEED, Binary
from veriloop.assistant.verify.wave import Wave, value_at

_RECORD = "veriloop.vcd"
_DUMPER = "veriloop_dumper"
_RECORD_BYTES = 8_000_000
"""How much is recorded: what parts later is not found."""
_TIMEOUT_S = 20.0
_CLOCK = re.compile(r"clk|clock|^ck$", re.I)
_UNITS = ((10**15, "s"), (10**12, "ms"), (10**9, "us"), (10**6, "ns"), (10**3, "ps"), (1, "fs"))

_MAIN = """
#include "verilated_vcd_c.h"
int main(int argc, char** argv) {
    auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(argc, argv);
    context->traceEverOn(true);
    auto top = std::make_unique<Vtop>(context.get(), "TOP");
    VerilatedVcdC record;
    top->trace(&record, 99);
    record.open("RECORD");
    for (long step = 0; !context->gotFinish(); ++step) {
        top->eval();
        record.dump(context->time());
        if (step % 256 == 0) {
            record.flush();
            FILE* file = std::fopen("RECORD", "r");
            if (file && !std::fseek(file, 0, SEEK_END) && std::ftell(file) > LIMIT) break;
            if (file) std::fclose(file);
        }
        if (context->gotFinish() || !top->eventsPending()) break;
        context->time(top->nextTimeSlot());
    }
    record.close();
    return 0;
}
""".replace("RECORD", _RECORD).replace("LIMIT", str(_RECORD_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """The first difference between two records.

    Attributes:
        signal: hierarchical, as the simulator names it.
        others: further signals that part at the same time.
        was: the value in the first version, with its width, e.g. `8'h3a`.
        now: the value in the second.
        time: with its unit.
        cycle: rising edges of `clock` up to then; none where no clock is seen.
    """

    signal: str
    others: tuple[str, ...]
    was: str
    now: str
    time: str
    cycle: int | None = None
    clock: str = ""
    at_fs: int = 0
    """The time, in femtoseconds."""


def first_divergence(
    testbench: Testbench,
    before: Path,
    after: Path,
    *,
    likely: Collection[str],
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    four_state: bool,
) -> Divergence | None:
    """Runs a test on two trees, recording every signal, and compares the records.

    Args:
        testbench: what runs.
        before: a private copy of the first tree.
        after: a private copy of the second.
        likely: names of signals that are told of first, where several part at once.
        scratch: an existing directory.
        toolchain: the simulators.
        cancel: stops it.
        four_state: record with Icarus, else with Verilator from all zeros.

    Returns:
        None where nothing is seen to differ, or the test cannot be recorded.
    """
    if isinstance(testbench, CommandTest):
        return None
    waves = []
    for root in (before, after):
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            try:
                waves.append(_recorded(testbench, root, Path(name), toolchain, cancel, four_state=four_state))
            except ToolError:
                # The test itself has been judged; that its record cannot be made changes nothing about that.
                return None
    return compare(waves[0], waves[1], likely)


def compare(one: Wave, two: Wave, likely: Collection[str] = ()) -> Divergence | None:
    """The first time at which a signal that both records hold is another one."""
    end_fs = min(one.end_fs, two.end_fs)
    found: dict[str, int] = {}
    first_fs = end_fs + 1
    for name in one.changes.keys() & two.changes.keys():
        at_fs = _parts_at(one.changes[name], two.changes[name], first_fs)
        if at_fs is not None and at_fs <= first_fs:
            first_fs = at_fs
            found[name] = at_fs
    names = sorted(
        (name for name, at_fs in found.items() if at_fs == first_fs),
        key=lambda name: (_plain(name) not in likely, name.count("."), name),
    )
    if not names:
        return None
    name = names[0]
    was, now = (value_at(wave.changes[name], first_fs) for wave in (one, two))
    clock = _clock(two, name, first_fs)
    return Divergence(
        signal=name,
        others=tuple(names[1:]),
        was=value_text(was),
        now=value_text(now),
        time=time_text(first_fs),
        cycle=_rises(two.changes[clock], first_fs) if clock else None,
        clock=clock,
        at_fs=first_fs,
    )


def _recorded(
    testbench: VerilogTestbench | TraceTestbench | CocotbTestbench,
    root: Path,
    directory: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    *,
    four_state: bool,
) -> Wave:
    written = record(testbench, root, directory, toolchain, cancel, four_state=four_state)
    return Wave.read(written) if written is not None else Wave({})


def record(
    testbench: VerilogTestbench | TraceTestbench | CocotbTestbench,
    root: Path,
    directory: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    *,
    four_state: bool,
) -> Path | None:
    """Runs a test in a private copy, recording every signal; returns the record, none where none was written.

    Raises:
        ToolError: a tool broke or is missing.
    """
    known = set(root.rglob("*.vcd"))
    for path in known:
        path.unlink(missing_ok=True)
    if four_state and toolchain.icarus is not None:
        _run_icarus(testbench, root, directory, toolchain, cancel)
    elif not isinstance(testbench, CocotbTestbench):
        _run_verilator(testbench, root, directory, toolchain, cancel)
    # A testbench that dumps by itself may have had the first word about where.
    written = sorted(root.rglob("*.vcd"), key=lambda path: (path.name != _RECORD, -path.stat().st_size))
    return written[0] if written else None


def _run_icarus(
    testbench: VerilogTestbench | TraceTestbench | CocotbTestbench,
    root: Path,
    directory: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> None:
    icarus = toolchain.icarus
    assert icarus is not None
    top = testbench.design.toplevel
    dumper = directory / f"{_DUMPER}.v"
    dumper.write_text(
        f'module {_DUMPER};\n  initial begin $dumpfile("{_RECORD}"); $dumplimit({_RECORD_BYTES}); '
        f"$dumpvars(0, {top}); end\nendmodule\n"
    )
    binary = directory / "sim.vvp"
    cocotb = isinstance(testbench, CocotbTestbench)
    refused = icarus.build(
        testbench.design.rooted(root),
        binary,
        cwd=root,
        cancel=cancel,
        arguments=["-s", _DUMPER, str(dumper)],
        timescale=FINE_TIMESCALE if cocotb else TIMESCALE,
        timeout_s=_TIMEOUT_S,
    )
    if refused is not None:
        return
    modules, env = [], {}
    if isinstance(testbench, CocotbTestbench):
        found = Cocotb.find()
        modules = [found.libraries / "libcocotbvpi_icarus.so"]
        env = found.environment(testbench, root=root, results=directory / "results.xml")
    plusargs = testbench.plusargs if isinstance(testbench, VerilogTestbench) else ()
    icarus.simulate(binary, cwd=root, timeout_s=_TIMEOUT_S, plusargs=plusargs, cancel=cancel, modules=modules, env=env)


def _run_verilator(
    testbench: VerilogTestbench | TraceTestbench,
    root: Path,
    directory: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> None:
    built = toolchain.verilator.build(
        testbench.design.rooted(root),
        directory,
        cwd=root,
        cancel=cancel,
        features=Features(trace=True),
        own_main=lambda _: _MAIN,
    )
    if isinstance(built, Binary):
        plusargs = testbench.plusargs if isinstance(testbench, VerilogTestbench) else ()
        toolchain.verilator.simulate(
            built, cwd=root, timeout_s=_TIMEOUT_S, reset=0, seed=SEED, plusargs=plusargs, cancel=cancel
        )


def _parts_at(one: Sequence[tuple[int, str]], two: Sequence[tuple[int, str]], before_fs: int) -> int | None:
    for mine, theirs in zip(one, two, strict=False):
        at_fs = min(mine[0], theirs[0])
        if at_fs > before_fs:
            return None
        if mine != theirs:
            return at_fs
    # One of them changes once more.
    longer = one if len(one) > len(two) else two
    shorter = min(len(one), len(two))
    return longer[shorter][0] if len(longer) > shorter else None


def _clock(wave: Wave, signal: str, at_fs: int) -> str:
    """The clock that lies nearest to a signal in the hierarchy and has risen by then."""
    scope = signal.split(".")[:-1]
    candidates = [
        (_shared(scope, name), _rises(changes, at_fs), name)
        for name, changes in wave.changes.items()
        if _CLOCK.search(_plain(name)) and changes[0][1] in ("0", "1", "x", "z")
    ]
    risen = [one for one in candidates if one[1]]
    return max(risen, key=lambda one: (one[0], one[1], -len(one[2])))[2] if risen else ""


def _shared(scope: Sequence[str], name: str) -> int:
    count = 0
    for mine, theirs in zip(scope, name.split("."), strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _rises(changes: Sequence[tuple[int, str]], until_fs: int) -> int:
    return sum(
        after == "1" and before != "1"
        for (_, before), (at_fs, after) in itertools.pairwise(changes)
        if at_fs <= until_fs
    )


def _plain(name: str) -> str:
    return name.rpartition(".")[2].partition("[")[0]


def value_text(bits: str) -> str:
    """A value as a designer writes it: short ones in binary, known long ones in hexadecimal."""
    if not bits:
        return "nothing"
    if set(bits) - set("01xzXZ"):
        return bits
    if len(bits) <= 4 or set(bits) - set("01"):
        return f"{len(bits)}'b{bits}"
    return f"{len(bits)}'h{int(bits, 2):x}"


def time_text(at_fs: int) -> str:
    """A time with the largest unit in which it is whole."""
    for size, unit in _UNITS:
        if at_fs % size == 0 and at_fs >= size:
            return f"{at_fs // size} {unit}"
    return "0"
