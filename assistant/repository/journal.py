"""Changes several files at once or not at all, whatever kills the process in between.

    1. the journal is written: for each file the bytes before and after, and the name of a temporary file beside it
    2. the temporary files are written
    3. each is renamed to its target
    4. the journal is renamed to the record of the last change: from here on the change is done

A process that dies before 4 leaves the journal; the next one rolls the files back to what they were (never forward: a
change that was not reported as done must not appear). The journal lies in the work tree's own git directory, in
`veriloop/`, so that git never sees it.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from veriloop.assistant.errors import Cancelled, RepositoryError, StaleTree
from veriloop.assistant.repository.repository import Repository, check_path

Kind = Literal["apply", "undo"]

_FOLDER = "veriloop"
_JOURNAL = "journal.json"
_RECORD = Path("applied") / "last.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file's bytes before and after; none: it is not there. `mode` is its permission bits, 0 for the usual ones."""

    path: str
    before: bytes | None
    after: bytes | None
    mode: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A change that was made as a whole; `about` says what it was, in one line."""

    kind: Kind
    changes: tuple[FileChange, ...]
    about: str = ""
    folders: tuple[str, ...] = ()
    """Directories that were made for it, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What an interrupted change was taken back from; `left` were edited by someone since and stay as they are."""

    restored: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Planned:
    change: FileChange
    temporary: str
    folders: tuple[str, ...]
    """Directories that have to be made for it, outermost first."""


def swap(repository: Repository, record: Record) -> None:
    """Makes a change as a whole and keeps its record.

    Raises:
        StaleTree: a file is not what the change expects it to be; nothing was changed.
        PatchConflict: a path leads out of the tree.
        RepositoryError: the file system refuses; nothing was changed.
    """
    with _locked(repository) as folder:
        _recover(repository, folder)
        planned = [_plan(repository, change) for change in record.changes]
        for one in planned:
            _compare(repository, one.change)
        try:
            _write(folder / _JOURNAL, _encode(record, planned))
            for one in planned:
                _prepare(repository, one)
            for one in planned:
                _compare(repository, one.change)
                _move(repository, one)
            (folder / _RECORD).parent.mkdir(exist_ok=True)
            _replace(folder / _JOURNAL, folder / _RECORD)
        except (OSError, RepositoryError) as error:
            _recover(repository, folder)
            if isinstance(error, RepositoryError):
                raise
            raise RepositoryError(f"{error.filename}: {error.strerror}; nothing was changed") from error
        except (Cancelled, KeyboardInterrupt):
            _recover(repository, folder)
            raise


def recover(repository: Repository) -> Recovered | None:
    """Takes back what a process that died in the middle of a change left; none where there is nothing.

    Every verb calls it at its start.
    """
    if not (repository.git_dir / _FOLDER / _JOURNAL).exists():
        return None
    with _locked(repository) as folder:
        return _recover(repository, folder)


def last_record(repository: Repository) -> Record | None:
    """The last change that was made as a whole."""
    try:
        return _decode((repository.git_dir / _FOLDER / _RECORD).read_bytes())[0]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise RepositoryError(f"the record of the last change cannot be read: {error}") from error


def on_disk(repository: Repository, path: str) -> bytes | None:
    """A file's bytes; none where it is not there.

    Raises:
        StaleTree: it, or a directory above it, is a symbolic link or no regular file.
    """
    check_path(path)
    target = repository.root
    for part in path.split("/"):
        target = target / part
        if target.is_symlink():
            raise StaleTree(f"{path} leads through the symbolic link {target.relative_to(repository.root)}")
    try:
        if not stat.S_ISREG(target.lstat().st_mode):
            raise StaleTree(f"{path} is no regular file")
        return target.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RepositoryError(f"{path} cannot be read: {error.strerror}") from error


def permissions(repository: Repository, path: str) -> int:
    """A file's permission bits; 0 where it is not there."""
    try:
        return stat.S_IMODE((repository.root / path).lstat().st_mode)
    except OSError:
        return 0


def remove_folders(repository: Repository, folders: Sequence[str]) -> None:
    """Removes those of the directories that are empty; they are named outermost first."""
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            (repository.root / folder).rmdir()


@contextlib.contextmanager
def _locked(repository: Repository) -> Iterator[Path]:
    folder = repository.git_dir / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise RepositoryError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RepositoryError("another veriloop is changing files here just now", hint="try again") from error
        except OSError as error:
            # NFS without a lock service: two runs at once could mix their changes, so there is none.
            hint = "mount it with locks, or work in a clone on a local disk"
            raise RepositoryError(f"{folder} cannot be locked: {error.strerror}", hint=hint) from error
        yield folder
    finally:
        os.close(descriptor)


