"""The Markov kernels against their twins, bit for bit, at every SIMD level."""

from fractions import Fraction

import numpy as np
import pytest

from rbmflow import Ring, Triangular
from rbmflow._kernels import checkerboard, cluster, multispin, simd, single_spin
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.ising import Graph, Torus
from rbmflow.sampling import bernoulli_digits, compiled_chains, replicas
from rbmflow.sampling.engine import Block
from tests.kernels import twin_markov as twin

LEVELS = range(simd.supported() + 1)
NOTHING = np.empty((0, 512), dtype=np.int32)
NO_TOTALS = np.empty(0, dtype=np.int64)


def words(seed, n):
    return np.random.default_rng(seed).integers(0, 2**64, size=n, dtype=np.uint64)


def pack(bits):
    return bernoulli_digits.as_words(np.asarray(bits, dtype=bool))


@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("lattice", [Ring(5), Torus(2, 3), Torus(3, 4)], ids=str)
def test_replicas(lattice, metropolis):
    near, n_sites = lattice.neighbours(), lattice.n_sites
    rng = np.random.default_rng(n_sites)
    K = rng.choice([-0.7, -1e-3, 0.2, 0.44, 3.0, 50.0], size=512)
    spins = rng.integers(0, 2, size=(n_sites, 512))
    order = rng.permutation(n_sites).astype(np.int32)
    costs = np.outer([8.0, 4.0] if isinstance(lattice, Torus) else [4.0, 4.0], np.abs(K))
    chance = np.minimum(np.exp(-costs), bernoulli_digits.BELOW_ONE) if metropolis else 1 / (1 + np.exp(costs))
    state, n_active = words(1, 32), 300
    wanted = spins.tolist()
    after = twin.replicas(wanted, state, near.tolist(), order.tolist(), metropolis, K.tolist(), n_active, 3)
    active = pack(np.arange(512) < n_active)
    none = np.empty((0, 0, n_sites), dtype=np.int8)
    planes = pack(bernoulli_digits.binary_digits(chance))
    for level in LEVELS:
        packed, mutable = pack(spins), state.copy()
        multispin.run(
            packed,
            mutable,
            near,
            order,
            metropolis,
            pack(K < 0),
            active,
            planes,
            3,
            NOTHING,
            NOTHING,
            none,
            level,
        )
        out = np.empty((512, n_sites), dtype=np.int8)
        multispin.unpack(packed, out, level)
        np.testing.assert_array_equal(out.T[:, :n_active] > 0, np.array(wanted)[:, :n_active], f"{level=}")
        np.testing.assert_array_equal(mutable, np.array(after, dtype=np.uint64), f"{level=}")


def signed_graph(n_sites, seed=1):
    """Bonds of both signs, up to six to a site; the last site has none."""
    rng = np.random.default_rng(seed)
    degrees, bonds = np.zeros(n_sites, dtype=int), []
    for a, b in rng.integers(0, n_sites - 1, size=(4 * n_sites, 2)):
        if a < b and max(degrees[a], degrees[b]) < 6:
            degrees[[a, b]] += 1
            bonds.append((int(a), int(b)))
    return Graph.from_bonds(n_sites, bonds, rng.choice([-0.5, 0.5], size=len(bonds)))


MIXED = [
    signed_graph(9),
    Graph.from_bonds(7, [(0, i) for i in range(1, 7)]),
    Graph.from_bonds(2, []),
    Torus(2, 2).to_graph(),
    Triangular(3, 3, periodic=False).to_graph(),
]


