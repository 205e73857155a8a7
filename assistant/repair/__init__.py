"""Repair: from a failing test to a change that the gate passed."""
