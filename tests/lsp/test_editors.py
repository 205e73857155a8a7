"""The files for editors: Neovim without a screen and VS Code's extension against the real server, the others parsed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.lsp.client import ROOT

EDITORS = ROOT / "lsp" / "editors"
_TEXT = "module m(input a);\n  wire b = a;\n  wire c = 1\nendmodule\n"
_NEOVIM = """
vim.opt.runtimepath:prepend(%(editors)s)
require("veriloop").setup({ cmd = %(command)s })
vim.cmd("edit " .. %(file)s)
vim.bo.filetype = "systemverilog"
local function clients() return vim.tbl_count(vim.lsp.buf_get_clients(0)) end
assert(vim.wait(20000, function() return clients() == 1 end), "no client")
vim.api.nvim_win_set_cursor(0, { 2, 11 })
local found = vim.lsp.buf_request_sync(0, "textDocument/definition", vim.lsp.util.make_position_params(), 20000)
local place = select(2, next(found)).result[1]
vim.wait(20000, function() return #vim.diagnostic.get(0) > 0 end)
local diagnostics = vim.tbl_map(function(one) return { one.lnum, one.message } end, vim.diagnostic.get(0))
vim.lsp.buf.rename("renamed")
vim.wait(20000, function() return vim.api.nvim_buf_get_lines(0, 0, 1, true)[1]:match("renamed") end)
print(vim.fn.json_encode({
  root = select(2, next(vim.lsp.buf_get_clients(0))).config.root_dir,
  line = place.range.start.line,
  column = place.range.start.character,
  diagnostics = diagnostics,
  lines = vim.api.nvim_buf_get_lines(0, 0, 2, true),
}))
vim.cmd("qall!")
"""


def command(tmp_path: Path) -> Path:
    """A program that starts this checkout's `veriloop`."""
    program = tmp_path / "veriloop"
    words = f'PYTHONPATH={ROOT / "dev"} exec {sys.executable} -m veriloop.assistant.cli.main "$@"'
    program.write_text(f"#!/bin/sh\n{words}\n")
    program.chmod(0o755)
    return program


@pytest.mark.needs("nvim")
def test_neovim_without_a_screen(tmp_path):
    program = command(tmp_path)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "veriloop.toml").write_text("")
    (tree / "m.sv").write_text(_TEXT)
    script = tmp_path / "session.lua"
    names = {"editors": EDITORS / "neovim", "file": tree / "m.sv"}
    values = {name: json.dumps(str(value)) for name, value in names.items()}
    script.write_text(_NEOVIM % {**values, "command": f'{{ "{program}", "lsp" }}'})
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    done = subprocess.run(
        ["nvim", "--headless", "-u", "NONE", "-i", "NONE", "-n", "-S", str(script)],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **home},
        check=False,
    )
    line = next((one for one in done.stderr.splitlines() if one.startswith("{")), "")
    assert line, done.stderr
    said = json.loads(line)
    assert (said["root"], said["line"], said["column"]) == (str(tree), 0, 15)
    assert said["diagnostics"] == [[2, "expected ';'"]]
    assert said["lines"] == ["module m(input renamed);", "  wire b = renamed;"]


@pytest.mark.skipif(not os.environ.get("VERILOOP_REQUIRE"), reason="fetches packages, so only where all is required")
@pytest.mark.skipif(not all(map(shutil.which, ("node", "npm"))), reason="Node is not installed")
def test_the_vs_code_extension(tmp_path):
    extension = tmp_path / "vscode"
    shutil.copytree(EDITORS / "vscode", extension, ignore=shutil.ignore_patterns("node_modules", "out"))
    install = ["npm", "install", "--no-audit", "--no-fund"]
    installed = subprocess.run(install, cwd=extension, capture_output=True, text=True, timeout=400, check=False)
    if installed.returncode:
        pytest.skip("the packages that build the extension cannot be had here")
    environment = {**os.environ, "VERILOOP_COMMAND": json.dumps([str(command(tmp_path)), "lsp"])}
    for script in ("check", "test", "package"):
        words = ["npm", "run", "--silent", script]
        done = subprocess.run(
            words, cwd=extension, capture_output=True, text=True, timeout=300, env=environment, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    (packed,) = extension.glob("*.vsix")
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("extension/package.json"))
    assert f"extension/{Path(manifest['main']).as_posix()}" in names
    assert not any("node_modules" in name or name.endswith(".ts") for name in names)


def test_the_vs_code_extension_brings_what_it_names():
    manifest = json.loads((EDITORS / "vscode" / "package.json").read_text())
    for language in manifest["contributes"]["languages"]:
        assert (EDITORS / "vscode" / language["configuration"]).is_file()
    assert manifest["contributes"]["configuration"]["properties"]["veriloop.command"]["scope"] == "machine"


def test_helix_and_kate_start_the_server():
    helix = tomllib.loads((EDITORS / "helix" / "languages.toml").read_text())
    assert (helix["language-server"]["veriloop"]["command"], helix["language-server"]["veriloop"]["args"]) == (
        "veriloop",
        ["lsp"],
    )
    kate = json.loads((EDITORS / "kate" / "settings.json").read_text())
    assert kate["servers"]["verilog"]["command"] == ["veriloop", "lsp"]