@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("graph", MIXED, ids=str)
def test_mixed_replicas(monkeypatch, graph, metropolis):
    n_sites, n_chains = graph.n_sites, 300
    rng = np.random.default_rng(n_sites)
    K = rng.choice([-0.7, -1e-3, 0.0, 0.2, 0.44, 3.0], size=n_chains)
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), size=(n_chains, n_sites))
    order, state = rng.permutation(n_sites).astype(np.int32), words(1, 32)
    bonds = [
        [
            (int(graph.indices[k]), int(np.sign(graph.couplings[k])))
            for k in range(graph.indptr[site], graph.indptr[site + 1])
        ]
        for site in range(n_sites)
    ]
    scale = float(np.abs(graph.couplings).max(initial=0.0))
    padded = np.zeros((n_sites, 512), dtype=int)
    padded[:, :n_chains] = spins.T > 0
    wanted, couplings = padded.tolist(), np.full(512, K[0])
    couplings[:n_chains] = K
    after = twin.mixed_replicas(
        wanted, state, bonds, order.tolist(), metropolis, couplings.tolist(), scale, n_chains, 2
    )
    now = 2 * np.array(wanted)[:, :n_chains] - 1
    energy = -sum(scale * J * now[a] * now[b] for a in range(n_sites) for b, J in bonds[a] if a < b)
    for level in SIMD_LEVELS[: simd.supported() + 1]:
        monkeypatch.setenv("RBMFLOW_SIMD", level)
        mutable = state.copy()
        engine = replicas.MixedReplicas(
            replicas.Inputs.of(graph), K, metropolis, order, spins, mutable, np.arange(n_chains)
        )
        block = Block(*np.empty((2, n_chains, 1)), np.empty((n_chains, 1, n_sites), dtype=np.int8))
        engine.measure(2, 0, 1, block)
        np.testing.assert_array_equal(block.spins[:, 0], now.T, f"{level=}")
        np.testing.assert_array_equal(mutable, np.array(after, dtype=np.uint64), f"{level=}")
        np.testing.assert_array_equal(block.energy[:, 0], energy, f"{level=}")
        np.testing.assert_array_equal(block.magnetization[:, 0], now.sum(axis=0), f"{level=}")
        out = np.empty_like(spins)
        engine.write_back(out)
        np.testing.assert_array_equal(out, now.T)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "lattice", [Ring(3), Ring(65), Torus(2, 2), Torus(3, 5), Torus(16, 16), Torus(9, 30)], ids=str
)
def test_replicas_are_measured_and_unpacked(lattice, level):
    n_sites = lattice.n_sites
    spins = np.random.default_rng(2).integers(0, 2, size=(n_sites, 512))
    samples = np.full((400, 2, n_sites), 9, dtype=np.int8)
    energy, magnetization = (np.empty((2, 512), dtype=np.int32) for _ in range(2))
    packed, before = pack(spins), spins
    digits = pack(bernoulli_digits.binary_digits(np.full((2, 512), 0.25)))
    everyone = np.full(8, 2**64 - 1, dtype=np.uint64)
    for thin in (0, 1):
        multispin.run(
            packed,
            words(3, 32),
            lattice.neighbours(),
            np.arange(n_sites, dtype=np.int32),
            False,
            np.zeros(8, dtype=np.uint64),
            everyone,
            digits,
            thin,
            energy,
            magnetization,
            samples,
            level,
        )
        for kept in range(2):
            now = samples[:, kept].astype(int)
            if not thin:
                np.testing.assert_array_equal(now.T, 2 * before[:, :400] - 1)
            walls = sum((now * now[:, column]).sum(axis=1) for column in own_bonds(lattice))
            np.testing.assert_array_equal(energy[kept, :400], -walls)
            np.testing.assert_array_equal(magnetization[kept, :400], now.sum(axis=1))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_replicas", [1, 63, 64, 200, 512])
@pytest.mark.parametrize("n_sites", [1, 5, 64, 65, 200])
def test_replicas_are_packed(n_sites, n_replicas, level):
    spins = np.random.default_rng(4).choice(np.array([-1, 1], dtype=np.int8), size=(n_replicas, n_sites))
    packed = np.full((n_sites, 8), 7, dtype=np.uint64)
    multispin.pack(spins, packed, level)
    wanted = np.zeros((n_sites, 512), dtype=bool)
    wanted[:, :n_replicas] = spins.T > 0
    np.testing.assert_array_equal(packed, pack(wanted))
    out = np.empty_like(spins)
    multispin.unpack(packed, out, level)
    np.testing.assert_array_equal(out, spins)


def test_binary_digits_are_exact():
    q = np.array([[0.3, 5e-324, 0.0, 0.5], [1e-310, 1 - 2**-53, 1e-20, 0.123]])
    digits = bernoulli_digits.binary_digits(q)
    for index in np.ndindex(q.shape):
        column = digits[(slice(None), *index)]
        assert sum(Fraction(int(bit), 2 ** (i + 1)) for i, bit in enumerate(column)) == Fraction(q[index])
    assert len(bernoulli_digits.binary_digits(np.zeros((2, 3)))) == 1


