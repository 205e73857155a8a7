"""Run by itself, as a program: opens listeners where there is no network, hands them out, becomes the command.

`listeners.py DESCRIPTOR [[ADDRESS, PORT], ...] COMMAND...`; the descriptor is a Unix socket whose other end takes them.
A listener stays in the network that it was made in, whoever holds it, so what connects to it in there is heard outside.
Where that cannot be done it ends with 126, and the command is not started.
"""

from __future__ import annotations

import json
import os
import socket
import sys

_REFUSED = 126


def main() -> int:
    """Becomes the command; returns only where it cannot."""
    descriptor, places, *command = sys.argv[1:]
    try:
        listeners = [socket.create_server((address, port)) for address, port in json.loads(places)]
        with socket.socket(fileno=int(descriptor)) as out:
            socket.send_fds(out, [b"."], [listener.fileno() for listener in listeners])
    except OSError as error:
        print(f"veriloop: the licence hosts cannot be let through: {error}", file=sys.stderr)
        return _REFUSED
    for listener in listeners:
        listener.close()
    os.execvp(command[0], command)
    return _REFUSED


if __name__ == "__main__":
    sys.exit(main())
