"""`veriloop testbench`: from RTL to a cocotb test that passes on it and fails on its mutants."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.config import load_config
from veriloop.assistant.design.project import Project
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish
from veriloop.assistant.places import find_root
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.testbench.expected import Origin
from veriloop.assistant.testbench.killing import Fate
from veriloop.assistant.testbench.subject import subject_of
from veriloop.assistant.testbench.workflow import Request, Testbench, make_testbench
from veriloop.assistant.verify.formal.prover import Prover
from veriloop.assistant.verify.toolchain import Toolchain

NAME = "testbench"
HELP = "write a cocotb test that reaches what can be reached and fails on mutants"

_MOST_MUTANTS = 500
_MOST_BYTES = 4 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the design, where expected values come from, and where the test goes."""
    parser.add_argument("rtl", metavar="FILE", nargs="+", help="the RTL; what it instantiates is found in the tree")
    parser.add_argument("--top", default="", metavar="MODULE", help="the module to test, if FILE has several")
    parser.add_argument("--spec", metavar="FILE", help="expected values from the tables and diagrams of this text")
    parser.add_argument("--model-file", metavar="FILE", help="expected values from this reference model in Python")
    parser.add_argument(
        "--cover", type=float, default=95.0, metavar="PERCENT", help="coverage that is enough (default: 95)"
    )
    parser.add_argument("--mutants", type=int, default=40, metavar="N", help="mutants to try it on (default: 40)")
    parser.add_argument("-o", "--output", default="tests", metavar="DIR", help="where it goes (default: tests)")
    parser.add_argument("--force", action="store_true", help="write over a test of the same name")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Writes the test. 0: the RTL passes it; 1: the RTL fails it, which speaks against one of the two."""
    _check(arguments)
    root = find_root(session.cwd)
    request = _request(arguments, session, root)
    folder = session.cwd / arguments.output
    there = [name for name in _names(request.design.toplevel) if (folder / name).exists()]
    if there and not arguments.force:
        raise UsageError(f"{Path(arguments.output) / there[0]} is there already", hint="veriloop testbench ... --force")
    tools = load_config(root).user.tools
    toolchain = Toolchain.find(
        cache=cache_home(),
        cancel=session.cancel,
        verilator=tools.verilator,
        iverilog=tools.iverilog,
        compiler=tools.cxx,
    )
    prover = Prover.find(session.cancel)
    workflow = make_testbench(request, toolchain=toolchain, prover=prover, cancel=session.cancel)
    made = finish(workflow, session.observe)
    path = Path(arguments.output) / f"{made.name}.py"
    if made.passed or made.expected.origin is not Origin.RTL:
        _write(made, folder)
    session.result(_text(made, path), _json(made, path))
    return 0 if made.passed else 1


def _names(toplevel: str) -> tuple[str, str]:
    return f"test_{toplevel}.py", f"test_{toplevel}_expected.txt"


def _write(made: Testbench, folder: Path) -> None:
    """Puts the files there, each renamed into place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in made.files.items():
            with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}.", delete=False) as file:
                file.write(content)
            Path(file.name).chmod(0o644)
            Path(file.name).replace(folder / name)
        for name in {*_names(made.reached.pins.module)} - made.files.keys():
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error


def _check(arguments: argparse.Namespace) -> None:
    if not 0 < arguments.cover <= 100:
        raise UsageError("--cover must be above 0 and at most 100")
    if not 0 <= arguments.mutants <= _MOST_MUTANTS:
        raise UsageError(f"--mutants must be from 0 to {_MOST_MUTANTS}")
    if arguments.spec and arguments.model_file:
        raise UsageError("--spec and --model-file both say what is expected; give one of them")


def _request(arguments: argparse.Namespace, session: Session, root: Path) -> Request:
    files = [_relative(name, session.cwd, root) for name in arguments.rtl]
    project = Project.load(root, load_config(root).repository.design)
    design, named = subject_of(project, files, arguments.top)
    return Request(
        design=design,
        files=named,
        root=root,
        folder=Path(os.path.relpath(session.cwd / arguments.output, root)),
        specification=_read(arguments.spec, session.cwd) if arguments.spec else "",
        model=_read(arguments.model_file, session.cwd) if arguments.model_file else "",
        model_path=_relative(arguments.model_file, session.cwd, root) if arguments.model_file else Path(),
        target=arguments.cover,
        mutants=arguments.mutants,
    )


def _relative(name: str, cwd: Path, root: Path) -> Path:
    path = Path(os.path.normpath(cwd.absolute() / name))
    if not path.is_file():
        raise UsageError(f"no such file: {name}")
    return path.relative_to(root) if path.is_relative_to(root) else path


def _read(name: str, cwd: Path) -> str:
    path = cwd / name
    if not path.is_file():
        raise UsageError(f"no such file: {name}")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{name} is larger than {_MOST_BYTES >> 20} MiB")
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
    if not text.strip():
        raise UsageError(f"{name} is empty")
    return text


def _text(made: Testbench, path: Path) -> str:
    shares = made.reached.shares
    lines = [
        f"{path}: {made.cycles} cycles, expected values from {made.expected.origin.value}",
        "  coverage: "
        + ", ".join(f"{kind} {share.percent:.1f} % ({share.met} of {share.points})" for kind, share in shares.items()),
    ]
    if made.mutants:
        killed = made.count(Fate.KILLED)
        lines.append(
            f"  mutants: {killed} of {killed + len(made.survivors)} killed ({made.score:.1f} %), "
            f"{made.count(Fate.EQUIVALENT)} more proved to do the same"
        )
    lines += [f"  survives: {one.path}:{one.line} {one.what}" for one in made.survivors]
    lines += [f"  {note}" for note in made.notes]
    lines += [f"  {'ok  ' if run.passed else 'FAIL'} {run.engine} from {run.start}: {run.reason}" for run in made.runs]
    if made.passed:
        lines.append(f"run it: pytest {path}")
    elif made.expected.origin is Origin.RTL:
        lines.append("not written: the design does not repeat what was recorded of it")
    else:
        lines.append(f"the RTL does not do what is expected; who is wrong: veriloop judge RTL --testbench {path}")
    return "\n".join(lines) + "\n"


def _json(made: Testbench, path: Path) -> dict[str, Any]:
    return {
        "status": "passes" if made.passed else "fails",
        "file": str(path),
        "origin": made.expected.origin.name.lower(),
        "detail": made.expected.detail,
        "assumed": list(made.expected.assumed),
        "cycles": made.cycles,
        "handshakes": list(made.holds),
        "coverage": {kind: round(share.percent, 2) for kind, share in made.reached.shares.items()},
        "missed": [f"{point.path}:{point.line} {point.kind} {point.what}" for point in made.reached.missed],
        "unreachable": len(made.reached.unreachable),
        "mutants": {
            "killed": made.count(Fate.KILLED),
            "equivalent": made.count(Fate.EQUIVALENT),
            "unusable": made.count(Fate.UNUSABLE),
            "score": round(made.score, 2),
            "survivors": [{"file": str(one.path), "line": one.line, "what": one.what} for one in made.survivors],
        },
        "notes": list(made.notes),
        "runs": [
            {"engine": run.engine, "start": run.start, "outcome": run.outcome.value, "reason": run.reason}
            for run in made.runs
        ],
    }
