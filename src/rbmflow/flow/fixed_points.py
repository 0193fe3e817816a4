"""Fixed points of the mean-field map of any RBM, stable and unstable, with the spectrum of the map there.

At a fixed point ``J = D_v W D_h Wᵀ``, ``D = diag(1 − tanh²)`` of each layer, which has the eigenvalues of the
symmetric ``A Aᵀ``, ``A = D_v^½ W D_h^½``: they are real and at least 0, so that fixed points lose their
stability at 1 only and no cycle is born. Without biases v = 0 is a fixed point with the squared singular
values of W: it is unstable where s₁(W) exceeds 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import MAX_STEPS, FloatArray, check_integer, check_real_scalar, check_rng, shown
from rbmflow.flow.maps import mean_field
from rbmflow.networks import RBM
from rbmflow.records import Record
from rbmflow.spins import check_means

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

MERGED = 1e-7  # largest difference of what counts as one point
NEAR = 1e-6  # change in a step from which on Newton's method finishes
LEAP = 1e-3  # farthest from there to the point that Newton's method finds
CORRECTIONS = 100  # of Newton's method; at a threshold each takes a third off
PATIENCE, WANDERING = 25, 0.1  # corrections after which a larger one than this ends the search
HALVINGS = 6  # of a correction that does not bring the map closer to its fixed point
JACOBIANS_BYTES = 2**26
MAX_STACKED = 32  # sides of systems that numpy solves together: of small ones a call costs more than the work
NUDGE = 1e-14  # of a system that is singular


@dataclass(frozen=True, eq=False)
class FixedPoints(Record):
    """Fixed points of the mean-field map, in ascending order of their magnetization.

    Attributes
    ----------
    points : numpy.ndarray of float64, shape (k, n_visible)
        Means of the visible units.
    eigenvalues : numpy.ndarray of float64, shape (k, n_visible)
        Of the Jacobian at each, descending; real and at least 0.
    stable : numpy.ndarray of bool, shape (k,)
        Whether no eigenvalue is above 1.
        At 1 itself, within rounding, a point may still attract and counts as stable.
    residual : numpy.ndarray of float64, shape (k,)
        Largest change of a unit in one step.
    basin : numpy.ndarray of int64, shape (k,)
        How many of the starts flow there; unstable points are reached by symmetric starts only.
    partner : numpy.ndarray of int64, shape (k,)
        Where −v stands, for a machine without biases; else −1.
    undecided : int
        Starts that did not come to rest within the steps allowed, which is slow next to a threshold.
    """

    points: FloatArray
    eigenvalues: FloatArray
    stable: npt.NDArray[np.bool_]
    residual: FloatArray
    basin: npt.NDArray[np.int64]
    partner: npt.NDArray[np.int64]
    undecided: int

    @property
    def spectral_radius(self) -> FloatArray:
        """Largest eigenvalue at each point: the rate of coming, or of going if above 1; s₁(W)² at 0."""
        return np.asarray(self.eigenvalues[:, 0])

    @property
    def magnetization(self) -> FloatArray:
        """Mean of the visible units at each point."""
        return np.asarray(self.points.mean(axis=1))

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.points)


def mean_field_jacobian(rbm: RBM, v: ArrayLike) -> FloatArray:
    """Return the derivative of `mean_field`: ``J = diag(1 − v'²) W diag(1 − h²) Wᵀ``.

    Time O(M² N) for each configuration.

    Parameters
    ----------
    rbm : RBM
        The machine.
    v : array_like, shape (..., n_visible)
        Spins, or means between −1 and 1.

    Returns
    -------
    numpy.ndarray of float64, shape (..., n_visible, n_visible)
        ``J[..., i, j]`` is the derivative of v'_i with respect to v_j.

    Examples
    --------
    >>> mean_field_jacobian(RBM([[0.5], [1.0]]), [0, 0])
    array([[0.25, 0.5 ],
           [0.5 , 1.  ]])
    """
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    of_visible, of_hidden = _slopes(rbm, v)
    return of_visible[..., :, None] * ((rbm.weights * of_hidden[..., None, :]) @ rbm.weights.T)


def fixed_points(
    rbm: RBM,
    *,
    starts: ArrayLike | None = None,
    n_starts: int = 64,
    rng: RNGLike = None,
    tol: float = 1e-9,
    max_steps: int = 10_000,
) -> FixedPoints:
    """Return the fixed points of `mean_field` that a search from many starts finds.

    The map is iterated from every start, and Newton's method finishes near a fixed point; points found in
    this way are stable, but for starts whose symmetry the map keeps. Newton's method is also begun at the
    starts themselves, at smaller multiples of them, along the singular vectors of W that exceed 1 and halfway
    between stable points, which finds unstable points too. There is no proof that none is missing, but for
    the zero vector and the partners −v of points of a machine without biases.

    Time O(n² m) for each correction of each start, n the size of the smaller layer and m that of the other.

    Parameters
    ----------
    rbm : RBM
        The machine.
    starts : array_like, shape (n, n_visible), optional
        Spins, or means between −1 and 1;
        by default `n_starts` are drawn, random spins and uniform means in turn.
    n_starts : int
        Number of starts to draw, at least 1.
    rng : numpy.random.Generator or int, optional
        Generator or seed; not used where there are `starts`.
    tol : float
        Largest last correction of a point by Newton's method, which estimates its error;
        between 1e-14 and 1e-6.
    max_steps : int
        Steps of the map from each start, at least 1.

    Returns
    -------
    FixedPoints
        The points, each once, with their spectra.

    See Also
    --------
    mean_field_jacobian : Their stability.
    uniform_fixed_points : Of a machine with equal weights.
    spectrum : Stability of v = 0.

    Examples
    --------
    >>> found = fixed_points(RBM.uniform(8, 4, 0.3063), rng=1)
    >>> found.magnetization, found.stable
    (array([-0.8286,  0.    ,  0.8286]), array([ True, False,  True]))
    """
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    tol = check_real_scalar("tol", tol)
    if not 1e-14 <= tol <= 1e-6:
        raise ValueError(f"tol={shown(tol)}: a number between 1e-14 and 1e-6 is needed")
    max_steps = check_integer("max_steps", max_steps, 1, MAX_STEPS)
    begin = _starts(rbm, starts, check_integer("n_starts", n_starts, 1, 10**7), rng)
    symmetric = not (rbm.visible_bias.any() or rbm.hidden_bias.any())
    search = _Search(rbm, tol, symmetric)
    ends = search.flow(begin, max_steps)
    search.newton(begin, ends)
    return search.result(ends)


class _Search:
    """The points found so far, each once, −v with v where there are no biases."""

    def __init__(self, rbm: RBM, tol: float, symmetric: bool) -> None:
        self.rbm, self.tol, self.symmetric = rbm, tol, symmetric
        self.points = np.zeros((int(symmetric), rbm.n_visible))

    def add(self, found: FloatArray) -> None:
        for point in found:
            if self.where(point) < 0:
                self.points = np.vstack([self.points, point])
                if self.symmetric:
                    self.points = np.vstack([self.points, -point])

    def where(self, point: FloatArray) -> int:
        """Return the index of a point, or −1."""
        if not len(self.points):
            return -1
        distance = np.abs(self.points - point).max(axis=1)
        nearest = int(distance.argmin())
        return nearest if distance[nearest] <= MERGED else -1

    def flow(self, begin: FloatArray, max_steps: int) -> npt.NDArray[np.int64]:
        """Iterate until every start rests; add those points, return their indices, −1 for undecided starts.

        Steps come in chunks, each twice as long as the one before. Starts that hardly moved in the last step
        of a chunk go to Newton's method, which finds at once the point that a slow orbit takes long to reach.
        A start ends there if its own orbit does.
        """
        v, ends = begin.copy(), np.full(len(begin), -1)
        undecided = np.arange(len(begin))
        done, chunk = 0, 16
        while len(undecided) and done < max_steps:
            chunk = min(2 * chunk, max_steps - done)
            # the last step of a chunk stands alone: how far it goes tells which starts are near a fixed point
            before = mean_field(self.rbm, v[undecided], n_steps=chunk - 1)
            v[undecided] = mean_field(self.rbm, before)
            done += chunk
            change = np.abs(v[undecided] - before).max(axis=1)
            slow = change <= NEAR
            near = undecided[slow]
            at, ended = _newton(self.rbm, v[near], self.tol)
            # Newton's method may leap to a point that the flow does not lead to: it must not lead far away
            ended &= np.abs(at - v[near]).max(axis=1, initial=0) <= LEAP
            # a flow that passes an unstable point is slow there and goes on: the start stays undecided,
            # unless it no longer moves at all (a symmetry holds it there) or no steps are left to go on with
            held = (change[slow] == 0) | (done >= max_steps)
            ended &= held | _stable(self.rbm, _eigenvalues(self.rbm, at))
            self.add(at[ended])
            ends[near[ended]] = [self.where(point) for point in at[ended]]
            undecided = undecided[ends[undecided] < 0]
        return ends

    def newton(self, begin: FloatArray, ends: npt.NDArray[np.int64]) -> None:
        """Add what Newton's method finds from starts, along singular vectors, between attracting points."""
        left, size, _ = np.linalg.svd(self.rbm.weights)
        along = left.T[: len(size)][size > 1][: max(4, len(begin) // 4)]
        along = along / np.abs(along).max(axis=1, keepdims=True)
        stable = self.points[np.unique(ends[ends >= 0])][:8]
        first, second = np.triu_indices(len(stable), 1)
        between = (stable[first] + stable[second]) / 2
        guesses = [begin, begin / 4, along, along / 3, between]
        if not self.symmetric:
            guesses += [-along, -along / 3]
        at, good = _newton(self.rbm, np.concatenate(guesses), self.tol)
        self.add(at[good])

    def result(self, ends: npt.NDArray[np.int64]) -> FixedPoints:
        digits = np.round(self.points, 7) + 0.0
        order = np.lexsort([*digits.T[::-1], np.round(self.points.mean(axis=1), 7) + 0.0])
        basin = np.bincount(ends[ends >= 0], minlength=len(self.points))[order]
        self.points = self.points[order]
        eigenvalues = _eigenvalues(self.rbm, self.points)
        return FixedPoints(
            self.points,
            eigenvalues,
            _stable(self.rbm, eigenvalues),
            np.abs(mean_field(self.rbm, self.points) - self.points).max(axis=1),
            basin,
            np.array([self.where(-point) if self.symmetric else -1 for point in self.points], dtype=np.int64),
            int((ends < 0).sum()),
        )


def _starts(rbm: RBM, starts: object, n_starts: int, rng: object) -> FloatArray:
    if starts is not None:
        given = check_means("starts", starts, rbm.n_visible)
        if given.ndim != 2 or not len(given):
            raise ValueError(
                f"starts has shape {given.shape}: (n, {rbm.n_visible}) with n of at least 1 is needed"
            )
        return given
    draws = check_rng(rng).uniform(-1, 1, (n_starts, rbm.n_visible))
    draws[::2] = np.where(draws[::2] < 0, -1, 1)
    return draws


def _slopes(rbm: RBM, v: Any) -> tuple[FloatArray, FloatArray]:
    """Return 1 − tanh² of the fields on the visible and on the hidden units."""
    field = rbm.field_on_hidden(v)
    return _slope(rbm.field_on_visible(np.tanh(field))), _slope(field)


def _slope(field: FloatArray) -> FloatArray:
    """Return 1/cosh², with its digits where tanh rounds to 1."""
    decay = np.exp(-2 * np.abs(field))
    return np.asarray(4 * decay / (1 + decay) ** 2)


def _eigenvalues(rbm: RBM, points: FloatArray) -> FloatArray:
    """Return the eigenvalues of the Jacobian at fixed points: squared singular values of D_v^½ W D_h^½."""
    eigenvalues = np.zeros(points.shape)
    for row, point in zip(eigenvalues, points, strict=True):
        of_visible, of_hidden = _slopes(rbm, point)
        scaled = np.sqrt(of_visible)[:, None] * rbm.weights * np.sqrt(of_hidden)
        size = np.linalg.svd(scaled, compute_uv=False)
        row[: len(size)] = size**2
    return eigenvalues


def _stable(rbm: RBM, eigenvalues: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray(eigenvalues[:, 0] <= 1 + 8 * max(rbm.weights.shape) * np.finfo(float).eps)


def _newton(rbm: RBM, guesses: FloatArray, tol: float) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return where Newton's method for f(v) = v leads, and where its last correction is at most `tol`."""
    at, good = guesses.copy(), np.zeros(len(guesses), dtype=bool)
    size = max(1, JACOBIANS_BYTES // (8 * rbm.weights.size))
    for first in range(0, len(guesses), size):
        left = np.arange(first, min(first + size, len(guesses)))
        for done in range(CORRECTIONS):
            if not len(left):
                break
            correction = _correction(rbm, at[left])
            at[left] = _damped(rbm, at[left], correction)
            arrived = np.abs(correction).max(axis=1) <= tol
            good[left[arrived]] = True
            lost = (np.abs(correction).max(axis=1) > WANDERING) & (done >= PATIENCE)
            left = left[~(arrived | lost)]
    return at, good


def _correction(rbm: RBM, v: FloatArray) -> FloatArray:
    """Return ``(1 − J)⁻¹ (f(v) − v)`` for every row, from a system of the size of the smaller layer.

    With ``J = U X``, ``U = D_v W``, ``X = D_h Wᵀ``: ``(1 − U X)⁻¹ = 1 + U (1 − X U)⁻¹ X``.
    """
    change = mean_field(rbm, v) - v
    of_visible, of_hidden = _slopes(rbm, v)
    if rbm.n_visible <= rbm.n_hidden:
        return _solve(of_visible, rbm.weights, of_hidden, change)
    up = of_hidden * (change @ rbm.weights)
    return np.asarray(
        change + of_visible * (_solve(of_hidden, rbm.weights.T, of_visible, up) @ rbm.weights.T)
    )


def _solve(outer: FloatArray, weights: FloatArray, inner: FloatArray, right: FloatArray) -> FloatArray:
    """Return ``(1 − D_outer W D_inner Wᵀ)⁻¹ right`` for every row."""
    if len(weights) > MAX_STACKED:  # one after another, in the cache
        rows = [_solve_one(a, weights, b, c) for a, b, c in zip(outer, inner, right, strict=True)]
        return np.array(rows).reshape(right.shape)
    product = outer[:, :, None] * ((weights * inner[:, None, :]) @ weights.T)
    system = np.eye(len(weights)) - product
    try:
        return np.asarray(np.linalg.solve(system, right[..., None])[..., 0])
    except np.linalg.LinAlgError:  # one of them is exactly at a threshold
        system += NUDGE * np.eye(len(weights))
        return np.asarray(np.linalg.solve(system, right[..., None])[..., 0])


def _solve_one(outer: FloatArray, weights: FloatArray, inner: FloatArray, right: FloatArray) -> FloatArray:
    from scipy.linalg.lapack import dgesv

    for nudge in (0.0, NUDGE):
        system = ((weights * inner) @ weights.T).T  # symmetric, in the order of LAPACK
        system *= -outer[:, None]
        system.flat[:: len(system) + 1] += 1 + nudge
        _, _, solution, singular = dgesv(system, right, overwrite_a=True)
        if not singular:
            break
    return np.asarray(solution)


def _damped(rbm: RBM, v: FloatArray, correction: FloatArray) -> FloatArray:
    """Take corrections, halved where the change in a step would grow; nothing leaves [−1, 1]."""
    before = np.abs(mean_field(rbm, v) - v).max(axis=1)
    best = np.clip(v + correction, -1, 1)
    scale = np.ones(len(v))
    for _ in range(HALVINGS):
        worse = np.abs(mean_field(rbm, best) - best).max(axis=1) > before
        if not worse.any():
            break
        scale[worse] /= 2
        best[worse] = np.clip(v[worse] + scale[worse, None] * correction[worse], -1, 1)
    return best
