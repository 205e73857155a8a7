"""The model that a user names: one that is installed, a transcript, a GGUF file, or a server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from veriloop.models.model import Model
from veriloop.models.recorded import RecordedModel
from veriloop.models.store import Store


@contextlib.contextmanager
def opened(name: str, store: Store, *, cwd: Path) -> Iterator[Model]:
    """A model for as long as it is needed; what it holds is freed then.

    Args:
        name: a name that `veriloop models` lists, a file of recorded answers (`.jsonl`), a GGUF file, or the address of
            a server (`http://localhost:8080/v1`), or of several servers of one model, with commas.
        store: the models of this machine.
        cwd: what a file's name is relative to.

    Raises:
        ModelError: there is no such model, or it cannot be used.
    """
    model = _model(name, store, cwd)
    try:
        yield model
    finally:
        model.close()


def _model(name: str, store: Store, cwd: Path) -> Model:
    if name.startswith(("http://", "https://")):
        # Only a server needs the library for talking to one.
        from veriloop.models.pool import PooledModel
        from veriloop.models.server import ServerModel

        servers = [ServerModel(address.strip()) for address in name.split(",")]
        return servers[0] if len(servers) == 1 else PooledModel(servers)
    if name.endswith(".jsonl"):
        return RecordedModel.load(cwd / name)
    from veriloop.models.local import LocalModel

    if name.endswith(".gguf"):
        return LocalModel(cwd / name)
    return LocalModel(store.find(name).path)
