"""Annealed importance sampling, 64 × 64, 1,000 temperatures × 100 chains, beside numpy: ms of one thread.

Processor time, the best of several interleaved runs. The peers are numpy as the formulas stand, and tuned,
each in both precisions; every estimate must hold the exact ln Z of a machine of the same kind, whose smaller
layer can be enumerated, within 5 standard errors.
"""

import itertools
import time

import numpy as np

from rbmflow import RBM
from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.likelihood import log_partition
from rbmflow.likelihood.annealed_importance import independent_log_partition
from rbmflow.likelihood.ratio import log_mean

LEVELS = SIMD_LEVELS[: simd.supported() + 1]
N_TEMPERATURES, N_CHAINS = 1000, 100
TARGETS = {"plain": 5, "avx2": 10, "avx512": 10}


def machine(n_visible, n_hidden):
    rng = np.random.default_rng(1)
    return RBM(
        rng.normal(scale=0.15, size=(n_visible, n_hidden)),
        rng.normal(scale=0.2, size=n_visible),
        rng.normal(scale=0.2, size=n_hidden),
    )


def numpy_tuned(rbm, real, seed):
    """The hidden field of a step serves its weight and its sample."""
    rng = np.random.default_rng(seed)
    W, b, c = (one.astype(real) for one in (rbm.weights, rbm.visible_bias, rbm.hidden_bias))

    def draw(field):
        p = 1 / (1 + np.exp(-2 * field))
        return 2 * (rng.random(field.shape, dtype=real) < p).astype(real) - 1

    def log_cosh(field):
        size = np.abs(field)
        return size + np.log1p(np.exp(-2 * size))

    betas = np.linspace(0, 1, N_TEMPERATURES).astype(real)
    v = draw(np.broadcast_to(b, (N_CHAINS, len(b))))
    log_weight = np.zeros(N_CHAINS)
    for step in range(N_TEMPERATURES - 1):
        x = v @ W
        new = c + betas[step + 1] * x
        log_weight += (log_cosh(new) - log_cosh(c + betas[step] * x)).sum(axis=1)
        if step + 2 < N_TEMPERATURES:
            v = draw(b + betas[step + 1] * (draw(new) @ W.T))
    return log_weight


def numpy_textbook(rbm, real, seed):
    """Numpy as the formulas stand: free energies at both temperatures, then a sweep."""
    rng = np.random.default_rng(seed)
    W, b, c = (one.astype(real) for one in (rbm.weights, rbm.visible_bias, rbm.hidden_bias))

    def minus_free_energy(v, beta):
        field = c + beta * (v @ W)
        return v @ b + np.logaddexp(field, -field).sum(axis=1)

    def draw(field):
        return np.where(rng.random(field.shape) < 1 / (1 + np.exp(-2 * field)), 1, -1).astype(real)

    betas = np.linspace(0, 1, N_TEMPERATURES).astype(real)
    v = draw(np.broadcast_to(b, (N_CHAINS, len(b))))
    log_weight = np.zeros(N_CHAINS)
    for before, after in itertools.pairwise(betas):
        log_weight += minus_free_energy(v, after) - minus_free_energy(v, before)
        v = draw(b + after * (draw(c + after * (v @ W)) @ W.T))
    return log_weight


def best_of(call, repeats):
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def test_ais(benchmark, monkeypatch):
    small = machine(64, 12)
    exact = float(log_partition(small))
    forms = [(form, real) for form in (numpy_textbook, numpy_tuned) for real in (np.float64, np.float32)]
    for form, real in forms:
        found = log_mean(form(small, real, 2))
        assert abs(found.value + independent_log_partition(small) - exact) < 5 * found.stderr + 1e-3
    rbm = machine(64, 64)
    peers, own = dict.fromkeys(forms, np.inf), dict.fromkeys(LEVELS, np.inf)

    def ais(model=rbm):
        return log_partition(
            model, "ais", n_temperatures=N_TEMPERATURES, n_chains=N_CHAINS, rng=3, n_threads=1
        )

    for _ in range(3):
        for level in LEVELS:
            monkeypatch.setenv("RBMFLOW_SIMD", level)
            found = ais(small)
            assert abs(found.value - exact) < 5 * found.stderr
            own[level] = min(own[level], best_of(ais, 5))
        for (form, real), seconds in peers.items():
            peers[form, real] = min(seconds, best_of(lambda f=form, r=real: f(rbm, r, 2), 1))
    benchmark.pedantic(ais, rounds=3)
    print("\nAIS 64 x 64, ms:")
    for level, seconds in own.items():
        print(f"  {level}: {1e3 * seconds:.1f}")
    for (form, real), peer in peers.items():
        ratios = ", ".join(f"{level} {peer / seconds:.1f}x" for level, seconds in own.items())
        print(f"  {form.__name__} {real.__name__}: {1e3 * peer:.0f}; {ratios}")
    print(f"  target, of plain numpy: {', '.join(f'{level} {ratio}x' for level, ratio in TARGETS.items())}")
