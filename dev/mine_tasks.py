"""Makes tasks for `veriloop bench hwe` from a clone: of bug fixes in its history, or of slips put into its RTL.

    python dev/mine_tasks.py CLONE --test COMMAND --out DIR --history 200
    python dev/mine_tasks.py CLONE --test COMMAND --out DIR --history 900 --tests-from HEAD --commits 74ecdb98
    python dev/mine_tasks.py CLONE --test COMMAND --out DIR --inject 5 --only 'rtl/*.v'

A fix is kept if its parent, with the tests of the fix (or of a later commit, where it brought none), compiles and fails
the command, and the fix itself passes it. A slip is kept
if the tree passes the command and the broken one fails it, twice. The report of a fix is its commit's message without
what gives the place away being added; that of a slip tells the module and what the test said, never the line.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath
from random import Random

from veriloop.assistant.design.edits import unified_diff
from veriloop.assistant.design.facts import file_facts
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.events import CancelToken
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.training.slips import draw
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.testbench import CommandTest

FIX = re.compile(r"\b(?:fix(?:e[sd])?|bug|correct(?:ed|s)?|wrong|repair|broken|error)\b", re.I)
NO_FIX = re.compile(r"\b(?:typo|lint|warning|comment|doc|docs|readme|format|whitespace|indent|ci)\b", re.I)
HDL = (".v", ".sv")
DOES_NOT_COMPILE = re.compile(r"syntax error|error\(s\) during elaboration|%Error")


def git(clone: Path, *words: str) -> bytes:
    """What git prints."""
    return subprocess.run(["git", "-C", str(clone), *words], check=True, capture_output=True).stdout


def export(clone: Path, commit: str, directory: Path) -> Path:
    """A commit's tree as plain files."""
    directory.mkdir(parents=True)
    with tempfile.TemporaryFile() as archive:
        archive.write(git(clone, "archive", commit))
        archive.seek(0)
        subprocess.run(["tar", "-x", "-C", str(directory)], stdin=archive, check=True)
    return directory


def judged(root: Path, command: str, timeout_s: float) -> SimResult:
    """One run of a command on a tree."""
    with tempfile.TemporaryDirectory() as scratch:
        test = CommandTest(name=command, command=command, timeout_s=timeout_s)
        return run_command(test, root=root, scratch=Path(scratch), isolation=Isolation(), cancel=CancelToken())


def keep(out: Path, name: str, base: Path, about: dict[str, object], gold: str, test_patch: bytes = b"") -> None:
    """Writes a task's folder."""
    folder = out / name
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-czf", str(folder / "base.tar.gz"), "-C", str(base.parent), base.name], check=True)
    (folder / "task.json").write_text(json.dumps({"id": name, "repo_archive": "base.tar.gz", **about}, indent=1))
    (folder / "gold.patch").write_text(gold)
    if test_patch:
        (folder / "test.patch").write_bytes(test_patch)
    print(f"kept {name}", file=sys.stderr)


def mine_history(clone: Path, arguments: argparse.Namespace) -> None:
    """Tasks of real fixes."""
    log = git(clone, "log", "--no-merges", f"-{arguments.history}", "--format=%H%x1f%B%x1e").decode(errors="replace")
    for entry in filter(None, (part.strip("\n") for part in log.split("\x1e"))):
        commit, _, message = entry.partition("\x1f")
        subject = message.strip().splitlines()[0] if message.strip() else ""
        if arguments.commits:
            if not commit.startswith(tuple(arguments.commits)):
                continue
        elif not FIX.search(subject) or NO_FIX.search(subject):
            continue
        try:
            names = git(clone, "diff", "--name-only", f"{commit}~1", commit).decode(errors="replace").splitlines()
        except subprocess.CalledProcessError:
            continue
        tests = [name for name in names if is_test_path(PurePosixPath(name))]
        rtl = [name for name in names if name not in tests and name.endswith(HDL)]
        if not rtl or len(rtl) > arguments.most_files:
            continue
        test_patch = git(clone, "diff", f"{commit}~1", commit, "--", *tests) if tests else b""
        if arguments.tests_from:
            test_patch = later_tests(clone, commit, arguments.tests_from)
        gold = git(clone, "diff", f"{commit}~1", commit, "--", *rtl).decode(errors="replace")
        with tempfile.TemporaryDirectory() as place:
            fixed = export(clone, commit, Path(place, "fixed"))
            if arguments.tests_from:
                own = git(clone, "diff", f"{commit}~1", commit, "--", *tests) if tests else b""
                applied(fixed, own, "-R")
                applied(fixed, test_patch)
            if not judged(fixed, arguments.test, arguments.timeout).passed:
                continue
            base = export(clone, f"{commit}~1", Path(place, "base"))
            broken = export(clone, f"{commit}~1", Path(place, "broken"))
            applied(broken, test_patch)
            run = judged(broken, arguments.test, arguments.timeout)
            if run.passed or DOES_NOT_COMPILE.search(run.log_tail):
                continue
            about = common(arguments, message.strip(), "real")
            keep(arguments.out, f"real-{clone.name}-{commit[:8]}", base, about, gold, test_patch)


