"""The card of a model that this pipeline has trained: what it is, what it has learnt from, what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veriloop.assistant.training.lm.run import RunFacts


def card(facts: RunFacts, model: Mapping[str, Any], progress: Mapping[str, Any]) -> str:
    """Markdown.

    Args:
        facts: of the run.
        model: what `model.json` says.
        progress: what the checkpoint says: steps, tokens, seconds, loss.
    """
    commands = "\n".join(f"    {command}" for command in facts.commands)
    scores = "\n".join(f"| `{key}` | {value} |" for key, value in facts.scores.items())
    measured = f"\n| measured | value |\n|---|---|\n{scores}\n" if scores else "\nNot measured yet.\n"
    shape = ", ".join(f"{key} {value}" for key, value in facts.shape.items())
    return f"""# {facts.name}

A language model for Verilog and SystemVerilog of {model["parameters"] / 1e6:.2f} million parameters \
({model["size_bytes"] / 1e6:.1f} MB, 8 bits a weight), which Veriloop has trained from nothing.

**What it is for.** Weighing the candidates of a repair, filling in lines of RTL, naming a suspicious line, writing
small modules of known kinds. It follows no instructions and knows no language but RTL.

**Data.** {facts.rows} rows of {facts.families} families of designs that `veriloop train data` has generated, each text
simulated against its reference model; {facts.held_out} families, a style and some compositions were kept out of
training. Nobody else's code is in it. Licence: {model["licence"]}.

**Shape.** A Llama with tied embeddings: {shape}; a byte-level BPE that splits digits.

**Training.** {progress["steps"]} steps, {progress["tokens"] / 1e6:.1f} million tokens, {progress["seconds"] / 60:.0f} \
minutes of wall time; the last loss is {progress["loss"]:.3f}.

{commands}

**Scores.** By `veriloop models bench`:
{measured}
**Limits.** It has seen little: designs of up to about 60 lines, of the kinds that `veriloop train data --list` names.
What it says is a guess; nothing that comes of it is shown as right before a simulator has passed it. Its context is
{model["context_tokens"]} tokens.
"""
