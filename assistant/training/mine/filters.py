"""What may not become training data: secrets, other people's licences, generated and encrypted texts, near copies."""

from __future__ import annotations

import hashlib
import re

_SHINGLE = 5
_SKETCH = 64
_SAME = 0.8
"""From which share of common shingles on two texts are one."""

_SECRETS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "token": (
        r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|glpat-[\w-]{20,}"
        r"|eyJ[\w-]{20,}\.eyJ[\w-]{20,})"
    ),
    "password": r"(?i)\b(?:password|passwd|secret|api_?key|token)\b\s*[:=]\s*[\"'][^\"'\s]{6,}[\"']",
    "address with credentials": r"\b[a-z]+://[^\s/:@]+:[^\s/@]+@",
}
_LICENCES = {
    "GPL": r"\bGNU (?:Lesser |Affero |Library )?General Public Licen[cs]e\b|\b(?:A|L)?GPL(?:v?[23]|-[23])",
    "CERN-OHL-S or -W": r"CERN-OHL(?:-[SW]|.{0,12}(?:strongly|weakly) reciprocal)|CERN Open Hardware Licen[cs]e v?1",
    "Solderpad or MPL": r"Mozilla Public Licen[cs]e",
    "a vendor's own": (
        r"(?i)(?:confidential (?:and|&) proprietary|proprietary (?:and|&) confidential|all rights reserved)"
        r"[\s\S]{0,400}\b(?:Xilinx|AMD|Altera|Intel|Synopsys|Cadence|Mentor|Siemens|Arm Limited|Lattice|Microsemi)\b"
        r"|(?i:\b(?:Xilinx|Altera|Synopsys|Cadence|Arm Limited)\b[\s\S]{0,400}(?:confidential|proprietary))"
    ),
}
_GENERATED = r"(?i)\b(?:do not edit|(?:automatically |auto-?)generated|generated (?:by|from|with))\b"
_ENCRYPTED = r"`(?:pragma\s+)?protect\b|`protected\b"
_HEAD = 3000
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?i:^([ \t]*(?://|\*)[ \t]*)@?(?:authors?|e-?mail|phone)\b.*$)", re.M
)


def refusal(text: str, *, any_licence: bool = False) -> str:
    """Why a text may not be learnt from; empty where it may.

    Args:
        text: a whole file.
        any_licence: whether other people's licences do not matter.
    """
    for name, pattern in _SECRETS.items():
        if re.search(pattern, text):
            return f"secret: {name}"
    head = text[:_HEAD]
    if not any_licence:
        for name, pattern in _LICENCES.items():
            if re.search(pattern, head):
                return f"licence: {name}"
    if re.search(_ENCRYPTED, text):
        return "encrypted"
    return "generated" if re.search(_GENERATED, head) else ""


def impersonal(text: str) -> str:
    """A text whose comments name no author and no address; every line stays where it is."""
    return _PERSONAL.sub(lambda match: match[1] or "", text)


class Seen:
    """The texts that were there before, and those that are nearly the same."""

    def __init__(self) -> None:
        self._sketches: list[frozenset[int]] = []
        self._where: dict[int, list[int]] = {}

    def again(self, text: str) -> bool:
        """Whether a text has been there, or one that shares most of its shingles; it is remembered."""
        sketch = _sketch(text)
        near = {index for one in sketch for index in self._where.get(one, ())}
        if any(_resemblance(sketch, self._sketches[index]) >= _SAME for index in near):
            return True
        for one in sketch:
            self._where.setdefault(one, []).append(len(self._sketches))
        self._sketches.append(sketch)
        return False


def _sketch(text: str) -> frozenset[int]:
    """The smallest hashes of a text's shingles (Broder, 1997); comments and spaces do not count."""
    words = re.findall(r"\w+|[^\w\s]", re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S))
    shingles = {" ".join(words[at : at + _SHINGLE]) for at in range(max(1, len(words) - _SHINGLE + 1))}
    hashes = sorted(int.from_bytes(hashlib.blake2b(one.encode(), digest_size=8).digest()) for one in shingles)
    return frozenset(hashes[:_SKETCH])


def _resemblance(one: frozenset[int], two: frozenset[int]) -> float:
    smallest = sorted(one | two)[:_SKETCH]
    return sum(value in one and value in two for value in smallest) / max(1, len(smallest))
