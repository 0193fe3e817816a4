"""What stands behind the samples at one temperature, and how files say it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import numpy as np

from rbmflow.arguments import shown
from rbmflow.estimate import Estimate
from rbmflow.records import Record

ESTIMATE = ("mean", "stderr", "tau", "n_effective", "r_hat", "tau_stderr")
PLAIN = ("rule", "burn_in", "thin", "tau", "exact_energy", "exact_stderr")


def _not_negative(number: float) -> bool:
    return not number < 0  # NaN where it is not known


RULES = ("exact", "heat_bath", "swendsen_wang")
ROUNDING = 1e-14
"""Of the mean of energies that are equal."""
SECOND = "second_"
"""Begins the names of the columns of second chains, which only sets with such have."""


KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "rule": ("OU", lambda rule: rule in RULES),
    "burn_in": ("iu", _not_negative),
    "thin": ("iu", _not_negative),
    "tau": ("f", _not_negative),
    "exact_energy": ("f", lambda energy: not math.isinf(energy)),
    "exact_stderr": ("f", _not_negative),
    "energy_mean": ("f", math.isfinite),
    **{f"energy_{part}": ("f", _not_negative) for part in ESTIMATE[1:]},
}
"""Types of the columns of the certificates, and what their cells can be."""
SECOND_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    f"{SECOND}rule": ("OU", lambda rule: rule in ("", "metropolis", *RULES[1:])),
    **{f"{SECOND}energy_{part}": ("f", lambda number: not math.isinf(number)) for part in ESTIMATE},
}
"""Those of second chains: no rule and NaN where the exact energy is known."""


@dataclass(frozen=True)
class Certificate(Record):
    """What stands behind the samples at one temperature.

    Attributes
    ----------
    temperature : float
        In units of J/k_B.
    rule : str
        ``"exact"`` for independent samples of the exact law, ``"heat_bath"`` or ``"swendsen_wang"``.
    burn_in, thin : int
        Sweeps before the first sample of a chain, and between samples; 0 where samples are exact.
    tau : float
        The autocorrelation time in sweeps, of the energy or of m², whichever is longer,
        that they were chosen by.
    energy : Estimate
        Energy per site of the samples.
    exact_energy : float
        The exact one; NaN where none is known.
    exact_stderr : float
        Standard error of the energy of so many effective samples by the exact heat capacity, or by the
        scatter of the second chains.
    second_rule : str
        Where no exact energy is known the rule of independent chains that check it, with another start where
        that is safe; else empty.
    second_energy : Estimate, optional
        Their energy per site.
    """

    temperature: float
    rule: str
    burn_in: int
    thin: int
    tau: float
    energy: Estimate
    exact_energy: float
    exact_stderr: float
    second_rule: str = dataclasses.field(default="", metadata={"shown": "unless default"})
    second_energy: Estimate | None = dataclasses.field(default=None, metadata={"shown": "unless default"})

    @property
    def n_effective(self) -> float:
        """Independent samples that would give the energy's error."""
        return self.energy.n_effective

    @property
    def deviation(self) -> float:
        """The energy less the exact one, or that of the second rule, in standard errors.

        The errors are those measured, or the exact ones if these are larger. At low temperatures excitations
        are so rare that samples may hold none, and then know nothing of their spread. Samples and second
        chains lend each other theirs. Beyond 4 in size lies one of 16,000 of faultless samples.
        """
        stderr, other = np.fmax(self.energy.stderr, self.exact_stderr), self.second_energy
        expected = self.exact_energy if other is None else other.mean
        if math.isclose(self.energy.mean, expected, rel_tol=ROUNDING):
            return 0.0
        if other is None:
            return replace(self.energy, stderr=float(stderr)).deviation(self.exact_energy)
        of_samples = self.energy.stderr * np.sqrt(self.n_effective / other.n_effective)
        both = np.hypot(stderr, np.fmax(other.stderr, of_samples))
        return replace(self.energy, stderr=float(both)).deviation(other.mean)


def second_columns(certificates: tuple[Certificate, ...], parts: dict[str, str]) -> dict[str, list[Any]]:
    """Return the rules of second chains and parts of their energies, by the names given; none without such.

    Examples
    --------
    >>> second_columns((), {"energy": "mean"})
    {}
    """
    if not any(one.second_rule for one in certificates):
        return {}
    energies = [one.second_energy or Estimate(*[math.nan] * len(ESTIMATE)) for one in certificates]
    return {f"{SECOND}rule": [one.second_rule for one in certificates]} | {
        f"{SECOND}{name}": list(map(attrgetter(part), energies)) for name, part in parts.items()
    }


def certificates_in(dataset: Any) -> tuple[Certificate, ...]:
    """Return the certificates in a dataset of xarray, one for each temperature."""
    temperature = dataset["temperature"].values
    kinds = KINDS | (SECOND_KINDS if f"{SECOND}rule" in dataset else {})
    columns = {name: _column(dataset, name, len(temperature), kinds[name]) for name in kinds}
    certificates = []
    for index, level in enumerate(temperature.tolist()):
        row = {name: values[index] for name, values in columns.items()}
        second = row.get(f"{SECOND}rule", "")
        if not second and math.isnan(row["exact_energy"]):
            raise ValueError(f"at T = {level:g} it has neither an exact energy nor a second rule")
        certificates.append(
            Certificate(
                level,
                row["rule"],
                row["burn_in"],
                row["thin"],
                row["tau"],
                Estimate(*(row[f"energy_{part}"] for part in ESTIMATE)),
                row["exact_energy"],
                row["exact_stderr"],
                second,
                Estimate(*(row[f"{SECOND}energy_{part}"] for part in ESTIMATE)) if second else None,
            )
        )
    return tuple(certificates)


def member(of: Any, name: str) -> Any:
    """Return what a dataset, or its attributes, has by a name, or raise."""
    if name not in of:
        raise ValueError(f"it has no {name}")
    return of[name]


def _column(dataset: Any, name: str, length: int, kind: tuple[str, Callable[[Any], bool]]) -> list[Any]:
    """Return a column of the certificates, each of its cells what it can be."""
    array = member(dataset, name).values
    kinds, allowed = kind
    if array.shape != (length,) or array.dtype.kind not in kinds:
        raise ValueError(
            f"{name} is {array.dtype} of shape {array.shape}: it needs {length} cells of its kind"
        )
    cells: list[Any] = array.tolist()
    for cell in cells:
        if not allowed(cell):
            raise ValueError(f"{name} holds {shown(cell)}")
    return cells
