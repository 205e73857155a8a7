"""When each statement of a design was carried out while a testbench ran, and what its signals held then: one run of
Icarus on files with counters beside their statements.
"""

from __future__ import annotations

import bisect
import tempfile
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.probes import Probe, probed
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.wave import Wave

_RECORD = "veriloop_probes.vcd"
_RECORD_BYTES = 24_000_000
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One recorded run; times in fs."""

    toplevel: str
    contents: Mapping[str, bytes]
    """The files as they were."""
    probes: Mapping[str, tuple[Probe, ...]]
    """The counted statements of each file."""
    times: Mapping[tuple[str, str], Sequence[int]]
    """By scope and counter: when the statement was carried out."""
    wave: Wave

    def in_any_scope(self) -> Mapping[str, Sequence[int]]:
        """By counter: when the statement was carried out, in whichever instance."""
        found: defaultdict[str, set[int]] = defaultdict(set)
        for (_, name), times in self.times.items():
            found[name].update(times)
        return {name: sorted(times) for name, times in found.items()}

    def last(self, scope: str, name: str, until_fs: int) -> int | None:
        """When a statement was last carried out by then; none where it was not."""
        times = self.times.get((scope, name), ())
        index = bisect.bisect_right(times, until_fs)
        return times[index - 1] if index else None


def executed(
    bench: VerilogTestbench,
    *,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    limit_s: float = _TIMEOUT_S,
) -> Execution | None:
    """Runs a testbench with counters.

    Args:
        bench: what runs.
        root: a private copy of the tree, whose sources are rewritten.
        scratch: an existing directory.
        toolchain: the simulators.
        cancel: stops it.
        limit_s: CPU seconds that building and running may take, each.

    Returns:
        None where Icarus is not there, does not take the files, or records nothing.
    """
    icarus = toolchain.icarus
    if icarus is None or limit_s < 1:
        return None
    probes: dict[str, tuple[Probe, ...]] = {}
    contents: dict[str, bytes] = {}
    number = 0
    for path in bench.design.sources:
        file = root / path
        if not file.is_file() or str(path) in probes:
            continue
        contents[str(path)] = file.read_bytes()
        counted, own = probed(contents[str(path)], _RECORD, signals=not is_test_path(path), number=number)
        number += len(own)
        probes[str(path)] = own
        file.write_bytes(counted)
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        binary = Path(name, "sim.vvp")
        design = bench.design.rooted(root)
        timeout_s = min(limit_s, bench.timeout_s)
        if icarus.build(design, binary, cwd=root, cancel=cancel, timeout_s=timeout_s) is not None:
            return None
        icarus.simulate(
            binary,
            cwd=root,
            timeout_s=2 * timeout_s,
            cpu_limit_s=max(1, int(timeout_s)),
            plusargs=bench.plusargs,
            cancel=cancel,
        )
    wave = Wave.read(root / _RECORD)
    known = {one.name for own in probes.values() for one in own}
    times, changes = _taken_apart(wave, known)
    if not times:
        return None
    return Execution(
        toplevel=bench.design.toplevel,
        contents=contents,
        probes=probes,
        times=times,
        wave=Wave(changes, wave.step_fs, wave.end_fs),
    )


def _taken_apart(
    wave: Wave, counters: Collection[str]
) -> tuple[dict[tuple[str, str], list[int]], dict[str, list[tuple[int, str]]]]:
    """The counters' changes, by scope, and those of the signals."""
    times: dict[tuple[str, str], list[int]] = {}
    changes: dict[str, list[tuple[int, str]]] = {}
    for full, found in wave.changes.items():
        scope, _, name = full.rpartition(".")
        if name in counters:
            # The first is what it holds before it has run, unless that is at once.
            times[scope, name] = [at for at, _ in (found if found[0][1].strip("0") else found[1:])]
        else:
            changes[full] = found
    return times, changes
