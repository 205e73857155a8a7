"""Puts the server together and starts it: on stdin and stdout, or on a port of this machine."""

from __future__ import annotations

from veriloop.lsp.features import (
    actions,
    colors,
    completion,
    diagnostics,
    explaining,
    hierarchy,
    hover,
    inline,
    layout,
    navigation,
    rename,
    symbols,
    sync,
    testbenches,
    verification,
)
from veriloop.lsp.server import Server

LOOPBACK = "127.0.0.1"


def new_server(version: str) -> Server:
    """A server with all features."""
    server = Server(version)
    for feature in (
        diagnostics,
        navigation,
        hover,
        symbols,
        completion,
        inline,
        rename,
        colors,
        layout,
        hierarchy,
        verification,
        testbenches,
        explaining,
        actions,
        sync,
    ):
        feature.register(server)
    return server


def serve(version: str, *, port: int | None = None) -> None:
    """Serves one client until it says goodbye; with a port, on the loopback interface."""
    server = new_server(version)
    if port is None:
        server.start_io()
    else:
        server.start_tcp(LOOPBACK, port)
