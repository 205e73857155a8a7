"""One language server and a client that measures: messages are written and read by hand, so that only it is timed."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.execute import Talk, talking

_TIMEOUT_S = 60.0
_ENDED = object()


class MeasuredServer:
    """A server that is running."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._count = 0
        self._answers: dict[int, queue.SimpleQueue[tuple[float, Any]]] = {}
        self.published: queue.SimpleQueue[tuple[float, str, int | None]] = queue.SimpleQueue()
        """When diagnostics came, for which file and for which version."""
        self.tells_versions = False
        """Whether diagnostics have come that say which version they are of."""
        self._reader = threading.Thread(target=self._read, args=(talk.stdout,), daemon=True)
        self._reader.start()

    def request(self, method: str, params: Any) -> tuple[float, Any]:
        """Asks; returns the seconds and the result, none for an error.

        Raises:
            ToolFailed: no answer comes.
        """
        self._count += 1
        answer = self._answers[self._count] = queue.SimpleQueue()
        started = time.perf_counter()
        self._write({"jsonrpc": "2.0", "id": self._count, "method": method, "params": params})
        try:
            ended, result = answer.get(timeout=_TIMEOUT_S)
        except queue.Empty as error:
            raise ToolFailed(f"the language server does not answer {method}") from error
        if result is _ENDED:
            raise ToolFailed(f"the language server ended over {method}")
        return ended - started, result

    def notify(self, method: str, params: Any) -> float:
        """Tells; returns when."""
        told = time.perf_counter()
        self._write({"jsonrpc": "2.0", "method": method, "params": params})
        return told

    @property
    def cpu_s(self) -> float:
        """The CPU seconds that it has used; unlike wall time they do not grow with what else the machine does."""
        return _cpu_s(self._talk.pid)

    @property
    def whole_cpu_s(self) -> float:
        """The same, with what the processes have used that it has started."""
        return sum(map(_cpu_s, (self._talk.pid, *_children(self._talk.pid))))

    @property
    def peak_memory_mb(self) -> float:
        """The most memory that it and the processes that it has started have held, resident."""
        return sum(map(_peak_mb, (self._talk.pid, *_children(self._talk.pid))))

    def _write(self, message: Mapping[str, Any]) -> None:
        body = json.dumps(message).encode()
        try:
            self._talk.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            self._talk.stdin.flush()
        except BrokenPipeError as error:
            raise ToolFailed("the language server has ended") from error

    def _read(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(ValueError, OSError):
            self._read_all(stream)
        for answer in list(self._answers.values()):
            answer.put((time.perf_counter(), _ENDED))

    def _read_all(self, stream: IO[bytes]) -> None:
        while message := _message(stream):
            now = time.perf_counter()
            if "method" not in message:
                answer = self._answers.pop(message.get("id", -1), None)
                if answer is not None:
                    answer.put((now, message.get("result")))
            elif "id" in message:
                self._write({"jsonrpc": "2.0", "id": message["id"], "result": None})
            elif message["method"] == "textDocument/publishDiagnostics":
                params = message["params"]
                version = params.get("version")
                self.tells_versions |= version is not None
                self.published.put((now, params["uri"], version))


def _children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    found = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [*found, *(below for child in found for below in _children(child))]


def _cpu_s(pid: int) -> float:
    """User and system time of a process (proc(5), fields 14 and 15); 0 once it has ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _peak_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _message(stream: IO[bytes]) -> dict[str, Any]:
    """The next message; empty at the end."""
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if not length:
        return {}
    message: dict[str, Any] = json.loads(stream.read(length))
    return message


@contextlib.contextmanager
def running(argv: Sequence[str | Path], root: Path, env: Mapping[str, str] | None = None) -> Iterator[MeasuredServer]:
    """Starts a server on a tree and says hello; it is killed in the end.

    Raises:
        ToolNotFound: it is not installed.
        ToolFailed: it does not answer.
    """
    with talking(argv, cwd=root, env=env) as talk:
        server = MeasuredServer(talk)
        capabilities = {
            "general": {"positionEncodings": ["utf-16"]},
            "textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}},
        }
        uri = root.as_uri()
        server.request(
            "initialize",
            {
                "processId": None,
                "rootUri": uri,
                "rootPath": str(root),
                "capabilities": capabilities,
                "workspaceFolders": [{"uri": uri, "name": root.name}],
            },
        )
        server.notify("initialized", {})
        yield server
