"""Where a training run stands, so that it can go on bit for bit, also from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, shown
from rbmflow.networks import RBM
from rbmflow.networks.storage import Stored


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
        Weights and biases of the recorded epoch at which the quantity of early stopping was best; none without it.
    best_epoch : int
        That epoch.
    best_of : str
        That quantity.
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

    @property
    def model(self) -> RBM:
        """The machine as it stands."""
        return RBM(self.weights, self.visible_bias, self.hidden_bias)


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """Return the state of a generator as plain values."""
    plain: dict[str, Any] = _plain(dict(rng.bit_generator.state))
    return plain


def generator_from(state: dict[str, Any]) -> np.random.Generator:
    """Return a generator that goes on where one stood."""
    kind = getattr(np.random, str(state.get("bit_generator")), None)
    if not (isinstance(kind, type) and issubclass(kind, np.random.BitGenerator)):
        raise ValueError(f"state: {shown(state.get('bit_generator'))} is not a bit generator of numpy")  # noqa: TRY004
    bits = kind(0)
    bits.state = state
    return np.random.Generator(bits)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray):
        return [int(item) for item in value]
    return int(value) if isinstance(value, np.integer) else value
