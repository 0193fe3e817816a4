"""What interrupted runs leave: found again with the same arguments, else refused in one line and kept."""

import hashlib
import json

import numpy as np
import pytest

from rbmflow.checkpoints import ARGUMENTS, END, FORMAT, Checkpoints
from rbmflow.reading import seal

ASKED = {"n_sites": 8, "sides": (4, 4), "seed": 1}


def kept(tmp_path, **changes):
    return Checkpoints(tmp_path / "result.partial", {**ASKED, **changes})


@pytest.fixture
def left(tmp_path):
    """A folder with two parts."""
    run = kept(tmp_path)
    for name, content in (("a", b"spins\0"), ("b", b"")):
        run.store(name, lambda stream, content=content: stream.write(content))
    return run.folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refusal(act):
    with pytest.raises(ValueError, match=r"\.partial") as caught:
        act()
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 700
    return str(caught.value)


def test_what_is_stored_is_found_again_and_removed_in_the_end(tmp_path, left):
    run = kept(tmp_path)
    assert run.names == ["a", "b"]
    assert [run.load(name, bytes) for name in ("a", "b", "c")] == [b"spins\0", b"", None]
    run.store("a", lambda stream: np.save(stream, np.arange(3)))
    assert run.load("a", len) > 100
    run.remove()
    assert not left.exists()
    run.remove()
    assert kept(tmp_path).names == []


def test_no_folder_without_a_part(tmp_path):
    def fails(stream):
        raise KeyboardInterrupt

    run = kept(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run.store("a", fails)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 2}, "(seed)"),
        ({"sides": (4, 5), "n_sites": 9}, "(n_sites, sides)"),
        ({"version": "0.0.9"}, "(version)"),
        ({"rule": None}, "(rule)"),
    ],
)
def test_other_arguments_are_named(tmp_path, left, changes, named):
    before = contents(left)
    said = refusal(lambda: kept(tmp_path, **changes))
    assert f"{ARGUMENTS}: an interrupted run with other arguments left it {named}; finish that run" in said
    assert contents(left) == before


def test_a_part_of_other_arguments_is_named(tmp_path, left):
    other = Checkpoints(tmp_path / "other", {**ASKED, "seed": 2})
    other.store("a", lambda stream: stream.write(b"spins"))
    (other.folder / "a.part").replace(left / "a.part")
    said = refusal(lambda: kept(tmp_path).load("a", bytes))
    assert "a.part: an interrupted run with other arguments left it (seed)" in said


def part(**changes):
    """A part with the right digests of a wrong header."""
    digest = hashlib.sha256(b"spins").hexdigest()
    return seal({"format": FORMAT, "arguments": ASKED, "sha256": digest} | changes).encode() + END + b"spins"


CRAFTED = [
    b"", END, b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"[]", b"{", b"{}" + END, b'{"a":' * 10**5, b"\xff" + END,
    part(sha256="0"), part(format="rbmflow part 2"), part(format=[]), part(more=1),
    part().replace(b"spins", b"spikes"),
]  # fmt: skip


@pytest.mark.parametrize("content", CRAFTED, ids=range(len(CRAFTED)))
@pytest.mark.parametrize("name", ["a.part", ARGUMENTS])
def test_crafted_files(tmp_path, left, name, content):
    (left / name).write_bytes(content)
    said = refusal(lambda: kept(tmp_path).load("a", bytes))
    assert f"{name}: not " in said or f"{name}: an interrupted run with other arguments left it" in said
    assert f"remove {left} " in said


@pytest.mark.parametrize("arguments", [[], 3, None, {}, {"seed": "<script>" * 1000}, {"x\n" * 1000: 1}])
def test_crafted_arguments_of_a_part(tmp_path, left, arguments):
    (left / "a.part").write_bytes(part(arguments=arguments))
    assert "a.part: an interrupted run with other arguments left it (" in refusal(
        lambda: kept(tmp_path).load("a", bytes)
    )


def test_every_byte_counts(tmp_path, left):
    whole = (left / "a.part").read_bytes()
    for at in range(len(whole)):
        (left / "a.part").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        refusal(lambda: kept(tmp_path).load("a", bytes))
        (left / "a.part").write_bytes(whole[:at])
        refusal(lambda: kept(tmp_path).load("a", bytes))


def test_what_a_reader_raises_is_told(tmp_path, left):
    said = refusal(lambda: kept(tmp_path).load("a", json.loads))
    assert "a.part: not a part of an interrupted run, or damaged (Expecting value" in said


def test_parts_without_their_arguments(tmp_path, left):
    (left / ARGUMENTS).unlink()
    assert f"{ARGUMENTS}: not the arguments of an interrupted run" in refusal(lambda: kept(tmp_path))


@pytest.mark.parametrize("name", ["result.partial.nc", "result.partial/003.nc"])
def test_what_earlier_versions_left_is_refused(tmp_path, left, name):
    (tmp_path / name).write_bytes(b"\x89HDF")
    said = refusal(lambda: kept(tmp_path))
    assert f"{name}: an interrupted run of an earlier version of rbmflow left it; finish that run" in said
    assert f"remove {left if '/' in name else tmp_path / name} to begin anew" in said


def test_parts_are_due_after_some_seconds(tmp_path):
    for seconds, then in ((0.0, True), (1000.0, False)):
        run = Checkpoints(tmp_path / "partial", ASKED, seconds)
        assert run.due()
        run.store("a", lambda stream: None)
        assert run.due() is then
