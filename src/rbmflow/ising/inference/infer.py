"""Couplings from configurations, with errors: the inverse Ising problem."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rbmflow.arguments import (
    MAX_SIZE,
    FloatArray,
    SpinArray,
    check_choice,
    check_finite,
    check_flag,
    check_integer,
    shown,
)
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.ising.inference.exact_likelihood import ExactLikelihood
from rbmflow.ising.inference.newton import maximum
from rbmflow.ising.inference.pseudo_likelihood import Classes
from rbmflow.ising.inference.result import InferredCouplings
from rbmflow.ising.inference.site_couplings import SiteCouplings
from rbmflow.ising.inference.spread import spread_of_scores
from rbmflow.ising.operator_law import check_listed
from rbmflow.ising.operators import Operators, Products, Shape, named_operators, sites_of
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

DEFAULT_BLOCKS = 20
"""Into which chains are cut, together, where there are fewer chains."""
Method = Literal["pseudo-likelihood", "exact"]
METHODS: tuple[Method, ...] = ("pseudo-likelihood", "exact")
MAX_EXACT = 20
"""Sites whose states are listed."""
FALSE_ALARM = 1e-4
"""Of the warning that rows or blocks next to each other are correlated, where they are not."""


def infer(
    spins: ArrayLike,
    shape: Shape | None = None,
    *,
    operators: Operators | None = None,
    fields: bool = False,
    method: Method = "pseudo-likelihood",
    weights: ArrayLike | None = None,
    n_blocks: int | None = None,
) -> InferredCouplings:
    """Return the couplings of an Ising model of any order to configurations of it, with standard errors.

    The couplings are those of the largest pseudo-likelihood ``Σ_i ln p(v_i | all other spins)`` (Besag 1975),
    found by Newton's method. With its second derivatives −A and the sum C of ``u uᵀ`` over the scores u of
    independent rows, the covariance of their errors is ``A⁻¹ C A⁻¹`` (Godambe 1960); A alone would take the
    sites of a row for independent. The method ``"exact"`` takes the likelihood itself, by sums over all
    states; there C = A, Fisher's information, which independent rows are given.

    Time O(spins · products of a site) for a lattice, for n_samples rows of couplings of all pairs
    O(n_samples n³) in each step and O(n_samples n⁴) for the errors; ``"exact"`` O(n_samples k + 2^n n + k²)
    for k products.

    Parameters
    ----------
    spins : array_like
        Values ±1, sites last, those of a torus row by row. Shape ``(n_samples, n_sites)``: independent rows,
        or with `n_blocks` one Markov chain in its order. Shape ``(n_chains, n_kept, n_sites)``: Markov
        chains, independent of each other.
    shape : int, tuple of int or lattice, optional
        The sides of a ring or a torus, or one itself, whose couplings are the same at every site. Without it
        couplings belong to sites.
    operators : list of str or dict, optional
        On a lattice, names of `RING_OPERATORS`, or of `EVEN_OPERATORS` and `ODD_OPERATORS` on a torus; or
        names with products of one's own in the form of these: for each orientation the offsets of the spins,
        ``{"field": [[(0, 0)]], "pair": [[(0, 0), (0, 1)], [(0, 0), (1, 0)]]}``. By default the first four
        of the table, all even. Without a lattice, names with the sites of products, as
        ``{"chain": [[0, 1], [1, 2]], "triangle": [[0, 1, 2]]}``; by default one coupling for each pair of
        sites, by the name ``"0 1"``.
    fields : bool
        Add the coupling ``"magnetization"`` of a lattice, or one of each site, by the name ``"0"``.
    method : str
        ``"pseudo-likelihood"``, or ``"exact"`` on at most 20 sites.
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
    InferredCouplings(nearest neighbours: 0.491 ± 0.009, second neighbours: 0.002 ± 0.008, n_samples=2000)
    """
    check_choice("method", method, METHODS)
    array = _configurations(spins)
    sides, named = named_operators(shape, operators, array.shape[-1], fields=check_flag("fields", fields))
    w = _weights(weights, array.shape[:-1])
    rows, n_chains = array.reshape(-1, array.shape[-1]), len(array) if array.ndim == 3 else 1
    per_chain = _blocks_per_chain(n_blocks, len(rows) // n_chains, n_chains, chains=array.ndim == 3)
    problem = _problem(method, rows, sides, list(named.values()), w)
    names = tuple(named)
    K, step, n_steps = maximum(problem, names)
    spread, correlation, n_pairs = spread_of_scores(problem.scores(K), len(names), w, n_chains, per_chain)
    if weights is None:
        _warn_of_correlation(correlation, n_pairs, names, blocks=per_chain is not None)
    inverse = np.linalg.inv(step.information)
    is_fisher = method == "exact" and weights is None and per_chain is None
    covariance: FloatArray = np.asarray(inverse if is_fisher else inverse @ spread @ inverse, np.float64)
    return InferredCouplings(
        operators=names,
        couplings=K,
        stderr=np.sqrt(covariance.diagonal()),
        covariance=covariance,
        products=tuple(named.values()),
        shape=sides,
        n_sites=array.shape[-1],
        method=method,
        n_samples=len(rows),
        n_units=len(rows) if per_chain is None else n_chains * per_chain,
        neighbour_correlation=correlation,
        log_likelihood=step.value / float(w.sum()),
        n_steps=n_steps,
    )


def _problem(
    method: str, rows: SpinArray, sides: tuple[int, ...], products: list[Products], weights: FloatArray
) -> Any:
    """Return the function whose maximum is asked for."""
    if method == "pseudo-likelihood" and sides:
        return Classes(rows, sides, products, weights)
    if method == "exact":
        check_listed("spins", rows.shape[1:], MAX_EXACT)
    terms = [sites_of(each, sides) for each in products]
    return (ExactLikelihood if method == "exact" else SiteCouplings)(rows, terms, weights)


def _configurations(spins: object) -> SpinArray:
    array = check_spins("spins", spins)
    if array.ndim not in (2, 3) or array.size <= array.shape[-1]:
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
    return np.asarray(found / found.max(), dtype=np.float64).ravel()


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
