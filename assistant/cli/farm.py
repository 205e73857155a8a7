"""`veriloop farm`: the machines behind `--farm`, and the commands that go on there."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from veriloop.assistant.cli.farming import facts, farm_of, jobs_home
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note
from veriloop.assistant.farm.detached import Detached, find, follow, known
from veriloop.assistant.farm.job import differences

NAME = "farm"
HELP = "show the machines that work can be given to, and look in on what runs there"

_RUNNING = "running"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what can be asked; without a word, the farm and the detached commands are shown."""
    parser.add_argument("--farm", default="", metavar="FARM", help="show the machines of this one")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    attach = actions.add_parser("attach", help="show a detached command's progress, and its result")
    attach.add_argument("id", metavar="ID", help="what --detach has printed")
    certificates = actions.add_parser("certificates", help="make a certificate for scheduler, workers and clients")
    certificates.add_argument("where", metavar="DIR", help="a directory that all machines see, and nobody else")
    for one in actions.choices.values():
        one.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Does what was asked for."""
    if arguments.action == "attach":
        return _attach(find(jobs_home(), arguments.id), session)
    if arguments.action == "certificates":
        return _certificates(session.cwd / str(arguments.where), session)
    return _show(arguments, session)


def _attach(one: Detached, session: Session) -> int:
    for line in follow(one, session.cancel):
        session.observe(Note(line.removeprefix("veriloop: ")))
    # Ctrl-C ends the looking, not the work.
    session.cancel.check()
    session.close()
    sys.stdout.write(one.output.decode("utf-8", errors="replace"))
    sys.stdout.flush()
    return one.exit_code or 0


def _certificates(directory: Path, session: Session) -> int:
    from veriloop.assistant.farm.certificates import write_certificates

    files = write_certificates(directory)
    text = "\n".join([*map(str, files), f"on every machine: export DASK_CONFIG={shlex.quote(str(files[-1]))}"])
    session.result(text, {"files": [str(path) for path in files], "exit": 0})
    return 0


def _show(arguments: argparse.Namespace, session: Session) -> int:
    jobs = [facts(one) for one in known(jobs_home())]
    if not arguments.farm:
        lines = [_line(one) for one in jobs] or ["no detached command is known"]
        lines.append("a farm's machines: veriloop farm --farm local, tcp://HOST:PORT, tls://HOST:PORT, slurm, ...")
        session.result("\n".join(lines), {"jobs": jobs, "exit": 0})
        return 0
    with farm_of(arguments, session) as farm:
        if farm is None:
            raise UsageError("the farm is not there", hint="veriloop farm")
        workers = [
            {
                "address": address,
                "host": one.host,
                "cpu_s": one.cpu_s,
                "tools": dict(one.tools),
                "differs": list(differences(farm.tools, one.tools)),
            }
            for address, one in sorted(farm.workers().items())
        ]
        queue = farm.queue()
        data = {"workers": workers, "slots": farm.slots, **queue, "jobs": jobs, "exit": 0}
        lines = [f"{farm.slots} processors, {queue['running']} jobs running, {queue['waiting']} waiting"]
        lines += [_worker_line(worker) for worker in workers]
        session.result("\n".join([*lines, *map(_line, jobs)]), data)
    return 0


def _worker_line(worker: dict[str, Any]) -> str:
    tools = ", ".join(f"{name} {version}" for name, version in worker["tools"].items())
    state = f"not used: {'; '.join(worker['differs'])}" if worker["differs"] else tools
    return f"  {worker['host']}  {worker['address']}  {worker['cpu_s']:.1f} CPU s  {state}"


def _line(job: dict[str, Any]) -> str:
    ended = _RUNNING if job["code"] is None else f"exit code {job['code']}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job["started"]))
    return f"  {job['id']}  {when}  {ended:<12}  {job['command']}"
