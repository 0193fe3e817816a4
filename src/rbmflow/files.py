"""Files: written under a temporary name first, then renamed, so that nothing is lost."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

TEMPORARY = ".rbmflow"
WINDOWS = os.name == "nt"


def write_atomically(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write `content` to `path`; a reader sees the old file or the whole new one, never a part.

    Parameters
    ----------
    path : path-like
        The file; its folder must exist.
    content : str or bytes
        Text is written as UTF-8 with Unix line ends.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/a.txt", "spins")
    ...     Path(f"{folder}/a.txt").read_text()
    'spins'
    """
    data = content.encode() if isinstance(content, str) else content
    save_atomically(path, lambda stream: stream.write(data))


def save_atomically(path: str | os.PathLike[str], save: Callable[[IO[bytes]], object]) -> None:
    """Let `save` write to a temporary binary file beside `path`, which then takes the place of `path`.

    The content is on the disk before the name is; a link stays one, the file it points to is replaced, and
    keeps its mode. The temporary file is locked while it is written, so that one without a writer can be told
    and is removed with the next file.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "only a regular file can be replaced", str(path))
    _remove_leftovers(target.parent)
    temporary, stream = _open_temporary(target)
    try:
        with stream:
            save(stream)
            stream.flush()
            os.fsync(stream.fileno())
            if mode is not None:
                temporary.chmod(stat.S_IMODE(mode))
            if not WINDOWS:
                temporary.replace(target)
        if WINDOWS:  # which renames no file that is open, and removes none
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def lock(handle: int) -> None:
    """Lock an open file until it is closed or its process ends; raise BlockingIOError if another has it."""
    if sys.platform == "win32":
        os.lseek(handle, 2**30, os.SEEK_SET)  # beyond the content, as others cannot read what is locked
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(str(error)) from None
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_at(path: Path, handle: int) -> bool:
    """Return whether the open file is still the one of that name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _open_temporary(target: Path) -> tuple[Path, IO[bytes]]:
    while True:
        temporary = target.with_name(f".{target.name[:100]}.{os.urandom(8).hex()}{TEMPORARY}")
        stream = temporary.open("x+b")
        with suppress(OSError):  # a file system without locks
            lock(stream.fileno())
        if is_at(temporary, stream.fileno()):
            return temporary, stream
        stream.close()  # another process took it for a leftover before it was locked


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files whose writers were killed."""
    for entry in list(os.scandir(folder)):
        if re.fullmatch(rf"\..+\.[0-9a-f]{{16}}{re.escape(TEMPORARY)}", entry.name):
            with suppress(OSError):  # it is being written, or the lock of this folder's system cannot tell
                if entry.is_file(follow_symlinks=False):
                    _remove_unlocked(Path(entry.path))


def _remove_unlocked(path: Path) -> None:
    if WINDOWS:
        path.unlink()
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        lock(handle)
        path.unlink()
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Let the new name reach the disk, where folders can be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
