"""A private copy of a tree as one content, which travels to a machine once."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

TREE = "tree.tar"
"""Its name in a job's directory."""


def packed(root: Path) -> bytes:
    """The tree as an archive; equal trees have equal archives, and so equal digests."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        # Sorted and without times and owners.
        for path in sorted(root.rglob("*")):
            archive.add(path, arcname=str(path.relative_to(root)), recursive=False, filter=_plain)
    return content.getvalue()


def unpack(root: Path) -> None:
    """Lays out the tree that lies in a job's directory."""
    with tarfile.open(TREE) as archive:
        archive.extractall(root, filter="tar")


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
