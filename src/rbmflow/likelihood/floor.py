"""What ln Z cannot be less than: the weight of states that were listed, a sum of some of the terms of Z."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.networks.two_layers import TwoLayers

MAX_STEPS = 50
ROWS_AT_ONCE = 512
ROUNDING = 1e-12


def floor(rbm: TwoLayers, visible: SpinArray) -> float:
    """Return ``ln Σ e^(−F)`` over the distinct states among `visible`.

    Or over the hidden states that they favour, if that is more.

    A sum over some h with v traced out is a part of Z as one over some v with h traced out is: either is a
    bound, less what rounding may have added.
    """
    hidden = _signs(rbm.field_on_hidden(visible))
    found = max(
        _log_weight(rbm.free_energy(distinct(visible))),
        _log_weight(rbm.free_energy_hidden(distinct(hidden))),
    )
    return found - ROUNDING * max(abs(found), 1.0)


def descend(rbm: TwoLayers, visible: SpinArray) -> SpinArray:
    """Return the bottoms of the energy that are reached from `visible`.

    They are states where each layer has the signs of its fields.
    """
    found = visible.copy()
    for first in range(0, len(found), ROWS_AT_ONCE):
        block = found[first : first + ROWS_AT_ONCE]
        for _ in range(MAX_STEPS):
            following = _signs(rbm.field_on_visible(_signs(rbm.field_on_hidden(block))))
            if (following == block).all():
                break
            block[:] = following
    return found


def distinct(spins: SpinArray) -> SpinArray:
    """Return each configuration once, in the order of the first."""
    first = np.unique(np.packbits(spins > 0, axis=1), axis=0, return_index=True)[1]
    return np.asarray(spins[np.sort(first)])


def _log_weight(free_energies: FloatArray) -> float:
    return float(np.logaddexp.reduce(-free_energies))


def _signs(field: FloatArray) -> SpinArray:
    return np.where(field >= 0, np.int8(1), np.int8(-1))
