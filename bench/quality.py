"""What trainers learn of laws that are known: ``python bench/quality.py [RESULTS.json]``.

Each trainer sees the same rows, drawn from a law over at most 16 units, and gives a machine, whose KL
divergence from the law is a sum over all states. Two tables have its mean and standard error over seeds:
after the same number of updates, and after the same processor time on one thread. Trainers:

learn
    `training.learn`, nothing chosen but the epochs.
exact
    `fit` with exact gradients and `LBFGS`, ended by the likelihood of a tenth of the rows, held out. It stops
    by itself: it is the same in both tables.
PCD
    `fit` with PCD(1), 100 chains, a rate that falls to 0: the plain algorithm.
torch
    The same algorithm in a few lines of torch, with units of 0 and 1, the rate falling too.
rbms
    Centred and normalised gradients, PCD-10 with 100 chains, biases from the means: as its trainer has it,
    but for 10 sweeps in place of 100, and 100 chains and rows to a batch in place of 2,000.
BernoulliRBM
    Of scikit-learn: PCD with as many chains as rows to a batch, here 100.

The last four have the best of three or four rates, chosen by the KL divergence itself with another seed after
the updates of the first table, which no user could do. A peer that is not installed is left out. What is done
stands in the file of results and is not done again: the command goes on where it was stopped, also with more
seeds.
"""

import argparse
import json
import math
import os
import sys
import time
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RBMFLOW_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import numpy as np

from rbmflow import LBFGS, PCD, RBM, SGD, Exact, LikelihoodWarning, Ring, StateLaw, Torus, fit
from rbmflow.experiments import style
from rbmflow.files import write_atomically
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.ising.state_law import state_law
from rbmflow.networks import BinaryParameters, kl_divergence
from rbmflow.spins import all_states
from rbmflow.training import EarlyStopping, Linear, Recipe, learn
from rbmflow.training.learning import start_from

BATCH, N_CHAINS = 100, 100
TUNING_SEED = 1000


def mixture():
    """A ring at four temperatures, a quarter of the rows at each."""
    laws = [state_law(Ring(12), 1 / T) for T in (0.5, 1.0, 2.0, 4.0)]
    return StateLaw(laws[0].states, np.mean([law.probabilities for law in laws], axis=0))


def of_energy(energy, n_units):
    """The law e^(−E) over all states."""
    states = all_states(n_units)
    weights = np.exp(-energy(states.astype(float)))
    return StateLaw(states, weights / weights.sum())


def three_spins():
    """Products of three neighbours on a ring: pairs say nothing."""
    return of_energy(lambda s: -0.5 * (s * np.roll(s, 1, 1) * np.roll(s, 2, 1)).sum(axis=1), 10)


def independent():
    """Units with means of their own, some of them rarely up."""
    bias = np.random.default_rng(1).normal(0, 1, 12)
    return of_energy(lambda s: -s @ bias, 12)


TARGETS = {
    "ring 8, K = 0.7": (8, lambda: state_law(Ring(8), 0.7)),
    "ring 16, K = 0.7": (16, lambda: state_law(Ring(16), 0.7)),
    "torus 4 × 4, K_c": (16, lambda: state_law(Torus(4, 4), 1 / CRITICAL_TEMPERATURE)),
    "ring 12, four temperatures": (12, mixture),
    "three-spin couplings, 10": (20, three_spins),
    "independent, 12": (12, independent),
}
"""Hidden units, and what makes the law."""


def by_learn(rows, n_hidden, updates, _, seed):
    """A tenth of the rows is held out, and not counted in an epoch."""
    in_epoch = math.ceil(0.9 * len(rows) / BATCH)
    epochs = max(1, round(updates / in_epoch))
    found = learn(rows, n_hidden, Recipe(n_epochs=epochs, batch_size=BATCH), rng=seed)
    return found.model, epochs * in_epoch


def by_exact(rows, n_hidden, _, __, seed):
    n = len(rows) // 10
    found = fit(
        start_from(rows, n_hidden, np.random.default_rng(seed)),
        rows[n:],
        negative=Exact(),
        optimizer=LBFGS(),
        n_epochs=1000,
        rng=seed,
        held_out=rows[:n],
        record=("held_out_log_likelihood",),
        stop=EarlyStopping("held_out_log_likelihood", patience=20),
    )
    return found.best, found.state.epoch


def by_pcd(rows, n_hidden, updates, rate, seed):
    epochs = max(1, round(updates * BATCH / len(rows)))
    found = fit(
        start_from(rows, n_hidden, np.random.default_rng(seed)),
        rows,
        negative=PCD(1, N_CHAINS),
        optimizer=SGD(Linear(rate, epochs)),
        n_epochs=epochs,
        batch_size=BATCH,
        rng=seed,
        record=(),
    )
    return found.model, found.state.n_updates


