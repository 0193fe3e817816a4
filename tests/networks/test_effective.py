"""Effective couplings: the transform, the integral and closed forms meet."""

import numpy as np
import pytest

from rbmflow import RBM, Ring
from rbmflow.networks import (
    effective_coupling,
    effective_couplings,
    effective_fields,
    effective_pairs,
    effective_triples,
    visible_law,
)
from tests.networks.machines import random_machine


def members(index, n):
    return [site for site in range(n) if index >> site & 1]


def test_they_give_back_the_law():
    rbm = random_machine(5, 3, seed=1, scale=1.0)
    couplings, law = effective_couplings(rbm), visible_law(rbm)
    products = np.stack([law.states[:, members(s, 5)].prod(axis=1) for s in range(32)], axis=1)
    np.testing.assert_allclose(products @ couplings, np.log(law.probabilities), rtol=0, atol=1e-13)


@pytest.mark.parametrize("scale", [0.01, 0.3, 1.0, 4.0])
def test_transform_and_integral_agree_in_every_order(scale):
    rbm = random_machine(7, 4, seed=2, scale=scale)
    couplings = effective_couplings(rbm)
    single = [effective_coupling(rbm, members(s, 7)) for s in range(1, 128)]
    # both have free energies of order 4 · 7 · scale with a few roundings
    np.testing.assert_allclose(single, couplings[1:], rtol=0, atol=1e-15 + 2e-14 * scale)
    pairs = effective_pairs(rbm)
    for i, k in np.ndindex(7, 7):
        wanted = couplings[1 << i | 1 << k] if i != k else 0.0
        assert pairs[i, k] == pytest.approx(wanted, abs=1e-15 + 2e-14 * scale)
    fields = [couplings[1 << i] for i in range(7)]
    np.testing.assert_allclose(effective_fields(rbm), fields, rtol=0, atol=1e-15 + 2e-14 * scale)
    sites = [5, 0, 6, 2]
    triples = effective_triples(rbm, sites)
    for where in np.ndindex(4, 4, 4):
        three = {sites[i] for i in where}
        wanted = couplings[sum(1 << site for site in three)] if len(three) == 3 else 0.0
        assert triples[where] == pytest.approx(wanted, abs=1e-15 + 2e-14 * scale)


def test_two_weights_in_closed_form():
    # one hidden unit on two spins: J = ½ ln [cosh(w + w')/cosh(w − w')]
    rbm = RBM([[0.9], [-1.7]])
    wanted = np.log(np.cosh(0.9 - 1.7) / np.cosh(0.9 + 1.7)) / 2
    assert effective_coupling(rbm, (0, 1)) == pytest.approx(wanted, abs=1e-14)


def test_a_long_local_ring_has_nearest_neighbours_only():
    pairs = effective_pairs(RBM.local_ring(300, 0.45))
    ring = np.roll(np.eye(300), 1, axis=1) + np.roll(np.eye(300), -1, axis=1)
    np.testing.assert_allclose(pairs, 0.45 * ring, rtol=0, atol=1e-13)


def test_a_decimating_machine_of_a_ring_has_no_field_and_no_odd_order():
    couplings = effective_couplings(RBM.decimating(Ring(6), 0.8, 3.0))
    odd = [s for s in range(64) if s.bit_count() % 2]
    np.testing.assert_allclose(couplings[odd], 0, rtol=0, atol=1e-14)


def test_no_weights():
    rbm = RBM(np.zeros((3, 2)), [0.5, 0.0, 0.0])
    assert effective_coupling(rbm, [0]) == 0.5
    assert not effective_pairs(rbm).any()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda rbm: effective_coupling(rbm, []), ValueError, r"sites=\[\]"),
        (lambda rbm: effective_coupling(rbm, [1, 1]), ValueError, "distinct"),
        (lambda rbm: effective_coupling(rbm, [3]), ValueError, "sites=3: at most 2"),
        (lambda rbm: effective_coupling(rbm, [0.5]), TypeError, "sites=0.5"),
        (lambda rbm: effective_couplings(RBM.uniform(25, 2, 0.1)), ValueError, "at most 24"),
        (lambda rbm: effective_pairs(RBM.uniform(2, 1, 1e7)), ValueError, "at most 1000000"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(random_machine(3, 2, seed=3))
