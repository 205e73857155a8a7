"""What the work of others asks of a farm, without Dask."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeVar

from veriloop.assistant.events import CancelToken

Item = TypeVar("Item")
Result = TypeVar("Result")


class Elsewhere(Protocol):
    """What does work on other machines: a farm."""

    def map(
        self, work: Callable[[Item, CancelToken], Result], items: Sequence[Item], *, cancel: CancelToken
    ) -> Generator[Result, None, None]:
        """Calls a function with each item, in a process of its own; yields what is there, as soon as it is."""
        ...