def by_torch(rows, n_hidden, updates, rate, seed):
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    data = torch.from_numpy((rows > 0).astype(np.float32))
    n_visible = data.shape[1]
    W, b, c = 0.01 * torch.randn(n_visible, n_hidden), torch.zeros(n_visible), torch.zeros(n_hidden)
    h = torch.bernoulli(torch.full((N_CHAINS, n_hidden), 0.5))
    with torch.no_grad():
        for step in range(updates):
            v = data[torch.randint(len(data), (BATCH,))]
            up = torch.sigmoid(v @ W + c)
            w = torch.bernoulli(torch.sigmoid(h @ W.T + b))
            down = torch.sigmoid(w @ W + c)
            h = torch.bernoulli(down)
            now = rate * (1 - step / updates)
            W.add_(v.T @ up / BATCH - w.T @ down / N_CHAINS, alpha=now)
            b.add_(v.mean(0) - w.mean(0), alpha=now)
            c.add_(up.mean(0) - down.mean(0), alpha=now)
    return binary(W, b, c), updates


def by_rbms(rows, n_hidden, updates, rate, seed):
    import torch
    from rbms.bernoulli_bernoulli.classes import BBRBM
    from rbms.bernoulli_bernoulli.implement import _init_parameters
    from rbms.training.pcd import fit_batch_pcd

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    data = torch.from_numpy((rows > 0).astype(np.float32))
    b, c, W = _init_parameters(n_hidden, data, torch.device("cpu"), torch.float32)
    model = BBRBM(W, b, c)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, maximize=True)
    chains, weights = model.init_chains(N_CHAINS), torch.ones(BATCH)
    with torch.no_grad():
        for _ in range(updates):
            batch = data[torch.randint(len(data), (BATCH,))], weights
            optimizer.zero_grad(set_to_none=False)
            chains, _ = fit_batch_pcd(batch, chains, model, 10, 1.0)
            optimizer.step()
    return binary(model.weight_matrix, model.vbias, model.hbias), updates


def by_scikit_learn(rows, n_hidden, updates, rate, seed):
    from sklearn.neural_network import BernoulliRBM

    epochs = max(1, round(updates * BATCH / len(rows)))
    model = BernoulliRBM(
        n_hidden, learning_rate=rate, batch_size=BATCH, n_iter=epochs, random_state=seed
    ).fit((rows > 0).astype(np.float64))
    return RBM.from_binary(model), epochs * math.ceil(len(rows) / BATCH)


def binary(*tensors):
    """The machine of ±1 units of one of 0 and 1 in torch."""
    return RBM.from_binary(BinaryParameters(*(tensor.double().numpy() for tensor in tensors)))


@dataclass(frozen=True)
class Trainer:
    """How it is called, its rates, and what has to be installed."""

    train: object
    rates: tuple = ()
    needs: tuple = ()
    stops: bool = False


TRAINERS = {
    "learn": Trainer(by_learn),
    "exact": Trainer(by_exact, stops=True),
    "PCD": Trainer(by_pcd, (0.01, 0.03, 0.1)),
    "torch": Trainer(by_torch, (0.1, 0.3, 1.0), ("torch",)),
    "rbms": Trainer(by_rbms, (0.01, 0.03, 0.1, 0.3), ("torch", "rbms")),
    "BernoulliRBM": Trainer(by_scikit_learn, (0.03, 0.1, 0.3), ("sklearn",)),
}


class Results:
    """What is known, in a file: cells with KL divergence, seconds and updates; updates that take a time."""

    def __init__(self, path, settings):
        self.path, self.settings, self.cells, self.fitting = Path(path), settings, {}, {}
        if self.path.exists():
            found = json.loads(self.path.read_text(encoding="utf-8"))
            if found["settings"] != settings:
                sys.exit(f"{path} has other settings, {found['settings']}: name another file")
            self.cells, self.fitting = found["cells"], found["fitting"]

    def write(self):
        """Write the file, the old one or the whole new one."""
        content = {"settings": self.settings, "fitting": self.fitting, "cells": self.cells}
        write_atomically(self.path, json.dumps(content, indent=1))

    def cell(self, target, trainer, updates, rate, seed):
        """Return a cell, computed unless it is known; a machine out of the range of numbers has NaN."""
        name = f"{target} | {trainer} | {updates} | {rate} | {seed}"
        if name not in self.cells:
            n_hidden, make = TARGETS[target]
            law = make()
            rng = np.random.default_rng([2026, seed])
            rows = law.states[rng.choice(len(law.states), self.settings["rows"], p=law.probabilities)]
            begin = time.process_time()
            try:
                machine, made = TRAINERS[trainer].train(rows, n_hidden, updates, rate, seed)
                seconds, kl = time.process_time() - begin, float(kl_divergence(law, machine))
            except (ArithmeticError, ValueError) as error:
                print(f"{name}: {error}", file=sys.stderr)
                seconds, kl, made = time.process_time() - begin, math.nan, updates
            self.cells[name] = {"kl": kl, "seconds": seconds, "updates": made}
            self.write()
        return self.cells[name]

    def updates_in_time(self, target, trainer, cells):
        """Return how many updates take the time of the second table, by the time of some cells."""
        name = f"{target} | {trainer}"
        if name not in self.fitting:
            each = np.median([cell["seconds"] / cell["updates"] for cell in cells])
            self.fitting[name] = max(50, round(self.settings["seconds"] / each))
            self.write()
        return self.fitting[name]


