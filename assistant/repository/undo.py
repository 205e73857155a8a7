"""Takes the last applied change back, byte for byte."""

from __future__ import annotations

from veriloop.assistant.errors import RepositoryError
from veriloop.assistant.repository.apply import AppliedChange
from veriloop.assistant.repository.journal import FileChange, Record, last_record, permissions, remove_folders, swap
from veriloop.assistant.repository.repository import Repository


def undo(repository: Repository) -> AppliedChange:
    """Restores what the files were before the last `apply`.

    Raises:
        StaleTree: one of them is no longer what `apply` wrote; nothing was changed.
        RepositoryError: nothing was applied here, or it was taken back already.
    """
    record = last_record(repository)
    if record is None or record.kind != "apply":
        raise RepositoryError("there is nothing to undo: no applied change is left here")
    back = tuple(
        FileChange(
            path=change.path,
            before=change.after,
            after=change.before,
            mode=permissions(repository, change.path) or change.mode,
        )
        for change in record.changes
    )
    swap(repository, Record(kind="undo", changes=back, about=record.about))
    remove_folders(repository, record.folders)
    return AppliedChange(tuple(change.path for change in back))
