"""One step of the RBM flow, v → h → v, on batches of configurations.

Four maps of one signature. `mean_field` and `sign` are deterministic; `mean_field_sampled` and `gibbs` draw
from ``rng``, and of all four only `gibbs` leaves the machine's own law p(v) as it is: the flow that
thermometers are read along is not its dynamics.

The deterministic ones have no cycles but fixed points: each half step goes to the least
value over one layer of ``−vᵀWh − b·v − c·h − S(v) − S(h)``, S the entropy of independent
units (`sign`: without S), so that it never rises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import mean_field as kernel
from rbmflow.arguments import MAX_STEPS, FloatArray, SpinArray, check_integer, check_rng, shown
from rbmflow.hardware import resolve_threads, simd_level
from rbmflow.networks import RBM
from rbmflow.networks.two_layers import NUMBERS_AT_ONCE, draw_spins
from rbmflow.spins import check_means, check_sites, check_spins
from rbmflow.workers import run_tasks

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

Step = Callable[[RBM, Any], Any]
"""A map of the visible layer: ``step(rbm, v)``, shape ``(..., n_visible)`` to the same."""

BLOCK = 96  # rows that the kernel takes through the steps together
TASK_NANOSECONDS = 2e6  # of work, about, that is worth a thread's while
STEP_NANOSECONDS = 5e7  # between two looks at Ctrl-C


def mean_field(rbm: RBM, v: ArrayLike, *, n_steps: int = 1, n_threads: int | None = None) -> npt.NDArray[Any]:
    """Return ``v' = tanh(W h + b)``, ``h = tanh(Wᵀ v + c)`` (thesis eq. 50-51, 75-76).

    Sums are taken in one order everywhere: a configuration has the same result on every machine,
    at every SIMD level, with any number of threads and in any batch. With equal weights the sum
    of v is taken instead: what is symmetric stays so.

    Time O(M N) for each configuration and step.

    Parameters
    ----------
    rbm : RBM
        The machine.
    v : array_like, shape (..., n_visible)
        Spins, or means between −1 and 1.
    n_steps : int
        Steps to take, at least 0; many at once are faster.
    n_threads : int, optional
        Threads; by default ``RBMFLOW_NUM_THREADS``, else the processors available.

    Returns
    -------
    numpy.ndarray of float64, shape (..., n_visible)
        Means between −1 and 1; computed in float32, and of that type, if `v` is.

    Raises
    ------
    ValueError
        If fields could overflow.

    See Also
    --------
    mean_field_sampled : Spins with these means.
    gibbs : Hidden units drawn as well.
    sign : The limit of large parameters.
    orbit : A map again and again.

    References
    ----------
    * J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 50-51,
      75-76.
    * S. Iso, S. Shiba and S. Yokoo, Phys. Rev. E 97, 053304 (2018).

    Examples
    --------
    >>> mean_field(RBM.uniform(2, 1, 1.0), [1, 1])
    array([0.7461, 0.7461])
    """
    _check_rbm(rbm)
    n_steps = check_integer("n_steps", n_steps, 0, MAX_STEPS)
    threads = resolve_threads(n_threads)
    means = _copy_of_means(v, rbm.n_visible)
    weights, visible_bias, hidden_bias = _parameters(rbm, means.dtype)
    if (weights == weights[0, 0]).all():
        return _with_equal_weights(means, weights, visible_bias, hidden_bias, n_steps)
    rows = means.reshape(-1, rbm.n_visible)
    cost = weights.size * weights.itemsize / 100 + sum(weights.shape)
    size = BLOCK * max(1, int(TASK_NANOSECONDS / (BLOCK * cost * max(n_steps, 1))))
    biases = _panels(visible_bias[None]).ravel(), _panels(hidden_bias[None]).ravel()
    packed = _panels(weights), _panels(weights.T), *biases
    tasks = [_iterate(packed, rows[i : i + size], n_steps, cost) for i in range(0, len(rows), size)]
    run_tasks(tasks, max(1, min(threads, len(tasks))))
    return means


def _with_equal_weights(
    means: npt.NDArray[Any],
    weights: npt.NDArray[Any],
    visible_bias: npt.NDArray[Any],
    hidden_bias: npt.NDArray[Any],
    n_steps: int,
) -> npt.NDArray[Any]:
    """A layer's sum decides the other layer; without biases, or with equal ones, its units all agree."""
    alike = not (np.ptp(visible_bias) or np.ptp(hidden_bias))
    if alike:
        visible_bias, hidden_bias = visible_bias[:1], hidden_bias[:1]
    W, (n_visible, n_hidden) = weights[0, 0], weights.shape
    total = np.einsum("...i->...", means)[..., np.newaxis]
    if alike:
        # what a step returns has rows of equal numbers: their sum is the product that the next step takes
        first = means[..., :1]
        total = np.where((means == first).all(axis=-1, keepdims=True), n_visible * first, total)
    for _ in range(n_steps):
        hidden = np.tanh(W * total + hidden_bias)
        means = np.tanh(W * _sum_of(hidden, n_hidden, alike) + visible_bias)
        total = _sum_of(means, n_visible, alike)
    return means if means.shape[-1] == n_visible else np.repeat(means, n_visible, axis=-1)


