"""Lets `veriloop check --staged` judge edits of public repositories: broken ones, and ones that change nothing.

    python dev/edit_series.py CLONES [--broken 7] [--harmless 7] [--only NAME] [--seed 1] [--budget S] [--json]

CLONES holds a clone of each repository of the table, named as the repository is. Which edit is broken the repository's
own tests say, all of them, in a plain copy without Veriloop; one that they do not see is drawn anew. Broken edits are
the slips of text of `assistant/training/slips/`, harmless ones comments, layout, renamings and refactorings by regular
expressions: neither knows what `check` looks at. The tests are set up as a user does it: `veriloop project --write` and
`veriloop trust`, but where the table has a `veriloop.toml`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from veriloop.assistant.execute import kill_with_descendants
from veriloop.assistant.training.slips import draw as draw_slips

_HANGS_S = 90.0
_TRIES = 40
"""Edits that are drawn until one is found on which the tests say what it is to be."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A public repository, and what all its tests are."""

    name: str
    commit: str
    design: tuple[str, ...]
    """Globs of what is edited."""
    suite: tuple[str, ...]
    """Commands at its root: all its tests that open tools run."""
    red: str
    """A regular expression that the log of a failing test holds; an exit code that is not 0 fails, too."""
    green: str
    """One that each passing log holds."""
    config: str = ""
    """Its veriloop.toml; empty: what `veriloop project --write` writes."""


