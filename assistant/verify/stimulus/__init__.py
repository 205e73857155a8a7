"""Driving a design cycle by cycle with given inputs: its pins, what it answers, and what of it was exercised."""
