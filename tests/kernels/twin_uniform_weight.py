"""Multiprecision roots of <V tanh WV>_p = <V tanh WV>_q from exact integers, certified by changes of sign.

``python -m tests.kernels.twin_uniform_weight`` writes the rows of tests/reference/uniform_weight.json.
"""

import functools
import json
import sys
from math import comb

from tests.exact import private

DIGITS = 40
# beyond this coupling the literal difference would need 4K/ln 10 more digits
STRONG = 6.0
SIZES = [(3, 1), (4, 2), (5, 9), (7, 3), (8, 4), (8, 1), (20, 1), (33, 70), (64, 1), (64, 32)]
# six couplings of each size span 1e-12 ... 1e4, those of the next size lie between them
ROWS = [(f"{10 ** (-12 + (i + 10 * j) * 16 / 59):.3g}", *SIZES[i]) for i in range(10) for j in range(6)]


@functools.cache
def ring_counts(n_visible):
    """(M/k) C(n-1, k-1) C(M-n-1, k-1), the states with n spins up and 2k walls, for n = 0 ... floor(M/2)."""
    rows = [[1]]
    for n in range(1, n_visible // 2 + 1):
        walls = range(1, n + 1)
        rows.append(
            [0] + [n_visible * comb(n - 1, k - 1) * comb(n_visible - n - 1, k - 1) // k for k in walls]
        )
    return rows


def residual(ctx, K, n_visible, n_hidden):
    """A function of W with the sign of <V tanh WV>_p - <V tanh WV>_q, up to STRONG this very difference.

    Beyond, both means are those of D = M tanh MW - V tanh VW, whose terms carry e^(-4K) themselves:
    the logarithm of <D>_q / <D>_p. V = M - 2n >= 0; both laws are even.
    """
    x = ctx.exp(-4 * K)
    values = [n_visible - 2 * n for n in range(n_visible // 2 + 1)]
    both = [2 if v else 1 for v in values]
    walls = [x**k for k in range(len(values))]
    q = [
        w * ctx.fdot(counts, walls[: len(counts)])
        for w, counts in zip(both, ring_counts(n_visible), strict=True)
    ]
    states = [w * comb(n_visible, n) for n, w in enumerate(both)]

    def sides(W):
        s = ctx.exp(-2 * W)
        powers = [ctx.one]
        for _ in range(n_visible):
            powers.append(powers[-1] * s)
        top = 1 + powers[n_visible]
        # cosh VW / cosh MW = s^n (1 + s^V) / (1 + s^M)
        p = [
            count * (powers[n] * (1 + powers[v]) / top) ** n_hidden
            for n, (count, v) in enumerate(zip(states, values, strict=True))
        ]
        order = [v * (1 - powers[v]) / (1 + powers[v]) for v in values]
        if K > STRONG:
            # tanh MW - tanh VW = 2 (s^V - s^M) / ((1 + s^V)(1 + s^M))
            tanh_top = (1 - powers[n_visible]) / top
            order = [
                2 * n * tanh_top + 2 * v * (powers[v] - powers[n_visible]) / ((1 + powers[v]) * top)
                for n, v in enumerate(values)
            ]
        return ctx.fdot(p, order) / ctx.fsum(p), ctx.fdot(q, order) / ctx.fsum(q)

    def literal(W):
        of_model, of_data = sides(W)
        return of_model - of_data

    def logarithmic(W):
        of_model, of_data = sides(W)
        return ctx.log(of_data / of_model)

    return logarithmic if K > STRONG else literal


def certified_weight(K, n_visible, n_hidden, digits=DIGITS):
    """Return W(K) as mpf; the residual is negative a relative 10^-digits below and positive as much above."""
    # p - q is of relative order K W^2 <~ K^2 at weak coupling, e^(-4K) at strong coupling
    decimal_exponent = int(private(15).log10(private(15).convert(K)))
    lost = -3 * min(0, decimal_exponent) + int(4 * min(float(K), STRONG) / 2.3)
    ctx = private(digits + 25 + lost)
    K = ctx.convert(K)
    f = residual(ctx, K, n_visible, n_hidden)
    low, high = ctx.log(K) / 2 - ctx.log(n_visible * n_hidden) - 3, ctx.log(2 * K + 10)
    f_low, f_high = f(ctx.exp(low)), f(ctx.exp(high))
    assert f_low < 0 < f_high
    for _ in range(40):
        middle = (low + high) / 2
        value = f(ctx.exp(middle))
        if value < 0:
            low, f_low = middle, value
        else:
            high, f_high = middle, value
    # the bracket is now 1e-10 wide: secants in ln W, each time moved outwards to keep the root inside
    width = high - low
    while width > ctx.mpf(10) ** (-digits - 5):
        middle = low - f_low * (high - low) / (f_high - f_low)
        width = max(1000 * width**2, ctx.mpf(10) ** (-digits - 6))
        low, high = middle - width, middle + width
        f_low, f_high = f(ctx.exp(low)), f(ctx.exp(high))
        assert f_low < 0 < f_high
    return ctx.exp((low + high) / 2)


def main():
    """Write the reference rows to the standard output."""
    rows = [
        {"n_visible": M, "n_hidden": N, "K": K, "W": private(DIGITS).nstr(certified_weight(K, M, N), DIGITS)}
        for K, M, N in ROWS
    ]
    note = (
        f"Trained uniform weight W(K) of a ring, {DIGITS} significant digits: "
        "exact integers, bisection and secant, sign changes checked on both sides of the last digit; "
        "written by tests/kernels/twin_uniform_weight.py."
    )
    sys.stdout.write(json.dumps({"note": note, "weights": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
