"""`veriloop train`: training data and training; each part is a module of its own, imported when it is asked for."""

from __future__ import annotations

import argparse
import importlib
from typing import Protocol, cast

from veriloop.assistant.cli.session import Session

NAME = "train"
HELP = "make training data, and train on it"

PARTS = {
    "data": "veriloop.assistant.cli.train_data",
    "sft": "veriloop.assistant.cli.train_sft",
    "rl": "veriloop.assistant.cli.train_rl",
    "export": "veriloop.assistant.cli.train_export",
}
"""Where each part lives: a module with `HELP`, `add_arguments(parser)` and `run(arguments, session)`."""


class Part(Protocol):
    """What a part's module offers."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares its options."""
        ...

    def run(self, arguments: argparse.Namespace, session: Session) -> int:
        """Does it; returns the exit code."""
        ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the parts and their options."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True, title="parts")
    for name in PARTS:
        part = _part(name)
        part_parser = parts.add_parser(
            name, help=part.HELP, description=f"{part.HELP.capitalize()}.", allow_abbrev=False
        )
        part_parser.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="write the result as one line of JSON"
        )
        part.add_arguments(part_parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the part that was asked for."""
    return _part(arguments.part).run(arguments, session)


def _part(name: str) -> Part:
    return cast(Part, importlib.import_module(PARTS[name]))
