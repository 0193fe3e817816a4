"""Where two sizes agree, and where one has its maximum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray, check_finite, check_real_scalar, shown
from rbmflow.records import Record
from rbmflow.roots import bracketed_root
from rbmflow.sampling.blocks import jackknifed
from rbmflow.sampling.finite_size.jackknifed import Jackknifed, of_replicates
from rbmflow.sampling.finite_size.sizes import check_sizes, linear_size
from rbmflow.sampling.quantities import Quantity, QuantityName, check_quantity
from rbmflow.sampling.reweighting import Reweighting

GRID = 41
"""Points of a search."""
STEPS = 50
SETTLED = 1e-11
"""Of couplings of replicates, relative to the range of the search."""
DIFFERENCE = 2e-3
"""Of difference quotients, in units of that range."""


@dataclass(frozen=True, eq=False)
class Crossing(Record):
    """Where a quantity of two sizes has one value.

    Attributes
    ----------
    quantity : str
        Its name.
    lengths : tuple of float
        The smaller and the larger size, as `linear_size` says.
    K : Jackknifed
        The coupling.
    value : Jackknifed
        The quantity there.
    """

    quantity: str
    lengths: tuple[float, float]
    K: Jackknifed
    value: Jackknifed

    def effective_length(self, inverse_nu: float, omega: float) -> float:
        """Return the length by which crossings of pairs of any ratio lie on one curve.

        Where ``U = U* + a (K − K_c) L^(1/ν) + b L^(−ω)``, sizes L and sL cross at ``K_c + (b/a) ℓ^(−p)``,
        ``p = ω + 1/ν``, with ``ℓ^(−p) = L^(−p) (1 − s^(−ω))/(s^(1/ν) − 1)``.

        Parameters
        ----------
        inverse_nu, omega : float
            1/ν and ω, positive.

        Returns
        -------
        float
            ℓ, for `extrapolate` with the power ``ω + 1/ν``.

        Examples
        --------
        >>> from rbmflow.sampling.finite_size.jackknifed import of_replicates
        >>> anything = of_replicates(np.zeros(5))
        >>> pair = Crossing("binder_cumulant", (8.0, 16.0), anything, anything)
        >>> round(pair.effective_length(1.0, 1.0), 6)  # 8 √2
        11.313708
        """
        for name, value in (("inverse_nu", inverse_nu), ("omega", omega)):
            if not 0 < check_real_scalar(name, value) < np.inf:
                raise ValueError(f"{name}={shown(value)}: a positive, finite number is needed")
        length, log_ratio = self.lengths[0], np.log(self.lengths[1] / self.lengths[0])
        powers = np.array([omega, inverse_nu], dtype=float)
        falls = powers * log_ratio
        with np.errstate(divide="ignore", invalid="ignore"):  # exponents next to 0
            of_omega, of_nu = np.log(-np.expm1(-falls))
        return float(length * np.exp((falls[1] + of_nu - of_omega) / powers.sum()))


@dataclass(frozen=True, eq=False)
class Peak(Record):
    """The maximum of a quantity over couplings.

    Attributes
    ----------
    quantity : str
        Its name.
    length : float
        The size, as `linear_size` says.
    K : Jackknifed
        The coupling.
    value : Jackknifed
        The height.
    """

    quantity: str
    length: float
    K: Jackknifed
    value: Jackknifed


def crossing(
    first: Reweighting,
    second: Reweighting,
    quantity: QuantityName | Quantity = "binder_cumulant",
    *,
    between: tuple[float, float] | None = None,
) -> Crossing:
    """Return where a quantity of two sizes crosses.

    Cumulants cross at ``K_c + a L^(−ω − 1/ν)`` (K. Binder, Z. Phys. B 43, 119 (1981)).

    Parameters
    ----------
    first, second : Reweighting
        Two sizes, of one number of blocks.
    quantity : str or Quantity
        What crosses.
    between : (float, float), optional
        Couplings to search between; by default all that both runs reach.

    Returns
    -------
    Crossing
        Of several crossings the one that is known best, the steepest in units of the error.

    Raises
    ------
    ValueError
        If there is no crossing in the range, or not in each replicate: longer runs are needed.

    Examples
    --------
    >>> from rbmflow import Torus, sampling
    >>> long = {"n_chains": 64, "n_sweeps": 400, "rule": "swendsen_wang", "rng": 1}
    >>> sizes = [sampling.reweight(sampling.run(Torus(L, L), 0.44, **long)) for L in (4, 8)]
    >>> abs(crossing(*sizes).K.mean - 0.4407) < 0.03
    True
    """
    small, large = check_sizes(first, second, least=2)
    asked = check_quantity(quantity)
    low, high = _range(between, small, large)

    def apart(K: FloatArray) -> FloatArray:
        """The difference, for a coupling or for one of each replicate."""
        return large.replicates(asked, K) - small.replicates(asked, K)

    lengths = linear_size(small.lattice), linear_size(large.lattice)
    what = f"{asked.name} of sizes {lengths[0]:g} and {lengths[1]:g} does not cross"
    K = _root(apart, small.n_blocks, low, high, what)
    value = small.replicates(asked, K[:, np.newaxis])[:, 0]
    return Crossing(asked.name, lengths, of_replicates(K), of_replicates(value))


def level(
    size: Reweighting,
    quantity: QuantityName | Quantity,
    value: float,
    *,
    between: tuple[float, float] | None = None,
) -> Jackknifed:
    """Return the coupling where a quantity has a value.

    Where a cumulant has a fixed value of about that of the crossings the coupling tends to K_c, and other
    quantities have smaller errors than at K_c, see `exponent`.

    Parameters
    ----------
    size : Reweighting
        One size.
    quantity : str or Quantity
        The quantity.
    value : float
        Its value.
    between : (float, float), optional
        Couplings to search between; by default all that the runs reach.

    Returns
    -------
    Jackknifed
        The coupling; of several the one that is known best, as for `crossing`.

    Raises
    ------
    ValueError
        If it does not have the value in the range.

    Examples
    --------
    >>> from rbmflow import Torus, sampling
    >>> chains = sampling.run(Torus(8, 8), 0.42, n_chains=512, n_sweeps=1000, burn_in=100, rng=1)
    >>> K = level(sampling.reweight(chains), "energy", Torus(8, 8).energy(0.43))
    >>> abs(K.estimate.deviation(0.43)) < 4
    True
    """
    (one,) = check_sizes(size)
    asked, at = check_quantity(quantity), check_finite("value", check_real_scalar("value", value))
    low, high = _range(between, one)
    what = f"{asked.name} of size {linear_size(one.lattice):g} is not {float(at):g}"
    return of_replicates(_root(lambda K: one.replicates(asked, K) - at, one.n_blocks, low, high, what))


def peak(
    size: Reweighting,
    quantity: QuantityName | Quantity = "connected_susceptibility",
    *,
    between: tuple[float, float] | None = None,
) -> Peak:
    """Return where a quantity is largest, and how large.

    Of ``"connected_susceptibility"`` and ``"heat_capacity"`` the couplings tend to K_c as ``L^(−1/ν)``, and
    the heights grow as ``L^(γ/ν)`` and ``L^(α/ν)``.

    Parameters
    ----------
    size : Reweighting
        One size.
    quantity : str or Quantity
        What has a maximum.
    between : (float, float), optional
        Couplings to search between; by default all that the runs reach.

    Returns
    -------
    Peak
        Coupling and height, with errors.

    Raises
    ------
    ValueError
        If the largest value is at an end of the range.

    Examples
    --------
    >>> from rbmflow import Torus, sampling
    >>> chains = sampling.run(Torus(8, 8), 0.42, n_chains=512, n_sweeps=1000, burn_in=100, rng=1)
    >>> round(peak(sampling.reweight(chains), "heat_capacity").K.mean, 2)
    0.42
    """
    (one,) = check_sizes(size)
    asked = check_quantity(quantity)
    low, high = _range(between, one)
    grid = np.linspace(low, high, GRID)
    place = int(np.argmax(one.replicates(asked, grid)[0]))
    if place in (0, GRID - 1):
        raise ValueError(
            f"{asked.name} is largest at K = {grid[place]:.6g}, an end of the range: runs beyond are needed"
        )
    step = DIFFERENCE * (high - low)

    def newton(at: FloatArray) -> FloatArray:
        below, here, above = one.replicates(asked, at + step * np.array([-1, 0, 1])).T
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(step * (above - below) / (2 * (above + below - 2 * here)))

    K = _settle(grid[place], one.n_blocks, newton, low, high)
    value = one.replicates(asked, K[:, np.newaxis])[:, 0]
    return Peak(asked.name, linear_size(one.lattice), of_replicates(K), of_replicates(value))


def _root(
    function: Callable[[FloatArray], FloatArray], n_blocks: int, low: float, high: float, what: str
) -> FloatArray:
    """Return where each replicate of a function of couplings vanishes, at the best known of several roots.

    Far from the runs a function of two sizes may only vanish within its errors, there steeper than anywhere.
    """
    grid = np.linspace(low, high, GRID)
    replicates = function(grid)
    along, errors = replicates[0], jackknifed(replicates)[1]
    changes = np.flatnonzero(along[:-1] * along[1:] <= 0)
    if not len(changes) or not np.isfinite(along).all():
        raise ValueError(
            f"{what} between K = {low:.6g} and {high:.6g}: runs at other couplings, or another range, "
            "are needed"
        )
    errors = np.maximum(np.maximum(errors[:-1], errors[1:]), np.finfo(float).tiny)
    place = changes[np.argmax((np.abs(np.diff(along)) / errors)[changes])]
    root = bracketed_root(lambda K: float(function(np.array([K]))[0, 0]), grid[place], grid[place + 1])
    step = DIFFERENCE * (high - low)

    def newton(at: FloatArray) -> FloatArray:
        below, here, above = function(at + step * np.array([-1, 0, 1])).T
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(2 * step * here / (above - below))

    return _settle(root, n_blocks, newton, low, high)


def _settle(
    start: float, n_blocks: int, newton: Callable[[FloatArray], FloatArray], low: float, high: float
) -> FloatArray:
    """Return where each replicate comes from one start, by the steps that are taken off."""
    K = np.full((1 + n_blocks, 1), start)
    for _ in range(STEPS):
        steps = newton(K)
        K = K - steps[:, np.newaxis]
        if not ((low <= K) & (high >= K)).all():  # nor where a step is NaN
            break
        if np.abs(steps).max() <= SETTLED * (high - low):
            return np.asarray(K[:, 0])
    raise ValueError(
        f"without a block of the runs it is not between K = {low:.6g} and {high:.6g}: longer runs, or "
        "another range, are needed"
    )


def _range(between: object, *sizes: Reweighting) -> tuple[float, float]:
    """The couplings that all sizes reach, or those that are given."""
    low, high = max(one.reach[0] for one in sizes), min(one.reach[1] for one in sizes)
    if between is not None:
        if not isinstance(between, (tuple, list)) or len(between) != 2:
            raise TypeError(f"between={shown(between)}: two couplings are needed")
        asked_low, asked_high = (check_real_scalar("between", one) for one in between)
        low, high = max(low, asked_low), min(high, asked_high)
    if not low < high:
        raise ValueError(
            f"between={shown(between)}: there is no coupling that all runs reach, "
            f"{', '.join(f'{one.reach[0]:.6g} to {one.reach[1]:.6g}' for one in sizes)}"
        )
    return low, high
