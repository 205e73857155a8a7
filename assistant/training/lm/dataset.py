"""Rows of training data as batches of tokens: looked up in their files, and prepared ahead of the training.

A directory may hold more rows than fit into memory. Where a graphics processor learns, one process cannot prepare texts
as fast as they are learnt, so that others do.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import random
import signal
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from veriloop.assistant.errors import ToolFailed, UsageError, VeriloopError
from veriloop.assistant.training.lm.texts import Text, texts
from veriloop.assistant.training.lm.tokenizer import load_tokenizer
from veriloop.assistant.training.row import Row

CHUNK_ROWS = 2000
"""How many rows are held in tokens at once."""
_END_S = 5.0
_JOINED = "+"
"""Between the families of a composition."""

_Task: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a row stands, and what has to be known of it without reading it again."""

    path: Path
    start: int
    """Of its line, in bytes."""
    size: int
    digest: str
    split: str
    family: str
    task: str

    def read(self) -> Row:
        """The row."""
        with self.path.open("rb") as stream:
            stream.seek(self.start)
            return Row.from_json(stream.read(self.size).decode())


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of like length.

    Attributes:
        tokens: (texts, longest), filled up with 0.
        read: how many tokens of each are only read.
        sizes: how many tokens each has.
    """

    tokens: NDArray[np.int32]
    read: NDArray[np.int32]
    sizes: NDArray[np.int32]

    @property
    def count(self) -> int:
        """Tokens without the filling."""
        return int(self.sizes.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How rows become batches.

    Attributes:
        tokenizer: its file.
        context: tokens that a text may have; longer ones are left out.
        batch_tokens: tokens of a batch, with the filling.
        seed: of order and gaps.
    """

    tokenizer: Path
    context: int
    batch_tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """The batches of some rows, by the epoch and the place in it that they come from."""

    epoch: int
    number: int
    batches: Sequence[Batch]


class Dataset:
    """The rows of some directories.

    Args:
        directories: what `veriloop train data` has written; files may join while it is open.
        jobs: processes that prepare texts; none: this one does.
        most_families: how many families are learnt from, a fixed choice in which a larger one holds every smaller one;
            0: all.
    """

    def __init__(self, directories: Sequence[Path], *, jobs: int = 0, most_families: int = 0) -> None:
        self._most_families = most_families
        self._directories = tuple(directories)
        self._known: dict[Path, tuple[Entry, ...]] = {}
        self._entries: tuple[Entry, ...] = ()
        self._order: tuple[tuple[int, int], list[Entry]] = ((-1, -1), [])
        self._others = [_Other() for _ in range(jobs)]

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for other in self._others:
            other.process.terminate()
        for other in self._others:
            other.process.join(_END_S)
            other.process.kill()

    def entries(self) -> tuple[Entry, ...]:
        """Every row, none twice, in the order of the files; with those of files that have joined.

        Raises:
            UsageError: a directory holds no rows, or a line is none.
        """
        paths = [path for directory in self._directories for path in _files(directory)]
        fresh = [path for path in paths if path not in self._known]
        if fresh:
            self._known |= dict(zip(fresh, self._ahead((index, (path,)) for path in fresh), strict=True))
            once: dict[str, Entry] = {}
            for path in paths:
                for entry in self._known[path]:
                    once.setdefault(entry.digest, entry)
            self._entries = tuple(self._chosen(once.values()))
        return self._entries

    def _chosen(self, found: Collection[Entry]) -> Iterable[Entry]:
        """Those of the families that are learnt from, and all that are kept out of training."""
        if not self._most_families:
            return found
        names = {one.family for one in found if one.split == "train" and _JOINED not in one.family}
        chosen = set(sorted(names, key=lambda name: zlib.crc32(name.encode()))[: self._most_families])
        return [one for one in found if one.split != "train" or chosen.issuperset(one.family.split(_JOINED))]

    def chunks(self, recipe: Recipe, *, epoch: int = 0, number: int = 0) -> Iterator[Chunk]:
        """The chunks from one on, without end: the same for the same rows, so that training can go on inside one.

        Only rows of the split `train` are in them. The gaps of a text are drawn anew in each epoch.

        Raises:
            UsageError: no row may be trained on.
        """
        parts = self._parts(recipe.seed, epoch, number)
        places, asked = itertools.tee(parts)
        tasks = ((prepare, (entries, recipe, f"{recipe.seed} {at} {place}")) for at, place, entries in asked)
        # The batches first: they ask for the parts, so that no part is looked for before its time.
        for made, (at, place, _) in zip(self._ahead(tasks), places, strict=True):
            yield Chunk(at, place, made)

    def _ahead(self, tasks: Iterable[_Task]) -> Iterator[Any]:
        """The results of tasks in their order; each process has the next one before it is asked for.

        Not by `multiprocessing.Pool`: where its tasks are longer than a pipe holds, it does not end.
        """
        if not self._others or any(other.busy for other in self._others):
            # Where they are busy training is under way and a file has joined: that is soon read.
            yield from (work(*arguments) for work, arguments in tasks)
            return
        waiting: deque[_Other] = deque()
        turns = itertools.cycle(self._others)
        for task in tasks:
            other = next(turns)
            if other.busy:
                yield waiting.popleft().result()
            other.send(task)
            waiting.append(other)
        while waiting:
            yield waiting.popleft().result()

    def _parts(self, seed: int, epoch: int, number: int) -> Iterator[tuple[int, int, list[Entry]]]:
        while True:
            learnt = [entry for entry in self.entries() if entry.split == "train"]
            if not learnt:
                raise UsageError("none of these rows may be trained on", hint="veriloop train data --out DIR")
            if self._order[0] != (epoch, len(learnt)):
                key = f"{seed} {epoch} "
                learnt.sort(key=lambda entry: zlib.crc32((key + entry.digest).encode()))
                self._order = (epoch, len(learnt)), learnt
            part = self._order[1][number * CHUNK_ROWS : (number + 1) * CHUNK_ROWS]
            if part:
                yield epoch, number, part
            epoch, number = (epoch, number + 1) if part else (epoch + 1, 0)