def _sum_of(layer: npt.NDArray[Any], n: int, alike: bool) -> npt.NDArray[Any]:
    return n * layer if alike else np.asarray(np.einsum("...i->...", layer)[..., np.newaxis])


def sign(rbm: RBM, v: ArrayLike) -> SpinArray:
    """Return the limit of `mean_field` for large parameters: signs in place of tanh (thesis eq. 77).

    For uniform weights every unit becomes the sign of ``V = Σ v_i``, and 0 where V = 0. A field within its
    own rounding error counts as 0.

    Time O(M N) for each configuration.

    Parameters
    ----------
    rbm : RBM
        The machine; only the directions of its fields matter.
    v : array_like, shape (..., n_visible)
        Spins, or means between −1 and 1.

    Returns
    -------
    numpy.ndarray of int8, shape (..., n_visible)
        −1, 0 or 1.

    See Also
    --------
    mean_field : At finite parameters.
    cycle_length : Where it ends.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 77.

    Examples
    --------
    >>> sign(RBM.uniform(4, 2, 1.0), [[1, 1, 1, -1], [1, -1, 1, -1]])
    array([[1, 1, 1, 1],
           [0, 0, 0, 0]], dtype=int8)
    """
    _check_rbm(rbm)
    size = np.abs(rbm.weights)
    of_hidden = size.sum(axis=0) + np.abs(rbm.hidden_bias)
    of_visible = size.sum(axis=1) + np.abs(rbm.visible_bias)

    def step(v: FloatArray) -> FloatArray:
        return _sign(rbm.field_on_visible(_sign(rbm.field_on_hidden(v), of_hidden)), of_visible)

    return _in_blocks(step, rbm, v)


def mean_field_sampled(rbm: RBM, v: ArrayLike, rng: RNGLike) -> SpinArray:
    """Return visible spins drawn with the means of `mean_field`, each by itself.

    The hidden layer stays at its means ``h = tanh(Wᵀv + c)``; spins are drawn with
    ``P(v' = 1) = (1 + tanh a)/2``, ``a = Wh + b``.

    Time O(M N) for each configuration.

    Parameters
    ----------
    rbm : RBM
        The machine.
    v : array_like, shape (..., n_visible)
        Spins, or means between −1 and 1.
    rng : numpy.random.Generator or int
        Generator or seed.

    Returns
    -------
    numpy.ndarray of int8, shape (..., n_visible)
        −1 or 1.

    Examples
    --------
    >>> mean_field_sampled(RBM.uniform(3, 2, 3.0), [[1, 1, -1], [-1, -1, 1]], 1)
    array([[ 1,  1,  1],
           [-1, -1, -1]], dtype=int8)
    """
    _check_rbm(rbm)
    source = check_rng(rng)
    return _in_blocks(lambda v: draw_spins(rbm.field_on_visible(rbm.mean_hidden(v)), source), rbm, v)


