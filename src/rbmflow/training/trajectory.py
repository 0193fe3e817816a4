"""The machines that one was in training, kept while it goes on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, as_array, check_integer, shown
from rbmflow.networks import RBM
from rbmflow.networks.storage import Stored
from rbmflow.records import Record
from rbmflow.training.loop import Fit


@dataclass(eq=False)
class Trajectory(Record):
    """A callback of `fit` that keeps the machine of some epochs, for `sampling.trajectory_tempering`.

    Parameters
    ----------
    every : int or sequence of int
        Epochs between machines, at least 1; or the epochs themselves.

    Attributes
    ----------
    epochs : list of int
        At which machines were kept.
    machines : list of RBM
        Those machines. Each has float64 parameters: `fit` for n epochs keeps ``8 M N n/every`` bytes.

    Examples
    --------
    >>> import numpy as np
    >>> from rbmflow.training import fit
    >>> keep, spins = Trajectory([1, 2, 4]), np.array([[1, 1], [-1, -1]], dtype=np.int8)
    >>> trained = fit(RBM.uniform(2, 1, 0.1), spins, n_epochs=4, rng=1, callback=keep)
    >>> keep.epochs, keep.machines[-1]
    ([1, 2, 4], RBM(n_visible=2, n_hidden=1))
    """

    every: int | Sequence[int] = 1
    epochs: list[int] = field(default_factory=list, init=False)
    machines: list[RBM] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        chosen = as_array("every", self.every).tolist()
        if chosen == []:
            raise ValueError("every=[]: at least one epoch is needed")
        self.every = (
            [check_integer("every", epoch, 1) for epoch in chosen]
            if isinstance(chosen, list)
            else check_integer("every", chosen, 1)
        )

    def _content(self) -> dict[str, Any]:
        return dict(vars(self))

    def __call__(self, now: Fit) -> None:  # noqa: D102 (the class says it)
        epoch = now.state.epoch
        if epoch in self.every if isinstance(self.every, Sequence) else epoch % self.every == 0:
            self.epochs.append(epoch)
            self.machines.append(now.model)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the machines to one file, as `RBM.save` does.

        Parameters
        ----------
        path : path-like
            The file; its folder must exist.

        Raises
        ------
        ValueError
            If there is no machine yet.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     keep = Trajectory(every=5)
        ...     keep.epochs, keep.machines = [5], [RBM.uniform(2, 1, 0.1)]
        ...     keep.save(f"{folder}/machines.npz")
        ...     Trajectory.load(f"{folder}/machines.npz")
        Trajectory(every=5, epochs=[5], machines=<list of 1>)
        """
        if not self.machines:
            raise ValueError("machines: none has been kept yet")
        arrays = (
            np.stack([getattr(machine, name) for machine in self.machines])
            for name in ("weights", "visible_bias", "hidden_bias")
        )
        Machines(self.every, self.epochs, *arrays).save(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trajectory:
        """Read machines that `save` wrote; `fit` with this callback goes on to add to them.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        Trajectory
            With the parameters that were saved, bit for bit.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it does not hold machines, or is damaged.

        Examples
        --------
        `save` shows both.
        """
        found = Machines.load(path)
        kept = cls(found.every)
        kept.epochs = list(found.epochs)
        kept.machines = [
            RBM(*parts) for parts in zip(found.weights, found.visible_bias, found.hidden_bias, strict=True)
        ]
        return kept


@dataclass(frozen=True, eq=False)
class Machines(Stored):
    """What is in the file of a `Trajectory`."""

    every: int | Sequence[int]
    epochs: Any
    weights: FloatArray  # (n_machines, n_visible, n_hidden)
    visible_bias: FloatArray
    hidden_bias: FloatArray

    def __post_init__(self) -> None:
        if not isinstance(self.epochs, list) or not self.epochs:
            raise ValueError(f"epochs={shown(self.epochs)}: a list of integers is needed")
        Trajectory(self.every)
        for epoch in self.epochs:
            check_integer("epochs", epoch, 1)
        n, shape = len(self.epochs), np.shape(self.weights)
        for name, wanted in (
            ("weights", (n, *shape[-2:])),
            ("visible_bias", (n, *shape[-2:-1])),
            ("hidden_bias", (n, *shape[-1:])),
        ):
            array = np.asarray(getattr(self, name))
            if array.dtype != np.float64 or array.shape != wanted or array.ndim < 2 or not array.size:
                raise ValueError(
                    f"{name} is {array.dtype} of shape {array.shape}: float64 {wanted} is needed"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds NaN or an infinity: finite numbers are needed")
