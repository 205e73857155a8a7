"""Places as the protocol has them: URIs, lines, and columns in the units that were agreed on."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from veriloop.assistant.design.editing.analysis import Analysis, Place
from veriloop.assistant.design.symbols.lines import Units
from veriloop.assistant.design.symbols.source import Source

_UNNAMED = Path("/untitled")


def path_of(uri: str) -> Path:
    """The file of a URI; a buffer that has no file gets a path of its own, in no tree."""
    if uri.startswith("file:"):
        path = to_fs_path(uri)
        if path:
            return Path(path)
    return _UNNAMED / quote(uri, safe="")


def uri_of(path: Path) -> str:
    """The URI of a file, spelled as the protocol's own examples are."""
    return from_fs_path(str(path)) or path.as_uri()


class Positions:
    """Translates between bytes and the protocol's positions.

    Args:
        analysis: holds the texts.
        units: what a column counts, as agreed on with the client.
    """

    def __init__(self, analysis: Analysis, units: Units) -> None:
        self._analysis = analysis
        self.units = units
        self._uris: dict[Path, str] = {}

    def opened(self, path: Path, uri: str) -> None:
        """Remembers how the client spells a file's URI."""
        self._uris[path] = uri

    def uri(self, path: Path) -> str:
        """The URI of a file, as the client spells it."""
        return self._uris.get(path) or uri_of(path)

    def byte(self, source: Source, position: types.Position) -> int:
        """The byte at a position."""
        return source.lines.at(position.line, position.character, self.units)

    def position(self, source: Source, at: int) -> types.Position:
        """The position of a byte."""
        line, column = source.lines.position(at, self.units)
        return types.Position(line, column)

    def range(self, source: Source, start: int, end: int) -> types.Range:
        """The range of some bytes."""
        return types.Range(self.position(source, start), self.position(source, end))

    def location(self, place: Place) -> types.Location:
        """The location of a place."""
        source = self._analysis.source(place.path)
        return types.Location(self.uri(place.path), self.range(source, place.start, place.end))

    def edit(self, source: Source, start: int, end: int, text: str) -> types.TextEdit:
        """An edit of some bytes."""
        return types.TextEdit(self.range(source, start, end), text)
