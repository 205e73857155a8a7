"""The repositories that repairs are tested on, for the verbs."""

from __future__ import annotations

from tests.assistant.repair.conftest import cache, clone

__all__ = ["cache", "clone"]
