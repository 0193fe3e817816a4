"""What a run was asked to do, checked: what is learned, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import check_flag, check_integer, check_real_scalar, shown
from rbmflow.networks import RBM
from rbmflow.sampling.block_gibbs import Precision
from rbmflow.training.data import Data
from rbmflow.training.negative import Exact, NegativePhase, check_negative
from rbmflow.training.optimizers import LBFGS, Optimizer, check_optimizer
from rbmflow.training.parameters import Ties, Vector

PRECISIONS: dict[str, Any] = {"float32": np.float32, "float64": np.float64}


@dataclass(frozen=True)
class Penalty:
    """Costs of the weights, ``l1 Σ|W| + ½ l2 ΣW²``; biases are free."""

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name in ("l1", "l2"):
            value = check_real_scalar(name, getattr(self, name))
            if not 0 <= value < np.inf:
                raise ValueError(f"{name}={value}: a finite number of at least 0 is needed")
            object.__setattr__(self, name, value)

    def pull(self, weights: Vector) -> Vector:
        """Return the gradient of minus the cost."""
        real = weights.dtype.type
        return np.asarray(-(real(self.l1) * np.sign(weights) + real(self.l2) * weights))

    def cost(self, weights: Vector) -> float:
        """Return the cost."""
        return float(self.l1 * np.abs(weights).sum() + 0.5 * self.l2 * (weights**2).sum())


@dataclass(frozen=True)
class Objective:
    """What is learned: the data, by which free parameters, at what costs."""

    data: Data
    ties: Ties
    penalty: Penalty


@dataclass(frozen=True)
class Method:
    """How it is learned."""

    negative: NegativePhase
    optimizer: Optimizer
    batch_size: int = 100
    shuffle: bool = True
    centred: bool = False
    precision: Precision | None = None
    """None before it is checked: float32, and float64 with exact averages."""
    n_threads: int = 1

    def __post_init__(self) -> None:
        check_negative(self.negative)
        check_optimizer(self.optimizer)
        for name in ("centred", "shuffle"):
            check_flag(name, getattr(self, name))
        if self.precision is None:
            object.__setattr__(self, "precision", "float64" if self.negative.exact else "float32")
        if not isinstance(self.precision, str) or self.precision not in PRECISIONS:
            raise ValueError(f"precision={shown(self.precision)}: 'float32' or 'float64' is needed")
        object.__setattr__(self, "batch_size", check_integer("batch_size", self.batch_size, 1))

    @property
    def real(self) -> Any:
        """The type of the parameters."""
        return PRECISIONS[str(self.precision)]

    def check(self, model: RBM, penalty: Penalty) -> None:
        """Raise if the machine cannot be trained in this way, or not with this penalty."""
        self.negative.check(model.n_visible, model.n_hidden)
        if isinstance(self.optimizer, LBFGS):
            self._check_smooth(penalty)
        largest = max(np.abs(x).max() for x in (model.weights, model.visible_bias, model.hidden_bias))
        if largest > np.finfo(self.real).max:
            raise ValueError(f"model: a parameter is too large for precision={shown(self.precision)}")

    def _check_smooth(self, penalty: Penalty) -> None:
        """Raise unless the likelihood itself can be followed: a quasi-Newton method trusts its values."""
        if type(self.negative).averages is not Exact.averages:
            raise ValueError(
                f"optimizer=LBFGS() needs negative=Exact(), not {shown(self.negative)}: "
                "noise would mislead its line search"
            )
        if penalty.l1 or self.centred:
            raise ValueError(
                "optimizer=LBFGS() needs a smooth likelihood in the usual parameters: l1=0 and centred=False"
            )
        if self.precision != "float64":
            raise ValueError("optimizer=LBFGS() needs precision='float64'")
