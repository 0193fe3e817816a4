"""The class that results and models derive from."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

from rbmflow.records.storable import Storable


class Record(Storable):
    """A dataclass with a short text, equality and a file.

    The text names each field, and of an array its type, its shape and a few numbers; of fields with
    ``repr=False`` sizes alone. Fields with ``compare=False``, as the provenance of a result, take no part
    in `equals`. Names that begin with ``_`` are not shown.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass(frozen=True, eq=False)
    ... class Series(Record):
    ...     rule: str
    ...     energy: object
    >>> Series("heat_bath", np.linspace(0, 1, 10))
    Series(rule='heat_bath', energy=<float64 (10,): 0, 0.1111, ..., 1>)
    """

    _brief: ClassVar = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__repr__" not in vars(cls):  # else dataclass writes one with every number
            cls.__repr__ = cls.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        from rbmflow.records.text import text_of

        return text_of(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from rbmflow.records.page import page_of

        return page_of(self)

    def equals(self, other: object) -> bool:
        """Return whether another object is of the same class and holds the same numbers.

        Parameters
        ----------
        other : object
            Anything.

        Returns
        -------
        bool
            NaN equals NaN, arrays of different types are different, and provenance does not count.

        Examples
        --------
        >>> from rbmflow import RBM
        >>> RBM.uniform(8, 4, 0.3).equals(RBM.uniform(8, 4, 0.3))
        True
        >>> RBM.uniform(8, 4, 0.3).equals(RBM.uniform(8, 4, 0.4))
        False
        """
        from rbmflow.records.equality import same

        return same(self, other)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to one file, an npz with a header in JSON, whole or not at all.

        Parameters
        ----------
        path : path-like
            The file; its folder must exist. The name is taken as it is, whatever its suffix.

        Raises
        ------
        OSError
            If the file cannot be written.
        TypeError
            If the result holds what no file can, as a function.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import Ring
        >>> from rbmflow.sampling import Run, run
        >>> chains = run(Ring(8), 0.5, n_sweeps=100, rng=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     chains.save(f"{folder}/chains.npz")
        ...     Run.load(f"{folder}/chains.npz").equals(chains)
        True
        """
        from rbmflow.files import save_atomically
        from rbmflow.records.storage import pack

        members = pack(self)  # before a file is begun
        save_atomically(path, partial(_write, members))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a result that `save` wrote.

        Parameters
        ----------
        path : path-like
            The file. Nothing in it is ever run.

        Returns
        -------
        result
            Equal in every bit to what was saved.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it holds something else, or is damaged.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow.weight import LimitTable, limit_table
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     limit_table(4, 2, dps=10).save(f"{folder}/limits.npz")
        ...     LimitTable.load(f"{folder}/limits.npz").dps
        10
        """
        from rbmflow.reading import refusing
        from rbmflow.records.storage import unpack

        source = Path(path)
        content = source.read_bytes()  # what the system says of an absent file passes as it is
        with refusing(source, f"a {cls.__name__} of rbmflow"):
            return unpack(cls, content)


def _write(members: dict[str, Any], stream: Any) -> None:
    import numpy as np

    np.savez(stream, **members)
