"""ln Z of narrow lattices by a transfer matrix applied site by site, against powers of the matrix."""

import numpy as np
import pytest
from processor_time import least_seconds

from rbmflow import Hypercubic, Torus
from rbmflow.ising import InfiniteTriangular

K = 0.44
TARGETS = {8: 1.5, 10: 6}


def by_powers(width, length):
    """The trace of the power of the dense matrix, squared as often as its length asks."""
    spins = 1 - 2 * ((np.arange(2**width)[:, np.newaxis] >> np.arange(width)) & 1)
    across = (spins * np.roll(spins, 1, axis=1)).sum(axis=1)
    T = np.exp(K * (spins @ spins.T + across[np.newaxis]) - 2 * K * width)
    return np.log(np.trace(np.linalg.matrix_power(T, length))) + 2 * K * width * length


@pytest.mark.parametrize("width", TARGETS)
def test_a_long_strip(benchmark, width):
    lattice, length = Hypercubic((width, 64)), 64
    found = benchmark(lambda: lattice.log_partition(K))
    assert found == pytest.approx(Torus(width, length).log_partition(K), rel=1e-13)
    assert by_powers(width, length) == pytest.approx(found, rel=1e-12)
    mine, peer = least_seconds(lambda: lattice.log_partition(K), lambda: by_powers(width, length))
    print(
        f"\nln Z of a periodic lattice of {width} x {length}: {1e3 * mine:.1f} ms, {peer / mine:.1f}x powers "
        f"of the dense matrix (target {TARGETS[width]}x)"
    )


def test_the_largest_width(benchmark):
    lattice = Hypercubic((12, 12))
    found = benchmark.pedantic(lambda: lattice.energy(K), rounds=1)
    assert found == pytest.approx(Torus(12, 12).energy(K), rel=1e-12)
    (seconds,) = least_seconds(lambda: lattice.energy(K))
    print(f"\nenergy of a periodic lattice of 12 x 12: {seconds:.2f} s")


def test_infinite_lattices(benchmark):
    couplings, lattice = np.linspace(0.05, 1.0, 200), InfiniteTriangular((1.0, 1.0, 0.0))
    from rbmflow.ising import onsager

    found = benchmark(lambda: lattice.heat_capacity(couplings))
    np.testing.assert_allclose(found, onsager.heat_capacity(couplings), rtol=1e-10)
