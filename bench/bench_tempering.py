"""Chains that exchange their places beside plain block Gibbs, on machines that have learned digits and modes.

The machines are those of `learn`: of digits > 7 with 100 hidden units, and of five patterns of 50 units with
unequal shares. All chains begin at one class, or all at another; every tenth sweep says which class each is
in, digits by a logistic regression, modes by the nearest pattern. Printed are the classes that a place at
β = 1 visits in 1,000 sweeps, how often the class changes there, how much the shares of classes in the second
half still depend on the beginning (half the sum of the differences), and microseconds of processor time for a
sweep of a chain on a rung. Plain chains also go on for as long as the ladders took.
"""

import time

import numpy as np
from learning import MODES, patterns
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from rbmflow import fit
from rbmflow.sampling import block_gibbs, spaced_machines, tempered, trajectory_tempering
from rbmflow.training import PCD, SGD, Linear, Trajectory, learn
from rbmflow.training.learning import start_from

N_CHAINS, N_SWEEPS, EVERY = 100, 1000, 10


def of_digits():
    """Spins, what says their class, and the images of zeros and of ones."""
    digits = load_digits()
    spins = np.where(digits.data > 7, 1, -1).astype(np.int8)
    classifier = LogisticRegression(max_iter=2000).fit(spins, digits.target)
    assert classifier.score(spins, digits.target) > 0.95
    return spins, classifier.predict, [spins[digits.target == digit] for digit in (0, 1)]


def of_modes():
    """Spins, what says their class, and the two most frequent patterns."""
    spins, of = patterns(5, 50, MODES, 0.05, 2000)
    return spins, lambda rows: (rows @ of.T).argmax(axis=1), list(of[:2, None])


def small_steps(spins):
    """Machines of a training in small steps: in large ones neighbours would not exchange."""
    keep, start = Trajectory(every=6), start_from(spins, 100, np.random.default_rng(1))
    phases = {"negative": PCD(1, 100), "optimizer": SGD(Linear(0.005, 1200)), "l2": 10 / len(spins)}
    fit(start, spins, n_epochs=1200, rng=1, callback=keep, record=(), **phases)
    machines = [start, *keep.machines]
    return [machines[i] for i in spaced_machines(machines, rate=0.3, n_chains=30, rng=1)]


def report(name, process, of, begin, classify, n_sweeps=N_SWEEPS):
    """Print a row of the table; return the classes visited, what is remembered, and seconds."""
    classes, seconds = [], 0.0
    for first in begin:
        chains = process(of, n_sweeps=0, initial=np.resize(first, (N_CHAINS, first.shape[1])), rng=1)
        seen, before = [], time.process_time()
        for _ in range(n_sweeps // EVERY):
            chains = process(of, n_sweeps=EVERY, initial=chains, n_threads=1)
            seen.append(chains.visible)
        seconds += (time.process_time() - before) / len(begin)
        classes.append(classify(np.concatenate(seen)).reshape(len(seen), -1))
    both, n_rungs = np.hstack(classes), len(getattr(chains, "ladder", [1]))
    visited = np.mean([len(set(chain)) for chain in both[: N_SWEEPS // EVERY].T])
    changes = (both[1:] != both[:-1]).mean() * N_SWEEPS / EVERY
    one, other = (
        np.bincount(found[len(found) // 2 :].ravel(), minlength=10) / found.size for found in classes
    )
    memory = np.abs(one - other).sum()
    each = 1e6 * seconds / (n_sweeps * N_CHAINS * n_rungs)
    print(f"| {name} | {n_rungs} | {n_sweeps} | {visited:.1f} | {changes:.1f} | {memory:.2f} | {each:.2f} |")
    return visited, memory, seconds


def test_classes(benchmark):
    print("\n| chains | rungs | sweeps | classes in 1,000 | changes | memory | µs |")
    print("|---|---|---|---|---|---|---|")
    for name, (spins, classify, begin), n_hidden in (("digits", of_digits(), 100), ("modes", of_modes(), 50)):
        machine, where = learn(spins, n_hidden, rng=0).model, (begin, classify)
        alone = report(f"{name}: block Gibbs", block_gibbs, machine, *where)
        found = report(f"{name}: tempered", tempered, machine, *where)
        longer = round(found[2] / alone[2]) * N_SWEEPS
        report(f"{name}: block Gibbs, as long", block_gibbs, machine, *where, longer)
        assert found[0] > alone[0]
        assert found[1] < 0.1
    spins, classify, begin = of_digits()
    machines = small_steps(spins)
    report("digits, small steps: block Gibbs", block_gibbs, machines[-1], begin, classify)
    along = report("digits, small steps: trajectory", trajectory_tempering, machines, begin, classify)
    assert along[0] > 9
    benchmark.pedantic(lambda: tempered(machine, n_chains=100, n_sweeps=10, ladder=7, rng=1), rounds=3)
