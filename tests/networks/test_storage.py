"""Models as files: bit for bit there and back; nothing that is damaged or something else passes."""

import copy
import json
import pickle
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow.networks.storage import Stored
from rbmflow.reading import seal
from tests.networks.machines import random_machine


@dataclass(frozen=True)
class Memory(Stored):
    """A model with a plain value beside its arrays."""

    patterns: object
    temperature: float
    note: str | None = None


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "machine.npz"
    random_machine(6, 4, seed=1).save(path)
    return path


def test_there_and_back(saved):
    rbm, back = random_machine(6, 4, seed=1), RBM.load(saved)
    for name in ("weights", "visible_bias", "hidden_bias"):
        np.testing.assert_array_equal(getattr(back, name), getattr(rbm, name), strict=True)
        assert not getattr(back, name).flags.writeable


@pytest.mark.parametrize("again", [copy.deepcopy, lambda rbm: pickle.loads(pickle.dumps(rbm))])
def test_copies_stay_frozen(again):
    # ln Z is kept once it is computed: parameters that could change would leave it behind
    rbm = again(random_machine(6, 4, seed=1))
    assert not rbm.weights.flags.writeable
    assert not rbm.hidden_bias.flags.writeable


def test_plain_values_stand_in_the_header(tmp_path):
    path = tmp_path / "no suffix"
    Memory(np.array([[1, -1]], dtype=np.int8), 0.1).save(path)
    back = Memory.load(path)
    assert (back.temperature, back.note, back.patterns.dtype) == (0.1, None, np.int8)


def test_the_file_is_one_of_numpy_with_a_header_in_json(saved):
    with np.load(saved, allow_pickle=False) as archive:
        header = json.loads(archive["header"].tobytes())
        assert archive["weights"].shape == (6, 4)
    assert header["format"] == "rbmflow model 1"
    assert header["model"] == "RBM"


def test_saving_again_gives_the_same_bytes(saved, tmp_path):
    RBM.load(saved).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == saved.read_bytes()


def test_a_failed_save_leaves_the_old_model(saved):
    before = saved.read_bytes()
    with pytest.raises(TypeError):
        Memory(np.ones(2), {1, 2}).save(saved)  # a set is no JSON
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_every_byte_that_matters_is_checked(saved):
    # one byte changed at a time, all over the file: either an error, or nothing of the model has changed
    rbm, whole = RBM.load(saved), saved.read_bytes()
    for position in range(0, len(whole), 7):
        saved.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            back = RBM.load(saved)
        except ValueError as error:
            assert "not a RBM of rbmflow, or damaged" in str(error)  # noqa: PT017
        else:
            np.testing.assert_array_equal(back.weights, rbm.weights, strict=True)
            np.testing.assert_array_equal(back.visible_bias, rbm.visible_bias, strict=True)
            np.testing.assert_array_equal(back.hidden_bias, rbm.hidden_bias, strict=True)


def test_a_truncated_file_is_refused(saved):
    whole = saved.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"machine\.npz: not a RBM"):
            RBM.load(saved)


def rewrite(path, **members):
    with np.load(path) as archive:
        found = {name: archive[name] for name in archive.files}
    found.update(members)
    np.savez(path, **{name: array for name, array in found.items() if array is not None})


def changed_header(path, **items):
    with np.load(path) as archive:
        header = json.loads(archive["header"].tobytes())
    header.update(items)
    del header["digest"]  # a crafted header has a digest that fits
    return np.frombuffer(seal(header).encode(), dtype=np.uint8)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (lambda path: {"weights": np.ones((6, 4))}, "weights is not what was saved"),
        (lambda path: {"weights": None}, "weights"),
        (lambda path: {"header": None}, "no header"),
        (lambda path: {"header": np.array([1, 2], dtype=np.uint8)}, "damaged"),
        (lambda path: {"header": changed_header(path, format="else")}, "format is 'else'"),
        (lambda path: {"header": changed_header(path, model="Hopfield")}, "it holds a Hopfield"),
        (lambda path: {"header": changed_header(path, sha256={})}, "are needed"),
        (lambda path: {"header": changed_header(path, values={"extra": 1})}, "extra"),
    ],
)
def test_other_contents_are_refused(saved, members, message):
    rewrite(saved, **members(saved))
    with pytest.raises(ValueError, match=message):
        RBM.load(saved)


def test_other_files_are_refused(tmp_path):
    for name, content in (("a.npz", b"text"), ("b.npz", b"PK\x03\x04")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name):
            RBM.load(tmp_path / name)
    np.save(tmp_path / "c.npy", np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"c\.npy"):
        RBM.load(tmp_path / "c.npy")
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("header.npy", "text")
    with pytest.raises(ValueError, match=r"d\.npz"):
        RBM.load(tmp_path / "d.npz")
    with pytest.raises(FileNotFoundError):
        RBM.load(tmp_path / "absent.npz")
    with pytest.raises(FileNotFoundError):
        random_machine(2, 2, seed=1).save(tmp_path / "absent" / "machine.npz")


def test_a_pickle_is_never_opened(tmp_path):
    np.savez(tmp_path / "p.npz", header=np.array([{"format": 1}], dtype=object))
    with pytest.raises(ValueError, match=r"p\.npz"):
        RBM.load(tmp_path / "p.npz")
