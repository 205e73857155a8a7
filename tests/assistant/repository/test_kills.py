"""A sample of `dev/kill_series.py`: commands of ours killed at random moments leave nothing half done."""

from __future__ import annotations

import pytest
from kill_series import series


@pytest.mark.needs("git", "verilator", "c++", "iverilog")
def test_commands_that_are_killed_leave_nothing_half_done(tmp_path, request, monkeypatch):
    own = tmp_path / "cache"
    own.mkdir()
    kept = request.config.cache
    if kept is not None:
        built = kept.mkdir("veriloop") / "runtime"
        built.mkdir(exist_ok=True)
        (own / "runtime").symlink_to(built)
    monkeypatch.setenv("VERILOOP_CACHE", str(own))
    found = series(tmp_path, kills=5, seed=7)
    assert found.faults == []
    assert sum(found.killed.values()) == 5
