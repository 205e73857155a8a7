"""`veriloop train sft`: a small model from nothing, on rows of training data, to a GGUF file."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import ToolNotFound, UsageError
from veriloop.assistant.events import finish

if TYPE_CHECKING:
    from veriloop.assistant.training.lm.dataset import Dataset, Entry
    from veriloop.assistant.training.lm.run import RunFacts
    from veriloop.assistant.training.lm.sft import Device, Schedule, Shape

HELP = "train a small model on generated rows, to a GGUF file"

_NEEDED = ("torch", "transformers", "tokenizers", "gguf", "peft")
_ADAPTER_RATE = 2e-4
_ASKED = 400
"""Broken designs that it is asked about when it is trained."""
_BATCH_TOKENS = {"cpu": 2048, "cuda": 32768}
"""What a processor learns fastest from, and what a graphics processor needs to be busy."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the data, the time, and the size of the model."""
    parser.add_argument(
        "--rows",
        required=True,
        action="append",
        metavar="DIR",
        help="what veriloop train data has written; may be given several times, and rows may join while it runs",
    )
    parser.add_argument(
        "--families", type=int, default=0, metavar="N", help="learn from so many families only (default: all)"
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="checkpoint, tokenizer and model; gone on with")
    parser.add_argument("--base", metavar="DIR", help="a Llama in Hugging Face's form: an adapter is trained for it")
    parser.add_argument("--rank", type=int, default=8, metavar="N", help="of the adapter (default: 8)")
    parser.add_argument("--minutes", type=float, default=60.0, metavar="M", help="of training in all (default: 60)")
    parser.add_argument("--steps", type=int, default=0, metavar="N", help="at most (default: as time allows)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="for training (default: 1)")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="what trains; auto (default): a graphics processor where PyTorch sees one",
    )
    parser.add_argument(
        "--batch-tokens", type=int, default=0, metavar="N", help="tokens of a step (default: by device)"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="processes that prepare texts (default: 0; with a GPU all cores but one)"
    )
    parser.add_argument("--width", type=int, default=192, metavar="N", help="of the embedding (default: 192)")
    parser.add_argument("--layers", type=int, default=6, metavar="N", help="blocks (default: 6)")
    parser.add_argument("--context", type=int, default=1024, metavar="N", help="tokens at once (default: 1024)")
    parser.add_argument("--vocabulary", type=int, default=2048, metavar="N", help="tokens to learn (default: 2048)")
    parser.add_argument("--name", default="veriloop-small", metavar="NAME", help="what the model is called")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Trains, and writes `model-f32.gguf` and `model-q8_0.gguf` whenever it ends, be it by Ctrl-C."""
    if arguments.width % 32 or arguments.width < 32:
        raise UsageError("--width must be a multiple of 32")
    if arguments.minutes <= 0 or arguments.steps < 0 or min(arguments.threads, arguments.layers, arguments.context) < 1:
        raise UsageError("--minutes, --threads, --layers and --context must be above 0")
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise ToolNotFound(f"training needs {', '.join(missing)}", hint="pip install 'veriloop[train]'")
    if arguments.batch_tokens < 0 or arguments.families < 0 or (arguments.jobs or 0) < 0:
        raise UsageError("--families, --batch-tokens and --jobs must not be below 0")
    from veriloop.assistant.training.lm.dataset import Dataset
    from veriloop.assistant.training.lm.sft import device_of

    device = device_of(arguments.device)
    jobs = arguments.jobs if arguments.jobs is not None else 0 if device == "cpu" else max(1, (os.cpu_count() or 2) - 1)
    out = Path(session.cwd / str(arguments.out))
    directories = [session.cwd / str(one) for one in arguments.rows]
    with Dataset(directories, jobs=jobs, most_families=arguments.families) as rows:
        entries = rows.entries()
        out.mkdir(parents=True, exist_ok=True)
        train = _adapter if arguments.base else _from_nothing
        return train(arguments, rows, entries, _schedule(arguments, device), out, session)


def _schedule(arguments: argparse.Namespace, device: Device) -> Schedule:
    from veriloop.assistant.training.lm.sft import Schedule

    made = Schedule(
        seconds=60 * arguments.minutes,
        steps=arguments.steps,
        threads=arguments.threads,
        device=device,
        batch_tokens=arguments.batch_tokens or _BATCH_TOKENS[device],
    )
    return replace(made, rate=_ADAPTER_RATE) if arguments.base else made


def _from_nothing(
    arguments: argparse.Namespace,
    rows: Dataset,
    entries: Sequence[Entry],
    schedule: Schedule,
    out: Path,
    session: Session,
) -> int:
    """Trains a small model of our own."""
    from veriloop.assistant.training.lm.export import write_gguf
    from veriloop.assistant.training.lm.held_out import held_out
    from veriloop.assistant.training.lm.run import TOKENIZER, write_facts
    from veriloop.assistant.training.lm.sft import Shape, train, weights_of
    from veriloop.assistant.training.lm.tokenizer import load_tokenizer, train_tokenizer

    words = out / TOKENIZER
    if not words.is_file():
        learnt = (entry.read() for entry in entries if entry.split == "train" and entry.task == "module")
        texts = (text for row in learnt for text in (row.rtl, row.spec.module))
        train_tokenizer(texts, size=arguments.vocabulary).save(str(words))
    shape = Shape(
        width=arguments.width,
        layers=arguments.layers,
        heads=arguments.width // 32,
        inner=arguments.width * 8 // 3 // 32 * 32,
        context=arguments.context,
    )
    facts = _run_facts(arguments, shape, entries, out)
    write_facts(out, facts)
    model = finish(train(rows, words, shape, schedule, out, cancel=session.cancel), session.observe)
    seen = None
    if not session.cancel.cancelled:
        seen = held_out(model, entries, load_tokenizer(words), shape.context, device=schedule.device, most=_ASKED)
    if seen is not None:
        write_facts(out, replace(facts, scores={f"held_out_{key}": value for key, value in asdict(seen).items()}))
    made = {}
    for quantised, name in ((False, "model-f32.gguf"), (True, "model-q8_0.gguf")):
        path = out / name
        write_gguf(path, model.config, weights_of(model), words, name=arguments.name, quantised=quantised)
        made[name] = path.stat().st_size
    lines = [f"{arguments.out}/{name}: {size / 1e6:.1f} MB" for name, size in made.items()]
    if seen is not None:
        lines.append(
            f"of {seen.asked} broken designs of other families it names the line of {seen.first:.1%},"
            f" among five lines that of {seen.first_five:.1%}; loss {seen.loss:.3f}"
        )
    data = {"out": str(arguments.out), "files": made, "rows": len(entries)}
    session.result("\n".join(lines) + "\n", {**data, "held_out": asdict(seen) if seen is not None else None})
    return 130 if session.cancel.cancelled else 0


def _adapter(
    arguments: argparse.Namespace,
    rows: Dataset,
    entries: Sequence[Entry],
    schedule: Schedule,
    out: Path,
    session: Session,
) -> int:
    """Trains an adapter for a model in Hugging Face's form."""
    from veriloop.assistant.training.lm.lora import train_adapter
    from veriloop.assistant.training.lm.run import write_facts

    base = session.cwd / str(arguments.base)
    if arguments.rank < 1:
        raise UsageError("--rank must be above 0")
    write_facts(out, _run_facts(arguments, None, entries, out))
    work = train_adapter(
        rows, base, schedule, out, rank=arguments.rank, context=arguments.context, cancel=session.cancel
    )
    finish(work, session.observe)
    text = f"the adapter is in {arguments.out}; veriloop train export {arguments.out} merges it"
    session.result(text, {"out": str(arguments.out), "base": str(base), "rows": len(entries)})
    return 130 if session.cancel.cancelled else 0


