"""A Monte Carlo number: its mean, its standard error and what they rest on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import MAX_SIZE, FloatArray, check_finite, check_integer, check_real_scalar, shown
from rbmflow.autocorrelation import (
    AGREED,
    autocorrelation,
    chains_disagree,
    check_series,
    excess_of_means,
    jackknife,
    rank_normalised_r_hat,
)
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.records import Record

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

DISAGREEMENT = 0.01  # probability that chains which agree get the error of the spread of their means
FEW = 100  # effective samples below which the error itself is known to a fifth at best
DIGITS = 17  # significant digits of a float64
EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)  # more digits than are shown
TEXT = re.compile(r"(.?[<>^])?\d*s?")  # a format of text: fill, alignment and width


@dataclass(frozen=True)
class Estimate(Record):
    """A mean over samples with its standard error.

    ``print`` rounds as the Particle Data Group does: the error to two digits if its leading three are 100 to
    354 or 950 to 999 (then up to 1000), to one if they are 355 to 949, the mean to the same decimal. A format
    such as ``f"{x:.3f}"`` is applied to both numbers, one of text such as ``f"{x:>20}"`` to the whole;
    ``float(x)`` is the mean. Exact numbers can be added and multiplied, which keeps ``tau``, ``n_effective``
    and ``r_hat``; two estimates cannot be combined, as their correlation is not known: take `jackknife` of
    their series, or the root of the sum of squares where they are independent.

    Attributes
    ----------
    mean : float
        The sample mean.
    stderr : float
        Standard error of the mean; NaN where it is unknown, as for a series that is constant.
    tau : float
        Integrated autocorrelation time in sweeps; 0.5 for independent samples, half the spacing for
        independent measurements along a chain.
    n_effective : float
        Number of independent samples that would give this standard error.
    r_hat : float
        Rank-normalised split R-hat between chains; NaN for independent samples.
    tau_stderr : float
        Standard error of tau; NaN where it was not measured.
    between_chains : bool
        Whether the error is that of the spread of the chains' means, as it is where this is larger, beyond
        chance, than the one by autocorrelation.
    """

    mean: float
    stderr: float
    tau: float
    n_effective: float
    r_hat: float
    tau_stderr: float = float("nan")
    between_chains: bool = field(default=False, kw_only=True)

    @classmethod
    def from_independent(cls, samples: ArrayLike) -> Estimate:
        """Return the estimate of the mean of independent samples.

        The standard error is s/√n with the unbiased sample variance s².

        Parameters
        ----------
        samples : array_like
            At least two finite numbers; any shape.

        Returns
        -------
        Estimate
            With ``tau = 0.5``, ``n_effective = n`` and ``r_hat = nan``; no error where all samples are equal.

        Examples
        --------
        >>> Estimate.from_independent([1.0, 2.0, 3.0, 4.0]).mean
        2.5
        """
        values = check_finite("samples", samples).ravel()
        if values.size < 2:
            raise ValueError(
                f"samples holds {values.size} values: at least 2 are needed for a standard error"
            )
        n = values.size
        return cls(float(values.mean()), float(values.std(ddof=1) / np.sqrt(n)), 0.5, float(n), float("nan"))

    @classmethod
    def from_series(cls, series: ArrayLike, *, spacing: int = 1, name: str = "series") -> Estimate:
        """Return the estimate of the mean of measurements along Markov chains.

        ``stderr² = s²/n_effective`` and ``n_effective = N/(2τ)`` with the integrated autocorrelation
        time τ by Sokal's windowing around the common mean of the chains. Slow modes of small amplitude
        escape the window, but not the spread of the chains' means: where Fisher's test tells this larger,
        with a false alarm in a hundred, the error and ``n_effective`` are those of the spread, and
        ``between_chains`` says so.

        Parameters
        ----------
        series : array_like
            Shape ``(n_chains, n)`` or ``(n,)``, in equilibrium; at least 4 measurements to a chain.
        spacing : int
            Sweeps between measurements.
        name : str
            What warnings call the series.

        Returns
        -------
        Estimate
            With tau in sweeps. The error, tau and n_effective of a constant series are
            unknown: NaN, as its R-hat.

        Warns
        -----
        ConvergenceWarning
            If the series is constant, has fewer than 100 effective samples, or an R-hat above 1.01 that is
            not for the length of chains which agree, see `autocorrelation.chains_disagree`.

        Examples
        --------
        >>> noise = np.random.default_rng(2).normal(size=(4, 1000))
        >>> abs(Estimate.from_series(noise).deviation(0.0)) < 4
        True
        """
        values = check_series("series", series)
        estimate = _along_chains(values, check_integer("spacing", spacing, 1, MAX_SIZE))
        _warn(name, estimate, values)
        return estimate

    @classmethod
    def jackknife(
        cls, function: Callable[..., Any], *series: object, spacing: int = 1, name: str = "function of means"
    ) -> Estimate:
        """Return the estimate of a function of means, with a jackknife error over blocks of the chains.

        Parameters
        ----------
        function : callable
            Of the means of the series, elementwise for arrays of them.
        *series : array_like
            All of one shape ``(n_chains, n)``.
        spacing : int
            Sweeps between measurements.
        name : str
            What warnings call the function.

        Returns
        -------
        Estimate
            The bias of order 1/N is taken off; tau, n_effective and r_hat are those of the function's
            linear part, and so is the error where `from_series` takes it from the spread of the chains'
            means and it is the larger. All but the mean are NaN where the function has no value near the
            means, as a correlation length of chains that are not correlated.

        Warns
        -----
        ConvergenceWarning
            As `from_series`, of the linear part.

        Examples
        --------
        >>> x = np.random.default_rng(1).normal(size=(4, 2000))
        >>> variance = Estimate.jackknife(lambda second, first: second - first**2, x**2, x)
        >>> abs(variance.deviation(1.0)) < 4
        True
        """
        spacing = check_integer("spacing", spacing, 1)
        result = jackknife(function, *(check_series(f"series[{k}]", one) for k, one in enumerate(series)))
        if not np.isfinite(result.linear).all():
            return cls(result.value, *[math.nan] * 4)
        linear = _along_chains(result.linear, spacing)
        stderr = max(result.stderr, linear.stderr) if linear.between_chains else result.stderr
        estimate = replace(linear, mean=result.value, stderr=stderr)
        _warn(name, estimate, result.linear)
        return estimate

    def deviation(self, exact: float) -> float:
        """Return ``(mean − exact) / stderr``.

        It is 0 where the difference is 0, and NaN for another where the error is unknown.

        Parameters
        ----------
        exact : float
            The value that the mean should have.

        Returns
        -------
        float
            The difference in standard errors, signed.

        Examples
        --------
        >>> Estimate(1.2, 0.1, 0.5, 100.0, float("nan")).deviation(1.0)
        2.0
        """
        difference = self.mean - check_real_scalar("exact", exact)
        if difference == 0.0:
            return 0.0
        return difference / self.stderr if self.stderr else math.copysign(math.inf, difference)

    def __float__(self) -> float:
        return self.mean

    def __str__(self) -> str:
        return with_error(self.mean, self.stderr)

    def __format__(self, spec: str) -> str:
        if TEXT.fullmatch(spec):
            return format(str(self), spec)
        return f"{self.mean:{spec}} ± {self.stderr:{spec}}"

    def __neg__(self) -> Estimate:
        return self * -1

    def __add__(self, other: object) -> Estimate:
        shift = _exact("shift", other)
        return NotImplemented if shift is None else replace(self, mean=self.mean + shift)

    def __sub__(self, other: object) -> Estimate:
        shift = _exact("shift", other)
        return NotImplemented if shift is None else replace(self, mean=self.mean - shift)

    def __rsub__(self, other: object) -> Estimate:
        return -self + other

    def __mul__(self, other: object) -> Estimate:
        factor = _exact("factor", other)
        if factor is None:
            return NotImplemented
        return replace(self, mean=self.mean * factor, stderr=self.stderr * abs(factor))

    def __truediv__(self, other: object) -> Estimate:
        divisor = _exact("divisor", other)
        if divisor is None:
            return NotImplemented
        return replace(self, mean=self.mean / divisor, stderr=self.stderr / abs(divisor))

    def __rtruediv__(self, other: object) -> Estimate:
        raise TypeError(
            f"{shown(other)} / Estimate: not linear; Estimate.jackknife of the series gives its error"
        )

    __radd__ = __add__
    __rmul__ = __mul__


def with_error(value: float, stderr: float) -> str:
    """Return a number and its error as the Particle Data Group rounds them.

    The rule is that of the Review of Particle Physics, introduction, § 5.3.

    Parameters
    ----------
    value, stderr : float
        The number and its standard error.

    Returns
    -------
    str
        Both to the same decimal, with a common power of ten where zeros would be many.

    Examples
    --------
    >>> print(with_error(0.827, 0.119), with_error(0.827, 0.367), with_error(-1.2345e-7, 9.6e-9), sep=", ")
    0.83 ± 0.12, 0.8 ± 0.4, (-1.23 ± 0.10)e-07
    """
    if not math.isfinite(stderr) or not stderr:
        return f"{value:{'.15g' if stderr == 0 else '.6g'}} ± {stderr:g}"
    error = _rounded(stderr)
    if not math.isfinite(value):
        return f"{value:g} ± {error}"
    return _together(Decimal(repr(float(value))), error)


def _along_chains(values: FloatArray, spacing: int) -> Estimate:
    mean, times = float(values.mean()), autocorrelation(values)
    if times.spread == 0:
        unknown = float("nan")
        return Estimate(mean, unknown, unknown, unknown, unknown)
    ratio, chance = excess_of_means(values, times)
    between = chance < DISAGREEMENT
    n_effective = values.size / (2 * times.tau * (ratio if between else 1))
    return Estimate(
        mean,
        times.spread / math.sqrt(n_effective),
        times.tau * spacing,
        n_effective,
        rank_normalised_r_hat(values),
        times.tau_stderr * spacing,
        between_chains=between,
    )


def _warn(name: str, estimate: Estimate, values: FloatArray) -> None:
    """Warn, once for each estimate, of chains that are constant, disagree or hold few effective samples."""
    if math.isnan(estimate.n_effective):
        fault = f"all {values.size} measurements are equal, which leaves the error unknown; "
    elif estimate.r_hat > AGREED and chains_disagree(values):
        fault = "the chains have not mixed, or are too short to tell; a longer burn-in, "
    elif estimate.n_effective < FEW:
        fault = f"fewer than {FEW} effective samples; "
    else:
        return
    numbers = f"r_hat = {estimate.r_hat:.4g}, n_effective = {estimate.n_effective:.3g}"
    helps = "more sweeps, other starts, or a rule that moves clusters of spins may help"
    warn_caller(f"{name}: {numbers}: {fault}{helps}", ConvergenceWarning)


def _exact(name: str, value: object) -> float | None:
    """The number that an estimate is moved or scaled by; None for what is not one."""
    if isinstance(value, Estimate):
        raise TypeError(
            "two estimates cannot be combined, as their correlation is not known: "
            "take Estimate.jackknife of their series, or, if they are independent, their means with the "
            "root of the sum of the squares of their errors"
        )
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        return None
    if not math.isfinite(value):
        raise ValueError(f"{name}={value!r}: a finite number is needed")
    return float(value)


def _rounded(error: float) -> Decimal:
    """The error as the Particle Data Group rounds it."""
    exact = Decimal(repr(float(error)))
    place = exact.adjusted()
    leading = int(exact.scaleb(2 - place, EXACT))
    # 950 and more become 1000, with two digits at the same place
    return EXACT.quantize(exact, Decimal(1).scaleb(place - 1 if leading < 355 else place, EXACT))


def _together(mean: Decimal, error: Decimal) -> str:
    """Both to the last place of the error, with a common power of ten where zeros would be many."""
    top = max(mean.adjusted(), error.adjusted()) if mean else error.adjusted()
    last = int(error.as_tuple().exponent)
    if top - last >= DIGITS:
        return f"{float(mean)!r} ± {float(error)!r}"
    power = 0 if top >= -4 and (last <= 0 or top < 6) else top
    shown = [EXACT.quantize(x, Decimal(1).scaleb(last, EXACT)).scaleb(-power, EXACT) for x in (mean, error)]
    text = " ± ".join(f"{EXACT.add(x, Decimal(0)):f}" for x in shown)
    return f"({text})e{power:+03d}" if power else text
