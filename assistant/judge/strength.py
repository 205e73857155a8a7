"""How much a test that passes is worth: it is run on a few broken copies of the design that it passes."""

from __future__ import annotations

from collections import defaultdict

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.judge.trials import Trials
from veriloop.assistant.repair.operators import proposals
from veriloop.assistant.verify.results import Outcome

_COPIES = 5


def strength(subject: Subject, trials: Trials) -> str:
    """What a passing test says of broken copies, in a sentence; empty where none can be made.

    The copies are slips that the repair operators undo, made instead: the first of each kind in the text.
    """
    tree = SyntaxTree(subject.content)
    kinds: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for structure, proposal in proposals(tree):
        if len(proposal.replacements) == 1 and structure.name == subject.module:
            start, end, text = proposal.replacements[0]
            changed = apply_edits(subject.content, [Edit(path="", start=start, end=end, text=text.encode())])
            kinds[proposal.operator].append((tree.line(start), changed))
    failed = 0
    passed: list[int] = []
    for kind in sorted(kinds):
        line, changed = kinds[kind][0]
        if failed + len(passed) == _COPIES:
            break
        run = trials.of(changed)
        if run.passed:
            passed.append(line)
        elif run.outcome in (Outcome.FAIL, Outcome.TIMEOUT):
            failed += 1
    if not failed + len(passed):
        return ""
    said = f"of {failed + len(passed)} copies of the design with one slip each the test fails {failed}"
    places = ", ".join(map(str, sorted(set(passed))))
    return said + (f"; it passes slips in {subject.dispute.rtl} line {places}, which may do no harm" if passed else "")
