"""Rows become batches: the same whoever prepares them, and with rows that join."""

from __future__ import annotations

import itertools
import os
import signal
from dataclasses import replace

import pytest

from tests.assistant.training.lm.test_sft import rows
from veriloop.assistant.errors import ToolFailed, UsageError
from veriloop.assistant.training.lm import dataset
from veriloop.assistant.training.lm.dataset import Dataset, Recipe
from veriloop.assistant.training.lm.tokenizer import train_tokenizer


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "CHUNK_ROWS", 20)
    train_tokenizer([row.rtl for row in rows()], size=560).save(str(tmp_path / "tokenizer.json"))
    for number in range(3):
        some = rows()[16 * number : 16 * number + 16]
        # The last file repeats a row of the first one.
        lines = [row.to_json() + "\n" for row in (*some, rows()[0])]
        (tmp_path / f"{number}.jsonl").write_text("".join(lines))
    return tmp_path


def recipe(kept, context=256):
    return Recipe(tokenizer=kept / "tokenizer.json", context=context, batch_tokens=1000, seed=1)


def taken(data, kept, count, **where):
    found = itertools.islice(data.chunks(recipe(kept), **where), count)
    return [(chunk.epoch, chunk.number, [batch.tokens.tolist() for batch in chunk.batches]) for chunk in found]


def test_other_processes_prepare_the_same(kept):
    with Dataset([kept]) as here, Dataset([kept], jobs=2) as ahead:
        assert [entry.digest for entry in here.entries()] == [row.digest for row in rows()]
        assert ahead.entries() == here.entries()
        found = taken(here, kept, 7)
        assert [(epoch, number) for epoch, number, _ in found] == [
            (0, 0),
            (0, 1),
            (0, 2),
            (1, 0),
            (1, 1),
            (1, 2),
            (2, 0),
        ]
        assert taken(ahead, kept, 7) == found
        assert taken(here, kept, 2, epoch=1, number=1) == found[4:6]
        assert found[0][2] != found[3][2], "an epoch has another order, and other gaps"


def test_a_batch_is_no_larger_than_was_asked_for(kept):
    with Dataset([kept]) as data:
        for chunk in itertools.islice(data.chunks(recipe(kept)), 3):
            for batch in chunk.batches:
                assert batch.tokens.size <= 1000
                assert (batch.read < batch.sizes).all()
                for tokens, size in zip(batch.tokens, batch.sizes, strict=True):
                    assert not tokens[size:].any()
                assert batch.sizes.max() == batch.tokens.shape[1]


def test_rows_join(kept):
    last = (kept / "2.jsonl").rename(kept / "later")
    with Dataset([kept], jobs=1) as data:
        assert len(data.entries()) == 32
        chunks = data.chunks(recipe(kept))
        next(chunks)
        last.rename(kept / "2.jsonl")
        list(itertools.islice(chunks, 4))
        assert len(data.entries()) == 48


def test_a_killed_process_is_told(kept):
    with Dataset([kept], jobs=1) as data:
        data.entries()
        (other,) = data._others
        os.kill(other.process.pid or 0, signal.SIGKILL)
        with pytest.raises(ToolFailed, match="killed"):
            next(data.chunks(recipe(kept)))


def test_bad_rows(kept, tmp_path):
    (kept / "3.jsonl").write_text("no row\n")
    for jobs in (0, 1):
        with Dataset([kept], jobs=jobs) as data, pytest.raises(UsageError, match=r"3.jsonl:1"):
            data.entries()
    with Dataset([tmp_path / "none"]) as data, pytest.raises(UsageError, match="holds no rows"):
        data.entries()


def test_a_choice_of_families_holds_every_smaller_one(kept):
    some = rows()
    names = ("adder", "mux", "timer", "adder+timer")
    lines = [replace(row, family=names[number % 4]) for number, row in enumerate(some)]
    lines += [replace(row, family="other", split="family", rtl=row.rtl + "// ") for row in some]
    for path in kept.glob("*.jsonl"):
        path.unlink()
    (kept / "a.jsonl").write_text("".join(row.to_json() + "\n" for row in lines))
    found = []
    for number in range(4):
        with Dataset([kept], most_families=number) as data:
            found.append({entry.family for entry in data.entries() if entry.split == "train"})
    assert found[0] == found[3] == set(names)
    assert len(found[1]) == 1
    assert found[1] < found[2]
    assert ("adder+timer" in found[2]) == ({"adder", "timer"} <= found[2])
