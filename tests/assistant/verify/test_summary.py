"""What logs say, one a case: passed, failed or nothing."""

from __future__ import annotations

import pytest

from veriloop.assistant.verify.summary import read_summary, severity_lines

PASSED = """
0 errors
Errors: 0
ERRORS: 0
Error count: 0
ERROR COUNT = 0
ERROR: 0
error_count = 0
total_errors=0
Number of errors = 0
Number of failures is 0
errors found: 0
errors: none
Errors = 32'h00000000
Errors: 0x0
no errors found
No mismatch found
Simulation finished without errors
Simulation complete, 0 errors.
Test completed with 0 errors and 0 failures
===========Test completed with 0 /100 failures===========
Tests run: 5, Failures: 0, Errors: 0, Skipped: 0
Errors: 0 Warnings: 2
0 of 128 tests failed
0/10 failed
10 passed, 0 failed
10 passed 0 failed
PASS 10 FAIL 0
PASS: 10 FAIL: 0
Passed/Failed: 5/0
Tests failed: 0000
Mismatches: 0 in 100 samples
0 Mismatches out of 100
All 08 test cases passed
*** All 16 test cases completed successfully
TEST PASSED
TEST PASSED (no failures)
*** PASSED ***
PASS
PASS!
[PASS] reads back
ALL TESTS PASSED
===========Your Design Passed===========
SUCCESS
Simulation succeeded
Test OK
ALL OK
OK
ok 1 - counts up
Pass/Fail: PASS
10/10 tests passed
Passed 10 of 10
[3/10] PASS: wraps around
Test 3 of 10 passed
Pass rate: 100%
** TESTS=2 PASS=2 FAIL=0 SKIP=0                 62.00           0.00      42701.44  **
======= 3 passed in 2.10s =======
UVM_ERROR :    0
[PASS] parity error is flagged
PASS: wrong address is refused
Testing error handling ... PASSED
error injection: OK
g++ -Wno-error=unused -c x.cpp && PASS
cat error.log: PASSED
""".strip().splitlines()

FAILED = """
1 error
Errors: 1
Errors: 10
Errors: 05
ERROR: file.v:12: mismatch
ERROR: 0 expected 1
Error: 0 != 1
Error: 0, expected 1
mismatch: 0 (expected 1)
Mismatch: 0 vs 1
error_count: 3
total_errors = 12
ERR: q is 3
%Error: t.v:3: Assertion failed
[10] %Error: tb.sv:12: Assertion failed in tb.check: 'assert' failed.
%Error: tb.sv:5: Verilog $stop
FATAL: tb.v:3: gave up
*** FAILED ***
TEST 0 FAILED
Test 0 failed
vector 0 mismatch
Channel 0 errors: 3
test 0 of 10 failed
PASS: 10 FAIL: 2
PASS 10 FAIL 2
Passed/Failed: 5/2
10 passed, 1 failed
Tests failed: 0001
*** 01 test cases did not complete successfully.
Test NOT passed
The test did not pass
unsuccessful
not ok 2 - wraps around
9/10 tests passed
Passed 9 of 10
Passed: 9/10
Pass rate: 95%
0 tests passed
PASS: 0 FAIL: 0
Expected no errors but found 2
Mismatches: 0 in 0 samples
Mismatches: 3 in 100 samples
===========Error===========
===========Test completed with 5 /100 failures===========
Incorrect output
Wrong value at 30
** TESTS=2 PASS=1 FAIL=1 SKIP=0
UVM_ERROR :    3
UVM_ERROR tb/sb.sv(12) @ 100: uvm_test_top [SB] bad data
UVM_FATAL @ 0: reporter [NOCOMP] no components
make: *** [Makefile:3: sim] Error 1
TIMEOUT
Simulation timed out
""".strip().splitlines()

SILENT = """

Simulation finished
VCD info: dumpfile dump.vcd opened for output.
- tb.sv:12: Verilog $finish
time 10 q=3 crc_error=1
rx_err=1 frame_err=0
bypass enabled
pass-through mode
Pass 1 of 3
TIMEOUT = 5000
verilator --binary -Wno-error -Wno-fatal tb.sv
iverilog -o fail.vvp error.v
WARNING: tb.v:5: slow
This test should pass
expected 5, got 5
""".strip("\n").splitlines()


@pytest.mark.parametrize(
    ("log", "passed"),
    [(log, True) for log in PASSED] + [(log, False) for log in FAILED] + [(log, None) for log in SILENT],
)
def test_one_line(log, passed):
    summary = read_summary(f"starts\n{log}\nends\n")
    assert summary.passed is passed, summary.reason
    assert summary.reason


@pytest.mark.parametrize(
    ("log", "passed"),
    [
        ("[PASS] a\n[FAIL] b\n", False),
        ("All tests passed\n1 test failed\n", False),
        ("Passed: 0 Failed: 0\n[PASS] a\n[PASS] b\n", True),
        ("3/10 tests passed\n10/10 tests passed\n", True),
        ("TIMEOUT\nTEST PASSED\n", False),
        ("Timeout test PASSED\n", True),
        ("UVM_INFO :   12\nUVM_WARNING :    1\nUVM_ERROR :    0\nUVM_FATAL :    0\n", True),
        ("UVM_ERROR :    0\nUVM_FATAL :    1\n", False),
        ("Mismatches: 4 in 9 samples\nMismatches: 0 in 9 samples\n", True),
        ("TIMEOUT\nMismatches: 0 in 9 samples\n", False),
    ],
)
def test_several_lines(log, passed):
    summary = read_summary(log)
    assert summary.passed is passed, summary.reason


def test_silence_passes_only_a_testbench_that_checks_itself():
    assert read_summary("starts\n", self_checking=True).passed is True
    assert read_summary("starts\n").passed is None
    assert read_summary("%Error: t.v:3: no\n", self_checking=True).passed is False


def test_the_users_patterns_outrank_the_words():
    log = "3 errors were injected\nbye\n"
    assert read_summary(log).passed is False
    assert read_summary(log, pass_pattern="^bye$").passed is True
    assert read_summary("TEST PASSED\n", pass_pattern="^bye$").passed is False
    assert read_summary("TEST PASSED at last\n", fail_pattern="at last").passed is False


def test_severity_outranks_a_pass_pattern():
    assert read_summary("ERROR: t.v:1: q\nbye\n", pass_pattern="bye").passed is False


def test_a_count_names_the_outputs():
    log = (
        "Hint: Output 'q' has 3 mismatches. First mismatch occurred at time 50.\n"
        "Hint: Output 'full' has no mismatches.\n"
        "Mismatches: 3 in 100 samples\n"
    )
    summary = read_summary(log)
    assert (summary.checks, summary.failures, summary.failing, summary.passing) == (100, 3, ("q",), ("full",))
    assert [(found.signal, found.time) for found in summary.mismatches] == [("q", "50")]


def test_failing_lines_give_their_words_and_the_first_time():
    summary = read_summary("[PASS] a\nFAIL: count is 3 at time 120 ns\n")
    assert (summary.checks, summary.failures) == (2, 1)
    assert "count" in summary.failing
    assert summary.mismatches[0].time == "120 ns"


def test_severity_lines_are_those_of_a_simulator():
    log = "[10] %Error: t.sv:1: a\nERROR: t.v:2: b\nERROR: 0\nerror in words\nFATAL: t.v:3: c\n"
    assert len(severity_lines(log)) == 3


@pytest.mark.parametrize("log", ["\x00\xff\n" * 3, "E" * 100_000, "0 " * 20_000 + "\n", "pass " * 20_000])
def test_odd_logs_are_read_quickly(log):
    read_summary(log)
