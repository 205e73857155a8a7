"""A specification that is too large for one module, as a plan of modules with their interfaces."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.generate.interface import Interface, PortDeclaration
from veriloop.assistant.generate.prompts import plan_messages
from veriloop.models.model import Model, Sampling

_MOST_MODULES = 12
_MOST_BITS = 4096
_TRIES = 3
_NAME = re.compile(r"[A-Za-z_]\w{0,62}")
_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Part:
    """One module of a plan."""

    interface: Interface
    specification: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The modules, the top last."""

    parts: tuple[Part, ...]


def plan(model: Model, specification: str, interface: Interface, *, cancel: CancelToken) -> Run[Plan | None]:
    """Asks for a plan, a few times where the answer is none; none where no answer is a plan.

    Raises:
        ModelError: the model does not answer.
    """
    yield Stage("plan")
    messages = plan_messages(specification, interface)
    for number in range(_TRIES):
        sampling = Sampling(max_tokens=_TOKENS, temperature=0.2 + 0.3 * number, seed=number + 1)
        said = model.chat(messages, sampling, stop=lambda: cancel.cancelled)[0].text
        found = read_plan(said, interface)
        if isinstance(found, Plan):
            names = ", ".join(part.interface.toplevel for part in found.parts)
            yield Note(f"the plan: {names}")
            return found
        yield Note(f"an answer that is no plan: {found}")
    return None


def read_plan(answer: str, interface: Interface) -> Plan | str:
    """The plan in an answer, or why it is none.

    Args:
        answer: what the model said.
        interface: the top's, which the plan's last module must have.
    """
    start, end = answer.find("["), answer.rfind("]")
    try:
        items = json.loads(answer[start : end + 1]) if 0 <= start < end else None
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not 1 < len(items) <= _MOST_MODULES:
        return "it holds no list of two to twelve modules"
    parts: list[Part] = []
    for item in items:
        part = _part(item)
        if isinstance(part, str):
            return part
        parts.append(part)
    names = [part.interface.toplevel for part in parts]
    if len(set(names)) != len(names):
        return "two modules have the same name"
    top = parts[-1].interface
    if top.toplevel != interface.toplevel or _shape(top) != _shape(interface):
        return f"its last module is not {interface.toplevel} with the ports asked for"
    return Plan((*parts[:-1], Part(interface, _with_parts(parts))))


def _part(item: object) -> Part | str:
    if not isinstance(item, dict) or not isinstance(item.get("ports"), list):
        return "a module has no ports"
    name, text = item.get("name"), item.get("specification")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(text, str) or not text.strip():
        return "a module has no name or no specification"
    ports: list[PortDeclaration] = []
    for port in item["ports"]:
        made = _port(port)
        if made is None:
            return f"{name} has a port without a name, direction or width"
        ports.append(made)
    if len({port.name for port in ports}) != len(ports) or not any(port.direction == "output" for port in ports):
        return f"{name} has no output, or a port twice"
    return Part(Interface(toplevel=name, ports=tuple(ports)), text.strip())


def _port(port: object) -> PortDeclaration | None:
    if not isinstance(port, dict):
        return None
    name, direction, width = port.get("name"), port.get("direction"), port.get("width", 1)
    if not isinstance(name, str) or not _NAME.fullmatch(name) or direction not in ("input", "output"):
        return None
    if isinstance(width, bool) or not isinstance(width, int) or not 1 <= width <= _MOST_BITS:
        return None
    return PortDeclaration(name=name, direction="input" if direction == "input" else "output", width_bits=width)


def _shape(interface: Interface) -> set[tuple[str, str, int]]:
    return {(port.name, port.direction, port.width_bits) for port in interface.ports}


def _with_parts(parts: Sequence[Part]) -> str:
    """The top's specification with what it instantiates."""
    below = "\n\n".join(
        f"Instantiate this module, which exists already:\n{part.interface.header()}\nIt does: {part.specification}"
        for part in parts[:-1]
    )
    return f"{parts[-1].specification}\n\n{below}"
