"""A pipeline of hidden means and logistic regression on nudged grey digits, beside `BernoulliRBM`.

``python bench/nudged.py [SPLITS]`` prints the share of digits that are classified rightly. The data are those
of scikit-learn's example of `BernoulliRBM`: each digit with four copies that are moved by a pixel; a digit
and its copies are held out together. Three pipelines: the defaults, more updates without decay and without
rows held out, and scikit-learn's machine with the rate and epochs of its example.
"""

import sys
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline

from rbmflow.estimator import IsingRBM

MOVES = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
PIPELINES = {
    "IsingRBM(100, grey=True)": lambda seed: IsingRBM(100, grey=True, random_state=seed),
    "the same, l2=0, held_out=0, n_iter=1000": lambda seed: IsingRBM(
        100, grey=True, l2=0.0, held_out=0.0, n_iter=1000, random_state=seed
    ),
    "BernoulliRBM(100), rate 0.06": lambda seed: BernoulliRBM(100, learning_rate=0.06, random_state=seed),
}


def nudged():
    """Return the rows, the digits that they show, and the image that each is a copy of."""
    images, digits = load_digits(return_X_y=True)
    padded = np.pad(images.reshape(-1, 8, 8) / 16, ((0, 0), (1, 1), (1, 1)))
    moved = [padded[:, 1 + up : 9 + up, 1 + left : 9 + left].reshape(-1, 64) for up, left in MOVES]
    return np.concatenate(moved), np.tile(digits, len(MOVES)), np.tile(np.arange(len(digits)), len(MOVES))


def main(n_splits=5):
    """Print a line for each pipeline: mean, worst and best over the splits, and seconds of a training."""
    rows, digits, images = nudged()
    splits = GroupShuffleSplit(int(n_splits), test_size=0.2, random_state=0).split(rows, digits, images)
    splits = list(splits)
    for name, machine in PIPELINES.items():
        scores, before = [], time.process_time()
        for seed, (train, other) in enumerate(splits):
            pipeline = make_pipeline(machine(seed), LogisticRegression(max_iter=300))
            scores.append(pipeline.fit(rows[train], digits[train]).score(rows[other], digits[other]))
        seconds = (time.process_time() - before) / len(splits)
        texts = f"{np.mean(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})"
        print(f"{name}: {texts}, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
