"""What every written testbench has in common. Its text is pasted in parts; this module itself is never imported.

What stands above a part's mark is there so that the text can be checked as it stands: each testbench has its own.
"""

# --- pasted: imports ---
from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cocotb
from cocotb.triggers import Timer
from cocotb_tools.runner import get_runner

# --- end ---
from veriloop.assistant.testbench.drawing import Input, Phase, phase_rows

HERE = Path(__file__).resolve().parent
TOPLEVEL, SIMULATOR, MODEL = "fifo", "icarus", "fifo.py"
SOURCES: list[str] = []
INCLUDES: list[str] = []
DEFINES: dict[str, str] = {}
PARAMETERS: dict[str, str] = {}
CLOCKS: list[str] = []
OUTPUTS: list[str] = []
INPUTS: tuple[Input, ...] = ()
PARTS: list[Any] = []


# --- pasted: handshakes ---
PATIENCE = 64  # cycles for which an input waits to be taken; then it is taken back


@dataclass
class Handshake:
    """Drives one side of a handshake: what is given stays as it is until the design takes it.

    The stimulus says when `valid` and its payload shall be given. `ready` is the design's answer (none: it takes at
    once), `enable` is given in the second cycle and later ones (APB), `along` always together with `valid` (Wishbone).
    """

    kind: str
    valid: str
    ready: str
    payload: tuple[str, ...] = ()
    enable: str = ""
    along: str = ""
    waiting: int = 0
    taken: int = 0
    stalled: int = 0

    def keep(self, wanted: dict[str, int], driven: dict[str, int]) -> None:
        """Changes what is about to be driven where the protocol asks for it."""
        if self.waiting:
            wanted.update({name: driven[name] for name in (self.valid, *self.payload)})
        if self.enable:
            wanted[self.enable] = int(self.waiting > 0)
        if self.along and wanted[self.valid]:
            wanted[self.along] = 1

    def look(self, pins: dict[str, Any], driven: dict[str, int]) -> None:
        """Notes, just before the clock rises, whether the design takes what is given."""
        in_reset = any(driven[given.name] == given.reset for given in INPUTS if given.reset is not None)
        given = bool(driven[self.valid]) and not in_reset
        answers = (not self.enable or driven[self.enable]) and (not self.ready or str(pins[self.ready].value) == "1")
        self.taken += bool(given and answers)
        self.stalled += bool(given and not answers)
        self.waiting = self.waiting + 1 if given and not answers and self.waiting < PATIENCE else 0


# --- end ---

HANDSHAKES: list[Handshake] = []


# --- pasted: recorded ---
class Recorded:
    """The outputs that have to be seen, as they were worked out beforehand: a line for each look at them."""

    def __init__(self) -> None:
        path = HERE / f"{Path(__file__).stem}_expected.txt"
        self.lines = iter(path.read_text().splitlines())

    def before_edge(self, inputs: dict[str, int]) -> list[str]:
        """A word an output: hexadecimal, or bits (`0b1-0`); `-` may be anything. Nothing: none is compared."""
        return next(self.lines).split()

    after_edge = before_edge


# --- end ---


# --- pasted: model ---
class Modelled:
    """The outputs that have to be seen, as the reference model answers: it is asked once a cycle."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("reference_model", HERE / MODEL)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        models = [one for one in vars(module).values() if isinstance(one, type) and hasattr(one, "eval")]
        self.evaluate: Callable[[dict[str, int]], dict[str, int]] = models[-1]().eval if models else module.eval

    def before_edge(self, inputs: dict[str, int]) -> list[str]:
        """The model says what holds after the edge; without a clock there is only this look."""
        return [] if CLOCKS else self.after_edge(inputs)

    def after_edge(self, inputs: dict[str, int]) -> list[str]:
        """A word an output, in hexadecimal; `-` for one that the model does not name."""
        said = self.evaluate(dict(inputs))
        return [f"{int(said[name]):x}" if said.get(name) is not None else "-" for name in OUTPUTS]


# --- end ---

Reference = Recorded


# --- pasted: test ---
class Bins:
    """Coverage bins: of each pin which kinds of values were seen, and of each one-bit input whether it toggled."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = {}

    def note(self, name: str, bits: str) -> None:
        """Puts a value into its bin."""
        kind = "unknown" if bits.strip("01") else "zero" if "1" not in bits else "ones" if "0" not in bits else "mixed"
        self.seen.setdefault(name, set()).add(kind)

    def lines(self) -> Iterator[str]:
        """What was seen, a line a pin."""
        for name, kinds in self.seen.items():
            yield f"bins of {name}: {', '.join(sorted(kinds))}"


