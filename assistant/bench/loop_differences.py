"""Why Icarus says something else of a candidate than Verilator, told by experiments, not by guesses.

Verilator knows 0 and 1 only and orders what happens at once in its own way. A difference is explained where Icarus
comes to Verilator's verdict once its unknown start values are given the values that Verilator starts from, where
something is unknown in Icarus's run that is not in the unchanged design's, or where Icarus comes to Verilator's
verdict, or to a third one, once the processes of the design are written in another order, which the language leaves
free and which is all the same to the unchanged design.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.syntax import SyntaxTree, find
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.batch.engines import vpi_module
from veriloop.assistant.verify.batch.sameness import same_run
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import conclude, follows_random, keeps_dumps, read_icarus_run
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_START = "VERILOOP_START"
_UNKNOWN = "veriloop: unknown: "
_STARTS = {"zeros": "0", "ones": "1"}
_ITEMS = ("always_construct", "continuous_assign")
_NAMED = 6
"""So many unknown signals are named."""

_VPI = """
#include <stdlib.h>
#include <string.h>
#include "vpi_user.h"

static char bit;

static void visit(vpiHandle object, int starting) {
    s_vpi_value value;
    char* text;
    size_t i;
    int unknown = 0;
    value.format = vpiBinStrVal;
    vpi_get_value(object, &value);
    if (value.format != vpiBinStrVal || !value.value.str) return;
    text = strdup(value.value.str);
    for (i = 0; text[i]; ++i)
        if (strchr("xXzZ", text[i])) {
            unknown = 1;
            text[i] = bit;
        }
    if (unknown && starting) {
        value.value.str = text;
        vpi_put_value(object, &value, NULL, vpiNoDelay);
    } else if (unknown) {
        vpi_printf("MARK%s\\n", vpi_get_str(vpiFullName, object));
    }
    free(text);
}

static void each(vpiHandle scope, PLI_INT32 type, int starting) {
    vpiHandle object, all = vpi_iterate(type, scope);
    while (all && (object = vpi_scan(all))) {
        if (type == vpiMemory) each(object, vpiMemoryWord, starting);
        else visit(object, starting);
    }
}

static void walk(vpiHandle scope, int starting) {
    static const PLI_INT32 kinds[] = {vpiReg, vpiIntegerVar, vpiMemory};
    static const PLI_INT32 scopes[] = {vpiModule, vpiInternalScope};
    size_t i;
    vpiHandle inner, all;
    if (scope) {
        for (i = 0; i < sizeof kinds / sizeof *kinds; ++i) each(scope, kinds[i], starting);
        if (!starting) each(scope, vpiNet, starting);
    }
    for (i = 0; i < (scope ? 2 : 1); ++i) {
        all = vpi_iterate(scopes[i], scope);
        while (all && (inner = vpi_scan(all))) {
            PLI_INT32 type = vpi_get(vpiType, inner);
            if (i == 0 || (type != vpiModule && type != vpiFunction && type != vpiTask)) walk(inner, starting);
        }
    }
}

static PLI_INT32 started(p_cb_data data) { (void)data; walk(NULL, 1); return 0; }
static PLI_INT32 ended(p_cb_data data) { (void)data; walk(NULL, 0); return 0; }

