"""The maximum-likelihood thermometer in a field: temperature and field of a batch together.

The laws ``p(v) ∝ exp[(Σ v_i v_j + H Σ v_i)/T]`` of one lattice are an exponential family in K = 1/T and
b = H/T with the pair sum and the magnetization as its sufficient statistics. The likelihood of n
configurations is therefore concave, and largest where the exact means of both are those of the batch. They
come from the exact numbers of configurations of each pair sum and magnetization.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import FloatArray, check_real_scalar, shown
from rbmflow.ising import Ring, Torus
from rbmflow.ising.bonds import pair_sums
from rbmflow.ising.solved import check_solved
from rbmflow.ising.uniform_field import law_in_field, sums_and_log_counts
from rbmflow.records import Record
from rbmflow.thermometer.arguments import check_configurations

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

MAX_RING = 512
"""Sites of a ring, whose table of counts has a row for each pair sum and magnetization."""
LEAST_COUPLING = 1e-9
"""Below it rounding decides the sign."""
MAX_COUPLING = 50.0
"""Beyond it the likelihood of a batch has its maximum at infinity."""
MOST_STEPS = 200
"""Of Newton's method; it takes about ten."""
ALIGNED = 1e-9
"""Share of the bonds by which the pair sum of a batch in the ground state may be off."""


@dataclass(frozen=True)
class FieldReading(Record):
    """The temperature and the field of a batch.

    Attributes
    ----------
    temperature, field : float
        T and H in units of J. Of aligned spins T is 0 and H NaN; where no T > 0 fits, as where most
        neighbours disagree, or few spins are turned over, none of them next to each other, T is infinite and
        H NaN.
    temperature_stderr, field_stderr : float
        Standard errors, from the scatter within the batch; NaN for one configuration and at the ends.
    n_samples : int
        Configurations.
    """

    temperature: float
    field: float
    temperature_stderr: float
    field_stderr: float
    n_samples: int


@dataclass(frozen=True)
class FieldThermometer(Record):
    """The maximum-likelihood temperature and field of a batch of configurations; nothing is learned.

    Parameters
    ----------
    lattice : Ring or Torus
        Where the spins are: a ring of at most 512 sites, a torus one of whose sides is at most 10.

    See Also
    --------
    EnergyThermometer : Without a field, of any size.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> from rbmflow.sampling import run
    >>> known = run(Torus(6, 6), 0.4, n_chains=400, n_sweeps=1, burn_in=200, field=0.25, rng=1)
    >>> read = FieldThermometer(Torus(6, 6)).estimate(known.spins[:, -1])
    >>> abs(read.temperature - 2.5) < 4 * read.temperature_stderr, abs(read.field - 0.25) < 0.1
    (True, True)
    """

    lattice: Ring | Torus

    def __post_init__(self) -> None:
        check_solved(self.lattice)
        if not isinstance(self.lattice, (Ring, Torus)):
            raise TypeError(f"lattice={shown(self.lattice)}: a Ring or a Torus is needed")
        if isinstance(self.lattice, Ring) and self.lattice.n_sites > MAX_RING:
            raise ValueError(f"lattice={self.lattice}: a ring of at most {MAX_RING} sites is needed")

    def estimate(self, configurations: ArrayLike) -> FieldReading:
        """Return the temperature and the field of a batch.

        The errors are those of the mean pair sum and magnetization, carried through the covariance of both
        under the law that is read.

        Time O(number of counts) beside O(sites) for each configuration; the counts are made once.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Independent configurations: spins, or means between −1 and 1.

        Returns
        -------
        FieldReading
            T and H.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> ring = Ring(50)
        >>> read = FieldThermometer(ring).estimate(ring.sample(0.5, 500, rng=1))
        >>> abs(read.temperature - 2.0) < 4 * read.temperature_stderr, abs(read.field) < 0.1
        (True, True)
        """
        batch = check_configurations(configurations, self.lattice.n_sites)
        n = len(batch)
        seen = np.stack([pair_sums(self.lattice, batch), batch.sum(axis=1)], axis=1)
        mean = seen.mean(axis=0)
        if mean[0] >= sums_and_log_counts(self.lattice)[0][:, 0].max() * (1 - ALIGNED):
            return FieldReading(0.0, math.nan, math.nan, math.nan, n)
        K, b = couplings_of(self.lattice, mean)
        if not LEAST_COUPLING < K < MAX_COUPLING:
            return FieldReading(math.inf, math.nan, math.nan, math.nan, n)
        errors = np.full(2, math.nan)
        if n > 1:
            _, _, covariance = law_in_field(self.lattice, K, b)
            # d(T, H) = J d(K, b), d(K, b) = covariance⁻¹ d(means)
            slopes = np.array([[-1 / K**2, 0.0], [-b / K**2, 1 / K]]) @ np.linalg.inv(covariance)
            errors = np.sqrt(np.diag(slopes @ np.cov(seen.T) @ slopes.T) / n)
        return FieldReading(1 / K, b / K, float(errors[0]), float(errors[1]), n)

    def heat_capacity(self, temperature: float, field: float) -> float:
        """Return the heat capacity per site in k_B at a fixed field, ``Var(Σ v_i v_j + H Σ v_i)/(M T²)``.

        Parameters
        ----------
        temperature : float
            T > 0 in units of J/k_B.
        field : float
            H in units of J, finite.

        Returns
        -------
        float
            The heat capacity of the lattice over its number of sites M.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> found = FieldThermometer(Ring(8)).heat_capacity(2.0, 0.0)
        >>> print(round(found, 6), round(Ring(8).heat_capacity(0.5), 6))
        0.20629 0.20629
        """
        T, H = check_real_scalar("temperature", temperature), check_real_scalar("field", field)
        if not 0 < T < np.inf:
            raise ValueError(f"temperature={temperature}: a finite number above 0 is needed")
        if not np.isfinite(H):
            raise ValueError(f"field={field}: a finite number is needed")
        *_, covariance = law_in_field(self.lattice, 1 / T, H / T)
        energy = np.array([1.0, H])
        return float(energy @ covariance @ energy) / T / T / self.lattice.n_sites


def couplings_of(lattice: Ring | Torus, mean: FloatArray) -> tuple[float, float]:
    """Return K and b at which a lattice has these means of pair sum and magnetization: Newton's method.

    A step is halved until the convex ``ln Z − K ⟨Σ v_i v_j⟩ − b ⟨Σ v_i⟩`` falls by a quarter of what its
    slope promises.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> K, b = couplings_of(Ring(8), law_in_field(Ring(8), 0.4, 0.1)[1])
    >>> print(round(K, 9), round(b, 9))
    0.4 0.1
    """
    at = np.zeros(2)
    for _ in range(MOST_STEPS):
        ln_z, now, covariance = law_in_field(lattice, *at)
        step = np.linalg.solve(covariance + 1e-12 * np.trace(covariance) * np.eye(2), mean - now)
        gain, share = float(step @ (mean - now)), min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-300))
        value = ln_z - at @ mean
        while share > ALIGNED:
            there = at + share * step
            if law_in_field(lattice, *there)[0] - there @ mean <= value - share * gain / 4:
                break
            share /= 2
        at = at + share * step
        if gain < 1e-18 or np.abs(at).max() > MAX_COUPLING:
            break
    return float(at[0]), float(at[1])
