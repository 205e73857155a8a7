"""`veriloop train rl`: a small model learns from what the simulator says of its repairs."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.farming import add_farm_option, farm_of, go_on_without
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import ToolNotFound, UsageError
from veriloop.assistant.events import finish

HELP = "let a small model learn repairs from what the simulator says of them"

_NEEDED = ("torch", "transformers", "tokenizers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the model, the questions and the time."""
    parser.add_argument("--from", dest="start", required=True, metavar="DIR", help="the --out of train sft")
    parser.add_argument("--rows", required=True, metavar="DIR", help="what veriloop train data has written")
    parser.add_argument("--out", required=True, metavar="DIR", help="checkpoint and progress; gone on with")
    parser.add_argument("--minutes", type=float, default=30.0, metavar="M", help="of learning in all (default: 30)")
    parser.add_argument("--group", type=int, default=8, metavar="N", help="answers to a question (default: 8)")
    parser.add_argument("--questions", type=int, default=4, metavar="N", help="questions of a step (default: 4)")
    parser.add_argument("--rate", type=float, default=1e-4, metavar="X", help="of the gradient steps (default: 1e-4)")
    parser.add_argument("--held-out", type=int, default=60, metavar="N", help="asked before and after (default: 60)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="for PyTorch (default: 1)")
    add_farm_option(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Learns; says how many held-out designs are repaired before and after."""
    if arguments.detach:
        return go_on_without(session)
    if min(arguments.minutes, arguments.questions, arguments.rate, arguments.held_out, arguments.threads) <= 0:
        raise UsageError("--minutes, --questions, --rate, --held-out and --threads must be above 0")
    if arguments.group < 2:
        raise UsageError("--group must be above 1: an answer counts by how much better than its group it is")
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise ToolNotFound(f"training needs {', '.join(missing)}", hint="pip install 'veriloop[train]'")
    from veriloop.assistant.training.lm.rl import Settings, reinforce
    from veriloop.assistant.training.lm.run import CHECKPOINT, TOKENIZER, read_facts, write_facts
    from veriloop.assistant.training.lm.sft import Shape, trained
    from veriloop.assistant.training.lm.tokenizer import load_tokenizer
    from veriloop.assistant.training.row import read_rows

    start, out = session.cwd / str(arguments.start), session.cwd / str(arguments.out)
    facts = read_facts(start)
    if start.resolve() == out.resolve():
        raise UsageError(
            "--from and --out are one directory: what was trained would be lost", hint="--out NEW_DIRECTORY"
        )
    out.mkdir(parents=True, exist_ok=True)
    if not (out / CHECKPOINT).is_file():
        shutil.copyfile(start / TOKENIZER, out / TOKENIZER)
        command = f"veriloop train rl --from {start.name} --rows {Path(arguments.rows).name} --out {out.name}"
        command += f" --minutes {arguments.minutes:g} --group {arguments.group} --questions {arguments.questions}"
        write_facts(out, replace(facts, commands=(*facts.commands, command)))
    words = load_tokenizer(out / TOKENIZER)
    first, model = (
        trained(place if (place / CHECKPOINT).is_file() else start, Shape(**facts.shape), words.get_vocab_size())
        for place in (start, out)
    )
    rows = [row for row in read_rows(session.cwd / str(arguments.rows)) if row.task == "repair"]
    settings = Settings(
        seconds=60 * arguments.minutes,
        group=arguments.group,
        questions=arguments.questions,
        rate=arguments.rate,
        held_out=arguments.held_out,
        threads=arguments.threads,
    )
    with farm_of(arguments, session) as farm:
        work = reinforce(model, first, words, rows, settings, out, cancel=session.cancel, farm=farm)
        learnt = finish(work, session.observe)
    text = (
        f"{learnt.steps} steps; of {learnt.after.rows} designs of families and styles that were held out the likeliest "
        f"answer repairs {learnt.before.first:.1%} before and {learnt.after.first:.1%} after, any of {arguments.group} "
        f"{learnt.before.any_of_group:.1%} before and {learnt.after.any_of_group:.1%} after"
    )
    session.result(text, {**asdict(learnt), **provenance()})
    return 130 if session.cancel.cancelled else 0
