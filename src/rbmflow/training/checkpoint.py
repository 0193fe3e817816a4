"""States of a run kept in a file while it goes on."""

from __future__ import annotations

import os
from dataclasses import dataclass

from rbmflow.arguments import check_integer
from rbmflow.training.loop import Fit


@dataclass(frozen=True)
class Checkpoint:
    """A callback of `fit` that saves the state; ``State.load(path)`` gives it back to go on from.

    The file is replaced as a whole: it holds the last state that was saved, or the one before, never a part.

    Parameters
    ----------
    path : path-like
        The file; its folder must exist.
    every : int
        Epochs between files, at least 1.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from rbmflow import RBM
    >>> from rbmflow.training import State, fit
    >>> spins = np.array([[1, 1], [-1, -1]], dtype=np.int8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keep = Checkpoint(f"{folder}/state.npz")
    ...     trained = fit(RBM.uniform(2, 1, 0.1), spins, n_epochs=3, rng=1, callback=keep)
    ...     State.load(f"{folder}/state.npz").epoch
    3
    """

    path: str | os.PathLike[str]
    every: int = 1

    def __post_init__(self) -> None:
        check_integer("every", self.every, 1)

    def __call__(self, now: Fit) -> None:  # noqa: D102 (the class says it)
        if now.state.epoch % self.every == 0:
            now.state.save(self.path)
