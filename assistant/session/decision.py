"""What the user makes of a proposed change: the choice, and what the gate has said of this and of other choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veriloop.assistant.session.change import Change, Choice, Links, Standing, Verdict, links, probes


@dataclass(slots=True)
class Decision:
    """A change, what was chosen of it, and what is known of the choices."""

    change: Change
    choices: list[Choice] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """By the key of the choice."""
    chosen: dict[str, frozenset[int]] = field(default_factory=dict)
    """The accepted hunks of those choices in which nothing was edited."""
    applied: bool = False

    def __post_init__(self) -> None:
        """Takes everything, as it was proposed."""
        self.choices = self.choices or list(self.change.everything)

    @property
    def key(self) -> str:
        """Of what is chosen now."""
        return self.change.key(self.choices)

    @property
    def verdict(self) -> Verdict:
        """What is known of what is chosen now."""
        if not self.change.diff(self.choices):
            return Verdict(standing=Standing.EMPTY, line="nothing is accepted, so there is nothing to apply")
        return self.verdicts.get(self.key) or Verdict(standing=Standing.UNKNOWN, line="not verified yet")

    @property
    def links(self) -> Links:
        """Which hunks belong together, as far as that is known."""
        known = {
            self.chosen[key]: verdict.standing is Standing.VERIFIED
            for key, verdict in self.verdicts.items()
            if key in self.chosen and verdict.standing in (Standing.VERIFIED, Standing.REFUTED)
        }
        return links(len(self.change.hunks), known)

    def probe(self) -> tuple[Choice, ...] | None:
        """The next choice whose verdict says what a hunk is for; none where all is known."""
        for accepted in probes(len(self.change.hunks)):
            choices = tuple(Choice(accepted=place in accepted) for place in range(len(self.change.hunks)))
            if self.change.key(choices) not in self.verdicts:
                return choices
        return None

    def heard(self, choices: Sequence[Choice], verdict: Verdict) -> None:
        """Keeps what the gate has said of a choice."""
        key = self.change.key(choices)
        self.verdicts[key] = verdict
        if all(choice.text is None for choice in choices):
            self.chosen[key] = frozenset(place for place, choice in enumerate(choices) if choice.accepted)


def verdict_of(report: Mapping[str, Any]) -> Verdict:
    """A report's word, from its data."""
    tests = report["tests"]
    cached = all(step["cached"] for step in report["steps"] if step["runs"])
    evidence = report["evidence"]
    outcome = report.get("outcome", "")
    if not report["passed"] or outcome == "refuted":
        reds = [f"{step['name']}: {step['detail']}" for step in report["steps"] if not step["passed"]]
        line = f"refuted: {next(iter([*reds, *reversed(report.get('warnings', ()))]), 'new errors')}"
        return Verdict(standing=Standing.REFUTED, line=line, cached=cached, data=report)
    if outcome == "unchanged":
        line = "not verified: only comments, layout or texts change, which no test could see"
        return Verdict(standing=Standing.OPEN, line=line, cached=cached, data=report)
    if outcome not in ("", "verified"):
        left = "; ".join(f"{one['name']}: {one['why']}" for one in report.get("left_out", ()))
        line = f"not verified: evidence: {evidence}" + (f"; left out: {left}" if left else "")
        return Verdict(standing=Standing.OPEN, line=line, cached=cached, data=report)
    if not tests["ran"]:
        line = f"not verified: no test ran; evidence: {evidence}"
        return Verdict(standing=Standing.OPEN, line=line, cached=cached, data=report)
    fixed = len(report["fixed"])
    turned = f", {fixed} of them failed before" if fixed else ""
    line = f"verified: {tests['passed']} of {tests['ran']} tests pass{turned}; evidence: {evidence}"
    return Verdict(standing=Standing.VERIFIED, line=line, cached=cached, data=report)
