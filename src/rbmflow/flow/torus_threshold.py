"""The temperature below which the flow of a uniform machine trained on a torus orders.

After training with equal weights only the law of the magnetization matters, in two dimensions as in one: the
flow orders if and only if ⟨V tanh W_c V⟩ of the data at ``W_c = 1/√(MN)`` exceeds the machine's. On large
tori the left side is measured along chains.
"""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.estimate import Estimate
from rbmflow.flow.threshold import critical_weight
from rbmflow.ising import Torus
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.roots import bracketed_root
from rbmflow.sampling import run
from rbmflow.weight import f

MAX_EXACT_SIDE = 8
PILOTS, PILOT_MEASUREMENTS = 10, 20
GROUPS = 32
SPACING, BURN_IN = 4, 16
"""Of measurements: L/4 sweeps apart, after 16 L sweeps.

At the threshold ξ ~ L^(4/7), so τ ~ ξ^2.2 ~ L^1.2: 10 sweeps at L = 16, 78 at 128.
"""


def ordering_temperature(
    torus: Torus, n_hidden: int, *, n_chains: int, n_measurements: int, rng: np.random.Generator
) -> Estimate:
    """Solve ``⟨V tanh W_c V⟩_T = f(W_c)`` for T: exactly up to L = 8, else along chains.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> print(f"{ordering_temperature(Torus(4, 4), 16, n_chains=4, n_measurements=20, rng=rng).mean:.6f}")
    4.202284
    """
    if max(torus.shape) <= MAX_EXACT_SIDE:
        return Estimate(exact_temperature(torus, n_hidden), 0.0, 0.5, np.inf, np.nan, np.nan)
    return measured_temperature(torus, n_hidden, n_chains=n_chains, n_measurements=n_measurements, rng=rng)


def exact_temperature(torus: Torus, n_hidden: int) -> float:
    """Return the temperature, by the exact law of V."""
    W, wanted = _threshold(torus, n_hidden)

    def surplus(T: float) -> float:
        law = torus.magnetization_law(1 / T)
        return float(law.probabilities @ (law.values * np.tanh(W * law.values))) - wanted

    return bracketed_root(surplus, 1.5, 8.0, absolute=1e-13)


def measured_temperature(
    torus: Torus, n_hidden: int, *, n_chains: int, n_measurements: int, rng: np.random.Generator
) -> Estimate:
    """Return the temperature, by heat-bath chains from random starts.

    Pilots bracket the root; a long run beside it, reweighted in temperature by ``e^(−(β − β₀)E)``, gives the
    root itself, and a jackknife over groups of chains its error. Measurements stand a fixed number of sweeps
    apart: taken when clusters have flipped so many spins they would favour the states that large clusters
    leave.
    """
    W, wanted = _threshold(torus, n_hidden)
    low, high = CRITICAL_TEMPERATURE - 0.1, CRITICAL_TEMPERATURE + 1.5
    for _ in range(PILOTS):
        T = (low + high) / 2
        V = _chains(torus, T, n_chains, PILOT_MEASUREMENTS, rng)[1]
        low, high = (T, high) if (V * np.tanh(W * V)).mean() > wanted else (low, T)
    T = (low + high) / 2
    energy, V = _chains(torus, T, n_chains, n_measurements, rng)
    order = V * np.tanh(W * V)
    root = _reweighted(energy, order, T, wanted)
    groups = np.array_split(np.arange(len(energy)), min(GROUPS, len(energy)))
    without = [
        _reweighted(np.delete(energy, group, axis=0), np.delete(order, group, axis=0), T, wanted)
        for group in groups
    ]
    n = len(without)
    stderr = float(np.sqrt((n - 1) * np.var(without)))
    name = f"V tanh WV on the torus of {torus.n_rows} x {torus.n_cols} at T = {T:.6g}"
    series = Estimate.from_series(order, spacing=_spacing(torus.n_rows), name=name)
    return Estimate(root, stderr, series.tau, series.n_effective, series.r_hat, series.tau_stderr)


def _threshold(torus: Torus, n_hidden: int) -> tuple[float, float]:
    """W_c, and the machine's ⟨V tanh W_c V⟩."""
    W = critical_weight(torus.n_sites, n_hidden)
    return W, float(f(W, torus.n_sites, n_hidden))


def _spacing(side: int) -> int:
    return max(1, side // SPACING)


def _chains(
    torus: Torus, T: float, n_chains: int, n_measurements: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Total energy and magnetization along heat-bath chains, (n_chains, n_measurements) each."""
    thin = _spacing(torus.n_rows)
    chains = run(
        torus, 1 / T, n_chains=n_chains, n_sweeps=n_measurements * thin, thin=thin,
        burn_in=BURN_IN * torus.n_rows,
        rng=rng, keep_spins=False, n_threads=1,
    )  # fmt: skip
    return chains.energy * torus.n_sites, chains.magnetization * torus.n_sites


def _reweighted(energy: FloatArray, order: FloatArray, T: float, wanted: float) -> float:
    """The temperature at which the reweighted mean of `order` is `wanted`, beside T."""
    centred = energy - energy.mean()
    reach = 2 / centred.std()  # in β: two standard deviations of the energy

    def surplus(shift: float) -> float:
        weight = np.exp(-shift * centred)
        return float((weight * order).sum() / weight.sum()) - wanted

    return 1 / (1 / T + bracketed_root(surplus, -reach, reach, absolute=1e-14))