class Scoreboard:
    """Compares the outputs with the reference, and says of the first difference where it is."""

    def __init__(self, pins: dict[str, Any]) -> None:
        self.pins = pins
        self.bins = Bins()
        self.compared = 0

    def check(self, expected: list[str], where: str, inputs: dict[str, int]) -> None:
        """Compares all outputs at one time.

        Raises:
            AssertionError: one is not as expected.
        """
        differences = []
        for index, name in enumerate(OUTPUTS):
            seen = str(self.pins[name].value).lower()
            self.bins.note(name, seen)
            if not expected or expected[index] == "-":
                continue
            self.compared += 1
            word = expected[index]
            in_bits = word.startswith("0b")
            bits = word[2:] if in_bits else f"{int(word, 16):0{len(seen)}b}"
            if len(bits) != len(seen) or any(one not in ("-", other) for one, other in zip(bits, seen, strict=True)):
                shown = seen if seen.strip("01") else f"{int(seen, 2):#x}"
                differences.append(f"{name}: expected {word if in_bits else f'0x{word}'}, seen {shown}")
        if differences:
            given = ", ".join(f"{name}={value:#x}" for name, value in inputs.items())
            raise AssertionError(f"{where}: {'; '.join(differences)} (inputs: {given or 'none'})")


def stimulus() -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Where each cycle comes from, the values of the inputs in it, and which clocks rise (a bit each)."""
    for part in PARTS:
        if isinstance(part, Phase):
            rows = phase_rows(part, INPUTS, len(CLOCKS))
            name = "all values" if part.sweep else f"seed {part.seed}"
        else:
            name, rows = part
        for values, rising in rows:
            yield name, values, rising


@cocotb.test()
async def outputs_are_as_expected(dut: Any) -> None:
    """Plays the stimulus; the outputs are compared before the clock rises and while it is high."""
    seeds = sorted({part.seed for part in PARTS if isinstance(part, Phase) and not part.sweep})
    dut._log.info("stimulus drawn from the fixed seeds %s", seeds)
    pins = {name: getattr(dut, name) for name in (*CLOCKS, *(given.name for given in INPUTS), *OUTPUTS)}
    board, reference = Scoreboard(pins), Reference()
    driven: dict[str, int] = {}
    for name in CLOCKS:
        pins[name].value = 0
    for cycle, (origin, values, rising) in enumerate(stimulus()):
        wanted = {given.name: value for given, value in zip(INPUTS, values, strict=True)}
        for handshake in HANDSHAKES:
            handshake.keep(wanted, driven)
        for given in INPUTS:
            value = wanted[given.name]
            if driven.get(given.name) != value:
                pins[given.name].value = value
            board.bins.note(given.name, f"{value:0{given.width}b}")
        driven = wanted
        await Timer(4, "ns")
        where = f"cycle {cycle} ({origin})"
        board.check(reference.before_edge(driven), f"{where}, before the edge" if CLOCKS else where, driven)
        if not CLOCKS:
            continue
        for handshake in HANDSHAKES:
            handshake.look(pins, driven)
        await Timer(1, "ns")
        for index, name in enumerate(CLOCKS):
            if rising >> index & 1:
                pins[name].value = 1
        await Timer(4, "ns")
        board.check(reference.after_edge(driven), f"{where}, after the edge", driven)
        await Timer(1, "ns")
        for name in CLOCKS:
            pins[name].value = 0
        await Timer(1, "ns")
    for handshake in HANDSHAKES:
        dut._log.info("%s: %d taken, %d cycles stalled", handshake.valid, handshake.taken, handshake.stalled)
    for line in board.bins.lines():
        dut._log.info(line)
    dut._log.info("%d values compared", board.compared)
    assert board.compared, "nothing was compared"


# --- end ---


# --- pasted: run ---
def test_design() -> None:
    """Builds the design and runs the test above in a simulator."""
    name = os.environ.get("SIM", SIMULATOR)
    named = os.environ.get("RTL", "")
    sources = [Path(one).resolve() for one in named.split(os.pathsep)] if named else [HERE / one for one in SOURCES]
    folder = HERE / "sim_build" / f"{TOPLEVEL}_{name}"
    runner = get_runner(name)
    runner.build(
        sources=sources,
        hdl_toplevel=TOPLEVEL,
        includes=[HERE / one for one in INCLUDES],
        defines=DEFINES,
        parameters=PARAMETERS,
        build_args=["--timing", "-Wno-fatal", "-CFLAGS", "-std=c++20"] if name == "verilator" else ["-g2012"],
        build_dir=folder,
        timescale=("1ns", "1ps"),
        always=True,
    )
    results = folder / "results.xml"
    # The simulation imports this file by its name.
    sys.path.insert(0, str(HERE))
    try:
        runner.test(hdl_toplevel=TOPLEVEL, test_module=Path(__file__).stem, build_dir=folder, results_xml=str(results))
    except SystemExit:
        failures = list(ElementTree.parse(results).iter("failure")) if results.is_file() else []
        raise AssertionError(failures[0].get("message") if failures else "the simulation broke off") from None
    finally:
        sys.path.remove(str(HERE))


# --- end ---
