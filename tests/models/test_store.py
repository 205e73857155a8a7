from __future__ import annotations

import dataclasses

import pytest

from veriloop.models.bundled import bundled
from veriloop.models.errors import BadModel, ModelError, NoModel
from veriloop.models.store import ROLES, Store, data_home


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "models")


def own(store):
    return tuple(model for model in store.installed() if not model.bundled)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "My Model.gguf"
    path.write_bytes(b"GGUF" + bytes(range(256)) * 100)
    return path


def test_a_model_is_copied_named_and_found(store, file):
    steps: list[tuple[int, int]] = []
    made = store.add(file, on_bytes=lambda done, total: steps.append((done, total)))
    assert made.name == "My-Model"
    assert made.path.read_bytes() == file.read_bytes()
    assert (made.size_bytes, made.source) == (file.stat().st_size, str(file))
    assert steps[-1] == (made.size_bytes, made.size_bytes)
    assert own(store) == (made,)
    assert store.find("My-Model") == made


def test_a_model_that_was_changed_is_found_out(store, file):
    made = store.add(file)
    assert store.verify(made.name) == made
    made.path.write_bytes(made.path.read_bytes()[:-1] + b"x")
    with pytest.raises(BadModel, match="not the one that was installed"):
        store.verify(made.name)
    made.path.unlink()
    with pytest.raises(BadModel, match="cannot be read"):
        store.verify(made.name)


def test_a_model_is_taken_away_with_what_it_was_used_for(store, file):
    made = store.add(file)
    store.use(made.name, ("repair",))
    choice = store.choose("repair")
    assert choice is not None
    assert choice.why == "you chose it for repair"
    store.remove(made.name)
    assert own(store) == ()
    choice = store.choose("repair")
    assert choice is not None
    assert choice.model.bundled


def test_the_only_model_generates_and_one_without_fim_does_not_complete(store, file):
    store.add(file)
    choice = store.choose("generate")
    assert choice is not None
    assert choice.why == "the only one that is installed"
    choice = store.choose("complete")
    assert choice is not None
    assert choice.model.bundled


def test_the_bundled_model_is_what_its_facts_say(store):
    (model,) = store.installed()
    assert model.bundled
    assert store.verify(model.name) == model
    assert 0 < model.size_bytes == model.path.stat().st_size < 40e6
    assert model.has_fim
    with pytest.raises(BadModel, match="came with Veriloop"):
        store.remove(model.name)
    for role in ROLES:
        choice = store.choose(role)
        assert choice is not None
        assert choice.model == model
    store.note(dataclasses.replace(model, decode_tok_s=12.5))
    assert store.find(model.name).decode_tok_s == 12.5


def test_a_package_without_a_model_has_none(store, tmp_path, monkeypatch):
    monkeypatch.setattr("veriloop.models.bundled.resources.files", lambda package: tmp_path)
    assert bundled() is None
    assert store.installed() == ()
    assert store.choose("complete") is None


def test_what_cannot_be_added(store, file, tmp_path):
    other = tmp_path / "text.gguf"
    other.write_text("no model")
    with pytest.raises(BadModel, match="no GGUF file"):
        store.add(other)
    with pytest.raises(NoModel, match="cannot be read"):
        store.add(tmp_path / "none.gguf")
    with pytest.raises(BadModel, match="no name"):
        store.add(file, name="../up")
    store.add(file)
    with pytest.raises(BadModel, match="already"):
        store.add(file)
    assert [path.name for path in store.directory.iterdir()] == ["My-Model"]


def test_a_disk_without_room(file, tmp_path):
    store = Store(tmp_path / "models", free_bytes=lambda path: 1000)
    with pytest.raises(ModelError, match="do not fit"):
        store.add(file)
    assert own(store) == ()


def test_a_disk_that_is_full_in_the_middle(file, tmp_path, monkeypatch):
    store = Store(tmp_path / "models")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("veriloop.models.store._copy", full)
    with pytest.raises(ModelError, match="No space left"):
        store.add(file)
    assert list(store.directory.iterdir()) == []


def test_facts_that_cannot_be_read_hide_a_model_and_harm_none(store, file):
    made = store.add(file)
    (store.directory / "half").mkdir()
    (store.directory / "half" / "model.json").write_text('{"sha256": ')
    assert own(store) == (made,)
    with pytest.raises(NoModel, match="half"):
        store.find("half")


def test_where_models_lie(tmp_path):
    assert data_home({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "veriloop" / "models"
    assert data_home({"XDG_DATA_HOME": "relative"}).is_absolute()
