import os
import stat
import subprocess
import sys

import pytest

from rbmflow.files import save_atomically, write_atomically


def test_text_and_bytes_arrive_with_unix_line_ends(tmp_path):
    write_atomically(tmp_path / "a", "α\nβ\n")
    assert (tmp_path / "a").read_bytes() == "α\nβ\n".encode()
    write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a"
    write_atomically(path, "old")

    def fail(stream):
        stream.write(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        save_atomically(path, fail)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_the_file_is_readable_as_any_other(tmp_path):
    write_atomically(tmp_path / "a", "x")
    (tmp_path / "b").write_text("x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_modes_come_from_the_system_and_are_kept(tmp_path, monkeypatch):
    before = os.umask(0o027)
    try:
        # to ask for the mask means to set it for a moment,
        # in which another thread makes its files without one
        monkeypatch.setattr(os, "umask", None)
        write_atomically(tmp_path / "a", "x")
    finally:
        monkeypatch.undo()
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    (tmp_path / "a").chmod(0o600)
    write_atomically(tmp_path / "a", "y")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="links are of POSIX")
def test_a_link_stays_one_and_what_is_no_file_stays_at_all(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "a").symlink_to("there/b")
    for text in ("new", "newer"):  # at first the link leads nowhere
        write_atomically(tmp_path / "a", text)
        assert (tmp_path / "there" / "b").read_text() == text
    assert (tmp_path / "a").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "there"):
        with pytest.raises(OSError, match="only a regular file"):
            write_atomically(tmp_path / name, "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_content_is_on_the_disk_before_its_name_and_the_name_thereafter(tmp_path, monkeypatch):
    done, sync, replace = [], os.fsync, os.replace

    def synced(handle):
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else os.fstat(handle).st_size)
        sync(handle)

    def replaced(*names):
        done.append("name")
        replace(*names)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_atomically(tmp_path / "a", "four")
    assert done[:2] == [4, "name"]
    assert done[2:] == ["folder"] or os.name != "posix"


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from rbmflow.files import save_atomically\n"
        "def die(stream):\n"
        "    stream.write(b'half')\n"
        "    stream.flush()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "save_atomically(sys.argv[1], die)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    others = [".a.0123.rbmflow", ".rbmflow", "a.0123456789abcdef.rbmflow", ".a.0123456789abcdef.tmp"]
    for name in others:
        (tmp_path / name).touch()

    def save(stream):
        write_atomically(tmp_path / "b", "x")  # must not take what is being written for a leftover
        stream.write(b"whole")

    save_atomically(tmp_path / ("a" * 250), save)
    assert {path.name for path in tmp_path.iterdir()} == {*others, "b", "a" * 250}


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "no" / "a", "x")
