"""Couplings of a trained machine, with the errors that training it again and again shows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import (
    FloatArray,
    SpinArray,
    check_flag,
    check_integer,
    check_rng,
    shown,
    spawn,
)
from rbmflow.executors import check_executor, completed
from rbmflow.ising.inference.result import NamedCouplings
from rbmflow.ising.operators import Operators, Shape, named_operators, sites_of
from rbmflow.networks import RBM, effective_coupling, effective_couplings, effective_fields, effective_pairs
from rbmflow.spins import check_spins
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

MOST_REPEATS = 10**6
MAX_TRANSFORMED = 16
"""Visible units of which the couplings of all sets are computed at once."""
Train = Callable[[SpinArray, np.random.Generator], RBM]
Sets = dict[tuple[int, ...], float]
"""Of an operator: the sets of sites whose couplings to add, and by what to multiply each."""


@dataclass(frozen=True, eq=False, repr=False)
class MachineCouplings(NamedCouplings):
    """Effective couplings of a trained machine, with errors by a bootstrap.

    Attributes
    ----------
    operators : tuple of str
        The names of the S_α.
    couplings : numpy.ndarray of float64, shape (n_operators,)
        The mean J_S of `model` over the products that S_α adds up.
    stderr : numpy.ndarray of float64, shape (n_operators,)
        Their standard errors.
    covariance : numpy.ndarray of float64, shape (n_operators, n_operators)
        The covariance of the couplings' errors.
    products : tuple of tuple
        What each S_α adds up: offsets of spins at every site of a lattice, or their sites.
    shape : tuple of int
        The sides of the lattice; empty where couplings belong to sites.
    n_sites : int
        Number of spins.
    n_samples : int
        Number of configurations.
    replicas : numpy.ndarray of float64, shape (n_repeats, n_operators)
        The couplings of the machines trained on drawn rows.
    model : RBM
        The machine trained on the rows as they are.

    See Also
    --------
    bootstrap_couplings : How they are found.
    """

    replicas: FloatArray = field(repr=False)
    model: RBM = field(repr=False)


def bootstrap_couplings(
    rows: ArrayLike,
    train: Train,
    shape: Shape | None = None,
    *,
    operators: Operators | None = None,
    fields: bool = False,
    n_repeats: int = 20,
    rng: RNGLike = None,
    executor: Executor | None = None,
    progress: Progress | bool | None = None,
) -> MachineCouplings:
    """Return couplings of the Ising model that a trained machine is, with standard errors.

    p(v) of a machine has a coupling J_S for every set S of units, see `rbmflow.networks.effective_couplings`;
    that of an operator is their mean over its products. The error is the spread of the couplings of machines
    that are trained on rows drawn from these, as many, with replacement (B. Efron, Ann. Stat. 7, 1 (1979)),
    each with random numbers of its own: it holds what the data leave open and what training does. What all
    machines have wrong alike, from too short a training or from a decay of weights, is not in it.

    Parameters
    ----------
    rows : array_like, shape (n_samples, n_sites)
        Independent configurations, values ±1.
    train : callable
        ``train(rows, rng)`` returns the `RBM` that is trained on rows.
    shape : int, tuple of int or lattice, optional
        As `rbmflow.ising.infer` takes it, and so `operators` and `fields`: without a shape all pairs of sites
        by default.
    operators : list of str or dict, optional
        Names of operators, or names and products.
    fields : bool
        Add the couplings of single sites.
    n_repeats : int
        Machines of drawn rows, at least 2; of r the error is known to ``1/√(2r)`` of itself.
    rng : numpy.random.Generator or int
        Generator or seed; each machine has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to train; here by default. To other processes `train` must be able to travel, as a function of a
        module is. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(machines done, machines)``.

    Returns
    -------
    MachineCouplings
        Couplings, errors, machine.

    See Also
    --------
    rbmflow.ising.infer : Couplings without a machine.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> from rbmflow.training import Recipe, learn
    >>> def train(rows, rng):
    ...     return learn(rows, 8, Recipe(n_epochs=50), rng=rng).model
    >>> spins = Ring(8).sample(0.5, 1000, rng=1)
    >>> found = bootstrap_couplings(spins, train, 8, n_repeats=3, rng=2)
    >>> found.operators[0], found.replicas.shape
    ('nearest neighbours', (3, 4))
    """
    array = check_spins("rows", rows)
    if array.ndim != 2 or len(array) < 2:
        raise ValueError(f"rows has shape {array.shape}: (n_samples, n_sites) is needed, two rows at least")
    if not callable(train):
        raise TypeError(f"train={shown(train)}: a function of rows and a generator is needed")
    sides, named = named_operators(shape, operators, array.shape[1], fields=check_flag("fields", fields))
    n_repeats = check_integer("n_repeats", n_repeats, 2, MOST_REPEATS)
    executor, tell = check_executor(executor), check_progress(progress)
    sets = [_sets(sites_of(products, sides)) for products in named.values()]
    streams = spawn(check_rng(rng), n_repeats + 1)
    pieces = [(k, (_trained, train, array, sets, stream, bool(k))) for k, stream in enumerate(streams)]
    found: dict[int, Any] = {}
    for k, result in completed(executor, pieces):
        found[k] = result
        if tell is not None:
            tell(len(found), n_repeats + 1)
    model, couplings = found.pop(0)
    replicas = np.array([found[k][1] for k in sorted(found)])
    return MachineCouplings(
        operators=tuple(named),
        couplings=couplings,
        stderr=replicas.std(axis=0, ddof=1),
        covariance=np.atleast_2d(np.cov(replicas.T)),
        products=tuple(named.values()),
        shape=sides,
        n_sites=array.shape[1],
        n_samples=len(array),
        replicas=replicas,
        model=model,
    )


def _trained(
    train: Train, rows: SpinArray, sets: list[Sets], rng: np.random.Generator, drawn: bool
) -> tuple[RBM, FloatArray]:
    """Return a machine, of the rows or of rows drawn from them, and its couplings."""
    model: object = train(rows[rng.integers(len(rows), size=len(rows))] if drawn else rows.copy(), rng)
    if not isinstance(model, RBM) or model.n_visible != rows.shape[1]:
        raise TypeError(f"train returned {shown(model)}: an RBM of {rows.shape[1]} visible units is needed")
    return model, _couplings(model, sets)


def _sets(sites: list[npt.NDArray[np.int64]]) -> Sets:
    """Return the sets of the products of an operator, each with one over the number of products.

    Along a side of 2 a set is there twice, and its coupling is that of both.
    """
    rows = [tuple(sorted(row)) for one in sites for row in one.tolist()]
    return dict.fromkeys(rows, 1 / len(rows))


def _couplings(rbm: RBM, sets: list[Sets]) -> FloatArray:
    of_set = _coupling_of(rbm)
    return np.array([sum(share * of_set(sites) for sites, share in one.items()) for one in sets])


def _coupling_of(rbm: RBM) -> Callable[[tuple[int, ...]], float]:
    """Return the function that knows J_S of a machine."""
    if rbm.n_visible <= MAX_TRANSFORMED:
        table = effective_couplings(rbm)
        return lambda sites: float(table[sum(1 << site for site in sites)])
    singles, pairs = effective_fields(rbm), effective_pairs(rbm)

    def coupling(sites: tuple[int, ...]) -> float:
        if len(sites) > 2:
            return effective_coupling(rbm, sites)
        return float(pairs[sites] if len(sites) == 2 else singles[sites[0]])

    return coupling
