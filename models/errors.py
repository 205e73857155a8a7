"""What can go wrong at the model edge; nothing of it says anything about a design.

ModelError              a message, the next command to try
 +- NoModel             there is no such model, or none is installed
 +- BadModel            a file that is no model, or not the one that it should be
 +- DoesNotFit          more tokens than the model's context holds
 +- BadGrammar          a grammar that cannot be used
 +- ModelFailed         the model's process or server broke, or refuses
     +- NoAnswer        the server is not there, or broke off; another one may answer
Stopped                 the caller stopped the call
"""

from __future__ import annotations

from typing import ClassVar


class ModelError(Exception):
    """An expected error: shown as one line with the next command to try.

    Args:
        message: what is wrong, one line.
        hint: the next command to try or the thing to change; empty if there is none.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NoModel(ModelError):
    """There is no such model, or none is installed."""


class BadModel(ModelError):
    """A file that is no model, is cut off, or is not the one that its digest names."""

    exit_code = 2


class DoesNotFit(ModelError):
    """The prompt and the answer together are longer than the context."""

    exit_code = 2


class BadGrammar(ModelError):
    """A grammar or a schema that cannot be used."""

    exit_code = 2


class ModelFailed(ModelError):
    """The model's process or server broke, or does not answer."""


class NoAnswer(ModelFailed):
    """The server is not there, is overloaded, or broke off in the middle."""


class Stopped(Exception):
    """The caller's `stop` became true."""
