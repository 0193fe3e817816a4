"""Models as files: arrays and a header in one npz, which holds no code and is checked when it is read."""

from __future__ import annotations

import os
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.files import save_atomically
from rbmflow.reading import brief, check_names, read_npz, refusing, seal, unseal
from rbmflow.records import Record
from rbmflow.records.storage import digest

FORMAT = "rbmflow model 1"
HEADER = "header"
ADDED = "added"
"""In the metadata of an array's field: files that were written before it are without it."""


class Stored(Record):
    """A frozen dataclass of arrays and plain values that saves and loads itself.

    A field that holds an array becomes a member of the file; numbers, text and None stand in the header,
    which also holds the name of the class and SHA-256 digests of each array and of itself.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Pair(Stored):
    ...     couplings: object
    ...     temperature: float
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Pair(np.ones(2), 0.5).save(f"{folder}/pair.npz")
    ...     Pair.load(f"{folder}/pair.npz")
    Pair(couplings=array([1., 1.]), temperature=0.5)
    """

    def __setstate__(self, state: dict[str, Any]) -> None:
        # pickle and copy hand over arrays that can be written to; a model's never can
        self.__dict__.update(state)
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one file, an npz with a header in JSON.

        The file is written under another name first: `path` holds the old model or the whole new one.

        Parameters
        ----------
        path : path-like
            The file; its folder must exist. The name is taken as it is, whatever its suffix.

        Raises
        ------
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import RBM
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     RBM.uniform(8, 4, 0.3).save(f"{folder}/machine.npz")
        ...     RBM.load(f"{folder}/machine.npz").n_hidden
        4
        """
        save_atomically(path, partial(write, self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model that `save` wrote.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        model
            With the parameters that were saved, bit for bit.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not a model of this class, or is damaged.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import RBM
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     RBM([[0.1, 0.2]]).save(f"{folder}/machine.npz")
        ...     RBM.load(f"{folder}/machine.npz").weights
        array([[0.1, 0.2]])
        """
        source = Path(path)
        # what the system says of an absent file passes as it is
        with source.open("rb") as stream:
            content = stream.read()
        with refusing(source, f"a {cls.__name__} of rbmflow"):
            return read(cls, content)


def write(model: Stored, stream: IO[bytes]) -> None:
    """Write to a binary stream what `Stored.save` writes to a file."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    values: dict[str, Any] = {}
    for field in fields(model):  # type: ignore[arg-type]
        value = getattr(model, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        else:
            values[field.name] = value
    header = {
        "format": FORMAT,
        "model": type(model).__name__,
        "values": values,
        "sha256": {name: digest(array) for name, array in arrays.items()},
    }
    text = np.frombuffer(seal(header).encode(), dtype=np.uint8)
    members: dict[str, Any] = {HEADER: text, **arrays}
    np.savez(stream, **members)


Model = TypeVar("Model", bound=Stored)


def read(model: type[Model], content: bytes) -> Model:
    """Return the model in the bytes of a file; raise what is wrong with them."""
    return model(**_members(content, model))


def _members(content: bytes, model: type) -> dict[str, Any]:
    """Return the fields of `model` that the file holds.

    Its arrays and its header are compared with their digests.
    """
    found: dict[str, Any] = read_npz(content)
    if HEADER not in found:
        raise ValueError("it has no header")
    header = unseal(found.pop(HEADER).tobytes())
    if header.get("format") != FORMAT:
        raise ValueError(f"its format is {shown(header.get('format'))}, {FORMAT!r} is needed")
    check_names("its header", header, {"format", "model", "values", "sha256"})
    if header["model"] != model.__name__:
        raise ValueError(f"it holds a {brief(header['model'])}")
    wanted = {field.name for field in fields(model)}
    later = {field.name for field in fields(model) if field.metadata.get(ADDED)}
    wanted -= later - found.keys()
    values = check_names("the header's values", header["values"], wanted - found.keys())
    digests = check_names("the header's sha256", header["sha256"], wanted - values.keys())
    if found.keys() != digests.keys():
        raise ValueError(f"it has no {brief(', '.join(sorted(found.keys() ^ digests.keys())))}")
    for name, array in found.items():
        if digest(array) != digests[name]:
            raise ValueError(f"{name} is not what was saved")
    found.update(values)
    return found
