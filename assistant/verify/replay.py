"""A test command without the programs around its simulator: the calls that it made of that, made again.

What stands around a simulator costs more than it does: the makefiles of cocotb start Python a dozen times to ask it for
paths, and wait for it each time. The calls alone, each where and with the variables that it had, are a command like any
other. Whether they say what the whole command says is for whoever uses them to look at.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from veriloop.assistant.execute import clean_environment
from veriloop.assistant.verify.calls import ToolCall
from veriloop.assistant.verify.testbench import CommandTest

_ROOT = "VERILOOP_TREE"
_OWN = frozenset(
    {"PATH", "PWD", "OLDPWD", "SHLVL", "_", "HOME", "TMPDIR", "LC_ALL"}
    | {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMOUT", "MAKE_TERMERR"}
)
"""Variables that every run has of its own, or that only make reads."""
_LANGUAGES = ("-m", "-M")
"""What loads another language into `vvp`; a testbench in Verilog is run without its command anyway."""
_MOST_BYTES = 64_000
"""Of a file that the command wrote, to be written again."""


def replay(calls: Sequence[ToolCall], test: CommandTest, root: Path, tracked: Collection[str]) -> CommandTest | None:
    """The calls of Icarus Verilog that a command made where another language drives the simulation.

    Small texts that the command wrote and names to a call, a file of options for instance, are written again first.

    Args:
        calls: what the command started, in this order.
        test: the command.
        root: the private copy that it ran in; its path stands for that of any other copy.
        tracked: the paths of the files that any copy has.

    Returns:
        None where it started another simulator as well, a compiler refused its files, Verilog drives it alone, or what
        is compiled seems to be a copy of a tracked file: what is changed there would not be seen.
    """
    if any(call.refused or call.tool not in ("iverilog", "vvp") for call in calls):
        return None
    if not any(call.tool == "vvp" and any(word.startswith(_LANGUAGES) for word in call.arguments) for call in calls):
        return None
    if not all(call.directory.resolve().is_relative_to(root.resolve()) for call in calls):
        return None
    written = dict(_written(calls, root.resolve(), tracked))
    if {path.name for path in written} & {Path(one).name for one in tracked}:
        return None
    texts = [_write(path, text, root) for path, text in written.items()]
    command = " && ".join([f'{_ROOT}="$PWD"', *texts, *(_step(call, root) for call in calls)])
    return CommandTest(
        name=f"the simulations of {test.name}",
        command=command,
        pass_pattern=test.pass_pattern,
        timeout_s=test.timeout_s,
    )


def _quoted(word: str, root: Path) -> str:
    """A word for the shell; a path in the copy is one in whatever copy it runs in."""
    inside = str(root.resolve())
    parts = word.replace(str(root), inside).split(inside)
    return f'"${_ROOT}"'.join(shlex.quote(part) if part else "" for part in parts) or "''"


def _written(calls: Sequence[ToolCall], root: Path, tracked: Collection[str]) -> Iterator[tuple[Path, str]]:
    """The texts that calls read, that no copy has, and that no call has made."""
    made = {call.directory.resolve() / word for call in calls for word in _outputs(call.arguments)}
    for call in calls:
        for word in call.arguments:
            path = Path(os.path.normpath(call.directory.resolve() / word))
            inside = path.is_relative_to(root) and path not in made and str(path.relative_to(root)) not in tracked
            if inside and path.is_file() and path.stat().st_size <= _MOST_BYTES:
                with contextlib.suppress(UnicodeDecodeError):
                    yield path, path.read_bytes().decode()


def _write(path: Path, text: str, root: Path) -> str:
    return f"mkdir -p {_quoted(str(path.parent), root)} && printf %s {_quoted(text, root)} > {_quoted(str(path), root)}"


def _step(call: ToolCall, root: Path) -> str:
    made = [_quoted(str(Path(word).parent), root) for word in _outputs(call.arguments) if Path(word).parent != Path()]
    prepared = [f"mkdir -p {' '.join(made)}"] if made else []
    variables = [f"{name}={_quoted(value, root)}" for name, value in sorted(_own_variables(call.environment))]
    told = ["env", *variables] if variables else []
    words = " ".join([*told, call.tool, *(_quoted(word, root) for word in call.arguments)])
    return f"( {' && '.join([f'cd {_quoted(str(call.directory.resolve()), root)}', *prepared, words])} )"


def _outputs(arguments: Sequence[str]) -> Iterator[str]:
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if word == "-o" and following:
            yield following
        elif word.startswith("-o") and len(word) > len("-o"):
            yield word[2:]


def _own_variables(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Those that the command has set itself, and what it put before everything else of PATH."""
    known = clean_environment()
    for name, value in environment.items():
        if name not in _OWN and name.isidentifier() and known.get(name) != value:
            yield name, value
    usual = os.environ.get("PATH", "").split(os.pathsep)
    first = [place for place in environment.get("PATH", "").split(os.pathsep) if place and place not in usual]
    if first:
        yield "PATH", os.pathsep.join([*first, *usual])
