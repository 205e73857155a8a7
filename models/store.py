"""The models of this machine: a directory a model, with the file, its digest and what is known of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal, get_args

from veriloop.models.bundled import bundled
from veriloop.models.errors import BadModel, ModelError, NoModel

Role = Literal["generate", "repair", "complete", "judge"]
ROLES: tuple[Role, ...] = get_args(Role)

OnBytes = Callable[[int, int], None]
"""Called with how many bytes are done, and of how many."""

_FILE = "model.gguf"
_FACTS = "model.json"
_USED = "used.json"
_MEASURED = "bundled.json"
"""What was measured of the model that came with the package."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_MAGIC = b"GGUF"
_BLOCK_BYTES = 1 << 20
_SPARE_BYTES = 64 << 20
"""What has to stay free on the disk."""


def data_home(environment: Mapping[str, str]) -> Path:
    """Where models lie: `veriloop/models` in the user's data directory."""
    named = environment.get("XDG_DATA_HOME", "")
    home = Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share"
    return home / "veriloop" / "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A model on this machine."""

    name: str
    path: Path
    sha256: str
    size_bytes: int
    source: str = ""
    """Where it came from: a file or an address."""
    licence: str = ""
    description: str = ""
    context_tokens: int = 0
    parameters: int = 0
    has_fim: bool = False
    has_chat: bool = False
    bundled: bool = False
    """Whether it came with the package."""
    decode_tok_s: float = 0.0
    """Tokens a second when it was last measured here; 0: not yet."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The model for a kind of work, and why it is that one."""

    model: Installed
    why: str
    by_user: bool = False
    """Whether the user named it for this kind of work."""


