"""What is measured while a machine is trained."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from rbmflow.arguments import FloatArray, as_array, check_choice, check_integer, check_real_scalar, shown
from rbmflow.autocorrelation import autocorrelation
from rbmflow.errors import LikelihoodWarning
from rbmflow.likelihood import LogPartition, log_partition
from rbmflow.networks.two_layers import log_two_cosh
from rbmflow.records import Tabular
from rbmflow.training.data import Data
from rbmflow.training.moments import divergence, exact, free_energy
from rbmflow.training.negative import MAX_EXACT_UNITS, NegativePhase
from rbmflow.training.parameters import Parameters

CHEAP_UNITS = 8
"""Units of the smaller layer up to which exact quantities are recorded without being asked for."""
LEAST_SERIES = 4
TEMPERATURES = 200
ALL_UNITS = 2**16
"""Rows × visible × hidden units up to which the pseudo-likelihood is that of all units: a millisecond."""


@dataclass(frozen=True)
class EarlyStopping:
    """End a run when a recorded quantity has not improved for some epochs.

    Parameters
    ----------
    quantity : str
        One of the history: ``"pseudo_likelihood"`` and ``"log_likelihood"`` should rise, ``"kl"`` and
        ``"reconstruction_error"`` fall; best one of rows that are held out,
        ``"held_out_pseudo_likelihood"`` or ``"held_out_log_likelihood"``.
    patience : int
        Recorded epochs without an improvement after which the run ends, at least 1.
    least : float
        What counts as an improvement, at least 0.

    Examples
    --------
    >>> EarlyStopping("kl", patience=2).should_stop([0.5, 0.4, 0.45, 0.41])
    True
    """

    quantity: Directed = "pseudo_likelihood"
    patience: int = 10
    least: float = 0.0

    def __post_init__(self) -> None:
        check_choice("quantity", self.quantity, DIRECTION)
        check_integer("patience", self.patience, 1)
        if not 0 <= check_real_scalar("least", self.least) < np.inf:
            raise ValueError(f"least={shown(self.least)}: a finite number of at least 0 is needed")

    def better(self, value: float, than: float) -> bool:
        """Return whether one value is strictly better than another; any number is better than NaN.

        Parameters
        ----------
        value, than : float
            Of the quantity.

        Returns
        -------
        bool
            By the direction in which the quantity should go.

        Examples
        --------
        >>> EarlyStopping("kl").better(0.4, 0.5)
        True
        """
        sign = DIRECTION[self.quantity]
        value, than = float(_numbers("value", value, 0)), float(_numbers("than", than, 0))
        return not np.isnan(value) and not sign * value <= sign * than

    def should_stop(self, values: list[float]) -> bool:
        """Return whether the last `patience` values bring no improvement on those before.

        Parameters
        ----------
        values : list of float
            The quantity after each recorded epoch.

        Returns
        -------
        bool
            False as long as there are too few.

        Examples
        --------
        >>> EarlyStopping("kl", patience=2).should_stop([0.5, 0.4])
        False
        """
        rising = DIRECTION[self.quantity] * _numbers("values", values, 1)
        if len(rising) <= self.patience:
            return False
        return bool(rising[-self.patience :].max() <= rising[: -self.patience].max() + self.least)


def _numbers(name: str, value: object, ndim: int) -> FloatArray:
    """Return real numbers, NaN among them: what was not measured."""
    array = as_array(name, value)
    if array.dtype.kind not in "iuf" or array.ndim != ndim:
        raise TypeError(
            f"{name}={shown(value)}: {'a number is' if ndim == 0 else 'a row of numbers is'} needed"
        )
    return array.astype(np.float64)


HELD_OUT = "held_out_"
Directed = Literal[
    "pseudo_likelihood",
    "log_likelihood",
    "kl",
    "reconstruction_error",
    "held_out_pseudo_likelihood",
    "held_out_log_likelihood",
    "annealed_log_likelihood",
    "held_out_annealed_log_likelihood",
]
DIRECTION: dict[Directed, int] = {
    "pseudo_likelihood": 1,
    "log_likelihood": 1,
    "kl": -1,
    "reconstruction_error": -1,
    "held_out_pseudo_likelihood": 1,
    "held_out_log_likelihood": 1,
    "annealed_log_likelihood": 1,
    "held_out_annealed_log_likelihood": 1,
}


@dataclass(frozen=True)
class History(Tabular):
    """Quantities recorded along a run, by name; ``history["kl"]`` is an array.

    ``epoch``; ``pseudo_likelihood`` in nats per row: Σ_i ln p(v_i | the others) over up to 100 rows, from all
    units where ``rows n_visible n_hidden ≤ 2¹⁶``, else from one of each row, spread over the layer;
    ``reconstruction_error``: mean of (v − tanh(W tanh(Wᵀv + c) + b))² per unit; ``weight_norm`` and
    ``bias_norm``; ``kl`` of the law of the data to the model and ``log_likelihood`` per row, exact; ``tau``:
    autocorrelation time of the magnetization of the persistent chains, in updates; ``exchange_rate`` of
    tempering; ``held_out_pseudo_likelihood`` and ``held_out_log_likelihood``, the same of the rows that are
    held out. On request also ``annealed_log_likelihood``, that of machines of any size, by the bracket of
    `log_partition` (200 temperatures, exact where that takes seconds), with its bounds ``annealed_lower`` and
    ``annealed_upper`` and the ``n_effective`` chains that carry it (below 10 it should not be relied on), and
    ``held_out_annealed_log_likelihood``. What cannot be had is NaN.

    Attributes
    ----------
    values : dict of str to list of float
        One number for each recorded epoch.
    """

    values: dict[str, list[float]]

    def _columns(self) -> dict[str, list[float]]:
        return self.values

    def keys(self) -> tuple[str, ...]:
        """Return the names of the recorded quantities, so that ``dict(history)`` holds their arrays.

        Returns
        -------
        tuple of str
            In the order in which they were recorded.

        Examples
        --------
        >>> dict(History({"epoch": [1.0, 2.0]}))
        {'epoch': array([1., 2.])}
        """
        return tuple(self.values)

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __getitem__(self, name: str) -> FloatArray:
        if name not in self.values:
            raise KeyError(f"{shown(name)} was not recorded; there are {', '.join(self.values)}")
        return np.array(self.values[name])

    def __len__(self) -> int:
        return len(self.values.get("epoch", []))


@dataclass(frozen=True)
class Situation:
    """What quantities are measured on."""

    parameters: Parameters
    data: Data
    held_out: Data | None
    series: FloatArray  # (n_chains, n_updates) magnetization of chains along the epoch
    exchange_rate: float

    @cached_property
    def annealed(self) -> LogPartition:
        """The machine's ln Z, checked against all the data there are."""
        rows = [one.rows for one in (self.data, self.held_out) if one is not None]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LikelihoodWarning)  # n_effective and the bounds tell
            return log_partition(
                self.parameters.model(),
                "auto",
                data=np.concatenate(rows),
                n_temperatures=TEMPERATURES,
                burn_in=TEMPERATURES,
                rng=0,
                n_threads=1,
            )


