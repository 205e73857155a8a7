"""Runs git, the way a hook may have started us or not."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.errors import RepositoryError, ToolNotFound

try:
    import git
except ImportError as error:  # GitPython looks for the program when it is imported.
    raise ToolNotFound("git is not installed", hint="apt-get install git    (RHEL: dnf install git)") from error

_KEPT = ("GIT_EXEC_PATH", "GIT_CONFIG_", "GIT_SSL_", "GIT_TRACE", "GIT_PYTHON_")
"""What is handed on: where git's own programs are and what the machine configures; never which repository to use."""

_NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
_QUIET = (
    # Nothing of the user's may run, and nothing of theirs may be rewritten, because we look at a tree.
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.untrackedCache=false"),
    *("-c", "core.splitIndex=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "core.safecrlf=false"),
    *("-c", "gc.auto=0"),
)


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one directory with a few variables of its own and none that were inherited from a hook."""

    directory: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    with_hooks: bool = False
    """Whether the user's hooks run: only for a commit that the user has asked for."""

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What git prints.

        Raises:
            RepositoryError: git failed; the message is the first line that it said.
        """
        status, output, errors = self.ask(*arguments, stdin=stdin)
        if status != 0:
            raise RepositoryError(f"git {arguments[0]}: {_first_line(errors)}", hint=_hint(errors))
        return output

    def ask(self, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        """The exit code, stdout and stderr of git."""
        if not os.access(self.directory, os.X_OK):
            raise RepositoryError(f"{self.directory} cannot be entered")
        # GitPython hands the whole environment down and can only add to it; `env -u` takes away.
        inherited = [name for name in os.environ if name.startswith("GIT_") and not name.startswith(_KEPT)]
        unset = [word for name in inherited if name not in self.variables for word in ("-u", name)]
        quiet = _QUIET if self.with_hooks else (*_QUIET, *_NO_HOOKS)
        command = ["env", *unset, "git", *quiet, *arguments]
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            status, output, errors = git.cmd.Git(self.directory).execute(
                command,
                istream=given,
                env=dict(self.variables),
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                # Ctrl-C is ours to handle: git is never cut off in the middle.
                start_new_session=True,
            )
        if status == 127:
            raise ToolNotFound("git is not installed", hint="apt-get install git    (RHEL: dnf install git)")
        return status, output if isinstance(output, bytes) else b"", errors


def _first_line(errors: str) -> str:
    lines = [line for line in errors.splitlines() if line.strip() and not line.startswith(("hint:", "warning:"))]
    return lines[0].removeprefix("fatal: ").removeprefix("error: ") if lines else "failed"


def _hint(errors: str) -> str:
    """Git names the command itself where it does not trust the owner of a directory."""
    return next((line.strip() for line in errors.splitlines() if "safe.directory" in line and "git config" in line), "")
