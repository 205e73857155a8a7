"""`veriloop generate`: from a specification to a module, without a guess."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from veriloop.assistant.cli.generated import abstained_json, asked_lines, generated_json, generated_text, write_new
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.config import load_config
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.events import Note, finish
from veriloop.assistant.generate.placing import place
from veriloop.assistant.generate.questions import Decided
from veriloop.assistant.generate.synthesis import Abstained
from veriloop.assistant.generate.workflow import Generated, Request, generate
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.models.model import Model
from veriloop.models.named import opened
from veriloop.models.store import Store, data_home

NAME = "generate"
HELP = "make a module from a specification, and cross-examine what was not given as data"

NOT_VERIFIED_EXIT = 3
_MOST_BYTES = 4 << 20
_MOST_ANSWERS = 64
_NOBODY = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the specification, what is known beside it, who answers, and where the module goes."""
    parser.add_argument("specification", metavar="SPEC", help="a text or Markdown file; - reads from stdin")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the module there instead of to the terminal")
    parser.add_argument("--bench", metavar="FILE", help="write the testbench there that judged the module")
    parser.add_argument(
        "--reference-out", metavar="FILE", help="write a reference model in Python there, for veriloop testbench"
    )
    parser.add_argument("--top", metavar="MODULE", help="the module's name, if not the specification's")
    parser.add_argument("--ports", metavar="FILE", help="a file with the module header to use")
    parser.add_argument(
        "--answer",
        metavar="FILE",
        action="append",
        default=[],
        help="a module that somebody or a model wrote to this specification; several are held against each other",
    )
    parser.add_argument(
        "--reference",
        metavar="FILE",
        action="append",
        default=[],
        help="a reference model in Python: eval(inputs) -> outputs, a call a clock; run without files or network",
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        default="",
        help="ask this model (a name, a .gguf or .jsonl file, an address); none: nobody (default: the one chosen)",
    )
    parser.add_argument("-n", type=int, default=12, metavar="N", help="how many answers of each kind (default: 12)")
    parser.add_argument(
        "--decide",
        nargs=2,
        metavar=("QUESTION", "ANSWER"),
        action="append",
        default=[],
        help="an answer to a question that came up; may be given several times",
    )
    parser.add_argument("--plan", action="store_true", help="make a plan of several modules first; takes a model")
    parser.add_argument("--apply", action="store_true", help="put it into the work tree through the gate; takes -o")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Makes the module. 0: made, and nothing that was run speaks against it; 1: something does; 3: nothing was made."""
    cwd = session.cwd
    text = _specification(arguments.specification, cwd)
    _check_options(arguments, cwd)
    tools = load_config(cwd).user.tools
    toolchain = Toolchain.find(
        cache=cache_home(),
        cancel=session.cancel,
        verilator=tools.verilator,
        iverilog=tools.iverilog,
        compiler=tools.cxx,
    )
    with contextlib.ExitStack() as stack:
        request = Request(
            text=text,
            header=_text_of(arguments.ports, cwd) if arguments.ports else None,
            top=arguments.top,
            answers=[*(_read(name, cwd) for name in arguments.answer), *_existing(arguments, cwd)],
            references=[_text_of(name, cwd) for name in arguments.reference],
            model=_model(arguments, session, stack),
            count=arguments.n,
            planned=arguments.plan,
            decided=Decided(dict(arguments.decide)),
        )
        if arguments.plan and request.model is None:
            raise UsageError("--plan takes a model", hint="veriloop generate SPEC --plan --model NAME")
        made = finish(generate(request, toolchain=toolchain, cancel=session.cancel), session.observe)
    if isinstance(made, Abstained):
        session.result(_abstained(made), abstained_json(made))
        return NOT_VERIFIED_EXIT
    applied, refusal = _write(made, arguments, session)
    if arguments.bench and not made.testbench:
        session.observe(Note("there is no testbench: nothing brings the design into a known state, or nobody agrees"))
    if arguments.reference_out and not made.reference:
        session.observe(
            Note("there is no reference model: the specification's data is of another kind, or nobody gave one")
        )
    shown = arguments.output is None or bool(refusal)
    offers = () if made.refuted or refusal else tuple(_offers(made, arguments))
    session.result(
        generated_text(made, shown=shown, applied=applied, refusal=refusal, offers=offers),
        generated_json(made, applied=applied, refusal=refusal, offers=offers),
    )
    return 1 if made.refuted else NOT_VERIFIED_EXIT if refusal else 0


def _check_options(arguments: argparse.Namespace, cwd: Path) -> None:
    if not 1 <= arguments.n <= _MOST_ANSWERS:
        raise UsageError(f"-n must be from 1 to {_MOST_ANSWERS}")
    if arguments.apply and not arguments.output:
        raise UsageError("--apply takes -o FILE", hint="veriloop generate SPEC -o rtl/NAME.sv --apply")
    for name in filter(None, (arguments.output, arguments.bench, arguments.reference_out)):
        if (cwd / name).exists() and not arguments.apply:
            raise UsageError(f"{name} is there already", hint=f"veriloop generate ... -o {_other(name)}")
        if not (cwd / name).parent.is_dir():
            raise UsageError(f"no such directory: {Path(name).parent}")


def _existing(arguments: argparse.Namespace, cwd: Path) -> list[bytes]:
    """The user's own code where the module is to go: one more answer."""
    path = cwd / arguments.output if arguments.output else None
    return [path.read_bytes()] if path is not None and arguments.apply and path.is_file() else []


