"""The place where somebody is writing, as text alone."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_CHARACTERS = 60_000
_CLOSING = frozenset(["", *" \t)]};,"])


@dataclass(frozen=True, slots=True)
class Hole:
    """What stands around a cursor."""

    above: str
    """The lines above, whole, as far as they are near."""
    typed: str
    """The line before the cursor."""
    rest: str
    """The line after the cursor."""
    below: str
    """The lines below, whole, as far as they are near."""

    @classmethod
    def at(cls, text: str, at: int) -> Hole:
        """The place at a character of a text; of a long one what is near."""
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        first = text.find("\n", start - _MOST_CHARACTERS) + 1 if start > _MOST_CHARACTERS else 0
        last = text.rfind("\n", end, end + _MOST_CHARACTERS) + 1 if len(text) > end + _MOST_CHARACTERS else len(text)
        return cls(text[first:start], text[start:at], text[at:end].rstrip("\r"), text[end + 1 : last])

    @property
    def indent(self) -> str:
        """The white space that its line begins with."""
        return self.typed[: len(self.typed) - len(self.typed.lstrip())]

    @property
    def is_open(self) -> bool:
        """Whether what stands after the cursor, if anything, begins with what closes."""
        return self.rest.lstrip()[:1] in _CLOSING

    @property
    def ends_line(self) -> bool:
        """Whether nothing but what closes stands after the cursor, so that a line can be ended there."""
        return all(character in _CLOSING for character in self.rest)

    def left_of(self, text: str, now: Hole) -> str:
        """What is left of a text that was suggested here for who has typed its beginning since; empty if nothing is."""
        whole = self.typed + text
        if (self.above, self.rest, self.below) != (now.above, now.rest, now.below) or len(now.typed) < len(self.typed):
            return ""
        return whole[len(now.typed) :] if whole.startswith(now.typed) else ""
