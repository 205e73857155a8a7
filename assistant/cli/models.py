"""`veriloop models`: which models this machine has, and which is used for what."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.config import load_config
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note
from veriloop.assistant.repair.advice import knows_prompts
from veriloop.models.bundled import CARD
from veriloop.models.catalogue import address, catalogue
from veriloop.models.errors import ModelError, NoModel
from veriloop.models.local import LocalModel
from veriloop.models.store import ROLES, Installed, OnBytes, Store, data_home

NAME = "models"
HELP = "show, fetch, check and choose the language models of this machine"

_NOTE_SHARE = 0.1
_GAPS_A_BUG = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what can be done with models; without a word they are listed."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    quiet: dict[str, Any] = {"action": "store_true", "default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
    pull = actions.add_parser("pull", help="fetch a model; the same command goes on where it broke off")
    pull.add_argument("model", metavar="NAME|URL", help="an address, or a name below models.source of config.toml")
    pull.add_argument("--digest", default="", metavar="SHA256", help="refuse anything else")
    add = actions.add_parser("add", help="take a copy of a GGUF file in")
    add.add_argument("file", metavar="FILE", help="a GGUF file")
    for one in (pull, add):
        one.add_argument("--name", default="", metavar="NAME", help="what it is to be called here")
    for name, text in (("show", "what is known of a model"), ("rm", "take a model off the disk")):
        actions.add_parser(name, help=text).add_argument("name", metavar="NAME")
    verify = actions.add_parser("verify", help="compare files with the digests that were noted")
    verify.add_argument("name", nargs="?", default="", metavar="NAME", help="all models if none is named")
    use = actions.add_parser("use", help="choose a model")
    use.add_argument("name", metavar="NAME")
    use.add_argument("--for", dest="role", choices=ROLES, help="for this kind of work only")
    bench = actions.add_parser("bench", help="measure a model on this machine")
    bench.add_argument("name", nargs="?", default="", metavar="NAME", help="all models if none is named")
    bench.add_argument("--data", metavar="DIR", help="RTL to fill gaps in, and HDLBits' designs to rank")
    bench.add_argument("--run", metavar="DIR", help="the run of training that it came from, to compare with")
    bench.add_argument("--count", type=int, default=60, metavar="N", help="bugs a set to rank; 5 N gaps (default: 60)")
    for one in actions.choices.values():
        one.add_argument("--json", **quiet)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Does what was asked for."""
    store = Store(data_home(os.environ))
    action = arguments.action
    if action is None:
        return _list(store, session)
    if action == "pull":
        return _pull(arguments, store, session)
    if action == "add":
        made = store.add(session.cwd / str(arguments.file), name=arguments.name, on_bytes=_progress(session, "copying"))
        return _installed(made, store, session)
    if action == "show":
        model = store.find(arguments.name)
        card = _card(model)
        session.result(_facts(model) + (f"\n{card}" if card else ""), {**_json(model), "card": card})
    elif action == "rm":
        model = store.remove(arguments.name)
        session.result(f"{model.name} is gone, {model.size_bytes / 1e6:.1f} MB are free again\n", _json(model))
    elif action == "verify":
        models = [store.find(arguments.name)] if arguments.name else list(store.installed())
        for model in models:
            store.verify(model.name, _progress(session, model.name))
            session.result(f"{model.name}: {model.sha256}", {**_json(model), "verified": True})
    elif action == "use":
        roles = (arguments.role,) if arguments.role else ROLES
        store.use(arguments.name, roles)
        session.result(f"{arguments.name} is used for: {', '.join(roles)}\n", {"name": arguments.name, "for": roles})
    else:
        return _bench(arguments, store, session)
    return 0


def _list(store: Store, session: Session) -> int:
    models = store.installed()
    choices = {role: store.choose(role) for role in ROLES}
    lines = [
        f"{model.name:24} {model.size_bytes / 1e6:9.1f} MB  context {model.context_tokens or '?'}"
        + (f"  {model.decode_tok_s:.0f} tokens/s" if model.decode_tok_s else "  not measured: veriloop models bench")
        for model in models
    ]
    if not models:
        lines = ["no model is installed; everything but generating from prose works without one"]
    lines.append("")
    for role, choice in choices.items():
        lines.append(f"{role:9} {choice.model.name + ': ' + choice.why if choice else 'none'}")
    lines += ["", "known elsewhere (veriloop models add FILE.gguf, or pull URL):"]
    for known in catalogue():
        scores = "; ".join(f"{name} {score} %" for name, score in known.scores.items())
        lines.append(f"  {known.name:16} {known.hub_id or '-':24} {known.about}. {scores} [{known.scores_source}]")
    data = {
        "models": [_json(model) for model in models],
        "used": {
            role: {"name": choice.model.name, "why": choice.why} if choice else None for role, choice in choices.items()
        },
        "catalogue": [asdict(known) for known in catalogue()],
        "directory": str(store.directory),
    }
    session.result("\n".join(lines) + "\n", data)
    return 0


