from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from veriloop.models.bundled import bundled
from veriloop.models.errors import BadGrammar, BadModel, DoesNotFit, ModelError, ModelFailed, NoModel, Stopped
from veriloop.models.local import LocalModel, idle_threads
from veriloop.models.model import Message, Sampling

pytestmark = pytest.mark.needs("llama.cpp")

PROMPT = "module counter(input clk, output reg [3:0] q);"


@pytest.fixture(scope="module")
def model(model_file):
    made = LocalModel(model_file, threads=1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def slow(tmp_path_factory, write):
    """A model that takes seconds to read a long prompt."""
    path = write(tmp_path_factory.mktemp("slow") / "slow.gguf", width=768, layers=8, context=8192)
    made = LocalModel(path, threads=1)
    assert made.info.context_tokens == 8192
    yield made
    made.close()


def test_what_is_known_of_it(model, model_file):
    info = model.info
    assert (info.name, info.context_tokens, info.has_fim, info.has_chat) == ("random", 512, True, True)
    assert info.file_bytes == model_file.stat().st_size
    assert info.parameters > 90_000


def test_tokens_are_counted(model):
    assert model.count("hello") == 5
    assert model.count("") == 0
    assert model.count("<|end|>") == len("<|end|>"), "text is not ours: what looks like a special token is text"


def test_the_same_answer_alone_and_among_others(model):
    (alone,) = model.complete(PROMPT, Sampling(max_tokens=24))
    together = model.complete(PROMPT, Sampling(max_tokens=24), n=40)
    assert {answer.text for answer in together} == {alone.text}


def test_a_quantised_model_decodes_batches(quantised_file):
    model = LocalModel(quantised_file, threads=1)
    (alone,) = model.complete(PROMPT, Sampling(max_tokens=24))
    assert {answer.text for answer in model.complete(PROMPT, Sampling(max_tokens=24), n=8)} == {alone.text}
    model.close()


def test_the_model_that_comes_with_veriloop_decodes_batches():
    # Where llama.cpp is built for the processor at hand, some builds died of a second token in a batch.
    ours = bundled()
    assert ours is not None
    model = LocalModel(ours.path, threads=1)
    alone, *_ = model.complete("module m", Sampling(max_tokens=8))
    assert {one.text for one in model.complete("module m", Sampling(max_tokens=8), n=8)} == {alone.text}
    before, after = "  assign y = a", "endmodule\n"
    (filled,) = model.infill(before, after, Sampling(max_tokens=8))
    asked = f"<|fim_suffix|>{after}<|fim_middle|>{before}"
    assert model.complete(asked, Sampling(max_tokens=8))[0].text == filled.text
    model.close()


def test_drawn_answers_differ_by_their_seed(model):
    sampling = Sampling(max_tokens=16, temperature=1.0)
    texts = [answer.text for answer in model.complete(PROMPT, sampling, n=6)]
    assert len(set(texts)) > 3
    assert [answer.text for answer in model.complete(PROMPT, sampling, n=6)] == texts


def test_pieces_come_as_they_are_drawn(model):
    pieces: dict[int, str] = {}

    def take(number, text):
        pieces[number] = pieces.get(number, "") + text

    answers = model.complete(PROMPT, Sampling(max_tokens=12, temperature=1.0), n=3, on_text=take)
    assert [pieces.get(number, "") for number in range(3)] == [answer.text for answer in answers]


def test_a_draft_changes_nothing_but_the_time(model):
    prompt = "assign y = a & b; assign y = a & b; assign y = a"
    plain = model.complete(prompt, Sampling(max_tokens=40))
    assert model.complete(prompt, Sampling(max_tokens=40, draft_tokens=8)) == plain


def test_a_stop_string_ends_it_and_is_left_out(model):
    (whole,) = model.complete(PROMPT, Sampling(max_tokens=24))
    end = whole.text[5:7]
    shown: list[str] = []
    (cut,) = model.complete(
        PROMPT, Sampling(max_tokens=24, stop=(end,)), on_text=lambda number, text: shown.append(text)
    )
    assert cut.text == whole.text[: whole.text.index(end)] == "".join(shown)
    assert cut.finish == "stop"


def test_a_grammar_holds(model):
    (answer,) = model.complete(PROMPT, Sampling(max_tokens=12, grammar='root ::= "q" " <= " [0-9]{2} ";"'))
    assert answer.text[:5] == "q <= "
    assert answer.text[5:7].isdigit()
    assert (answer.text[7:], answer.finish) == (";", "stop")


def test_filling_in_and_talking(model):
    assert model.infill("assign y = ", ";", Sampling(max_tokens=5))[0].tokens <= 5
    assert model.chat([Message(role="user", content="hello")], Sampling(max_tokens=5))[0].tokens <= 5


def test_a_score_is_the_same_alone_and_among_others(model):
    texts = [" q", " q <= q + 1;", "", "x" * 300, *(f" n{number}" for number in range(60))]
    together = model.score(PROMPT, texts)
    assert [len(score.logprobs) for score in together] == [len(text) for text in texts]
    for text, score in zip(texts[:6], together, strict=False):
        (alone,) = model.score(PROMPT, [text])
        assert alone.logprobs == pytest.approx(score.logprobs, abs=0.05), "the cache holds 16 bits"
    assert all(value <= 0 for score in together for value in score.logprobs)


def test_a_score_in_a_gap_counts_the_end_and_what_stands_after(model):
    texts = [" q;", " q <= q + 1;", ""]
    together = model.score_infill("assign y =", "\nendmodule", texts)
    assert [len(score.logprobs) for score in together] == [len(text) + 1 for text in texts]
    (alone,) = model.score_infill("assign y =", "\nendmodule", texts[1:2])
    assert alone.logprobs == pytest.approx(together[1].logprobs, abs=0.05)
    (elsewhere,) = model.score_infill("assign y =", "\nend", texts[1:2])
    assert elsewhere.logprobs != alone.logprobs


def test_scores_of_all_bytes_are_a_distribution(model):
    import math

    every = [chr(code) for code in range(128)]
    total = sum(math.exp(score.total) for score in model.score(PROMPT, every))
    assert 0.3 < total < 1.0001


def test_a_prompt_that_begins_the_same_is_not_read_again(slow):
    prompt = "wire a; " * 400
    started = time.process_time()
    began = time.monotonic()
    slow.score(prompt, ["x"])
    first = time.monotonic() - began
    began = time.monotonic()
    slow.score(prompt + "y", ["x"])
    assert time.monotonic() - began < first / 3
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.complete("x" * 600, Sampling(max_tokens=8)),
        lambda model: model.infill("x" * 300, "y" * 300, Sampling(max_tokens=8)),
        lambda model: model.score("x" * 600, ["y"]),
    ],
    ids=["complete", "infill", "score"],
)
def test_what_does_not_fit_is_said_with_its_counts(call, model):
    with pytest.raises(DoesNotFit, match=r"60\d tokens.*512"):
        call(model)
    assert model.complete(PROMPT, Sampling(max_tokens=2))


