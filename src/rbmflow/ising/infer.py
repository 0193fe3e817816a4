"""Couplings from configurations, with errors: the inverse Ising problem."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from rbmflow.arguments import MAX_SIZE, FloatArray, SpinArray, check_finite, check_integer, shown
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.estimate import with_error
from rbmflow.ising.newton import maximum
from rbmflow.ising.operators import Operators, Shape, check_operators, check_shape
from rbmflow.ising.pseudo_likelihood import Classes
from rbmflow.ising.spread import spread_of_scores
from rbmflow.records import Tabular
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

DEFAULT_BLOCKS = 20
"""Into which chains are cut, together, where there are fewer chains."""
MOST_SHOWN = 6
"""Couplings in the text of a result."""
FALSE_ALARM = 1e-4
"""Of the warning that rows or blocks next to each other are correlated, where they are not."""


@dataclass(frozen=True, eq=False)
class InferredCouplings(Tabular):
    """Couplings K of ``ln p(v) = Σ_α K_α S_α(v) − ln Z``, from configurations.

    Attributes
    ----------
    operators : tuple of str
        The names of the S_α.
    couplings : numpy.ndarray of float64, shape (n_operators,)
        K_α, of every one of the products that S_α adds up.
    stderr : numpy.ndarray of float64, shape (n_operators,)
        Their standard errors.
    covariance : numpy.ndarray of float64, shape (n_operators, n_operators)
        The covariance of the couplings' errors.
    shape : tuple of int
        The sides of the lattice.
    n_samples : int
        Number of configurations.
    n_units : int
        Number of rows, or blocks of rows, that the errors take for independent.
    neighbour_correlation : numpy.ndarray of float64, shape (n_operators,)
        Correlation between the scores of a unit and the next one of its chain, 0 but for noise of
        ``n_units**−½`` where the errors are right; NaN where no unit has a next one.
    log_likelihood : float
        The maximum: the mean logarithm of the pseudo-likelihood per configuration, in nats.
    n_steps : int
        Steps of Newton's method.
    """

    COLUMNS: ClassVar = ("operators", "couplings", "stderr")

    operators: tuple[str, ...]
    couplings: FloatArray
    stderr: FloatArray
    covariance: FloatArray = field(repr=False)
    shape: tuple[int, ...]
    n_samples: int
    n_units: int
    neighbour_correlation: FloatArray = field(repr=False)
    log_likelihood: float
    n_steps: int

    def __repr__(self) -> str:
        numbers = list(zip(self.operators, self.couplings, self.stderr, strict=True))
        parts = [f"{name}: {with_error(K, error)}" for name, K, error in numbers[:MOST_SHOWN]]
        if len(numbers) > MOST_SHOWN:
            parts.append(f"and {len(numbers) - MOST_SHOWN} more")
        return f"InferredCouplings({'; '.join(parts)}; n_samples={self.n_samples})"


def infer(
    spins: ArrayLike,
    shape: Shape,
    *,
    operators: Operators | None = None,
    weights: ArrayLike | None = None,
    n_blocks: int | None = None,
) -> InferredCouplings:
    """Return the couplings of an Ising model of any order to configurations of it, with standard errors.

    The couplings are those of the largest pseudo-likelihood ``Σ_i ln p(v_i | all other spins)`` (Besag 1975),
    found by Newton's method. With its second derivatives −A and the sum C of ``u uᵀ`` over the scores u of
    independent rows, the covariance of their errors is ``A⁻¹ C A⁻¹`` (Godambe 1960); A alone would take the
    sites of a row for independent. Both hold whether or not the law has other couplings beside these.

    Time O(spins · products of a site).

    Parameters
    ----------
    spins : array_like
        Values ±1, sites last, those of a torus row by row. Shape ``(n_samples, n_sites)``: independent rows,
        or with `n_blocks` one Markov chain in its order. Shape ``(n_chains, n_kept, n_sites)``: Markov
        chains, independent of each other.
    shape : int, tuple of int or lattice
        The sides of a ring or a torus, or one itself.
    operators : list of str or dict, optional
        Names of `RING_OPERATORS`, or of `EVEN_OPERATORS` and `ODD_OPERATORS` on a torus; or names with
        products of one's own in the form of these: for each orientation the offsets of the spins to multiply,
        ``{"field": [[(0, 0)]], "pair": [[(0, 0), (0, 1)], [(0, 0), (1, 0)]]}``. By default the first four
        of the table, all even.
    weights : array_like, shape (n_samples,) or (n_chains, n_kept), optional
        Weights of rows that come from another law, not negative; probabilities where the rows are all
        states. Only their ratios matter.
    n_blocks : int, optional
        Cut the chains into at least so many blocks of the same number of rows in each, and take the blocks,
        not the rows, for independent: they are to be longer than the autocorrelation time. 20 by default
        for chains, or one for each chain if there are more.

    Returns
    -------
    InferredCouplings
        Couplings, errors, their covariance.

    Raises
    ------
    ValueError
        If operators cannot be told apart on this lattice or from these rows, or if all spins of all rows are
        on the side that some couplings would have them, so that the largest likelihood is at infinite ones.

    Warns
    -----
    ConvergenceWarning
        If rows or blocks that are taken for independent are not, by the correlation of neighbours (false
        alarm 10⁻⁴; not with `weights`): the errors are too small.

    References
    ----------
    * J. Besag, Statistician 24, 179 (1975).
    * V. P. Godambe, Ann. Math. Stat. 31, 1208 (1960).
    * H. C. Nguyen, R. Zecchina and J. Berg, Adv. Phys. 66, 197 (2017).

    Examples
    --------
    >>> from rbmflow import Ring
    >>> spins = Ring(16).sample(0.5, 2000, rng=1)
    >>> infer(spins, 16, operators=["nearest neighbours", "second neighbours"])
    InferredCouplings(nearest neighbours: 0.491 ± 0.009; second neighbours: 0.002 ± 0.008; n_samples=2000)
    """
    sides = check_shape(shape)
    named = check_operators(operators, sides)
    array = _configurations(spins, math.prod(sides))
    w = _weights(weights, array.shape[:-1])
    rows, n_chains = array.reshape(-1, array.shape[-1]), len(array) if array.ndim == 3 else 1
    per_chain = _blocks_per_chain(n_blocks, len(rows) // n_chains, n_chains, chains=array.ndim == 3)
    problem = Classes(rows, sides, list(named.values()), w)
    names = tuple(named)
    K, step, n_steps = maximum(problem, names)
    spread, correlation, n_pairs = spread_of_scores(problem.scores(K), w, n_chains, per_chain)
    if weights is None:
        _warn_of_correlation(correlation, n_pairs, names, blocks=per_chain is not None)
    inverse = np.linalg.inv(step.information)
    covariance = inverse @ spread @ inverse
    return InferredCouplings(
        operators=names,
        couplings=K,
        stderr=np.sqrt(covariance.diagonal()),
        covariance=covariance,
        shape=sides,
        n_samples=len(rows),
        n_units=len(rows) if per_chain is None else n_chains * per_chain,
        neighbour_correlation=correlation,
        log_likelihood=step.value / float(w.sum()),
        n_steps=n_steps,
    )


def _configurations(spins: object, n_sites: int) -> SpinArray:
    array = check_spins("spins", spins, n_sites)
    if array.ndim not in (2, 3) or array.size <= n_sites:
        raise ValueError(
            f"spins has shape {array.shape}: (n_samples, n_sites) or (n_chains, n_kept, n_sites) is needed, "
            "with two configurations at least"
        )
    return array


def _weights(weights: object, shape: tuple[int, ...]) -> FloatArray:
    if weights is None:
        return np.ones(math.prod(shape))
    found = check_finite("weights", weights)
    if found.shape != shape:
        raise ValueError(f"weights has shape {found.shape}: {shape} is needed, one for each configuration")
    if found.min() < 0 or np.count_nonzero(found) < 2:
        raise ValueError(
            f"weights={shown(found)}: numbers of at least 0 are needed, two of them at least above it"
        )
    return found.ravel()


def _blocks_per_chain(n_blocks: object, n_kept: int, n_chains: int, *, chains: bool) -> int | None:
    """Return the number of blocks in each chain, None where each row is a unit of its own."""
    if n_blocks is None and not chains:
        return None
    blocks = check_integer("n_blocks", DEFAULT_BLOCKS if n_blocks is None else n_blocks, 2, MAX_SIZE)
    per_chain = -(-blocks // n_chains)
    if n_kept < per_chain:
        raise ValueError(
            f"n_blocks={blocks}: {per_chain} blocks are needed in each of {n_chains} chain(s), "
            f"which have {n_kept} rows"
        )
    return per_chain


def _warn_of_correlation(
    correlation: FloatArray, n_pairs: int, names: tuple[str, ...], *, blocks: bool
) -> None:
    """Warn where the largest of some correlations of independent pairs would be as large in one of 10⁴."""
    worst = int(np.argmax(correlation))
    if n_pairs == 0 or correlation[worst] * math.sqrt(n_pairs) < math.sqrt(
        2 * math.log(len(names) / FALSE_ALARM)
    ):
        return
    what, helps = ("blocks", "fewer blocks") if blocks else ("rows", "n_blocks=, or rows further apart,")
    warn_caller(
        f"{what} next to each other are correlated, by {correlation[worst]:.2g} in the score of "
        f"{names[worst]!r}: the errors are too small; {helps} may help",
        ConvergenceWarning,
    )
