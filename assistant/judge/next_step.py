"""The command to go on with after a verdict."""

from __future__ import annotations

import shlex

from veriloop.assistant.judge.dispute import Dispute
from veriloop.assistant.judge.verdict import Cited, Side
from veriloop.assistant.verify.testbench import CommandTest


def next_step(side: Side, dispute: Dispute, evidence: tuple[Cited, ...]) -> str:
    """A command line; what has to be edited by hand stands behind it."""
    rtl = dispute.rtl.as_posix()
    spec = ["--spec", dispute.spec_path.as_posix()] if dispute.spec_path is not None else []
    test = _test(dispute)
    again = shlex.join(["veriloop", "judge", rtl, *test, *spec])
    place = _place(dispute, evidence, side)
    if side is Side.RTL:
        return shlex.join(["veriloop", "repair", rtl, *test, *spec])
    if side is Side.BOTH and spec:
        return f"{shlex.join(['veriloop', 'generate', spec[1], '--ports', rtl])}  # then compare both with it{place}"
    if side is Side.SPEC and spec:
        return f"{again}  # once {spec[1]} answers the question"
    if side in (Side.TESTBENCH, Side.HARNESS, Side.BOTH):
        return f"{again}  # once the test is mended{place}"
    if not spec and not dispute.answers:
        return f"{again} --spec FILE"
    return f"{again} --model NAME"


def _test(dispute: Dispute) -> list[str]:
    if isinstance(dispute.testbench, CommandTest):
        return ["--test", dispute.testbench.command]
    return [word for path in dispute.bench for word in ("--testbench", path.as_posix())]


def _place(dispute: Dispute, evidence: tuple[Cited, ...], side: Side) -> str:
    """Where to look first in the test's files."""
    if side is Side.RTL:
        return ""
    mine = {path.as_posix() for path in dispute.bench}
    found = next((one for one in evidence if one.path in mine), None)
    return f": see {found.path}:{found.line}" if found is not None else ""
