"""`veriloop generate`: from a specification to a module, without a guess."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.config import load_config
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note, finish
from veriloop.assistant.generate.synthesis import Abstained
from veriloop.assistant.generate.workflow import Generated, generate
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.verify.toolchain import Toolchain

NAME = "generate"
HELP = "make a module from the tables, maps, diagrams and waveforms of a specification"

NOT_VERIFIED_EXIT = 3
_MOST_BYTES = 4 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the specification, what is known beside it, and where the module goes."""
    parser.add_argument("specification", metavar="SPEC", help="a text or Markdown file; - reads from stdin")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the module there instead of to the terminal")
    parser.add_argument("--bench", metavar="FILE", help="write the testbench there that plays the specification's data")
    parser.add_argument("--top", metavar="MODULE", help="the module's name, if not the specification's")
    parser.add_argument("--ports", metavar="FILE", help="a file with the module header to use")
    parser.add_argument(
        "--answer",
        metavar="FILE",
        action="append",
        default=[],
        help="a module that somebody or a model wrote to this specification; several are held against each other",
    )


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Makes the module. 0: made, and nothing that was run speaks against it; 1: something does; 3: nothing was made."""
    cwd = session.cwd
    text = _specification(arguments.specification, cwd)
    for name in filter(None, (arguments.output, arguments.bench)):
        if (cwd / name).exists():
            raise UsageError(f"{name} is there already", hint=f"veriloop generate ... -o {_other(name)}")
        if not (cwd / name).parent.is_dir():
            raise UsageError(f"no such directory: {Path(name).parent}")
    tools = load_config(cwd).user.tools
    toolchain = Toolchain.find(
        cache=cache_home(),
        cancel=session.cancel,
        verilator=tools.verilator,
        iverilog=tools.iverilog,
        compiler=tools.cxx,
    )
    made = finish(
        generate(
            text,
            header=_read(arguments.ports, cwd).decode("utf-8", errors="replace") if arguments.ports else None,
            top=arguments.top,
            answers=[_read(name, cwd) for name in arguments.answer],
            toolchain=toolchain,
            cancel=session.cancel,
        ),
        session.observe,
    )
    if isinstance(made, Abstained):
        session.result(_abstained(made), {"status": "abstained", "reason": made.reason, "questions": made.questions})
        return NOT_VERIFIED_EXIT
    if not made.refuted:
        _write(arguments.output, cwd, made.rtl)
        _write(arguments.bench, cwd, made.testbench.encode())
    if arguments.bench and not made.testbench:
        session.observe(
            Note("the specification's data gives no testbench: nothing brings the design into a known state")
        )
    session.result(_text(made, shown=arguments.output is None), _json(made))
    return 1 if made.refuted else 0


def _specification(name: str, cwd: Path) -> str:
    content = sys.stdin.buffer.read() if name == "-" else _read(name, cwd)
    if len(content) > _MOST_BYTES:
        raise UsageError(f"{name} is larger than {_MOST_BYTES >> 20} MiB: that is no specification of one module")
    text = content.decode("utf-8", errors="replace")
    if not text.strip():
        raise UsageError(f"the specification {name} is empty")
    return text


def _read(name: str, cwd: Path) -> bytes:
    try:
        return (cwd / name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error


def _other(name: str) -> str:
    path = Path(name)
    return str(path.with_name(f"{path.stem}_new{path.suffix}"))


def _write(name: str | None, cwd: Path, content: bytes) -> None:
    if not name or not content:
        return
    try:
        # Exclusive: what somebody wrote there since must not be lost.
        with (cwd / name).open("xb") as stream:
            stream.write(content)
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}") from error


def _abstained(made: Abstained) -> str:
    lines = [f"nothing was made: {made.reason}", *(f"  {question}" for question in made.questions)]
    if not made.questions:
        lines.append("  what it says in prose takes a model, or answers to hold against each other: --answer FILE ...")
    return "\n".join(lines) + "\n"


def _text(made: Generated, *, shown: bool) -> str:
    lines = [made.rtl.decode("utf-8", errors="replace")] if shown else []
    lines.append(f"{made.toplevel}: {made.how}")
    if made.confidence is not None:
        lines.append(f"  confidence {made.confidence:.2f}; no test of yours exists")
    lines += [f"  assumed: {line}" for line in made.assumed]
    for step in made.steps:
        checks = sum(run.checks for run in step.results)
        said = f"{checks} values compared in {len(step.results)} runs" if step.results else step.detail
        lines.append(f"  {'ok  ' if step.passed else 'FAIL'} {step.name}: {said}")
    lines.append(f"evidence: {made.evidence.label}")
    return "\n".join(lines) + "\n"


def _json(made: Generated) -> dict[str, Any]:
    return {
        "status": "refuted" if made.refuted else "generated",
        "toplevel": made.toplevel,
        "how": made.how,
        "confidence": made.confidence,
        "evidence": made.evidence.label,
        "assumed": made.assumed,
        "steps": [
            {
                "name": step.name,
                "passed": step.passed,
                "detail": step.detail,
                "runs": [
                    {"engine": run.engine, "start": run.start, "outcome": run.outcome.value, "checks": run.checks}
                    for run in step.results
                ],
            }
            for step in made.steps
        ],
        "rtl": made.rtl.decode("utf-8", errors="replace"),
        "testbench": made.testbench,
    }
