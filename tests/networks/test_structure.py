"""Structured machines refuse what they cannot represent."""

import numpy as np
import pytest

from rbmflow import RBM, Chain, Ring, Torus
from rbmflow.ising import Hypercubic, Triangular, state_law
from rbmflow.networks import visible_law


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: RBM.local_ring(2, 1.0), ValueError, "n_visible=2: at least 3"),
        (lambda: RBM.local_ring(4, -0.1), ValueError, "K=-0.1.*K >= 0"),
        (lambda: RBM.local_ring(4, np.inf), ValueError, "K=inf"),
        (lambda: RBM.local_ring(4, np.nan), ValueError, "NaN"),
        (lambda: RBM.local_ring(4, [1.0, 2.0]), ValueError, "one number"),
        (lambda: RBM.local(4, 1.0), TypeError, "lattice=4: a Ring"),
        (lambda: RBM.local(Ring(4), np.inf), ValueError, "K=inf"),
        (lambda: RBM.local(Ring(4), 1.0, 0), ValueError, "n_copies=0: at least 1"),
        (lambda: RBM.local(Ring(4), 1.0, 10**8), ValueError, "n_copies=100000000: on 4 bonds of 4 sites"),
        (lambda: RBM.decimating(Ring(7), 1.0, 2.0), ValueError, "n_sites=7: only even"),
        (lambda: RBM.decimating(Torus(4, 3), 1.0, 2.0), ValueError, "n_cols=3: only even"),
        (lambda: RBM.decimating(Torus(3, 4), 1.0, 2.0), ValueError, "n_rows=3: only even"),
        (lambda: RBM.decimating(Chain(4), 1.0, 2.0), TypeError, "periodic along each axis"),
        (lambda: RBM.decimating(Triangular(3, 3), 1.0, 2.0), ValueError, "two sublattices are needed"),
        (lambda: RBM.decimating(Hypercubic((2, 2), couplings=0.5), 1.0, 2.0), ValueError, "equal couplings"),
        (lambda: RBM.decimating(8, 1.0, 2.0), TypeError, "lattice=8"),
        (lambda: RBM.decimating(Ring(4), np.inf, 2.0), ValueError, "K=inf"),
        (lambda: RBM.decimating(Ring(4), 1.0, np.inf), ValueError, "copy_weight=inf"),
        (lambda: RBM.decimating(Ring(10**6), 1.0, 2.0), ValueError, "at most 1000000000 weights"),
    ],
)
def test_bad_structures(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("lattice", [Chain(5), Ring(3), Torus(2, 3), Torus(3, 4)])
@pytest.mark.parametrize("n_copies", [1, 3])
@pytest.mark.parametrize("K", [-1.2, -0.02, 0.0, 0.02, 1.2])
def test_hidden_units_on_the_bonds_are_the_lattice(lattice, K, n_copies):
    # against the law over all states; 12 sites have sums of 24 bonds
    machine = RBM.local(lattice, K, n_copies)
    assert machine.n_hidden == n_copies * len(lattice.bonds())
    np.testing.assert_allclose(
        visible_law(machine).probabilities, state_law(lattice, K).probabilities, rtol=1e-12
    )


def test_on_a_ring_they_are_those_of_local_ring():
    mine, ring = RBM.local(Ring(5), 0.7).weights, RBM.local_ring(5, 0.7).weights
    assert sorted(mine.T.tolist()) == sorted(ring.T.tolist())
