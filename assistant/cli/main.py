"""The `veriloop` command: finds the verb, runs it, and turns how it ended into an exit code.

Without a verb it is a conversation: the terminal, its lines with `--plain`, or one turn of it with `--prompt`.

A verb is a module with `NAME`, `HELP`, `add_arguments(parser)` and `run(arguments, session) -> exit code`. It is
imported only when it is asked for, so that `veriloop --help` and the quick verbs answer at once.

Exit codes: 0 verified, 1 refuted, 2 usage or configuration, 3 not verified (tool missing, budget spent), 4 a bug of
ours (with a log file), 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn, Protocol, cast

from veriloop.assistant import __version__, startup
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import Cancelled, UsageError, VeriloopError
from veriloop.assistant.events import CancelToken
from veriloop.models.errors import ModelError, Stopped

BUG_EXIT = 4
INTERRUPTED_EXIT = 130
NOT_VERIFIED_EXIT = 3

_NOTICE_S = 0.4
"""How long work may go on after Ctrl-C without looking at its token: everything has to stop within a second."""

VERBS = {
    "repair": "veriloop.assistant.cli.repair",
    "generate": "veriloop.assistant.cli.generate",
    "explain": "veriloop.assistant.cli.explain",
    "judge": "veriloop.assistant.cli.judge",
    "locate": "veriloop.assistant.cli.locate",
    "testbench": "veriloop.assistant.cli.testbench",
    "check": "veriloop.assistant.cli.check",
    "project": "veriloop.assistant.cli.project",
    "log": "veriloop.assistant.cli.log",
    "show": "veriloop.assistant.cli.show",
    "undo": "veriloop.assistant.cli.undo",
    "status": "veriloop.assistant.cli.status",
    "waves": "veriloop.assistant.cli.waves",
    "bench": "veriloop.assistant.cli.bench",
    "train": "veriloop.assistant.cli.train",
    "models": "veriloop.assistant.cli.models",
    "trust": "veriloop.assistant.cli.trust",
    "cache": "veriloop.assistant.cli.cache",
    "config": "veriloop.assistant.cli.config",
    "farm": "veriloop.assistant.cli.farm",
    "doctor": "veriloop.assistant.cli.doctor",
    "bundle": "veriloop.assistant.cli.bundle",
    "lsp": "veriloop.lsp.verb",
    "lsp-query": "veriloop.assistant.cli.lsp_query",
}
"""Where each verb lives."""

SUMMARIES = {
    "repair": "find a verified change that makes a failing test pass",
    "generate": "make a module from a specification, and cross-examine what was not given as data",
    "explain": "say what a module, a block or a line does, and what is unsure about it",
    "judge": "say who is wrong where a test fails: RTL, testbench, both, specification or harness",
    "locate": "rank the places that a bug report can be about, with reasons",
    "testbench": "write a cocotb test that reaches what can be reached and fails on mutants",
    "check": "judge a change that is there already, with the evidence",
    "project": "show what this repository is: toplevels, files, tests, what they need",
    "log": "show what was tried here: reports, and what came of them",
    "show": "show one attempt: the report, the places, what was tried, the evidence",
    "undo": "take back the last change that was applied",
    "status": "show the hierarchy, the tests and what they last said",
    "waves": "show what signals do around the first place where two versions part",
    "bench": "run a public set of problems, or a measurement, and count",
    "train": "make training data, and train on it",
    "models": "show, fetch, check and choose the language models of this machine",
    "trust": "allow this repository's own files to name test commands",
    "cache": "show, clear or explain what is kept of earlier verdicts",
    "config": "show the settings in force and where each comes from",
    "farm": "show the machines that work can be given to, and look in on what runs there",
    "doctor": "show what is installed, what is missing and how to get it",
    "bundle": "write what a machine without a network needs into one directory",
    "lsp": "serve an editor: navigation, diagnostics, completion, verification",
    "lsp-query": "ask what the language server knows, from the command line",
}
"""Each verb's `HELP`, said here too so that `--help` need not import them all."""

_TERMINAL = "veriloop.tui.start"
_PLAIN = "veriloop.assistant.session.plain"
_HEADLESS = "veriloop.assistant.session.headless"


class Verb(Protocol):
    """What a verb's module offers."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares its options."""
        ...

    def run(self, arguments: argparse.Namespace, session: Session) -> int:
        """Does it; returns the exit code."""
        ...


class FrontEnd(Protocol):
    """What holds a conversation: `run` is called with the command line and the session."""

    def run(self, arguments: argparse.Namespace, session: Session) -> int:
        """Holds it; returns the exit code."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command line ended: its exit code and, where it did not get to a result, one line and what to try."""

    exit: int
    message: str = ""
    hint: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name that the terminal's encoding lacks must not cost the result.
        sys.stdout.reconfigure(errors="backslashreplace")
    cancel = CancelToken()
    session = Session(json="--json" in words, cancel=cancel, words=words)
    try:
        try:
            with stoppable(cancel):
                end = ended(words, lambda: _run(words, session))
        except (Cancelled, KeyboardInterrupt):
            # What stops late work came when the work had just ended.
            end = Ended(INTERRUPTED_EXIT, "interrupted")
        return _fail(session, end) if end.message else end.exit
    finally:
        session.close()


def ended(words: Sequence[str], work: Callable[[], int]) -> Ended:
    """Does some work and says how it ended, whatever it raises; `words` are for the log of a bug."""
    try:
        return Ended(work())
    except (VeriloopError, ModelError) as error:
        return Ended(error.exit_code, error.message, error.hint)
    except (Cancelled, Stopped, KeyboardInterrupt):
        return Ended(INTERRUPTED_EXIT, "interrupted")
    except OSError as error:
        return _no_room(error) or _bug(words)
    except Exception:  # noqa: BLE001 - the one place where a bug of ours becomes a log file and an exit code
        return _bug(words)