def _model(arguments: argparse.Namespace, session: Session, stack: contextlib.ExitStack) -> Model | None:
    """The model that is named, else the one that the user has chosen, else the one that came with the package."""
    if arguments.model == _NOBODY:
        return None
    store = Store(data_home(os.environ))
    if arguments.model:
        return stack.enter_context(opened(arguments.model, store, cwd=session.cwd))
    choice = store.choose("generate")
    if choice is None:
        return None
    session.observe(Note(f"answers come from {choice.model.name}: {choice.why}"))
    return stack.enter_context(opened(choice.model.name, store, cwd=session.cwd))


def _write(made: Generated, arguments: argparse.Namespace, session: Session) -> tuple[tuple[str, ...], str]:
    """Writes what is not refuted; the paths that went through the gate, and why none did where it was asked for."""
    if made.refuted:
        return (), ""
    if not arguments.apply:
        write_new(arguments.output, session.cwd, made.rtl)
        write_new(arguments.bench, session.cwd, made.testbench.encode())
    write_new(arguments.reference_out, session.cwd, made.reference.encode())
    if not arguments.apply:
        return (), ""
    placing = place(
        made,
        arguments.output,
        arguments.bench,
        repository=open_repository(session),
        cwd=session.cwd,
        cancel=session.cancel,
    )
    try:
        return finish(placing, session.observe), ""
    except NotVerified as error:
        return (), f"{error.message}{f' ({error.hint})' if error.hint else ''}"


def _offers(made: Generated, arguments: argparse.Namespace) -> Iterator[str]:
    """What there is beside the module, with the commands that bring it."""
    if made.testbench and not arguments.bench and not arguments.apply:
        yield "--bench FILE writes the testbench that judged it"
    if not made.reference:
        return
    if not arguments.reference_out:
        yield "--reference-out FILE writes a reference model in Python"
    elif arguments.output:
        model = shlex.quote(arguments.reference_out)
        yield f"veriloop testbench {shlex.quote(arguments.output)} --model-file {model} writes a cocotb test of it"


def _specification(name: str, cwd: Path) -> str:
    content = sys.stdin.buffer.read(_MOST_BYTES + 1) if name == "-" else _read(name, cwd)
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


def _text_of(name: str, cwd: Path) -> str:
    return _read(name, cwd).decode("utf-8", errors="replace")


def _other(name: str) -> str:
    path = Path(name)
    return str(path.with_name(f"{path.stem}_new{path.suffix}"))


def _abstained(made: Abstained) -> str:
    lines = [f"nothing was made: {made.reason}", *(f"  {question}" for question in made.questions)]
    lines += asked_lines(made.questions)
    if not made.questions:
        lines.append("  what it says in prose takes a model (--model NAME), or answers to hold against each other")
        lines.append("  (--answer FILE --answer FILE ...)")
    return "\n".join(lines) + "\n"
