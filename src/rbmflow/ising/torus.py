"""The finite square lattice with periodic boundaries: Kaufman's formula, exact integers, the law of the magnetization."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rbmflow.arguments import check_digits, check_integer, check_real
from rbmflow.errors import PrecisionError
from rbmflow.ising import kaufman
from rbmflow.ising.density_of_states import (
    MAX_DENSITY_SITES,
    DensityOfStates,
    density_jet,
    torus_density_of_states,
)
from rbmflow.ising.joint_density_of_states import (
    JointDensityOfStates,
    check_joint_work,
    torus_joint_density_of_states,
)
from rbmflow.ising.law import Law, magnetizations
from rbmflow.precision import exact_array, exact_map, settle, to_exact

MAX_SIDE = 10**6
MAX_SUMMED_SITES = 256
MAX_LOST_DIGITS = 20_000
_DERIVATIVE = {"log_partition": 0, "energy": 1, "heat_capacity": 2}
_FLOAT_DIGITS = 17
# Beyond it, corrections to the ground states are below e^(−4·60) relative to one, or underflow where they are all there is.
_SATURATED = 100.0
_SATURATED_FRUSTRATED = 60.0
_UNDERFLOW = 200.0


@dataclass(frozen=True)
class Torus:
    """Ising spins on a square lattice with periodic boundaries: ``−βH = K Σ v_i v_j`` over 2 n_rows n_cols bonds.

    Parameters
    ----------
    n_rows, n_cols : int
        Sides, at least 2. Along a side of 2 every pair of neighbours has two bonds.

    Raises
    ------
    TypeError, ValueError
        If a side is not an integer from 2 to 10⁶.

    Notes
    -----
    With two even sides K → −K leaves ln Z unchanged. With an odd side K < 0 is frustrated: the four products of
    Kaufman's formula then cancel, and float64 results too come from evaluations at raised precision, at a cost that
    grows with |K| (n_rows + n_cols).

    Examples
    --------
    >>> torus = Torus(16, 16)
    >>> print(round(torus.energy(0.5), 12))
    -1.745530668991
    >>> torus.density_of_states().total == 2**256
    True
    """

    n_rows: int
    n_cols: int

    def __post_init__(self) -> None:
        for side in ("n_rows", "n_cols"):
            object.__setattr__(self, side, check_integer(side, getattr(self, side), 2, MAX_SIDE))

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return self.n_rows * self.n_cols

    def log_partition(self, K: object, *, dps: int | None = None) -> Any:
        """Return ln Z, the total, from Kaufman's four products (module `rbmflow.ising.kaufman`).

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; infinite at K = ±∞.

        Raises
        ------
        TypeError, ValueError
            If `K` is not real or is NaN, or `dps` is not an integer of at least 1.
        PrecisionError
            If the products cancel to more than 20 000 digits, on a torus of more than 256 sites.

        Examples
        --------
        >>> Torus(4, 4).log_partition([0.0, 0.5])
        array([11.0904, 17.1054])
        """
        return self._evaluate("log_partition", K, dps)

    def energy(self, K: object, *, dps: int | None = None) -> Any:
        """Return the energy per site in J, ``−(1/n) d ln Z/dK``.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Raises
        ------
        TypeError, ValueError
            If `K` is not real or is NaN, or `dps` is not an integer of at least 1.
        PrecisionError
            If the products cancel to more than 20 000 digits, on a torus of more than 256 sites.

        Examples
        --------
        >>> Torus(4, 4).energy([0.0, 0.5, float("inf")])
        array([ 0.    , -1.7554, -2.    ])
        """
        return self._evaluate("energy", K, dps)

    def heat_capacity(self, K: object, *, dps: int | None = None) -> Any:
        """Return the heat capacity per site in k_B, ``(K²/n) d² ln Z/dK²``.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Raises
        ------
        TypeError, ValueError
            If `K` is not real or is NaN, or `dps` is not an integer of at least 1.
        PrecisionError
            If the products cancel to more than 20 000 digits, on a torus of more than 256 sites.

        Examples
        --------
        >>> print(round(Torus(64, 64).heat_capacity(0.44), 4))
        2.2205
        """
        return self._evaluate("heat_capacity", K, dps)

    def susceptibility(self, K: object, *, dps: int | None = None) -> Any:
        """Return ``⟨V²⟩/n``, per site, from the joint counts.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Raises
        ------
        TypeError, ValueError
            If `K` is not real or is NaN, `dps` is not an integer of at least 1, or the torus is beyond the limits of
            `joint_density_of_states`.

        Examples
        --------
        >>> Torus(4, 4).susceptibility([0.0, 0.5, float("inf")])
        array([ 1.    , 13.9027, 16.    ])
        """
        if dps is None:
            return np.asarray(self.magnetization_law(K).moment(2) / self.n_sites)[()]
        joint = self.joint_density_of_states()

        def mean_square(ctx: Any, coupling: Any) -> Any:
            weights = self._weights(ctx, coupling, joint)
            total = ctx.fsum(weights) * self.n_sites
            return (
                ctx.fdot(
                    (v * v, w)
                    for v, w in zip(range(-self.n_sites, self.n_sites + 1, 2), weights, strict=True)
                )
                / total
            )

        return exact_map(mean_square, dps, K=K)

    def magnetization_law(self, K: object, *, dps: int | None = None) -> Law:
        """Return the law of the magnetization ``V = Σ v_i`` from the joint counts, a sum of positive terms.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        Law
            ``values`` −n, −n + 2, …, n and ``probabilities`` of shape ``(*K.shape, n + 1)``. In float64, values
            more than 300 orders of magnitude below the largest are returned as 0.

        Raises
        ------
        TypeError, ValueError
            If `K` is not real or is NaN, `dps` is not an integer of at least 1, or the torus is beyond the limits of
            `joint_density_of_states`.

        Examples
        --------
        >>> Torus(2, 2).magnetization_law(0.25).probabilities
        array([0.2732, 0.1479, 0.1579, 0.1479, 0.2732])
        """
        n = self.n_sites
        if dps is None:
            couplings = check_real("K", K)
            joint = self.joint_density_of_states()
            table = np.array(
                [self._machine_law(k, joint) for k in couplings.ravel().tolist()], dtype=np.float64
            )
            return Law(magnetizations(n), table.reshape(*couplings.shape, n + 1))
        digits, exact = check_digits(dps), exact_array("K", K)
        joint = self.joint_density_of_states()
        rows = np.empty((*exact.shape, n + 1), dtype=object)
        for index in np.ndindex(exact.shape):
            rows[index] = settle(partial(self._exact_law, joint=joint, K=exact[index]), digits)
        return Law(magnetizations(n), rows)

    def density_of_states(self) -> DensityOfStates:
        """Return the number of configurations for each energy, in exact integers, from Kaufman's polynomial.

        Returns
        -------
        DensityOfStates
            Python integers; computed once for each pair of sides. 16 × 16 takes a tenth of a second, 32 × 32 two seconds.

        Raises
        ------
        ValueError
            If the torus has more than 1024 sites.

        Examples
        --------
        >>> Torus(2, 2).density_of_states()
        DensityOfStates(n_rows=2, n_cols=2, energy=(-8, 0, 8), count=(2, 12, 2))
        """
        if self.n_sites > MAX_DENSITY_SITES:
            raise ValueError(
                f"a torus of {self.n_rows} x {self.n_cols} sites: at most {MAX_DENSITY_SITES} sites are possible"
            )
        return torus_density_of_states(self.n_rows, self.n_cols)

    def joint_density_of_states(self) -> JointDensityOfStates:
        """Return the number of configurations for each energy and magnetization, in exact integers.

        By a transfer matrix, spin by spin; computed once for each pair of sides. 8 × 8 takes two seconds.

        Returns
        -------
        JointDensityOfStates
            Python integers.

        Raises
        ------
        ValueError
            If the shorter side exceeds 8, or the torus is so long that it would take much longer than 8 × 8
            (4 × 49, 6 × 19, 7 × 13 and 8 × 8 are the longest).

        Examples
        --------
        >>> len(Torus(4, 4).joint_density_of_states())
        80
        """
        check_joint_work(self.n_rows, self.n_cols)
        return torus_joint_density_of_states(self.n_rows, self.n_cols)

    @property
    def _frustration(self) -> int:
        """Bonds that every state leaves unsatisfied for K < 0: one around each ring of odd length."""
        return self.n_rows * (self.n_cols % 2) + self.n_cols * (self.n_rows % 2)

    def _evaluate(self, quantity: str, K: object, dps: int | None) -> Any:
        if dps is not None:
            return exact_map(partial(self._exact, quantity), dps, K=K)
        couplings = check_real("K", K)
        with np.errstate(under="ignore", over="ignore"):
            values = [self._machine(quantity, coupling) for coupling in couplings.ravel().tolist()]
        return np.array(values, dtype=np.float64).reshape(couplings.shape)[()]

    def _exact(self, quantity: str, ctx: Any, K: Any) -> Any:
        limit = {"log_partition": ctx.inf, "energy": self._ground_energy(K > 0), "heat_capacity": 0}[quantity]
        if ctx.isinf(K):
            return ctx.convert(limit) if quantity != "energy" else ctx.mpf(limit) / self.n_sites
        if not K:
            return self.n_sites * ctx.log(2) if quantity == "log_partition" else ctx.zero
        return self._per_site(quantity, K, self._exact_jet(quantity, ctx, K))

    def _exact_jet(self, quantity: str, ctx: Any, K: Any) -> kaufman.Jet:
        """ln Z and its derivatives: a sum over the exact counts where it is short and the four products cancel."""
        frustration = self._frustration if K < 0 else 0
        if self.n_sites <= MAX_SUMMED_SITES and (frustration or abs(K) > 20):
            return density_jet(ctx, K, torus_density_of_states(self.n_rows, self.n_cols))
        # Z is below the largest product by e^(2Kf), and the second derivative below the square of the first by e^(−8|K|)
        lost = 2 * abs(K) * (frustration + (4 if quantity == "heat_capacity" else 0)) / ctx.log(10)
        if lost > MAX_LOST_DIGITS:
            message = (
                f"K={ctx.nstr(K, 6)}: the products of a torus of {self.n_rows} x {self.n_cols} sites cancel"
            )
            raise PrecisionError(f"{message} to {ctx.nstr(lost, 3)} digits", best=ctx.nan, digits=0)
        with ctx.extradps(int(lost)):
            return kaufman.exact_jet(ctx, K, *sorted((self.n_rows, self.n_cols)))

    def _per_site(self, quantity: str, K: Any, jet: kaufman.Jet) -> Any:
        value = jet[_DERIVATIVE[quantity]]
        scale = {"log_partition": 1, "energy": -1, "heat_capacity": K * K}[quantity]
        return value if quantity == "log_partition" else scale * value / self.n_sites

    def _machine(self, quantity: str, K: float) -> float:
        if K < 0 and self._frustration:
            return self._machine_frustrated(quantity, K)
        sign, size = np.sign(K), abs(K)
        if size == 0:
            return self.n_sites * float(np.log(2)) if quantity == "log_partition" else 0.0
        if size > _SATURATED:
            ground = 2 * self.n_sites * size + float(np.log(2))
            return {"log_partition": ground, "energy": -2.0 * sign, "heat_capacity": 0.0}[quantity]
        if quantity == "heat_capacity" and size > 1:
            # the first four orders in e^(−2K) cancel in the sum over the modes
            return self._settled(quantity, size)
        value = float(
            self._per_site(quantity, size, kaufman.machine_jet(size, *sorted((self.n_rows, self.n_cols))))
        )
        return float(value * sign) if quantity == "energy" else value

    def _machine_frustrated(self, quantity: str, K: float) -> float:
        if K >= -_SATURATED_FRUSTRATED:
            return self._settled(quantity, K)
        ground = self._ground_energy(False)
        if quantity == "energy":
            return ground / self.n_sites
        if quantity == "heat_capacity":
            return self._settled(quantity, K) if K >= -_UNDERFLOW else 0.0
        return self._settled(quantity, -_SATURATED_FRUSTRATED) - (K + _SATURATED_FRUSTRATED) * ground

    def _settled(self, quantity: str, K: float) -> float:
        return float(settle(lambda ctx: [self._exact(quantity, ctx, ctx.mpf(K))], _FLOAT_DIGITS)[0])

    def _ground_energy(self, ferromagnetic: bool) -> int:
        """Total energy at K = ±∞, in J: the lowest, or the highest."""
        return -2 * self.n_sites if ferromagnetic else 2 * self.n_sites - 2 * self._frustration

    def _machine_law(self, K: float, joint: JointDensityOfStates) -> Any:
        """Weights ``g(E, V) e^(−K (E − E_0))``, with E_0 where the weight of all states of an energy is largest."""
        energy = np.array(joint.energy)
        index = (np.array(joint.magnetization) + self.n_sites) // 2
        count = np.array([float(c) for c in joint.count])
        if np.isinf(K):
            count, exponent = np.where(energy == (energy[0] if K > 0 else energy[-1]), count, 0), 0.0 * energy
        else:
            with np.errstate(over="ignore"):
                levels = np.log(np.bincount(energy - energy[0], count).clip(min=1e-300))
                heaviest = int((levels - K * np.arange(len(levels))).argmax())
                exponent = -K * (energy - energy[0] - heaviest)
        with np.errstate(under="ignore", over="ignore"):
            weights = np.bincount(index, count * np.exp(exponent), self.n_sites + 1)
            return weights / weights.sum()

    def _exact_law(self, ctx: Any, *, joint: JointDensityOfStates, K: object) -> list[Any]:
        weights = self._weights(ctx, to_exact(ctx, "K", K), joint)
        total = ctx.fsum(weights)
        return [weight / total for weight in weights]

    def _weights(self, ctx: Any, K: Any, joint: JointDensityOfStates) -> list[Any]:
        """``Σ_E g(E, V) e^(−KE)`` for each V; at K = ±∞ the counts of the ground states."""
        if ctx.isinf(K):
            ground = joint.energy[0] if K > 0 else joint.energy[-1]
            boltzmann = {energy: ctx.mpf(energy == ground) for energy in set(joint.energy)}
        else:
            boltzmann = {energy: ctx.exp(-K * energy) for energy in set(joint.energy)}
        weights = [ctx.zero] * (self.n_sites + 1)
        for energy, magnetization, count in joint.rows():
            weights[(magnetization + self.n_sites) // 2] += count * boltzmann[energy]
        return weights