static void watch(void) {
    const char* start = getenv("VERILOOP_START");
    s_cb_data wanted;
    memset(&wanted, 0, sizeof wanted);
    bit = start && *start ? *start : '0';
    if (start && *start) {
        wanted.reason = cbStartOfSimulation;
        wanted.cb_rtn = started;
        vpi_register_cb(&wanted);
    }
    wanted.reason = cbEndOfSimulation;
    wanted.cb_rtn = ended;
    vpi_register_cb(&wanted);
}
void (*vlog_startup_routines[])(void) = {watch, 0};
""".replace("MARK", _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Explained:
    """What a difference comes from; `why` is empty where no experiment tells."""

    why: str
    in_favour: bool = False
    """Whether the candidate would be let through although one of the simulators fails it."""


class Explainer:
    """Explains differences of one design.

    Args:
        testbench: what judges.
        editable: the files that candidates change, as they are in `root`.
        root: a private copy of the tree, written to meanwhile.
        scratch: an existing directory for builds.
        toolchain: has Icarus.
        cancel: stops it.
    """

    def __init__(
        self,
        testbench: VerilogTestbench,
        *,
        editable: Mapping[str, bytes],
        root: Path,
        scratch: Path,
        toolchain: Toolchain,
        cancel: CancelToken,
    ) -> None:
        self._testbench = testbench
        self._editable = editable
        self._root = root
        self._scratch = scratch
        self._toolchain = toolchain
        self._cancel = cancel
        self._usual: frozenset[str] | None = None
        self._unsteady: frozenset[str] | None = None

    def explain(
        self, contents: Mapping[str, bytes], by_verilator: Sequence[SimResult], by_icarus: SimResult
    ) -> Explained:
        """Says why Icarus's verdict on a candidate is another one than Verilator's."""
        runs = [*by_verilator, by_icarus]
        fixed = [run for run in by_verilator if not run.start.startswith("random")]
        # The gate lets no repair through that a simulator no longer takes, and both take the unchanged design.
        taken = all(run.outcome is not Outcome.COMPILE_ERROR for run in runs)
        passed = taken and conclude(self._testbench, runs, root=self._root).passed
        in_favour = passed and not (by_icarus.passed and all(run.passed for run in fixed))
        return Explained(self._why(contents, by_verilator, by_icarus), in_favour)

    def _why(self, contents: Mapping[str, bytes], by_verilator: Sequence[SimResult], by_icarus: SimResult) -> str:
        if by_icarus.outcome is Outcome.COMPILE_ERROR:
            return f"Icarus does not take it: {by_icarus.reason}"
        if any(run.outcome is Outcome.COMPILE_ERROR for run in by_verilator):
            return f"Verilator does not take it: {by_verilator[0].reason}"
        if len({run.passed for run in by_verilator}) > 1:
            return "Verilator's own verdict depends on the start state, which is unknown in Icarus"
        passed = by_verilator[0].passed
        for name, bit in _STARTS.items():
            run, _ = self._run(contents, start=bit)
            if run is not None and run.passed == passed:
                return f"from {name} in place of unknowns, Icarus says the same"
        _, unknown = self._run(contents)
        if new := sorted(unknown - self._usually_unknown()):
            named = ", ".join(new[:_NAMED])
            return f"unknown when the run ends: {named}{' and others' if len(new) > _NAMED else ''}"
        if race := self._race(contents, passed, by_icarus):
            return race
        now = {path: immediate(text) for path, text in contents.items()}
        for start in ("", *_STARTS.values()) if now != contents else ():
            run, _ = self._run(now, start=start)
            if run is not None and run.passed == passed:
                return "with blocking assignments in combinational logic, as Verilator runs it, Icarus says the same"
        if follows_random(self._testbench, self._root):
            return "the testbench draws from the simulator's own random stream"
        return ""

    def _race(self, contents: Mapping[str, bytes], passed: bool, by_icarus: SimResult) -> str:
        """What order of events makes a difference; empty if none does."""
        otherwise = ""
        for what, files in self._orders(contents):
            for start in ("", *_STARTS.values()):
                run, _ = self._run(files, start=start)
                if run is None:
                    continue
                if run.passed == passed:
                    return f"a race: {what}, Icarus says the same"
                # Neither order need be Verilator's, whose nets may follow a process later than both.
                if not start and not same_run(run, by_icarus) and what not in self._order_matters():
                    otherwise = otherwise or f"a race: {what}, Icarus says something else again: {run.reason}"
        return otherwise

    def _order_matters(self) -> frozenset[str]:
        """The orders in which the unchanged design runs in another way."""
        if self._unsteady is None:
            usual, _ = self._run({})
            runs = ((what, self._run(files)[0]) for what, files in self._orders(self._editable))
            alike = (what for what, run in runs if usual is not None and run is not None and same_run(run, usual))
            self._unsteady = frozenset(what for what, _ in self._orders({})) - frozenset(alike)
        return self._unsteady

    def _orders(self, contents: Mapping[str, bytes]) -> Iterator[tuple[str, dict[str, bytes]]]:
        """Files that let what one event wakes run in another order, with what that order is."""
        yield "with its processes in another order", {path: reordered(text) for path, text in contents.items()}
        yield "when the testbench is woken before it", {path: deferred(text) for path, text in contents.items()}
        sources = [path for path in map(str, self._testbench.design.sources) if path not in self._editable]
        late = {path: deferred((self._root / path).read_bytes()) for path in sources if not Path(path).is_absolute()}
        yield "when it is woken before the testbench", {**contents, **late}

    def _usually_unknown(self) -> frozenset[str]:
        if self._usual is None:
            _, self._usual = self._run({})
        return self._usual

    def _run(self, contents: Mapping[str, bytes], *, start: str = "") -> tuple[SimResult | None, frozenset[str]]:
        """A four-state run, from a start state where one is given, and the full names of what is unknown at its end."""
        icarus = self._toolchain.icarus
        assert icarus is not None
        design = self._testbench.design.rooted(self._root)
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            binary = Path(name, "sim.vvp")
            kept = {**{path: (self._root / path).read_bytes() for path in contents}, **self._editable}
            for path, content in {**self._editable, **contents}.items():
                (self._root / path).write_bytes(content)
            try:
                if icarus.build(design, binary, cwd=self._root, cancel=self._cancel) is not None:
                    return None, frozenset()
                done = icarus.simulate(
                    binary,
                    cwd=self._root,
                    timeout_s=self._testbench.timeout_s,
                    plusargs=self._testbench.plusargs,
                    dumps=keeps_dumps(self._testbench),
                    cancel=self._cancel,
                    modules=[vpi_module(_VPI, self._toolchain.verilator, self._cancel)],
                    env={_START: start},
                )
            finally:
                for path, content in kept.items():
                    (self._root / path).write_bytes(content)
        unknown = frozenset(re.findall(rf"^{_UNKNOWN}(\S+)", done.output, re.M))
        said = re.sub(rf"^{_UNKNOWN}.*\n?", "", done.output, flags=re.M)
        return read_icarus_run(self._testbench, replace(done, output=said), root=self._root), unknown


def reordered(content: bytes) -> bytes:
    """The processes and continuous assignments of every module in the opposite order, which means the same."""
    tree = SyntaxTree(content)
    edits = []
    for module in tree.modules:
        items = [child for child in module.children if child.type in _ITEMS]
        for here, there in zip(items, reversed(items), strict=True):
            text = content[there.start_byte : there.end_byte]
            edits.append(Edit(path="", start=here.start_byte, end=here.end_byte, text=text))
    return apply_edits(content, edits)


def deferred(content: bytes) -> bytes:
    """The same, but that whatever waits for an edge goes on after everything else that the edge wakes."""
    tree = SyntaxTree(content)
    waits = (wait.children[0] for wait in find(tree.root, ("procedural_timing_control_statement",)))
    ends = [wait.end_byte for wait in waits if next(find(wait, ("edge_identifier",)), None) is not None]
    return apply_edits(content, [Edit(path="", start=end, end=end, text=b" #0") for end in ends])


def immediate(content: bytes) -> bytes:
    """The same, but that processes that wait for no edge assign at once."""
    tree = SyntaxTree(content)
    combinational = (
        process
        for process in find(tree.root, ("always_construct",))
        if next(find(process, ("edge_identifier",)), None) is None
    )
    assigned = (one for process in combinational for one in find(process, ("nonblocking_assignment",)))
    tokens = [token for one in assigned for token in one.children if token.type == "<="]
    return apply_edits(
        content, [Edit(path="", start=token.start_byte, end=token.end_byte, text=b"=") for token in tokens]
    )
