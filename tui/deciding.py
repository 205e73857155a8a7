"""Verifying and applying choices: when the gate is asked, and what is said about its answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from veriloop.assistant.session.change import Standing
from veriloop.assistant.session.conversation import Conversation
from veriloop.assistant.session.request import Request
from veriloop.tui.jobs import Job, Jobs, State
from veriloop.tui.lines import Line, report_lines


class Host(Protocol):
    """What holds the conversation and runs its requests: the application."""

    conversation: Conversation
    jobs: Jobs

    def run_request(self, request: Request, *, cause: int, title: str) -> Job:
        """Begins a request that the user waits for."""
        ...


class Deciding:
    """Keeps the gate busy with what is chosen now, and, when nothing else runs, with what each hunk is for.

    Args:
        app: where it runs.
    """

    def __init__(self, app: Host) -> None:
        self._app = app
        self._verifying: Job | None = None
        self._probing: Job | None = None
        self.probes = False
        """Whether it is to be found out what each hunk is for: while the change is looked at."""

    @property
    def is_verifying(self) -> bool:
        """Whether what is chosen now is with the gate."""
        job, decision = self._verifying, self._app.conversation.decision
        return job is not None and not job.is_over and decision is not None and job.request.key == decision.key

    def verify(self) -> None:
        """Asks the gate about what is chosen, unless its word is known."""
        decision = self._app.conversation.decision
        if decision is None or self.is_verifying:
            return
        self._stop(self._verifying)
        self._stop(self._probing)
        request = self._app.conversation.verify()
        if request is None:
            self.probe()
            return
        self._verifying = self._app.jobs.start(request, title="verify the choice", behind=True)

    def probe(self) -> None:
        """Asks the gate about a choice that says what a hunk is for, where that is wanted and nothing else runs."""
        decision = self._app.conversation.decision
        if not self.probes or decision is None or decision.applied or self._app.jobs.front is not None:
            return
        if any(job is not None and not job.is_over for job in (self._probing, self._verifying)):
            return
        choices = decision.probe()
        request = self._app.conversation.verify(choices) if choices is not None else None
        if request is not None:
            self._probing = self._app.jobs.start(request, title="what each hunk is for", behind=True)

    def measure(self) -> Job:
        """Has it measured how much of what is chosen the tests meet.

        Raises:
            VeriloopError: nothing is chosen.
        """
        return self._app.jobs.start(self._app.conversation.measure(), title="measure coverage", behind=True)

    def apply(self, cause: int = 0) -> None:
        """Writes what is chosen, if the gate has passed it; says so where it has not.

        Raises:
            VeriloopError: it is not verified, or there is nothing to apply.
        """
        request = self._app.conversation.apply()
        self._app.run_request(request, cause=cause, title="apply")

    def ended(self, job: Job) -> None:
        """A job is over: there may be something else to find out."""
        if job is self._probing and job.state is not State.DONE:
            # What could not be judged once is not asked about again and again.
            self.probes = False
        if job.request.purpose in ("verify", "say"):
            self.probe()

    def after(self, job: Job) -> Iterator[Line]:
        """What can be done now that something is over."""
        if job.state is State.INTERRUPTED:
            yield Line("Nothing on disk was changed. Kept: this conversation, and every verdict so far.", "dim")
            if job.best_change:
                yield Line(f"The best candidate so far fails {job.best:.1%} of the checks:", "dim")
                yield from report_lines(job.best_change)
            return
        decision = self._app.conversation.decision
        if decision is None or decision.applied or decision.change.entry <= job.cause:
            return
        if decision.verdict.standing is Standing.VERIFIED:
            yield Line("Type /apply to write it into your files, or look first:", "head")
        else:
            yield Line("It cannot be applied as it is. Look at its parts:", "head")
        yield Line("  F2 the change hunk by hunk   F3 the evidence   F4 the waves", "key")

    def _stop(self, job: Job | None) -> None:
        if job is not None and not job.is_over:
            self._app.jobs.interrupt(job)
