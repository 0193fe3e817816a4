"""The bias of contrastive divergence, exactly: expected update, fixed point, how fast its chains forget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real, shown
from rbmflow.networks import RBM
from rbmflow.networks.two_layers import log_two_cosh
from rbmflow.records import Record
from rbmflow.spins import all_states
from rbmflow.state_law import normalised
from rbmflow.training.data import Data, Rows, check_data
from rbmflow.training.moments import Averages, clamped, free_energy, gradient
from rbmflow.training.negative import MAX_SWEEPS
from rbmflow.training.parameters import Parameters, Tie, Ties, make_ties

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

MAX_UNITS = 12
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class GibbsOperator(Record):
    """The sweep v → h → v' of a small machine as a matrix, ``T(v' | v) = Σ_h p(h | v) p(v' | h)``.

    States are numbered as by `all_states`.

    Parameters
    ----------
    rbm : RBM
        At most 12 units in each layer.

    Examples
    --------
    >>> GibbsOperator(RBM([[0.0]])).matrix
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """

    rbm: RBM

    def __post_init__(self) -> None:
        if not isinstance(self.rbm, RBM):
            raise TypeError(f"rbm={shown(self.rbm)}: an RBM is needed")
        for name in ("n_visible", "n_hidden"):
            if getattr(self.rbm, name) > MAX_UNITS:
                raise ValueError(f"rbm: {name}={getattr(self.rbm, name)}, at most {MAX_UNITS} are possible")

    @property
    def matrix(self) -> FloatArray:
        """T, shape (2^n_visible, 2^n_visible); row v holds the law of v'."""
        return self._up() @ self._down()

    @property
    def stationary(self) -> FloatArray:
        """p(v) of the machine, which the sweep leaves as it is."""
        parameters = Parameters(self.rbm, np.float64)
        return normalised(-free_energy(parameters, all_states(self.rbm.n_visible).astype(np.float64)))

    @property
    def eigenvalues(self) -> FloatArray:
        """All eigenvalues that can differ from 0, descending from 1.

        They are the squares of the singular values of p(v, h)/√(p(v) p(h)).
        """
        visible = all_states(self.rbm.n_visible).astype(np.float64)
        hidden = all_states(self.rbm.n_hidden).astype(np.float64)
        joint = normalised(-np.asarray(self.rbm.energy(visible[:, None], hidden[None])))
        scaled = joint / np.sqrt(np.outer(joint.sum(axis=1), joint.sum(axis=0)))
        return np.asarray(np.linalg.svd(scaled, compute_uv=False) ** 2)

    @property
    def gap(self) -> float:
        """1 less the second eigenvalue: the rate per sweep at which the slowest deviation from p decays."""
        values = self.eigenvalues
        return float(1 - values[1]) if len(values) > 1 else 1.0

    def push(self, probabilities: FloatArray, k: int) -> FloatArray:
        """Return the law after k sweeps.

        Parameters
        ----------
        probabilities : numpy.ndarray, shape (2**n_visible,)
            A law over all states.
        k : int
            Sweeps, at least 0.

        Returns
        -------
        numpy.ndarray, shape (2**n_visible,)
            The law of v after them.

        Examples
        --------
        >>> import numpy as np
        >>> GibbsOperator(RBM([[0.0]])).push(np.array([1.0, 0.0]), 1)
        array([0.5, 0.5])
        """
        law = check_real("probabilities", probabilities)
        if law.shape != (2**self.rbm.n_visible,):
            raise ValueError(f"probabilities has shape {law.shape}: ({2**self.rbm.n_visible},) is needed")
        up, down = self._up(), self._down()
        for _ in range(check_integer("k", k, 0, MAX_SWEEPS)):
            law = law @ up @ down
        return np.asarray(law)

    def _up(self) -> FloatArray:
        return _conditional(self.rbm.weights, self.rbm.hidden_bias)

    def _down(self) -> FloatArray:
        return _conditional(self.rbm.weights.T, self.rbm.visible_bias)


def _conditional(weights: FloatArray, bias: FloatArray) -> FloatArray:
    """p(h | v) for all states of both layers, shape (2^n_given, 2^n_drawn)."""
    fields = all_states(weights.shape[0]).astype(np.float64) @ weights + bias
    drawn = all_states(weights.shape[1]).astype(np.float64)
    return np.asarray(np.exp(fields @ drawn.T - log_two_cosh(fields).sum(axis=1)[:, None]))


def expected_update(rbm: RBM, data: Rows, k: int) -> RBM:
    """Return the mean of the CD-k gradient, as a machine that holds the derivatives.

    ``⟨v hᵀ⟩_q − ⟨v hᵀ⟩_(q T^k)`` and so for the biases: the data law q against the same law after k sweeps.

    Parameters
    ----------
    rbm : RBM
        At most 12 units in each layer.
    data : array_like, TrainingSet or StateLaw
        As for `fit`.
    k : int
        Sweeps, at least 1.

    Returns
    -------
    RBM
        With the derivatives in place of the parameters.

    Examples
    --------
    >>> from rbmflow.state_law import StateLaw
    >>> law = StateLaw([[1, 1], [-1, -1]], [0.5, 0.5])
    >>> print(round(expected_update(RBM.uniform(2, 1, 0.5), law, 1).weights[0, 0], 4))
    0.2995
    """
    operator = GibbsOperator(rbm)
    return _machine(
        _expected(rbm, _full(check_data(data, rbm.n_visible)), check_integer("k", k, 1, MAX_SWEEPS), operator)
    )


def _machine(moment: Averages) -> RBM:
    return RBM(moment.pairs, moment.visible, moment.hidden)


def _full(data: Data) -> FloatArray:
    """Return the probabilities of all states, in the order of `all_states`."""
    if data.varies:
        raise ValueError("data: whole rows of spins or a law are needed, without gaps or grey values")
    rows, weights = data.as_law()
    index = (rows > 0) @ (1 << np.arange(rows.shape[1], dtype=np.int64))
    return np.bincount(index, weights=weights, minlength=2 ** rows.shape[1]).astype(np.float64)


def _expected(rbm: RBM, law: FloatArray, k: int, operator: GibbsOperator) -> Averages:
    parameters = Parameters(rbm, np.float64)
    states = all_states(rbm.n_visible).astype(np.float64)
    difference = law - operator.push(law, k)
    return clamped(parameters, states, difference)


def cd_fixed_point(
    rbm: RBM,
    data: Rows,
    k: int,
    *,
    tie: Tie | None = None,
    mask: ArrayLike | None = None,
    biases: bool | None = None,
) -> RBM:
    """Return the machine whose mean CD-k update vanishes; it differs from the maximum of the likelihood.

    Parameters
    ----------
    rbm : RBM
        Where the search begins, at most 12 units in each layer. There are several fixed points, weights of 0
        among them: begin at the maximum of the likelihood, near which the one lies that training ends in.
    data : array_like, TrainingSet or StateLaw
        As for `fit`.
    k : int
        Sweeps, at least 1.
    tie : str, optional
        As for `fit`.
    mask : array_like of bool, optional
        As for `fit`.
    biases : bool, optional
        As for `fit`.

    Returns
    -------
    RBM
        The fixed point, its mean update below 10⁻⁹ in every free parameter.

    Raises
    ------
    ArithmeticError
        If the search does not arrive.

    See Also
    --------
    expected_update : The mean update that vanishes there.
    rbmflow.weight.trained_weight : The maximum of the likelihood.

    Examples
    --------
    >>> from rbmflow import Ring, trained_weight
    >>> from rbmflow.ising import state_law
    >>> best = trained_weight(0.5, 4, 4)
    >>> biased = cd_fixed_point(RBM.uniform(4, 4, best), state_law(Ring(4), 0.5), 1, tie="uniform")
    >>> bool(0 < abs(biased.weights[0, 0] - best) < 0.1)
    True
    """
    from scipy.optimize import root

    GibbsOperator(rbm)
    law, ties = _full(check_data(data, rbm.n_visible)), make_ties(rbm, tie, mask, biases)
    k = check_integer("k", k, 1, MAX_SWEEPS)
    parameters = Parameters(rbm, np.float64)

    def update(free: FloatArray) -> Any:
        ties.scatter(free, parameters.vector)
        return _reduced(parameters.model(), law, k, ties)

    found = root(update, ties.gather(parameters.vector).copy(), method="hybr", options={"xtol": 1e-13})
    if not np.abs(update(found.x)).max() < TOLERANCE:
        raise ArithmeticError(f"the search for the fixed point of CD-{k} did not arrive: {found.message}")
    return parameters.model()


def _reduced(rbm: RBM, law: FloatArray, k: int, ties: Ties) -> FloatArray:
    moment = _expected(rbm, law, k, GibbsOperator(rbm))
    zero = Averages(np.zeros_like(moment.pairs), np.zeros_like(moment.visible), np.zeros_like(moment.hidden))
    return ties.reduce(gradient(moment, zero))