def later_tests(clone: Path, commit: str, later: str) -> bytes:
    """The patch by which a fix's parent gets the tests of a later commit."""
    names = set(git(clone, "ls-tree", "-r", "--name-only", later).decode(errors="replace").splitlines())
    names |= set(git(clone, "ls-tree", "-r", "--name-only", f"{commit}~1").decode(errors="replace").splitlines())
    tests = sorted(name for name in names if is_test_path(PurePosixPath(name)))
    return git(clone, "diff", f"{commit}~1", later, "--", *tests) if tests else b""


def applied(root: Path, patch: bytes, *how: str) -> None:
    """Applies a patch where there is one."""
    if patch:
        subprocess.run(["git", "apply", *how, "-"], cwd=root, input=patch, check=False, capture_output=True)


def mine_slips(clone: Path, arguments: argparse.Namespace) -> None:
    """Tasks of slips."""
    random = Random(arguments.seed)
    with tempfile.TemporaryDirectory() as place:
        base = export(clone, "HEAD", Path(place, "base"))
        if not judged(export(clone, "HEAD", Path(place, "clean")), arguments.test, arguments.timeout).passed:
            raise SystemExit(f"`{arguments.test}` does not pass on {clone}")
        files = [path for path in sorted(base.rglob("*")) if path.suffix in HDL and path.is_file()]
        rtl = [path for path in files if not is_test_path(path.relative_to(base))]
        rtl = [path for path in rtl if fnmatch.fnmatch(path.relative_to(base).as_posix(), arguments.only)]
        kept = 0
        for attempt in range(arguments.inject * 12):
            if kept == arguments.inject or not rtl:
                break
            path = random.choice(rtl)
            text = path.read_text(encoding="utf-8", errors="replace")
            slips = draw(text, random, count=1)
            if not slips:
                continue
            name = path.relative_to(base).as_posix()
            broken = slips[0].apply(text)
            path.write_text(broken, encoding="utf-8")
            runs = [
                judged(copied(base, Path(place, f"try{attempt}{at}")), arguments.test, arguments.timeout) for at in "ab"
            ]
            if not any(run.passed for run in runs) and not DOES_NOT_COMPILE.search(runs[0].log_tail):
                kept += 1
                report = told(name, broken, runs[0])
                about = common(arguments, report, "injected")
                gold = unified_diff(name, broken.encode(), text.encode())
                keep(arguments.out, f"injected-{clone.name}-{arguments.seed}-{kept}", base, about, gold)
            path.write_text(text, encoding="utf-8")


def copied(base: Path, target: Path) -> Path:
    """A copy, because a test writes into its tree."""
    subprocess.run(["cp", "-r", str(base), str(target)], check=True)
    return target


def told(name: str, text: str, run: SimResult) -> str:
    """The report of a slip."""
    units = [unit.name for unit in file_facts(text.encode()).units]
    lines = [line for line in run.log_tail.splitlines() if line.strip()][-12:]
    return "\n".join([f"# {units[0] if units else name} misbehaves", "", "The test says:", "", "```", *lines, "```"])


def common(arguments: argparse.Namespace, report: str, kind: str) -> dict[str, object]:
    """What all tasks say."""
    return {
        "kind": kind,
        "bug_report": report,
        "test_command": arguments.test,
        "pass_to_pass": arguments.also,
        "setup": "",
        "timeout_s": arguments.timeout,
    }


def main() -> None:
    """Mines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--test", required=True)
    parser.add_argument("--also", action="append", default=[], help="a command that passes before and after")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--history", type=int, default=0, help="how many commits are looked at")
    parser.add_argument("--commits", nargs="*", default=[], help="only these fixes, whatever their messages say")
    parser.add_argument("--tests-from", default="", help="the commit whose tests show the bug; else the fix's own")
    parser.add_argument("--inject", type=int, default=0, help="how many slips are kept")
    parser.add_argument("--only", default="*", help="the RTL files that get slips")
    parser.add_argument("--most-files", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=120.0)
    arguments = parser.parse_args()
    clone = arguments.clone.resolve()
    if arguments.history:
        mine_history(clone, arguments)
    if arguments.inject:
        mine_slips(clone, arguments)


if __name__ == "__main__":
    main()
