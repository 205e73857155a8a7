"""What the work of others asks of a farm, without Dask."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Protocol, TypeVar

from veriloop.assistant.events import CancelToken

Item = TypeVar("Item")
Result = TypeVar("Result")


class Elsewhere(Protocol):
    """What does work on other machines: a farm."""

    @property
    def slots(self) -> int:
        """Jobs at once."""
        ...

    def map(
        self,
        work: Callable[[Item, CancelToken], Result],
        items: Sequence[Item],
        *,
        cancel: CancelToken,
        files: Mapping[str, bytes] | None = None,
    ) -> Generator[Result, None, None]:
        """Calls a function with each item, in a process of its own; yields what is there, as soon as it is.

        `files` lie in the directory in which it is called.
        """
        ...