def check_record(
    record: object, negative: NegativePhase, parameters: Parameters, data: Data, held_out: Data | None
) -> tuple[str, ...]:
    """Return the names of the quantities to record, or raise."""
    smaller = min(parameters.shape)
    if record is None:
        names = ["pseudo_likelihood", "reconstruction_error", "weight_norm", "bias_norm"]
        names += ["log_likelihood"] * (smaller <= CHEAP_UNITS) + [*negative.records]
        if data.weights is not None:
            names = ["kl" if name == "log_likelihood" else name for name in names]
        if held_out is not None:
            names += [HELD_OUT + name for name in ("pseudo_likelihood", "log_likelihood") if name in names]
        record = dict.fromkeys(names)
    if isinstance(record, str) or not hasattr(record, "__iter__"):
        raise TypeError(f"record={shown(record)}: a sequence of names is needed")
    chosen = tuple(record)
    for name in chosen:
        if not isinstance(name, str) or name not in QUANTITIES:
            own = ", ".join(quantity for quantity in QUANTITIES if not quantity.startswith(HELD_OUT))
            raise ValueError(f"record holds {shown(name)}: {own} are possible, and likelihoods {HELD_OUT}...")
        if name.startswith(HELD_OUT) and held_out is None:
            raise ValueError(f"record holds {shown(name)}: held_out is needed")
        if name in ("kl", "log_likelihood", "held_out_log_likelihood") and smaller > MAX_EXACT_UNITS:
            raise ValueError(
                f"record holds {shown(name)}: the smaller layer has {smaller} units, "
                f"at most {MAX_EXACT_UNITS} are possible"
            )
    return chosen