def own_bonds(lattice):
    near = lattice.neighbours()
    return near[:, : near.shape[1] // 2].T


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("shape", [(2, 2), (2, 6), (4, 4), (6, 2), (8, 30), (16, 16)])
def test_bytes(shape, metropolis, level):
    for K, field in ((0.3, 0.0), (-0.44, 0.0), (1e-3, 0.0), (2.0, 0.0), (0.4, 0.7), (-0.3, -5.5), (0.3, 2.0)):
        lattice = Torus(*shape)
        spins = np.random.default_rng(5).choice(np.array([-1, 1], dtype=np.int8), size=(1, lattice.n_sites))
        state = words(6, 32)
        mutable = state.copy()
        engine = compiled_chains._Bytes(
            lattice, K, "metropolis" if metropolis else "heat_bath", "checkerboard", spins, mutable, 0, field
        )
        energy, magnetization = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
        samples = np.empty((3, *shape), dtype=np.int8)
        checkerboard.run(
            engine.spins.reshape(shape),
            mutable,
            engine.rule,
            engine.digits,
            engine.few,
            engine.last,
            2,
            energy,
            magnetization,
            samples,
            engine.work,
            level,
        )
        wanted = ((spins.reshape(shape) + 1) // 2).tolist()
        for kept in range(3):
            state = np.array(
                twin.lattice_of_bytes(wanted, state, *shape, K, field, metropolis, 2), dtype=np.uint64
            )
            np.testing.assert_array_equal(samples[kept], 2 * np.array(wanted) - 1)
            now = samples[kept].astype(int)
            assert energy[kept] == -(now * np.roll(now, 1, 0) + now * np.roll(now, 1, 1)).sum()
            assert magnetization[kept] == now.sum()
        np.testing.assert_array_equal(mutable, state)
        np.testing.assert_array_equal(engine.spins.reshape(shape), samples[-1])


@pytest.mark.parametrize("columns", [1006, 1008, 1010, 2016, 2032])
@pytest.mark.parametrize("K", [-20.0, 20.0, 0.1])
def test_bytes_of_long_rows_are_counted(columns, K):
    # 63 words of 8 sites are summed at once: in the ordered states every site has as many walls, or is up
    lattice = Torus(2, columns)
    spins = np.ones((2, columns), dtype=np.int8)
    if K < 0:
        spins[0, ::2] = spins[1, 1::2] = -1
    engine = compiled_chains._Bytes(
        lattice, K, "heat_bath", "checkerboard", spins.reshape(1, -1), words(6, 32), 0, 0.0
    )
    energy, magnetization = np.empty((2, 1), np.int64)
    samples = np.empty((1, 2, columns), np.int8)
    checkerboard.run(
        engine.spins.reshape(2, columns), words(6, 32), engine.rule, engine.digits, engine.few, engine.last,
        1, energy, magnetization, samples, engine.work, 0,
    )  # fmt: skip
    now = samples[0].astype(int)
    assert energy[0] == -(now * np.roll(now, 1, 0) + now * np.roll(now, 1, 1)).sum()
    assert magnetization[0] == now.sum()
    if abs(K) > 1:
        assert abs(energy[0]) == 4 * columns


@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("order", ["random", "sequential"])
@pytest.mark.parametrize("tabulated", [False, True])
def test_sites(metropolis, order, tabulated):
    rng = np.random.default_rng(7)
    if tabulated:
        graph, K = Torus(3, 4).to_graph(), 0.44
        field = np.arange(-4.0, 5.0)
        chances = np.exp(-2 * K * field) if metropolis else 1 / (1 + np.exp(2 * np.abs(K * field)))
    else:
        # two sites have no bonds, one of them no field either: its coin is fair under both rules
        bonds = [(i, j) for i in range(2, 12) for j in range(2, i) if rng.random() < 0.4]
        graph = Graph.from_bonds(12, bonds, rng.normal(size=len(bonds)), [0.0, *rng.normal(size=11)])
        K, chances = 0.6, np.empty(0)
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), size=12)
    sites = np.empty(0, dtype=np.int32) if order == "random" else np.arange(12, dtype=np.int32)
    state = words(8, 4)
    state[0] = state[3] = 0  # the first word is then 0, which `below` refuses for 12 sites
    mutable, energy, magnetization = state.copy(), np.empty(5), np.empty(5, dtype=np.int64)
    samples, moving = np.empty((5, 12), dtype=np.int8), spins.copy()
    single_spin.run(
        moving,
        mutable,
        graph.indptr,
        graph.indices,
        graph.couplings,
        graph.fields,
        sites,
        12,
        metropolis,
        K,
        chances,
        4,
        energy,
        magnetization,
        samples,
    )
    near = [
        [(int(graph.indices[k]), graph.couplings[k]) for k in range(graph.indptr[i], graph.indptr[i + 1])]
        for i in range(12)
    ]
    wanted = [int(s) for s in spins]
    for kept in range(5):
        state = twin.site_by_site(wanted, state, near, graph.fields, sites, metropolis, K, 4)
        np.testing.assert_array_equal(samples[kept], wanted)
        total = -sum(
            graph.fields[i] * wanted[i] + sum(J * wanted[i] * wanted[j] for j, J in near[i]) / 2
            for i in range(12)
        )
        assert energy[kept] == pytest.approx(total, rel=1e-13, abs=0)  # a few roundings of 2e-16
        assert magnetization[kept] == sum(wanted)
    np.testing.assert_array_equal(mutable, np.array(state, dtype=np.uint64))


