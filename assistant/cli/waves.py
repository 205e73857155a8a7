"""`veriloop waves`: what the signals do around the first place where two records part."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.cli import reading
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.context import Context
from veriloop.assistant.design.dataflow import Dataflow
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.project import Project
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.events import Stage
from veriloop.assistant.repository.export import export
from veriloop.assistant.repository.private import cache_home, private_directory
from veriloop.assistant.trust import RUNS_CODE, require_trust
from veriloop.assistant.verify.declared import declared_testbench
from veriloop.assistant.verify.divergence import Divergence, compare, record
from veriloop.assistant.verify.testbench import CommandTest, Testbench, TraceTestbench
from veriloop.assistant.verify.viewers import gtkwave, surfer
from veriloop.assistant.verify.wave import Wave
from veriloop.assistant.verify.window import around, drawn, ordered, ruler

NAME = "waves"
HELP = "show what signals do around the first place where two versions part"

_COLUMNS = 56
_ROWS = 12


@dataclass(frozen=True, slots=True)
class _Found:
    """Records, and the cone of the signal that parts first."""

    seen: Path
    expected: Path | None
    distances: Mapping[str, int]
    kept: bool = False
    """Whether the records stay, so that save files beside them make sense."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what is recorded or read, and where the records go."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="records (VCD or FST): what was seen, what was expected"
    )
    parser.add_argument(
        "--testbench", action="append", default=[], metavar="FILE", help="record this testbench instead"
    )
    parser.add_argument("--patch", metavar="FILE", help="record it with this change as well: that is what is expected")
    parser.add_argument("--top", default="", metavar="MODULE", help="the module at the top of the testbench")
    reading.add_arguments(parser)
    parser.add_argument("--keep", metavar="DIR", help="keep the records here, with save files")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Shows the window: 0."""
    if bool(arguments.files) == bool(arguments.testbench):
        raise UsageError("name records, or a testbench to record", hint="veriloop waves --testbench TB.sv")
    if len(arguments.files) > 2:
        raise UsageError("at most two records are compared: what was seen, and what was expected")
    with private_directory(cache_home()) as directory:
        found = _given(arguments, session) if arguments.files else _recorded(arguments, session, directory)
        seen = Wave.read(found.seen)
        if not seen.changes:
            raise UsageError(f"{found.seen.name} holds no signals that can be read")
        expected = Wave.read(found.expected) if found.expected else None
        parts = compare(expected, seen) if expected is not None else None
        _say(found, seen, expected, parts, session)
    return 0


def _given(arguments: argparse.Namespace, session: Session) -> _Found:
    paths = [session.cwd / name for name in arguments.files]
    for path in paths:
        if not path.is_file():
            raise UsageError(f"no such file: {path.name}")
    return _Found(paths[0], paths[1] if len(paths) > 1 else None, {})


def _recorded(arguments: argparse.Namespace, session: Session, directory: Path) -> _Found:
    repository = open_repository(session)
    context = Context.of(repository, session.cancel)
    testbench = _testbench(arguments, session, context)
    if isinstance(testbench, CommandTest):
        raise UsageError("what a command simulates cannot be recorded", hint="veriloop waves FILE.vcd")
    keep = Path(session.cwd / arguments.keep) if arguments.keep else directory / "kept"
    keep.mkdir(parents=True, exist_ok=True)
    tree = repository.snapshot()
    trees = {"seen": tree}
    if arguments.patch:
        trees["expected"] = repository.tree_of_patch(tree, (session.cwd / arguments.patch).read_bytes())
    records: dict[str, Path] = {}
    for name, one in trees.items():
        session.observe(Stage(f"recording what is {name}"))
        copy = export(repository, one, directory / name, needs=context.needs)
        scratch = directory / f"{name}-build"
        scratch.mkdir()
        four_state = context.toolchain.icarus is not None
        written = record(testbench, copy.root, scratch, context.toolchain, session.cancel, four_state=four_state)
        if written is None:
            raise NotVerified(f"{testbench.name} cannot be recorded: no simulator takes it")
        records[name] = keep / f"{name}{written.suffix}"
        records[name].write_bytes(written.read_bytes())
        if name == "seen" and isinstance(testbench, TraceTestbench) and testbench.oracle.suffix.lower() == ".vcd":
            records.setdefault("expected", copy.root / testbench.oracle)
    session.observe(Stage("the cone"))
    distances = _distances(testbench, repository.root, records)
    return _Found(records["seen"], records.get("expected"), distances, kept=bool(arguments.keep))


def _testbench(arguments: argparse.Namespace, session: Session, context: Context) -> Testbench:
    project = Project.load(context.repository.root, context.config.repository.design)
    settings = {one.name: one for one in context.config.repository.testbench}
    if len(arguments.testbench) == 1 and arguments.testbench[0] in settings:
        one = settings[arguments.testbench[0]]
        if one.kind in RUNS_CODE:
            require_trust(context.repository.root, context.config)
        return declared_testbench(one, project)
    files = [reading.named_file(name, session, context) for name in arguments.testbench]
    return reading.file_testbench(arguments, session, context, project, files, [])


def _distances(testbench: Testbench, root: Path, records: Mapping[str, Path]) -> dict[str, int]:
    """How far signals are, in assignments, from the first that parts; where only one version is known, nothing."""
    if isinstance(testbench, CommandTest) or "expected" not in records:
        return {}
    parts = compare(Wave.read(records["expected"]), Wave.read(records["seen"]))
    elaboration = elaborate(testbench.design.rooted(root))
    if parts is None or elaboration.errors:
        return {}
    scope, _, signal = parts.signal.rpartition(".")
    module = elaboration.hierarchy.get(scope)
    if module is None:
        return {}
    cone = Dataflow.of(elaboration).cones([signal.partition("[")[0]], module=module)
    instances: dict[str, list[str]] = {}
    for path, name in elaboration.hierarchy.items():
        instances.setdefault(name, []).append(path)
    return {f"{path}.{name}": far for (of, name), far in cone.items() for path in instances.get(of, ())}


def _say(found: _Found, seen: Wave, expected: Wave | None, parts: Divergence | None, session: Session) -> None:
    at_fs = parts.at_fs if parts is not None else 0
    names = ordered(seen, found.distances, [parts.signal, *parts.others] if parts is not None else [])
    signals = [(name, max(len(value) for _, value in seen.changes[name])) for name in names[:_ROWS]]
    saved: list[str] = []
    for suffix, write in ((".gtkw", gtkwave), (".sucl", surfer)) if found.kept else ():
        target = found.seen.with_suffix(suffix)
        target.write_text(write(found.seen, signals, at_fs, seen.step_fs))
        saved.append(str(target))
    data: dict[str, Any] = {
        "seen": str(found.seen),
        "expected": str(found.expected) if found.expected else None,
        "divergence": None if parts is None else _plain(parts),
        "signals": names,
        "saved": saved,
    }
    session.result(_text(names[:_ROWS], seen, expected, parts, at_fs, saved), data)


def _plain(parts: Divergence) -> dict[str, Any]:
    return {
        "signal": parts.signal,
        "others": list(parts.others),
        "expected": parts.was,
        "seen": parts.now,
        "time": parts.time,
        "at_fs": parts.at_fs,
        "cycle": parts.cycle,
        "clock": parts.clock,
    }


def _text(
    names: Sequence[str], seen: Wave, expected: Wave | None, parts: Divergence | None, at_fs: int, saved: Sequence[str]
) -> str:
    if parts is not None:
        cycle = f", cycle {parts.cycle} of {parts.clock}" if parts.cycle is not None else ""
        lines = [f"{parts.signal} parts at {parts.time}{cycle}: expected {parts.was}, seen {parts.now}", ""]
    else:
        lines = ["nothing parts" if expected is not None else "one record, nothing to compare it with", ""]
    window = around(seen, at_fs, _COLUMNS)
    width = max((len(name) for name in names), default=0)
    lines.append(f"{'':<{width}}  {ruler(window)}")
    for name in names:
        lines.append(f"{name:<{width}}  {drawn(seen.changes[name], window)}")
        if expected is not None and name in expected.changes and expected.changes[name] != seen.changes[name]:
            lines.append(f"{'expected':>{width}}  {drawn(expected.changes[name], window)}")
    return "\n".join([*lines, *(f"written: {one}" for one in saved)]) + "\n"
