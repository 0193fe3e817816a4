"""How likely a machine holds rows of each label, which it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rbmflow.arguments import SpinArray
from rbmflow.estimate import Estimate
from rbmflow.experiments.tables import Cell, Table, columns_of
from rbmflow.networks import RBM


def labels_table(rbm: RBM, spins: SpinArray, labels: Sequence[str], log_partition: float) -> Table:
    """Return the mean log-likelihood of the rows of each label, in nats.

    Examples
    --------
    >>> coins = RBM([[0.0], [0.0]])
    >>> labels_table(coins, [[1, 1], [1, -1], [-1, 1]], ["a", "b", "b"], 3 * np.log(2)).columns
    {'label': ['a', 'b'], 'rows': [1, 2], 'log_likelihood': [-1.386, -1.386], 'stderr': [nan, 0.0]}
    """
    values = np.asarray(rbm.log_likelihood(spins, log_partition=log_partition))
    names, index = np.unique(np.asarray(labels), return_inverse=True)
    rows: list[tuple[Cell, ...]] = []
    for number, name in enumerate(names.tolist()):
        own = values[index == number]
        found = Estimate.from_independent(own) if len(own) > 1 else None
        mean, error = (float(own[0]), float("nan")) if found is None else (found.mean, found.stderr)
        rows.append((name, len(own), mean, error))
    return Table(
        "Mean log-likelihood of a row of each label, seen in training or not, nats",
        columns_of(("label", "rows", "log_likelihood", "stderr"), rows),
    )
