"""Machines kept in training, their file, and chains that go along them."""

import numpy as np
import pytest
from scipy import stats

from rbmflow import RBM
from rbmflow.networks import visible_law
from rbmflow.sampling import block_gibbs, spaced_machines, trajectory_tempering
from rbmflow.training import SGD, Exact, Trajectory, fit

ROWS = np.repeat(np.where(np.random.default_rng(3).random((3, 14)) < 0.5, 1, -1), [50, 30, 20], axis=0)
SPINS = (ROWS * np.where(np.random.default_rng(4).random(ROWS.shape) < 0.03, -1, 1)).astype(np.int8)


def trained(keep, n_epochs=800, state=None):
    start = RBM(np.random.default_rng(1).normal(0, 0.01, (14, 20)))
    return fit(
        start,
        SPINS,
        negative=Exact(),
        optimizer=SGD(0.02),
        n_epochs=n_epochs,
        rng=1,
        callback=keep,
        state=state,
        record=(),
    )


def test_chains_along_a_training_know_the_shares():
    # 1,000 ladders from one mode, chi-square over three modes, false alarm 1e-6; plain chains keep it
    keep = Trajectory(every=8)
    machine = trained(keep).model
    assert (len(keep.machines), keep.epochs[-1]) == (100, 800)
    np.testing.assert_array_equal(keep.machines[-1].weights, machine.weights)
    patterns = ROWS[[0, 50, 80]]

    def modes(spins):
        return (spins @ patterns.T).argmax(axis=1)

    law = visible_law(machine)
    shares = np.bincount(modes(law.states), weights=law.probabilities)
    plain = block_gibbs(machine, n_chains=1000, n_sweeps=300, rng=1, initial=patterns[2])
    assert stats.chisquare(np.bincount(modes(plain.visible), minlength=3), 1000 * shares).pvalue < 1e-30
    machines = [keep.machines[i] for i in spaced_machines(keep.machines, rng=2)]
    assert len(machines) < 15
    chains = trajectory_tempering(machines, n_chains=1000, n_sweeps=300, rng=3, initial=patterns[2])
    observed = np.bincount(modes(chains.visible), minlength=3)
    assert stats.chisquare(observed, 1000 * shares).pvalue > 1e-6


def test_files_hold_what_was_kept_and_training_goes_on(tmp_path):
    keep = Trajectory([1, 4, 5])
    first = trained(keep, 4)
    keep.save(tmp_path / "machines.npz")
    found = Trajectory.load(tmp_path / "machines.npz")
    trained(found, 4, state=first.state)
    assert (keep.epochs, found.epochs, found.every) == ([1, 4], [1, 4, 5], [1, 4, 5])
    for one, other in zip(keep.machines, found.machines, strict=False):
        for name in ("weights", "visible_bias", "hidden_bias"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    with pytest.raises(ValueError, match="it holds a Machines"):
        RBM.load(tmp_path / "machines.npz")
    RBM.uniform(2, 1, 0.1).save(tmp_path / "machine.npz")
    with pytest.raises(ValueError, match="it holds a RBM"):
        Trajectory.load(tmp_path / "machine.npz")
    content = bytearray((tmp_path / "machines.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "machines.npz").write_bytes(content)
    with pytest.raises(ValueError, match="or damaged"):
        Trajectory.load(tmp_path / "machines.npz")
    with pytest.raises(FileNotFoundError):
        Trajectory.load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("every", "error"),
    [
        (0, ValueError),
        (2.5, TypeError),
        ("2", TypeError),
        ([], ValueError),
        ([1, 0], ValueError),
        (None, TypeError),
    ],
)
def test_epochs_are_whole_numbers(every, error):
    with pytest.raises(error, match="every="):
        Trajectory(every)


def test_nothing_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="machines: none has been kept"):
        Trajectory().save(tmp_path / "machines.npz")
