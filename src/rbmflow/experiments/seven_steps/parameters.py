"""What the seven-step experiment does, and how much of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from rbmflow import flow
from rbmflow.arguments import FloatArray, check_integer, check_real, check_real_scalar, shown
from rbmflow.experiments.experiment import BaseParameters, Option, option
from rbmflow.ising import Ring, Torus
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.ground_states import ground_states
from rbmflow.ising.lattice import Lattice, as_stored, from_json
from rbmflow.reading import check_names
from rbmflow.sampling.topology import check_lattice
from rbmflow.training.negative import NEGATIVES, NegativePhase

MAPS: dict[str, Callable[..., Any]] = {
    "mean_field": flow.mean_field,
    "mean_field_sampled": flow.mean_field_sampled,
    "gibbs": flow.gibbs,
    "sign": flow.sign,
}
SETS = {
    "V": "all temperatures",
    "H": "high temperatures",
    "L": "T = 0",
    "ends": "T = 0 and T = ∞",
    "mean_field": "independent spins, mean-field m(T)",
}
SAMPLED = tuple(name for name in NEGATIVES if name != "exact")
THERMOMETERS = ("energy", "magnetization", "network")
RING = Option("spins of the ring (default 100)", "--size", "L", kind=int, make=Ring)
STEPS_TO_T_C, STEPS_TO_HOT, N_STEPS = 9, 16, 24
"""In steps of the temperature: to the critical one, about, to the lowest of type H, to the highest of all."""
DECIMALS = 2  # of a step
LITERATURE = {"V": 0.651}
"""|m| at the fixed point, L = 10, type V, units of 0/1: R. Veiga and R. Vicente, arXiv:2006.10176."""


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What the experiment does, and how much of it.

    Attributes
    ----------
    lattice : Lattice
        Where the spins are; `on_lattice` has the temperatures that go with it.
    temperatures : tuple of float
        Of the training data, ascending, T ≥ 0 in units of J/k_B.
    n_samples : int
        Configurations at each temperature.
    training_sets : tuple of str
        ``"V"`` all temperatures, ``"H"`` those from `hot_from` on, ``"L"`` T = 0, ``"ends"`` T = 0 and T = ∞
        in equal parts, ``"mean_field"`` spins without a lattice, drawn independently with the mean ±m(T) of
        ``m = tanh(z m/T)``, z neighbours to a site, or the sum of their couplings.
    hot_from : float
        Lowest temperature of type H.
    n_hidden : tuple of int
        Sizes of the hidden layer, each at least 1.
    negative : str
        ``"cd"``, ``"pcd"`` or ``"tempered"`` (ten rungs).
    k, n_chains, learning_rate, batch_size : int, int, float, int
        As for `rbmflow.training.fit`.
    n_updates : int
        Steps of the gradient for each machine, rounded up to whole epochs of its training set.
    n_snapshots : int
        Times during the training, evenly spaced in the logarithm of the epochs, at which weights and flow
        are looked at.
    starts : tuple of float
        Temperatures at which flows start, from fresh configurations; infinity included.
    maps : tuple of str
        Of the flow: ``"mean_field"``, ``"mean_field_sampled"``, ``"gibbs"``, ``"sign"``.
    n_steps : int
        Steps of each flow.
    n_flow : int
        Configurations in each flow.
    thermometers : tuple of str
        ``"energy"``, ``"magnetization"``, ``"network"`` (needs scikit-learn).
    network_epochs : int
        Passes of the network through its data.
    n_seeds : int
        Repetitions with data, thermometers and machines of their own.
    """

    lattice: Lattice = field(default=Torus(10, 10))
    temperatures: tuple[float, ...] = field(
        default=tuple(k / 4 for k in range(25)),
        metadata=option("of the training data, ascending", metavar="T"),
    )
    n_samples: int = field(
        default=1000, metadata=option("configurations at each temperature", "--samples", metavar="N")
    )
    training_sets: tuple[str, ...] = field(
        default=tuple(SETS), metadata=option(metavar="SET", choices=tuple(SETS))
    )
    hot_from: float = 4.0
    n_hidden: tuple[int, ...] = field(
        default=(16, 36, 64, 100), metadata=option("sizes of the hidden layer", "--hidden", metavar="N")
    )
    negative: str = field(default="cd", metadata=option("averages over the model", choices=SAMPLED))
    k: int = field(default=1, metadata=option("sweeps for an update", "-k", metavar="K"))
    n_chains: int = 100
    learning_rate: float = field(default=0.01, metadata=option(metavar="RATE"))
    batch_size: int = 100
    n_updates: int = field(default=25_000, metadata=option("of each machine", "--updates", metavar="N"))
    n_snapshots: int = 8
    starts: tuple[float, ...] = field(
        default=(0.0, 2.25, 6.0), metadata=option("temperatures at which flows start", metavar="T")
    )
    maps: tuple[str, ...] = field(
        default=("mean_field", "mean_field_sampled", "gibbs"),
        metadata=option(metavar="MAP", choices=tuple(MAPS)),
    )
    n_steps: int = field(default=20, metadata=option("of each flow", "--steps", metavar="N"))
    n_flow: int = 1000
    thermometers: tuple[str, ...] = field(
        default=THERMOMETERS, metadata=option(metavar="NAME", choices=THERMOMETERS)
    )
    network_epochs: int = 30
    n_seeds: int = field(default=5, metadata=option("repetitions", "--seeds", metavar="N"))

    def __post_init__(self) -> None:
        check_lattice(self.lattice)
        levels = _temperatures("temperatures", self.temperatures)
        if len(levels) < 2 or (np.diff(levels) <= 0).any() or np.isinf(levels[-1]):
            raise ValueError(
                f"temperatures={shown(self.temperatures)}: at least two finite ones, "
                "each above the one before, are needed"
            )
        _temperatures("starts", self.starts)
        for name, allowed in (
            ("training_sets", tuple(SETS)),
            ("maps", tuple(MAPS)),
            ("thermometers", THERMOMETERS),
        ):
            _names(name, getattr(self, name), allowed)
        if self.negative not in SAMPLED:
            raise ValueError(f"negative={shown(self.negative)}: one of {', '.join(SAMPLED)} is needed")
        for name, minimum in (
            ("n_samples", 10), ("n_updates", 1), ("n_snapshots", 1), ("n_steps", 1),
            ("n_flow", 2), ("batch_size", 1), ("network_epochs", 1), ("n_seeds", 1),
        ):  # fmt: skip
            check_integer(name, getattr(self, name), minimum)
        if not self.n_hidden:
            raise ValueError("n_hidden=(): at least one size is needed")
        for size in self.n_hidden:
            check_integer("n_hidden", size, 1, 10_000)
        if len(set(self.n_hidden)) < len(self.n_hidden):
            raise ValueError(f"n_hidden={self.n_hidden}: a size comes twice")
        if not 0 < check_real_scalar("learning_rate", self.learning_rate) < np.inf:
            raise ValueError(
                f"learning_rate={shown(self.learning_rate)}: a positive, finite number is needed"
            )
        check_real_scalar("hot_from", self.hot_from)
        if "H" in self.training_sets and not (levels >= self.hot_from).any():
            raise ValueError(
                f"hot_from={self.hot_from}: no temperature is as high, the highest is {levels[-1]:g}"
            )
        if "L" in self.training_sets and levels[0] != 0:
            raise ValueError(
                f"training_sets={self.training_sets}: type L needs T = 0 among the temperatures, "
                f"the lowest is {levels[0]:g}"
            )
        cold = 0 in (*levels, *self.starts) or {"L", "ends"} & set(self.training_sets)
        if cold and not self.lattice.equal_bonds and ground_states(self.lattice) is None:
            raise ValueError(
                f"lattice={shown(self.lattice)}: not all of its bonds can be satisfied at once, so that "
                "T = 0, and the training sets L and ends, are not possible"
            )
        self.phase()

    def phase(self) -> NegativePhase:
        """Return the negative phase."""
        return NEGATIVES[self.negative](self.k, self.n_chains)

    @property
    def of_literature(self) -> bool:
        """Whether `LITERATURE` is of such machines."""
        on = self.lattice
        return isinstance(on, Torus) and on.n_sites == 100 and "V" in self.training_sets

    @property
    def distances(self) -> tuple[int, ...]:
        """At which correlations are measured: 1 on a lattice without ends."""
        on = self.lattice
        return (1,) if isinstance(on, Crystal) and on.translation_invariant else ()

    def n_rows(self, kind: str) -> int:
        """Return the number of configurations in a training set."""
        hot = sum(self.hot_from <= T for T in self.temperatures)
        return {"H": hot, "L": 1, "ends": 2}.get(kind, len(self.temperatures)) * self.n_samples

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as what JSON can hold; infinity is text."""
        plain = super().to_json()
        plain["lattice"] = as_stored(self.lattice)
        plain["starts"] = [str(T) for T in self.starts]
        return plain

    @classmethod
    def from_json(cls, plain: object) -> Self:
        """Return the parameters that `to_json` wrote; raise ValueError or TypeError if it is not that."""
        found = check_names("parameters", plain, {one.name for one in fields(cls)})
        starts = found["starts"]
        if not isinstance(starts, list) or not all(isinstance(T, str) for T in starts):
            raise ValueError(f"parameters: starts={shown(starts)} is of another kind")
        made = {"lattice": from_json(found["lattice"]), "starts": list(map(float, starts))}
        return super().from_json({**found, **made})


def on_lattice(parameters: Parameters, lattice: Lattice) -> Parameters:
    """Return parameters on a lattice, with temperatures that lie to its critical one as T = 0 … 6 to a torus.

    Nine steps of the temperature, of two decimals, lead about to the critical one, 24 to the hottest;
    type H begins after 16, and flows start at 0, 9 and 24. Where no critical temperature above 0 is known the
    temperatures are those of the parameters.

    Examples
    --------
    >>> from rbmflow import Triangular
    >>> asked = on_lattice(Parameters(), Triangular(10, 10))
    >>> asked.temperatures[:3], asked.temperatures[-1], asked.hot_from, asked.starts
    ((0.0, 0.4, 0.8), 9.6, 6.4, (0.0, 3.6, 9.6))
    """
    T_c = 1 / lattice.critical_coupling
    if not T_c > 10**-DECIMALS * STEPS_TO_T_C:
        return replace(parameters, lattice=lattice)
    step = round(T_c / STEPS_TO_T_C, DECIMALS)

    def at(k: int) -> float:
        return round(k * step, 10)

    return replace(
        parameters,
        lattice=lattice,
        temperatures=tuple(at(k) for k in range(N_STEPS + 1)),
        hot_from=at(STEPS_TO_HOT),
        starts=(0.0, at(STEPS_TO_T_C), at(N_STEPS)),
    )


def _temperatures(name: str, values: object) -> FloatArray:
    levels = check_real(name, values)
    if levels.ndim != 1 or not len(levels) or (levels < 0).any():
        raise ValueError(f"{name}={shown(values)}: a list of T >= 0 is needed")
    return levels


def _names(name: str, values: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    if not values or len(set(values)) < len(values) or not set(values) <= set(allowed):
        raise ValueError(f"{name}={shown(values)}: some of {', '.join(allowed)}, each once, are needed")
