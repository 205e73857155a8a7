"""What none of the others show: whether a module is verified, and what verifies or repairs it.

Verdicts come from the cache that the command line shares. Judging and repairing run beside the requests, with progress
that can be cancelled, on what is on disk. A repair is offered as an edit only once the gate has passed it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.errors import RepositoryError, VeriloopError
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import LOGGER, Server
from veriloop.lsp.session import Session
from veriloop.lsp.work import Observe, Work, command

if TYPE_CHECKING:
    # `judging` is imported once something is judged, not at the start.
    from veriloop.assistant.judge.verdict import Verdict
    from veriloop.assistant.verify.evidence import Report
    from veriloop.lsp.judging import Known, Repaired

VERIFY, REPAIR, JUDGE = "veriloop.verify", "veriloop.repair", "veriloop.judge"


class Verification:
    """How the repositories of a session stand, and what is being judged."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.known: dict[Path, Known] = {}
        self._looking: set[Path] = set()
        self._again: set[Path] = set()
        self.work = Work(server)

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
            text = known.told(one.name, source.path, source.content)
            if text:
                place = session.positions.range(source, one.at, one.at + len(one.name.encode()))
                arguments: list[Any] = [session.positions.uri(source.path), one.name]
                found.append(types.CodeLens(place, types.Command(text, VERIFY, arguments=arguments)))
        return found

    # --- what can be done ---

    def actions(self, session: Session, source: Source, at: int, end: int) -> list[types.CodeAction]:
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
            if failed:
                title = f"Judge this failure: {test.name}"
                command = types.Command(title, JUDGE, arguments=[uri, test.name])
                found.append(types.CodeAction(title, kind=types.CodeActionKind.QuickFix, command=command))
            if failed and not is_test_path(source.path.relative_to(known.repository.root)):
                title = f"Repair this: {test.name} fails"
                command = types.Command(title, REPAIR, arguments=[uri, test.name])
                found.append(types.CodeAction(title, kind=types.CodeActionKind.QuickFix, command=command))
        return found

    async def verify(self, uri: str, module: str) -> dict[str, Any]:
        """Judges what is on disk by the tests of a module, and says what came of it."""
        path = self.work.saved(uri)

        def work(token: CancelToken, observe: Observe) -> Report:
            from veriloop.lsp.judging import verified

            return verified(path, module, token, observe)

        report = await self.work.run(f"Verifying {module or path.name}", work)
        failing = [step for step in report.steps if not step.passed]
        if failing:
            self.work.say(f"refuted: {failing[0].name}: {failing[0].detail}", types.MessageType.Error)
        else:
            count = sum(bool(step.results) for step in report.steps)
            self.work.say(f"verified: {count} tests pass; evidence: {report.evidence.label}", types.MessageType.Info)
        self.look(path)
        return {"passed": not failing, "evidence": report.evidence.label, "failing": [step.name for step in failing]}

    async def repair(self, uri: str, name: str) -> dict[str, Any]:
        """Looks for a verified change of a file that makes a test pass, and offers it as an edit."""
        path = self.work.saved(uri)

        def work(token: CancelToken, observe: Observe) -> Repaired:
            from veriloop.lsp.judging import repaired

            return repaired(path, name, token, observe)

        found = await self.work.run(f"Repairing {path.name}", work)
        result, offered = found.result, False
        if found.found:
            offered = await self._offer(found)
        elif found.passes:
            self.work.say(f"{name} passes: there is nothing to repair", types.MessageType.Info)
        else:
            self.work.say(f"no verified repair: {result.reason or result.status.value}", types.MessageType.Warning)
        self.look(path)
        return {"status": result.status.value, "applied": offered, "diff": result.diff}

    async def judge(self, uri: str, name: str) -> dict[str, Any]:
        """Says who is wrong where a test fails, and puts the failure at the line that the verdict names first."""
        path = self.work.saved(uri)

        def work(token: CancelToken, observe: Observe) -> tuple[Path, Verdict]:
            from veriloop.lsp.judging import judged

            return judged(path, name, token, observe)

        root, verdict = await self.work.run(f"Judging {name}", work)
        said = f"{name}: {verdict.side.value}: {verdict.why}"
        await self._mark(root, verdict, said)
        lines = [said, *(str(one) for one in verdict.evidence[:3]), *filter(None, (verdict.question,))]
        self.work.say("\n".join(lines), types.MessageType.Warning if verdict.failure else types.MessageType.Info)
        places = [{"path": str(root / one.path), "line": one.line, "says": one.says} for one in verdict.evidence]
        return {
            "verdict": verdict.side.value,
            "confidence": verdict.confidence,
            "why": verdict.why,
            "question": verdict.question,
            "evidence": places,
            "next": verdict.next_step,
        }

    async def _mark(self, root: Path, verdict: Verdict, said: str) -> None:
        session = self.server.session
        before = [session.positions.uri(path) for path in session.judged]
        session.judged.clear()
        uris = before
        if verdict.failure and verdict.evidence:
            first = verdict.evidence[0]
            mark = Diagnostic(
                path=first.path,
                line=first.line,
                column=1,
                severity="error",
                code=f"judge-{verdict.side.value}",
                message=f"{said} ({first.says})",
                tool="veriloop",
            )
            session.judged[root / first.path] = (mark,)
            uris = [*before, session.positions.uri(root / first.path)]
        await self.server.publisher.judged(uris)

    async def _offer(self, found: Repaired) -> bool:
        """The verified contents as an edit that the user confirms; it fits only the text that was verified."""
        session, result = self.server.session, found.result
        edits: dict[str, list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit]] = {}
        versions: dict[str, int | None] = {}
        for relative, content in result.contents.items():
            path = found.root / relative
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


def register(server: Server) -> None:
    """Registers the commands; lenses and actions are asked by `actions`."""
    verification = Verification(server)
    server.verification = verification
    server.offers.append(verification.actions)
    command(server, VERIFY, verification.verify)
    command(server, REPAIR, verification.repair)
    command(server, JUDGE, verification.judge)


def _stand(root: Path) -> Known:
    from veriloop.lsp.judging import stand

    return stand(root)
