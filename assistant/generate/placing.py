"""Puts a generated module into the work tree, through the gate, which runs its testbench without and with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from veriloop.assistant.context import Context
from veriloop.assistant.design.edits import Edit, Patch
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import NotVerified
from veriloop.assistant.events import CancelToken, Run
from veriloop.assistant.gate import apply
from veriloop.assistant.generate.workflow import AGREEMENT, DATA, Generated
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.testbench import VerilogTestbench

_SURE = 0.9


def place(
    made: Generated, output: str, bench: str | None, *, repository: Repository, cwd: Path, cancel: CancelToken
) -> Run[tuple[str, ...]]:
    """Writes the module and the testbench that judged it; the paths that were written.

    Args:
        made: what was generated, and not refuted.
        output: where the module goes; what is there already is replaced.
        bench: where the testbench goes; none: beside the module, with `_tb`.
        repository: whose work tree it is.
        cwd: what both are relative to.
        cancel: stops it.

    Raises:
        NotVerified: there is no testbench, too few answers agree, or the gate refuses; nothing was changed.
        RepositoryError: git refuses.
    """
    if not made.testbench:
        raise NotVerified(
            f"the evidence is only: {made.evidence.label}; nothing is applied without a test",
            hint=f"veriloop generate ... -o {output}    without --apply writes it as it is",
        )
    if made.confidence is not None and made.confidence < _SURE:
        raise NotVerified(
            f"only {made.how}; from a confidence of {_SURE} on it is applied",
            hint=f"veriloop generate ... -o {output}    without --apply writes it as it is",
        )
    context = Context.of(repository, cancel)
    rtl = _relative(repository, cwd / output)
    path = Path(output)
    judge = _relative(repository, cwd / (bench or path.with_name(f"{path.stem}_tb{path.suffix}")))
    base = repository.snapshot()
    contents = {rtl: made.rtl, judge: made.testbench.encode()}
    edits = tuple(
        Edit(path=name, start=0, end=len(repository.read(base, name) or b""), text=text)
        for name, text in sorted(contents.items())
    )
    testbench = VerilogTestbench(
        name=AGREEMENT if made.confidence is not None else DATA,
        design=Design(toplevel=f"{made.toplevel}_tb", sources=(Path(judge), Path(rtl))),
    )
    report = yield from context.gate.check(
        Patch(edits=edits, base=base), [testbench], workflow="any", replay=f"veriloop check --testbench {judge}"
    )
    minimum = context.minimum
    if made.confidence is not None:
        report = replace(report, evidence=min(report.evidence, Evidence.AGREEMENT))
        minimum = Evidence.AGREEMENT
    applied = apply(repository, report, minimum=minimum, about=f"generate: {made.toplevel}")
    return applied.paths


def _relative(repository: Repository, path: Path) -> str:
    absolute = path.absolute()
    for candidate, root in ((absolute, repository.root), (absolute.resolve(), repository.root.resolve())):
        if candidate.is_relative_to(root):
            return candidate.relative_to(root).as_posix()
    raise NotVerified(f"{path} is not in the repository {repository.root}")