def _bug(words: Sequence[str]) -> Ended:
    from veriloop.assistant.cli.buglog import write_bug_log

    return Ended(BUG_EXIT, f"this is a bug in veriloop; its details are in {write_bug_log(words)}")


def _no_room(error: OSError) -> Ended | None:
    """A disk that takes nothing is no bug, wherever it shows."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG):
        return None
    where = f"{error.filename}: " if error.filename else ""
    hint = "df -h    (or export VERILOOP_CACHE=DIR on another disk)"
    return Ended(NOT_VERIFIED_EXIT, f"{where}{error.strerror}", hint)


def perform(words: Sequence[str], session: Session) -> int:
    """Runs a verb's command line in a session that exists already; returns its exit code.

    Raises:
        UsageError: the command line is wrong.
        SystemExit: it asks for help, which is on stdout.
    """
    arguments = build_parser(words).parse_args(list(words))
    if not arguments.verb:
        raise UsageError("name a verb", hint="veriloop --help")
    return _verb(arguments.verb).run(arguments, session)


def _run(words: list[str], session: Session) -> int:
    arguments = build_parser(words).parse_args(words)
    session.json = arguments.json
    directory = Path(*arguments.directory)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(contextlib.chdir(directory))
            session.cwd = Path.cwd()
        except OSError as error:
            raise UsageError(f"cannot run in {directory}: {error.strerror}") from error
        if arguments.verb:
            return _verb(arguments.verb).run(arguments, session)
        return _front_end(arguments).run(arguments, session)


def _front_end(arguments: argparse.Namespace) -> FrontEnd:
    """What a command line without a verb starts.

    Raises:
        UsageError: it names no verb, and there is no terminal to talk in.
    """
    if arguments.prompt is not None:
        name = _HEADLESS
    elif arguments.plain:
        name = _PLAIN
    elif sys.stdin and sys.stdout and sys.stdin.isatty() and sys.stdout.isatty():
        name = _PLAIN if os.environ.get("TERM", "dumb") == "dumb" else _TERMINAL
        startup.begin()
    else:
        raise UsageError("the following arguments are required: VERB", hint="veriloop --help")
    return cast(FrontEnd, importlib.import_module(name))


def build_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for a command line; only the verbs that occur in it are imported and know their options."""
    parser = _Parser(
        prog="veriloop",
        description="Repairs Verilog and SystemVerilog on this machine, and shows only what it has simulated.",
        epilog="Exit codes: 0 verified, 1 refuted, 2 usage, 3 not verified, 4 a bug of veriloop, 130 interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"veriloop {__version__}")
    parser.add_argument(
        "-C", dest="directory", metavar="DIR", action="append", default=[], help="run as if started in DIR"
    )
    parser.add_argument("--json", action="store_true", help="write the result as one line of JSON")
    talk = parser.add_argument_group("without a verb, a conversation in the terminal")
    talk.add_argument("-p", "--prompt", metavar="TEXT", help="one turn of it, without a terminal; - reads stdin")
    talk.add_argument(
        "--apply",
        nargs="?",
        const="verified",
        default="never",
        choices=("verified", "never"),
        help="with --prompt: write what is verified into the work tree (never, unless this is given)",
    )
    talk.add_argument("--plain", action="store_true", help="line by line, for screen readers and simple terminals")
    talk.add_argument(
        "--resume", nargs="?", const="", metavar="SESSION", help="go on with the last session here, or with that one"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name, summary in SUMMARIES.items():
        description = f"{summary[0].upper()}{summary[1:]}."
        verb_parser = verbs.add_parser(name, help=summary, description=description, allow_abbrev=False)
        # SUPPRESS: a `--json` before the verb must not be reset by its absence after the verb.
        verb_parser.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="write the result as one line of JSON"
        )
        if name in words:
            _verb(name).add_arguments(verb_parser)
    return parser


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line as every other error is reported."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"{self.prog} --help")


def _verb(name: str) -> Verb:
    return cast(Verb, importlib.import_module(VERBS[name]))


@contextlib.contextmanager
def stoppable(cancel: CancelToken) -> Iterator[None]:
    """Makes the signals that ask a program to end set the token.

    What has not looked at it soon after is stopped wherever it is, as by a second Ctrl-C.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        if cancel.cancelled and number == signal.SIGINT:
            raise KeyboardInterrupt
        cancel.cancel()
        signal.setitimer(signal.ITIMER_REAL, _NOTICE_S)

    def on_alarm(number: int, frame: FrameType | None) -> None:
        raise Cancelled

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    # `nohup` and a shell's background jobs ignore some of them, and want that to stay so.
    heard = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in heard:
        signal.signal(number, on_signal)
    alarm = signal.signal(signal.SIGALRM, on_alarm)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)
        for number, handler in heard.items():
            signal.signal(number, handler)


def _fail(session: Session, end: Ended) -> int:
    """Says in one line what went wrong, with `--json` on stdout too."""
    session.close()
    lines = f"veriloop: {end.message}\n" + (f"  try: {end.hint}\n" if end.hint else "")
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(lines)
            sys.stderr.flush()
    if session.json:
        with contextlib.suppress(UsageError):
            session.result("", {"error": end.message, "hint": end.hint, "exit": end.exit})
    return end.exit


if __name__ == "__main__":
    sys.exit(main())
