"""How a machine is trained on data of one's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rbmflow.arguments import check_choice, check_integer, check_real_scalar, shown
from rbmflow.experiments.experiment import BaseParameters, option
from rbmflow.training import LBFGS, SGD, Adam, Momentum, NegativePhase, Recipe
from rbmflow.training.negative import NEGATIVES
from rbmflow.training.optimizers import Optimizer

RATE, EPOCHS, SWEEPS = 0.01, 100, 10
"""Of training with patience, where they are not said."""
OPTIMIZERS: dict[str, Any] = {"sgd": SGD, "momentum": Momentum, "adam": Adam, "lbfgs": lambda _rate: LBFGS()}
YES = {"yes": True, "no": False}
CHOSEN = "default: chosen from the data"
PATIENCE = (
    "train at a constant rate until N epochs bring no gain in pseudo-likelihood on the rows held out, "
    "and take the best machine"
)


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """How a machine is trained; what is None is chosen from the data, see `rbmflow.training.Recipe`.

    Attributes
    ----------
    n_hidden : int
        Hidden units.
    negative : str, optional
        ``"pcd"``, ``"cd"``, ``"tempered"`` (ten rungs) or ``"exact"``.
    k : int, optional
        Sweeps for an update.
    n_chains : int
        Persistent chains (on each rung).
    optimizer : str
        ``"sgd"``, ``"momentum"``, ``"adam"`` or ``"lbfgs"`` (exact gradients only).
    learning_rate : float, optional
        Of the optimiser in the first epoch, from which it falls to 0; without effect on lbfgs.
    batch_size : int
        Rows to an update.
    n_epochs : int, optional
        Epochs.
    l2 : float, optional
        Cost ``½ l2 ΣW²`` per row.
    centred : str, optional
        ``"yes"`` or ``"no"``: whether the centred gradient is used.
    average : str
        Whether the parameters are averaged over the second half of the epochs.
    holdout : float
        Share of the rows that are held out, by which the machine is chosen; from 0 to below 1.
    patience : int
        Epochs without a gain in the pseudo-likelihood of the rows held out after which training ends, with
        the machine of the best epoch: then, and with lbfgs, rates are constant and nothing is chosen or
        averaged.
    """

    n_hidden: int = field(metadata=option("hidden units", "--hidden", metavar="N"))
    negative: str | None = field(
        default=None, metadata=option(f"averages over the model ({CHOSEN})", choices=tuple(NEGATIVES))
    )
    k: int | None = field(default=None, metadata=option("sweeps for an update", "-k", metavar="K"))
    n_chains: int = field(default=100, metadata=option("persistent chains", "--chains", metavar="N"))
    optimizer: str = field(default="sgd", metadata=option(choices=tuple(OPTIMIZERS)))
    learning_rate: float | None = field(
        default=None, metadata=option("in the first epoch (default by the optimizer)", metavar="RATE")
    )
    batch_size: int = field(default=100, metadata=option("rows to an update", metavar="N"))
    n_epochs: int | None = field(default=None, metadata=option(CHOSEN, "--epochs", metavar="N"))
    l2: float | None = field(default=None, metadata=option(f"cost of the weights ({CHOSEN})", metavar="X"))
    centred: str | None = field(
        default=None, metadata=option(f"centred gradient ({CHOSEN})", choices=tuple(YES))
    )
    average: str = field(
        default="yes", metadata=option("average over the second half of the epochs", choices=tuple(YES))
    )
    holdout: float = field(default=0.1, metadata=option("of the rows, held out", metavar="SHARE"))
    patience: int = field(default=0, metadata=option(PATIENCE, metavar="N"))

    def __post_init__(self) -> None:
        check_integer("n_hidden", self.n_hidden, 1)
        if self.negative is not None:
            check_choice("negative", self.negative, NEGATIVES)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        for name in ("centred", "average"):
            if getattr(self, name) is not None:
                check_choice(name, getattr(self, name), YES)
        if not 0 <= check_real_scalar("holdout", self.holdout) < 1:
            raise ValueError(f"holdout={shown(self.holdout)}: a share from 0 to below 1 is needed")
        if check_integer("patience", self.patience, 0) and not self.holdout:
            raise ValueError(f"patience={self.patience}: it needs rows that are held out, holdout is 0")
        if self.plain:
            self.phase()
            check_integer("n_epochs", self.epochs, 0)
            check_integer("batch_size", self.batch_size, 1)
            self.rule()
        else:
            self.recipe()

    @property
    def plain(self) -> bool:
        """Whether it is trained by `fit` alone."""
        return bool(self.patience) or self.optimizer == "lbfgs"

    @property
    def epochs(self) -> int:
        """Epochs of that."""
        return EPOCHS if self.n_epochs is None else self.n_epochs

    def phase(self) -> NegativePhase:
        """Return its negative phase."""
        return NEGATIVES[self.negative or "pcd"](SWEEPS if self.k is None else self.k, self.n_chains)

    def rule(self) -> Optimizer:
        """Return its optimiser."""
        found: Optimizer = OPTIMIZERS[self.optimizer](
            RATE if self.learning_rate is None else self.learning_rate
        )
        return found

    def recipe(self) -> Recipe:
        """Return what `learn` is told."""
        said = self.negative is not None or self.k is not None
        k = 1 if self.k is None else self.k
        return Recipe(
            negative=NEGATIVES[self.negative or "pcd"](k, self.n_chains) if said else None,
            n_chains=self.n_chains,
            optimizer=self.optimizer,  # type: ignore[arg-type]  # it is checked there
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            n_epochs=self.n_epochs,
            l2=self.l2,
            centred=None if self.centred is None else YES[self.centred],
            average=YES[self.average],
            held_out=self.holdout,
        )
