"""Certificates for a farm of one's own: a self-signed one that scheduler, workers and clients share."""

from __future__ import annotations

import os
from pathlib import Path

from distributed.security import Security

from veriloop.assistant.errors import ToolNotFound, UsageError

CERTIFICATE, KEY, CONFIGURATION = "farm-certificate.pem", "farm-key.pem", "farm.yaml"


def write_certificates(directory: Path) -> tuple[Path, ...]:
    """Writes a certificate, its key, and the Dask configuration that names both.

    Dask reads its configuration from `~/.config/dask/` and from `$DASK_CONFIG`, on every machine.

    Raises:
        UsageError: the directory holds such files already, or cannot be written.
        ToolNotFound: the package that makes certificates is missing.
    """
    files = tuple(directory / name for name in (CERTIFICATE, KEY, CONFIGURATION))
    there = [path for path in files if path.exists()]
    if there:
        raise UsageError(f"{there[0]} is there already; whoever uses it would be shut out by a new one")
    try:
        made = Security.temporary()
    except ImportError as error:
        raise ToolNotFound(
            "making certificates needs the package cryptography", hint="pip install cryptography"
        ) from error
    certificate, key, configuration = files
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(certificate, str(made.tls_client_cert))
        _write(key, str(made.tls_client_key))
        _write(configuration, _dask_configuration(certificate.absolute(), key.absolute()))
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    return files


def _write(path: Path, text: str) -> None:
    # The key is never readable for others, not even for a moment.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)


def _dask_configuration(certificate: Path, key: Path) -> str:
    roles = "".join(
        f"      {role}:\n        cert: {certificate}\n        key: {key}\n"
        for role in ("scheduler", "worker", "client")
    )
    return (
        "distributed:\n  comm:\n    require-encryption: true\n    default-scheme: tls\n    tls:\n"
        f"      ca-file: {certificate}\n{roles}"
    )
