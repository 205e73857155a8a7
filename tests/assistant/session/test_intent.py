from __future__ import annotations

import pytest

from veriloop.assistant.session.intent import Intent, guess

SAID = {
    Intent.REPAIR: """
        the FIFO drops a word when full and read together
        fix the counter
        the counter never wraps around
        repair it
        read data is wrong after a back to back write
        the arbiter gets stuck when both requests come at once
        valid is asserted one cycle too late
        my uart loses the stop bit
        count is incorrect after reset
        there is a bug in the shift register
        the test fails
        tb/alu_tb.sv is failing, please fix
        the state machine hangs in WAIT
        debug the cache controller
        output should be zero while reset is low but is not
        the memory returns garbage for address 0
        grant toggles when it should not
        it doesn't count down
        simulation mismatch on signal q
    """,
    Intent.TEST: """
        run the tests
        do all tests pass?
        run all my tests please
        which tests fail
        are the tests green
        simulate
        run the regression
    """,
    Intent.CHECK: """
        check my changes
        verify this patch
        check
        judge this diff
        verify what I have changed
        review my edits
    """,
    Intent.GENERATE: """
        generate a decoder from docs/decoder.md
        write me a module for a gray counter
        implement docs/fsm.md
        create a new 8 bit counter module
        make a state machine from the table in spec.md
    """,
    Intent.TESTBENCH: """
        write a testbench for the fifo
        I need tests for rtl/alu.sv
        generate stimuli for the arbiter
        improve the coverage
        create a test bench
    """,
    Intent.JUDGE: """
        who is at fault, the rtl or the testbench?
        is the testbench wrong?
        which is wrong, the design or the test
        could the test be buggy
    """,
    Intent.EXPLAIN: """
        explain rtl/fifo.sv
        what does the arbiter do?
        how does the fifo work
        describe this module
        what drives count
    """,
    Intent.UNDO: """
        undo
        revert that
        take it back
        please undo the last change
    """,
    Intent.WHY: """
        why did you change this?
        why was rtl/fifo.sv changed
        what did you do
        why
    """,
    Intent.STATUS: """
        status
        show me the hierarchy
        what is here
        which modules are there
    """,
    Intent.MODELS: """
        which models are installed
        download a model
    """,
    Intent.DOCTOR: """
        what is missing on this machine? doctor
        what is installed
    """,
    Intent.WAVES: """
        show me the waveform
        open dump.vcd
        waves
    """,
    Intent.HELP: """
        help
        hello
        what can you do?
    """,
}


@pytest.mark.parametrize(
    ("intent", "text"), [(intent, line.strip()) for intent, text in SAID.items() for line in text.strip().splitlines()]
)
def test_what_is_asked_for(intent, text):
    assert guess(text).intent is intent


@pytest.mark.parametrize("text", ["", "the weather is nice", "tell a joke", "1234", "foo bar", "\N{SNOWMAN}" * 40])
def test_what_nothing_speaks_for_is_not_guessed(text):
    assert guess(text).intent is None


def test_what_may_mean_two_things_names_both():
    found = guess("what does it do when it fails and drops words")
    assert {found.intent, *found.rivals} >= {Intent.EXPLAIN, Intent.REPAIR}
