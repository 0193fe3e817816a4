"""The parameters of a machine as one vector, and the ties between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import check_choice, shown
from rbmflow.networks import RBM

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

Vector = npt.NDArray[Any]
Groups = npt.NDArray[np.int64]
Tie = Literal["uniform", "translation"]
TIES: tuple[Tie, ...] = ("uniform", "translation")
FIXED = -1


class Parameters:
    """Weights and biases in one contiguous vector, of which they are views."""

    shape: tuple[int, int]
    vector: Vector
    weights: Vector
    visible_bias: Vector
    hidden_bias: Vector

    def __init__(self, rbm: RBM, real: Any) -> None:
        self.shape = (rbm.n_visible, rbm.n_hidden)
        self.vector = join(rbm.weights, rbm.visible_bias, rbm.hidden_bias).astype(real)
        self.weights, self.visible_bias, self.hidden_bias = split(self.vector, self.shape)

    def model(self) -> RBM:
        """Return the machine; float32 parameters become float64 without a change."""
        return RBM(self.weights, self.visible_bias, self.hidden_bias)


def join(weights: Vector, visible_bias: Vector, hidden_bias: Vector) -> Vector:
    """Return the vector of all parameters."""
    return np.concatenate([weights.ravel(), visible_bias, hidden_bias])


def split(vector: Vector, shape: tuple[int, int]) -> tuple[Vector, Vector, Vector]:
    """Return weights, visible and hidden biases as views of the vector."""
    n_weights = shape[0] * shape[1]
    return (
        vector[:n_weights].reshape(shape),
        vector[n_weights : n_weights + shape[0]],
        vector[n_weights + shape[0] :],
    )


@dataclass(frozen=True, eq=False)
class Ties:
    """Which parameters are one: parameter p equals the free one numbered ``group[p]``; −1 if it is fixed.

    The gradient with respect to a free parameter is the sum over its group.
    """

    group: Groups
    n_free: int

    @property
    def trivial(self) -> bool:
        """Whether every parameter is free."""
        return self.n_free == len(self.group)

    def gather(self, vector: Vector) -> Vector:
        """Return the free parameters."""
        if self.trivial:
            return vector
        free = np.empty(self.n_free, dtype=vector.dtype)
        at = self.group != FIXED
        free[self.group[at]] = vector[at]
        return free

    def scatter(self, free: Vector, vector: Vector) -> None:
        """Write free parameters to where they belong."""
        if self.trivial:
            vector[:] = free
        else:
            at = self.group != FIXED
            vector[at] = free[self.group[at]]

    def reduce(self, gradient: Vector) -> Vector:
        """Return the gradient with respect to the free parameters."""
        if self.trivial:
            return gradient
        at = self.group != FIXED
        summed = np.bincount(self.group[at], weights=gradient[at], minlength=self.n_free)
        return summed.astype(gradient.dtype)

    def mean(self, vector: Vector) -> Vector:
        """Return the mean over each group."""
        sizes = np.bincount(self.group[self.group != FIXED], minlength=self.n_free)
        return np.asarray(self.reduce(vector) / sizes.astype(vector.dtype))


def make_ties(rbm: RBM, tie: object, mask: object, biases: object) -> Ties:
    """Return the ties that `fit` was asked for, or raise if the model does not obey them."""
    if tie is not None:
        check_choice("tie", tie, TIES)
    if biases is not None and not isinstance(biases, (bool, np.bool_)):
        raise TypeError(f"biases={shown(biases)}: True, False or None is needed")
    shape = (rbm.n_visible, rbm.n_hidden)
    weights, visible, hidden = _groups(tie, shape)
    weights[~check_mask(rbm, mask)] = FIXED
    if not (tie != "uniform" if biases is None else biases):
        visible[:], hidden[:] = FIXED, FIXED
    group = join(weights, visible, hidden)
    used, dense = np.unique(group, return_inverse=True)
    n_fixed = int(used[0] == FIXED)
    group = (dense - n_fixed).astype(np.int64)
    ties = Ties(group, len(used) - n_fixed)
    if not ties.n_free:
        raise ValueError("mask: no parameter is left to train")
    vector = join(rbm.weights, rbm.visible_bias, rbm.hidden_bias)
    tied = vector.copy()
    ties.scatter(ties.gather(vector), tied)
    if not np.array_equal(tied, vector):
        raise ValueError(
            f"model: its parameters are not tied as tie={shown(tie)} asks; begin with training.tied(...)"
        )
    return ties


def check_mask(rbm: RBM, mask: object) -> npt.NDArray[np.bool_]:
    """Return the mask of the weights, True where one exists; the others must be 0."""
    if mask is None:
        return np.ones(rbm.weights.shape, dtype=np.bool_)
    array = np.asarray(mask)
    if array.dtype != np.bool_ or array.shape != rbm.weights.shape:
        raise ValueError(
            f"mask has dtype {array.dtype} and shape {array.shape}: "
            f"truth values of shape {rbm.weights.shape} are needed"
        )
    if rbm.weights[~array].any():
        raise ValueError("model: a weight that mask forbids is not 0; begin with training.tied(...)")
    return array


def _groups(tie: object, shape: tuple[int, int]) -> tuple[Groups, Groups, Groups]:
    """Return distinct numbers for distinct parameters: weights, visible biases, hidden biases."""
    n_visible, n_hidden = shape
    n_weights = n_visible * n_hidden
    i, a = np.arange(n_visible)[:, None], np.arange(n_hidden)[None, :]
    if tie is None:
        weights, visible, hidden = i * n_hidden + a, i[:, 0], a[0]
    elif tie == "uniform":
        weights, visible, hidden = 0 * (i + a), 0 * i[:, 0], 0 * a[0]
    elif n_hidden % n_visible == 0:
        # filters of n_visible weights, each at every place of the ring
        weights = (a // n_visible) * n_visible + (i - a) % n_visible
        visible, hidden = 0 * i[:, 0], a[0] // n_visible
    elif n_visible % n_hidden == 0:
        # one filter, moved by the period of the machine
        period = n_visible // n_hidden
        weights = (i - period * a) % n_visible
        visible, hidden = i[:, 0] % period, 0 * a[0]
    else:
        raise ValueError(
            f"tie='translation': n_hidden={n_hidden} must be a multiple or a divisor of n_visible={n_visible}"
        )
    return weights, n_weights + visible, n_weights + n_visible + hidden


def tied(rbm: RBM, tie: Tie | None = None, *, mask: ArrayLike | None = None) -> RBM:
    """Return the nearest machine whose parameters are tied: each becomes the mean of its group.

    Parameters
    ----------
    rbm : RBM
        Any machine.
    tie : str, optional
        ``"uniform"``: all weights equal, and all biases of a layer. ``"translation"``: unchanged when both
        layers of a ring are turned; hidden unit ``a = f n_visible + t`` is filter f at place t, or with fewer
        hidden than visible units there is one filter, moved by n_visible / n_hidden places from unit to unit.
    mask : array_like of bool, shape (n_visible, n_hidden), optional
        True where a weight exists; the others become 0.

    Returns
    -------
    RBM
        With which `fit` can begin.

    Raises
    ------
    ValueError
        If the sizes do not allow the tie.

    Examples
    --------
    >>> tied(RBM([[0.1], [0.3]]), "uniform").weights
    array([[0.2],
           [0.2]])
    """
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    weights = rbm.weights.copy()
    if mask is not None:
        allowed = check_mask(RBM(np.zeros_like(weights)), mask)
        weights[~allowed] = 0
    if tie is None:
        return RBM(weights, rbm.visible_bias, rbm.hidden_bias)
    check_choice("tie", tie, TIES)
    group = join(*_groups(tie, weights.shape))
    if mask is not None:
        group[: weights.size][~allowed.ravel()] = group.max() + 1
    dense = np.unique(group, return_inverse=True)[1]
    vector = join(weights, rbm.visible_bias, rbm.hidden_bias)
    means = np.bincount(dense, weights=vector) / np.bincount(dense)
    return RBM(*split(means[dense], weights.shape))
