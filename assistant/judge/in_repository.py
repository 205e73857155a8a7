"""A judge's work on a user's repository: in a private copy, with whatever specification lies beside the design."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from veriloop.assistant.context import Context
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.events import CancelToken, Run
from veriloop.assistant.generate.candidates import candidates
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.judge.dispute import Dispute, Subject
from veriloop.assistant.judge.reading import read_specification
from veriloop.assistant.judge.verdict import Side, Verdict
from veriloop.assistant.judge.workflow import judge
from veriloop.assistant.repository.export import export
from veriloop.assistant.repository.private import private_directory
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, Testbench
from veriloop.models.model import Model

_FOLDERS = ("docs", "doc", "spec", "specs", ".")
_SUFFIXES = (".md", ".txt", ".rst")
SURE = 0.9
"""From which confidence on nobody bends a design to a test."""
ANSWERS = 12
"""Answers that a model is asked for."""


def judge_in(
    context: Context,
    testbench: Testbench,
    rtl: Path,
    *,
    specification: str = "",
    spec_path: Path | None = None,
    header: str | None = None,
    answers: Sequence[bytes] = (),
    model: Model | None = None,
    count: int = ANSWERS,
    cancel: CancelToken | None = None,
) -> Run[Verdict]:
    """Judges a test of the work tree as it is now.

    Args:
        context: the repository.
        testbench: the test.
        rtl: the design's file, relative to the root.
        specification: its text; empty: there is none.
        spec_path: its file, relative to the root; none where it lies elsewhere.
        header: a module header beside it.
        answers: modules that were written to the specification independently.
        model: is asked for more of them, and in the end for its opinion; none: nobody is.
        count: how many modules it is asked for.
        cancel: stops it; none: the context's.

    Raises:
        ToolError: a tool broke or is missing.
        ModelError: the model does not answer.
    """
    repository, cancel = context.repository, cancel or context.cancel
    with private_directory(repository.cache) as directory:
        copy = export(repository, repository.snapshot(), directory / "tree", needs=context.needs)
        scratch = directory / "build"
        scratch.mkdir()
        dispute = Dispute(
            testbench=testbench,
            root=copy.root,
            scratch=scratch,
            rtl=rtl,
            bench=bench_files(testbench, rtl, copy.root),
            specification=specification,
            spec_path=spec_path if spec_path is not None and (copy.root / spec_path).is_file() else None,
            header=header,
            answers=tuple(answers),
        )
        if model is not None and specification:
            asked = Subject(dispute).interface or read_interface(specification, header=header)
            if asked is not None:
                more = yield from candidates(model, specification, asked, count=count, cancel=cancel)
                dispute = replace(dispute, answers=(*dispute.answers, *more.rtl))
        return (yield from judge(dispute, toolchain=context.toolchain, cancel=cancel, model=model))


def blame_of_the_test(
    context: Context, testbench: Testbench, rtl: Path, specification: str, cancel: CancelToken | None = None
) -> Run[Verdict | None]:
    """The verdict by which a test is wrong and the design is right, surely; none otherwise.

    Nothing is run where nothing follows from the specification, so that it costs nothing then.

    Raises:
        ToolError: a tool broke or is missing.
    """
    root = context.repository.root
    if isinstance(testbench, CommandTest) or not (root / rtl).is_file():
        return None
    here = Dispute(testbench=testbench, root=root, scratch=root, rtl=rtl, specification=specification)
    if not read_specification(Subject(here)).text:
        return None
    verdict = yield from judge_in(context, testbench, rtl, specification=specification, cancel=cancel)
    return verdict if verdict.side is Side.TESTBENCH and verdict.confidence >= SURE else None


def bench_files(testbench: Testbench, rtl: Path, root: Path) -> tuple[Path, ...]:
    """The test's own files: those that are named or placed like tests, else those that hold no part of the design."""
    if isinstance(testbench, CommandTest):
        return ()
    if isinstance(testbench, CocotbTestbench):
        names = testbench.module.split(",")
        found = (folder / f"{name}.py" for folder in testbench.search_path for name in names)
        return tuple(path for path in found if (root / path).is_file())
    sources = [path for path in testbench.design.sources if path != rtl]
    named = Path(testbench.name)
    if named in sources:
        return (named, *(path for path in sources if path != named and is_test_path(path)))
    return tuple(path for path in sources if is_test_path(path)) or tuple(sources[:1])


def find_specification(root: Path, names: Iterable[str]) -> Path | None:
    """The text file that is called like the design, beside the documents; relative to the root, none where none is."""
    wanted = {name.lower() for name in names if name}
    for folder in _FOLDERS:
        for path in sorted((root / folder).glob("*")):
            if path.stem.lower() in wanted and path.suffix.lower() in _SUFFIXES and path.is_file():
                return path.relative_to(root)
    return None