def cluster_sums(found, n, single):
    """The sums that kernels return, of the clusters of each sweep as pairs of size and total."""
    if single:
        [(size, total)] = found[-1]
        return [size, size**2, n * total**2 / size, np.nan]
    parts = found[-1]
    second, fourth = sum(m**2 for _, m in parts), sum(m**4 for _, m in parts)
    sizes = [sum(s**power for s, _ in parts) / n for power in (2, 3)]
    return [*sizes, second, 3 * second**2 - 2 * fourth]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(
    "lattice",
    [
        *(Ring(3), Ring(64), Ring(65), Ring(131), Torus(2, 2), Torus(2, 5), Torus(7, 66)),
        *(Torus(9, 64), Torus(3, 129), Torus(16, 16)),
    ],
    ids=str,
)
def test_clusters(lattice, single, level):
    shape = (1, *lattice.shape)[-2:]
    n, n_words = lattice.n_sites, shape[0] * -(-shape[1] // 64)
    for K in (0.0, 0.44, -0.44, 2.0, -2.0):  # at the last, clusters close odd cycles
        rng = np.random.default_rng(9)
        spins = rng.choice(np.array([-1, 1], dtype=np.int8), size=shape)
        state = words(10, 36)
        mutable, moving = state.copy(), spins.copy()
        energy, magnetization = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
        samples, sums = np.empty((3, *shape), dtype=np.int8), np.full((3, 4), np.nan)
        cluster.run(
            moving,
            mutable,
            -1 if K < 0 else 1,
            np.exp(-2 * abs(K)),
            single,
            2,
            energy,
            magnetization,
            sums,
            samples,
            np.full(5 * n_words, 2**64 - 1, dtype=np.uint64),  # what the memory held does not matter
            np.full(6 * n_words + 3 * n, -1, dtype=np.int32),
            np.full(n, 255, dtype=np.uint8),
            level,
        )
        wanted = spins.ravel().tolist()
        for kept in range(3):
            state, found = twin.clusters(wanted, state, *shape, K, single, 2)
            now = samples[kept].astype(int)
            np.testing.assert_array_equal(now.ravel(), wanted)
            along = (now * np.roll(now, 1, 1)).sum()
            across = (now * np.roll(now, 1, 0)).sum() if shape[0] > 1 else 0
            assert energy[kept] == -(along + across)
            assert magnetization[kept] == now.sum()
            # sums of some hundred terms, rounded to 1e-16 each
            np.testing.assert_allclose(sums[kept], cluster_sums(found, n, single), rtol=1e-13)
        np.testing.assert_array_equal(moving.ravel(), wanted)
        np.testing.assert_array_equal(mutable, np.array(state, dtype=np.uint64))