def progress(done, total, text):
    """Say what has been done, on one line of stderr."""
    print(
        f"\r{done} of {total}: {text:60.60}", end="\n" if done == total else "", file=sys.stderr, flush=True
    )


def measure(results, names, n_seeds):
    """Return cells by table, target and trainer, a list over seeds."""
    found, pairs = {}, list(product(TARGETS, names))
    for done, (target, name) in enumerate(pairs, 1):
        trainer, updates, rate = TRAINERS[name], results.settings["updates"], None
        if trainer.rates:
            kl = {one: results.cell(target, name, updates, one, TUNING_SEED)["kl"] for one in trainer.rates}
            rate = min(kl, key=lambda one: (math.isnan(kl[one]), kl[one]))
        same = [results.cell(target, name, updates, rate, seed) for seed in range(n_seeds)]
        timed = same
        if not trainer.stops:
            fitting = results.updates_in_time(target, name, same)
            timed = [results.cell(target, name, fitting, rate, seed) for seed in range(n_seeds)]
        found["updates", target, name], found["seconds", target, name] = same, timed
        progress(done, len(pairs), f"{target}, {name}, rate {rate}: {statement(same)}")
    return found


def mean_and_error(cells):
    """Return those of the KL divergence."""
    values = np.array([cell["kl"] for cell in cells])
    return values.mean(), values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def statement(cells):
    """Return the KL divergence in thousandths of a nat, with its error."""
    mean, error = (1000 * value for value in mean_and_error(cells))
    digits = max(0, 1 - math.floor(math.log10(error))) if error > 0 else 1
    return f"{mean:.{digits}f} ± {error:.{digits}f}"


def of_independent_units(law):
    """Return the KL divergence of the best law of independent units."""
    return law.divergence(lambda states: np.log((1 + states * law.means) / 2).sum(axis=1))


def table(found, kind, names):
    """Return a table in markdown, the least of each row in bold."""
    lines = [f"| law | independent | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for target, (_, make) in TARGETS.items():
        cells = [found[kind, target, name] for name in names]
        means = [mean_and_error(one)[0] for one in cells]
        least = np.nanargmin(means) if not np.isnan(means).all() else None
        texts = [f"**{statement(one)}**" if i == least else statement(one) for i, one in enumerate(cells)]
        alone = 1000 * of_independent_units(make())
        lines.append(f"| {target} | {abs(alone):.1f} | {' | '.join(texts)} |")
    seconds = [np.mean([cell["seconds"] for t in TARGETS for cell in found[kind, t, name]]) for name in names]
    lines.append(f"| mean seconds | | {' | '.join(f'{one:.2f}' for one in seconds)} |")
    return "\n".join(lines)


def draw(found, names, path):
    """Write the figure: KL divergence against processor time, both tables."""
    with style.styled():
        axes = style.axes_of(None, len(TARGETS), (10.0, 6.4), 2)
        for ax, target in zip(axes, TARGETS, strict=True):
            for name, colour in zip(names, style.COLOURS, strict=False):
                points = sorted(
                    (np.mean([cell["seconds"] for cell in cells]), *mean_and_error(cells))
                    for cells in (found[kind, target, name] for kind in ("updates", "seconds"))
                )
                x, y, error = map(np.array, zip(*points, strict=True))
                error = np.minimum(error, 0.7 * y)
                ax.errorbar(x, y, error, color=colour, marker="o", markersize=4, label=name)
            ax.set(xscale="log", yscale="log", title=target)
            ax.title.set_fontsize(10)
            for axis in (ax.xaxis, ax.yaxis):
                style.plain_ticks(axis)
        for ax in axes[len(TARGETS) // 2 :]:
            ax.set_xlabel("processor seconds")
        for ax in axes[:: len(TARGETS) // 2]:
            ax.set_ylabel("KL divergence, nats")
        figure = style.figure_of(axes)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names))
        for kind in ("svg", "png"):
            figure.savefig(path.with_suffix(f".{kind}"), dpi=150)


def main():
    """Measure what is not known yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", nargs="?", default="quality.json", help="file of results (quality.json)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--updates", type=int, default=8000, help="of the first table")
    parser.add_argument("--seconds", type=float, default=1.0, help="of the second table")
    given = parser.parse_args()
    warnings.simplefilter("ignore", LikelihoodWarning)
    names = [name for name, one in TRAINERS.items() if all(map(find_spec, one.needs))]
    for name in TRAINERS.keys() - names:
        print(f"{name} is left out: {', '.join(TRAINERS[name].needs)} is not installed", file=sys.stderr)
    settings = {"rows": given.rows, "updates": given.updates, "seconds": given.seconds}
    results = Results(given.results, settings)
    found = measure(results, names, given.seeds)
    print(f"KL divergence in thousandths of a nat, {given.seeds} seeds, {given.rows} rows.\n")
    print(f"After {given.updates} updates:\n\n{table(found, 'updates', names)}\n")
    print(f"After {given.seconds:g} s:\n\n{table(found, 'seconds', names)}")
    if find_spec("matplotlib"):
        draw(found, names, Path(given.results))


if __name__ == "__main__":
    main()
