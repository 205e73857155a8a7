"""RTL that nobody writes by hand, and modules whose inside nobody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from veriloop.assistant.project.graph import Graph
from veriloop.assistant.project.model import BlackBox, Generated
from veriloop.assistant.project.tree import Tree

_HEAD_CHARS = 3000
_MARK = re.compile(
    r"(?:auto[- ]?(?:matically)?[- ]?generated|machine[- ]generated|this (?:file|module) (?:is|was|has been) generated"
    r"|do not (?:edit|modify)(?:\s*(?:[.!*/]|$|this|manually|directly|by hand|it\b))"
    r"|^\W*(?:file )?generated (?:automatically )?(?:by|from|using|with) (?!(?:the|this|a|an|local|all|its)\b))[^\n]*",
    re.I | re.M,
)
_BY = re.compile(
    r"(?:generated\s+(?:automatically\s+)?(?:by|from|using|with)|Generator\s*:)\s+(?:the\s+)?[\"'`]?"
    r"([\w./-]+(?: v?[\d.]+)?)",
    re.I,
)
_PROTECTED = re.compile(r"`(?:pragma\s+)?protect(?:ed)?\b")

_VENDORS: Mapping[str, re.Pattern[str]] = {
    "AMD Xilinx": re.compile(
        r"(?:BUF(?:G|R|H|IO|GCE|GMUX|GCTRL)\w*|[IO]{1,2}BUF\w*|FD[RCSP]E?(?:_\d)?|RAMB\d+\w*|RAM\d+[XM]\w*|DSP48\w*|DSP58\w*"
        r"|MMCM\w*|PLLE\d\w*|PLL_\w+|LUT\d\w*|CFGLUT5|[IO]SERDES\w*|[IO]DELAY\w*|[IO]DDR\w*|GT[HXYPM]\w*_\w+|xpm_\w+"
        r"|SRL\w+|SRLC?16E|CARRY\d|STARTUP\w*|ICAP\w*|BSCAN\w*|XADC|SYSMON\w*|PCIE\w*|CMAC\w*|ILKN\w*|DCM\w*|URAM\w*"
        r"|EFUSE_USR|DNA_PORT\w*|MUXF\d|FRAME_ECC\w*|IBUFDS_GTE\d|USR_ACCESSE2|PS7|PS8|IDELAYCTRL|HARD_SYNC)"
    ),
    "Intel Altera": re.compile(
        r"(?:alt(?:syncram|pll|era_\w+|ddio\w*|iobuf\w*|clkctrl\w*|lvds\w*|mult_\w+|shift_taps|dpram|fp_\w+|_\w+)|lpm_\w+"
        r"|[ds]cfifo\w*|cyclone\w+|stratix\w+|arria\w+|twentynm\w+|fiftyfivenm\w+|tennm\w+|ALTDDIO\w*)"
    ),
    "Lattice": re.compile(
        r"(?:SB_\w+|EHXPLL\w*|TRELLIS_\w+|DP16KD|DP8KC|PDPW\w+|MULT\d+X\d+\w*|ALU54B|USRMCLK|OSC[GHI]\w*|DCCA|DCSC|DCUA"
        r"|EXTREF\w*|BB|BBPU|[IO]B(?:PU|PD)?|IDDRX\w+|ODDRX\w+|CLKDIV[CF]|DQSBUF\w*|DELAY[FG]|PLL_CORE|HSOSC\w*|LSOSC\w*)"
    ),
    "Gowin": re.compile(
        r"(?:rPLL|PLLVR|OSER\d+|IDES\d+|Gowin\w*|SDPB|SDPX9B|pROM|[ET]LVDS\w+|OSC[FHOZ]?|DHCEN|CLKDIV2?)"
    ),
    "SkyWater or GlobalFoundries cells": re.compile(r"(?:sky130_\w+|gf180mcu_\w+|sg13g2_\w+)"),
    "Efinix": re.compile(r"EFX_\w+"),
    "Cologne Chip": re.compile(r"(?:CC_\w+)"),
    "Microchip": re.compile(r"(?:CLKINT|RCLKINT|BIBUF\w*|INBUF\w*|OUTBUF\w*|SYSRESET|MSS_\w+|OSC_\w+)"),
}


def generated(tree: Tree, paths: tuple[Path, ...], made: Mapping[str, str]) -> Iterator[Generated]:
    """The files whose head says that a program has written them, and those that a rule of the tree makes.

    Args:
        tree: where they lie.
        paths: Verilog files.
        made: what a Makefile makes, with the Makefile.
    """
    for path in paths:
        head = tree.text(path)[:_HEAD_CHARS]
        found = _MARK.search(head)
        if found is not None:
            by = _BY.search(head)
            yield Generated(path=path, generator=by[1] if by else "", why=f"its head says: {_plain(found[0])}")
        elif path.as_posix() in made:
            yield Generated(path=path, generator=made[path.as_posix()], why="a rule makes it")


def _plain(text: str) -> str:
    return " ".join(text.strip(" /*#-=\n").split())[:100]


def black_boxes(tree: Tree, graph: Graph, paths: tuple[Path, ...], wanting: Mapping[str, str]) -> Iterator[BlackBox]:
    """Vendors' primitives, encrypted files, and modules that are nowhere in the tree.

    Args:
        tree: the files.
        graph: who instantiates what.
        paths: the design's files.
        wanting: why files may be missing, by the first part of their path or of their core's name.
    """
    for name, users in sorted(graph.missing(paths).items()):
        used_by = tuple(dict.fromkeys(users))
        vendor = next((vendor for vendor, pattern in _VENDORS.items() if pattern.fullmatch(name)), "")
        if vendor:
            yield BlackBox(name=name, why=f"a primitive of {vendor}", used_by=used_by)
        else:
            why = next(iter(wanting.values()), "no file of this repository declares it")
            yield BlackBox(name=name, why=why, used_by=used_by)
    for path in paths:
        if _PROTECTED.search(tree.text(path)):
            names = [unit.name for unit in graph.facts[path].units] or [path.name]
            for name in names:
                yield BlackBox(name=name, why=f"{path} is encrypted")