def _pull(arguments: argparse.Namespace, store: Store, session: Session) -> int:
    try:
        from veriloop.models.pull import fetch
    except ImportError as error:
        raise NoModel("fetching a model needs httpx", hint="pip install 'veriloop[model]'") from error
    url = address(arguments.model, load_config(session.cwd).user.models.source)
    name = arguments.name or Path(urlsplit(url).path).stem
    if any(model.name == name for model in store.installed()):
        raise UsageError(f"there is a model {name} already", hint=f"veriloop models rm {name}, or --name NAME")
    store.room_for(0)
    target = store.directory / f".{name}.gguf"
    fetch(
        url,
        target,
        sha256=arguments.digest,
        room_for=store.room_for,
        on_bytes=_progress(session, name),
        stop=lambda: session.cancel.cancelled,
    )
    try:
        made = store.add(target, name=name, source=url)
    finally:
        target.unlink(missing_ok=True)
    return _installed(made, store, session)


def _installed(made: Installed, store: Store, session: Session) -> int:
    """Loads a new model once, for what its file says, and says it; one that cannot be loaded is not kept."""
    model = LocalModel(made.path, threads=1)
    try:
        info = model.info
    except ModelError:
        store.remove(made.name)
        raise
    finally:
        model.close()
    made = replace(
        made,
        description=info.name,
        context_tokens=info.context_tokens,
        parameters=info.parameters,
        has_fim=info.has_fim,
        has_chat=info.has_chat,
    )
    store.note(made)
    session.result(_facts(made), _json(made))
    return 0


def _bench(arguments: argparse.Namespace, store: Store, session: Session) -> int:
    from veriloop.models.speed import measure

    models = [store.find(arguments.name)] if arguments.name else list(store.installed())
    if not models:
        raise NoModel("no model is installed", hint="veriloop models add FILE.gguf")
    for installed in models:
        session.observe(Note(f"measuring {installed.name}"))
        model = LocalModel(installed.path, threads=1)
        try:
            speed = measure(model, stop=lambda: session.cancel.cancelled)
            scores = _scores(installed, model, arguments, session)
        finally:
            model.close()
        store.note(replace(installed, decode_tok_s=speed.decode_tok_s))
        row = {
            "model": installed.name,
            "file_mb": round(installed.size_bytes / 1e6, 2),
            **asdict(speed),
            **scores,
            **provenance(),
        }
        session.result("".join(f"{key}: {value}\n" for key, value in row.items() if value is not None), row)
    return 0


def _scores(installed: Installed, model: LocalModel, arguments: argparse.Namespace, session: Session) -> dict[str, Any]:
    """What a model that knows our prompts is worth; null for what was not measured."""
    from veriloop.assistant.cli.benches.language_model import filling, parity, ranking

    data = (session.cwd / str(arguments.data)).resolve() if arguments.data else None
    if data is not None and not data.is_dir():
        raise UsageError(f"no such directory: {arguments.data}")
    run = session.cwd / str(arguments.run) if arguments.run else None
    found: dict[str, Any] = {**parity(installed.path, run, session)}
    known = knows_prompts(model)
    ranked = ranking(model, data, arguments.count, session) if known and arguments.count else {}
    found |= {key: ranked.get(key) for key in ("rank_median_model", "rank_median_prior")}
    return found | filling(model, data, _GAPS_A_BUG * arguments.count, session)


def _progress(session: Session, what: str) -> OnBytes:
    """A note at every tenth of a transfer."""
    last = [0.0]

    def said(done: int, total: int) -> None:
        share = done / total if total else 0.0
        if share - last[0] >= _NOTE_SHARE:
            last[0] = share
            session.observe(Note(f"{what}: {done / 1e6:.0f} of {total / 1e6:.0f} MB"))

    return said


def _facts(model: Installed) -> str:
    return "".join(f"{key}: {value}\n" for key, value in _json(model).items() if value not in ("", None))


def _card(model: Installed) -> str:
    """The card that lies beside a model's file; empty where none does."""
    try:
        return model.path.with_name(CARD).read_text()
    except OSError:
        return ""


def _json(model: Installed) -> dict[str, Any]:
    return {**asdict(model), "path": str(model.path)}
