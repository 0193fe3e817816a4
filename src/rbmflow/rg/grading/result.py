"""The merits of a map by every criterion, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rbmflow.arguments import FloatArray
from rbmflow.estimate import with_error
from rbmflow.records import Tabular
from rbmflow.rg.block_spins import Sides


@dataclass(frozen=True, eq=False)
class Grade(Tabular):
    """The merits of a map; rows are its steps, the layers of a stack or its repetitions.

    Errors are standard errors; they are 0 where a number is a sum over all states, and NaN with a number that
    is not known: exponents and couplings of lattices that are too small, relative entropies of machines whose
    ln Z is not.

    Attributes
    ----------
    transformation : str
        The map.
    lattice : str
        The lattice of the finest spins.
    K : float
        Their coupling.
    n_samples : int
        Configurations; 0 where all is summed over states.
    shapes : tuple of tuple of int
        The lattices, from the finest: one more than there are steps.
    scale_factors : numpy.ndarray of float64, shape (n_steps,)
        The factor b of each step.
    kl, kl_stderr : numpy.ndarray of float64, shape (n_steps,)
        Relative entropy of the law of the finer spins from the machine whose hidden units the map draws, in
        nats: 0 if the trace condition is met. A map that is a conditional law meets it.
    information, information_stderr : numpy.ndarray of float64, shape (n_steps,)
        Mutual information of a coarse spin and the finer ones beyond its block and the buffer, in nats.
    found : tuple of str
        How: ``"exact"``, ``"sampled"`` (exact given each environment), ``"bound"`` (from below), ``"none"``.
    buffer : numpy.ndarray of int64, shape (n_steps,)
        Width of the buffer.
    y_t, y_t_stderr : numpy.ndarray of float64, shape (n_steps, n_even)
        Thermal exponents with 1, 2, … even operators.
    y_h, y_h_stderr : numpy.ndarray of float64, shape (n_steps, n_odd)
        Magnetic exponents.
    operators : tuple of str
        What the couplings belong to.
    couplings, couplings_stderr : numpy.ndarray of float64, shape (n_steps, n_operators)
        Renormalized couplings of the coarse spins.
    decimated : numpy.ndarray of float64, shape (n_steps,)
        The coupling of the decimated ring, ``tanh K' = tanh^b K`` at each step; NaN on a torus.
    relative_entropy, relative_entropy_stderr : numpy.ndarray of float64, shape (n_steps,)
        Of the law of the coarse spins to the nearest one that has nearest neighbours alone, in nats per spin;
        from samples, what the other operators add to the pseudo-likelihood.
    """

    transformation: str
    lattice: str
    K: float
    n_samples: int
    shapes: tuple[Sides, ...]
    scale_factors: FloatArray
    kl: FloatArray
    kl_stderr: FloatArray
    information: FloatArray
    information_stderr: FloatArray
    found: tuple[str, ...]
    buffer: Any
    y_t: FloatArray
    y_t_stderr: FloatArray
    y_h: FloatArray
    y_h_stderr: FloatArray
    operators: tuple[str, ...]
    couplings: FloatArray
    couplings_stderr: FloatArray
    decimated: FloatArray
    relative_entropy: FloatArray
    relative_entropy_stderr: FloatArray

    def _columns(self) -> dict[str, Any]:
        """Steps as rows; exponents with all operators, and the coupling of nearest neighbours."""
        last = {"y_t": self.y_t[:, -1], "y_h": self.y_h[:, -1], "K_coarse": self.couplings[:, 0]}
        errors = {"y_t": self.y_t_stderr, "y_h": self.y_h_stderr, "K_coarse": self.couplings_stderr[:, :1]}
        columns: dict[str, Any] = {
            "step": list(range(1, len(self.kl) + 1)),
            "shape": [" x ".join(map(str, sides)) for sides in self.shapes[1:]],
            "scale_factor": self.scale_factors,
        }
        for name in ("kl", "information", *last, "relative_entropy"):
            columns[name] = last[name] if name in last else getattr(self, name)
            columns[f"{name}_stderr"] = (
                errors[name][:, -1] if name in last else getattr(self, f"{name}_stderr")
            )
        return {**columns, "K_decimated": self.decimated, "found": list(self.found)}

    def __repr__(self) -> str:
        columns = self._columns()
        names = {"kl": "KL", "information": "I", "y_t": "y_t", "y_h": "y_h", "K_coarse": "K'"}
        bound = "information" if self.found[0] == "bound" else ""
        parts = [
            f"{label} {'≥' if name == bound else '='} "
            f"{with_error(columns[name][0], error) if error else f'{columns[name][0]:.6g}'}"
            for name, label in names.items()
            if not math.isnan(columns[name][0])
            for error in [float(columns[f"{name}_stderr"][0])]
        ]
        more = f", and {len(self.kl) - 1} steps more" if len(self.kl) > 1 else ""
        return (
            f"Grade({self.transformation[:80]}, {self.lattice}, K = {self.K:.6g}: {', '.join(parts)}{more})"
        )