def measure(name: str, on: Situation) -> float:
    """Return one quantity."""
    return float(QUANTITIES[name](on))


def _pseudo_likelihood(on: Situation) -> float:
    """Σ over rows of the weight times Σ_i ln 1/(1 + e^(F(v) − F(v'))), v' with unit i flipped.

    In large machines it is n times one i of each row.

    Those units are spread evenly over the layer, also where there are fewer rows than units, and have nothing
    to do with the order of the rows: states of a law are numbered by their first spins.
    """
    rows, weights = on.data.monitored()
    p = on.parameters
    n_visible, n_hidden = p.shape
    spins = rows.astype(p.vector.dtype)
    if len(rows) * n_visible * n_hidden <= ALL_UNITS:
        at = np.broadcast_to(np.arange(n_visible), rows.shape)
    else:
        units = np.arange(len(rows)) * n_visible // len(rows)
        at = np.random.default_rng(0).permutation(units)[:, None]
    fields = spins @ p.weights + p.hidden_bias
    flipped = np.take_along_axis(spins, at, axis=1)
    other = fields[:, None] - 2 * flipped[..., None] * p.weights[at]
    rise = log_two_cosh(fields).sum(axis=1)[:, None] - log_two_cosh(other).sum(axis=2)
    rise += 2 * flipped * p.visible_bias[at]
    given = -np.logaddexp(0.0, -rise.astype(np.float64))
    return float(n_visible * (weights @ given.mean(axis=1)))


def _reconstruction_error(on: Situation) -> float:
    rows, weights = on.data.monitored()
    p = on.parameters
    spins = rows.astype(p.vector.dtype)
    hidden = np.tanh(spins @ p.weights + p.hidden_bias)
    visible = np.tanh(hidden @ p.weights.T + p.visible_bias)
    return float(weights @ ((spins - visible) ** 2).mean(axis=1))


def _log_likelihood(on: Situation) -> float:
    """−KL − entropy of the data."""
    weights = on.data.as_law()[1]
    used = weights[weights > 0]
    return float(used @ np.log(used)) - _kl(on)


def _kl(on: Situation) -> float:
    states, weights = on.data.as_law()
    double = _double(on.parameters)
    return divergence(double, states.astype(np.float64), weights, exact(double)[1])


def _annealed(on: Situation, data: Data | None, log_z: float) -> float:
    assert data is not None
    states, weights = data.as_law()
    return -float(weights @ free_energy(_double(on.parameters), states.astype(np.float64))) - log_z


def _double(parameters: Parameters) -> Parameters:
    return parameters if parameters.vector.dtype == np.float64 else Parameters(parameters.model(), np.float64)


def _held_out(quantity: Callable[[Situation], float]) -> Callable[[Situation], float]:
    """Return the quantity of the rows that are held out."""

    def measured(on: Situation) -> float:
        assert on.held_out is not None
        return quantity(replace(on, data=on.held_out))

    return measured


def _tau(on: Situation) -> float:
    enough = on.series.size and on.series.shape[1] >= LEAST_SERIES
    return autocorrelation(on.series).tau if enough else float("nan")


Quantity = Literal[
    Directed,
    "weight_norm",
    "bias_norm",
    "tau",
    "exchange_rate",
    "annealed_lower",
    "annealed_upper",
    "n_effective",
]
QUANTITIES: dict[str, Callable[[Situation], Any]] = {
    "pseudo_likelihood": _pseudo_likelihood,
    "reconstruction_error": _reconstruction_error,
    "log_likelihood": _log_likelihood,
    "kl": _kl,
    "weight_norm": lambda on: np.linalg.norm(on.parameters.weights),
    "bias_norm": lambda on: np.linalg.norm(on.parameters.vector[on.parameters.weights.size :]),
    "tau": _tau,
    "exchange_rate": lambda on: on.exchange_rate,
    "held_out_pseudo_likelihood": _held_out(_pseudo_likelihood),
    "held_out_log_likelihood": _held_out(_log_likelihood),
    "annealed_log_likelihood": lambda on: _annealed(on, on.data, on.annealed.value),
    "annealed_lower": lambda on: _annealed(on, on.data, on.annealed.upper),
    "annealed_upper": lambda on: _annealed(on, on.data, on.annealed.lower),
    "n_effective": lambda on: on.annealed.n_effective,
    "held_out_annealed_log_likelihood": lambda on: _annealed(on, on.held_out, on.annealed.value),
}
