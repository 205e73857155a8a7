"""What a test of a licensed simulator gets beside what any confined command gets: the way to its licence servers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = '[licences] variables = ["LM_LICENSE_FILE"]    hosts = ["27000@server", "27001@server"]'
"""The lines of a configuration, for hints."""
_HOST = re.compile(r"(?:(?P<first>\d+)@(?P<after>[\w.-]+)|(?P<before>[\w.-]+):(?P<last>\d+))", re.ASCII)
_ADDRESS = re.compile(r"@([\w.-]+)", re.ASCII)
_PORTS = range(1024, 65536)
"""What a program without rights may listen on."""
_MOST_HOSTS = 250
_LOOPBACK = "127.0.0.1"
_HERE = (_LOOPBACK, "localhost")
"""The end of a tunnel, for instance."""
_NUMBER = re.compile(r"[\d.]+$", re.ASCII)


@dataclass(frozen=True, slots=True)
class LicenceHost:
    """One port of one host, of a licence server or of a vendor's daemon; written as FlexLM does."""

    port: int
    name: str

    def __str__(self) -> str:
        return f"{self.port}@{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licences:
    """What the user lets through to tests of licensed simulators.

    Attributes:
        variables: names of environment variables that say where licences or tools are.
        hosts: all that such a test can connect to.
    """

    variables: tuple[str, ...] = ()
    hosts: tuple[LicenceHost, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.variables or self.hosts)

    @property
    def addresses(self) -> dict[str, str]:
        """The loopback address that stands for each host in there: hosts may use the same port."""
        names = dict.fromkeys(one.name for one in self.hosts)
        return {name: _LOOPBACK if name in _HERE else f"127.0.1.{at}" for at, name in enumerate(names, 1)}

    def readable(self, environment: Mapping[str, str]) -> tuple[Path, ...]:
        """The directories and licence files that the variables name: `/opt/vcs`, `27000@a:/etc/license.dat`."""
        words = (word for name in self.variables for word in re.split(r"[:;,]", environment.get(name, "")))
        return tuple(Path(word) for word in words if word.startswith("/") and word.strip("/"))

    def inside(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The variables with the addresses that stand for hosts: `27000@a:27001@b,...` in each form of FlexLM's."""
        known = {name.lower(): address for name, address in self.addresses.items()}
        return {
            name: _ADDRESS.sub(lambda found: f"@{known.get(found[1].lower(), found[1])}", environment[name])
            for name in self.variables
            if name in environment
        }

    def names(self, present: bytes) -> bytes:
        """A `hosts` file by which servers that give back their own names are found, too; `present`: what it was."""
        own = {
            name: address for name, address in self.addresses.items() if name not in _HERE and not _NUMBER.match(name)
        }
        # A server may call itself by its name without the domain.
        short = {name: name.partition(".")[0] for name in own}
        taken = {*own, *short.values()}
        lines = present.decode(errors="replace").splitlines()
        kept = [line for line in lines if not taken & set(line.partition("#")[0].split()[1:])]
        added = [" ".join(dict.fromkeys((address, name, short[name]))) for name, address in own.items()]
        return "\n".join([*kept, *added, ""]).encode()


def licence_hosts(words: Iterable[str]) -> tuple[LicenceHost, ...]:
    """The hosts that are written as `port@host` or `host:port`, each once.

    Raises:
        ValueError: one is not written so; the text says which, and how it should be.
    """
    found: dict[LicenceHost, None] = {}
    for word in words:
        match = _HOST.fullmatch(word)
        if match is None:
            raise ValueError(f'"{word}" is not PORT@HOST')
        port = int(match["first"] or match["last"])
        if port not in _PORTS:
            raise ValueError(f'"{word}": a port is a number from {_PORTS[0]} to {_PORTS[-1]}')
        found[LicenceHost(port, match["after"] or match["before"])] = None
    if len(found) > _MOST_HOSTS:
        raise ValueError(f"more than {_MOST_HOSTS} hosts")
    return tuple(found)
