"""Folders held for the length of a run: two runs that write into one would mix their files."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from rbmflow.files import is_at, lock

LOCK = ".rbmflow.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, made if it was missing; another process, or another call, that asks for it is refused.

    The lock is the system's, on a file in the folder that says who holds it: it ends with the process,
    however that ends. A folder that was made and is still empty in the end is removed.

    Parameters
    ----------
    folder : Path
        The folder.

    Raises
    ------
    BlockingIOError
        If another holds it; the message says which process, where and since when.
    OSError
        If the folder cannot be made or written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with locked(Path(place)):
    ...         (Path(place) / LOCK).read_text().split()[0]
    'process'
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        handle = _taken(folder)
        try:
            yield
        finally:
            with suppress(PermissionError):  # Windows keeps the name of an open file: it stays, unlocked
                (folder / LOCK).unlink(missing_ok=True)
            os.close(handle)
    finally:
        for path in made:
            with suppress(OSError):  # not empty
                path.rmdir()


def _taken(folder: Path) -> int:
    """Return the handle of the folder's lock, a file that says who holds it."""
    path = folder / LOCK
    for _ in range(100):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except FileNotFoundError:  # another run that had made the folder has just removed it
            continue
        except FileExistsError:  # it was there, and is no more when `mkdir` looks what it is; or it is a file
            if folder.exists() and not folder.is_dir():
                raise NotADirectoryError(f"{folder} is a file: a folder is needed") from None
            continue
        try:
            _lock(handle, folder)
            if is_at(path, handle):
                os.ftruncate(handle, 0)
                os.write(handle, _myself().encode())
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its holder ended in between, and removed it
    raise OSError(f"{folder}: no lock {LOCK} can be made in it")


def _lock(handle: int, folder: Path) -> None:
    try:
        lock(handle)
    except BlockingIOError:
        said = " ".join(os.read(handle, 300).decode(errors="replace").split())
        holder = "".join(filter(str.isprintable, said)) or "another process"
        raise BlockingIOError(
            f"{folder}: in use by {holder}; wait until it has ended, or write elsewhere"
        ) from None
    except OSError:
        pass  # a file system without locks: parts of other arguments are refused there too


def _myself() -> str:
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    return f"process {os.getpid()} on {platform.node()} since {now}\n"
