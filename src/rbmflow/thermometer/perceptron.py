"""Training of scikit-learn's multilayer perceptron, epoch by epoch."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, shown
from rbmflow.hardware import check_memory
from rbmflow.workers import Progress


def train_perceptron(
    spins: SpinArray,
    layers: list[int],
    n_epochs: int,
    batch_size: int,
    rate: float,
    decay: float,
    source: np.random.Generator,
    progress: Progress | None,
) -> tuple[Any, FloatArray]:
    """Return the trained classifier and the loss of each epoch; class k is the k-th temperature."""
    n_temperatures, n_samples, n_sites = spins.shape
    sizes, batch = (n_sites, *layers, n_temperatures), min(batch_size, n_temperatures * n_samples)
    # weights, their gradient and two moments; values and errors of the units for each row of a batch
    numbers = 4 * sum(a * b for a, b in pairwise(sizes)) + 2 * batch * sum(sizes)
    check_memory(f"hidden={shown(layers)}", 8 * numbers, "smaller layers need less")
    MLPClassifier, check_random_state, threadpool_limits = require_scikit_learn()
    inputs = spins.reshape(-1, n_sites).astype(np.float64)
    classes = np.arange(n_temperatures)
    labels = np.repeat(classes, n_samples)
    network = MLPClassifier(
        layers,
        activation="tanh",
        solver="adam",
        alpha=decay,
        batch_size=batch,
        learning_rate_init=rate,
        # a state rather than a seed, which would shuffle every epoch alike
        random_state=check_random_state(int(source.integers(2**31))),
        n_iter_no_change=n_epochs,
    )
    loss = []
    for epoch in range(n_epochs):
        # matrices this small gain nothing from threads and took 15 times as long on a busy machine;
        # with one, sums repeat
        with threadpool_limits(1, "blas"):
            network.partial_fit(inputs, labels, classes=classes)
        if network.n_iter_ == 0:  # it has caught Ctrl-C, and would go on with the next epoch
            raise KeyboardInterrupt
        loss.append(float(network.loss_))
        if progress is not None:
            progress(epoch + 1, n_epochs)
    return network, np.array(loss)


def require_scikit_learn() -> tuple[Any, Any, Any]:
    """Return what the training of a network needs of scikit-learn and of what comes with it.

    Returns
    -------
    tuple
        ``MLPClassifier``, ``check_random_state`` and ``threadpool_limits``.

    Raises
    ------
    ImportError
        Without the extra ``learn``, which it names.

    Examples
    --------
    >>> require_scikit_learn()[0].__name__
    'MLPClassifier'
    """
    try:
        from sklearn.neural_network import MLPClassifier
        from sklearn.utils import check_random_state
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ImportError(
            "rbmflow.thermometer.network.fit needs scikit-learn 1.6 or later: pip install rbmflow[learn]"
        ) from error
    return MLPClassifier, check_random_state, threadpool_limits
