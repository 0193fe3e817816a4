"""Ring and chain in a uniform field, ``−βH = K (Σ v_i v_(i+1) + h Σ v_i)``: closed forms and derivatives.

With b = K h the transfer matrix ``exp(K v v′ + b (v + v′)/2)`` has the eigenvalues

    ``λ_± = A ± R``,   ``A = e^K cosh b``,   ``G = e^K sinh b``,   ``R² = G² + e^(−2K)``,

and ``ρ = λ_−/λ_+ = 2 sinh(2K)/λ_+²``. The ring has ``Z = λ_+^n (1 + ρ^n)``, the chain
``Z = c_+ λ_+^(n−1) (1 + q ρ^(n−1))`` with

    ``c_+ = cosh b + (G sinh b + e^(−K))/R``,   ``q = 4 sinh² b sinh² K/(R c_+)²``,

and on the ring ``⟨v_0 v_r⟩ = (G/R)² + (e^(−K)/R)² (ρ^r + ρ^(n−r))/(1 + ρ^n)``. Everything is evaluated with
more digits than cancel at low temperature, and rounded once.
"""

from __future__ import annotations

from typing import Any

from rbmflow.arguments import shown
from rbmflow.ising.jets import added, divided, logarithm, multiplied, of_function, square_root
from rbmflow.precision import exact_array, to_exact

MAX_COLD = 2e4
"""Of ``|K| (1 + |h|)``: beyond, results have more digits than fit."""
ORDER = {"log_partition": 0, "energy": 1, "heat_capacity": 2, "magnetization": 1, "susceptibility": 2}
BY_FIELD = ("magnetization", "susceptibility")


def check_field(field: object) -> Any:
    """Return a field as it is given, one finite number, or raise."""
    array = exact_array("field", field, finite=True)
    if array.ndim:
        raise ValueError(f"field={shown(field)}: one number is needed, not an array of shape {array.shape}")
    return array[()]


def couplings_of(ctx: Any, K: Any, field: Any) -> tuple[Any, Any]:
    """Return K and b = K h, or raise where they are too large.

    Examples
    --------
    >>> from rbmflow.precision import context
    >>> couplings_of(context(15), context(15).mpf(2), 0.5)
    (mpf('2.0'), mpf('1.0'))
    """
    h = to_exact(ctx, "field", field)
    if not abs(K) * (1 + abs(h)) <= MAX_COLD:
        raise ValueError(f"K={ctx.nstr(K, 6)}: in a field |K| (1 + |h|) of at most {MAX_COLD:g} is possible")
    return K, K * h


def in_field(ctx: Any, quantity: str, K: Any, field: Any, n_sites: int, closed: bool) -> Any:
    """Return a quantity of a ring or, not closed, of a chain; per site, but ln Z in total.

    Examples
    --------
    >>> from rbmflow.precision import context
    >>> ctx = context(20)
    >>> print(ctx.nstr(in_field(ctx, "magnetization", ctx.mpf(1), 0.5, 8, True), 8))
    0.96741619
    """
    K, b = couplings_of(ctx, K, field)
    order = ORDER[quantity]
    with ctx.extradps(_lost_digits(K, b)):
        slopes = (0, 1) if quantity in BY_FIELD else (1, b / K if K else to_exact(ctx, "field", field))
        modes = _Modes(ctx, [K, slopes[0], 0][: order + 1], [b, slopes[1], 0][: order + 1])
        value = (modes.ring(n_sites) if closed else modes.chain(n_sites))[order]
        if quantity == "log_partition":
            return value
        return {"energy": -1, "heat_capacity": K * K}.get(quantity, 1) * value / n_sites


