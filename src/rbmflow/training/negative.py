"""Negative phases: where the averages over the model come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_integer, shown
from rbmflow.records import Storable
from rbmflow.sampling.machine_ladder import check_ladder
from rbmflow.training.chains import Chains, contrastive
from rbmflow.training.moments import Averages, exact
from rbmflow.training.parameters import Parameters
from rbmflow.training.size import check_size

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

MAX_SWEEPS, MAX_CHAINS = 10**6, 10**7
MAX_EXACT_UNITS = 20
"""Units of the smaller layer up to which Python enumerates."""
N_RUNGS = 10
"""Of a ladder that is asked for by name."""


@dataclass(frozen=True)
class Update:
    """What a negative phase has before it at an update.

    Attributes
    ----------
    parameters : Parameters
        The machine: arrays ``weights``, ``visible_bias`` and ``hidden_bias`` in the precision of the run.
    rows : numpy.ndarray of int8, shape (n, n_visible)
        The batch, or all states of a law.
    weights : numpy.ndarray, shape (n,), or None
        Probabilities of these states; None for a batch.
    batch_size : int
        Of the run.
    chains : Chains
        Those that the phase keeps: ``chains.sweep(parameters, k)`` advances them and returns their
        `Averages`, ``chains.exchange(parameters, rng)`` swaps neighbouring rungs.
    rng : numpy.random.Generator
        The generator of the run.
    """

    parameters: Parameters = field(repr=False)
    rows: SpinArray = field(repr=False)
    weights: FloatArray | None = field(repr=False)
    batch_size: int
    chains: Chains = field(repr=False)
    rng: np.random.Generator = field(repr=False)

    def batch(self) -> SpinArray:
        """Return the batch; of a law as many states as a batch has, drawn from it.

        Returns
        -------
        numpy.ndarray of int8, shape (n, n_visible)
            Not to be written to.

        Examples
        --------
        `NegativePhase` shows a phase that begins at the batch.
        """
        if self.weights is None:
            return self.rows
        p = self.weights / self.weights.sum()
        return self.rows[self.rng.choice(len(self.rows), size=self.batch_size, p=p)]


class NegativePhase(Storable, ABC):
    """Where the averages over the model come from: `fit` takes an object of any subclass.

    A subclass has `averages`, and `rungs` if it keeps chains from update to update. These, the parameters and
    the generators are what a `State` holds: a run goes on bit for bit if the phase itself does not change.

    Attributes
    ----------
    exact : bool
        Whether its averages are those of the model, without noise: an epoch is then one update of all the
        data, in double precision by default.
    records : tuple of str
        Quantities of the `History` that are recorded by default beside those that always are.

    Examples
    --------
    Mean-field learning (M. Welling and G. Hinton, ICANN 2002), which draws no spins:

    >>> class MeanField(NegativePhase):
    ...     def averages(self, update):
    ...         p, v = update.parameters, update.batch()
    ...         h = np.tanh(v @ p.weights + p.hidden_bias)
    ...         v = np.tanh(h @ p.weights.T + p.visible_bias)
    ...         h = np.tanh(v @ p.weights + p.hidden_bias)
    ...         return Averages(v.T @ h / len(v), v.mean(axis=0), h.mean(axis=0))
    >>> from rbmflow import RBM, fit
    >>> spins = np.array([[1, 1], [-1, -1]])
    >>> trained = fit(RBM.uniform(2, 1, 0.1), spins, negative=MeanField(), n_epochs=50, rng=1)
    >>> bool(trained.model.weights.min() > 0.1)
    True
    """

    exact: ClassVar[bool] = False
    records: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def averages(self, update: Update) -> Averages:
        """Return the averages over the model for one update.

        Parameters
        ----------
        update : Update
            The machine, the batch, the chains and the generator.

        Returns
        -------
        Averages
            In the precision of the parameters.

        Examples
        --------
        `NegativePhase` shows those of a mean field.
        """

    def rungs(self) -> tuple[tuple[float, ...], int]:
        """Return the inverse temperatures of the chains that it keeps, 1 first, and their number at each.

        Returns
        -------
        tuple of float
            One for each rung.
        int
            Chains on each rung; 0 if it keeps none, as here.

        Examples
        --------
        >>> PCD(1, 50).rungs(), CD().rungs()
        (((1.0,), 50), ((1.0,), 0))
        """
        return (1.0,), 0

    def check(self, n_visible: int, n_hidden: int) -> None:
        """Raise unless a machine of this size, and the chains, can be trained within the memory there is.

        Parameters
        ----------
        n_visible, n_hidden : int
            Sizes of its layers.

        Examples
        --------
        >>> Exact().check(500, 500)
        Traceback (most recent call last):
            ...
        ValueError: negative=Exact(): the smaller layer has 500 units, at most 20 are possible
        """
        ladder, n_chains = rungs_of(self)
        check_size(n_visible, n_hidden, len(ladder) * n_chains)


@dataclass(frozen=True)
class Exact(NegativePhase):
    """Averages over the model by enumeration of the smaller layer; one update of all data to an epoch.

    Raises
    ------
    ValueError
        By `fit`, if both layers have more than 20 units.

    Examples
    --------
    >>> Exact()
    Exact()
    """

    exact = True
    records: ClassVar[tuple[str, ...]] = ("log_likelihood",)

    def averages(self, update: Update) -> Averages:  # noqa: D102 (the class says it)
        return exact(update.parameters)[0]

    def check(self, n_visible: int, n_hidden: int) -> None:  # noqa: D102
        super().check(n_visible, n_hidden)
        if min(n_visible, n_hidden) > MAX_EXACT_UNITS:
            raise ValueError(
                f"negative=Exact(): the smaller layer has {min(n_visible, n_hidden)} units, "
                f"at most {MAX_EXACT_UNITS} are possible"
            )


@dataclass(frozen=True)
class CD(NegativePhase):
    """Contrastive divergence (thesis section 2.4): k block Gibbs sweeps from the batch itself.

    Its fixed point is not the maximum of the likelihood; see `cd_fixed_point`.

    Parameters
    ----------
    k : int
        Sweeps, at least 1.

    See Also
    --------
    PCD : Chains that go on.
    cd_fixed_point : Where it ends instead.

    References
    ----------
    * G. E. Hinton, Neural Comput. 14, 1771 (2002).
    * M. Á. Carreira-Perpiñán and G. E. Hinton, AISTATS (2005), 33.

    Examples
    --------
    >>> CD(10).k
    10
    """

    k: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_integer("k", self.k, 1, MAX_SWEEPS))

    def averages(self, update: Update) -> Averages:  # noqa: D102
        return contrastive(update.parameters, update.batch(), self.k, update.chains.generator)


@dataclass(frozen=True)
class PCD(NegativePhase):
    """Persistent contrastive divergence: chains that go on from update to update, k sweeps each time.

    Parameters
    ----------
    k : int
        Sweeps of every chain for an update, at least 1.
    n_chains : int
        Number of chains.

    See Also
    --------
    CD : Chains from the batch.
    Tempered : Chains that pass between modes.

    References
    ----------
    T. Tieleman, ICML (2008), 1064.

    Examples
    --------
    >>> PCD(10).n_chains
    100
    """

    k: int = 1
    n_chains: int = 100
    records: ClassVar[tuple[str, ...]] = ("tau",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_integer("k", self.k, 1, MAX_SWEEPS))
        object.__setattr__(self, "n_chains", check_integer("n_chains", self.n_chains, 1, MAX_CHAINS))

    def averages(self, update: Update) -> Averages:  # noqa: D102
        return update.chains.sweep(update.parameters, self.k)

    def rungs(self) -> tuple[tuple[float, ...], int]:  # noqa: D102
        return (1.0,), self.n_chains


@dataclass(frozen=True)
class Tempered(NegativePhase):
    """Persistent chains at a ladder of inverse temperatures that exchange their places.

    The chains on rung r have the law ``exp(−β_r E(v, h))``; after k sweeps neighbours
    swap with probability ``min(1, exp[(β_r − β_(r+1)) (E_r − E_(r+1))])``, even rungs
    first and then odd ones. Averages are those of β = 1.

    Parameters
    ----------
    ladder : int or sequence of float
        Inverse temperatures, 1 first and descending to 0 or above;
        a number of rungs stands for equal steps from 1 to 0.
    k : int
        Sweeps of every chain for an update.
    n_chains : int
        Chains on each rung.

    See Also
    --------
    PCD : One temperature.
    rbmflow.sampling.tempered : The chains alone.

    References
    ----------
    G. Desjardins et al., AISTATS (2010), 145.

    Examples
    --------
    >>> Tempered(3).ladder
    (1.0, 0.5, 0.0)
    """

    ladder: tuple[float, ...]
    k: int = 1
    n_chains: int = 100
    records: ClassVar[tuple[str, ...]] = ("tau", "exchange_rate")

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, ladder: int | ArrayLike, k: int = 1, n_chains: int = 100) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "ladder", check_ladder(self.ladder))
        object.__setattr__(self, "k", check_integer("k", self.k, 1, MAX_SWEEPS))
        object.__setattr__(self, "n_chains", check_integer("n_chains", self.n_chains, 1, MAX_CHAINS))

    def averages(self, update: Update) -> Averages:  # noqa: D102
        found = update.chains.sweep(update.parameters, self.k)
        update.chains.exchange(update.parameters, update.rng)
        return found

    def rungs(self) -> tuple[tuple[float, ...], int]:  # noqa: D102
        return self.ladder, self.n_chains


NEGATIVES: dict[str, Callable[[int, int], NegativePhase]] = {
    "cd": lambda k, _: CD(k),
    "pcd": PCD,
    "tempered": lambda k, n_chains: Tempered(N_RUNGS, k, n_chains),
    "exact": lambda *_: Exact(),
}
"""Phases by the names that commands know, from the sweeps of an update and the number of chains."""


def averages_of(negative: NegativePhase, update: Update) -> Averages:
    """Return the averages for one update, those of a phase of one's own held against what they must be."""
    if type(negative).__module__ == __name__:
        return negative.averages(update)
    rows = update.rows.view()
    rows.flags.writeable = False  # the averages over the data are taken of them as well
    found, p = negative.averages(replace(update, rows=rows)), update.parameters
    if not isinstance(found, Averages):
        raise TypeError(f"negative={shown(negative)}: its averages are {shown(found)}, Averages are needed")
    parts = {"pairs": p.weights, "visible": p.visible_bias, "hidden": p.hidden_bias}
    for name, of in parts.items():
        part = getattr(found, name)
        if not isinstance(part, np.ndarray) or part.shape != of.shape or part.dtype.kind != "f":
            what = f"{part.dtype} of shape {part.shape}" if isinstance(part, np.ndarray) else shown(part)
            raise ValueError(
                f"negative={shown(negative)}: its averages have {name} {what}: "
                f"floats of shape {of.shape} are needed"
            )
        if not np.isfinite(part).all():
            raise ValueError(f"negative={shown(negative)}: its averages have {name} that are not finite")
    return Averages(*(getattr(found, name).astype(p.weights.dtype, copy=False) for name in parts))


def rungs_of(negative: NegativePhase) -> tuple[tuple[float, ...], int]:
    """Return the rungs of a phase, or raise where no chains can be on them."""
    if type(negative).__module__ == __name__:
        return negative.rungs()
    given: Any = negative.rungs()
    if not isinstance(given, tuple) or len(given) != 2:
        raise TypeError(
            f"negative={shown(negative)}: its rungs are {shown(given)}, (ladder, n_chains) is needed"
        )
    ladder, n_chains = given
    n_chains = check_integer(f"negative={shown(negative)}: n_chains of its rungs", n_chains, 0, MAX_CHAINS)
    alone = isinstance(ladder, tuple) and ladder == (1.0,)
    return (1.0,) if alone else check_ladder(ladder), n_chains


def check_negative(negative: object) -> NegativePhase:
    """Return a negative phase, or raise."""
    if not isinstance(negative, NegativePhase):
        raise TypeError(
            f"negative={shown(negative)}: a NegativePhase is needed, such as Exact(), CD(k), "
            "PCD(k, n_chains) or Tempered(ladder, k)"
        )
    return negative
