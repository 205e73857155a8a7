"""`veriloop train sft`: a small model from nothing, on rows of training data, to a GGUF file."""

from __future__ import annotations

import argparse
import importlib.util
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import ToolNotFound, UsageError
from veriloop.assistant.events import finish

if TYPE_CHECKING:
    from veriloop.assistant.training.lm.run import RunFacts
    from veriloop.assistant.training.lm.sft import Shape
    from veriloop.assistant.training.row import Row

HELP = "train a small model on generated rows, to a GGUF file"

_NEEDED = ("torch", "transformers", "tokenizers", "gguf", "peft")
_ADAPTER_RATE = 2e-4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the data, the time, and the size of the model."""
    parser.add_argument(
        "--rows",
        required=True,
        action="append",
        metavar="DIR",
        help="what veriloop train data has written; may be given several times, and rows may join while it runs",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="checkpoint, tokenizer and model; gone on with")
    parser.add_argument("--base", metavar="DIR", help="a Llama in Hugging Face's form: an adapter is trained for it")
    parser.add_argument("--rank", type=int, default=8, metavar="N", help="of the adapter (default: 8)")
    parser.add_argument("--minutes", type=float, default=60.0, metavar="M", help="of training in all (default: 60)")
    parser.add_argument("--steps", type=int, default=0, metavar="N", help="at most (default: as time allows)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="for training (default: 1)")
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
    from veriloop.assistant.training.lm.export import write_gguf
    from veriloop.assistant.training.lm.run import TOKENIZER, write_facts
    from veriloop.assistant.training.lm.sft import Schedule, Shape, train, weights_of
    from veriloop.assistant.training.lm.tokenizer import load_tokenizer, train_tokenizer
    from veriloop.assistant.training.row import distinct, read_rows

    directories = [session.cwd / str(one) for one in arguments.rows]

    def read() -> list[Row]:
        return list(distinct(row for one in directories for row in read_rows(one)))

    rows = read()
    out = Path(session.cwd / str(arguments.out))
    out.mkdir(parents=True, exist_ok=True)
    if arguments.base:
        return _adapter(arguments, read, rows, out, session)
    words = out / TOKENIZER
    if not words.is_file():
        learnt = (row for row in rows if row.split == "train" and row.task == "module")
        texts = (text for row in learnt for text in (row.rtl, row.spec.module))
        train_tokenizer(texts, size=arguments.vocabulary).save(str(words))
    shape = Shape(
        width=arguments.width,
        layers=arguments.layers,
        heads=arguments.width // 32,
        inner=arguments.width * 8 // 3 // 32 * 32,
        context=arguments.context,
    )
    write_facts(out, _run_facts(arguments, shape, rows, out))
    schedule = Schedule(seconds=60 * arguments.minutes, steps=arguments.steps, threads=arguments.threads)
    model = finish(train(read, load_tokenizer(words), shape, schedule, out, cancel=session.cancel), session.observe)
    made = {}
    for quantised, name in ((False, "model-f32.gguf"), (True, "model-q8_0.gguf")):
        path = out / name
        write_gguf(path, model.config, weights_of(model), words, name=arguments.name, quantised=quantised)
        made[name] = path.stat().st_size
    lines = [f"{arguments.out}/{name}: {size / 1e6:.1f} MB" for name, size in made.items()]
    session.result("\n".join(lines) + "\n", {"out": str(arguments.out), "files": made, "rows": len(rows)})
    return 130 if session.cancel.cancelled else 0


def _adapter(
    arguments: argparse.Namespace, read: Callable[[], list[Row]], rows: Sequence[Row], out: Path, session: Session
) -> int:
    """Trains an adapter for a model in Hugging Face's form."""
    from veriloop.assistant.training.lm.lora import train_adapter
    from veriloop.assistant.training.lm.run import write_facts
    from veriloop.assistant.training.lm.sft import Schedule

    base = session.cwd / str(arguments.base)
    if arguments.rank < 1:
        raise UsageError("--rank must be above 0")
    write_facts(out, _run_facts(arguments, None, rows, out))
    schedule = Schedule(
        seconds=60 * arguments.minutes, steps=arguments.steps, threads=arguments.threads, rate=_ADAPTER_RATE
    )
    work = train_adapter(
        read, base, schedule, out, rank=arguments.rank, context=arguments.context, cancel=session.cancel
    )
    finish(work, session.observe)
    text = f"the adapter is in {arguments.out}; veriloop train export {arguments.out} merges it"
    session.result(text, {"out": str(arguments.out), "base": str(base), "rows": len(rows)})
    return 130 if session.cancel.cancelled else 0


def _run_facts(arguments: argparse.Namespace, shape: Shape | None, rows: Sequence[Row], out: Path) -> RunFacts:
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
