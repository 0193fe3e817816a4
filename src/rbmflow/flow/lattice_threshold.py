"""The temperature below which the flow of a uniform machine trained on a lattice orders.

After training with equal weights only the law of the magnetization matters, on any lattice: the flow orders
if and only if ⟨V tanh W_c V⟩ of the data at ``W_c = 1/√(MN)`` exceeds the machine's. On all but small tori
the left side is measured along chains.

At the threshold the machine has ⟨V²⟩ ~ M^(3/2), as any Curie-Weiss magnet at its own, so that the
susceptibility of the data is χ = ⟨V²⟩/M ~ M^(1/2) = L^(d/2). Above T_c χ ~ (T − T_c)^(−γ) as long as
ξ ~ (T − T_c)^(−ν) is below L. Hence ``T_flow − T_c ~ L^(−d/(2γ))``, and ξ ~ L^(dν/(2γ)) there: below L
where ``d < 4 − 2η``, as γ = ν (2 − η), in two dimensions (ξ ~ L^(4/7)) and in three (L^0.764), not from four
on, where χ ~ L^(d/2) at T_c itself.
"""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.estimate import Estimate
from rbmflow.flow.threshold import critical_weight
from rbmflow.ising import Torus
from rbmflow.ising.crystal import Crystal
from rbmflow.roots import bracketed_root
from rbmflow.sampling import run
from rbmflow.weight import f

MAX_EXACT_SIDE = 8
PILOTS, PILOT_MEASUREMENTS = 10, 20
GROUPS = 32
SPACING, BURN_IN = 4, 16
"""Of measurements: L/4 sweeps apart, after 16 L sweeps.

At the threshold of a torus ξ ~ L^(4/7), so τ ~ ξ^2.2 ~ L^1.2: 10 sweeps at L = 16, 78 at 128. In three
dimensions τ ~ ξ² ~ L^1.5, and less at the sides that are reached.
"""
BELOW, ABOVE = 0.1, 1.5
"""Of T_c, where the threshold is first sought; further up if it is not there."""
GAMMA = {2: 7 / 4, 3: 1.237075}
"""Of the susceptibility, by dimension: exactly, and 1.237075(10) of the conformal bootstrap."""
NU = {2: 1.0, 3: 0.629971}
"""Of the correlation length: exactly, and 0.629971(4)."""


def exponent_of(dimension: int) -> float:
    """Return d/(2γ), the power of 1/L with which T_flow tends to T_c.

    The exponents are those of F. Kos, D. Poland, D. Simmons-Duffin and A. Vichi, JHEP 08, 036 (2016).

    Examples
    --------
    >>> print(round(exponent_of(2), 4), round(exponent_of(3), 4))
    0.5714 1.2125
    """
    return dimension / (2 * GAMMA[dimension])


def ordering_temperature(
    lattice: Crystal, n_hidden: int, *, n_chains: int, n_measurements: int, rng: np.random.Generator
) -> Estimate:
    """Solve ``⟨V tanh W_c V⟩_T = f(W_c)`` for T: exactly on tori up to L = 8, else along chains.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> print(f"{ordering_temperature(Torus(4, 4), 16, n_chains=4, n_measurements=20, rng=rng).mean:.6f}")
    4.202284
    """
    if isinstance(lattice, Torus) and max(lattice.shape) <= MAX_EXACT_SIDE:
        return Estimate(exact_temperature(lattice, n_hidden), 0.0, 0.5, np.inf, np.nan, np.nan)
    return measured_temperature(lattice, n_hidden, n_chains=n_chains, n_measurements=n_measurements, rng=rng)


def exact_temperature(torus: Torus, n_hidden: int) -> float:
    """Return the temperature, by the exact law of V."""
    W, wanted = _threshold(torus, n_hidden)

    def surplus(T: float) -> float:
        law = torus.magnetization_law(1 / T)
        return float(law.probabilities @ (law.values * np.tanh(W * law.values))) - wanted

    return bracketed_root(surplus, 1.5, 8.0, absolute=1e-13)


def measured_temperature(
    lattice: Crystal, n_hidden: int, *, n_chains: int, n_measurements: int, rng: np.random.Generator
) -> Estimate:
    """Return the temperature, by heat-bath chains from random starts.

    Pilots bracket the root; a long run beside it, reweighted in temperature by ``e^(−(β − β₀)E)``, gives the
    root itself, and a jackknife over groups of chains its error. Measurements stand a fixed number of sweeps
    apart: taken when clusters have flipped so many spins they would favour the states that large clusters
    leave.
    """
    W, wanted = _threshold(lattice, n_hidden)
    T_c, reach, inside = 1 / lattice.critical_coupling, ABOVE, False
    low, high = T_c - BELOW, T_c + reach
    while not inside:
        for _ in range(PILOTS):
            T = (low + high) / 2
            V = _chains(lattice, T, n_chains, PILOT_MEASUREMENTS, rng)[1]
            ordered = (V * np.tanh(W * V)).mean() > wanted
            low, high, inside = (T, high, inside) if ordered else (low, T, True)
        if not inside:
            low, reach = T_c + reach, 2 * reach
            high = T_c + reach
    T = (low + high) / 2
    energy, V = _chains(lattice, T, n_chains, n_measurements, rng)
    order = V * np.tanh(W * V)
    root = _reweighted(energy, order, T, wanted)
    groups = np.array_split(np.arange(len(energy)), min(GROUPS, len(energy)))
    without = [
        _reweighted(np.delete(energy, group, axis=0), np.delete(order, group, axis=0), T, wanted)
        for group in groups
    ]
    n = len(without)
    stderr = float(np.sqrt((n - 1) * np.var(without)))
    name = f"V tanh WV on a {lattice.label} at T = {T:.6g}"
    series = Estimate.from_series(order, spacing=_spacing(lattice), name=name)
    return Estimate(root, stderr, series.tau, series.n_effective, series.r_hat, series.tau_stderr)


def _threshold(lattice: Crystal, n_hidden: int) -> tuple[float, float]:
    """W_c, and the machine's ⟨V tanh W_c V⟩."""
    W = critical_weight(lattice.n_sites, n_hidden)
    return W, float(f(W, lattice.n_sites, n_hidden))


def _spacing(lattice: Crystal) -> int:
    return max(1, max(lattice.cells) // SPACING)


def _chains(
    lattice: Crystal, T: float, n_chains: int, n_measurements: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Total energy and magnetization along heat-bath chains, (n_chains, n_measurements) each."""
    thin = _spacing(lattice)
    chains = run(
        lattice, 1 / T, n_chains=n_chains, n_sweeps=n_measurements * thin, thin=thin,
        burn_in=BURN_IN * max(lattice.cells),
        rng=rng, keep_spins=False, n_threads=1,
    )  # fmt: skip
    return chains.energy * lattice.n_sites, chains.magnetization * lattice.n_sites


def _reweighted(energy: FloatArray, order: FloatArray, T: float, wanted: float) -> float:
    """The temperature at which the reweighted mean of `order` is `wanted`, beside T."""
    centred = energy - energy.mean()
    reach = 2 / centred.std()  # in β: two standard deviations of the energy

    def surplus(shift: float) -> float:
        weight = np.exp(-shift * centred)
        return float((weight * order).sum() / weight.sum()) - wanted

    return 1 / (1 / T + bracketed_root(surplus, -reach, reach, absolute=1e-14))
