"""A probability law over configurations of spins: the states and the probability of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_real
from rbmflow.spins import check_spins

NORMALISATION = 1e-9  # how far a sum of probabilities may be from 1; rounding of 2^24 terms stays below 1e-12


@dataclass(frozen=True, eq=False)
class StateLaw:
    """Probabilities of configurations of n spins; states that are not listed have probability 0.

    Parameters
    ----------
    states : array_like, shape (n_states, n_sites)
        Spins ±1, no configuration twice.
    probabilities : array_like, shape (n_states,)
        Not negative; their sum is 1 to 10⁻⁹.

    Raises
    ------
    TypeError, ValueError
        If the states are not distinct rows of ±1, or the probabilities not a law over them.

    Examples
    --------
    >>> law = StateLaw([[1, 1], [-1, -1]], [0.75, 0.25])
    >>> law.n_sites, law.covers_all
    (2, False)
    """

    states: SpinArray
    probabilities: FloatArray

    def __post_init__(self) -> None:
        states = np.array(check_spins("states", self.states))
        if states.ndim != 2 or 0 in states.shape:
            raise ValueError(
                f"states has shape {states.shape}: (n_states, n_sites) is needed, both at least 1"
            )
        probabilities = np.array(check_real("probabilities", self.probabilities))
        if probabilities.shape != (len(states),):
            raise ValueError(f"probabilities has shape {probabilities.shape}: ({len(states)},) is needed")
        outside = ~((probabilities >= 0) & (probabilities <= 1 + NORMALISATION))
        if outside.any():
            raise ValueError(
                f"probabilities holds {probabilities[outside][0]:g}: numbers from 0 to 1 are needed"
            )
        total = probabilities.sum()
        if abs(total - 1) > NORMALISATION:
            raise ValueError(f"probabilities add up to {total:.12g}: 1 is needed")
        if _repeats(states):
            raise ValueError("states holds a configuration twice: add their probabilities")
        for name, array in (("states", states), ("probabilities", probabilities)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return int(self.states.shape[1])

    @property
    def covers_all(self) -> bool:
        """Whether each of the 2^n configurations is listed."""
        return self.n_sites < 63 and len(self.states) == 2**self.n_sites

    @property
    def means(self) -> FloatArray:
        """⟨v_i⟩, shape (n_sites,)."""
        return self.probabilities @ self.states.astype(np.float64)

    @property
    def correlations(self) -> FloatArray:
        """⟨v_i v_k⟩, shape (n_sites, n_sites), 1 on the diagonal; means are not taken off."""
        spins = self.states.astype(np.float64)
        return (self.probabilities[:, None] * spins).T @ spins


def _repeats(states: SpinArray) -> bool:
    """Whether a row occurs twice."""
    packed = np.packbits(states > 0, axis=1)
    if packed.shape[1] > 8:
        return len(np.unique(packed, axis=0)) != len(packed)
    words = np.zeros((len(packed), 8), dtype=np.uint8)
    words[:, : packed.shape[1]] = packed
    ordered = np.sort(words.view(np.uint64).ravel())
    return bool((ordered[1:] == ordered[:-1]).any())
