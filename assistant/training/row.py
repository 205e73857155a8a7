"""The one form in which training data is kept: a line of JSON a row."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from veriloop.assistant.errors import UsageError

Task = Literal["module", "repair"]
Split = Literal["train", "family", "style", "composed"]
"""Training; or kept out of it: a whole family, a style, a composition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is said about one line of the right text, or about the block that starts there; `line` is 1-based."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a design has to do, at three grains."""

    module: str
    blocks: tuple[Note, ...] = ()
    lines: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEdit:
    """Lines of the broken text and what has to stand there; `line` is 1-based, in the broken text.

    `buggy` is empty where lines are missing: the fixed ones go before `line`.
    """

    line: int
    buggy: tuple[str, ...]
    fixed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What the simulator saw of the broken text, by the names of that text.

    Attributes:
        signal: the output that was wrong first.
        cycle: in which cycle, from 0.
        expected: what it had to be, in decimal.
        seen: what it was: in decimal, or in binary where a bit is unknown.
        inputs: the inputs of that cycle.
        failing: every output that was wrong some time.
        passing: those that never were.
        failures: in how many cycles some output was wrong.
        cycles: of how many.
    """

    signal: str
    cycle: int
    expected: int
    seen: str
    inputs: Mapping[str, int]
    failing: tuple[str, ...]
    passing: tuple[str, ...]
    failures: int
    cycles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One design, or one broken copy of it.

    Attributes:
        family: what the design belongs to; those of a composition with `+` between them.
        kind: the module of families, or `composed`.
        seed: with the family, all that it comes from.
        variant: which way of writing it.
        style: the settings that are not the canonical ones.
        split: whether it may be trained on.
        task: `module` is a right design, `repair` a broken copy of it.
        top: the module at the top.
        rtl: the right text.
        spec: what it has to do.
        buggy: the broken text; empty for `module`.
        slip: what was done wrong.
        edits: what has to be changed, line by line.
        failure: what the simulator saw.
        testbench: a testbench that tells right from wrong; empty where none was asked for.
    """

    family: str
    kind: str
    seed: int
    variant: int
    style: Mapping[str, Any]
    split: Split
    task: Task
    top: str
    rtl: str
    spec: Spec
    buggy: str = ""
    slip: str = ""
    edits: tuple[LineEdit, ...] = ()
    failure: Failure | None = None
    testbench: str = field(default="")

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Row:
        """The row of a line.

        Raises:
            ValueError: it is none.
        """
        try:
            data = json.loads(line)
            spec = data["spec"]
            failure = data.get("failure")
            return cls(
                **{
                    **data,
                    "spec": Spec(
                        module=spec["module"],
                        blocks=tuple(Note(**one) for one in spec["blocks"]),
                        lines=tuple(Note(**one) for one in spec["lines"]),
                    ),
                    "edits": tuple(
                        LineEdit(line=one["line"], buggy=tuple(one["buggy"]), fixed=tuple(one["fixed"]))
                        for one in data["edits"]
                    ),
                    "failure": None
                    if failure is None
                    else Failure(**{**failure, **{key: tuple(failure[key]) for key in ("failing", "passing")}}),
                }
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no row of training data: {error}") from error

    @property
    def digest(self) -> str:
        """The same for rows whose code differs in comments and spaces only."""
        text = f"{_normal(self.rtl)}\0{_normal(self.buggy)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def distinct(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows without those whose code was there before."""
    seen: set[str] = set()
    for row in rows:
        if row.digest not in seen:
            seen.add(row.digest)
            yield row


def read_rows(directory: Path) -> Iterator[Row]:
    """The rows that a directory holds, without repetitions, in the order of its files.

    Raises:
        UsageError: there are none, or a line is no row.
    """
    files = sorted(directory.glob("*.jsonl"))
    if not files:
        raise UsageError(f"{directory} holds no rows", hint="veriloop train data --out DIR")
    yield from distinct(_lines(files))


def _lines(files: Iterable[Path]) -> Iterator[Row]:
    for path in files:
        with path.open() as stream:
            for number, line in enumerate(stream, 1):
                try:
                    yield Row.from_json(line)
                except ValueError as error:
                    raise UsageError(f"{path}:{number}: {error}") from error


def _normal(text: str) -> str:
    return " ".join(re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S).split())
