"""`veriloop cache`: the verdicts of earlier runs: how much there is, away with it, and why one was not known."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from veriloop.assistant.cli import reading
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.subject import testbenches
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.config import load_config
from veriloop.assistant.context import Context, verdict_cache
from veriloop.assistant.errors import UsageError
from veriloop.assistant.places import find_root
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.verify.cache import Difference

NAME = "cache"
HELP = "show, clear or explain what is kept of earlier verdicts"

_HASH_CHARS = 12
_ACTIONS = ("size", "clear", "why-miss")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what to do, and for `why-miss` which verdict is meant."""
    parser.add_argument(
        "action",
        nargs="?",
        default="size",
        choices=_ACTIONS,
        help="size: how much there is (the default); clear: remove it; why-miss: why a verdict is not known",
    )
    parser.add_argument("--all", action="store_true", help="clear: Verilator's prebuilt runtime as well")
    parser.add_argument("--staged", action="store_true", help="why-miss: of what a commit would contain now")
    parser.add_argument("--head", action="store_true", help="why-miss: of the last commit; else of what is on disk")
    parser.add_argument(
        "--testbench", action="append", default=[], metavar="FILE", help="why-miss: by this testbench, as for check"
    )
    parser.add_argument(
        "--test", action="append", default=[], metavar="COMMAND", help="why-miss: by this command, as for check"
    )
    parser.add_argument("--top", default="", metavar="MODULE", help="why-miss: the module at the top of the testbench")
    parser.add_argument(
        "--rtl", action="append", default=[], metavar="FILE", help="why-miss: with this file, as for check"
    )
    reading.add_arguments(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Does it: 0, whether a verdict is known or not."""
    if arguments.action == "why-miss":
        return _why_miss(arguments, session)
    home = cache_home()
    cache = verdict_cache(home, load_config(find_root(session.cwd)))
    runtimes = home / "runtime"
    found = cache.clear() if arguments.action == "clear" else cache.size()
    built_bytes = _bytes_below(runtimes)
    data = {
        "directory": str(home),
        "verdicts": found.verdicts,
        "bytes": found.size_bytes,
        "limit_bytes": cache.limit_bytes,
        "runtime_bytes": built_bytes,
    }
    if arguments.action == "size":
        text = (
            f"{cache.directory}: {found.verdicts} verdicts, {_megabytes(found.size_bytes)} of "
            f"{_megabytes(cache.limit_bytes)}\n{runtimes}: Verilator's runtime, {_megabytes(built_bytes)}"
        )
        session.result(text, data)
        return 0
    for name in ("answers", "facts", "history"):
        shutil.rmtree(home / name, ignore_errors=True)
    text = f"{found.verdicts} verdicts removed, {_megabytes(found.size_bytes)}"
    if arguments.all:
        shutil.rmtree(runtimes, ignore_errors=True)
        text += f"; Verilator's runtime too, {_megabytes(built_bytes)}: the next build makes it again"
    session.result(text, {**data, "cleared": ["verdicts", "answers", *(["runtime"] if arguments.all else [])]})
    return 0


def _why_miss(arguments: argparse.Namespace, session: Session) -> int:
    if arguments.staged and arguments.head:
        raise UsageError("--staged and --head exclude each other")
    repository = open_repository(session)
    context = Context.of(repository, session.cancel)
    tree = repository.snapshot()
    if arguments.staged or arguments.head:
        tree = repository.index_tree() if arguments.staged else repository.head_tree()
    lines: list[str] = []
    rows = []
    for testbench, key in context.gate.keys(tree, testbenches(arguments, session, context, tree)):
        known = key is not None and context.cache.get(key) is not None
        differences = context.cache.why_miss(key) if key and not known else ()
        why = _why(differences) if key else "it may read files that are not in the tree, so nothing is kept of it"
        why = "its verdict is known" if known else why
        shown = [{"part": one.part, "was": one.was, "now": one.now} for one in differences or ()]
        rows.append({"testbench": testbench.name, "known": known, "why": why, "differences": shown})
        lines += [f"{testbench.name}: {why}", *(f"  {_line(one)}" for one in differences or ())]
    session.result("\n".join(lines) or "no testbench is known here", {"tree": tree, "testbenches": rows})
    return 0


def _why(differences: tuple[Difference, ...] | None) -> str:
    if differences is None:
        return "no verdict of it is kept: it has not run to its end, or it was pushed out"
    if not differences:
        return "its entry cannot be read"
    return "not known; the nearest verdict that is kept differs in:"


def _line(one: Difference) -> str:
    if not one.was or not one.now:
        return f"{one.part}: {'new' if not one.was else 'gone'}"
    return f"{one.part}: {one.was[:_HASH_CHARS]} -> {one.now[:_HASH_CHARS]}"


def _bytes_below(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f} MB"