class Store:
    """Models under one directory."""

    def __init__(self, directory: Path, *, free_bytes: Callable[[Path], int] | None = None) -> None:
        """Names the directory, which need not be there yet.

        Args:
            directory: where the models lie.
            free_bytes: how much room a directory's disk has; asks the system.
        """
        self.directory = directory
        self._free_bytes = free_bytes or (lambda path: shutil.disk_usage(path).free)

    def installed(self) -> tuple[Installed, ...]:
        """All models, sorted by name, and the bundled one if there is one."""
        found = [_read(path.parent) for path in sorted(self.directory.glob(f"*/{_FACTS}"))]
        return (*filter(None, found), *self._bundled())

    def find(self, name: str) -> Installed:
        """A model by its name.

        Raises:
            NoModel: there is none of that name.
        """
        for model in self.installed():
            if model.name == name:
                return model
        raise NoModel(f"there is no model {name!r} on this machine", hint="veriloop models")

    def choose(self, role: Role) -> Choice | None:
        """The model for a kind of work: the one that the user named, else the only one or the bundled one."""
        models = self.installed()
        named = self._used().get(role)
        for model in models:
            if model.name == named:
                return Choice(model, f"you chose it for {role}", by_user=True)
        able = [model for model in models if role != "complete" or model.has_fim]
        own = [model for model in able if not model.bundled]
        if len(own) == 1 and role == "generate":
            return Choice(own[0], "the only one that is installed")
        bundled = next((model for model in able if model.bundled), None)
        if bundled is not None:
            return Choice(bundled, "it comes with Veriloop")
        return Choice(own[0], "the first that can do it") if own else None

    def use(self, name: str, roles: tuple[Role, ...]) -> None:
        """Makes a model the one for some kinds of work.

        Raises:
            NoModel: there is none of that name.
        """
        self.find(name)
        self.room_for(0)
        self._write_json(self.directory / _USED, {**self._used(), **dict.fromkeys(roles, name)})

    def add(self, file: Path, *, name: str = "", source: str = "", on_bytes: OnBytes | None = None) -> Installed:
        """Takes a copy of a GGUF file in.

        Args:
            file: the file.
            name: empty: the file's.
            source: where it came from; empty: the file.
            on_bytes: told how far the copy is.

        Raises:
            BadModel: it is no GGUF file, or there is a model of that name.
            ModelError: the disk is full, or cannot be written.
        """
        name = name or re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-.")
        if not _NAME.fullmatch(name):
            raise BadModel(f"{name!r} is no name for a model", hint="veriloop models add FILE --name NAME")
        if any(model.name == name for model in self.installed()):
            raise BadModel(f"there is a model {name} already", hint=f"veriloop models rm {name}, or --name NAME")
        try:
            size = file.stat().st_size
            with file.open("rb") as stream:
                if stream.read(len(_MAGIC)) != _MAGIC:
                    raise BadModel(f"{file.name} is no GGUF file")
        except OSError as error:
            raise NoModel(f"{file} cannot be read: {error.strerror}") from error
        self.room_for(size)
        with self._new(name) as directory:
            digest = _copy(file, directory / _FILE, size, on_bytes)
            made = Installed(
                name=name,
                path=directory / _FILE,
                sha256=digest,
                size_bytes=size,
                source=source or str(file.resolve()),
            )
            self._write_facts(made)
        return replace(made, path=self.directory / name / _FILE)

    def note(self, model: Installed) -> None:
        """Keeps what has been learnt of a model."""
        if model.bundled:
            self.room_for(0)
            self._write_json(self.directory / _MEASURED, {"sha256": model.sha256, "decode_tok_s": model.decode_tok_s})
        else:
            self._write_facts(model)

    def verify(self, name: str, on_bytes: OnBytes | None = None) -> Installed:
        """Reads a model's file and compares its digest with the one that was noted.

        Raises:
            BadModel: the file is another one, or gone.
        """
        model = self.find(name)
        try:
            found = _digest(model.path, on_bytes)
        except OSError as error:
            raise BadModel(
                f"the file of {name} cannot be read: {error.strerror}", hint=f"veriloop models rm {name}"
            ) from error
        if found != model.sha256:
            raise BadModel(
                f"the file of {name} is not the one that was installed: its digest is {found[:12]}..., "
                f"{model.sha256[:12]}... was noted",
                hint=f"veriloop models rm {name}, then pull or add it again",
            )
        return model

    def remove(self, name: str) -> Installed:
        """Takes a model off the disk.

        Raises:
            BadModel: it came with the package.
        """
        model = self.find(name)
        if model.bundled:
            raise BadModel(f"{name} came with Veriloop and goes with it", hint="pip uninstall veriloop")
        try:
            shutil.rmtree(model.path.parent)
            used = {role: other for role, other in self._used().items() if other != name}
            self._write_json(self.directory / _USED, used)
        except OSError as error:
            raise ModelError(f"{name} cannot be removed: {error.strerror}") from error
        return model

    def room_for(self, size: int) -> None:
        """Raises:
        ModelError: there is no room for so many bytes, or no such directory can be made.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ModelError(
                f"{self.directory} cannot be made: {error.strerror}", hint="export XDG_DATA_HOME=DIR"
            ) from error
        free = self._free_bytes(self.directory)
        if size + _SPARE_BYTES > free:
            raise ModelError(
                f"{size / 1e6:.0f} MB do not fit: {free / 1e6:.0f} MB are free in {self.directory}",
                hint="veriloop models rm NAME, or export XDG_DATA_HOME=DIR",
            )

    def _used(self) -> dict[str, str]:
        try:
            data = json.loads((self.directory / _USED).read_text())
        except (OSError, ValueError):
            return {}
        return {str(role): str(name) for role, name in data.items()} if isinstance(data, dict) else {}

    def _bundled(self) -> tuple[Installed, ...]:
        """The model that came with the package, with what was measured of it here."""
        model = bundled()
        if model is None:
            return ()
        try:
            measured = json.loads((self.directory / _MEASURED).read_text())
            speed = float(measured["decode_tok_s"]) if measured["sha256"] == model.sha256 else 0.0
        except (OSError, ValueError, TypeError, KeyError):
            speed = 0.0
        known = {one.name for one in fields(Installed)}
        facts = {one.name: getattr(model, one.name) for one in fields(model) if one.name in known}
        return (Installed(bundled=True, source="veriloop", decode_tok_s=speed, **facts),)

    @contextlib.contextmanager
    def _new(self, name: str) -> Iterator[Path]:
        """A directory that gets its name when everything is in it."""
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=self.directory))
        try:
            yield made
            made.rename(self.directory / name)
        except OSError as error:
            raise ModelError(f"the model cannot be written: {error.strerror}", hint="df -h") from error
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def _write_facts(self, model: Installed) -> None:
        facts = {key: value for key, value in asdict(model).items() if key not in {"path", "bundled", "name"}}
        self._write_json(model.path.parent / _FACTS, facts)

    @staticmethod
    def _write_json(path: Path, data: Mapping[str, object]) -> None:
        part = path.with_suffix(".part")
        try:
            with part.open("w") as stream:
                json.dump(data, stream, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise ModelError(f"{path} cannot be written: {error.strerror}", hint="df -h") from error


def _read(directory: Path) -> Installed | None:
    """A model's facts; none where they cannot be read, as after a kill in the middle of a removal."""
    try:
        data = json.loads((directory / _FACTS).read_text())
        return Installed(name=directory.name, path=directory / _FILE, **data)
    except (OSError, ValueError, TypeError):
        return None


def _copy(source: Path, target: Path, size: int, on_bytes: OnBytes | None) -> str:
    digest = hashlib.sha256()
    done = 0
    with source.open("rb") as read, target.open("wb") as write:
        while block := read.read(_BLOCK_BYTES):
            write.write(block)
            digest.update(block)
            done += len(block)
            if on_bytes is not None:
                on_bytes(done, size)
        write.flush()
        os.fsync(write.fileno())
    return digest.hexdigest()


def _digest(path: Path, on_bytes: OnBytes | None) -> str:
    digest = hashlib.sha256()
    size, done = path.stat().st_size, 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            if on_bytes is not None:
                on_bytes(done, size)
    return digest.hexdigest()
