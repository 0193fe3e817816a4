"""The Monte Carlo renormalization group: critical exponents from blocked equilibrium configurations.

With S_α the operators of one level and S'_α those of the blocked level, the chain rule

    ∂⟨S'_γ⟩/∂K_β = Σ_α ∂⟨S'_γ⟩/∂K'_α · T_αβ,        T_αβ = ∂K'_α/∂K_β,

holds with derivatives that are correlations, ``∂⟨A⟩/∂K_β = ⟨A S_β⟩ − ⟨A⟩⟨S_β⟩``; it is a linear equation
for T. Its largest eigenvalue among even operators is b^y_t, among odd ones b^y_h: exactly 1 and 15/8 for the
Ising model in two dimensions (R. H. Swendsen, Phys. Rev. Lett. 42, 859 (1979)).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import MAX_SIZE, FloatArray, SpinArray, check_integer, check_rng, shown
from rbmflow.records import Record
from rbmflow.rg.block_maps import Majority
from rbmflow.rg.block_spins import Shape, Sides, check_shape
from rbmflow.rg.operators import even_operators, odd_operators, operators_of
from rbmflow.rg.transformation import Transformation, check_transformation
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

SMALLEST_SIDE = 4
"""On shorter sides operators coincide or are constant."""
SINGULAR = 1e-10
"""Smallest eigenvalue of a matrix of correlation coefficients that still counts as regular."""


@dataclass(frozen=True, eq=False)
class MonteCarloRG(Record):
    """Exponents from the Monte Carlo renormalization group, for each step and each number of operators.

    Attributes
    ----------
    y_t : numpy.ndarray of float64, shape (n_steps, n_even)
        Thermal exponents; entry ``[s, k]`` is from the step that makes level s + 1 out of level s, with
        the first k + 1 operators.
    y_t_stderr : numpy.ndarray of float64, shape (n_steps, n_even)
        Their standard errors, from a jackknife over blocks of samples; truncation and
        finite size are not in them.
    y_h : numpy.ndarray of float64, shape (n_steps, n_odd)
        Magnetic exponents.
    y_h_stderr : numpy.ndarray of float64, shape (n_steps, n_odd)
        Their standard errors.
    even_matrices : numpy.ndarray of float64, shape (n_steps, n_even, n_even)
        The linearized transformation ``∂K'_α/∂K_β`` of each step, with all operators.
    odd_matrices : numpy.ndarray of float64, shape (n_steps, n_odd, n_odd)
        The same for the odd couplings.
    shapes : tuple of tuple of int
        The n_steps + 1 lattices, from the one sampled.
    scale_factor : int or float
        The factor b of each step.
    n_samples : int
        Number of configurations.
    n_blocks : int
        Number of blocks of the jackknife.
    """

    y_t: FloatArray
    y_t_stderr: FloatArray
    y_h: FloatArray
    y_h_stderr: FloatArray
    even_matrices: FloatArray
    odd_matrices: FloatArray
    shapes: tuple[Sides, ...]
    scale_factor: float
    n_samples: int
    n_blocks: int


def renormalization_group(
    spins: ArrayLike,
    shape: Shape,
    *,
    scale_factor: int | None = None,
    transformation: Transformation | None = None,
    n_steps: int,
    n_even: int | None = None,
    n_odd: int = 2,
    n_blocks: int = 20,
    rng: RNGLike,
) -> MonteCarloRG:
    """Return the exponents from equilibrium configurations, mapped to coarser ones n_steps times.

    Each step solves ``⟨S' S'ᵀ⟩_c T = ⟨S' Sᵀ⟩_c`` for the linearized transformation T of the couplings,
    separately for even and odd operators, and takes ``y = ln λ / ln b`` of its largest eigenvalue (Swendsen
    1979). The means of odd operators are 0 by symmetry and are not estimated, so that samples from one of the
    two phases serve as well. At the critical coupling these are the exponents; elsewhere they say how
    couplings grow, on a ring by decimation ``∂K'/∂K`` and ``∂h'/∂h``.

    Parameters
    ----------
    spins : array_like
        Shape ``(n_samples, n_sites)`` or ``(n_chains, n_kept, n_sites)``, values ±1; of a torus at
        K_c = ln(1 + √2)/2.
    shape : int, tuple of int or lattice
        ``(n_rows, n_cols)`` of the torus, ``n_sites`` of a ring, or an object that has these attributes.
    scale_factor : int, optional
        The side b of the blocks of the majority rule, 2 by default; it divides the sides at every step.
    transformation : Transformation, optional
        Another map than the majority rule; `scale_factor` is then its own. All layers of a stack together are
        one step.
    n_steps : int
        Number of times to map, at least 1; the last lattice has sides of at least 4.
    n_even : int, optional
        Number of even operators, 1 to 7, in the order of `even_operators`; 4 by default, and 1 on a ring.
    n_odd : int
        Number of odd operators, 1 to 4, in the order of `odd_operators`; on a ring 1 or 2.
    n_blocks : int
        Number of blocks of the jackknife, at least 2. A block is to be longer than the autocorrelation time.
    rng : numpy.random.Generator or int
        Generator or seed of what the map draws: of the majority rule, the coins that decide ties.

    Returns
    -------
    MonteCarloRG
        Exponents with standard errors, and the matrices.

    Raises
    ------
    ValueError
        If the lattice is too small for the steps, the samples are too few for the blocks or for the
        operators, their correlations are singular, or an eigenvalue is not positive.

    See Also
    --------
    block_spins : The majority rule.
    Transformation : Other maps.
    grade : Exponents of a map beside its other merits.
    even_operators : What is measured.

    Notes
    -----
    The standard errors do not hold what the truncation to few operators, the distance from the fixed
    point and the last lattices leave out. On 32 × 32, 50,000 configurations of Swendsen-Wang give
    for the three steps y_t = 0.957(4), 0.991(5), 0.998(6) with four operators and y_h = 1.8801(2),
    1.8752(3), 1.8737(8) with two.

    References
    ----------
    R. H. Swendsen, Phys. Rev. Lett. 42, 859 (1979).

    Examples
    --------
    >>> spins = np.random.default_rng(1).choice([-1, 1], (400, 64))
    >>> result = renormalization_group(spins, (8, 8), n_steps=1, rng=2)
    >>> print(result.shapes, result.y_t.shape, result.y_h.shape)
    ((8, 8), (4, 4)) (1, 4) (1, 2)
    """
    chosen = _map(transformation, scale_factor)
    shapes = _shapes(check_shape(shape), chosen, check_integer("n_steps", n_steps, 1, 64))
    default = 4 if len(shapes[0]) > 1 else 1
    n_even = check_operators("n_even", default if n_even is None else n_even, shapes, "even")
    n_odd = check_operators("n_odd", n_odd, shapes, "odd")
    n_blocks = check_integer("n_blocks", n_blocks, 2, MAX_SIZE)
    level = _samples(spins, shapes[0], n_blocks, max(n_even, n_odd))
    generator = check_rng(rng)
    n_samples = len(level)
    even, odd = [], []
    for step, sides in enumerate(shapes):
        if step:
            level = chosen(level, shapes[step - 1], rng=generator)
        sums = even_operators(level, sides, n_operators=n_even).astype(np.float64)
        even.append(sums - sums.mean(axis=0))
        odd.append(odd_operators(level, sides, n_operators=n_odd).astype(np.float64))
    b = chosen.scale_factor
    thermal = [exponents(*pair, b, n_blocks, "even") for pair in itertools.pairwise(even)]
    magnetic = [exponents(*pair, b, n_blocks, "odd") for pair in itertools.pairwise(odd)]
    y_t, y_t_stderr, even_matrices = map(np.stack, zip(*thermal, strict=True))
    y_h, y_h_stderr, odd_matrices = map(np.stack, zip(*magnetic, strict=True))
    return MonteCarloRG(
        y_t, y_t_stderr, y_h, y_h_stderr, even_matrices, odd_matrices, shapes, b, n_samples, n_blocks
    )


def _map(transformation: object, scale_factor: int | None) -> Transformation:
    """The map that is given, or the majority rule."""
    if transformation is None:
        return Majority(2 if scale_factor is None else scale_factor)
    if scale_factor is not None:
        raise ValueError(f"scale_factor={shown(scale_factor)}: a transformation has its own")
    return check_transformation(transformation)


def _shapes(sides: Sides, transformation: Transformation, n_steps: int) -> tuple[Sides, ...]:
    """The lattices from the one sampled to the last one."""
    shapes = [sides]
    for step in range(1, n_steps + 1):
        shapes.append(check_step(sides, shapes[-1], transformation, f"n_steps={n_steps}: step {step}"))
    return tuple(shapes)


def check_step(sides: Sides, before: Sides, transformation: Transformation, step: str) -> Sides:
    """Return the lattice after a step, or raise where the map does not fit or what is left is too small."""
    try:
        after = transformation.output_shape(before)
    except ValueError as error:
        raise ValueError(f"shape={sides}, {step} starts from {before}: {error}") from None
    if min(after[:2]) < SMALLEST_SIDE:
        raise ValueError(
            f"shape={sides}, {step} starts from {before} and leaves {after}: sides of at least "
            f"{SMALLEST_SIDE} are needed"
        )
    check_dimension(transformation, before, after)
    return after


def check_dimension(transformation: Transformation, before: Sides, after: Sides) -> None:
    """Raise where a map leads from a ring to a torus or back: they have no operators in common."""
    if min(len(before), 2) != min(len(after), 2):
        raise ValueError(
            f"transformation={transformation!r} leads from {before} to {after}: as many dimensions are needed"
        )


def check_operators(name: str, n_operators: int, shapes: tuple[Sides, ...], parity: str) -> int:
    """Return a number of operators that all lattices have."""
    return check_integer(name, n_operators, 1, min(len(operators_of(sides, parity)) for sides in shapes))


def _samples(spins: object, sides: Sides, n_blocks: int, n_operators: int) -> SpinArray:
    """The configurations in one row, those of a chain together."""
    array = check_spins("spins", spins, math.prod(sides[:2]))
    if array.ndim not in (2, 3):
        raise ValueError(
            f"spins has shape {array.shape}: (n_samples, n_sites) or (n_chains, n_kept, n_sites) is needed"
        )
    array = array.reshape(-1, array.shape[-1])
    n_samples = len(array)
    left = n_samples - -(-n_samples // n_blocks)
    if n_samples < n_blocks or left < n_operators + 2:
        raise ValueError(
            f"{n_samples} samples are too few for n_blocks={n_blocks} and {n_operators} operators: "
            f"{max(n_blocks, n_operators + 2)} at least without any one block"
        )
    return array


def exponents(
    operators: FloatArray, blocked: FloatArray, b: float, n_blocks: int, parity: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Exponents with 1, 2, … operators, their jackknife errors, and T with all operators."""
    n_samples, n = operators.shape
    rows = np.hstack([blocked, operators, np.ones((n_samples, 1))])
    edges = np.linspace(0, n_samples, n_blocks + 1).astype(int)
    moments = np.array([rows[start:stop].T @ rows[start:stop] for start, stop in itertools.pairwise(edges)])
    total = moments.sum(axis=0)
    y, *without = (
        [leading_exponent(sums, count, b, parity) for count in range(1, n + 1)]
        for sums in (total, *(total - moments))
    )
    deviations = np.array(without) - np.mean(without, axis=0)
    stderr = np.sqrt((n_blocks - 1) / n_blocks * (deviations**2).sum(axis=0))
    return np.array(y), stderr, linearized(total, n, parity)


