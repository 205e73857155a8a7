from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from veriloop.assistant.cli import main as command
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import Cancelled, NotVerified, UsageError
from veriloop.assistant.events import Note, Stage, Tried

DEV = Path(__file__).resolve().parents[3] / "dev"

A_VERB = """
import time

from veriloop.assistant.errors import {errors}
from veriloop.assistant.events import Note, Stage, Tried

NAME = "undo"
HELP = "a verb of a test"


def add_arguments(parser):
    parser.add_argument("--count", type=int, default=1)


def run(arguments, session):
{body}
"""


@pytest.fixture
def verb(tmp_path, monkeypatch):
    """Puts a verb with a given body in the place of `undo`."""

    def install(body: str) -> None:
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        name = f"verb_{abs(hash((str(tmp_path), body)))}"
        (tmp_path / f"{name}.py").write_text(A_VERB.format(body=lines, errors="Cancelled, NotVerified, UsageError"))
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()
        monkeypatch.setitem(command.VERBS, "undo", name)

    return install


def start(tmp_path: Path, body: str, *words: str, **more) -> subprocess.Popen[str]:
    """Runs a verb with a given body as a program of its own."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    (tmp_path / "the_verb.py").write_text(A_VERB.format(body=lines, errors="Cancelled, NotVerified, UsageError"))
    code = (
        "import sys; from veriloop.assistant.cli import main; "
        "main.VERBS['undo'] = 'the_verb'; sys.exit(main.main(['undo', *sys.argv[1:]]))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{DEV}{os.pathsep}{tmp_path}", "XDG_STATE_HOME": str(tmp_path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen([sys.executable, "-c", code, *words], env=environment, text=True, **pipes)


def test_the_verb_s_exit_code_is_the_command_s(verb):
    verb("return arguments.count")
    assert command.main(["undo", "--count", "1"]) == 1
    assert command.main(["undo", "--count", "0"]) == 0


def test_result_goes_to_stdout_and_progress_to_stderr(verb, capsys):
    verb('session.observe(Stage("baseline"))\nsession.result("fine", {"fine": True})\nreturn 0')
    assert command.main(["undo"]) == 0
    assert capsys.readouterr() == ("fine\n", "veriloop: baseline\n")


@pytest.mark.parametrize("words", [["--json", "undo"], ["undo", "--json"]])
def test_json_before_and_after_the_verb(verb, capsys, words):
    verb('session.result("fine", {"fine": session.json})\nreturn 0')
    assert command.main(words) == 0
    assert capsys.readouterr().out == '{"fine": true}\n'


@pytest.mark.parametrize(
    ("body", "exit_code", "message"),
    [
        ('raise UsageError("no such file: a.v", hint="ls")', 2, "veriloop: no such file: a.v\n  try: ls\n"),
        ('raise NotVerified("the budget is spent")', 3, "veriloop: the budget is spent\n"),
        ("raise Cancelled", 130, "veriloop: interrupted\n"),
        ("raise KeyboardInterrupt", 130, "veriloop: interrupted\n"),
    ],
)
def test_how_it_ends(verb, capsys, body, exit_code, message):
    verb(body)
    assert command.main(["undo"]) == exit_code
    assert capsys.readouterr() == ("", message)


def test_a_signal_that_comes_when_the_work_has_just_ended(verb, capsys, monkeypatch):
    verb("return 0")

    def late(words, work):
        work()
        raise Cancelled

    monkeypatch.setattr(command, "ended", late)
    assert command.main(["undo"]) == 130
    assert capsys.readouterr() == ("", "veriloop: interrupted\n")


def test_an_error_as_json(verb, capsys):
    verb('raise UsageError("no such file: a.v", hint="ls")')
    assert command.main(["undo", "--json"]) == 2
    output = capsys.readouterr()
    assert json.loads(output.out) == {"error": "no such file: a.v", "hint": "ls", "exit": 2}
    assert output.err == "veriloop: no such file: a.v\n  try: ls\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ([], "veriloop --help"),
        (["mend"], "veriloop --help"),
        (["undo", "--no-such-option"], "veriloop --help"),
        (["undo", "--count", "many"], "veriloop undo --help"),
        (["undo", "--cou", "1"], "veriloop --help"),
    ],
)
def test_a_wrong_command_line(verb, capsys, words, hint):
    verb("return 0")
    assert command.main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("veriloop: ")
    assert error.endswith(f"\n  try: {hint}\n")
    assert error.count("\n") == 2


def test_a_wrong_command_line_as_json(capsys):
    assert command.main(["mend", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["exit"] == 2


def test_a_bug_is_one_line_and_a_log_file(verb, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    verb('raise RuntimeError("broken inside")')
    assert command.main(["undo", "--count", "3"]) == 4
    (log,) = (tmp_path / "state" / "veriloop" / "log").iterdir()
    assert capsys.readouterr().err == f"veriloop: this is a bug in veriloop; its details are in {log}\n"
    text = log.read_text()
    assert "RuntimeError: broken inside" in text
    assert "veriloop undo --count 3" in text
    assert "pyslang: " in text


def test_a_bug_log_finds_a_place_where_the_usual_one_cannot_be_written(verb, capsys, tmp_path, monkeypatch):
    (tmp_path / "state").write_text("a file, not a folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    verb('raise RuntimeError("broken inside")')
    assert command.main(["undo"]) == 4
    (log,) = tmp_path.glob("veriloop-*.log")
    assert str(log) in capsys.readouterr().err


def test_directory_option(verb, tmp_path, capsys):
    (tmp_path / "a" / "b").mkdir(parents=True)
    verb('session.result(str(session.cwd), {"here": __import__("os").getcwd()})\nreturn 0')
    before = Path.cwd()
    assert command.main(["-C", str(tmp_path / "a"), "-C", "b", "undo"]) == 0
    assert Path.cwd() == before
    assert capsys.readouterr().out == f"{tmp_path / 'a' / 'b'}\n"


def test_directory_that_is_not_there(verb, tmp_path, capsys):
    verb("return 0")
    assert command.main(["-C", str(tmp_path / "none"), "undo"]) == 2
    assert f"cannot run in {tmp_path / 'none'}" in capsys.readouterr().err


def test_version_and_help_answer_without_loading_a_verb(capsys, monkeypatch):
    monkeypatch.setattr(command, "VERBS", {})
    for words, expected in ((["--version"], "veriloop "), (["--help"], "repair")):
        with pytest.raises(SystemExit) as ended:
            command.main(words)
        assert ended.value.code == 0
        assert expected in capsys.readouterr().out


@pytest.mark.parametrize("name", command.VERBS)
def test_every_verb_keeps_the_contract(name, capsys):
    module = importlib.import_module(command.VERBS[name])
    assert name == module.NAME
    assert command.SUMMARIES[name] == module.HELP
    with pytest.raises(SystemExit) as ended:
        command.main([name, "--help"])
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_signal_handlers_are_as_before(verb):
    before = signal.getsignal(signal.SIGTERM)
    verb("return 0")
    command.main(["undo"])
    assert signal.getsignal(signal.SIGTERM) is before


POLLING = 'print("ready", flush=True)\nwhile True:\n    session.cancel.check()\n    time.sleep(0.02)'
STUCK = 'print("ready", flush=True)\nwhile True:\n    time.sleep(0.02)'


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it_within_a_second(tmp_path, number):
    with start(tmp_path, POLLING) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        pressed = time.monotonic()
        process.send_signal(number)
        _, error = process.communicate(timeout=20)
        assert time.monotonic() - pressed < 1
        assert (process.returncode, error) == (130, "veriloop: interrupted\n")


def test_a_second_interrupt_stops_what_does_not_listen(tmp_path):
    with start(tmp_path, STUCK) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        assert process.poll() is None
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert time.monotonic() - pressed < 0.3
        assert process.returncode == 130


def test_what_does_not_listen_is_stopped_within_a_second(tmp_path):
    body = f"try:\n    {STUCK.replace(chr(10), chr(10) + '    ')}\nfinally:\n    print('cleaned up', flush=True)"
    with start(tmp_path, body) as process:
        assert process.stdout is not None
        process.stdout.readline()
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=20)
        assert time.monotonic() - pressed < 1
        assert (process.returncode, output, error) == (130, "cleaned up\n", "veriloop: interrupted\n")


def test_a_signal_that_was_ignored_stays_ignored(tmp_path):
    body = "import os, signal\nos.kill(os.getpid(), signal.SIGHUP)\nsession.cancel.check()\nreturn 0"
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    with start(tmp_path, body, **ignore) as process:
        process.communicate(timeout=20)
        assert process.returncode == 0


def test_a_reader_that_has_gone_changes_nothing(tmp_path):
    body = "for row in range(5000):\n    session.result('x' * 100, {'row': row})\nreturn 1"
    reader, writer = os.pipe()
    process = start(tmp_path, body, stdout=writer)
    os.close(writer)
    os.read(reader, 10)
    os.close(reader)
    _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (1, "")


def test_a_full_disk_is_told(tmp_path):
    with (
        Path("/dev/full").open("w") as full,
        start(tmp_path, "session.result('x', {})\nreturn 0", stdout=full) as process,
    ):
        _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "No space left" in error


def test_closed_stdout_and_stderr(tmp_path):
    body = "session.observe(Note('n'))\nsession.result('x', {})\nreturn 1"
    close = {"preexec_fn": lambda: os.closerange(1, 3), "stdout": None, "stderr": None}
    with start(tmp_path, body, **close) as process:
        assert process.wait(20) == 1


def test_text_that_the_terminal_cannot_show(tmp_path):
    body = "session.result('caf\\xe9 \\udcff', {})\nreturn 0"
    with start(tmp_path, body) as process:
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert output.endswith(" \\udcff\n")


def test_plain_progress_is_sparing_with_candidates(capsys):
    session = Session()
    session.observe(Stage("single edits"))
    for count in range(1, 1000):
        session.observe(Tried(count, 0.25, "literal"))
    session.observe(Note("the testbench never resets"))
    assert capsys.readouterr().err.splitlines() == [
        "veriloop: single edits",
        "veriloop: 1 candidates tried, best fails 25.0%",
        "veriloop: the testbench never resets",
    ]


def test_plain_progress_tells_the_time_left(capsys):
    session = Session()
    session.deadline = time.monotonic() + 42.3
    session.observe(Tried(7, 0.0, "literal"))
    assert capsys.readouterr().err == "veriloop: 7 candidates tried, a candidate passes, 42 s left\n"


def test_errors_are_exported_as_the_tests_use_them():
    assert (UsageError.exit_code, NotVerified.exit_code) == (2, 3)
    assert not issubclass(Cancelled, UsageError)


def test_live_progress_in_a_terminal(tmp_path):
    body = (
        'session.deadline = time.monotonic() + 60\nsession.observe(Stage("single edits"))\n'
        'session.observe(Note("[a note]"))\nsession.observe(Tried(12, 0.25, "literal"))\ntime.sleep(0.6)\n'
        'session.result("fine", {})\nreturn 0'
    )
    screen, terminal = os.openpty()
    with start(tmp_path, body, stderr=terminal) as process:
        os.close(terminal)
        output, _ = process.communicate(timeout=20)
    shown = os.read(screen, 100_000).decode()
    os.close(screen)
    assert (process.returncode, output) == (0, "fine\n")
    assert "[a note]" in shown
    assert "single edits · 12 candidates tried, best fails 25.0%" in shown
    assert "s left" in shown
    assert shown.rstrip("\r\n").endswith(("\x1b[2K", "\x1b[?25h")), "the line is gone and the cursor back"


ASKING = 'session.result(str(session.ask("Really?")), {})\nreturn 0'


@pytest.mark.parametrize(("typed", "answer"), [(b"y\n", "True\n"), (b"\n", "False\n"), (b"no\n", "False\n")])
def test_a_question_in_a_terminal(tmp_path, typed, answer):
    screen, terminal = os.openpty()
    with start(tmp_path, ASKING, stdin=terminal, stderr=terminal) as process:
        os.write(screen, typed)
        output, _ = process.communicate(timeout=20)
    os.close(terminal)
    os.close(screen)
    assert output == answer


def test_a_question_that_nobody_can_answer(tmp_path):
    with start(tmp_path, ASKING, stdin=subprocess.DEVNULL) as process:
        assert process.communicate(timeout=20) == ("None\n", "")


def test_an_interrupt_instead_of_an_answer(tmp_path):
    screen, terminal = os.openpty()
    with start(tmp_path, ASKING, stdin=terminal, stderr=terminal) as process:
        assert b"Really? [y/N] " in os.read(screen, 1000)
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert time.monotonic() - pressed < 1
    os.close(terminal)
    os.close(screen)
    assert process.returncode == 130