def _plan(repository: Repository, change: FileChange) -> _Planned:
    on_disk(repository, change.path)
    target = Path(change.path)
    missing = [folder for folder in target.parents if not (repository.root / folder).exists()]
    temporary = target.with_name(f".{target.name[:200]}.veriloop-{secrets.token_hex(4)}")
    return _Planned(change, temporary.as_posix(), tuple(folder.as_posix() for folder in reversed(missing)))


def _compare(repository: Repository, change: FileChange) -> None:
    found = on_disk(repository, change.path)
    if found == change.before:
        return
    if found is None:
        raise StaleTree(f"{change.path} is gone")
    if change.before is None:
        raise StaleTree(f"{change.path} exists already")
    raise StaleTree(f"{change.path} was edited since; nothing was changed", hint="run it again on the file as it is")


def _prepare(repository: Repository, one: _Planned) -> None:
    """Writes the new bytes beside their target."""
    for folder in one.folders:
        (repository.root / folder).mkdir(exist_ok=True)
    if one.change.after is None:
        return
    temporary = repository.root / one.temporary
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(one.change.after)
        if one.change.mode:
            os.fchmod(file.fileno(), one.change.mode)
        file.flush()
        os.fsync(file.fileno())


def _move(repository: Repository, one: _Planned) -> None:
    target = repository.root / one.change.path
    if one.change.after is None:
        target.unlink()
        _sync(target.parent)
    else:
        _replace(repository.root / one.temporary, target)


def _recover(repository: Repository, folder: Path) -> Recovered | None:
    """Rolls an unfinished change back, and removes its temporary files and the directories made for it."""
    journal = folder / _JOURNAL
    try:
        _, planned = _decode(journal.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise RepositoryError(
            f"{journal} cannot be read: {error}", hint=f"look at it, then remove {journal}"
        ) from error
    restored, left = [], []
    for one in planned:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            (repository.root / one.temporary).unlink()
        try:
            found = on_disk(repository, one.change.path)
        except StaleTree:
            left.append(one.change.path)
            continue
        if found == one.change.before:
            continue
        if found != one.change.after:
            left.append(one.change.path)
            continue
        _restore(repository, one)
        restored.append(one.change.path)
    remove_folders(repository, [folder for one in planned for folder in one.folders])
    # Where a file could not be put back, what it was is not thrown away.
    if left:
        _replace(journal, folder / "unfinished.json")
    else:
        journal.unlink()
        _sync(folder)
    return Recovered(restored=tuple(restored), left=tuple(left))


def _restore(repository: Repository, one: _Planned) -> None:
    back = FileChange(path=one.change.path, before=one.change.after, after=one.change.before, mode=one.change.mode)
    reverse = _Planned(back, one.temporary, ())
    _prepare(repository, reverse)
    _move(repository, reverse)


def _replace(source: Path, target: Path) -> None:
    source.replace(target)
    _sync(target.parent)


def _write(path: Path, content: bytes) -> None:
    """Writes a file so that it is there as a whole or not at all."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _replace(temporary, path)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some network file systems cannot sync a directory; there the rename alone has to do.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _encode(record: Record, planned: Sequence[_Planned]) -> bytes:
    files = [
        {
            "path": one.change.path,
            "before": _text(one.change.before),
            "after": _text(one.change.after),
            "before_sha256": _hash(one.change.before),
            "after_sha256": _hash(one.change.after),
            "mode": one.change.mode,
            "temporary": one.temporary,
            "folders": list(one.folders),
        }
        for one in planned
    ]
    data = {"format": _FORMAT, "kind": record.kind, "about": record.about, "files": files}
    return json.dumps(data, indent=1).encode()


def _decode(content: bytes) -> tuple[Record, list[_Planned]]:
    data: dict[str, Any] = json.loads(content)
    if data["format"] != _FORMAT:
        raise ValueError(f"format {data['format']} is not known")
    planned = []
    for file in data["files"]:
        before, after = _bytes(file["before"]), _bytes(file["after"])
        if _hash(before) != file["before_sha256"] or _hash(after) != file["after_sha256"]:
            raise ValueError(f"the copy of {file['path']} is damaged")
        change = FileChange(path=file["path"], before=before, after=after, mode=file["mode"])
        planned.append(_Planned(change, file["temporary"], tuple(file["folders"])))
    changes = tuple(one.change for one in planned)
    folders = tuple(folder for one in planned for folder in one.folders)
    return Record(kind=data["kind"], changes=changes, about=data["about"], folders=folders), planned


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _hash(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
