"""What none of the others show: whether a module is verified, and what verifies or repairs it.

Verdicts come from the cache that the command line shares. Judging and repairing run beside the requests, with progress
that can be cancelled, on what is on disk. A repair is offered as an edit only once the gate has passed it.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types

from veriloop.assistant.context import Context
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.errors import Cancelled, NotVerified, RepositoryError, UsageError, VeriloopError
from veriloop.assistant.events import CancelToken, Event, Note, Stage, Tried, finish
from veriloop.assistant.repair.workflow import RepairResult, Request, Status, repair
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.standing.summary import told
from veriloop.assistant.standing.verdicts import Standing, context_of, standings
from veriloop.assistant.verify.evidence import Report
from veriloop.assistant.verify.testbench import CommandTest
from veriloop.lsp.positions import path_of
from veriloop.lsp.server import LOGGER, Server
from veriloop.lsp.session import Session

VERIFY, REPAIR = "veriloop.verify", "veriloop.repair"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known:
    """How one repository stands."""

    repository: Repository
    tests: tuple[Standing, ...]


class Verification:
    """How the repositories of a session stand, and what is being judged."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.known: dict[Path, Known] = {}
        self._looking: set[Path] = set()
        self._again: set[Path] = set()
        self._tokens = itertools.count(1)

    # --- what is known ---

    def look(self, path: Path, *, again: bool = True) -> None:
        """Finds out, in the background, how the repository of a file stands."""
        project = self.server.session.analysis.workspace.project_of(path)
        if project is None or (project.root in self.known and not again):
            return
        if project.root in self._looking:
            self._again.add(project.root)
            return
        self._looking.add(project.root)
        self.server.spawn(self._look(project.root))

    async def _look(self, root: Path) -> None:
        try:
            known = await asyncio.to_thread(_stand, root)
        except RepositoryError:
            # Not in git: there is nothing to judge.
            return
        except VeriloopError as error:
            LOGGER.info("%s: %s", root, error.message)
            return
        finally:
            self._looking.discard(root)
        self.known[root] = known
        if root in self._again:
            self._again.discard(root)
            self._looking.add(root)
            self.server.spawn(self._look(root))
        if self.server.supports("workspace", "code_lens", "refresh_support"):
            await self.server.workspace_code_lens_refresh_async(None)

    def lenses(self, session: Session, source: Source) -> list[types.CodeLens]:
        """How each module of a file stands; clicking judges it."""
        project = session.analysis.workspace.project_of(source.path)
        known = self.known.get(project.root) if project is not None else None
        if known is None:
            return []
        found = []
        for one in source.outline.declarations:
            if one.kind not in DESIGN_UNITS:
                continue
            text = told(known.repository, known.tests, one.name, source.path, source.content, time.time())
            if text:
                place = session.positions.range(source, one.at, one.at + len(one.name.encode()))
                arguments: list[Any] = [session.positions.uri(source.path), one.name]
                found.append(types.CodeLens(place, types.Command(text, VERIFY, arguments=arguments)))
        return found

    # --- what can be done ---

    def actions(self, session: Session, source: Source, at: int) -> list[types.CodeAction]:
        """Verify this change; repair this, where a test of the module fails."""
        project = session.analysis.workspace.project_of(source.path)
        known = self.known.get(project.root) if project is not None else None
        if known is None or not known.tests:
            return []
        uri = session.positions.uri(source.path)
        inside = {
            one.name for one in source.outline.declarations if one.kind in DESIGN_UNITS and one.start <= at < one.end
        }
        command = types.Command("Verify this change", VERIFY, arguments=[uri, next(iter(inside), "")])
        found = [types.CodeAction(command.title, kind=types.CodeActionKind.Empty, command=command)]
        for test in known.tests:
            failed = test.state == "failed" and (not test.modules or inside & test.modules)
            if failed and not is_test_path(source.path.relative_to(known.repository.root)):
                title = f"Repair this: {test.name} fails"
                command = types.Command(title, REPAIR, arguments=[uri, test.name])
                found.append(types.CodeAction(title, kind=types.CodeActionKind.QuickFix, command=command))
        return found

    async def verify(self, uri: str, module: str) -> dict[str, Any]:
        """Judges what is on disk by the tests of a module, and says what came of it."""
        path = self._saved(uri)

        def work(token: CancelToken, observe: Callable[[Event], None]) -> Report:
            context, tests = context_of(path, token)
            known = standings(context, tests)
            wanted = {one.name for one in known if not module or not one.modules or module in one.modules}
            chosen = [test for test in tests if test.name in wanted]
            if not chosen:
                raise NotVerified("no test exercises this", hint="[[testbench]] in veriloop.toml")
            base, tree = context.repository.head_tree(), context.repository.snapshot()
            return finish(context.gate.check_trees(base, tree, chosen, replay="veriloop check --worktree"), observe)

        report = await self._run(f"Verifying {module or path.name}", work)
        failing = [step for step in report.steps if not step.passed]
        if failing:
            await self._say(f"refuted: {failing[0].name}: {failing[0].detail}", types.MessageType.Error)
        else:
            count = sum(bool(step.results) for step in report.steps)
            await self._say(f"verified: {count} tests pass; evidence: {report.evidence.label}", types.MessageType.Info)
        self.look(path)
        return {"passed": not failing, "evidence": report.evidence.label, "failing": [step.name for step in failing]}

    async def repair(self, uri: str, name: str) -> dict[str, Any]:
        """Looks for a verified change of a file that makes a test pass, and offers it as an edit."""
        path = self._saved(uri)

        def work(token: CancelToken, observe: Callable[[Event], None]) -> tuple[Context, RepairResult]:
            context, tests = context_of(path, token)
            test = next((one for one in tests if one.name == name), None)
            if test is None:
                raise UsageError(f"there is no test {name}")
            if not isinstance(test, CommandTest) and not context.toolchain.verilator.prepared:
                observe(Stage("building Verilator's runtime, once on this machine"))
                context.toolchain.verilator.prepare(token)
            request = Request(
                testbench=test,
                editable=(path.relative_to(context.repository.root).as_posix(),),
                budget_s=context.config.user.search.budget_s,
                jobs=context.jobs,
                minimum=context.minimum,
                replay="veriloop check --worktree",
            )
            workflow = repair(
                context.repository,
                context.toolchain,
                request,
                cancel=token,
                cache=context.cache,
                needs=context.needs,
                locked=context.config.repository.project.protected,
            )
            return context, finish(workflow, observe)

        context, result = await self._run(f"Repairing {path.name}", work)
        offered = False
        if result.status is Status.REPAIRED:
            offered = await self._offer(context, result)
        elif result.status is Status.PASSES:
            await self._say(f"{name} passes: there is nothing to repair", types.MessageType.Info)
        else:
            await self._say(f"no verified repair: {result.reason or result.status.value}", types.MessageType.Warning)
        self.look(path)
        return {"status": result.status.value, "applied": offered, "diff": result.diff}

    async def _offer(self, context: Context, result: RepairResult) -> bool:
        """The verified contents as an edit that the user confirms; it fits only the text that was verified."""
        session = self.server.session
        edits: dict[str, list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit]] = {}
        versions: dict[str, int | None] = {}
        for relative, content in result.contents.items():
            path = context.repository.root / relative
            source = session.analysis.source(path)
            uri = session.positions.uri(path)
            place = session.positions.range(source, 0, len(source.content))
            text = content.decode("utf-8", errors="replace")
            edits[uri] = [types.AnnotatedTextEdit("verified", place, text)]
            versions[uri] = session.versions.get(path)
        evidence = result.report.evidence.label if result.report is not None else ""
        label = f"Verified repair ({', '.join(result.operators)}); evidence: {evidence}"
        documents = [
            types.TextDocumentEdit(
                types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=versions[uri]), changes
            )
            for uri, changes in edits.items()
        ]
        edit = types.WorkspaceEdit(
            document_changes=documents,
            change_annotations={"verified": types.ChangeAnnotation(label, needs_confirmation=True)},
        )
        answer = await self.server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, label))
        return bool(answer.applied)

    def _saved(self, uri: str) -> Path:
        """The file of a URI, whose buffer must be on disk: what is judged is what is there."""
        path = path_of(uri)
        buffer = self.server.session.analysis.workspace.buffers.get(path)
        if buffer is not None and (not path.is_file() or path.read_bytes() != buffer.content):
            raise UsageError(f"{path.name} has changes that are not saved", hint="save it, then ask again")
        return path

    async def _run(self, title: str, work: Callable[[CancelToken, Callable[[Event], None]], T]) -> T:
        """Runs a workflow in a thread of its own, shows its events, and stops it when the user says so."""
        token, loop = CancelToken(), asyncio.get_running_loop()
        progress = self.server.work_done_progress
        shown = self.server.supports("window", "work_done_progress")
        name = f"veriloop/work/{next(self._tokens)}"
        if shown:
            await progress.create_async(name)
            progress.begin(name, types.WorkDoneProgressBegin(title, cancellable=True))
            progress.tokens[name].add_done_callback(lambda _: token.cancel())

        def observe(event: Event) -> None:
            text = _told(event)
            if shown and text:
                loop.call_soon_threadsafe(progress.report, name, types.WorkDoneProgressReport(message=text))

        try:
            return await asyncio.to_thread(work, token, observe)
        except asyncio.CancelledError:
            token.cancel()
            raise
        finally:
            if shown:
                progress.end(name, types.WorkDoneProgressEnd())
                progress.tokens.pop(name, None)

    async def _say(self, text: str, kind: types.MessageType) -> None:
        self.server.window_show_message(types.ShowMessageParams(kind, text))


def register(server: Server) -> None:
    """Registers the commands; lenses and actions are asked by `actions`."""
    verification = Verification(server)
    server.verification = verification
    for name, run in ((VERIFY, verification.verify), (REPAIR, verification.repair)):
        server.command(name)(_command(server, run))


def _command(server: Server, run: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    async def command(uri: str, name: str) -> Any:
        try:
            return await run(uri, name)
        except Cancelled:
            raise asyncio.CancelledError from None
        except VeriloopError as error:
            text = f"{error.message}; {error.hint}" if error.hint else error.message
            server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))
            raise server.failed(error) from None

    return command


def _stand(root: Path) -> Known:
    context, tests = context_of(root, CancelToken())
    return Known(context.repository, standings(context, tests))


def _told(event: Event) -> str:
    if isinstance(event, Stage):
        return event.name
    if isinstance(event, Tried):
        return f"{event.count} candidates, the best fails {100 * event.best:.0f} % of the checks"
    return event.text if isinstance(event, Note) else ""
