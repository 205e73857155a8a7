"""The language models of this machine: which is used for what, how fast they are, and how to get others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from veriloop.assistant.session.request import Request
from veriloop.tui.jobs import Job
from veriloop.tui.lines import Line, clean
from veriloop.tui.screens.base import Page
from veriloop.tui.widgets.choosing import Choosing
from veriloop.tui.widgets.text_view import TextView


class ModelsScreen(Page):
    """What `veriloop models` says, with keys."""

    TITLE_TEXT = "models"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "act('use')", "Use"),
        Binding("p", "pull", "Pull"),
        Binding("m", "act('bench')", "Measure"),
        Binding("v", "act('verify')", "Verify"),
        Binding("d", "remove", "Remove", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._data: Mapping[str, Any] = {}
        self._problem = ""

    def body(self) -> ComposeResult:
        """The models, and what is known of the marked one."""
        yield Choosing(id="rows")
        yield TextView(id="about")

    def on_mount(self) -> None:
        """Asks which there are."""
        self.query_one(Choosing).focus()

    def on_screen_resume(self) -> None:
        """It is seen again: there may be others now."""
        self.veriloop.jobs.start(Request(purpose="look", words=("models",)), title="models")
        super().on_screen_resume()

    def heard(self, job: Job, kind: str) -> None:
        """The list has come; or a model was fetched, chosen or measured."""
        if job.request.words[:1] == ("models",) and job.request.purpose == "look":
            self._data = job.results[-1] if job.results else self._data
            self._problem = job.message
            if self.is_current:
                self.update_page()
        elif kind == "end" and job.request.purpose == "say" and self.is_current:
            self.veriloop.jobs.start(Request(purpose="look", words=("models",)), title="models")
        elif kind == "note" and self.is_current:
            self._about()

    def on_choosing_moved(self) -> None:
        """Another model is marked."""
        self._about()

    def update_page(self) -> None:
        """Lists the models."""
        self.query_one(Choosing).rows(list(self._listed()))
        self._about()

    def _listed(self) -> Iterator[Line]:
        models = self._models()
        if self._problem:
            yield Line(clean(self._problem), "bad")
        elif not self._data:
            yield Line("asking ...", "dim")
        elif not models:
            yield Line("no model is installed: everything but open questions and prose works without one", "dim")
        width = max((len(model["name"]) for model in models), default=0)
        for model in models:
            speed = f"{model['decode_tok_s']:.0f} tokens/s" if model.get("decode_tok_s") else "not measured (m)"
            size = model["size_bytes"] / 1e6
            yield Line(clean(f"{model['name']:<{width}} {size:8.1f} MB  {speed:<16}  {self._uses(model['name'])}"))

    def _about(self) -> None:
        view = self.query_one("#about", TextView)
        view.put(self._details(), keep_place=True)

    def _details(self) -> Iterator[Line]:
        running = [job for job in self.veriloop.jobs.running if job.request.text.startswith("/models")]
        for job in running:
            yield Line(clean(f"{job.title}: {job.note or 'running'}  {job.seconds:.0f} s"), "warn")
        model = self._marked()
        if model is not None:
            yield Line(clean(str(model["name"])), "head")
            for key in ("description", "parameters", "context_tokens", "licence", "source", "sha256", "path"):
                if model.get(key):
                    yield Line(clean(f"  {key.replace('_', ' ')}: {model[key]}"))
        used = self._data.get("used", {})
        if used:
            yield Line("")
            yield Line("used for", "head")
            for role, choice in used.items():
                yield Line(clean(f"  {role:<10} {choice['name'] + ': ' + choice['why'] if choice else 'none'}"))
        known = self._data.get("catalogue", ())
        if known:
            yield Line("")
            yield Line("known elsewhere; p asks for an address to fetch one from", "head")
            for one in known:
                yield Line(clean(f"  {one['name']}: {one['about']}"), "dim")

    def _models(self) -> list[Mapping[str, Any]]:
        return list(self._data.get("models", ()))

    def _uses(self, name: str) -> str:
        """What a model is used for, short: which roles those are stands below."""
        used = self._data.get("used", {})
        roles = [role for role, choice in used.items() if choice and choice["name"] == name]
        return "used for all" if roles and len(roles) == len(used) else ", ".join(roles)

    def _marked(self) -> Mapping[str, Any] | None:
        found, chosen = self._models(), self.query_one(Choosing).chosen
        return found[chosen] if chosen < len(found) else None

    # --- keys ---

    def action_act(self, what: str) -> None:
        """Uses, measures or verifies the marked model."""
        model = self._marked()
        if model is not None:
            self.veriloop.submit(f"/models {what} {model['name']}")

    def action_pull(self) -> None:
        """Asks for the address of a model."""
        self.veriloop.action_show("session")
        self.veriloop.session.write("/models pull ")

    def action_remove(self) -> None:
        """Puts the command into the input, to be sent by hand."""
        model = self._marked()
        if model is not None:
            self.veriloop.action_show("session")
            self.veriloop.session.write(f"/models rm {model['name']}")
