"""Exact ln Z of a machine over its smaller layer beside numpy and torch: ns per state of it, one thread.

Processor time, the best of several interleaved runs, float64. The peers evaluate ln 2cosh of every field, in
blocks that stay in the cache; they are tuned by trying forms and sizes of blocks, the best of them counts.
All must agree to 1e-12.
"""

import time

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.networks import exact_log_partition
from rbmflow.spins import all_states

LEVELS = SIMD_LEVELS[: simd.supported() + 1]
SHAPES = [(64, 20, 0.1), (64, 20, 0.5), (16, 16, 0.3)]
TARGETS = {"plain": 20, "avx2": 40, "avx512": 40}
BLOCKS = (8, 10, 12)
REPEATS = 5


def machine(n_visible, n_hidden, scale):
    rng = np.random.default_rng(1)
    return RBM(
        rng.normal(scale=scale, size=(n_visible, n_hidden)),
        rng.normal(scale=scale, size=n_visible),
        rng.normal(scale=scale, size=n_hidden),
    )


def numpy_by_logarithms(rbm, bits):
    """|a| + ln(1 + e^(−2|a|)) of every field, in place; those of the high units are added once a block."""
    n = rbm.n_hidden
    low = all_states(bits).astype(float)
    fields = low @ rbm.weights[:, :bits].T
    linear = low @ rbm.hidden_bias[:bits]
    size, rest = np.empty_like(fields), np.empty_like(fields)
    log_weight = np.empty(2**n)
    for k, high in enumerate(2.0 * ((np.arange(2 ** (n - bits))[:, None] >> np.arange(n - bits)) & 1) - 1):
        np.add(fields, rbm.weights[:, bits:] @ high + rbm.visible_bias, out=size)
        np.abs(size, out=size)
        np.multiply(size, -2, out=rest)
        np.exp(rest, out=rest)
        np.log1p(rest, out=rest)
        rest += size
        log_weight[k << bits : (k + 1) << bits] = rest.sum(axis=1) + (linear + high @ rbm.hidden_bias[bits:])
    top = log_weight.max()
    return top + np.log(np.exp(log_weight - top).sum())


def numpy_by_products(rbm, bits):
    """Σ|a| + ln Π(1 + e^(−2|a|)): one logarithm for each state; the product is at most 2^n_visible."""
    n = rbm.n_hidden
    low = all_states(bits).astype(float)
    fields = (low @ rbm.weights[:, :bits].T).T.copy()
    linear = low @ rbm.hidden_bias[:bits]
    size = np.empty_like(fields)
    log_weight = np.empty(2**n)
    for k, high in enumerate(2.0 * ((np.arange(2 ** (n - bits))[:, None] >> np.arange(n - bits)) & 1) - 1):
        np.add(fields, (rbm.weights[:, bits:] @ high + rbm.visible_bias)[:, None], out=size)
        np.abs(size, out=size)
        total = size.sum(axis=0)
        np.multiply(size, -2, out=size)
        np.exp(size, out=size)
        size += 1
        total += np.log(np.multiply.reduce(size, axis=0))
        log_weight[k << bits : (k + 1) << bits] = total + (linear + high @ rbm.hidden_bias[bits:])
    top = log_weight.max()
    return top + np.log(np.exp(log_weight - top).sum())


def torch_by_products(rbm, bits):
    """The form of `numpy_by_products` in torch."""
    torch = pytest.importorskip("torch", reason="a peer of this benchmark is torch")
    torch.set_num_threads(1)
    n = rbm.n_hidden
    weights, b, c = (torch.tensor(one) for one in (rbm.weights, rbm.visible_bias, rbm.hidden_bias))
    low = torch.tensor(all_states(bits).astype(float))
    fields, linear = weights[:, :bits] @ low.T, low @ c[:bits]
    log_weight = torch.empty(2**n, dtype=torch.float64)
    size = torch.empty_like(fields)
    states = torch.tensor(2.0 * ((np.arange(2 ** (n - bits))[:, None] >> np.arange(n - bits)) & 1) - 1)
    shifts, high_linear = weights[:, bits:] @ states.T + b[:, None], states @ c[bits:]
    for k in range(2 ** (n - bits)):
        torch.add(fields, shifts[:, k : k + 1], out=size)
        size.abs_()
        total = size.sum(dim=0)
        size.mul_(-2).exp_().add_(1)
        total += size.prod(dim=0).log()
        log_weight[k << bits : (k + 1) << bits] = total + (linear + high_linear[k])
    return float(torch.logsumexp(log_weight, 0))


def best_of(call, repeats):
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def peers():
    forms = [numpy_by_logarithms, numpy_by_products]
    try:
        import torch  # noqa: F401
    except ImportError:
        print("\ntorch is not installed: the peer is numpy alone")
    else:
        forms.append(torch_by_products)
    return forms


@pytest.mark.parametrize("shape", SHAPES)
def test_log_partition(benchmark, monkeypatch, shape):
    rbm = machine(*shape)
    states = 2 ** min(shape[:2])
    forms = {(form, bits): np.inf for form in peers() for bits in BLOCKS}
    own = dict.fromkeys(LEVELS, np.inf)
    reference = numpy_by_logarithms(rbm, 12)
    for form, bits in forms:
        assert abs(form(rbm, bits) - reference) < 1e-12 * max(1.0, abs(reference))
    rounds = REPEATS if states <= 2**16 else 2
    for _ in range(rounds):
        for level in LEVELS:
            monkeypatch.setenv("RBMFLOW_SIMD", level)
            assert abs(exact_log_partition(rbm, n_threads=1) - reference) < 1e-12 * max(1.0, abs(reference))
            own[level] = min(own[level], best_of(lambda: exact_log_partition(rbm, n_threads=1), REPEATS))
        for (form, bits), seconds in forms.items():
            forms[form, bits] = min(seconds, best_of(lambda f=form, k=bits: f(rbm, k), 1))
    monkeypatch.setenv("RBMFLOW_SIMD", LEVELS[-1])
    benchmark.pedantic(lambda: exact_log_partition(rbm, n_threads=1), rounds=3)
    print(f"\nln Z {shape[0]} x {shape[1]}, weights of {shape[2]}, ns per state:")
    for form in dict.fromkeys(form for form, _ in forms):
        print(f"  {form.__name__}: {min(t for (f, _), t in forms.items() if f is form) / states * 1e9:.0f}")
    peer = min(forms.values())
    for level, seconds in own.items():
        print(f"  {level}: {seconds / states * 1e9:.2f}, {peer / seconds:.0f}x (target {TARGETS[level]}x)")
