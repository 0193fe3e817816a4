"""One temperature of a training set: its samples, by the rule that a pilot run has chosen, certified."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rbmflow.arguments import SpinArray, shown
from rbmflow.ising import Chain, Ring, Torus
from rbmflow.ising.bonds import energies
from rbmflow.ising.exact_energy import exact_energy
from rbmflow.ising.ground_states import ground_states
from rbmflow.ising.lattice import Lattice
from rbmflow.sampling.certificate import Certificate
from rbmflow.sampling.chosen_rule import MOST_SWEEPS, PILOT_CHAINS, Setting
from rbmflow.sampling.draw_in_field import draw_in_field
from rbmflow.sampling.reducibility import Rule
from rbmflow.sampling.spacing import independent, of_chains, spacing
from rbmflow.spins import random_spins


def coupling_at(T: float) -> float:
    """Return 1/T, infinite at 0.

    Examples
    --------
    >>> coupling_at(2.0), coupling_at(0.0)
    (0.5, inf)
    """
    with np.errstate(divide="ignore", over="ignore"):
        return float(np.divide(1.0, T))


def draw(
    lattice: Lattice,
    T: float,
    n_samples: int,
    stream: np.random.Generator,
    n_threads: int | None,
    field: float,
    exact: tuple[float, float] | None,
) -> tuple[SpinArray, Certificate]:
    """Return samples at T and their certificate; in a field `exact` is the energy and its spread, per site.

    Examples
    --------
    >>> spins, certificate = draw(Ring(6), 1.0, 10, np.random.default_rng(1), 1, 0.0, None)
    >>> spins.shape, certificate.rule
    ((10, 6), 'exact')
    """
    K = coupling_at(T)
    if exact is not None:
        assert isinstance(lattice, (Ring, Torus))
        drawn = draw_in_field(lattice, K, field, n_samples, stream)
        stderr = exact[1] / float(np.sqrt(drawn.energy.n_effective))
        return drawn.spins, Certificate(
            T, drawn.rule, drawn.burn_in, drawn.thin, drawn.tau, drawn.energy, exact[0], stderr
        )
    setting = Setting(lattice, K, field)
    rule: Rule | None = None
    burn_in, thin, tau = 0, 0, 0.5
    series = np.empty((0, 0))
    if isinstance(lattice, (Ring, Chain)) and not field:
        spins = lattice.sample(K, n_samples, rng=stream)
    elif K == 0:
        spins = random_spins(stream, n_samples, lattice.n_sites)
    elif np.isinf(K):
        spins = _coldest(lattice, field, n_samples, stream)
    else:
        rule, tau = setting.choose(stream, n_threads)
        burn_in, thin = spacing(tau)
        n_chains = min(n_samples, setting.chains(rule))
        chains = setting.run(
            rule,
            n_chains=n_chains,
            n_sweeps=-(-n_samples // n_chains) * thin,
            thin=thin,
            burn_in=burn_in - thin,
            rng=stream,
            initial=setting.start(),
            n_threads=n_threads,
        )
        assert chains.spins is not None
        spins = np.swapaxes(chains.spins, 0, 1).reshape(-1, lattice.n_sites)[:n_samples]
        if not setting.in_field:
            spins = spins * random_spins(stream, n_samples, 1)
        series = chains.energy
    values = energies(lattice, spins)
    if field:
        values = values - field * spins.mean(axis=1)
    energy = of_chains(values, series, thin) if series.shape[1] >= 4 else independent(values)
    certificate = Certificate(T, rule or "exact", burn_in, thin, tau, energy, np.nan, 0.0)
    known = exact_energy(lattice, K, field)
    if known is not None:
        stderr = known[1] / float(np.sqrt(energy.n_effective))
        return spins, replace(certificate, exact_energy=known[0], exact_stderr=stderr)
    assert rule is not None
    return spins, _checked(certificate, setting, rule, n_samples, stream, n_threads)


def _coldest(lattice: Lattice, field: float, n_samples: int, stream: np.random.Generator) -> SpinArray:
    """Ground states, each with the same chance."""
    found = ground_states(lattice, field)
    if found is None:
        raise ValueError(
            f"temperatures holds 0: the ground states of {shown(lattice)} are not known, as not all of its "
            "bonds and fields can be satisfied at once; T > 0 is needed"
        )
    return np.asarray(found.turned(random_spins(stream, n_samples, len(found.free))))


def _checked(
    certificate: Certificate,
    setting: Setting,
    rule: Rule,
    n_samples: int,
    stream: np.random.Generator,
    n_threads: int | None,
) -> Certificate:
    """The certificate with the energy of chains of another rule, from another start."""
    other = setting.other_rule(rule)
    n_chains = min(setting.chains(other), max(PILOT_CHAINS, n_samples))
    chains, _, _ = setting.settle(
        other,
        setting.other_start(other),
        MOST_SWEEPS,
        least=2,
        n_chains=n_chains,
        rng=stream,
        n_threads=n_threads,
    )
    energy = of_chains(chains.energy.ravel(), chains.energy, chains.thin)
    stderr = float(chains.energy.std() / np.sqrt(certificate.energy.n_effective))
    return replace(certificate, exact_stderr=stderr, second_rule=other, second_energy=energy)