def gibbs(
    rbm: RBM, v: ArrayLike, rng: RNGLike, *, n_steps: int = 1, n_threads: int | None = None
) -> SpinArray:
    """Return visible spins drawn given hidden ones that are drawn given `v` (thesis eq. 32).

    p(v) of the machine is stationary.
    The result is the same at every SIMD level and with any number of threads.

    Time O(M N) for each configuration and step.

    Parameters
    ----------
    rbm : RBM
        The machine.
    v : array_like, shape (..., n_visible)
        Spins, ±1.
    rng : numpy.random.Generator or int
        Generator or seed.
    n_steps : int
        Steps to take, at least 0.
    n_threads : int, optional
        Threads; by default ``RBMFLOW_NUM_THREADS``, else the processors available.

    Returns
    -------
    numpy.ndarray of int8, shape (..., n_visible)
        −1 or 1.

    See Also
    --------
    mean_field : Means in place of draws.
    rbmflow.sampling.block_gibbs : Many sweeps, compiled.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 32.

    Examples
    --------
    >>> gibbs(RBM.uniform(3, 2, 3.0), [[1, 1, 1], [-1, -1, -1]], 1)
    array([[ 1,  1,  1],
           [-1, -1, -1]], dtype=int8)
    """
    from rbmflow.sampling.block_gibbs import block_gibbs

    _check_rbm(rbm)
    n_steps = check_integer("n_steps", n_steps, 0, MAX_STEPS)
    source = check_rng(rng)
    spins = check_spins("v", v, rbm.n_visible)
    if not spins.size:
        return spins.copy()
    chains = block_gibbs(
        rbm,
        n_sweeps=n_steps,
        rng=source,
        initial=spins.reshape(-1, rbm.n_visible),
        precision="float64",
        n_threads=n_threads,
    )
    return chains.visible.reshape(spins.shape)


def _in_blocks(step: Callable[[FloatArray], Any], rbm: RBM, v: object) -> SpinArray:
    """Take a step with some rows after others: their fields stay in the cache."""
    means = check_means("v", v, rbm.n_visible)
    rows = means.reshape(-1, rbm.n_visible)
    spins = np.empty(rows.shape, dtype=np.int8)
    size = max(1, NUMBERS_AT_ONCE // max(rbm.weights.shape))
    for first in range(0, len(rows), size):
        spins[first : first + size] = step(rows[first : first + size])
    return spins.reshape(means.shape)


def _copy_of_means(v: object, n_visible: int) -> npt.NDArray[Any]:
    """Return checked means as a new contiguous array of float32, if they are, or float64."""
    single = isinstance(v, np.ndarray) and v.dtype.kind == "f" and v.dtype.itemsize == 4
    if isinstance(v, np.ndarray) and (single or v.dtype in (np.int8, np.float64)):
        check_sites("v", v, n_visible)
        if not v.size or (v.min() >= -1 and v.max() <= 1):  # NaN is neither
            return np.array(v, dtype=np.float32 if single else np.float64, order="C")
    return np.array(check_means("v", v, n_visible), order="C")


def _parameters(rbm: RBM, real: np.dtype[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return weights, visible and hidden biases in one precision, or raise if a sum could overflow."""
    of_machine = rbm.weights, rbm.visible_bias, rbm.hidden_bias
    largest = [float(max(x.max(), -x.min())) for x in of_machine]
    if max(rbm.weights.shape) * largest[0] + max(largest[1:]) >= float(np.finfo(real).max):
        raise ValueError(
            f"rbm: a parameter of {max(largest):g} is too large for {real}; the limit is flow.sign"
        )
    weights, visible_bias, hidden_bias = (x.astype(real, copy=False) for x in of_machine)
    return weights, visible_bias, hidden_bias


def _panels(weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return columns in panels of 64 bytes, filled up with 0: (n_panels, n_rows, columns of a panel)."""
    n_rows, n_columns = weights.shape
    width = 64 // weights.itemsize
    filled = np.zeros((n_rows, -(-n_columns // width) * width), dtype=weights.dtype)
    filled[:, :n_columns] = weights
    return np.ascontiguousarray(filled.reshape(n_rows, -1, width).swapaxes(0, 1))


def _iterate(
    packed: tuple[Any, Any, Any, Any], rows: npt.NDArray[Any], n_steps: int, cost: float
) -> Iterator[int]:
    """Take `rows` through the steps in place, a few at a time; yield the steps done, summed over rows."""
    at_once = max(1, int(STEP_NANOSECONDS / (len(rows) * cost)))
    for first in range(0, n_steps, at_once):
        now = min(at_once, n_steps - first)
        kernel.iterate(*packed, rows, now, simd_level())
        yield now * len(rows)


def _sign(field: FloatArray, size: FloatArray) -> FloatArray:
    """Signs of sums of terms whose moduli add up to `size`; 0 within the rounding error of the sum."""
    rounding = np.finfo(float).eps * size
    return np.asarray(np.where(np.abs(field) <= rounding, 0.0, np.sign(field)))


def _check_rbm(rbm: object) -> None:
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
