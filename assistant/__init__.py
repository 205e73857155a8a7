"""The core of Veriloop: proposes changes to RTL, judges them, and applies only what was verified."""