def ring_correlation(ctx: Any, K: Any, field: Any, n_sites: int, r: int) -> Any:
    """Return ``⟨v_0 v_r⟩``.

    Examples
    --------
    >>> from rbmflow.precision import context
    >>> ctx = context(20)
    >>> print(ctx.nstr(ring_correlation(ctx, ctx.mpf(0), 0.5, 8, 0), 8))
    1.0
    """
    K, b = couplings_of(ctx, K, field)
    with ctx.extradps(_lost_digits(K, b)):
        modes = _Modes(ctx, [K], [b])
        rho, R = modes.rho[0], modes.R[0]
        share = (ctx.exp(-K) / R) ** 2
        return 1 - share + share * (rho**r + rho ** (n_sites - r)) / (1 + rho**n_sites)


def correlation_length(ctx: Any, K: Any, field: Any) -> Any:
    """Return ``1/ln(λ_+/|λ_−|)``.

    Examples
    --------
    >>> from rbmflow.precision import context
    >>> ctx = context(20)
    >>> print(ctx.nstr(correlation_length(ctx, ctx.mpf(1), 0), 8))
    3.6718609
    """
    K, b = couplings_of(ctx, K, field)
    if not K:
        return ctx.zero
    with ctx.extradps(_lost_digits(K, b)):
        return -1 / ctx.log(abs(_Modes(ctx, [K], [b]).rho[0]))


def _lost_digits(K: Any, b: Any) -> int:
    """Of sums of which terms of e^(−2|K|) and e^(−2|b|) remain."""
    return int(2 * (abs(K) + abs(b)) / 2.3) + 5


class _Modes:
    """λ_+, ρ and R, as jets in whatever K and b depend on."""

    def __init__(self, ctx: Any, K: list[Any], b: list[Any]) -> None:
        self.ctx, self.K, self.b = ctx, K, b
        self.order = len(K) - 1
        up, down = self._of("exp", "exp", "exp", K), self._of("exp", "exp", "exp", [-one for one in K])
        self.cosh, self.sinh = self._of("cosh", "sinh", "cosh", b), self._of("sinh", "cosh", "sinh", b)
        self.down, self.G = down, multiplied(up, self.sinh)
        self.R = square_root(added(multiplied(self.G, self.G), multiplied(down, down)), ctx.sqrt)
        self.largest = added(multiplied(up, self.cosh), self.R)
        twice = self._of("sinh", "cosh", "sinh", [2 * one for one in K])
        self.rho = divided([2 * one for one in twice], multiplied(self.largest, self.largest))

    def _of(self, f: str, slope: str, curvature: str, x: list[Any]) -> list[Any]:
        names = (f, slope, curvature)[: self.order + 1]
        return of_function([getattr(self.ctx, name)(x[0]) for name in names], x)

    def ring(self, n: int) -> list[Any]:
        """Ln Z."""
        one = [1, 0, 0][: self.order + 1]
        rest = logarithm(added(one, self._power(n)), self.ctx.log)
        return added([n * row for row in logarithm(self.largest, self.ctx.log)], rest)

    def chain(self, n: int) -> list[Any]:
        """Ln Z."""
        ends = divided(added(multiplied(self.G, self.sinh), self.down), self.R)
        c = added(self.cosh, ends)
        scaled = divided(
            multiplied(self.sinh, self._of("sinh", "cosh", "sinh", self.K)), multiplied(self.R, c)
        )
        q = [4 * row for row in multiplied(scaled, scaled)]
        one = [1, 0, 0][: self.order + 1]
        rest = logarithm(added(one, multiplied(q, self._power(n - 1))), self.ctx.log)
        logs = [(n - 1) * row for row in logarithm(self.largest, self.ctx.log)]
        return added(added(logs, logarithm(c, self.ctx.log)), rest)

    def _power(self, n: int) -> list[Any]:
        """``ρ^n``."""
        slopes = [self.rho[0] ** n, n * self.rho[0] ** (n - 1), 0]
        if n > 1:
            slopes[2] = n * (n - 1) * self.rho[0] ** (n - 2)
        return of_function(slopes, self.rho)
