"""The law of the magnetization of the ring against the numpy Fourier transform of tr T(θ)^M."""

import numpy as np
import pytest
from processor_time import least_seconds

from rbmflow import Ring

M, K = 10**6, 0.5
TARGET = 80


def fourier_law(n_sites, K):
    """q(V) from tr T(θ)^M, T = [[e^(K+iθ), e^−K], [e^−K, e^(K−iθ)]], at M + 1 angles."""
    theta = np.pi * np.arange((n_sites + 1) // 2 + 1) / (n_sites + 1)
    centre = np.cos(theta)
    root = np.sqrt((np.exp(-4 * K) - np.sin(theta) ** 2).astype(complex))
    top = np.log(centre[0] + root[0])
    trace = sum(np.exp(n_sites * (np.log(centre + sign * root) - top)) for sign in (1, -1)).real
    # V = 2n − M: the transform over n, at the angles 2θ, carries a phase
    return np.fft.irfft(trace * np.exp(-1j * theta * n_sites), n_sites + 1)


def test_law_of_the_magnetization(benchmark):
    small = Ring(50).magnetization_law(0.7).probabilities
    np.testing.assert_allclose(fourier_law(50, 0.7) / fourier_law(50, 0.7).sum(), small, rtol=0, atol=1e-12)
    ring = Ring(M)
    law = benchmark(lambda: ring.magnetization_law(K))
    peer = fourier_law(M, K)
    np.testing.assert_allclose(law.probabilities, peer / peer.sum(), atol=1e-13)
    moment = (law.probabilities * law.values.astype(float) ** 2).sum() / M
    assert moment == pytest.approx(ring.susceptibility(K), rel=1e-9, abs=0)
    mine, theirs = least_seconds(lambda: ring.magnetization_law(K), lambda: fourier_law(M, K), rounds=3)
    print(f"\nlaw of the magnetization, M = {M}: {theirs / mine:.0f}x numpy FFT (target {TARGET}x)")
