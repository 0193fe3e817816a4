"""What `IsingRBM` learns with its defaults, beside independent units and `BernoulliRBM`.

``python bench/learning.py [SEEDS [NAME …]]`` prints a table: mean and worst log-likelihood of rows that no
training saw, in nats, bracketed with a thousand temperatures, over some seeds, and the processor time of a
training on one thread. `BernoulliRBM` of scikit-learn has its own defaults, `rbms`, where it is installed,
8,000 updates at the best of three rates, chosen on the very rows; both are scored in the same way.
"""

import sys
import time
import warnings
from importlib.util import find_spec

import numpy as np
from quality import by_rbms
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM

from rbmflow import RBM, LikelihoodWarning, Ring, Torus, training_set
from rbmflow.estimator import IsingRBM
from rbmflow.ising.state_law import state_law
from rbmflow.likelihood import log_partition
from rbmflow.networks import kl_divergence

SEED = 123


def digits(threshold):
    """Pixels of 1,437 digits above a threshold, and of 360 others."""
    spins = np.where(load_digits().data > threshold, 1, -1).astype(np.int8)
    order = np.random.default_rng(0).permutation(len(spins))
    return spins[order[:1437]], spins[order[1437:]]


def topics():
    """Words of 600 and of 1,000 texts, each of one of ten topics with 200 words of its own."""
    rng = np.random.default_rng(SEED)
    topic = rng.integers(0, 10, 1600)
    share = np.where(np.arange(2000) // 200 == topic[:, None], 0.1, 0.0027)
    spins = np.where(rng.random((1600, 2000)) < share, 1, -1).astype(np.int8)
    return spins[:600], spins[600:], topic[:600], topic[600:]


def torus():
    """Configurations at 25 temperatures from 0 to 6."""
    sets = [training_set(Torus(8, 8), np.arange(25) / 4, n, rng=seed) for n, seed in ((1000, 1), (40, 2))]
    return tuple(one.spins.reshape(-1, 64) for one in sets)


def ring():
    """Configurations of a ring at K = 0.7."""
    return Ring(16).sample(0.7, 5000, rng=1), Ring(16).sample(0.7, 5000, rng=2)


def patterns(n, n_units, shares, flipped, n_rows, seed=SEED):
    """Copies of some random patterns, some of whose units are turned."""
    rng = np.random.default_rng(seed)
    of = np.where(rng.random((n, n_units)) < 0.5, 1, -1)
    which = rng.choice(n, n_rows, p=shares)
    return (of[which] * np.where(rng.random((n_rows, n_units)) < flipped, -1, 1)).astype(np.int8), of


def noise():
    """Independent units."""
    rng = np.random.default_rng(SEED)
    share = rng.uniform(0.02, 0.98, 64)
    spins = np.where(rng.random((2500, 64)) < share, 1, -1).astype(np.int8)
    return spins[:500], spins[500:]


def copies():
    """Fifty digits, twenty times each."""
    train, held_out = digits(7)
    return np.repeat(train[:50], 20, axis=0), held_out


def two():
    """Two patterns of 30 units, half of the rows each."""
    rows, _ = patterns(2, 30, [0.5, 0.5], 0.0, 1000)
    return rows, rows


def halves(rows, n):
    """The first n rows and the others."""
    return rows[:n], rows[n:]


MODES = [0.4, 0.25, 0.2, 0.1, 0.05]
DATA = {
    "digits > 7": (100, lambda: digits(7)),
    "digits > 5": (100, lambda: digits(5)),
    "topics, 600 × 2,000": (40, topics),
    "torus 8 × 8, T = 0 … 6": (64, torus),
    "ring 16, K = 0.7": (16, ring),
    "two patterns": (20, two),
    "five modes": (50, lambda: halves(patterns(5, 50, MODES, 0.05, 4000)[0], 2000)),
    "noise, 500 rows": (64, noise),
    "50 digits, twenty times each": (100, copies),
    "30 rows × 500": (50, lambda: halves(patterns(3, 500, [1 / 3] * 3, 0.1, 230)[0], 30)),
}
"""Each with the hidden units, and what makes the rows to train on and others."""


def independent(train, other):
    """Return the log-likelihood with independent units of the means of the training data."""
    up = (1 + train.mean(axis=0) * len(train) / (len(train) + 1)) / 2
    return float(np.where(other > 0, np.log(up), np.log1p(-up)).sum(axis=1).mean())


def score(rbm, rows, train):
    """Return the log-likelihood of rows."""
    found = log_partition(rbm, "auto", data=train[:500], rng=99)
    return -float(rbm.free_energy(rows).mean()) - found.value


def best_of_rbms(train, other, n_hidden):
    """Return what machines of `rbms` reach, as text."""
    if not (find_spec("rbms") and find_spec("torch")):
        return "–"
    machines = (by_rbms(train, n_hidden, 8000, rate, 0)[0] for rate in (0.01, 0.03, 0.1))
    return f"{max(score(machine, other, train) for machine in machines):.1f}"


def remark(name, machine, rows):
    """Return what else there is to say of a machine."""
    train, other, *labels = rows
    if name.startswith("topics"):
        classifier = LogisticRegression(max_iter=2000).fit(machine.transform(train), labels[0])
        return f"accuracy {classifier.score(machine.transform(other), labels[1]):.2f}"
    if name.startswith("ring"):
        return f"KL {kl_divergence(state_law(Ring(16), 0.7), machine.rbm_):.3f}"
    if name.startswith("five"):
        of = patterns(5, 50, MODES, 0.05, 4000)[1]
        shares = np.bincount((machine.sample(4000) @ of.T).argmax(axis=1), minlength=5) / 4000
        return f"shares within {np.abs(shares - MODES).max():.2f}"
    return ""


def main(n_seeds=5, *names):
    """Print the table."""
    warnings.simplefilter("ignore", LikelihoodWarning)
    print("| data | independent | `IsingRBM`: mean | worst | s | | `BernoulliRBM` | `rbms` |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (n_hidden, make) in DATA.items():
        if names and not any(word in name for word in names):
            continue
        rows = make()
        train, other = rows[:2]
        found, seconds, remarks = [], [], []
        for seed in range(int(n_seeds)):
            before = time.process_time()
            machine = IsingRBM(n_hidden, random_state=seed).fit(train)
            seconds.append(time.process_time() - before)
            found.append(score(machine.rbm_, other, train))
            remarks.append(remark(name, machine, rows))
        peer = BernoulliRBM(n_hidden, random_state=0).fit((train + 1) // 2)
        theirs = score(RBM.from_binary(peer), other, train)
        texts = f"{independent(train, other):.2f} | {np.mean(found):.2f} | {min(found):.2f}"
        shown = " … ".join(dict.fromkeys((min(remarks), max(remarks))))
        peers = f"{theirs:.1f} | {best_of_rbms(train, other, n_hidden)}"
        print(f"| {name} | {texts} | {np.median(seconds):.1f} | {shown} | {peers} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
