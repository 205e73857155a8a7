"""`--farm` of the verbs that can do their work elsewhere."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import NotVerified, ToolNotFound
from veriloop.assistant.events import Note
from veriloop.assistant.farm.detached import Detached, detach
from veriloop.assistant.places import user_state_directory

if TYPE_CHECKING:
    from veriloop.assistant.farm.farm import Farm
    from veriloop.assistant.farm.tests import FarmTests

MISSING = "the package that reaches other machines is not installed"
HINT = "pip install 'veriloop[farm]'"


def add_farm_option(parser: argparse.ArgumentParser) -> None:
    """Declares where the work may be done."""
    parser.add_argument(
        "--farm",
        default="",
        metavar="FARM",
        help="work there: local, tcp://HOST:PORT, tls://HOST:PORT, slurm, lsf, sge, pbs",
    )
    parser.add_argument(
        "--detach", action="store_true", help="go on without this terminal; veriloop farm attach ID looks in on it"
    )


def go_on_without(session: Session) -> int:
    """Starts the command line anew, to go on without this terminal, and says how to look in on it."""
    words = [word for word in session.words if word != "--detach"]
    argv = [sys.executable, "-m", "veriloop.assistant.cli.main", *words]
    one = detach(jobs_home(), argv, cwd=session.started_in)
    session.result(f"veriloop farm attach {one.name}", facts(one))
    return 0


def facts(one: Detached) -> dict[str, Any]:
    """What is told of a detached command."""
    command = shlex.join(["veriloop", *one.argv[3:]])
    return {"id": one.name, "command": command, "cwd": one.cwd, "started": one.started, "code": one.exit_code}


def jobs_home() -> Path:
    """Where detached commands are kept."""
    return user_state_directory(os.environ) / "farm"


@contextlib.contextmanager
def farm_of(arguments: argparse.Namespace, session: Session) -> Iterator[Farm | None]:
    """The farm that the command line names; none where it names none.

    Where no worker comes and the user's configuration allows that, the work is done here, which is said.

    Raises:
        ToolNotFound: Dask is not installed, or the batch system's program.
        NotVerified: nothing answers, or no worker comes.
    """
    name = arguments.farm
    if not name:
        yield None
        return
    # Imported here because Dask takes longer to load than most verbs take.
    try:
        from veriloop.assistant.farm.cluster import connect
    except ModuleNotFoundError as error:
        raise ToolNotFound(f"{MISSING} ({error.name})", hint=HINT) from error
    from veriloop.assistant.farm.tools import tools_here
    from veriloop.assistant.repository.private import cache_home

    user = session.config.user
    tools = tools_here(cache_home(), cancel=session.cancel, configured=user.tools)
    with contextlib.ExitStack() as stack:
        try:
            farm: Farm | None = stack.enter_context(
                connect(
                    name,
                    user.farm,
                    tools=tools,
                    cancel=session.cancel,
                    tell=lambda line: session.observe(Note(line)),
                )
            )
        except NotVerified as error:
            if not user.farm.fall_back:
                raise
            session.observe(Note(f"{error.message}; the work is done on this machine"))
            farm = None
        yield farm


@contextlib.contextmanager
def tests_elsewhere(arguments: argparse.Namespace, session: Session) -> Iterator[FarmTests | None]:
    """What runs testbenches on the farm that the command line names; none where it names none.

    Raises:
        VeriloopError: as `farm_of`.
    """
    with farm_of(arguments, session) as farm:
        if farm is None:
            yield None
            return
        from veriloop.assistant.farm.tests import FarmTests

        tests = FarmTests(farm)
        try:
            yield tests
        finally:
            tests.close()
