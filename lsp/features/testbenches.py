"""*Write a testbench*: for the module under the cursor, offered as new files once it has run on the design."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session
from veriloop.lsp.work import Observe, Work, command

if TYPE_CHECKING:
    # Read when something is written, not at the start.
    from veriloop.lsp.judging import Benched

TESTBENCH = "veriloop.testbench"


class Testbenches:
    """Writes testbenches for one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._work = Work(server)

    def actions(self, session: Session, source: Source, at: int, end: int) -> list[types.CodeAction]:
        """Write a testbench for the module at the cursor, unless the file is a test itself."""
        project = session.analysis.workspace.project_of(source.path)
        root = project.root if project is not None else source.path.parent
        if is_test_path(source.path.relative_to(root) if source.path.is_relative_to(root) else source.path):
            return []
        names = [one.name for one in source.outline.declarations if one.kind == "module" and one.start <= at < one.end]
        if not names:
            return []
        arguments: list[Any] = [session.positions.uri(source.path), names[0]]
        told = types.Command(f"Write a testbench for {names[0]}", TESTBENCH, arguments=arguments)
        return [types.CodeAction(told.title, kind=types.CodeActionKind.Empty, command=told)]

    async def write(self, uri: str, module: str) -> dict[str, Any]:
        """Writes a testbench that pins what a module does, runs it, and offers its files."""
        path = self._work.saved(uri)

        def work(token: CancelToken, observe: Observe) -> Benched:
            from veriloop.lsp.judging import benched

            return benched(path, module, token, observe)

        found = await self._work.run(f"Writing a testbench for {module}", work)
        made = found.made
        offered = made.passed and await self._offer(found)
        said = f"{len(made.survivors)} mutants survive" if made.survivors else f"mutation score {made.score:.0f} %"
        text = f"{made.name}.py pins what {module} does today; {said}" if made.passed else made.runs[0].reason
        self._work.say(text, types.MessageType.Info if made.passed else types.MessageType.Warning)
        return {
            "passed": made.passed,
            "applied": offered,
            "files": [str(one) for one in found.paths],
            "score": round(made.score, 2),
        }

    async def _offer(self, found: Benched) -> bool:
        """The files as an edit that the user confirms; files that are there stay as they are."""
        changes: list[types.CreateFile | types.TextDocumentEdit] = []
        start = types.Range(types.Position(0, 0), types.Position(0, 0))
        for path, content in zip(found.paths, found.made.files.values(), strict=True):
            uri = Path(path).as_uri()
            changes.append(types.CreateFile(uri=uri, annotation_id="testbench"))
            edit = types.AnnotatedTextEdit("testbench", start, content.decode())
            changes.append(types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(uri=uri), [edit]))
        label = f"Testbench {found.made.name}.py: it passes on the design"
        edit_all = types.WorkspaceEdit(
            document_changes=list(changes),
            change_annotations={"testbench": types.ChangeAnnotation(label, needs_confirmation=True)},
        )
        answer = await self._server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit_all, label))
        return bool(answer.applied)


def register(server: Server) -> None:
    """Registers the command; actions are asked by `actions`."""
    testbenches = Testbenches(server)
    server.offers.append(testbenches.actions)
    command(server, TESTBENCH, testbenches.write)
