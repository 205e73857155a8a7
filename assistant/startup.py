"""Starting quickly. What is made while modules load stays for good: looking for garbage among it, again and again as
it grows, takes a fifth of the time to start.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_MANY = 100_000
"""How many things are made before the next look; 700 as Python comes."""


def begin() -> None:
    """Looks for no garbage from now on, until `done`."""
    gc.disable()


def done() -> None:
    """It has started: what is there now is never looked at again, what comes is, as usual."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def seldom() -> Iterator[None]:
    """Looks for garbage less often meanwhile: for work that makes much at once, as reading a whole tree does."""
    usual = gc.get_threshold()
    gc.set_threshold(_MANY, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