def test_a_bad_grammar_costs_one_call(model):
    pid = model.process_id
    with pytest.raises(BadGrammar):
        model.complete(PROMPT, Sampling(grammar="root ::= nothing"))
    assert model.complete(PROMPT, Sampling(max_tokens=2))
    assert model.process_id == pid


def test_killing_the_process_costs_one_call(slow):
    pid = slow.process_id
    assert pid is not None
    threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
    with pytest.raises(ModelFailed, match="killed by signal 9"):
        slow.complete("wire a; " * 900, Sampling(max_tokens=4))
    assert slow.complete("x", Sampling(max_tokens=2))[0].tokens <= 2
    assert slow.process_id != pid


def test_stopping_while_the_prompt_is_read(slow):
    slow.complete("x", Sampling(max_tokens=1))
    pid, began = slow.process_id, time.monotonic()
    with pytest.raises(Stopped):
        slow.complete("assign a = b; " * 500, Sampling(max_tokens=4), stop=lambda: time.monotonic() - began > 0.3)
    assert time.monotonic() - began < 1.5
    assert slow.complete("x", Sampling(max_tokens=2))
    assert slow.process_id == pid, "it stopped by itself"


def test_stopping_while_it_answers(slow):
    endless = Sampling(max_tokens=4000, grammar="root ::= [a-z] root")
    slow.complete("x", Sampling(max_tokens=1))
    began = time.monotonic()
    with pytest.raises(Stopped):
        slow.complete("x", endless, stop=lambda: time.monotonic() - began > 0.3)
    assert time.monotonic() - began < 1.5


