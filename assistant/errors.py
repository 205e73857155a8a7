"""What can go wrong that is not the design's fault.

    VeriloopError               a message, the next command to try, an exit code (DESIGN: exit codes)
     +- UsageError              2  bad input: no such file, unknown option value
     +- ConfigError             2  a configuration file that cannot be used
     +- RepositoryError         2  git: no repository, nothing to undo
     |   +- StaleTree           2  a file moved since the base was taken
     |   +- PatchConflict      2  an edit or a diff that does not fit its base
     +- ToolError               3  a tool could not do its work: never "the design failed"
     |   +- ToolNotFound        3
     |   +- ToolFailed          3  it broke, or answered what nobody understands
     |   |   +- NoLicence       3  it has to have one
     |   +- ToolTimeout         3
     +- NotVerified             3  the question stays open: budget spent, no verdict, untrusted content
    Cancelled                   130 the user stopped it; caught once, in each front end

Lint findings, failing tests, hanging simulations and RTL that does not parse are values, never exceptions.
"""

from __future__ import annotations

from typing import ClassVar


class VeriloopError(Exception):
    """An expected error: shown as one line with the next command to try.

    Args:
        message: what is wrong, one line.
        hint: the next command to try or the thing to change; empty if there is none.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(VeriloopError):
    """The command line asks for something that cannot be done as given."""


class ConfigError(VeriloopError):
    """A configuration file cannot be read, or says something that it may not say."""


class RepositoryError(VeriloopError):
    """Git cannot do what is asked: no repository, nothing to undo, a bare clone."""


class StaleTree(RepositoryError):
    """A file that the change touches is no longer what the change was verified against."""


class PatchConflict(RepositoryError):
    """An edit or a diff does not fit the tree that it names."""


class ToolError(VeriloopError):
    """A tool could not do its work; says nothing about the design."""

    exit_code = 3


class ToolNotFound(ToolError):
    """A program or a package that is needed is not on this machine."""


class ToolFailed(ToolError):
    """A tool broke, or its answer cannot be understood.

    Args:
        message: what was being done.
        output: the end of what the tool printed.
    """

    def __init__(self, message: str, *, output: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.output = output


class NoLicence(ToolFailed):
    """A simulator got no licence; the next run would get none either."""


class ToolTimeout(ToolError):
    """A tool other than a simulation did not end within its limit."""


class NotVerified(VeriloopError):
    """The question stays open: the budget is spent, no verdict was given, or the content is not trusted."""

    exit_code = 3


class Cancelled(Exception):
    """The user stopped the work."""
