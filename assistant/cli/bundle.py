"""`veriloop bundle`: one directory with wheels, models, digests and an SBOM, for a machine without a network."""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import ToolNotFound, UsageError
from veriloop.assistant.events import finish
from veriloop.models.store import Store, data_home

NAME = "bundle"
HELP = "write what a machine without a network needs into one directory"

_EXTRAS = "cocotb,lsp,model,tui"
_KNOWN = frozenset({"cocotb", "equivalence", "farm", "lsp", "model", "tui", "bench", "bundle", "train"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares where it goes and what goes along."""
    parser.add_argument("target", metavar="DIR", type=Path, help="a directory that is empty or not there yet")
    parser.add_argument(
        "--extras", default=_EXTRAS, metavar="LIST", help=f"of Veriloop, separated by commas (default: {_EXTRAS})"
    )
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="a model of this machine, too")
    parser.add_argument(
        "--source",
        default="",
        metavar="PATH",
        help="a wheel, source archive or checkout of Veriloop (default: this one)",
    )


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Writes the bundle; 0 once it is whole."""
    extras = [name.strip() for name in arguments.extras.split(",") if name.strip()]
    if unknown := sorted(set(extras) - _KNOWN):
        raise UsageError(f"there is no extra {unknown[0]}", hint=f"--extras {_EXTRAS}")
    for name in ("cyclonedx", "pip"):
        if importlib.util.find_spec(name) is None:
            raise ToolNotFound(f"{name} is not installed here", hint="pip install 'veriloop[bundle]' pip")
    from veriloop.assistant.bundle.directory import write_bundle
    from veriloop.assistant.bundle.wheels import source_of_this

    store = Store(data_home(os.environ))
    models = [store.find(name) for name in arguments.model]
    source = source_of_this(arguments.source, session.cwd)
    steps = write_bundle(
        session.cwd / arguments.target, source, extras, [one for one in models if not one.bundled], session.cancel
    )
    made = finish(steps, session.observe)
    text = (
        f"{made.directory}: {len(made.wheels)} wheels, {len(made.models)} models beside the one in the package, "
        f"{made.size_bytes / 1e6:.0f} MB\nthere: ./install.sh DIR"
    )
    wheels = [{"name": one.name, "version": one.version, "sha256": one.sha256} for one in made.wheels]
    data = {"directory": str(made.directory), "wheels": wheels, "models": list(made.models)}
    session.result(text, {**data, "size_bytes": made.size_bytes})
    return 0
