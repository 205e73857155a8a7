"""`veriloop train export`: what was trained becomes a GGUF file that is compared, described and registered."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib.util
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import NotVerified, ToolNotFound, UsageError
from veriloop.assistant.events import Stage
from veriloop.models.bundled import CARD, FACTS, SUFFIX
from veriloop.models.local import LocalModel
from veriloop.models.store import Store, data_home

if TYPE_CHECKING:
    from veriloop.assistant.training.lm.source import Source

HELP = "write a trained model as a GGUF file, compare it, and put it among this machine's models"

_NEEDED = ("torch", "transformers", "tokenizers", "peft", "gguf", "llama_cpp")
_TEXTS = 40
_LINES = 1000
_LEAST_AGREEMENT = 0.98


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what is exported, and where to."""
    parser.add_argument("run", metavar="DIR", help="the --out of train sft or train rl, or a Hugging Face model")
    parser.add_argument("--name", metavar="NAME", help="what it is called; the run's name")
    parser.add_argument("--out", metavar="DIR", help="write file, facts and card there; else into models")
    parser.add_argument("--exact", action="store_true", help="32-bit floats instead of 8-bit blocks")
    parser.add_argument("--scores", metavar="FILE", help="a summary of models bench, for the card")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Exports. 0; 3 where the small file says too often something else than the exact one."""
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise ToolNotFound(f"exporting needs {', '.join(missing)}", hint="pip install 'veriloop[train,model]'")
    from veriloop.assistant.training.lm.source import open_source

    source = open_source(session.cwd / str(arguments.run))
    name = arguments.name or source.facts.name
    scores = _scores(session.cwd / str(arguments.scores)) if arguments.scores else {}
    with tempfile.TemporaryDirectory(prefix="veriloop-export-") as place:
        small = Path(place, f"{name}{SUFFIX}")
        agreement = _written(source, small, not arguments.exact, session)
        facts = _facts(small, name, source.licence)
        if arguments.out:
            target = session.cwd / str(arguments.out) / small.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(small.read_bytes())
            noted = {key: value for key, value in agreement.items() if key != "pytorch_top1_agreement"}
            target.with_name(FACTS).write_text(json.dumps({**facts, **noted}, indent=1) + "\n")
            target.with_name(CARD).write_text(source.card(facts, {**scores, **agreement}))
        else:
            target = _registered(small, facts, str(arguments.run))
    text = f"{name}: {target}, {facts['size_bytes'] / 1e6:.1f} MB"
    session.result(text, {**facts, **agreement, "path": str(target)})
    return 0


def _written(source: Source, small: Path, quantised: bool, session: Session) -> dict[str, float]:
    """Writes the file, and says how far it agrees with what was trained.

    Raises:
        NotVerified: too little.
    """
    from veriloop.assistant.training.lm.parity import compare, designs, lines

    exact = small.with_name("exact.gguf")
    session.observe(Stage("writing"))
    source.write(exact, name=source.facts.name, quantised=False)
    source.write(small, name=small.stem, quantised=quantised)
    session.observe(Stage("comparing"))
    texts = list(designs(_TEXTS))
    found = {
        "tokeniser_equal": round(source.equal_lines(exact, list(lines(_LINES))), 4),
        "pytorch_top1_agreement": round(source.agreement(exact, texts[: _TEXTS // 4]), 4),
        "quant_top1_agreement": round(compare(exact, small, texts).top1_agreement, 4),
    }
    if (worst := min(found.values())) < _LEAST_AGREEMENT:
        raise NotVerified(
            f"the file says what the trained model says at {worst:.1%} of the places only",
            hint="veriloop train export DIR --exact",
        )
    return found


def _registered(small: Path, facts: dict[str, Any], run: str) -> Path:
    store = Store(data_home(os.environ))
    made = store.add(small, name=facts["name"], source=run)
    known = ("licence", "description", "context_tokens", "parameters", "has_fim", "has_chat")
    store.note(dataclasses.replace(made, **{key: facts[key] for key in known}))
    return made.path


def _scores(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text().splitlines()[-1])
    except (OSError, ValueError, IndexError) as error:
        hint = "veriloop models bench --json > FILE"
        raise UsageError(f"{path} holds no summary of models bench", hint=hint) from error
    apart = ("model", "version", "commit")
    return {key: value for key, value in data.items() if key not in apart and value is not None}


def _facts(path: Path, name: str, licence: str) -> dict[str, Any]:
    """What a file is, as llama.cpp reads it."""
    model = LocalModel(path, threads=1)
    try:
        info = model.info
    finally:
        model.close()
    return {
        "name": name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "size_bytes": path.stat().st_size,
        "licence": licence,
        "description": info.name,
        "context_tokens": info.context_tokens,
        "parameters": info.parameters,
        "has_fim": info.has_fim,
        "has_chat": info.has_chat,
    }