def _run_facts(arguments: argparse.Namespace, shape: Shape | None, rows: Sequence[Entry], out: Path) -> RunFacts:
    """What is known of this run: also what earlier commands in the same directory were."""
    from veriloop.assistant.training.lm.run import CHECKPOINT, RunFacts, read_facts

    before: tuple[str, ...] = ()
    if (out / CHECKPOINT).is_file():
        facts = read_facts(out)
        if facts.shape != (asdict(shape) if shape else {}):
            raise UsageError(f"the checkpoint in {out} is of another shape", hint="--out NEW_DIRECTORY")
        before = facts.commands
    words = ["veriloop", "train", "sft"]
    for directory in arguments.rows:
        words += ["--rows", Path(directory).name]
    if shape is None:
        words += ["--base", Path(arguments.base).name, "--rank", str(arguments.rank)]
    else:
        words += ["--width", str(shape.width), "--layers", str(shape.layers), "--context", str(shape.context)]
    if arguments.families:
        words += ["--families", str(arguments.families)]
    if arguments.device != "auto":
        words += ["--device", arguments.device]
    if arguments.batch_tokens:
        words += ["--batch-tokens", str(arguments.batch_tokens)]
    words += ["--minutes", f"{arguments.minutes:g}", "--out", out.name]
    command = shlex.join(words)
    families = {(row.family, row.split) for row in rows if "+" not in row.family}
    return RunFacts(
        name=arguments.name,
        shape=asdict(shape) if shape else {},
        rows=sum(row.split == "train" for row in rows),
        families=len({name for name, split in families if split == "train"}),
        held_out=len({name for name, split in families if split == "family"}),
        commands=(*(one for one in before if one != command), command),
    )
