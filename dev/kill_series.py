"""Kills `check`, `repair` and `apply` with SIGKILL at random moments, and looks at what is left.

    python dev/kill_series.py [--kills 1000] [--seconds S] [--seed 1] [--json]

After each kill: the repository is one that git calls sound, its index and branch are as they were, and each file is
what it was or what the change makes of it, never half of it. After the next run: no process, no private copy and no
unfinished change is left, and the verdict is the right one. Only the command itself is killed; what it has started has
to go with it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

GOOD = """module counter(input clk, input rst, output reg [3:0] q);
  always @(posedge clk) if (rst) q <= 0; else q <= q + 1;
endmodule
"""
BROKEN = GOOD.replace("q + 1", "q + 2")
BENCH = """module counter_tb;
  reg clk = 0, rst = 1; wire [3:0] q; integer i, bad = 0;
  counter dut(.clk(clk), .rst(rst), .q(q));
  always #5 clk = ~clk;
  initial begin
    #22 rst = 0;
    for (i = 0; i < 20; i = i + 1) begin
      @(negedge clk);
      if (q !== ((i + 1) & 15)) bad = bad + 1;
    end
    $display("Mismatches: %0d in %0d samples", bad, 20);
    $finish;
  end
endmodule
"""
RTL = "rtl/counter.v"
EVERY = 20
"""Kills after which an undisturbed run follows, and what it leaves is looked at."""
_GONE_S = 20.0


@dataclass(slots=True)
class Series:
    """One repository, and what was found wrong in it."""

    place: Path
    environment: Mapping[str, str]
    faults: list[str] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    started: set[str] = field(default_factory=set)
    """The ids of the processes of ours."""
    done: int = 0
    """Commands that had ended when they were to be killed; they do not count."""
    next_runs: int = 0
    """Undisturbed runs after which it was looked at what is left."""

    @property
    def root(self) -> Path:
        """The work tree."""
        return self.place / "clone"

    def git(self, *words: str) -> str:
        """What git says."""
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        done = subprocess.run(["git", *identity, *words], cwd=self.root, capture_output=True, text=True)
        return done.stdout + done.stderr * (done.returncode != 0)

    def start(self, words: list[str]) -> subprocess.Popen[str]:
        """A command of ours."""
        argv = [sys.executable, "-m", "veriloop.assistant.cli.main", "--json", *words]
        process = subprocess.Popen(
            argv,
            cwd=self.root,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.started.add(str(process.pid))
        return process

    def fault(self, what: str) -> None:
        """Notes what is not as it has to be."""
        self.faults.append(f"after {sum(self.killed.values())} kills: {what}")


def series(place: Path, *, kills: int, seed: int, seconds: float = float("inf")) -> Series:
    """Kills so many commands, and looks.

    Args:
        place: an empty directory.
        kills: how many.
        seed: of the moments.
        seconds: after which no more are killed.
    """
    end = time.monotonic() + seconds
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MAKE"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "VERILOOP_CACHE": os.environ.get("VERILOOP_CACHE", str(place / "cache")),
        "XDG_STATE_HOME": str(place / "state"),
        "XDG_CONFIG_HOME": str(place / "config"),
    }
    found = Series(place, environment)
    _prepare(found)
    draw = random.Random(seed)
    for name in VERBS:
        _undisturbed(found, name, 0)
    # The first of each builds what is built once on a machine.
    lasts = {name: _undisturbed(found, name, 1) for name in VERBS}
    while sum(found.killed.values()) < kills and time.monotonic() < end:
        name = draw.choices(list(VERBS), _WEIGHTS)[0]
        _set_up(found, name, draw.randrange(1 << 30))
        before = (found.git("rev-parse", "HEAD"), (found.root / ".git/index").read_bytes())
        started = time.monotonic()
        process = found.start(VERBS[name])
        try:
            process.wait(draw.uniform(0, 1.2) * lasts[name])
        except subprocess.TimeoutExpired:
            found.killed[name] += 1
        else:
            # It was done before: that is no kill, and says how long it lasts on a machine as busy as now.
            found.done += 1
            lasts[name] = (lasts[name] + time.monotonic() - started) / 2
        process.send_signal(signal.SIGKILL)
        process.communicate()
        _intact(found, before)
        if sum(found.killed.values()) % EVERY == 0:
            _next_run(found)
    _next_run(found)
    return found


_WEIGHTS = (2, 1, 2)
"""How often each is killed: a repair takes twice as long as the others."""
VERBS = {
    "check": ["check", "--worktree"],
    "repair": ["repair", RTL, "--testbench", "tb/counter_tb.v", "--budget", "60", "--no-model"],
    "apply": ["check", "../fix.patch", "--apply"],
}


def _prepare(found: Series) -> None:
    for path, text in ((RTL, BROKEN), ("tb/counter_tb.v", BENCH)):
        (found.root / path).parent.mkdir(parents=True, exist_ok=True)
        (found.root / path).write_text(text)
    found.git("init", "--quiet")
    found.git("add", "--all")
    found.git("commit", "--quiet", "--message", "x")
    (found.root / RTL).write_text(GOOD)
    (found.place / "fix.patch").write_text(found.git("diff"))
    (found.root / RTL).write_text(BROKEN)


def _set_up(found: Series, name: str, number: int) -> None:
    """What the command is to find: a change whose verdict nobody knows, or the broken design."""
    text = GOOD.replace("q + 1", f"q + 1 + {number % 65536} * 0") if name == "check" else BROKEN
    (found.root / RTL).write_text(text)


def _undisturbed(found: Series, name: str, number: int) -> float:
    _set_up(found, name, number)
    started = time.monotonic()
    process = found.start(VERBS[name])
    said = process.communicate(timeout=600)[0]
    if process.returncode != 0:
        raise SystemExit(f"{name} does not work undisturbed: {said[-300:]}")
    return time.monotonic() - started


def _intact(found: Series, before: tuple[str, bytes]) -> None:
    if (found.git("rev-parse", "HEAD"), (found.root / ".git/index").read_bytes()) != before:
        found.fault("branch or index moved")
    if said := found.git("fsck", "--no-dangling", "--no-progress"):
        found.fault(f"git fsck: {said}")
    text = (found.root / RTL).read_text()
    if text not in (GOOD, BROKEN) and not text.startswith(GOOD.partition("q + 1")[0]):
        found.fault(f"{RTL} is neither what it was nor what was to come")
    if (found.root / "tb/counter_tb.v").read_text() != BENCH:
        found.fault("the testbench changed")


def _next_run(found: Series) -> None:
    """An undisturbed run: it takes back what is half done, knows the right verdict, and leaves nothing behind."""
    process = found.start(["status"])
    process.communicate(timeout=600)
    (found.root / RTL).write_text(BROKEN)
    process = found.start(VERBS["apply"])
    said = process.communicate(timeout=600)[0]
    if process.returncode != 0 or (found.root / RTL).read_text() != GOOD:
        found.fault(f"the next run ends with {process.returncode}: {said[-300:]}")
    (found.root / RTL).write_text(BROKEN)
    found.next_runs += 1
    extra = [path for path in found.root.rglob("*") if ".git" not in path.parts and path.is_file()]
    if sorted(path.name for path in extra) != ["counter.v", "counter_tb.v"]:
        found.fault(f"left in the work tree: {sorted(map(str, extra))}")
    if len(found.git("worktree", "list").splitlines()) != 1:
        found.fault("a worktree is left")
    trees = Path(found.environment["VERILOOP_CACHE"], "trees")
    end = time.monotonic() + _GONE_S
    while time.monotonic() < end and (left := _left(found)):
        time.sleep(0.2)
    if left:
        found.fault(f"processes are left: {left}")
    mine = [path.name for path in trees.glob("*-*") if path.name.partition("-")[0] in found.started]
    if mine:
        found.fault(f"private copies are left: {mine}")


def _left(found: Series) -> list[str]:
    """The command lines of processes that have to do with the series."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = str((entry / "cwd").readlink())
        except OSError:
            continue
        if entry.name != str(os.getpid()) and (str(found.place) in words or place.startswith(str(found.place))):
            lines.append(words[:120])
    return lines


def main() -> int:
    """Runs the series and says what it came to; 1 if anything was not as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no more are killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="veriloop-kills-") as name:
        found = series(Path(name), kills=arguments.kills, seed=arguments.seed, seconds=arguments.seconds)
    kills = sum(found.killed.values())
    summary = {
        "kills": kills,
        "by": dict(found.killed),
        "done_before": found.done,
        "next_runs": found.next_runs,
        "faults": found.faults,
    }
    print(json.dumps(summary) if arguments.json else "\n".join([f"{kills} kills", *found.faults, "done"]))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
