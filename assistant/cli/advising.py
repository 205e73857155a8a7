"""Which model a repair may ask: the one that is named, else the one that is chosen for it, else none."""

from __future__ import annotations

import argparse
import importlib.util
import os

from veriloop.assistant.errors import UsageError
from veriloop.models.store import Store, data_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the model that may be asked, or that none is."""
    parser.add_argument("--model", default="", metavar="NAME", help="the model that weighs candidates (default: yours)")
    parser.add_argument("--no-model", action="store_true", help="search without any model")


def model_name(arguments: argparse.Namespace) -> str:
    """The name or the file of the model to ask; empty: none.

    Raises:
        UsageError: both a model and none are asked for.
    """
    if arguments.model and arguments.no_model:
        raise UsageError("--model and --no-model exclude each other")
    if arguments.model or arguments.no_model:
        return str(arguments.model)
    if importlib.util.find_spec("llama_cpp") is None:
        return ""
    choice = Store(data_home(os.environ)).choose("repair")
    return str(choice.model.path) if choice is not None else ""
