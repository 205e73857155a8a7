"""Carries what a confined program sends to licence hosts, and what they answer; nothing else comes through."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from veriloop.assistant.isolation.licences import LicenceHost, Licences

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

_PROGRAM = Path(__file__).with_name("listeners.py")
_CONNECT_S = 20.0
_JOIN_S = 1.0
"""A name server that does not answer must not hold up what is cancelled."""
_CHUNK_BYTES = 65536


class Relay:
    """Between a program without a network and the licence hosts.

    Args:
        licences: whose hosts; which stands for which is theirs to say.
    """

    def __init__(self, licences: Licences) -> None:
        self._licences = licences
        self._ours, self._theirs = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="licences", daemon=True)
        self._reached = False
        self._failed: dict[LicenceHost, str] = {}

    @property
    def descriptor(self) -> int:
        """What the program has to inherit."""
        return self._theirs.fileno()

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command behind the program that opens the listeners."""
        addresses = self._licences.addresses
        places = [(addresses[host.name], host.port) for host in self._licences.hosts]
        # As text: a file of ours may lie where nothing is seen in there.
        return [sys.executable, "-I", "-S", "-c", _PROGRAM.read_text(), str(self.descriptor), json.dumps(places), *argv]

    def start(self) -> None:
        """To be called once the program has been started."""
        self._theirs.close()
        self._thread.start()

    def close(self) -> None:
        """Ends every connection."""
        self._theirs.close()
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)
        if not self._thread.is_alive():
            self._ours.close()

    @property
    def unreached(self) -> str:
        """Why there was no licence host, where one was asked for and none was reached."""
        told = "; ".join(f"{host}: {why}" for host, why in dict(self._failed).items())
        return "" if self._reached else told

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            _, descriptors, *_ = socket.recv_fds(self._ours, 1, len(self._licences.hosts))
            if descriptors:
                # Costs 60 ms, and few need it.
                import asyncio

                asyncio.run(self._serve([socket.socket(fileno=one) for one in descriptors]))

    async def _serve(self, listeners: Sequence[socket.socket]) -> None:
        import asyncio

        self._ours.setblocking(False)
        pairs = zip(self._licences.hosts, listeners, strict=True)
        servers = [await asyncio.start_server(partial(self._carry, host), sock=one) for host, one in pairs]
        # Empty once the program has ended, or by `close`.
        await asyncio.get_running_loop().sock_recv(self._ours, 1)
        for server in servers:
            server.close()

    async def _carry(self, host: LicenceHost, reader: StreamReader, writer: StreamWriter) -> None:
        import asyncio

        try:
            there = await asyncio.wait_for(asyncio.open_connection(host.name, host.port), _CONNECT_S)
        except OSError as error:
            self._failed[host] = getattr(error, "strerror", None) or str(error) or "no answer"
            writer.close()
            return
        self._reached = True
        await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        for end in (there[1], writer):
            end.close()


async def _pump(source: StreamReader, sink: StreamWriter) -> None:
    """Carries one direction until its source ends."""
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK_BYTES):
            sink.write(data)
            await sink.drain()
        sink.write_eof()
