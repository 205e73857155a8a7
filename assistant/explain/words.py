"""A language model's own words on RTL: asked for with what is known, kept apart from it, checked by nobody."""

from __future__ import annotations

from collections.abc import Sequence

from veriloop.models.model import Message

_MOST_CODE = 6000


def messages(code: str, known: Sequence[str], unsure: Sequence[str]) -> tuple[Message, ...]:
    """The conversation that asks for the purpose of a piece of RTL.

    Args:
        code: the lines that are asked about.
        known: sentences that hold.
        unsure: what could not be told.
    """
    facts = "\n".join(f"- {line}" for line in known)
    open_ = "\n".join(f"- {line}" for line in unsure) or "- nothing"
    return (
        Message(
            role="system",
            content=(
                "You explain Verilog to an engineer. The facts are certain: do not contradict or repeat them. Say in "
                "at most five short sentences what the code is for. Where you guess, begin with 'Probably'."
            ),
        ),
        Message(
            role="user",
            content=f"Code:\n```\n{code[:_MOST_CODE]}\n```\nFacts:\n{facts}\nNot known:\n{open_}\n\nWhat is it for?",
        ),
    )
