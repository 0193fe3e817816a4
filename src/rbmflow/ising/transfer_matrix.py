"""Closed forms of the one-dimensional Ising model, periodic and free, without cancellation.

Written once for both worlds of numbers (`rbmflow.precision.Functions`). With ``t = tanh K``,
``y = exp(−2|K|)`` and ``b = 2 artanh y`` one has ``|t| = exp(−b)``, so that every ``1 − |t|^r`` is
``−expm1(−r b)`` and keeps its relative precision at any coupling. A ring with an odd number of sites
and K < 0 is *frustrated*: there ``t^M = −|t|^M``, and what remains are ratios such as
``(1 − |t|^r)/(1 − |t|^M)``, which tend to ``r/M`` as K → −∞.

The ring (thesis eq. 68 and its derivatives), all per site except ln Z:

- ``ln Z = ln[(2 cosh K)^M + (2 sinh K)^M]``
- ``E = −(t + t^(M−1)) / (1 + t^M)``
- ``C = K² (1 − t²) [1 − t^(2M−2) + (M−1) t^(M−2) (1 − t²)] / (1 + t^M)²``
- ``⟨V²⟩/M = e^(2K) (1 − t^M) / (1 + t^M)``
- ``⟨s_0 s_r⟩ = (t^r + t^(M−r)) / (1 + t^M)``

The chain with free ends has n − 1 independent bonds: ``Z = 2 (2 cosh K)^(n−1)``, ``⟨s_i s_j⟩ = t^|i−j|``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rbmflow.precision import Functions


@dataclass(frozen=True)
class Bond:
    """A coupling K with ``y = exp(−2|K|)`` and ``b = −ln |tanh K|``."""

    fn: Functions
    K: Any
    y: Any
    b: Any

    @classmethod
    def of(cls, fn: Functions, K: Any) -> Bond:
        """Return the bond of coupling K."""
        strength = abs(K)
        y = fn.exp(-2 * strength)
        b = fn.where(strength < 0.5, -fn.log(fn.tanh(strength)), 2 * fn.atanh(y))
        return cls(fn, K, y, b)

    def power(self, r: Any) -> Any:
        """``|t|^r``."""
        return self.fn.where(r == 0, 1, self.fn.exp(-self.b * r))

    def deficit(self, r: Any) -> Any:
        """``1 − |t|^r``."""
        return -self.fn.expm1(-self.b * r)

    def deficit_ratio(self, r: Any, m: int) -> Any:
        """``(1 − |t|^r) / (1 − |t|^m)``, r/m when |K| is infinite."""
        limit = self.fn.divide(r + 0 * self.y, m + 0 * self.y)
        return self.fn.where(self.y == 0, limit, self.fn.divide(self.deficit(r), self.deficit(m)))

    def surplus_ratio(self, r: Any, m: int) -> Any:
        """``(1 + |t|^r) / (1 + |t|^m)``."""
        return (1 + self.power(r)) / (1 + self.power(m))

    def deficit_over_y(self, r: Any) -> Any:
        """``(1 − |t|^r) / y``, 2r when |K| is infinite."""
        return self.fn.where(self.y == 0, 2 * r, self.fn.divide(self.deficit(r), self.y))

    def squared_sech(self) -> Any:
        """``K² (1 − t²)``, the heat capacity of one free bond."""
        finite = self.fn.where(self.y == 0, 0, self.K)
        return finite * finite * 4 * self.y / ((1 + self.y) * (1 + self.y))

    def log_two_cosh(self) -> Any:
        """``ln(2 cosh K)``."""
        return abs(self.K) + self.fn.log1p(self.y)


def _frustrated(bond: Bond, n_sites: int) -> Any:
    """``t^M < 0``: an odd ring of antiferromagnetic bonds."""
    return (bond.K < 0) & (n_sites % 2 == 1)


def ring_log_partition(fn: Functions, K: Any, n_sites: int) -> Any:
    """``ln Z`` of the ring."""
    bond = Bond.of(fn, K)
    even = n_sites * bond.log_two_cosh() + fn.log1p(bond.power(n_sites))
    # 1 − |t|^M = y · deficit/y, and ln y = −2|K| joins the leading term
    odd = (n_sites - 2) * abs(K) + n_sites * fn.log1p(bond.y) + fn.log(bond.deficit_over_y(n_sites))
    return fn.where(_frustrated(bond, n_sites), odd, even)


def ring_energy(fn: Functions, K: Any, n_sites: int) -> Any:
    """Energy per site of the ring in J."""
    return 0 - ring_correlation(fn, K, n_sites, 1)


def ring_entropy(fn: Functions, K: Any, n_sites: int) -> Any:
    """Entropy of the ring, total, in nats: ``ln Z + K M E``, the terms that grow with |K| together."""
    bond, m = Bond.of(fn, K), n_sites
    flipped = 2 * bond.y / (1 + bond.y)  # 1 − |t|
    deficit = fn.divide(flipped * (1 + bond.power(m - 1)), bond.deficit(m))
    surplus = flipped * bond.deficit(m - 1) / (1 + bond.power(m))
    strength = abs(fn.where(bond.y == 0, 0, K))
    odd = fn.where(bond.y == 0, 0, strength * (m * deficit - 2)) + fn.log(bond.deficit_over_y(m))
    even = strength * m * surplus + fn.log1p(bond.power(m))
    return m * fn.log1p(bond.y) + fn.where(_frustrated(bond, m), odd, even)


def ring_heat_capacity(fn: Functions, K: Any, n_sites: int) -> Any:
    """Heat capacity per site of the ring in k_B."""
    bond, m = Bond.of(fn, K), n_sites - 1
    one_minus_t2 = 4 * bond.y / ((1 + bond.y) * (1 + bond.y))
    wrap = m * bond.power(m - 1) * one_minus_t2
    surplus, deficit = 1 + bond.power(n_sites), bond.deficit(n_sites)
    even = (bond.deficit(2 * m) + wrap) / (surplus * surplus)
    odd = fn.divide(bond.deficit(2 * m) - wrap, deficit * deficit)
    # For small b: 1 − |t|^2m − m |t|^(m−1) (1 − t²) = 2 e^(−mb) [sinh mb − m sinh b], of third order in b
    excess = m**3 * fn.sinh_excess(m * bond.b) - m * fn.sinh_excess(bond.b)
    scale = fn.where(bond.b == 0, n_sites, fn.divide(deficit, bond.b))
    odd_near_limit = fn.divide(2 * bond.power(m) * bond.b * excess, scale * scale)
    odd = fn.where(m * bond.b < 1, odd_near_limit, odd)
    return bond.squared_sech() * fn.where(_frustrated(bond, n_sites), odd, even)


def ring_susceptibility(fn: Functions, K: Any, n_sites: int) -> Any:
    """``⟨V²⟩/M`` of the ring."""
    bond = Bond.of(fn, K)
    ferromagnetic = bond.deficit_over_y(n_sites) / (1 + bond.power(n_sites))
    antiferromagnetic = bond.y * bond.deficit(n_sites) / (1 + bond.power(n_sites))
    frustrated = fn.divide(1 + bond.power(n_sites), bond.deficit_over_y(n_sites))
    negative = fn.where(_frustrated(bond, n_sites), frustrated, antiferromagnetic)
    return fn.where(K < 0, negative, ferromagnetic)


def ring_correlation(fn: Functions, K: Any, n_sites: int, r: Any) -> Any:
    """``⟨s_0 s_r⟩`` of the ring; r is taken modulo the length."""
    bond = Bond.of(fn, K)
    near = r % n_sites
    near = fn.where(2 * near > n_sites, n_sites - near, near)
    ratio = fn.where(
        _frustrated(bond, n_sites),
        bond.deficit_ratio(n_sites - 2 * near, n_sites),
        bond.surplus_ratio(n_sites - 2 * near, n_sites),
    )
    sign = fn.where((K < 0) & (near % 2 == 1), -1, 1)
    return sign * bond.power(near) * ratio


def correlation_length(fn: Functions, K: Any) -> Any:
    """``−1 / ln |tanh K|``, in sites."""
    b = Bond.of(fn, K).b
    return fn.where(b == 0, float("inf"), fn.divide(1, b))


def chain_log_partition(fn: Functions, K: Any, n_sites: int) -> Any:
    """``ln Z`` of the free chain."""
    return fn.log(2) + (n_sites - 1) * Bond.of(fn, K).log_two_cosh()


def chain_energy(fn: Functions, K: Any, n_sites: int) -> Any:
    """Energy per site of the free chain in J."""
    return 0 - fn.tanh(K) * (n_sites - 1) / n_sites


def chain_heat_capacity(fn: Functions, K: Any, n_sites: int) -> Any:
    """Heat capacity per site of the free chain in k_B."""
    return Bond.of(fn, K).squared_sech() * (n_sites - 1) / n_sites


def chain_susceptibility(fn: Functions, K: Any, n_sites: int) -> Any:
    """``⟨V²⟩/n = (1 + t)/(1 − t) − 2t (1 − tⁿ) / [n (1 − t)²]`` of the free chain.

    For t > 0 it is ``[n (sinh b − b) + (e^(−nb) − 1 + nb)] / [2n sinh²(b/2)]``, a sum of positive terms;
    ``sinh²(b/2) = y²/(1 − y²)``.
    """
    bond = Bond.of(fn, K)
    n, y, b = n_sites, bond.y, bond.b
    b_over_y = fn.where(y == 0, 2, fn.divide(b, y))
    near_limit = (b * fn.sinh_excess(b) + n * fn.exp_excess(n * b)) * b_over_y * b_over_y * (1 - y * y) / 2
    direct = fn.divide(1, y) + fn.divide(fn.expm1(-n * b) * (1 - y * y), 2 * n * y * y)
    ferromagnetic = fn.where(b < 1, near_limit, direct)
    t = abs(fn.tanh(K))
    end = 1 + bond.power(n) if n % 2 else bond.deficit(n)
    antiferromagnetic = y + 2 * t * end / (n * (1 + t) * (1 + t))
    return fn.where(K < 0, antiferromagnetic, ferromagnetic)


def chain_correlation(fn: Functions, K: Any, r: Any) -> Any:
    """``⟨s_i s_(i+r)⟩ = t^r`` of the free chain."""
    bond = Bond.of(fn, K)
    return fn.where((K < 0) & (r % 2 == 1), -1, 1) * bond.power(r)
