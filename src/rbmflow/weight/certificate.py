"""Certificates for the trained weight, in ball arithmetic (python-flint, extra ``certify``).

A sign change of the equation between two decimal numbers proves a root between them. Its exact integers
``(M/j) C(k−1, j−1) C(M−k−1, j−1)`` are those of `Ring.degeneracies`; the root itself is found beforehand by
the recurrence of `rbmflow.ising.walls`: the proof does not lean on the search. That there is no other root,
and that W(K) increases, are theorems (docs/theory/uniqueness.md).
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import check_integer, shown
from rbmflow.executors import check_executor, completed
from rbmflow.precision import borrowed_context, to_exact
from rbmflow.records import Record
from rbmflow.weight.balls import lent_balls
from rbmflow.weight.enclosure import decimal_text, enclose, spare_bits
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.proof import increases_on
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ExactArrayLike, ExactNumber

MAX_CERTIFIED_SITES = 1000
MAX_DIGITS = 100_000
SMALLEST, LARGEST = Fraction(10) ** -300, Fraction(10) ** 15


@dataclass(frozen=True)
class Enclosure(Record):
    """An interval that holds the trained weight, proven.

    Attributes
    ----------
    lower, upper : str
        Decimal numbers, exact; the root lies strictly between them, and their distance is below
        ``10^(−digits)`` of it.
    unique_on : tuple of str or None
        An open interval on which there is no other positive root, ``("0", "inf")``; None in files of earlier
        versions where it was not shown.
    unique_by : str
        What says so: ``"theorem"``.
    """

    lower: str
    upper: str
    unique_on: tuple[str, str] | None
    unique_by: str = "theorem"


@dataclass(frozen=True)
class MonotoneCertificate(Record):
    """Whether W(K) was proven to increase on an interval.

    Attributes
    ----------
    K_low, K_high : str
        The interval, as exact fractions or decimals.
    proven : bool
        Whether dW/dK > 0 on all of it.
    undecided : tuple of (str, str)
        The subintervals on which it could not be shown.
    n_boxes : int
        Subintervals that were looked at.
    by : str
        What it was proven by, ``"theorem"`` or ``"boxes"``.
    """

    K_low: str
    K_high: str
    proven: bool
    undecided: tuple[tuple[str, str], ...]
    n_boxes: int
    by: str = "boxes"


@overload
def certified_weight(K: ExactNumber, n_visible: int, n_hidden: int, *, digits: int) -> Enclosure: ...
@overload
def certified_weight(
    K: ExactArrayLike,
    n_visible: int,
    n_hidden: int,
    *,
    digits: int,
    executor: Executor | None = None,
    progress: Progress | bool | None = None,
) -> tuple[Enclosure, ...]: ...
def certified_weight(
    K: object,
    n_visible: int,
    n_hidden: int,
    *,
    digits: int,
    executor: Executor | None = None,
    progress: Progress | bool | None = None,
) -> Enclosure | tuple[Enclosure, ...]:
    """Return an interval proven to hold the trained weight W(K), and where there is no other root.

    With ``D = M tanh MW − V tanh VW``, ``ln ⟨D⟩_p − ln ⟨D⟩_q`` is shown to be positive at the lower end and
    negative at the upper one: from its value at one weight, and a bound of its slope between them. That there
    is no other positive root is a theorem, for this and for any other law of the data; `certified_unique`
    computes the part of its proof that depends on M and N.

    Time O(M³) for a given number of digits: the law has M²/8 integers of up to M bits.

    Parameters
    ----------
    K : int, float, str, Fraction, Decimal or mpf, or a sequence of them
        Coupling, from 1e-300 to 1e15, taken exactly: a float is the binary number that it
        is, "0.1" is one tenth.
    n_visible : int
        Spins M of the ring, 3 to 1000.
    n_hidden : int
        Hidden units N, at least 1.
    digits : int
        Significant digits, 1 to 100 000.
    executor : concurrent.futures.Executor, optional
        Where the couplings of a sequence are certified; here by default, one after the other, as threads
        would do: python-flint has one precision for the process.
    progress : callable, optional
        Called as ``progress(done, total)`` in couplings.

    Returns
    -------
    Enclosure, or tuple of them
        Narrower than ``10^(−digits)``, relative.

    Raises
    ------
    ImportError
        If python-flint is not installed.
    PrecisionError
        If the signs at the ends do not change: the equation does not hold what the search found.

    See Also
    --------
    trained_weight : Many digits without a proof.
    certified_monotone : That W(K) increases.
    certified_unique : That the root is the only one, for data of any law.

    References
    ----------
    F. Johansson, *Arb: efficient arbitrary-precision midpoint-radius interval arithmetic*, IEEE Trans.
    Comput. 66, 1281 (2017).

    Examples
    --------
    >>> certified_weight(1, 8, 4, digits=20)
    Enclosure(
        lower='0.3063083298115230710850',
        upper='0.3063083298115230710853',
        unique_on=('0', 'inf'),
        unique_by='theorem',
    )
    """
    several = isinstance(K, (list, tuple, np.ndarray))
    given: Any = K if several else [K]
    couplings = [_positive_fraction("K", one) for one in given]
    n_visible, n_hidden = _check_sizes(n_visible, n_hidden)
    digits = check_integer("digits", digits, 1, MAX_DIGITS)
    executor, tell = check_executor(executor), check_progress(progress)
    pieces = [(place, (_certified, one, n_visible, n_hidden, digits)) for place, one in enumerate(couplings)]
    found: dict[int, Enclosure] = {}
    for place, enclosure in completed(executor, pieces):
        found[place] = enclosure
        if tell is not None:
            tell(len(found), len(pieces))
    return tuple(found[place] for place in range(len(pieces))) if several else found[0]


def _certified(coupling: Fraction, n_visible: int, n_hidden: int, digits: int) -> Enclosure:
    with lent_balls() as flint:
        lower, upper = enclose(flint, coupling, n_visible, n_hidden, digits)
    return Enclosure(decimal_text(*lower), decimal_text(*upper), ("0", "inf"))


def certified_monotone(
    n_visible: int, n_hidden: int, K_low: ExactNumber, K_high: ExactNumber, *, max_boxes: int | None = None
) -> MonotoneCertificate:
    """Prove dW/dK > 0 on a whole interval of couplings, by the theorem, or again in ball arithmetic.

    On the ring ``⟨V tanh WV⟩_q`` rises with K at every W > 0, and f − g rises with W through its one root: so
    that W(K) increases for all K > 0, M ≥ 3, N ≥ 1.

    With `max_boxes` it is shown without the theorem, as far as that goes: on each box of couplings a tube of
    weights is found at whose lower wall the equation's sign is positive, and at whose upper one negative, for
    every coupling of the box; inside, the logarithm of the ratio of its sides falls with W and rises with K.
    So the tube holds one root for each coupling, and it increases. Boxes where this fails are halved.

    Parameters
    ----------
    n_visible : int
        Spins M of the ring, 3 to 1000.
    n_hidden : int
        Hidden units N, at least 1.
    K_low, K_high : int, float, str, Fraction, Decimal or mpf
        Ends of the interval, ``0 < K_low < K_high < ∞``, taken exactly.
    max_boxes : int, optional
        Without the theorem: subintervals to look at before giving up on the rest.

    Returns
    -------
    MonotoneCertificate
        Proven, or what is left undecided.

    Raises
    ------
    ImportError
        If `max_boxes` is given and python-flint is not installed.

    See Also
    --------
    certified_weight : Where the root is, proven.
    trained_weight_derivative : The number dW/dK.

    Examples
    --------
    >>> certified_monotone(8, 4, "0.5", 2)
    MonotoneCertificate(K_low='1/2', K_high='2', proven=True, undecided=(), n_boxes=0, by='theorem')
    >>> certified_monotone(8, 4, "0.5", 2, max_boxes=200).by
    'boxes'
    """
    low, high = _positive_fraction("K_low", K_low), _positive_fraction("K_high", K_high)
    if not low < high:
        raise ValueError(f"K_low={K_low}, K_high={K_high}: K_low < K_high is needed")
    n_visible, n_hidden = _check_sizes(n_visible, n_hidden)
    if max_boxes is None:
        return MonotoneCertificate(str(low), str(high), True, (), 0, "theorem")
    max_boxes = check_integer("max_boxes", max_boxes, 1, 10**7)
    waiting, undecided, looked_at = [(low, high)], [], 0
    with lent_balls() as flint:
        while waiting:
            a, b = waiting.pop()
            if looked_at == max_boxes:
                undecided.append((a, b))
                continue
            looked_at += 1
            flint.ctx.prec = 96 + 2 * spare_bits(a)
            if not increases_on(flint, a, b, n_visible, n_hidden):
                middle = _middle(a, b)
                waiting += [(middle, b), (a, middle)]
    left = tuple((str(a), str(b)) for a, b in _joined(sorted(undecided)))
    return MonotoneCertificate(str(low), str(high), not left, left, looked_at)


def _middle(a: Fraction, b: Fraction) -> Fraction:
    """The geometric mean, to a few digits, of wide boxes; the arithmetic one of narrow boxes."""
    if b > 2 * a:
        return Fraction(float(a) ** 0.5 * float(b) ** 0.5)
    return (a + b) / 2


def _joined(boxes: list[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, Fraction]]:
    result: list[tuple[Fraction, Fraction]] = []
    for a, b in boxes:
        if result and result[-1][1] == a:
            result[-1] = (result[-1][0], b)
        else:
            result.append((a, b))
    return result


def _check_sizes(n_visible: object, n_hidden: object) -> tuple[int, int]:
    sizes = check_sizes(n_visible, n_hidden)
    check_integer("n_visible", n_visible, 3, MAX_CERTIFIED_SITES)
    return sizes


def _positive_fraction(name: str, value: object) -> Fraction:
    """Return the exact value of a positive, finite number."""
    hint = f"{name}={shown(value)}: a positive, finite real number or its decimal string is needed"
    if isinstance(value, (bool, np.bool_)) or value is None:
        raise TypeError(hint)
    if not (isinstance(value, (int, float, str, Fraction, Decimal, np.generic)) or hasattr(value, "_mpf_")):
        raise TypeError(hint)
    try:
        with borrowed_context(30) as ctx:
            near = to_exact(ctx, name, value)
            if not 0 < near < ctx.inf:
                raise ValueError(hint)
            within = float(SMALLEST) / 2 < near < 2 * float(LARGEST)  # few digits enough to write out
        number = _fraction(value) if within else Fraction(0)
    except (ValueError, TypeError):
        raise ValueError(hint) from None
    if not SMALLEST < number < LARGEST:
        raise ValueError(
            f"{name}={shown(value)}: certificates are possible between {float(SMALLEST)} and {float(LARGEST)}"
        )
    return number


def _fraction(value: Any) -> Fraction:
    """Return the exact value of a finite number of any kind."""
    if hasattr(value, "_mpf_"):
        sign, mantissa, exponent, _ = value._mpf_
        return Fraction((-1) ** int(sign) * int(mantissa)) * Fraction(2) ** int(exponent)
    if isinstance(value, np.floating):
        return Fraction(*value.as_integer_ratio())
    if isinstance(value, np.generic):
        return Fraction(value.item())
    return Fraction(value.strip() if isinstance(value, str) else value)
