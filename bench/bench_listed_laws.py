"""Laws, divergences and effective couplings over all visible states against a free energy for each state."""

import numpy as np
from processor_time import least_seconds

from rbmflow import RBM, StateLaw
from rbmflow.networks import effective_couplings, exact_log_partition, kl_divergence, visible_law
from rbmflow.spins import all_states

N_VISIBLE, N_HIDDEN = 20, 16
TARGETS = {"visible_law": 25, "kl_divergence": 10, "effective_couplings": 12}


def plain_law(rbm):
    states = all_states(rbm.n_visible)
    log_weights = -rbm.free_energy(states)
    weights = np.exp(log_weights - log_weights.max())
    return StateLaw(states, weights / weights.sum())


def plain_divergence(law, rbm):
    log_partition = exact_log_partition(rbm)
    return law.divergence(lambda states: -rbm.free_energy(states) - log_partition)


def plain_couplings(rbm):
    couplings = -rbm.free_energy(all_states(rbm.n_visible)) / 2**rbm.n_visible
    for site in range(rbm.n_visible):
        pairs = couplings.reshape(-1, 2, 2**site)
        couplings = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 1] - pairs[:, 0]], axis=1).ravel()
    couplings[0] -= exact_log_partition(rbm)
    return couplings


def test_all_visible_states(benchmark):
    rng = np.random.default_rng(1)
    rbm, other = (
        RBM(
            rng.normal(0, 0.3, (N_VISIBLE, N_HIDDEN)),
            rng.normal(0, 0.1, N_VISIBLE),
            rng.normal(0, 0.1, N_HIDDEN),
        )
        for _ in range(2)
    )
    law = benchmark(lambda: visible_law(rbm))
    np.testing.assert_allclose(law.probabilities, plain_law(rbm).probabilities, rtol=1e-13)
    np.testing.assert_allclose(kl_divergence(law, other), plain_divergence(law, other), rtol=1e-13)
    np.testing.assert_allclose(effective_couplings(rbm), plain_couplings(rbm), rtol=0, atol=1e-14)
    seconds = least_seconds(
        lambda: visible_law(rbm),
        lambda: plain_law(rbm),
        lambda: kl_divergence(law, other),
        lambda: plain_divergence(law, other),
        lambda: effective_couplings(rbm),
        lambda: plain_couplings(rbm),
        rounds=3,
    )
    for name, mine, plain in zip(TARGETS, seconds[::2], seconds[1::2], strict=True):
        print(
            f"\n{name} {N_VISIBLE} x {N_HIDDEN}: {1e3 * mine:.0f} ms, {plain / mine:.0f}x a free energy for "
            f"each state (target {TARGETS[name]}x)"
        )
