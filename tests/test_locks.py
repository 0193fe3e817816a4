"""Folders that are held by one run, and commands that are refused meanwhile."""

import os
import platform
import signal
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from rbmflow import cli
from rbmflow.locks import LOCK, locked

STORED = all(map(find_spec, ("xarray", "h5netcdf", "h5py")))


def test_a_second_one_is_told_who_holds_the_folder(tmp_path):
    with locked(tmp_path):
        with pytest.raises(BlockingIOError) as caught, locked(tmp_path):
            pass
        assert f"in use by process {os.getpid()} on {platform.node()} since 20" in str(caught.value)
    with locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_made_for_nothing_is_removed(tmp_path):
    with locked(tmp_path / "a" / "b"):
        (tmp_path / "a" / "c").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "c"]


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from rbmflow.locks import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / LOCK).read_text().startswith("process ")
    with locked(tmp_path):
        assert (tmp_path / LOCK).read_text().startswith(f"process {os.getpid()} ")
    assert not (tmp_path / LOCK).exists()


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are followed")
def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / LOCK).symlink_to("precious")
    with pytest.raises(OSError, match=r"rbmflow\.lock"), locked(tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_never_two_at_once_though_each_removes_its_lock(tmp_path):
    inside, most, taken = [], [], []

    def work(name):
        for _ in range(200):
            try:
                with locked(tmp_path / "made"):
                    inside.append(name)
                    most.append(len(inside))
                    inside.remove(name)
                taken.append(name)
            except BlockingIOError:
                pass

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert taken
    assert list(tmp_path.rglob(LOCK)) == []


def test_a_folder_removed_while_it_is_made_is_made_again(tmp_path, monkeypatch):
    make, calls = Path.mkdir, []

    def made_by_another_who_removes_it(path, *args, **options):
        calls.append(path)
        if len(calls) < 3:
            raise (FileExistsError, FileNotFoundError)[len(calls) - 1](path)
        make(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", made_by_another_who_removes_it)
    with locked(tmp_path / "made"):
        assert len(calls) == 3


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="is a file"), locked(tmp_path / "file"):
        pass


@pytest.mark.parametrize(
    "words",
    [
        "sample ring 8", "train spins.npy --hidden 2", "reproduce", "experiment iso", "experiment ring",
        "experiment weight_map", "experiment capacity", "experiment torus_threshold", "info --out x",
        "weight 1 --visible 8 --hidden 4 --out x", "degeneracies 8 --out x", "ising infinite --out x",
    ],
)  # fmt: skip
def test_every_command_that_writes_is_refused_while_another_does(capsys, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    np.save("spins.npy", np.ones((2, 2)))
    folders = {"sample": ".", "train": "spins.trained", "reproduce": "reproduction"}
    name = words.split()[words.startswith("experiment")]
    folder = folders.get(name, "x" if "--out" in words else name)
    with locked(tmp_path / folder):
        before = sorted(tmp_path.rglob("*"))
        status = cli.main(words.split())
        out, err = capsys.readouterr()
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert f"in use by process {os.getpid()}" in err
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.skipif(not STORED, reason="the extra data is absent")
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be paused")
def test_a_paused_run_keeps_its_folder(capsys, tmp_path):
    words = ["sample", "ring", "8", "--samples", "20", "--quiet"]
    words += ["--out", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "rbmflow", *words, "--seed", "1"], stdout=subprocess.PIPE
    ) as first:
        try:
            while not ((tmp_path / LOCK).exists() and (tmp_path / LOCK).read_text()):
                assert first.poll() is None
            first.send_signal(signal.SIGSTOP)
            status = cli.main([*words, "--seed", "2"])
            assert (status, f"in use by process {first.pid} on " in capsys.readouterr().err) == (2, True)
            first.send_signal(signal.SIGCONT)
            assert first.wait(120) == 0
        finally:
            first.kill()
