"""Settings of training where little is said, chosen from the data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from rbmflow.arguments import check_choice, check_flag, check_integer, check_real_scalar, shown
from rbmflow.records import Storable
from rbmflow.training.data import Rows, check_data
from rbmflow.training.negative import PCD, NegativePhase, Tempered, check_negative
from rbmflow.training.optimizers import SGD, Adam, Linear, Momentum, Stepper, rate_of
from rbmflow.training.plan import Penalty

BATCH = 100
UPDATES = 8000
OptimizerName = Literal["sgd", "momentum", "adam"]
OPTIMIZERS: dict[OptimizerName, tuple[Any, float]] = {
    "sgd": (SGD, 0.02),
    "momentum": (Momentum, 0.002),
    "adam": (Adam, 0.001),
}
"""By name, with the rate of the first epoch: that of SGD is ten times too large for the others."""
SPARSE, FASTER, SPARSE_UPDATES = 0.8, 1.5, 1500
"""Where the mean square of the units' means is larger, most units say the same in almost every row."""
FOLLOWED, MOST_SWEEPS = 0.02, 10
"""The rate at which chains follow the machine with one sweep for an update; more of it asks for more."""
DECAY = 10.0  # l2 times the number of rows
RUNGS, TEMPERED_UPDATES = 10, 4000
HELD_OUT = 0.1


@dataclass(frozen=True)
class Recipe(Storable):
    """How a machine learns; what is None is chosen from the data by `learn`.

    Attributes
    ----------
    negative : NegativePhase, optional
        Where the averages over the model come from: ``PCD(1, n_chains)``, with a sweep more for each 0.02 of
        the rate of SGD (up to 10; momentum counts as the rate of its sum); where the chains of the machine
        remember for hundreds of sweeps where they began, once more with ``Tempered(10, 1, n_chains)``.
    n_chains : int
        Persistent chains of these.
    optimizer : str, SGD, Momentum or Adam, optional
        ``"sgd"`` (the default), ``"momentum"`` or ``"adam"``, whose rate falls linearly to 0, or one with a
        rate or schedule of its own.
    learning_rate : float, optional
        Rate in the first epoch: 0.02, 0.002 or 0.001 of these three, for sparse data one and a half times as
        much.
    batch_size : int
        Rows to an update.
    n_epochs : int, optional
        As many as make 8,000 updates; 1,500 for sparse data, 4,000 with tempered chains. With exact averages
        an epoch is one update.
    l2 : float, optional
        Cost ``½ l2 ΣW²`` per row: 10 over the number of rows, and so small that a step takes at most half
        of a weight away.
    centred : bool, optional
        Use the centred gradient: for sparse data, whose units have means with a mean square above 0.8.
    average : bool
        Take the mean of the parameters after all epochs of the second half.
    held_out : float
        Share of the rows by whose likelihood the machine is chosen, that of independent units included; 0
        takes the last one. Of fewer than 10 rows none are held out; of rows that are copies, as they occur
        more evenly than independent draws would, all or none. The machine has to be better than independent
        units by twice the standard error of the gain.

    Examples
    --------
    >>> Recipe(l2=0.0).negative is None
    True
    """

    negative: NegativePhase | None = None
    n_chains: int = 100
    optimizer: Stepper | OptimizerName | None = None
    learning_rate: float | None = None
    batch_size: int = BATCH
    n_epochs: int | None = None
    l2: float | None = None
    centred: bool | None = None
    average: bool = True
    held_out: float = HELD_OUT

    def __post_init__(self) -> None:
        check_integer("n_chains", self.n_chains, 1)
        check_integer("batch_size", self.batch_size, 1)
        if self.negative is not None:
            check_negative(self.negative)
        if isinstance(self.optimizer, str):
            check_choice("optimizer", self.optimizer, OPTIMIZERS)
        elif self.optimizer is not None:
            if not isinstance(self.optimizer, Stepper):
                raise TypeError(
                    f"optimizer={shown(self.optimizer)}: SGD, Momentum, Adam or the name of one is needed"
                )
            if self.learning_rate is not None:
                raise ValueError(
                    f"learning_rate={shown(self.learning_rate)}: the optimizer that is given has its own"
                )
        if self.learning_rate is not None:
            rate = check_real_scalar("learning_rate", self.learning_rate)
            if not 0 < rate < math.inf:
                raise ValueError(f"learning_rate={shown(rate)}: a finite number above 0 is needed")
        if self.n_epochs is not None:
            check_integer("n_epochs", self.n_epochs, 0)
        if not 0 <= check_real_scalar("held_out", self.held_out) < 1:
            raise ValueError(f"held_out={shown(self.held_out)}: a share from 0 to below 1 is needed")
        if self.l2 is not None:
            Penalty(0.0, self.l2)
        if self.centred is not None:
            check_flag("centred", self.centred)
        check_flag("average", self.average)

    def settled(self, rows: Rows, *, tempered: bool = False) -> Recipe:
        """Return the recipe with nothing left to choose.

        Parameters
        ----------
        rows : array_like, TrainingSet, Grey or Incomplete, shape (n, n_visible)
            What is trained on.
        tempered : bool
            Whether chains are to be tempered.

        Returns
        -------
        Recipe
            For these rows.

        Examples
        --------
        >>> Recipe().settled([[1, 1, 1], [1, -1, 1]] * 100).n_epochs
        4000
        """
        data, tempered = check_data(rows, None, "rows"), check_flag("tempered", tempered)
        n_rows = data.n_counted
        sparse = float((data.means() ** 2).mean()) > SPARSE
        centred = sparse if self.centred is None else bool(self.centred)
        updates = TEMPERED_UPDATES if tempered else SPARSE_UPDATES if centred else UPDATES
        exact = self.negative is not None and self.negative.exact
        in_epoch = 1 if exact else -(-n_rows // self.batch_size)
        n_epochs = -(-updates // in_epoch) if self.n_epochs is None else self.n_epochs
        optimizer = self.optimizer or "sgd"
        if isinstance(optimizer, str):
            kind, rate = OPTIMIZERS[optimizer]
            rate = self.learning_rate or rate * (FASTER if centred else 1)
            optimizer = kind(Linear(rate, max(n_epochs, 1)))
        fastest = rate_of(optimizer, 0) / (1 - getattr(optimizer, "momentum", 0.0))
        sweeps = (
            1 if isinstance(optimizer, Adam) else max(1, min(MOST_SWEEPS, int(fastest / FOLLOWED + 1e-9)))
        )
        phase = Tempered(RUNGS, 1, self.n_chains) if tempered else PCD(sweeps, self.n_chains)
        return replace(
            self,
            negative=self.negative or phase,
            optimizer=optimizer,
            learning_rate=None,
            n_epochs=n_epochs,
            l2=min(DECAY / n_rows, 0.5 / fastest) if self.l2 is None else self.l2,
            centred=centred,
        )


def check_room(recipe: Recipe, n_visible: int, n_hidden: int) -> None:
    """Raise unless a machine of this size, and chains for it, fit into the memory there is."""
    (recipe.negative or PCD(1, recipe.n_chains)).check(n_visible, n_hidden)