def leading_exponent(sums: FloatArray, count: int, b: float, parity: str) -> float:
    """``ln λ / ln b`` of the eigenvalue with the largest real part."""
    eigenvalues = np.linalg.eigvals(linearized(sums, count, parity))
    leading = eigenvalues[np.argmax(eigenvalues.real)]
    if leading.imag or leading.real <= 0:
        raise ValueError(
            f"the leading eigenvalue of {count} {parity} operators from {round(sums[-1, -1])} samples is "
            f"{leading:g}: it must be real and positive; more samples are needed"
        )
    return float(np.log(leading.real) / np.log(b))


def linearized(sums: FloatArray, count: int, parity: str) -> FloatArray:
    """T of the first `count` operators, from the sums of products of (S', S, 1) with each other."""
    n_samples = sums[-1, -1]
    n = len(sums) // 2
    correlations = sums[:-1, :-1] / n_samples
    if parity == "even":
        means = sums[-1, :-1] / n_samples
        correlations = correlations - np.outer(means, means)
    within = correlations[:count, :count]
    scale = np.sqrt(within.diagonal())
    if not scale.all() or np.linalg.eigvalsh(within / np.outer(scale, scale))[0] < SINGULAR:
        raise ValueError(
            f"the correlations of {count} {parity} operators are singular with {round(n_samples)} samples: "
            "more samples, that differ, or fewer operators are needed"
        )
    return np.linalg.solve(within, correlations[:count, n : n + count])
