"""The core of Veriloop: proposes changes to RTL, judges them, and applies only what was verified."""

__version__ = "0.1.0"
"""The same as in `pyproject.toml`; reading it from the installation takes longer than to start."""
