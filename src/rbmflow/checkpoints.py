"""What an interrupted run leaves to go on from: its arguments and its finished parts."""

from __future__ import annotations

import hashlib
import io
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from rbmflow.files import write_atomically
from rbmflow.provenance import version_of
from rbmflow.reading import brief, check_names, refusing, seal, unseal

ARGUMENTS, SUFFIX = "arguments.json", ".part"
FORMAT = "rbmflow part 1"
END = b"\0"
"""Of the header of a part; JSON holds no such byte."""

Found = TypeVar("Found")


class Checkpoints:
    """A folder with the arguments of a run and a file for each part of it that is finished.

    The arguments stand beside the parts and in each of them, with a SHA-256 of what it holds: what other
    arguments gave, or what is damaged, is refused in one line, and nothing begins anew unless the folder is
    removed.

    Parameters
    ----------
    folder : path-like
        Made with the first part.
    arguments : dict
        All that the parts depend on, as JSON holds it; the version of the package is added.
    seconds : float
        Between parts of a run that asks `due`.

    Raises
    ------
    ValueError
        If a run with other arguments, or an earlier version, left what is there, or it is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     before = Checkpoints(f"{place}/partial", {"seed": 1})
    ...     before.store("first", lambda stream: stream.write(b"spins"))
    ...     now = Checkpoints(f"{place}/partial", {"seed": 1})
    ...     now.names, now.load("first", bytes.decode), now.load("second", bytes.decode)
    (['first'], 'spins', None)
    """

    folder: Path
    seconds: float
    arguments: dict[str, Any]

    def __init__(
        self, folder: str | os.PathLike[str], arguments: dict[str, Any], seconds: float = 0.0
    ) -> None:
        self.folder, self.seconds = Path(folder), seconds
        self.arguments = {"version": version_of(), **unseal(seal(arguments))}
        self._stored = -math.inf
        self._refuse_earlier()
        path = self.folder / ARGUMENTS
        if path.exists() or self.names:
            content = path.read_bytes() if path.exists() else b""
            with self._refusing(path, "the arguments of an interrupted run"):
                before = unseal(content)
            self._compare(path, before)

    @property
    def names(self) -> list[str]:
        """Names of the parts that are there."""
        return sorted(path.stem for path in self.folder.glob(f"[!.]*{SUFFIX}"))

    def due(self) -> bool:
        """Return whether the last part was stored so many seconds ago, or none has been."""
        return time.monotonic() - self._stored >= self.seconds

    def store(self, name: str, save: Callable[[IO[bytes]], object]) -> None:
        """Keep a part, which `save` writes to a binary stream, in the place of one of that name."""
        stream = io.BytesIO()
        save(stream)
        content = stream.getbuffer()
        header = {"format": FORMAT, "arguments": self.arguments, "sha256": _digest(content)}
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / ARGUMENTS).exists():
            write_atomically(self.folder / ARGUMENTS, seal(self.arguments))
        write_atomically(self._path(name), b"".join((seal(header).encode(), END, content)))
        self._stored = time.monotonic()

    def load(self, name: str, read: Callable[[bytes], Found]) -> Found | None:
        """Return what `read` makes of a part's bytes, if it is there; raise ValueError if it is of no use."""
        path, what = self._path(name), "a part of an interrupted run"
        if not path.exists():
            return None
        head, _, content = path.read_bytes().partition(END)
        with self._refusing(path, what):
            header = check_names("its header", unseal(head), {"format", "arguments", "sha256"})
            if header["format"] != FORMAT:
                raise ValueError(f"its format is {brief(header['format'])}, {FORMAT!r} is needed")
        self._compare(path, header["arguments"])
        with self._refusing(path, what):
            if _digest(content) != header["sha256"]:
                raise ValueError("its content is not what was saved")
            return read(content)

    def remove(self) -> None:
        """Remove the folder, once the whole is written."""
        # the arguments go last: what is left if this is interrupted can still be used or removed
        for name in self.names:
            self._path(name).unlink()
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"

    def _compare(self, path: Path, before: Any) -> None:
        """Raise ValueError if what is at `path` was left by a run with other arguments."""
        if before != self.arguments:
            known, absent = before if isinstance(before, dict) else {}, object()
            other = [
                name
                for name in self.arguments | known
                if self.arguments.get(name, absent) != known.get(name, absent)
            ]
            raise ValueError(
                f"{path}: an interrupted run with other arguments left it ({brief(', '.join(other))}); "
                f"finish that run, remove {self.folder} or write elsewhere"
            )

    def _refuse_earlier(self) -> None:
        """Raise ValueError at files of versions before this format, beside the folder or in it."""
        inside = self.folder.glob("[!.]*")
        earlier = [path for path in inside if path.name != ARGUMENTS and path.suffix != SUFFIX]
        for path in [*self.folder.parent.glob(f"{self.folder.name}.*"), *earlier]:
            what = self.folder if path in earlier else path
            raise ValueError(
                f"{path}: an interrupted run of an earlier version of rbmflow left it; "
                f"finish that run with that version, remove {what} to begin anew, or write elsewhere"
            )

    @contextmanager
    def _refusing(self, path: Path, what: str) -> Iterator[None]:
        try:
            with refusing(path, what):
                yield
        except ValueError as error:
            raise ValueError(f"{error}; remove {self.folder} to begin anew") from None


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()
