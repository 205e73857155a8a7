"""A suite's rows as a table for the terminal, and as a Markdown report with a plot."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from veriloop.assistant.bench.run import Row

_COLUMNS = ("case", "plausible", "confirmed", "evidence", "candidates", "CPU s", "lines", "model", "operators")


def table(rows: Sequence[Row], summary: Mapping[str, object], *, width: int) -> str:
    """The rows and the summary, as text of at most `width` columns."""
    grid = Table(*_COLUMNS, box=None, pad_edge=False)
    for row in rows:
        grid.add_row(*_cells(row))
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(grid)
    counts = "\n".join(f"{key}: {value}" for key, value in summary.items())
    return f"{capture.get()}\n{counts}\n"


def write_report(rows: Sequence[Row], summary: Mapping[str, object], directory: Path) -> tuple[Path, str]:
    """Writes `report.md`, and `plot.svg` where matplotlib is installed; the path, and what could not be made."""
    note = "" if plot(rows, directory / "plot.svg") else "no plot: pip install 'veriloop[bench]'"
    lines = [f"# {summary['suite']}", "", "| | |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in summary.items()]
    if not note:
        lines += ["", "![cases repaired over CPU seconds, and over candidates](plot.svg)"]
    lines += ["", f"| {' | '.join(_COLUMNS)} | why |", "|" + "---|" * (len(_COLUMNS) + 1)]
    lines += [f"| {' | '.join(cell.replace('|', ' ') for cell in (*_cells(row), _why(row)))} |" for row in rows]
    path = directory / "report.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path, note


def plot(rows: Sequence[Row], path: Path) -> bool:
    """Draws how many cases were repaired within so many CPU seconds and candidates; false without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return False
    from matplotlib.figure import Figure

    repaired = [row for row in rows if row.plausible]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, values, label in zip(
        figure.subplots(1, 2),
        (sorted(row.cpu_s for row in repaired), sorted(float(row.candidates) for row in repaired)),
        ("CPU seconds", "candidates simulated"),
        strict=True,
    ):
        axes.step([*values], range(1, len(values) + 1), where="post")
        axes.axhline(sum(row.solvable for row in rows), linestyle=":", color="gray")
        axes.set_xscale("symlog", linthresh=1)
        axes.set(xlabel=label, ylabel="cases repaired", ylim=(0, None))
        axes.grid(alpha=0.3)
    figure.savefig(path)
    return True


def _cells(row: Row) -> tuple[str, ...]:
    plausible = "FALSE" if row.false_verified else "yes" if row.plausible else "no"
    return (
        row.case,
        plausible if row.solvable else f"{plausible} (not counted)",
        row.confirmed or row.error or "-",
        row.evidence or "-",
        str(row.candidates),
        f"{row.cpu_s:.2f}",
        str(row.changed_lines),
        "asked" if row.model else "-",
        ", ".join(row.operators),
    )


def _why(row: Row) -> str:
    lost = f"fails where the golden passes: {', '.join(row.notes)}" if row.notes else ""
    return "; ".join(text for text in (row.error, lost, row.why) if text)
