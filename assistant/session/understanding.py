"""From what the user says to what runs: slash commands as they are, free text by rules and retrieval.

Nothing is made up: where it is not clear what is meant, or where nothing here can do it, that is the answer.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from veriloop.assistant.cli.main import VERBS
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.context import Context
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Run, Stage
from veriloop.assistant.session.commands import ABILITIES, LARGER, help_text, nearest, verbs
from veriloop.assistant.session.files import Taken, mentioned, of_role, taken
from veriloop.assistant.session.intent import Intent, guess
from veriloop.assistant.session.plan import Plan
from veriloop.assistant.session.tests_of import Candidate, Tests

_COMMAND = re.compile(r"`([^`]+)`")
_LINES = re.compile(r"(?P<path>[^\s:]+):(?P<lines>\d+(?:-\d+)?)")
_CLEAR = 1.5
"""How much better the first file must fit than the second to be taken without asking."""
_CHOICES = 4


class Understanding:
    """Takes texts of one conversation for what they ask.

    Args:
        session: where the user stands, and what shows what is done to find out.
        context: files that count besides those that a text names.
    """

    def __init__(self, session: Session, context: Sequence[Taken] = ()) -> None:
        self._session = session
        self._context = tuple(context)

    def plan(self, text: str) -> Run[Plan]:
        """What a text asks for.

        Raises:
            VeriloopError: finding out failed, for instance because this is no git repository.
        """
        plain, mentions = mentioned(text.strip())
        files, missing = taken(mentions, self._session.cwd)
        if missing:
            raise UsageError(f"no such file: {missing[0]}", hint=_near(missing[0], self._session.cwd))
        files = tuple({one.path: one for one in (*self._context, *files, *self._bare(plain))}.values())
        if plain.startswith("/"):
            return (yield from self._command(plain[1:], files))
        words = _split(plain)
        if words and words[0] in verbs() and self._is_line(words[0], words[1:]):
            return (yield from self._line(words[0], words[1:], files, plain))
        found = guess(plain)
        if found.intent is None:
            return self._lost(plain, files)
        if found.rivals:
            plan = yield from self._between(found.intent, found.rivals, plain, files)
            return plan
        return (yield from self._work(found.intent, plain, files))

    # --- what was typed as a command ---

    def _command(self, text: str, files: tuple[Taken, ...]) -> Run[Plan]:
        name, _, rest = text.partition(" ")
        if name == "test":
            return Plan(words=("status", "--run"), why="runs every test whose verdict is not known")
        if name not in verbs():
            close = nearest(name)
            raise UsageError(f"there is no /{name}", hint=f"/{close}" if close else "/help")
        words = _split(rest)
        if self._is_line(name, words):
            return (yield from self._line(name, words, files, rest))
        return (yield from self._work(Intent(name) if name in set(Intent) else None, rest, files, verb=name))

    def _line(self, verb: str, words: Sequence[str], files: tuple[Taken, ...], text: str) -> Run[Plan]:
        """A verb with its words as on the command line; bare files go where they belong."""
        options = [word for word in words if word.startswith("-")]
        if verb in ("repair", "testbench", "judge", "generate", "explain") and not options:
            return (yield from self._work(Intent(verb), text, files))
        if verb == "repair":
            tests = set(of_role(files, "test")) & set(words)
            rest = [word for word in words if word not in tests or _follows_option(words, word)]
            moved = [word for word in words if word not in rest]
            return Plan(words=("repair", *rest, *(part for word in moved for part in ("--testbench", word))))
        return Plan(words=(verb, *words))

    def _is_line(self, verb: str, words: Sequence[str]) -> bool:
        """Whether words can stand on a command line: options with their values, and files.

        Of verbs that nobody would use in a sentence, whatever follows can.
        """
        if verb not in _IN_SENTENCES:
            return True
        value_may_follow = False
        for word in words:
            path = word.partition(":")[0]
            if word.startswith("-"):
                value_may_follow = "=" not in word
            elif value_may_follow:
                value_may_follow = False
            elif not (self._session.cwd / path).exists() and word != "-":
                return False
        return True

    def _bare(self, text: str) -> tuple[Taken, ...]:
        """Files that a text names without an `@`."""
        words = [word.strip("\"'`.,;!?()").partition(":")[0] for word in _split(text)]
        return taken([word for word in words if "." in word or "/" in word], self._session.cwd)[0]

    # --- what was said in words ---

    def _work(self, intent: Intent | None, text: str, files: tuple[Taken, ...], *, verb: str = "") -> Run[Plan]:
        if intent is None:
            raise UsageError(f"/{verb} does not take {text!r}", hint=f"veriloop {verb} --help")
        if intent is Intent.REPAIR:
            return (yield from self._repair(text, files))
        if intent in (Intent.TESTBENCH, Intent.JUDGE, Intent.EXPLAIN, Intent.GENERATE):
            if intent.value not in VERBS:
                return Plan(answer=f"This Veriloop has no `{intent.value}` yet. {ABILITIES}", is_open=True)
            if intent is Intent.GENERATE:
                return self._generate(files)
            if intent is Intent.JUDGE:
                return (yield from self._judge(text, files))
            return (yield from self._about_a_module(intent, text, files))
        if intent is Intent.CHECK:
            return Plan(words=("check", *of_role(files, "patch")[:1]), why="judges what differs from the last commit")
        if intent is Intent.WAVES:
            return (yield from self._waves(text, files))
        fixed = _FIXED.get(intent)
        if fixed is not None:
            return fixed
        return Plan(answer=help_text())

    def _between(self, first: Intent, rivals: Sequence[Intent], text: str, files: tuple[Taken, ...]) -> Run[Plan]:
        """Where a text may mean several things: a repair only looks, so that is tried; everything else is asked."""
        if Intent.REPAIR in (first, *rivals) and Intent.EXPLAIN in (first, *rivals) and not text.rstrip().endswith("?"):
            return (yield from self._work(Intent.REPAIR, text, files))
        plans = []
        for intent in (first, *rivals):
            plans.append(_suggestion(intent, files))
        return Plan(answer="I am not sure which of these you mean:", choices=tuple(dict.fromkeys(plans)), is_open=True)

    def _lost(self, text: str, files: tuple[Taken, ...]) -> Plan:
        return Plan(answer=f"I do not know what to do with that. {ABILITIES} {LARGER}", is_open=True)

    def _repair(self, text: str, files: tuple[Taken, ...]) -> Run[Plan]:
        rtl, tests = of_role(files, "design"), of_role(files, "test")
        spec = of_role(files, "specification")
        more = tuple(word for path in spec[:1] for word in ("--spec", path))
        command = _COMMAND.search(text)
        if command:
            return Plan(words=("repair", *rtl, "--test", command[1], *more), why="you name the command that fails")
        if tests:
            named = tuple(word for path in tests for word in ("--testbench", path))
            return Plan(words=("repair", *rtl, *named, *more), why=f"you name {tests[0]}")
        yield Stage("looking for a test that fails")
        found = Tests(self._open())
        candidates = found.fitting(text)
        if not candidates:
            return Plan(
                answer="I found no test here, and without one nothing shows the fault. Name what fails:",
                choices=(("repair", "--test", "make test"), ("repair", "FILE.sv", "--testbench", "TB.sv")),
                is_open=True,
            )
        fitting = _fitting(candidates, text)
        if len(candidates) == 1:
            return self._repair_by(candidates[0], rtl, more, "it is the only test here", found)
        failing = yield from found.failing(fitting)
        if failing is None:
            names = ", ".join(one.name for one in fitting[:_CHOICES])
            return Plan(
                answer=f"The tests that fit pass ({names}), so nothing shows the fault. "
                "A test that fails because of it is needed first.",
                choices=(("status", "--run"),),
                is_open=True,
            )
        return self._repair_by(failing.candidate, rtl, more, f"{failing.candidate.name} fails: {failing.reason}", found)

    def _repair_by(self, test: Candidate, rtl: Sequence[str], more: tuple[str, ...], why: str, tests: Tests) -> Plan:
        more = more or self._specification(test, tests)
        return Plan(words=("repair", *rtl, "--testbench", self._shown(test.name), *more), why=why)

    def _specification(self, test: Candidate, tests: Tests) -> tuple[str, ...]:
        """The text file that is called like a module which the test exercises."""
        for folder in ("docs", "doc", "spec", "."):
            for path in sorted((self._context_root / folder).glob("*")):
                if path.stem in test.modules and path.suffix.lower() in (".md", ".txt", ".rst"):
                    return ("--spec", self._shown(path.relative_to(self._context_root).as_posix()))
        return ()

    def _judge(self, text: str, files: tuple[Taken, ...]) -> Run[Plan]:
        """Who is wrong: of a test that is named, else of one that fails, and the design that it is about."""
        rtl, named = of_role(files, "design"), of_role(files, "test")
        spec = tuple(word for path in of_role(files, "specification")[:1] for word in ("--spec", path))
        if rtl and named:
            benches = tuple(word for path in named for word in ("--testbench", path))
            return Plan(words=("judge", rtl[0], *benches, *spec), why=f"you name {named[0]}")
        yield Stage("looking for a test that fails")
        tests = Tests(self._open())
        known = {self._shown(one.name): one for one in tests.fitting(text)}
        chosen, why = (known.get(named[0]), f"you name {named[0]}") if named else (None, "")
        if not named:
            failing = yield from tests.failing(_fitting([*known.values()], text))
            if failing is None:
                return Plan(answer="No test that I found fails. Name both: /judge @RTL.sv @TB.sv", is_open=True)
            chosen, why = failing.candidate, f"{failing.candidate.name} fails: {failing.reason}"
        bench = named[0] if named else self._shown(chosen.name if chosen is not None else "")
        designs = rtl or tuple(self._designs_of(chosen, tests, text))
        plans = tuple(("judge", path, "--testbench", bench, *spec) for path in designs)
        if len(plans) == 1:
            return Plan(words=plans[0], why=why)
        return Plan(answer=f"Which design does {bench} blame?", choices=plans[:_CHOICES], is_open=True)

    def _designs_of(self, test: Candidate | None, tests: Tests, text: str) -> Iterator[str]:
        """The files of the modules that a test names, of those that were spoken of if there are such."""
        modules = sorted(test.modules) if test is not None else []
        spoken = tests.designs(text)
        for name in [name for name in modules if name in spoken] or modules:
            path = tests.file_of(name)
            if path:
                yield self._shown(path)

    def _about_a_module(self, intent: Intent, text: str, files: tuple[Taken, ...]) -> Run[Plan]:
        """A verb that is asked about one file: the one that is named, else the one that fits best."""
        lines = _LINES.search(text)
        rtl = of_role(files, "design")
        if lines and lines["path"] in rtl and intent is Intent.EXPLAIN:
            return Plan(words=("explain", lines[0]), why="you name the lines")
        why = f"you name {rtl[0]}" if rtl else ""
        if not rtl:
            yield Stage("looking for what you mean")
            tests = Tests(self._open())
            scores = tests.designs(text)
            ranked = [
                path for path in (tests.file_of(name) for name in sorted(scores, key=lambda one: -scores[one])) if path
            ]
            best = sorted(scores.values(), reverse=True)
            if not ranked:
                return Plan(answer=f"Which file? Name it: /{intent.value} @FILE. {LARGER}", is_open=True)
            if len(best) > 1 and best[0] < _CLEAR * best[1]:
                choices = tuple((intent.value, self._shown(path)) for path in dict.fromkeys(ranked))
                return Plan(answer="Which of these do you mean?", choices=choices[:_CHOICES], is_open=True)
            rtl, why = (self._shown(ranked[0]),), f"{ranked[0]} fits your words best"
        spec = of_role(files, "specification")
        words = [intent.value, rtl[0]]
        if intent is not Intent.EXPLAIN:
            words += [word for path in spec[:1] for word in ("--spec", path)]
        return Plan(words=tuple(words), why=why)

    def _generate(self, files: tuple[Taken, ...]) -> Plan:
        spec = of_role(files, "specification")
        if not spec:
            return Plan(
                answer="From which specification? Name the file that holds it; its tables, maps, diagrams and "
                "waveforms are made into RTL.",
                choices=(("generate", "docs/SPEC.md", "-o", "rtl/NEW.sv"),),
                is_open=True,
            )
        return Plan(words=("generate", spec[0]), why=f"you name {spec[0]}")

    def _waves(self, text: str, files: tuple[Taken, ...]) -> Run[Plan]:
        if "waves" not in VERBS:
            return Plan(answer=f"This Veriloop has no `waves` yet. {ABILITIES}", is_open=True)
        given = of_role(files, "waveform")
        if given:
            return Plan(words=("waves", *given[:2]), why=f"you name {given[0]}")
        tests = of_role(files, "test")
        if not tests:
            yield Stage("looking for a test that fails")
            found = Tests(self._open())
            failing = yield from found.failing(_fitting(found.fitting(text), text))
            if failing is None:
                return Plan(answer="No test that I found fails. Name the one to look at: /waves @TB.sv", is_open=True)
            tests = (self._shown(failing.candidate.name),)
        return Plan(words=("waves", "--testbench", tests[0]), why=f"{tests[0]} is what is simulated")

    # --- where ---

    def _open(self) -> Context:
        return Context.of(open_repository(self._session), self._session.cancel)

    @property
    def _context_root(self) -> Path:
        return open_repository(self._session).root

    def _shown(self, path: str) -> str:
        """A path of the tree as it is named from where the user stands; a name that is no path stays."""
        full = self._context_root / path
        if not full.exists() or self._session.cwd.resolve() == self._context_root.resolve():
            return path
        return _relative(full, self._session.cwd)


_FIXED: Mapping[Intent, Plan] = {
    Intent.TEST: Plan(words=("status", "--run"), why="runs every test whose verdict is not known"),
    Intent.STATUS: Plan(words=("status",)),
    Intent.UNDO: Plan(words=("undo",)),
    Intent.MODELS: Plan(words=("models",)),
    Intent.DOCTOR: Plan(words=("doctor",)),
}
_IN_SENTENCES = frozenset({"repair", "check", "generate", "testbench", "judge", "explain", "undo", "status"})
"""Verbs with which a sentence may begin."""


def _suggestion(intent: Intent, files: Sequence[Taken]) -> tuple[str, ...]:
    named = [one.path for one in files]
    fixed = _FIXED.get(intent)
    return fixed.words if fixed is not None else (intent.value, *named)


def _fitting(candidates: Sequence[Candidate], text: str) -> Sequence[Candidate]:
    """Those that fit what was said, if any does; a text that names nothing fits all."""
    fits = [one for one in candidates if one.score > 0]
    return fits or candidates


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _follows_option(words: Sequence[str], word: str) -> bool:
    place = words.index(word)
    return place > 0 and words[place - 1].startswith("--")


def _near(name: str, cwd: Path) -> str:
    folder = (cwd / name).parent
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    close = difflib.get_close_matches(Path(name).name, names, n=1)
    return f"@{Path(name).with_name(close[0])}" if close else ""


def _relative(path: Path, cwd: Path) -> str:
    return os.path.relpath(path.resolve(), cwd.resolve())
