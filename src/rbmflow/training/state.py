"""Where a training run stands, so that it can go on bit for bit, also from a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_integer, shown
from rbmflow.generators import check_generator, check_words
from rbmflow.networks import RBM
from rbmflow.networks.storage import ADDED, Stored
from rbmflow.spins import check_spins

MAX_COUNT = 2**62
REAL = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True, eq=False)
class State(Stored):
    """All that a run depends on beside the arguments of `fit`; `save` and `load` keep it in a file.

    Attributes
    ----------
    epoch, n_updates : int
        What is done.
    weights, visible_bias, hidden_bias : numpy.ndarray
        The parameters, in the precision of the run.
    slots : numpy.ndarray, shape (n_slots, n_free)
        Memory of the optimiser.
    chains_visible, chains_hidden : numpy.ndarray of int8, shape (n_rungs, n_chains, n_units)
        Persistent chains.
    generator : numpy.ndarray of uint64, shape (32,)
        The generator of the kernels.
    source : dict
        State of the numpy generator, which shuffles and swaps.
    history : dict
        A list for each recorded quantity.
    stopped : bool
        Whether early stopping or a callback ended the run.
    best : numpy.ndarray, shape (n_parameters,) or (0,)
        Weights and biases of the recorded epoch at which the quantity of early stopping was best;
        none without it.
    best_epoch : int
        That epoch.
    best_of : str
        That quantity.
    offsets : numpy.ndarray, shape (n_visible + n_hidden,) or (0,)
        Of the centred gradient; none without it.
    rows : numpy.ndarray of int8, shape (n_rows, n_visible) or (0, 0)
        The data with what is missing in them as it was last drawn; none where nothing is missing.

    Raises
    ------
    TypeError, ValueError
        If a field is what no run can leave: the kernels trust them.
    """

    epoch: int
    n_updates: int
    weights: FloatArray
    visible_bias: FloatArray
    hidden_bias: FloatArray
    slots: FloatArray
    chains_visible: SpinArray
    chains_hidden: SpinArray
    generator: Any
    source: dict[str, Any]
    history: dict[str, list[float]]
    stopped: bool
    best: FloatArray
    best_epoch: int
    best_of: str
    offsets: FloatArray = field(default_factory=lambda: np.empty(0), metadata={ADDED: True})
    rows: SpinArray = field(default_factory=lambda: np.empty((0, 0), dtype=np.int8), metadata={ADDED: True})

    def __post_init__(self) -> None:
        for name in ("epoch", "n_updates", "best_epoch"):
            check_integer(name, getattr(self, name), 0, MAX_COUNT)
        if not isinstance(self.stopped, (bool, np.bool_)):
            raise TypeError(f"stopped={shown(self.stopped)}: True or False is needed")
        self._check_arrays()
        check_words("generator", self.generator)
        check_generator("source", self.source)
        self._check_history()

    def _check_arrays(self) -> None:
        n, m = _real("weights", self.weights, (None, None)).shape
        size = n * m + n + m
        _real("visible_bias", self.visible_bias, (n,), self.weights.dtype)
        _real("hidden_bias", self.hidden_bias, (m,), self.weights.dtype)
        _real("best", self.best, (size if np.size(self.best) else 0,))
        none = np.size(self.offsets) == 0
        _real("offsets", self.offsets, (0 if none else n + m,), None if none else self.weights.dtype)
        memory = _real("slots", self.slots, (None, None), self.weights.dtype, finite=False)
        if np.isnan(memory).any() or memory.shape[0] > 2 or memory.shape[1] > size:
            raise ValueError(f"slots of shape {memory.shape}, or NaN in it, is no memory of an optimiser")
        rows: Any = self.rows
        if _kind(rows) not in (f"int8 of shape {(*np.shape(rows)[:1], n)}", "int8 of shape (0, 0)"):
            raise ValueError(f"rows is {_kind(rows)}: int8 of shape (n_rows, {n}) is needed")
        check_spins("rows", rows)
        chains = np.shape(self.chains_visible)[:2]
        for name, units in (("chains_visible", n), ("chains_hidden", m)):
            spins: Any = getattr(self, name)
            if _kind(spins) != f"int8 of shape {(*chains, units)}":
                raise ValueError(
                    f"{name} is {_kind(spins)}: int8 of shape (n_rungs, n_chains, {units}) is needed"
                )
            check_spins(name, spins)

    def _check_history(self) -> None:
        if not isinstance(self.history, dict):
            raise TypeError(f"history is a {type(self.history).__name__}: lists by name are needed")
        epochs = self.history.get("epoch", [])
        history: dict[Any, Any] = self.history
        for name, values in history.items():
            if not isinstance(name, str) or not isinstance(values, list) or len(values) != len(epochs):
                raise ValueError(
                    f"history[{shown(name)}]: a list of {len(epochs)} numbers is needed, as of epochs"
                )
            for value in values:
                whole = type(value) is int and abs(value) <= MAX_COUNT
                if not whole and not isinstance(value, float):
                    raise TypeError(f"history[{name!r}] holds {shown(value)}: numbers are needed")
        if not all(0 < a < b <= self.epoch for a, b in zip([0.5, *epochs], epochs, strict=False)):
            raise ValueError(f"history['epoch'] does not ascend from 1 to at most {self.epoch}")
        if not isinstance(self.best_of, str):
            raise TypeError(f"best_of={shown(self.best_of)}: the name of a quantity is needed")
        if self.best.size and not (self.best_epoch in epochs and self.best_of in self.history):
            raise ValueError(
                f"best_epoch={self.best_epoch}, best_of={shown(self.best_of)}: the history has none such"
            )

    @property
    def model(self) -> RBM:
        """The machine as it stands."""
        return RBM(self.weights, self.visible_bias, self.hidden_bias)


def _real(
    name: str, found: object, shape: tuple[int | None, ...], kind: Any = None, *, finite: bool = True
) -> Any:
    """Return an array of floats of this shape, None for any length, or raise."""
    array: Any = found
    fits = isinstance(found, np.ndarray) and array.dtype in (REAL if kind is None else (kind,))
    if not fits or array.shape != tuple(
        there if wanted is None else wanted for wanted, there in zip_longest(shape, array.shape, fillvalue=-1)
    ):
        raise ValueError(f"{name} is {_kind(found)}: {kind or 'floats'} of shape {shape} is needed")
    if finite and not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or an infinity: finite numbers are needed")
    return array


def _kind(value: object) -> str:
    return (
        f"{value.dtype} of shape {value.shape}"
        if isinstance(value, np.ndarray)
        else f"a {type(value).__name__}"
    )