def test_calls_from_several_threads_wait_for_each_other(model):
    # A thread that has ended must not take the process that it started with it.
    model.close()
    answers: list[str] = []

    def ask():
        answers.append(model.complete(PROMPT, Sampling(max_tokens=8))[0].text)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off(share, model_file, tmp_path):
    content = model_file.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises((BadModel, ModelFailed)):
        LocalModel(path).complete("x", Sampling(max_tokens=1))


@pytest.mark.parametrize(
    ("content", "kind"), [(None, NoModel), (b"", BadModel), (b"not a model", BadModel), (b"GGUF\x03", ModelError)]
)
def test_a_file_that_is_no_model(content, kind, tmp_path):
    path = tmp_path / "none.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(kind):
        LocalModel(path).complete("x", Sampling(max_tokens=1))


def test_closing_ends_the_process(model_file):
    model = LocalModel(model_file, threads=1)
    model.count("x")
    pid = model.process_id
    assert pid is not None
    model.close()
    assert not Path(f"/proc/{pid}").exists()
    assert model.count("x") == 1
    model.close()


def test_a_parent_that_is_killed_takes_it_along(model_file, tmp_path):
    code = f"""
from pathlib import Path
from veriloop.models.local import LocalModel
if __name__ == "__main__":
    model = LocalModel(Path({str(model_file)!r}), threads=1)
    model.count("x")
    print(model.process_id, flush=True)
    import time; time.sleep(60)
"""
    script = tmp_path / "parent.py"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    ended = time.monotonic() + 5
    while Path(f"/proc/{pid}/status").exists() and time.monotonic() < ended:
        if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{pid}").exists()


def test_at_least_one_thread():
    assert 1 <= idle_threads() <= len(os.sched_getaffinity(0))


def _gguf(*, tensors: int = 0, pairs: int = 0, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, pairs) + rest


@pytest.mark.parametrize(
    "content",
    [
        _gguf(tensors=2**63),
        _gguf(pairs=2**63),
        _gguf(pairs=1, rest=struct.pack("<Q", 2**62) + b"name"),
        _gguf(pairs=1, rest=struct.pack("<Q", 4) + b"name" + struct.pack("<IIQ", 9, 8, 2**61)),
        _gguf(tensors=1, rest=struct.pack("<Q", 1) + b"t" + struct.pack("<IQQIQ", 2, 2**40, 2**40, 0, 0)),
        _gguf(tensors=1, rest=struct.pack("<Q", 1) + b"t" + struct.pack("<IQIQ", 1, 32, 250, 2**60)),
        b"GGUF" + b"\xff" * 4096,
    ],
    ids=["tensors", "pairs", "a name", "a list", "a tensor", "an offset", "noise"],
)
def test_a_file_that_was_made_to_break_its_reader_costs_one_call(content, tmp_path):
    path = tmp_path / "evil.gguf"
    path.write_bytes(content)
    with pytest.raises((BadModel, ModelError)):
        LocalModel(path).complete("x", Sampling(max_tokens=1))
