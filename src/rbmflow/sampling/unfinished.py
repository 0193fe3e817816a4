"""What an interrupted training set leaves on disk: a folder with its arguments and a file for each finished temperature."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rbmflow.files import write_atomically
from rbmflow.reading import brief, seal, unseal
from rbmflow.sampling.storage import require_xarray
from rbmflow.sampling.training_set import TrainingSet

ARGUMENTS = "arguments.json"
RUN = "run"
"""Where the provenance of each file says which arguments it belongs to."""


@dataclass(frozen=True)
class Unfinished:
    """The finished temperatures of a training set that is being drawn; its methods are hooks of `training_set`.

    Attributes
    ----------
    folder : Path
        Made with the first temperature.
    arguments : dict
        What the samples depend on, as JSON holds it.

    Raises
    ------
    ImportError
        Without the extra ``data``.
    ValueError
        If the folder was left by a run with other arguments.

    Examples
    --------
    >>> import tempfile
    >>> from rbmflow import Ring
    >>> from rbmflow.sampling import training_set
    >>> with tempfile.TemporaryDirectory() as place:
    ...     kept = Unfinished(Path(place) / "partial", {"seed": 1})
    ...     drawn = training_set(Ring(8), [1.0, 2.0], 4, rng=1, finished=kept.finished, store=kept.store)
    ...     kept.count()
    2
    """

    folder: Path
    arguments: dict[str, Any]

    def __post_init__(self) -> None:
        require_xarray()
        try:
            before = unseal((self.folder / ARGUMENTS).read_bytes())
        except FileNotFoundError:
            if not self.count():
                return
            before = {}
        except ValueError as error:
            raise ValueError(
                f"{self.folder / ARGUMENTS}: not the arguments of an interrupted run, or damaged ({brief(error)}); "
                f"remove {self.folder} to begin anew"
            ) from None
        self._compare(self.folder, before)

    def count(self) -> int:
        """Return how many temperatures are finished."""
        return len(list(self.folder.glob("[0-9]*.nc")))

    def finished(self, index: int) -> TrainingSet | None:
        """Return the training set of a temperature, if it is there; raise ValueError if it is of other arguments."""
        path = self._path(index)
        if not path.exists():
            return None
        found = TrainingSet.load(path)
        self._compare(path, found.provenance.get(RUN))
        return found

    def store(self, index: int, one: TrainingSet) -> None:
        """Keep the training set of a temperature."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / ARGUMENTS).exists():
            write_atomically(self.folder / ARGUMENTS, seal(self.arguments))
        replace(one, provenance={**one.provenance, RUN: self.arguments}).save(self._path(index))

    def remove(self) -> None:
        """Remove the folder, once the whole is written."""
        # the arguments go last: what is left if this is interrupted can still be used or removed
        for path in self.folder.glob("[0-9]*.nc"):
            path.unlink()
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _compare(self, path: Path, before: Any) -> None:
        """Raise ValueError if what is at `path` was left by a run with other arguments."""
        if before != self.arguments:
            known = before if isinstance(before, dict) else {}
            other = [name for name, value in self.arguments.items() if known.get(name) != value]
            raise ValueError(
                f"{path}: an interrupted run with other arguments left it ({', '.join(other)}); "
                f"finish that run, remove {self.folder} or write elsewhere"
            )

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:03d}.nc"
