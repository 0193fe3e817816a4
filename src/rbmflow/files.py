"""Files: written under a temporary name first, then renamed, so that nothing is lost."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO


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
    """Let `save` write to a temporary binary file beside `path`, then rename it to `path`."""

    def through_stream(temporary: Path) -> None:
        with temporary.open("wb") as stream:
            save(stream)

    replace_atomically(path, through_stream)


def replace_atomically(path: str | os.PathLike[str], write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, of which it gets the name, then rename it to `path`."""
    target = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
