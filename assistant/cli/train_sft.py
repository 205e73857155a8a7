"""`veriloop train sft`: a small model from nothing, on rows of training data, to a GGUF file."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import ToolNotFound, UsageError
from veriloop.assistant.events import finish

HELP = "train a small model on generated rows, to a GGUF file"

_NEEDED = ("torch", "transformers", "tokenizers", "gguf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the data, the time, and the size of the model."""
    parser.add_argument("--rows", required=True, metavar="DIR", help="what veriloop train data has written")
    parser.add_argument("--out", required=True, metavar="DIR", help="checkpoint, tokenizer and model; gone on with")
    parser.add_argument("--minutes", type=float, default=60.0, metavar="M", help="of training in all (default: 60)")
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
    if arguments.minutes <= 0 or min(arguments.threads, arguments.layers, arguments.context) < 1:
        raise UsageError("--minutes, --threads, --layers and --context must be above 0")
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise ToolNotFound(f"training needs {', '.join(missing)}", hint="pip install 'veriloop[train]'")
    from veriloop.assistant.training.lm.export import write_gguf
    from veriloop.assistant.training.lm.sft import Schedule, Shape, train, weights_of
    from veriloop.assistant.training.lm.tokenizer import load_tokenizer, train_tokenizer
    from veriloop.assistant.training.row import read_rows

    rows = list(read_rows(session.cwd / str(arguments.rows)))
    out = Path(session.cwd / str(arguments.out))
    out.mkdir(parents=True, exist_ok=True)
    words = out / "tokenizer.json"
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
    schedule = Schedule(seconds=60 * arguments.minutes, threads=arguments.threads)
    model = finish(train(rows, load_tokenizer(words), shape, schedule, out, cancel=session.cancel), session.observe)
    made = {}
    for quantised, name in ((False, "model-f32.gguf"), (True, "model-q8_0.gguf")):
        path = out / name
        write_gguf(path, model.config, weights_of(model), words, name=arguments.name, quantised=quantised)
        made[name] = path.stat().st_size
    lines = [f"{arguments.out}/{name}: {size / 1e6:.1f} MB" for name, size in made.items()]
    session.result("\n".join(lines) + "\n", {"out": str(arguments.out), "files": made, "rows": len(rows)})
    return 130 if session.cancel.cancelled else 0
