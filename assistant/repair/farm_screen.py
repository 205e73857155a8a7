"""A screen whose candidates are judged on a farm: batches are cut into pieces, each a build and its runs somewhere."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.errors import VeriloopError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.elsewhere import Elsewhere
from veriloop.assistant.farm.tools import toolchain_here
from veriloop.assistant.farm.tree import TREE, packed, unpack
from veriloop.assistant.repair.screen import Contents, Screen, Worker
from veriloop.assistant.verify.judged import without_root
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.testbench import Testbench

_WORTH_S = 2.0
"""What a piece has to take here to be worth its way, a process there and a build of its own."""
_FIRST = 8
"""So many candidates that share a build are judged here first, to know what one takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What candidates share builds as versions of."""

    contents: dict[str, bytes]
    results: tuple[SimResult, ...]
    confirm: bool
    only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Candidates that are judged on one machine."""

    first: int
    """The place of the first one among all."""
    candidates: tuple[dict[str, bytes], ...]
    testbench: Testbench
    engine: str
    original: dict[str, bytes]
    shared: _Shared | None
    timeout_s: float


class FarmScreen(Screen):
    """Judges as `Screen` does, and many candidates at once on other machines.

    Args:
        farm: where.
        worth_s: seconds that a piece has to take here to be given away.
        options: those of `Screen`.
    """

    def __init__(
        self, farm: Elsewhere, testbench: Testbench, *, timeout_s: float, worth_s: float = _WORTH_S, **options: Any
    ) -> None:
        super().__init__(testbench, timeout_s=timeout_s, **options)
        self._farm = farm
        self._timeout_s = timeout_s
        self._worth_s = worth_s
        self._each_s: float | None = None
        self._tree = packed(self._workers[0].root)
        self._shared: _Shared | None = None

    @property
    def jobs(self) -> int:
        """How many simulations run at once."""
        return max(len(self._workers), self._farm.slots)

    def share(
        self, contents: Contents, results: Sequence[SimResult], *, confirm: bool = True, only: bool = False
    ) -> None:
        """As `Screen.share`, here and there."""
        super().share(contents, results, confirm=confirm, only=only)
        if self.batches and self._shared is None:
            root = self._workers[0].root
            known = tuple(without_root(run, root) for run in results)
            self._shared = _Shared(contents=dict(contents), results=known, confirm=confirm, only=only)

    def judge(self, candidates: Sequence[Contents]) -> list[SimResult]:
        """Judges candidates where that takes the least time, by what the last ones have taken here."""
        if self._each_s is None:
            first = _FIRST if self.batches else len(self._workers)
            known = self._judge_here(candidates[:first])
            return known + (self.judge(candidates[first:]) if len(candidates) > first else [])
        pieces = self._pieces(candidates, self._each_s)
        if len(pieces) < 2:
            return self._judge_here(candidates)
        found: list[SimResult | None] = [None] * len(candidates)
        answers = self._farm.map(_judge_there, pieces, cancel=self._cancel, files={TREE: self._tree})
        with contextlib.closing(answers) as results:
            for first, answer in results:
                if isinstance(answer, VeriloopError):
                    raise answer
                found[first : first + len(answer)] = answer
        return [result for result in found if result is not None]

    def _judge_here(self, candidates: Sequence[Contents]) -> list[SimResult]:
        started_s = time.monotonic()
        results = super().judge(candidates)
        if candidates:
            self._each_s = (time.monotonic() - started_s) / len(candidates)
        return results

    def _pieces(self, candidates: Sequence[Contents], each_s: float) -> list[_Piece]:
        """Equal pieces, as many as there are processors and as are worth it."""
        worth = len(candidates) if self._worth_s <= 0 else int(len(candidates) * each_s / self._worth_s)
        count = min(self._farm.slots, len(candidates), worth)
        if count < 2:
            return []
        cuts = [len(candidates) * number // count for number in range(count + 1)]
        return [
            _Piece(
                first=first,
                candidates=tuple(map(dict, candidates[first:stop])),
                testbench=self._testbench,
                engine=self.engine,
                original=dict(self._original),
                shared=self._shared,
                timeout_s=self._timeout_s,
            )
            for first, stop in itertools.pairwise(cuts)
        ]


def _judge_there(piece: _Piece, cancel: CancelToken) -> tuple[int, list[SimResult] | VeriloopError]:
    """On the worker: a screen of its own over a copy of the tree."""
    root, scratch = Path.cwd() / "tree", Path.cwd() / "build"
    scratch.mkdir()
    unpack(root)
    try:
        screen = Screen(
            piece.testbench,
            engine=piece.engine,
            original=piece.original,
            workers=[Worker(root, scratch)],
            toolchain=toolchain_here(cancel),
            elaborator=None,
            timeout_s=piece.timeout_s,
            cancel=cancel,
        )
        with contextlib.closing(screen):
            if piece.shared is not None:
                screen.share(
                    piece.shared.contents, piece.shared.results, confirm=piece.shared.confirm, only=piece.shared.only
                )
            results = screen.judge(piece.candidates)
    except VeriloopError as error:
        return piece.first, error
    return piece.first, [without_root(run, root) for run in results]
