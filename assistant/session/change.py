"""A change that was proposed, hunk by hunk: which of them are taken, and what the gate says of that choice.

A subset of a verified change is not verified. So what may be applied is a choice that the gate has judged by itself.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from veriloop.assistant.design.hunks import FileVersions, Hunk, assembled, hunks, lines, patch
from veriloop.assistant.errors import UsageError

_PROBED = 8
"""Of a change with more hunks it is not tried what each is for: every one of them costs a run of the gate."""


class Standing(StrEnum):
    """What is known of a choice."""

    UNKNOWN = "not verified yet"
    JUDGING = "being verified"
    VERIFIED = "verified"
    REFUTED = "refuted"
    OPEN = "not verified"
    """The gate could not tell, or its evidence is too weak to apply it."""
    EMPTY = "nothing is accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's word about one choice."""

    standing: Standing
    line: str
    """In one line."""
    cached: bool = False
    """Whether it was known already when it was asked for."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The report, as `veriloop check --json` gives it."""
    entry: int = 0
    """The record's entry that holds it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is made of one hunk; `text` stands where the user has edited it."""

    accepted: bool = True
    text: tuple[bytes, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A proposed change.

    Attributes:
        base: the tree that it was made for.
        tree: that tree with the change.
        files: what it touches, sorted by path.
        judge: the options of `veriloop check` that name what judges it.
        title: what it is, in a few words.
        entry: the record's entry that it came with.
    """

    base: str
    tree: str
    files: tuple[FileVersions, ...]
    judge: tuple[str, ...] = ()
    title: str = ""
    entry: int = 0
    hunks: tuple[Hunk, ...] = ()

    @classmethod
    def of(cls, files: Sequence[FileVersions], **more: Any) -> Change:
        """A change with its hunks."""
        ordered = tuple(sorted((file for file in files if file.before != file.after), key=lambda file: file.path))
        return cls(files=ordered, hunks=tuple(hunk for file in ordered for hunk in hunks(file)), **more)

    @property
    def everything(self) -> tuple[Choice, ...]:
        """The choice that takes all of it as it was proposed."""
        return tuple(Choice() for _ in self.hunks)

    def chosen(self, choices: Sequence[Choice]) -> tuple[FileVersions, ...]:
        """The files as a choice makes them."""
        found = []
        first = 0
        for file in self.files:
            count = sum(hunk.path == file.path for hunk in self.hunks)
            made = {
                place: self.hunks[first + place].new if choice.text is None else choice.text
                for place, choice in enumerate(choices[first : first + count])
                if choice.accepted
            }
            found.append(FileVersions(path=file.path, before=file.before, after=assembled(file, made)))
            first += count
        return tuple(found)

    def diff(self, choices: Sequence[Choice]) -> bytes:
        """A choice as a unified diff; empty where it changes nothing."""
        return patch(self.chosen(choices))

    def key(self, choices: Sequence[Choice]) -> str:
        """Equal for choices that make the same files."""
        return hashlib.sha256(self.diff(choices)).hexdigest()


def edited(hunk: Hunk, text: str) -> Choice:
    """A hunk with other lines, as a person has typed them; the ends of its lines are those of the hunk.

    Raises:
        UsageError: it holds a byte that no text holds.
    """
    if "\0" in text:
        raise UsageError("a hunk is text: it cannot hold a NUL")
    sample = (*hunk.old, *hunk.new)
    ending = b"\r\n" if sample and all(line.endswith(b"\r\n") for line in sample) else b"\n"
    body = text.encode("utf-8", errors="surrogateescape").replace(b"\r\n", b"\n")
    if body and not body.endswith(b"\n") and (not sample or sample[-1].endswith(b"\n")):
        body += b"\n"
    made = lines(body.replace(b"\n", ending) if ending != b"\n" else body)
    return Choice(accepted=True, text=None if made == hunk.new else made)


def shown(content: Sequence[bytes]) -> str:
    """Lines as text that `edited` takes back without loss."""
    return b"".join(content).replace(b"\r\n", b"\n").decode("utf-8", errors="surrogateescape")


def judge_options(replay: str) -> tuple[str, ...]:
    """What judges a change, from the command that its report gives for judging it again."""
    words = shlex.split(replay)[2:]
    # `--staged`, `--worktree` and the name of a patch say what is judged; the options behind it, by what.
    if words and (words[0] in ("--staged", "--worktree") or not words[0].startswith("--")):
        words = words[1:]
    return tuple(words)


# --- What hunks are for, from what is known of choices ---


@dataclass(frozen=True, slots=True)
class Links:
    """Which hunks belong together, by what the gate has said of choices among them."""

    needed: frozenset[int] = frozenset()
    """Hunks without which nothing that was judged passes."""
    spare: frozenset[int] = frozenset()
    """Hunks without which the rest passes as well."""
    groups: tuple[frozenset[int], ...] = ()
    """Hunks that pass only together."""

    def group(self, hunk: int) -> int | None:
        """The place of the group that a hunk is in."""
        return next((place for place, group in enumerate(self.groups) if hunk in group), None)


def links(count: int, known: Mapping[frozenset[int], bool]) -> Links:
    """What is known of hunks.

    Args:
        count: how many there are.
        known: choices, as the numbers of the accepted hunks from 0, and whether the gate passed them.
    """
    passing = [chosen for chosen, passed in known.items() if passed]
    if not passing:
        return Links()
    failing = [chosen for chosen, passed in known.items() if not passed]
    everything = frozenset(range(count))
    needed = frozenset(one for one in everything if all(one in chosen for chosen in passing) and _missed(one, failing))
    spare = frozenset(one for one in everything if any(chosen == everything - {one} for chosen in passing))
    groups: list[set[int]] = []
    for one in sorted(everything - spare):
        for group in groups:
            if all(_together(one, other, passing, failing) for other in group):
                group.add(one)
                break
        else:
            groups.append({one})
    return Links(needed, spare, tuple(frozenset(group) for group in groups if len(group) > 1))


def _missed(hunk: int, failing: Sequence[frozenset[int]]) -> bool:
    return any(hunk not in chosen for chosen in failing)


def _together(one: int, other: int, passing: Sequence[frozenset[int]], failing: Sequence[frozenset[int]]) -> bool:
    """Whether all that pass have both or neither, and each of them without the other was seen to fail."""
    both_or_neither = all((one in chosen) == (other in chosen) for chosen in passing)
    alone = any(one in chosen and other not in chosen for chosen in failing)
    return both_or_neither and alone and any(other in chosen and one not in chosen for chosen in failing)


def probes(count: int) -> Iterator[frozenset[int]]:
    """The choices whose verdicts say what each hunk is for: all but one, for each."""
    if 2 <= count <= _PROBED:
        everything = frozenset(range(count))
        for one in range(count):
            yield everything - {one}