_SECWORKS_RED = r"ERROR|Error:|NOT successful|did not complete"
_I2C = "iverilog -g2005 -I rtl/verilog -o tb.vvp bench/verilog/*.v rtl/verilog/*.v && vvp -n tb.vvp"
TABLE = (
    Repository(
        "secworks/sha256",
        "664e0e3",
        ("src/rtl/*.v",),
        tuple(f"make -s -C toolruns sim-{one}" for one in ("core", "wmem", "top", "axi4")),
        _SECWORKS_RED,
        r"completed successfully|Simulation done",
    ),
    Repository(
        "secworks/aes",
        "80dc471",
        ("src/rtl/*.v",),
        tuple(f"make -s -C toolruns sim-{one}" for one in ("core", "keymem", "encipher", "decipher", "top")),
        _SECWORKS_RED,
        r"completed successfully",
    ),
    Repository(
        "secworks/chacha",
        "7eaba36",
        ("src/rtl/*.v",),
        tuple(f"make -s -C toolruns sim-{one}" for one in ("core", "top")),
        _SECWORKS_RED,
        r"completed successfully",
    ),
    Repository(
        "freecores/i2c",
        "3b067f0",
        ("rtl/verilog/*_ctrl.v", "rtl/verilog/*_top.v"),
        (_I2C,),
        r"ERROR|FAIL",
        r"Testbench done",
        f'[[testbench]]\nname = "bench"\nkind = "command"\ncommand = "{_I2C}"\n',
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An edit, and what `check` said of it."""

    repository: str
    path: str
    kind: str
    broken: bool
    diff: str
    outcome: str
    evidence: str
    exit: int
    lines: int
    """That a refusal has on a screen."""
    wall_s: float
    cpu_s: float


Edit = Callable[[str, random.Random], str]
"""From a text to another, or the same where it finds nothing to change."""


def _comment(text: str, draw: random.Random) -> str:
    lines = text.split("\n")
    lines[draw.choice([n for n, line in enumerate(lines) if line.endswith(";")] or [0])] += "  // see the specification"
    return "\n".join(lines)


def _comment_gone(text: str, draw: random.Random) -> str:
    return _replaced(text, r"^[ \t]*//[^\n]*\n", lambda _: "", draw)


def _layout(text: str, draw: random.Random) -> str:
    return _replaced(text, r"^( +)(?=\S)", lambda found: found[1] + "  ", draw)


def _rename(text: str, draw: random.Random) -> str:
    names = re.findall(r"^\s*(?:reg|wire|logic)\s+(?:\[[^\]]*\]\s*)?(\w+)\s*;", text, re.MULTILINE)
    names = [name for name in names if len(re.findall(rf"\b{name}\b", text)) > 2]
    if not names:
        return text
    name = draw.choice(names)
    return re.sub(rf"\b{name}\b", f"{name}_r1", text)


def _operands(text: str, draw: random.Random) -> str:
    return _replaced(
        text, r"(?<== )(\w+) (\+|&|\^|\|) (\w+)(?=;)", lambda found: f"{found[3]} {found[2]} {found[1]}", draw
    )


def _compared(text: str, draw: random.Random) -> str:
    return _replaced(text, r"\((\w+) == (\w+)\)", lambda found: f"({found[2]} == {found[1]})", draw)


def _parentheses(text: str, draw: random.Random) -> str:
    return _replaced(text, r"(?<=<= )([^;\n()]+)(?=;)", lambda found: f"({found[1]})", draw)


def _if_else(text: str, draw: random.Random) -> str:
    return _replaced(
        text,
        r"\bif \((\w+)\)(\s+)(\w+ <?= [^;\n]+;)(\s+)else(\s+)(\w+ <?= [^;\n]+;)",
        lambda found: f"if (!{found[1]}){found[2]}{found[6]}{found[4]}else{found[5]}{found[3]}",
        draw,
    )


def _constant(text: str, draw: random.Random) -> str:
    found = list(re.finditer(r"(?<== )(\d+'h[0-9a-f]+)(?=;)", text))
    start = text.find("  always")
    found = [one for one in found if one.start() > start > 0]
    if not found:
        return text
    one = draw.choice(found)
    changed = f"{text[: one.start()]}START_VALUE{text[one.end() :]}"
    return f"{changed[:start]}  localparam START_VALUE = {one[1]};\n{changed[start:]}"


def _sensitivity(text: str, draw: random.Random) -> str:
    return _replaced(text, r"@\s*\*|@\s*\(\*\)", lambda found: "@ (*)" if "(" not in found[0] else "@*", draw)


def _replaced(text: str, pattern: str, by: Callable[[re.Match[str]], str], draw: random.Random) -> str:
    found = list(re.finditer(pattern, text, re.MULTILINE))
    if not found:
        return text
    one = draw.choice(found)
    return text[: one.start()] + by(one) + text[one.end() :]


HARMLESS: dict[str, Edit] = {
    "comment": _comment,
    "rename": _rename,
    "refactoring: operands": _operands,
    "layout": _layout,
    "refactoring: constant": _constant,
    "rename ": _rename,
    "refactoring: comparison": _compared,
    "comment gone": _comment_gone,
    "refactoring: parentheses": _parentheses,
    "refactoring: if and else": _if_else,
    "refactoring: sensitivity": _sensitivity,
}


class Series:
    """One repository, twice: plain, where its own tests run, and with Veriloop set up."""

    def __init__(self, row: Repository, clone: Path, place: Path) -> None:
        self.row, self.plain, self.work = row, place / "plain", place / "work"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MAKE"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
        self.environment = environment | {"XDG_STATE_HOME": str(place / "state"), "PATH": path}
        self.environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        for target in (self.plain, self.work):
            subprocess.run(["git", "clone", "--quiet", clone, target], check=True)
            self._git(target, "checkout", "--quiet", row.commit or "HEAD")
        if row.config:
            (self.work / "veriloop.toml").write_text(row.config)
        else:
            self._veriloop("project", "--write")
        self._veriloop("trust", "--yes")
        self._git(self.work, "add", "--all")
        self._git(self.work, "commit", "--quiet", "--message", "Set up")
        self.files = sorted(path for glob in row.design for path in self.plain.glob(glob))
        if self.fails():
            raise SystemExit(f"{row.name}: its own tests fail without any edit")

    def fails(self) -> bool:
        """Whether a test of the repository fails on what lies in the plain copy."""
        for command in self.row.suite:
            with subprocess.Popen(
                ["sh", "-c", f"exec 2>&1; {command}"],
                cwd=self.plain,
                env=self.environment,
                stdout=subprocess.PIPE,
                start_new_session=True,
            ) as process:
                try:
                    output, _ = process.communicate(timeout=_HANGS_S)
                except subprocess.TimeoutExpired:
                    # A simulation that hangs must not outlive the make that has started it.
                    kill_with_descendants(process.pid)
                    return True
            said = output.decode(errors="replace")
            if process.returncode or re.search(self.row.red, said) or not re.search(self.row.green, said):
                return True
        return False

    def drawn(self, draw: random.Random, *, broken: bool, number: int) -> tuple[Path, str, str]:
        """A file, its new text and the kind of the edit, on which the tests fail or pass as asked for."""
        kinds = list(HARMLESS)
        for attempt in range(_TRIES):
            path = draw.choice(self.files)
            old = path.read_text()
            if broken:
                slips = draw_slips(old, draw, count=1)
                kind, new = (slips[0].kind, slips[0].apply(old)) if slips else ("", old)
            else:
                # A kind that finds nothing in this file is tried on others first.
                kind = kinds[(number + attempt // 8) % len(kinds)]
                new = HARMLESS[kind](old, draw)
            if new == old:
                continue
            path.write_text(new)
            try:
                if self.fails() is broken:
                    return path.relative_to(self.plain), new, kind.strip()
            finally:
                path.write_text(old)
                self._git(self.plain, "clean", "-fdxq")
        raise SystemExit(f"{self.row.name}: no edit of this kind is found")

    def judged(self, path: Path, new: str, kind: str, *, broken: bool, budget: float) -> Row:
        """What `check --staged` says of the edit."""
        (self.work / path).write_text(new)
        self._git(self.work, "add", str(path))
        before, started = _cpu_s(), time.monotonic()
        said, code = self._veriloop("--json", "check", "--staged", "--budget", f"{budget:g}", check=False)
        wall_s, cpu_s = time.monotonic() - started, _cpu_s() - before
        summary = json.loads(said.splitlines()[-1])
        lines = 0
        if summary.get("outcome") == "refuted":
            lines = len(self._veriloop("check", "--staged", "--budget", f"{budget:g}", check=False)[0].splitlines())
        diff = self._git(self.work, "diff", "--cached", "-U0").partition("@@")[2]
        self._git(self.work, "reset", "--quiet", "--hard")
        return Row(
            repository=self.row.name,
            path=path.as_posix(),
            kind=kind,
            broken=broken,
            diff=diff[:600],
            outcome=summary.get("outcome", summary.get("error", "")),
            evidence=summary.get("evidence", ""),
            exit=code,
            lines=lines,
            wall_s=round(wall_s, 2),
            cpu_s=round(cpu_s, 2),
        )

    def _veriloop(self, *words: str, check: bool = True) -> tuple[str, int]:
        argv = [sys.executable, "-m", "veriloop.assistant.cli.main", *words]
        done = subprocess.run(argv, cwd=self.work, env=self.environment, capture_output=True, text=True)
        if check and done.returncode:
            raise SystemExit(f"veriloop {' '.join(words)}: {done.stderr[-300:]}")
        return done.stdout, done.returncode

    def _git(self, root: Path, *words: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        argv = ["git", *identity, *words]
        return subprocess.run(argv, cwd=root, env=self.environment, check=True, capture_output=True, text=True).stdout


def edits(row: Repository, clone: Path, *, broken: int, harmless: int, seed: int, budget: float) -> Iterator[Row]:
    """Draws the edits of one repository and lets them be judged."""
    draw = random.Random(f"{seed} {row.name}")
    with tempfile.TemporaryDirectory(prefix="veriloop-edits-") as name:
        series = Series(row, clone, Path(name))
        # The first builds what is built once on a machine.
        series.judged(*series.drawn(draw, broken=False, number=1), broken=False, budget=600.0)
        for number in range(max(broken, harmless)):
            for one, wanted in ((True, broken), (False, harmless)):
                if number < wanted:
                    path, new, kind = series.drawn(draw, broken=one, number=seed + number)
                    yield series.judged(path, new, kind, broken=one, budget=budget)


def summary_of(rows: list[Row]) -> dict[str, object]:
    """What the series came to."""
    broken, harmless = [one for one in rows if one.broken], [one for one in rows if not one.broken]
    return {
        "repositories": sorted({one.repository for one in rows}),
        "broken": len(broken),
        "broken_verified": sum(one.outcome in ("verified", "unchanged") for one in broken),
        "broken_passed": sum(one.exit == 0 for one in broken),
        "harmless": len(harmless),
        "harmless_verified": sum(one.outcome in ("verified", "unchanged") for one in harmless),
        "harmless_refused": sum(one.exit != 0 for one in harmless),
        "longest_refusal_lines": max((one.lines for one in broken), default=0),
        "median_s": round(statistics.median([one.wall_s for one in rows]), 2) if rows else None,
        "median_cpu_s": round(statistics.median([one.cpu_s for one in rows]), 2) if rows else None,
    }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Runs the series: 1 if a broken edit passed as verified, or more than one harmless edit was refused."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("--broken", type=int, default=7, help="edits of each repository that its tests fail on")
    parser.add_argument("--harmless", type=int, default=7, help="edits that change nothing")
    parser.add_argument("--only", default="", help="the repository whose name has this in it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=60.0, metavar="S", help="of each check")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for row in TABLE:
        if arguments.only not in row.name:
            continue
        clone = arguments.clones.resolve() / row.name.partition("/")[2]
        wanted = {name: getattr(arguments, name) for name in ("broken", "harmless", "seed", "budget")}
        for one in edits(row, clone, **wanted):
            rows.append(one)
            brief = f"{one.repository} {one.path} ({one.kind}): {one.outcome}, {one.wall_s} s, {one.cpu_s} CPU s"
            print(
                json.dumps(asdict(one)) if arguments.json else f"{'broken  ' if one.broken else 'harmless'} {brief}",
                flush=True,
            )
    summary = summary_of(rows)
    print(json.dumps(summary))
    return 1 if summary["broken_verified"] or sum(not one.broken and one.exit != 0 for one in rows) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
