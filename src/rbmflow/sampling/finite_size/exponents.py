"""How quantities grow with the size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray, check_finite, shown
from rbmflow.records import Record
from rbmflow.sampling.finite_size.extrapolation import check_powers, falling, fit
from rbmflow.sampling.finite_size.jackknifed import Jackknifed, of_replicates
from rbmflow.sampling.finite_size.sizes import check_sizes, linear_size
from rbmflow.sampling.quantities import Quantity, QuantityName, check_quantity
from rbmflow.sampling.reweighting import Reweighting


@dataclass(frozen=True, eq=False)
class Exponent(Record):
    """``Q = A L^κ exp(Σ_j b_j L^(−p_j))``, fitted.

    Attributes
    ----------
    quantity : str
        The name of Q.
    value : Jackknifed
        κ; its error is that of the jackknife through the fit, if the corrections are the right ones.
    lengths : tuple of float
        The sizes.
    numbers : tuple of Jackknifed
        Q of each.
    powers : tuple of float
        p_j.
    corrections : tuple of Jackknifed
        b_j.
    chi_squared : float
        Of the residuals, by the errors of the numbers as if they were independent.
    n_free : int
        Sizes less parameters.
    """

    quantity: str
    value: Jackknifed
    lengths: tuple[float, ...]
    numbers: tuple[Jackknifed, ...]
    powers: tuple[float, ...]
    corrections: tuple[Jackknifed, ...]
    chi_squared: float
    n_free: int


def exponent(
    sizes: Sequence[Reweighting],
    quantity: QuantityName | Quantity,
    K: float | Jackknifed | Sequence[Jackknifed],
    *,
    powers: Sequence[float] = (),
) -> Exponent:
    """Return the power of L with which a quantity grows, at one coupling or one for each size.

    γ/ν of ``"susceptibility"``, 1/ν of ``"binder_cumulant_slope"``, −β/ν of ``"absolute_magnetization"``. The
    slopes of ``ln⟨|m|⟩`` and ``ln⟨m²⟩`` grow as ``L^(1/ν)`` too, but for a constant, a correction of power
    1/ν. Of two sizes at the coupling where their cumulants cross these are the quotients of H. G. Ballesteros
    et al., Phys. Lett. B 378, 207 (1996); with couplings where the cumulant has one value at all sizes, see
    `level`, most errors cancel (M. Hasenbusch, J. Phys. A 32, 4851 (1999)).

    Parameters
    ----------
    sizes : sequence of Reweighting
        Two or more sizes, of one number of blocks.
    quantity : str or Quantity
        A quantity of one sign.
    K : float, Jackknifed or sequence of Jackknifed
        The coupling; one that was measured goes with its replicates. Of several, one for each size.
    powers : sequence of float
        Of corrections to scaling, positive.

    Returns
    -------
    Exponent
        The exponent, and what the fit leaves.

    Examples
    --------
    >>> from rbmflow import Torus, sampling
    >>> long = {"n_chains": 64, "n_sweeps": 400, "rule": "swendsen_wang", "rng": 1}
    >>> sizes = [sampling.reweight(sampling.run(Torus(L, L), 0.44, **long)) for L in (4, 8)]
    >>> abs(exponent(sizes, "susceptibility", 0.4407).value.mean - 1.75) < 0.1
    True
    """
    if not isinstance(sizes, (list, tuple)):
        raise TypeError(f"sizes={shown(sizes)}: a list of results of `reweight` is needed")
    p = check_powers(powers)
    given = check_sizes(*sizes, least=2 + len(p))
    asked, rows = check_quantity(quantity), 1 + given[0].n_blocks
    lengths = np.array([linear_size(one.lattice) for one in given])
    if isinstance(K, (list, tuple)):
        if len(K) != len(given):
            raise ValueError(f"K holds {len(K)} couplings: one for each of {len(given)} sizes is needed")
        order = np.argsort([linear_size(one.lattice) for one in sizes])
        couplings = [_replicated(K[place], rows) for place in order]
    else:
        couplings = [_replicated(K, rows)] * len(given)
    values = [one.replicates(asked, at)[:, 0] for one, at in zip(given, couplings, strict=True)]
    sign = np.sign(values[0][0])
    if not (sign * np.array(values) > 0).all():
        raise ValueError(f"quantity={asked.name}: {[float(one[0]) for one in values]} are not of one sign")
    logarithms = [of_replicates(np.log(sign * one)) for one in values]
    terms = np.column_stack([np.log(lengths), np.ones(len(lengths)), *falling(lengths, p)])
    found, chi_squared = fit(logarithms, terms)
    return Exponent(
        asked.name,
        found[0],
        tuple(lengths.tolist()),
        tuple(of_replicates(one) for one in values),
        tuple(p.tolist()),
        tuple(found[2:]),
        chi_squared,
        len(given) - len(found),
    )


def _replicated(K: object, rows: int) -> FloatArray:
    """Return a coupling for each replicate, shape (rows, 1)."""
    if isinstance(K, Jackknifed):
        if len(K.replicates) != rows:
            raise ValueError(f"K is of {len(K.replicates) - 1} blocks: {rows - 1} are needed")
        return K.replicates[:, np.newaxis]
    coupling = check_finite("K", K)
    if coupling.ndim:
        raise ValueError(f"K={shown(K)}: one coupling is needed, or a Jackknifed for each size")
    return np.full((rows, 1), coupling)
