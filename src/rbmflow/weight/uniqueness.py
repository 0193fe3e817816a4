"""That the trained weight is the only one, whatever the data: a certificate for each pair of sizes.

The theorem and its proof stand in docs/theory/uniqueness.md. Of the proof this module needs what holds for
all sizes at once, and computes, in ball arithmetic, what depends on them. With ``u = WV``, ``x = u tanh u``,
``y = u² sech² u`` the equation f(W) = g(W) has one positive root at most if at each root

    ⟨y⟩_q < ⟨y⟩_p + N Var_p x        (⋆)

which holds where ``x₀ = W f(W) ≤ 1``, and, if N ≥ 2, where x₀ > 1 and ``M N W² T > C*``,
``T = ⟨tanh² WV⟩_p``. Both x₀ and M N W² T increase with W, so that one weight with both covers all weights
for N ≥ 3; two weights do for N = 1, 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from fractions import Fraction
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from rbmflow.arguments import as_array, check_broadcast, check_integer, shown
from rbmflow.executors import check_executor, completed
from rbmflow.weight.balls import ball, lent_balls
from rbmflow.weight.equation import MAX_UNITS, MAX_VISIBLE
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.arguments import FloatArray
    from rbmflow.typing import ArrayLike

INTERCEPT = Fraction("0.745")
"""Above ``C* = 0.741597…``, the largest ``y + 2x(x−1)/(1 + sinh 2u/2u)`` where x > 1."""
HIGHEST = Fraction("0.4393")
"""Above the largest y, ``u*² − 1`` at ``u* tanh u* = 1``."""
MAX_TERMS = 10**6
AT_ONCE = 2**17  # terms of sums in a piece of work: a fraction of a second
BELOW = 1e-6  # relative distance below x₀ = 1, and far above rounding
SECOND, TURN = 1.2, 1.2  # the second weight where N = 2, relative to the first; where N = 1


@overload
def certified_unique(
    n_visible: int,
    n_hidden: int,
    *,
    executor: Executor | None = None,
    progress: Progress | bool | None = None,
) -> bool: ...
@overload
def certified_unique(
    n_visible: ArrayLike,
    n_hidden: ArrayLike,
    *,
    executor: Executor | None = None,
    progress: Progress | bool | None = None,
) -> npt.NDArray[np.bool_]: ...
def certified_unique(
    n_visible: object,
    n_hidden: object,
    *,
    executor: Executor | None = None,
    progress: Progress | bool | None = None,
) -> Any:
    """Return whether the trained weight is proven, in ball arithmetic, to be unique for data of any law.

    What is certified of M visible and N hidden units: for every law q of the magnetization,
    ``⟨V tanh WV⟩_p = ⟨V tanh WV⟩_q`` has one root W > 0 at most, f − g rises through it, so that it is the
    minimum of KL(q‖p), and it exists if and only if ``⟨V²⟩_q > M`` (and not all spins are aligned). The
    theorem says so for all sizes; here the part of its proof that depends on them is replaced by numbers:

    - N ≥ 3: at one weight ``W f ≤ 1`` and ``M N W² ⟨tanh² WV⟩_p > 0.745``, which exceeds C*.
    - N = 2: with ``X = (MW/2) tanh 2W``, ``T = ⟨tanh² WV⟩_p``, at two weights a < b, ``W f ≤ 1`` at a,
      ``(2MW²T + 2X²)(a) − 2X²(a) T²(b)`` and ``2MW²T`` at b above 0.745.
    - N = 1: ``M y(W)`` exceeds max y at a, where ``W f ≤ 1``, and at b = 1.2, and
      ``M b² > 0.745/(1 + tanh b) + 4 max y``.
    - M = 3: two values of ``|V|`` leave nothing to show.

    0.745 > C* and 0.4393 > max y are shown in balls too. Time O(min(M, N)) for each pair.

    Parameters
    ----------
    n_visible : array_like of int
        Spins M, 3 to 10⁷.
    n_hidden : array_like of int
        Hidden units N, 1 to 10⁹; the smaller of both at most 10⁶. The shapes broadcast.
    executor : concurrent.futures.Executor, optional
        Where parts of the pairs are done; here by default, one after the other, as threads would do:
        python-flint has one precision for the process.
    progress : callable, optional
        Called as ``progress(done, total)`` in pairs that differ.

    Returns
    -------
    bool or numpy.ndarray of bool
        True where it is proven.

    Raises
    ------
    ImportError
        If python-flint is not installed.

    See Also
    --------
    certified_weight : Where the root of a coupling is.
    certified_monotone : That it increases with the coupling.

    Examples
    --------
    >>> certified_unique(8, [1, 2, 4, 1000])
    array([ True,  True,  True,  True])
    """
    visible, hidden = check_broadcast(
        n_visible=_check_units("n_visible", n_visible, 3, MAX_VISIBLE),
        n_hidden=_check_units("n_hidden", n_hidden, 1, MAX_UNITS),
    )
    executor, tell = check_executor(executor), check_progress(progress)
    pairs, place = np.unique(np.stack([visible.ravel(), hidden.ravel()]), axis=1, return_inverse=True)
    smaller = pairs.min(axis=0)
    if smaller.size and smaller.max() > MAX_TERMS:
        raise ValueError(f"the smaller layer has {smaller.max()} units: at most {MAX_TERMS} are possible")
    with lent_balls():  # that there are any, before work is handed on
        pass
    proven, done = np.zeros(pairs.shape[1], dtype=bool), 0
    pieces = [(tuple(part), (_certified, pairs[:, part])) for part in _parts(smaller)]
    for part, found in completed(executor, pieces):
        proven[list(part)] = found
        done += len(part)
        if tell is not None:
            tell(done, len(proven))
    found = proven[place.ravel()].reshape(visible.shape)
    return found if found.ndim else bool(found)


def _check_units(name: str, value: object, least: int, most: int) -> npt.NDArray[np.int64]:
    """Return whole numbers of units, of any shape, within their limits."""
    array = as_array(name, value)
    if array.dtype.kind == "O" or (array.size and array.dtype.kind not in "iu"):
        raise TypeError(f"{name}={shown(value)}: integers are needed")
    if array.size:
        for extreme in (array.min(), array.max()):
            check_integer(name, extreme, least, most)
    return array.astype(np.int64)


def _parts(n_terms: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.intp]]:
    """Divide pairs into pieces of not too many terms, each sum counted as the longest of its piece."""
    order = np.argsort(n_terms, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end + 1 - start) * (int(n_terms[order[end]]) + 20) > AT_ONCE:
            yield order[start:end]
            start = end


def _certified(pairs: npt.NDArray[np.int64]) -> list[bool]:
    """Return whether each column (M, N) is proven."""
    weights = (1 - BELOW) * _unit_weights(pairs[0], pairs[1])
    with lent_balls() as flint:
        flint.ctx.prec = 64
        if not _bounds_hold(flint, INTERCEPT, HIGHEST):
            return [False] * pairs.shape[1]
        return [_holds(flint, int(M), int(N), float(W)) for (M, N), W in zip(pairs.T, weights, strict=True)]


def _unit_weights(n_visible: npt.NDArray[np.int64], n_hidden: npt.NDArray[np.int64]) -> FloatArray:
    """Return where ``W f(W) = 1``, to nine digits or so, in float64.

    ``tanh W ≤ f/M ≤ N W`` brackets it; one layer is summed over the states of the other, as in `_sums`.
    """
    near, far = np.minimum(n_visible, n_hidden)[:, None], np.maximum(n_visible, n_hidden)[:, None]
    down = np.arange(near.max() // 2 + 1)
    A = near - 2.0 * down
    counts = gammaln(near + 1.0) - gammaln(down + 1.0) - gammaln(np.maximum(near - down, 0) + 1.0)
    counts = np.where(A < 0, -np.inf, counts + np.log(2.0) * (A > 0))
    M, A = n_visible.astype(float), np.abs(A)
    low, high = -0.5 * np.log(M * n_hidden), np.log(1.2) - 0.5 * np.log(M)
    for _ in range(int(np.log2((high - low).max() / 1e-10)) + 1):
        middle = (low + high) / 2
        z = np.exp(middle)[:, None] * A
        exponents = counts + far * (z + np.log1p(np.exp(-2 * z)))
        p = np.exp(exponents - exponents.max(axis=1, keepdims=True))
        order = (p * A * np.tanh(z)).sum(axis=1) / (p.sum(axis=1) * near[:, 0])
        above = M * np.exp(middle) * order > 1
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.exp(low)


def _holds(flint: Any, n_visible: int, n_hidden: int, weight: float) -> bool:
    """Whether (⋆) is proven for all weights, by what is found at `weight`, where x₀ is just below 1."""
    if n_visible < 4:
        return True
    flint.ctx.prec = 64 + n_visible.bit_length() + n_hidden.bit_length()
    a, bound = flint.arb(weight), ball(flint, INTERCEPT)
    x, T = _sums(flint, a, n_visible, n_hidden)
    if not x <= 1:
        return False
    if n_hidden == 1:
        return _holds_for_one(flint, a, n_visible, bound)
    strength = n_visible * n_hidden * a * a
    if n_hidden > 2:
        return bool(strength * T > bound)
    b = flint.arb(SECOND * weight)
    _, T_b = _sums(flint, b, n_visible, n_hidden)
    X = n_visible * a * (2 * a).tanh() / 2
    return bool(strength * T + 2 * X**2 * (1 - T_b**2) > bound and n_visible * 2 * b * b * T_b > bound)


def _holds_for_one(flint: Any, a: Any, n_visible: int, bound: Any) -> bool:
    """Whether ``W² f′ = M y(W)`` exceeds ⟨y⟩_q beyond a for N = 1: y rises and then falls."""
    b, highest = flint.arb(TURN), ball(flint, HIGHEST)
    between = all(n_visible * (W * W * W.sech() ** 2) > highest for W in (a, b))
    return bool(between and n_visible * b * b > bound / (1 + b.tanh()) + 4 * highest)


def _sums(flint: Any, W: Any, n_visible: int, n_hidden: int) -> tuple[Any, Any]:
    """Return ``x₀ = W f(W)`` and ``T = ⟨tanh² WV⟩_p``, the correlation of two hidden units where N > 1.

    One layer is summed out, so that the states of the smaller one are left, A = a, a − 2, …, with weights
    ``C(a, j) cosh^b WA``, j = (a − A)/2: ``f = (M/a) ⟨A tanh WA⟩``, and ``⟨A²⟩ = a + a(a−1) T`` where the
    smaller one is the hidden layer.
    """
    a, b = min(n_visible, n_hidden), max(n_visible, n_hidden)
    s = (-2 * W).exp()
    one = flint.arb(1)
    j, states, decay, norm, order, square = 0, one, one, flint.arb(0), flint.arb(0), flint.arb(0)
    power, up = s**a, s**-2  # s^A, s^(A − 2)/s^A
    while (A := a - 2 * j) >= 0:
        weight = (2 if A else 1) * states * (decay * (1 + power)) ** b
        tanh = (1 - power) / (1 + power)
        norm += weight
        order += weight * A * tanh
        square += weight * (A * A if a == n_hidden else tanh * tanh)
        states, decay, power, j = states * (a - j) / (j + 1), decay * s, power * up, j + 1
    square /= norm
    if a == n_hidden:
        square = (square - a) / (a * (a - 1)) if a > 1 else one
    return W * n_visible * order / (norm * a), square


def _bounds_hold(flint: Any, intercept: Fraction, highest: Fraction) -> bool:
    """Whether ``intercept > C*`` and ``highest > max y``.

    With ``S = sinh 2u/2u``: max y is ``u² − 1`` where ``u tanh u = 1``. From u = 6 on ``y < 4u² e^(−2u)`` and
    ``2x(x−1)/(1+S) < 9u³ e^(−2u)``, which fall; up to u = 1 is x < 1.
    """
    beyond = (1 + ball(flint, highest)).sqrt()
    if not (beyond * beyond.tanh() > 1 and _end_of_intercepts(flint.arb(6)) < ball(flint, intercept)):
        return False
    waiting = [(Fraction(1), Fraction(6))]
    while waiting:
        left, right = waiting.pop()
        if not _intercept(ball(flint, left).union(ball(flint, right))) < ball(flint, intercept):
            if right - left < Fraction(1, 10**5):
                return False
            waiting += [(left, (left + right) / 2), ((left + right) / 2, right)]
    return True


def _intercept(u: Any) -> Any:
    """``y + 2x(x−1)/(1 + sinh 2u/2u) = y − x dy/dx``: where the tangent of y at x meets x = 0."""
    x = u * u.tanh()
    return (u * u.sech()) ** 2 + 2 * x * (x - 1) / (1 + (2 * u).sinh() / (2 * u))


def _end_of_intercepts(u: Any) -> Any:
    return (4 * u**2 + 9 * u**3) * (-2 * u).exp()
