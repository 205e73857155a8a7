"""One broken design with its oracle and, kept from the search, what it should have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from veriloop.assistant.verify.testbench import Testbench


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case of a suite.

    `files` make a small tree, by relative path; `rtl` is the one that may be changed, and `golden` its content when
    it is right: for counting only, the search never sees it.
    """

    name: str
    kind: str
    files: Mapping[str, bytes]
    rtl: str
    golden: bytes
    testbench: Testbench
