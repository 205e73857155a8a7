"""`veriloop trust`: allow the commands that a repository's own files name."""

from __future__ import annotations

import argparse
import sys

from veriloop.assistant.cli.session import Session
from veriloop.assistant.config import load_config
from veriloop.assistant.errors import NotVerified
from veriloop.assistant.places import REPOSITORY_FILE, find_root
from veriloop.assistant.trust import commands, distrust, is_trusted, trust

NAME = "trust"
HELP = "allow this repository's own files to name test commands"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares its options."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    choice.add_argument("--list", action="store_true", help="show the commands and whether they are trusted")
    choice.add_argument("--revoke", action="store_true", help="take back what was trusted here")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Shows the commands, asks, and remembers the answer."""
    root = find_root(session.cwd)
    if arguments.revoke:
        text = f"{root} is no longer trusted" if distrust(root) else f"{root} was not trusted"
        session.result(text, {"root": str(root), "trusted": False})
        return 0
    config = load_config(root)
    named = commands(config)
    trusted = is_trusted(root, config)
    if not named:
        session.result(
            f"no {REPOSITORY_FILE} here names a command: there is nothing to trust", _data(root, named, True)
        )
        return 0
    if not trusted and not arguments.list:
        if not arguments.yes:
            _ask(named)
        trust(root, config)
        trusted = True
    session.result(f"{'trusted' if trusted else 'not trusted'}:\n{_listing(named)}", _data(root, named, trusted))
    return 0


def _ask(named: tuple[str, ...]) -> None:
    """Returns if the user agrees.

    Raises:
        NotVerified: the user does not, or nobody can be asked.
    """
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise NotVerified("nobody is there to be asked", hint="veriloop trust --list    then    veriloop trust --yes")
    print(f"{REPOSITORY_FILE} names these commands, which run as you:", file=sys.stderr)
    print(_listing(named), file=sys.stderr)
    print("Trust them? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotVerified("not trusted")


def _listing(named: tuple[str, ...]) -> str:
    # Escaped: a control character could make a command look like another one.
    return "\n".join("    " + command.encode("unicode_escape").decode() for command in named)


def _data(root: object, named: tuple[str, ...], trusted: bool) -> dict[str, object]:
    return {"root": str(root), "commands": list(named), "trusted": trusted}
