"""Visible units that keep their spins while the others are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import SpinArray, as_array
from rbmflow.spins import check_spins


@dataclass(frozen=True, eq=False)
class Clamps:
    """Which visible units keep their spins, and these; no rows where there are none."""

    mask: npt.NDArray[np.bool_]
    spins: SpinArray | None

    def hold(self, visible: SpinArray) -> npt.NDArray[np.bool_]:
        """Set the clamped units of chains, in place; return which they are, a row for each chain."""
        if len(self.mask) not in (0, 1, len(visible)):
            raise ValueError(
                f"clamped has {len(self.mask)} rows: one is needed, or {len(visible)} as there are chains"
            )
        n = len(visible) if len(self.mask) else 0
        mask = np.ascontiguousarray(np.broadcast_to(self.mask, (n, visible.shape[1])))
        if n and self.spins is not None:
            np.copyto(visible, self.spins, where=mask)
        return mask


def check_clamps(n_visible: int, clamped: object, values: object, initial: object) -> Clamps:
    """Return what is clamped, or raise."""
    if clamped is None:
        if values is not None:
            raise ValueError("values: they are of clamped units, clamped is None")
        return Clamps(np.empty((0, n_visible), dtype=bool), None)
    mask = as_array("clamped", clamped)
    if mask.dtype != bool or mask.ndim not in (1, 2) or mask.shape[-1] != n_visible or not mask.size:
        raise ValueError(
            f"clamped has dtype {mask.dtype} and shape {mask.shape}: truth values of shape "
            f"({n_visible},) or (n_chains, {n_visible}) are needed"
        )
    mask = np.atleast_2d(mask)
    if values is None:
        if isinstance(initial, str):
            raise ValueError("values: spins of the clamped units are needed, or initial has them")
        return Clamps(mask, None)
    given = as_array("values", values)
    if given.ndim not in (1, 2) or given.shape[-1] != n_visible:
        raise ValueError(
            f"values has shape {given.shape}: ({n_visible},) or (n_chains, {n_visible}) is needed"
        )
    try:
        mask, given = np.broadcast_arrays(mask, np.atleast_2d(given))
    except ValueError:
        raise ValueError(f"values has {len(given)} rows, clamped has {len(mask)}") from None
    spins = np.full(mask.shape, 1, dtype=np.int8)
    spins[mask] = check_spins("values of clamped units", given[mask])
    return Clamps(mask, spins)
