"""`veriloop lsp`: the language server."""

from __future__ import annotations

import argparse

from veriloop.assistant import __version__, startup
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError

NAME = "lsp"
HELP = "serve an editor: navigation, diagnostics, completion, verification"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares where it listens."""
    parser.add_argument("--stdio", action="store_true", help="talk on stdin and stdout (this is the default)")
    parser.add_argument("--tcp", type=int, metavar="PORT", help="listen on this port of 127.0.0.1 instead")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Serves one client: 0 once it has said goodbye."""
    startup.begin()
    try:
        from veriloop.lsp.start import serve
    except ModuleNotFoundError as error:
        if error.name not in ("pygls", "lsprotocol", "cattrs"):
            raise
        raise UsageError("the language server needs pygls", hint="pip install 'veriloop[lsp]'") from error
    if arguments.tcp is not None and not 0 < arguments.tcp < 65536:
        raise UsageError("--tcp must be a port, 1 to 65535")
    serve(__version__, port=arguments.tcp)
    return 0
