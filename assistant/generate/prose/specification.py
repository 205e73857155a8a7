"""A specification in prose with what was understood of it so far: sentences are claimed one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from veriloop.assistant.generate.interface import Interface, PortDeclaration
from veriloop.assistant.generate.prose.circuit import Expr, name
from veriloop.assistant.generate.prose.sentences import core


@dataclass(slots=True)
class Prose:
    """Sentences that nobody has claimed yet, and the ports.

    Attributes:
        interface: the ports.
        left: the sentences that are left, in their own case.
    """

    interface: Interface
    left: list[str] = field(default_factory=list)

    def copy(self) -> Prose:
        """The same, to be claimed from independently."""
        return Prose(self.interface, list(self.left))

    def take(self, pattern: str) -> re.Match[str] | None:
        """Claims the first sentence of which the core is this as a whole; none if there is none."""
        for sentence in self.left:
            match = re.fullmatch(pattern, core(sentence), re.S)
            if match is not None:
                self.left.remove(sentence)
                return match
        return None

    def drop(self, *patterns: str) -> None:
        """Claims every sentence that is one of these as a whole."""
        for pattern in patterns:
            while self.take(pattern) is not None:
                pass

    @property
    def inputs(self) -> tuple[PortDeclaration, ...]:
        """The inputs that carry data: neither the clock nor what is named as a reset."""
        return self.interface.data

    @property
    def output(self) -> PortDeclaration | None:
        """The output, where there is one alone."""
        outputs = self.interface.outputs
        return outputs[0] if len(outputs) == 1 else None

    def port(self, text: str) -> PortDeclaration | None:
        """The port that a name means, in any case."""
        return self.interface.port(text.strip("`'\"_ "))

    def whole(self, port: PortDeclaration) -> Expr:
        """A port as a value."""
        return name(port.name, port.width_bits)