class _Other:
    """A process that prepares what it is told, one thing after another."""

    def __init__(self) -> None:
        # Spawned: a copy of a process that holds a graphics processor cannot use it, and threads are not copied.
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self.process = context.Process(target=_serve, args=(there,), daemon=True)
        self.process.start()
        there.close()
        self.busy = False

    def send(self, task: _Task) -> None:
        """Gives it something to do.

        Raises:
            ToolFailed: the process was killed.
        """
        try:
            self._here.send(task)
        except OSError:
            raise _killed() from None
        self.busy = True

    def result(self) -> Any:
        """What came of it; raises what ended it.

        Raises:
            ToolFailed: the process was killed.
        """
        try:
            made = self._here.recv()
        except (EOFError, OSError):
            raise _killed() from None
        self.busy = False
        if isinstance(made, VeriloopError):
            raise made
        return made


def _killed() -> ToolFailed:
    return ToolFailed("a process that prepares texts was killed", hint="fewer --jobs")


def _serve(connection: Connection) -> None:
    """Ctrl-C is the parent's, and one process of many needs no threads."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    # It ends when nobody is there any more.
    with contextlib.suppress(EOFError, OSError):
        while True:
            work, arguments = connection.recv()
            try:
                made = work(*arguments)
            except VeriloopError as error:
                made = error
            connection.send(made)


def index(path: Path) -> tuple[Entry, ...]:
    """The rows of a file.

    Raises:
        UsageError: a line is no row.
    """
    found, start = [], 0
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                row = Row.from_json(line.decode())
            except ValueError as error:
                raise UsageError(f"{path}:{number}: {error}") from error
            found.append(Entry(path, start, len(line), row.digest, row.split, row.family, row.task))
            start += len(line)
    return tuple(found)


def prepare(entries: Iterable[Entry], recipe: Recipe, seed: str) -> list[Batch]:
    """The batches of some rows in an order by chance."""
    source = random.Random(seed)
    rows = [entry.read() for entry in entries]
    ready = list(batches(_examples(rows, recipe, source), recipe.batch_tokens))
    source.shuffle(ready)
    return ready


@dataclass(frozen=True, slots=True)
class _Example:
    tokens: array[int]
    read: int


def _examples(rows: Sequence[Row], recipe: Recipe, source: random.Random) -> list[_Example]:
    tokenizer = _tokenizer(recipe.tokenizer)
    found: list[Text] = [text for row in rows for text in texts(row, source)]
    prompts = tokenizer.encode_batch([text.prompt for text in found])
    answers = tokenizer.encode_batch([text.answer for text in found])
    made = [
        _Example(array("I", [*prompt.ids, *answer.ids]), len(prompt.ids))
        for prompt, answer in zip(prompts, answers, strict=True)
        if len(prompt.ids) + len(answer.ids) <= recipe.context
    ]
    source.shuffle(made)
    return made


def batches(found: Sequence[_Example], batch_tokens: int) -> Iterator[Batch]:
    """Examples of like length together, so that little is filled up."""
    batch: list[_Example] = []
    for example in sorted(found, key=lambda example: len(example.tokens)):
        if batch and (len(batch) + 1) * len(example.tokens) > batch_tokens:
            yield _batch(batch)
            batch = []
        batch.append(example)
    if batch:
        yield _batch(batch)


def _batch(found: Sequence[_Example]) -> Batch:
    tokens = np.zeros((len(found), max(len(one.tokens) for one in found)), dtype=np.int32)
    for row, one in enumerate(found):
        tokens[row, : len(one.tokens)] = one.tokens
    read, sizes = (
        np.array(values, dtype=np.int32) for values in ([x.read for x in found], [len(x.tokens) for x in found])
    )
    return Batch(tokens, read, sizes)


@lru_cache(maxsize=1)
def _tokenizer(path: Path) -> Any:
    return load_tokenizer(path)


def _files(directory: Path) -> list[Path]:
    found = sorted(directory.glob("*.jsonl"))
    if not found:
        raise UsageError(f"{directory} holds no rows", hint="veriloop train data --out DIR")
    return found
