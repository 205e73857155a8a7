"""The application: one conversation, its screens, and what they have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from veriloop.assistant import startup
from veriloop.assistant.errors import VeriloopError
from veriloop.assistant.session.commands import commands
from veriloop.assistant.session.conversation import Conversation
from veriloop.assistant.session.request import PATIENCE_S, Request
from veriloop.assistant.session.start import Opened
from veriloop.tui import themes
from veriloop.tui.deciding import Deciding
from veriloop.tui.files import files_below
from veriloop.tui.jobs import Job, Jobs, Performer, State
from veriloop.tui.keys import actions
from veriloop.tui.lines import Line, lines
from veriloop.tui.messages import JobTold
from veriloop.tui.modes import MODES, Listening
from veriloop.tui.screens.session import SessionScreen
from veriloop.tui.survey import FIRST, Survey

_AGAIN_S = 1.5
"""How soon a second Ctrl+C must come to leave."""
PREPARING = "build Verilator's runtime, once on this machine"
_SCREENS = {"hunks": "change", "evidence": "evidence", "history": "history"}
"""Commands that a screen answers."""


def _worker(cwd: Path) -> Performer:
    from veriloop.assistant.session.worker import Worker

    return Worker(cwd)


class VeriloopApp(App[str]):
    """The terminal.

    Args:
        opened: the session that is held in it.
        performer: makes what performs requests; processes of their own.
    """

    CSS_PATH = "veriloop.tcss"
    TITLE = "veriloop"
    MODES = MODES  # type: ignore[assignment]  # made when they are first shown
    DEFAULT_MODE = "session"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop_or_back", "Stop", show=False),
        Binding("f1", "help", "Help", priority=True),
        Binding("f2", "show('change')", "Change", priority=True),
        Binding("f3", "show('evidence')", "Evidence", priority=True),
        Binding("f4", "show('waves')", "Waves", priority=True),
        Binding("f5", "show('project')", "Project", priority=True),
        Binding("ctrl+p", "command_palette", "Everything", show=True, priority=True),
        Binding("f6", "show('jobs')", "Jobs", priority=True),
        Binding("f7", "show('models')", "Models", priority=True),
        Binding("f8", "show('history')", "History", priority=True),
        Binding("f9", "show('session')", "Session", show=False, priority=True),
        Binding("ctrl+b", "send_behind", "Let it run on behind", show=False, priority=True),
        Binding("ctrl+t", "next_theme", "Dark, light, no colour", show=False, priority=True),
        Binding("ctrl+c", "copy_or_leave", "Copy what is selected; twice: leave", show=False, priority=True),
        Binding("ctrl+q", "quit", "Leave", show=False, priority=True),
    ]

    def __init__(self, opened: Opened, *, performer: Callable[[], Performer] | None = None) -> None:
        super().__init__()
        self.opened = opened
        self.conversation: Conversation = opened.conversation
        self.jobs = Jobs(performer or (lambda: _worker(opened.conversation.cwd)), self._told)
        self.deciding = Deciding(self)
        self.survey = Survey()
        self.tree_name = opened.root.name
        self._files: list[str] | None = None
        self._pressed_at = 0.0
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.chosen()

    def _told(self, job: Job, kind: str, data: Mapping[str, Any]) -> None:
        """Hands a job's message from its thread to this application's."""
        self.post_message(JobTold(job, kind, data))

    # --- beginning and end ---

    def on_mount(self) -> None:
        """The first prompt comes first; everything else after it."""
        if not self._has_spoken:
            self.session.tell([FIRST])
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        startup.done()
        from veriloop.assistant.session.sessions import typed

        self.jobs.warm()
        self.session.remember(typed(self.opened.root))
        self.look()

    @property
    def _has_spoken(self) -> bool:
        """Whether the user has said anything in this session."""
        return any(entry.kind == "said" for entry in self.conversation.record.entries)

    def on_unmount(self) -> None:
        """Nothing runs on behind a closed terminal."""
        self.jobs.close()

    # --- what screens ask ---

    @property
    def session(self) -> SessionScreen:
        """The conversation's screen."""
        screen = self._screen_stacks["session"][0]
        assert isinstance(screen, SessionScreen)
        return screen

    @property
    def files(self) -> list[str]:
        """The files that can be mentioned, from where the user stands."""
        if self._files is None:
            self._files = files_below(self.conversation.cwd)
        return self._files

    @property
    def standing(self) -> tuple[str, str]:
        """How the tests stand, in a few words, and what that means."""
        return self.survey.headline

    def look(self) -> None:
        """Finds out anew how the repository stands."""
        if not any(job.title == "status" and not job.is_over for job in self.jobs.all):
            self.jobs.start(Request(purpose="look", words=("status",)), title="status")

    # --- what the user says ---

    def submit(self, text: str) -> None:
        """Does what a text asks for."""
        said = self.conversation.say(text)
        self.session.entry(said)
        try:
            if self._own(text, said.number):
                return
        except VeriloopError as error:
            self.complain(error, cause=said.number)
            return
        self.run_request(self.conversation.ask(text, budget_s=PATIENCE_S), cause=said.number, title=text)

    def run_request(self, request: Request, *, cause: int, title: str) -> Job:
        """Begins a request that the user waits for."""
        job = self.jobs.start(request, cause=cause, title=" ".join(title.split()))
        if job.state is State.WAITING:
            self.session.tell(
                [Line("It waits until what runs is done; Esc stops that, ^b lets it run on behind.", "dim")]
            )
        self._show_running()
        return job

    def complain(self, error: VeriloopError, *, cause: int = 0) -> None:
        """Says in the conversation what cannot be done, and what to try."""
        self.conversation.answer(error.message, cause=cause)
        self.session.tell([Line(error.message, "bad")])
        if error.hint:
            self.session.tell([Line(f"  try: {error.hint}", "key")])

    def _own(self, text: str, cause: int) -> bool:
        """Does what is the conversation's own; whether it was."""
        name = text.partition(" ")[0].removeprefix("/")
        if text.startswith("/") and name in _SCREENS:
            self.action_show(_SCREENS[name])
            return True
        if text.strip() == "/help":
            self.action_help()
            return True
        from veriloop.assistant.session.own import reply

        own = reply(self.conversation, text, cause=cause, root=self.opened.root)
        if own is None:
            return False
        if own.text:
            self.session.entry(self.conversation.answer(own.text, cause=cause))
        if own.apply:
            self.deciding.apply(cause)
        elif own.request is not None and own.request.purpose == "say":
            self.run_request(own.request, cause=cause, title=" ".join(own.request.words))
        elif own.request is not None:
            self.deciding.verify()
        if own.leave:
            self.exit()
        return True

    # --- what jobs tell ---

    def on_job_told(self, message: JobTold) -> None:
        """Keeps what a job says, and shows it."""
        job, kind, data = message.job, message.kind, message.data
        job.heard(kind, data)
        if job.request.purpose in ("look", "prepare"):
            self._looked(job, kind, data)
        else:
            before = len(self.conversation.record.entries)
            self.conversation.take(job.request, job.cause, kind, data)
            for entry in self.conversation.record.entries[before:]:
                if not (job.behind and job.request.purpose == "verify"):
                    self.session.entry(entry)
        if kind == "end":
            self._ended(job)
        self._show_running()
        self._tell_screens(job, kind)

    def _looked(self, job: Job, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "result" and job.request.words[:1] == ("status",):
            is_first = not self.survey.known
            self.survey = Survey.of(data["data"])
            if is_first and not self._has_spoken:
                self.session.tell(self.survey.welcome)
            if is_first and self.survey.tests and not self.survey.prepared:
                # It takes as long as a newcomer reads.
                words = ("doctor", "--prepare")
                self.jobs.start(Request(purpose="prepare", words=words), title=PREPARING, behind=True)
                self.jobs.warm()
        elif kind == "end" and data.get("message") and data["exit"] != 130 and not self.survey.known:
            self.survey = Survey.failed(str(data["message"]), str(data.get("hint", "")))
            self.session.tell(self.survey.welcome)

    def _ended(self, job: Job) -> None:
        following = self.jobs.next()
        if following is None and job.request.purpose in ("say", "apply"):
            self.look()
        if job.request.purpose == "say":
            self.session.tell(self.deciding.after(job))
        self.deciding.ended(job)
        if job.behind and job.request.purpose == "say":
            self.notify(f"{job.title[:60]}: {job.state.value}")

    def _show_running(self) -> None:
        waiting = sum(job.state is State.WAITING for job in self.jobs.all)
        self.session.running(self.jobs.front, waiting)

    def _tell_screens(self, job: Job, kind: str) -> None:
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, Listening):
                    screen.heard(job, kind)

    # --- keys ---

    def action_show(self, mode: str) -> None:
        """Shows a screen."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        self.switch_mode(mode)

    def action_help(self) -> None:
        """Shows what the keys of this screen do, and what can be typed."""
        from veriloop.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_stop_or_back(self) -> None:
        """Stops what runs in front; where nothing does, goes back to the conversation."""
        job = self.jobs.front
        if job is not None:
            self.jobs.interrupt(job)
        elif self.current_mode != "session":
            self.action_show("session")

    def action_send_behind(self) -> None:
        """Lets what runs in front run on behind."""
        job = self.jobs.front
        if job is None:
            self.notify("nothing runs")
            return
        self.jobs.send_behind(job)
        self.session.tell([Line(f"{job.title} runs on behind; F6 shows it", "dim")])
        self.jobs.next()
        self._show_running()

    def action_next_theme(self) -> None:
        """Changes between dark, light and no colour."""
        names = [theme.name for theme in themes.THEMES]
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]
        themes.keep(self.theme)

    def action_copy_or_leave(self) -> None:
        """Copies what is selected; without a selection, the second time within a moment leaves."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy(selected)
            return
        now = time.monotonic()
        if now - self._pressed_at < _AGAIN_S:
            self.exit()
            return
        self._pressed_at = now
        self.notify("^c again leaves; the session can be resumed")

    def go_on_with(self, name: str) -> None:
        """Leaves this session for another one of this repository."""
        self.exit(name)

    def copy(self, text: str) -> None:
        """Puts a text into the clipboard of the terminal (OSC 52), also over SSH."""
        self.copy_to_clipboard(text)
        count = len(text.splitlines())
        self.notify(f"copied {count} line{'' if count == 1 else 's'}")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Everything that a key does here, and everything that can be typed."""
        for what, keys, action in actions(screen):
            yield SystemCommand(
                f"{what}  ({keys})", "a key of this screen", lambda action=action: self._act(screen, action)
            )
        for name, what in commands().items():
            yield SystemCommand(f"/{name}", what, lambda name=name: self._write(f"/{name} "))

    def _act(self, screen: Screen[Any], action: str) -> None:
        target = screen.focused or screen
        self.call_later(target.run_action, action)

    def _write(self, text: str) -> None:
        self.action_show("session")
        self.session.write(text)

    def answer(self, text: str) -> None:
        """Says something in the conversation that is not kept."""
        self.session.tell(lines(text))
