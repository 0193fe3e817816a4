"""The free energy of the mean-field flow: a bound, a descent, and what it is at the ends."""

import numpy as np
import pytest

from rbmflow import RBM, flow
from rbmflow.networks import exact_log_partition
from rbmflow.spins import all_states
from tests.networks.machines import joint_weights, random_machine, states


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_it_is_a_bound_that_the_flow_lowers(scale):
    rbm = random_machine(6, 4, seed=1, scale=scale)
    v = np.random.default_rng(2).uniform(-1, 1, (50, 6))
    energies = [flow.mean_field_free_energy(rbm, v)]
    for _ in range(5):
        v = flow.mean_field(rbm, v)
        energies.append(flow.mean_field_free_energy(rbm, v))
    # rounding of sums of a dozen terms of order 10 * scale
    assert (np.diff(energies, axis=0) <= 1e-13 * (1 + scale)).all()
    assert (np.array(energies) >= -exact_log_partition(rbm) - 1e-12).all()


def test_it_is_the_average_energy_less_the_entropy():
    # by the double sum over both layers, with independent units of means v and h
    rbm = random_machine(4, 3, seed=3)
    v = np.array([0.3, -0.9, 0.0, 0.99])
    h = rbm.mean_hidden(v)
    law = np.multiply.outer(*(np.prod((1 + states(len(m)) * m) / 2, axis=1) for m in (v, h)))
    wanted = (law * (np.log(law) - np.log(joint_weights(rbm)))).sum()
    assert flow.mean_field_free_energy(rbm, v) == pytest.approx(wanted, abs=1e-13)


def test_spins_have_no_entropy_and_no_couplings_leave_none():
    rbm = random_machine(5, 3, seed=4)
    spins = all_states(5)
    found = flow.mean_field_free_energy(rbm, spins)
    np.testing.assert_allclose(found, rbm.free_energy(spins), rtol=0, atol=1e-13)
    alone = RBM(np.zeros((5, 3)), rbm.visible_bias, rbm.hidden_bias)
    at_rest = flow.mean_field_free_energy(alone, np.tanh(rbm.visible_bias))
    assert at_rest == pytest.approx(-exact_log_partition(alone), abs=1e-13)


def test_bad_input():
    with pytest.raises(TypeError, match="rbm=3"):
        flow.mean_field_free_energy(3, [1, 1])
