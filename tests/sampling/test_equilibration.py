"""Where equilibrium begins: relaxation that is known, chains that stay apart, false alarms."""

import numpy as np
import pytest

from rbmflow import Ring, Torus
from rbmflow.errors import ConvergenceWarning
from rbmflow.sampling import equilibration, reweight, run
from rbmflow.sampling.equilibration import drift, start_of


def autoregressive(n_chains, n, tau, rng):
    """Chains of integrated time τ, in equilibrium from the first on."""
    rho = (2 * tau - 1) / (2 * tau + 1)
    noise = np.random.default_rng(rng).normal(size=(n_chains, n))
    series = noise.copy()
    for t in range(1, n):
        series[:, t] = rho * series[:, t - 1] + np.sqrt(1 - rho**2) * noise[:, t]
    return series


class TestSeries:
    def test_relaxation_is_left_out(self):
        """Of 8 e^(−t/50) one error of the mean, 0.03, is left at t = 280; less may stay in, not more."""
        series = autoregressive(8, 4000, 3.0, 1) + 8 * np.exp(-np.arange(4000) / 50)
        first, left = start_of(series)
        assert 100 < first < 600
        assert 0.6 < left / (8 * 3700 / 6) < 1.3
        assert drift(series) > 20

    def test_equilibrium_costs_little(self):
        lost = []
        for seed in range(10):
            series = autoregressive(8, 2000, 3.0, seed)
            first, _ = start_of(series)
            lost.append(first / 2000)
            assert drift(series) < 5  # 10 times, one in 10⁶ each
        assert np.mean(lost) < 0.15

    def test_drifts_have_their_law(self):
        """Of 100 sets of chains in equilibrium the mean square is 1 within 4 standard errors."""
        squares = [drift(autoregressive(6, 400, 2.0, seed)) ** 2 for seed in range(100)]
        assert abs(np.mean(squares) - 1) < 4 * np.std(squares) / 10 + 0.1  # τ is short of 2 by 5 %

    def test_constant_series(self):
        assert drift(np.ones((2, 40))) == 0
        assert start_of(np.ones((2, 40)))[0] == 0
        assert drift(np.concatenate([np.zeros((2, 10)), np.ones((2, 30))], axis=1)) == np.inf


class TestRuns:
    def test_local_updates_take_longer_than_clusters(self):
        torus, common = Torus(16, 16), {"n_chains": 64, "n_sweeps": 1500, "initial": "mixed", "rng": 1}
        local, clusters = (
            equilibration(run(torus, 0.44, rule=rule, **common)) for rule in ("heat_bath", "swendsen_wang")
        )
        assert clusters.n_discarded[0] < local.n_discarded[0] < 750
        assert local.agree.all()
        assert clusters.agree.all()

    def test_what_is_left_is_the_law(self):
        """Within 4 standard errors, where the whole run is not."""
        torus = Torus(8, 8)
        chains = run(torus, 0.42, n_chains=512, n_sweeps=600, initial="up", rng=2, keep_spins=False)
        n = int(equilibration(chains).n_discarded[0])
        rest = chains.after(n)
        assert rest.energy.shape == (512, 600 - n)
        assert abs(rest.energy_estimate.deviation(torus.energy(0.42))) < 4
        assert chains.state is rest.state

    def test_each_coupling(self):
        found = equilibration(run(Ring(16), [0.1] * 8 + [0.5] * 8, n_sweeps=200, rng=1))
        assert found.K.tolist() == [0.1, 0.5]
        assert found.n_discarded.shape == found.agree.shape == (2,)

    def test_chains_that_stay_apart_are_told(self):
        """Below T_c local updates keep stripes, which random starts fall into, for longer than this."""
        chains = run(
            Torus(32, 32),
            0.7,
            n_chains=32,
            n_sweeps=200,
            burn_in=200,
            initial="mixed",
            rng=1,
            keep_spins=False,
        )
        with pytest.warns(ConvergenceWarning, match="chains disagree"):
            assert not equilibration(chains).agree[0]

    def test_chains_on_their_way_are_told(self):
        chains = run(Torus(64, 64), 0.44, n_chains=64, n_sweeps=60, initial="up", rng=1, keep_spins=False)
        with pytest.warns(ConvergenceWarning, match="K = 0.44"):
            equilibration(chains)
        with pytest.warns(ConvergenceWarning, match="equilibration"):
            reweight(chains)

    def test_a_mixed_start(self):
        start = run(Torus(4, 4), 0.4, n_chains=6, n_sweeps=0, initial="mixed", rng=1).state.spins
        assert (start[::2] == 1).all()
        assert ((start[1::2] == 1).mean(axis=1) < 1).all()

    def test_bad_input(self):
        with pytest.raises(TypeError, match="run"):
            equilibration(np.ones((2, 100)))
        with pytest.raises(ValueError, match="at least 20"):
            equilibration(run(Ring(8), 0.4, n_sweeps=10, rng=1))
        with pytest.raises(ValueError, match="n_draws"):
            run(Ring(8), 0.4, n_sweeps=10, rng=1).after(11)
