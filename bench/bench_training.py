"""Training and block Gibbs sampling of RBMs against plain numpy, scikit-learn, torch and rbms.

Interleaved, one thread, float32. Plain numpy is what one writes down: matrix products, tanh, one uniform
number for each unit. Targets are the floors for AVX2 or better; half of them are those of the plain path.
Every peer runs on one thread (conftest.py).
"""

import time
from functools import partial

import numpy as np
import pytest

from rbmflow import RBM, Ring
from rbmflow._kernels import block_gibbs as kernel
from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.ising import state_law
from rbmflow.networks import kl_divergence, visible_law
from rbmflow.sampling import block_gibbs
from rbmflow.training import CD, PCD, SGD, Adam, Decay, Momentum, Tempered, fit

LEVELS = SIMD_LEVELS[: simd.supported() + 1]
ROWS = 25_000
REPEATS = 3


def plain_sample(a, rng):
    p = 0.5 * (1 + np.tanh(a))
    return np.where(rng.random(p.shape, dtype=np.float32) < p, np.float32(1), np.float32(-1))


def numpy_epoch(W, b, c, data, batch_size, k, rate, rng, hidden=None):
    """One epoch of CD-k, or of PCD-k from `hidden`."""
    order = rng.permutation(len(data))
    for first in range(0, len(data), batch_size):
        v = data[order[first : first + batch_size]]
        field = v @ W + c
        up = np.tanh(field)
        h = plain_sample(field, rng) if hidden is None else hidden
        for sweep in range(k):
            w = plain_sample(h @ W.T + b, rng)
            field = w @ W + c
            if sweep < k - 1 or hidden is not None:
                h = plain_sample(field, rng)
        hidden = h if hidden is not None else None
        down = np.tanh(field)
        W += rate * (v.T @ up / len(v) - w.T @ down / len(w))
        b += rate * (v.mean(axis=0) - w.mean(axis=0))
        c += rate * (up.mean(axis=0) - down.mean(axis=0))


def interleaved(*calls, repeats=REPEATS):
    """Smallest processor time of each call in milliseconds, taken in turns."""
    best = [np.inf] * len(calls)
    for _ in range(repeats):
        for i, call in enumerate(calls):
            begin = time.process_time()
            call()
            best[i] = min(best[i], 1e3 * (time.process_time() - begin))
    return best


def spins(shape, seed=1):
    return (2 * np.random.default_rng(seed).integers(0, 2, size=shape) - 1).astype(np.int8)


def start(n_visible, n_hidden):
    return RBM(np.random.default_rng(2).normal(0, 0.05, (n_visible, n_hidden)))


def floats(rbm):
    return [x.astype(np.float32) for x in (rbm.weights, rbm.visible_bias, rbm.hidden_bias)]


def scikit_learn(n_hidden, data, batch_size):
    """One epoch of scikit-learn's PCD-1, float32, as a call."""
    neural = pytest.importorskip("sklearn.neural_network", reason="scikit-learn is not installed")
    binary = ((data + 1) // 2).astype(np.float32)
    model = neural.BernoulliRBM(n_hidden, learning_rate=0.01, batch_size=batch_size, n_iter=1, random_state=1)
    return lambda: model.fit(binary)


def torch_epoch(n_visible, n_hidden, data, batch_size, k, persistent):
    """One epoch of CD-k or PCD-k with torch, as a call."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.set_num_threads(1)
    W = 0.05 * torch.randn(n_visible, n_hidden)
    b, c = torch.zeros(n_visible), torch.zeros(n_hidden)
    rows = torch.from_numpy(data.astype(np.float32))
    state = {"h": 2 * torch.bernoulli(torch.full((batch_size, n_hidden), 0.5)) - 1}

    def draw(a):
        return 2 * torch.bernoulli(torch.sigmoid(2 * a)) - 1

    def epoch():
        with torch.no_grad():
            for index in torch.randperm(len(rows)).split(batch_size):
                v = rows[index]
                up = torch.tanh(v @ W + c)
                h = state["h"] if persistent else draw(v @ W + c)
                for _ in range(k):
                    w = draw(h @ W.T + b)
                    h = draw(w @ W + c)
                state["h"] = h
                down = torch.tanh(w @ W + c)
                W.add_((v.T @ up / len(v) - w.T @ down / len(w)), alpha=0.01)
                b.add_(v.mean(0) - w.mean(0), alpha=0.01)
                c.add_(up.mean(0) - down.mean(0), alpha=0.01)

    return epoch


def rbms_epoch(n_visible, n_hidden, data, batch_size):
    """One epoch of CD-1 with rbms (0/1 units) as a call: updates as in its own loop, no files and logs."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rbms = pytest.importorskip("rbms.bernoulli_bernoulli.classes", reason="rbms is not installed")
    pcd = pytest.importorskip("rbms.training.pcd", reason="rbms is not installed")
    torch.set_num_threads(1)
    model = rbms.BBRBM(0.05 * torch.randn(n_visible, n_hidden), torch.zeros(n_visible), torch.zeros(n_hidden))
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, maximize=True)
    rows = torch.from_numpy((data > 0).astype(np.float32))
    weights = torch.ones(len(rows))

    def epoch():
        with torch.no_grad():
            for index in torch.randperm(len(rows)).split(batch_size):
                batch = rows[index], weights[index]
                chains = model.init_chains(len(index), weights=batch[1], start_v=batch[0])
                optimizer.zero_grad(set_to_none=False)
                pcd.fit_batch_pcd(batch, chains, model, 1, 1.0, centered=False)
                optimizer.step()

    return epoch


def rbms_functions_epoch(n_visible, n_hidden, data, batch_size):
    """The same with nothing of rbms but its compiled functions, and plain steps: the least it can take."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    steps = pytest.importorskip("rbms.bernoulli_bernoulli.implement", reason="rbms is not installed")
    torch.set_num_threads(1)
    W, b, c = 0.05 * torch.randn(n_visible, n_hidden), torch.zeros(n_visible), torch.zeros(n_hidden)
    for one in (W, b, c):
        one.grad = torch.zeros_like(one)
    rows = torch.from_numpy(((data + 1) // 2).astype(np.float32))

    def epoch():
        with torch.no_grad():
            for index in torch.randperm(len(rows)).split(batch_size):
                v = rows[index]
                weight = torch.ones(len(v))
                h, up = steps._sample_hiddens(v, W, c)
                w, _ = steps._sample_visibles(h, W, b)
                h, _ = steps._sample_hiddens(w, W, c)
                steps._compute_gradient(v, up, weight, w, h, torch.zeros(len(w)), b, c, W, centered=False)
                for one in (W, b, c):
                    one.add_(one.grad, alpha=0.01)

    return epoch


def own_epoch(shape, data, batch_size, negative):
    """Epochs of `fit` as a call, and how many: the cost of starting is spread over them as in use."""
    rbm, epochs = start(*shape), 5 if len(data) <= ROWS else 2
    return lambda: fit(
        rbm,
        data,
        negative=negative,
        optimizer=SGD(0.01),
        n_epochs=epochs,
        batch_size=batch_size,
        rng=1,
        record=(),
    ), epochs


def check_that_it_learns(negative):
    law = state_law(Ring(8), 0.5)
    found = fit(
        RBM(np.random.default_rng(1).normal(0, 0.3, (8, 8))),
        Ring(8).sample(0.5, 5000, rng=1),
        negative=negative,
        optimizer=SGD(Decay(0.1, 20)),
        n_epochs=60,
        rng=1,
    )
    assert kl_divergence(law, found.model) < 0.05


JOBS = [
    # shape, rows, batch, negative, floors against numpy, scikit-learn, torch, rbms
    ((8, 4), ROWS, 10, CD(1), 35, 37, None, None),
    ((64, 64), ROWS, 100, CD(1), 2.8, None, 4.3, 13),
    ((64, 64), ROWS, 100, PCD(10, 100), 4.2, None, 6.5, None),
    ((256, 256), ROWS, 100, CD(1), 1.45, None, None, 4),
    ((784, 500), 60_000, 100, CD(1), 1.2, 1.6, None, None),
]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("shape", "n_rows", "batch_size", "negative", "floor", "floor_sklearn", "floor_torch", "floor_rbms"),
    JOBS,
    ids=str,
)
def test_an_epoch(
    benchmark,
    monkeypatch,
    level,
    shape,
    n_rows,
    batch_size,
    negative,
    floor,
    floor_sklearn,
    floor_torch,
    floor_rbms,
):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    check_that_it_learns(negative)
    data = spins((n_rows, shape[0]))
    own, epochs = own_epoch(shape, data, batch_size, negative)
    benchmark.pedantic(own, rounds=1)
    W, b, c = floats(start(*shape))
    rows, rng = data.astype(np.float32), np.random.default_rng(1)
    hidden = np.ones((100, shape[1]), dtype=np.float32) if isinstance(negative, PCD) else None
    peers = {"numpy": (lambda: numpy_epoch(W, b, c, rows, batch_size, negative.k, 0.01, rng, hidden), floor)}
    for name, make, limit in (
        ("scikit-learn (PCD-1)", lambda: scikit_learn(shape[1], data, batch_size), floor_sklearn),
        ("torch", lambda: torch_epoch(*shape, data, batch_size, negative.k, hidden is not None), floor_torch),
        ("rbms", lambda: rbms_epoch(*shape, data, batch_size), floor_rbms),
        ("its compiled functions alone", lambda: rbms_functions_epoch(*shape, data, batch_size), floor_rbms),
    ):
        if limit is not None:
            try:
                peers[name] = make(), limit
            except pytest.skip.Exception as absent:
                print(f"\n{name}: left out, {absent}")
    times = interleaved(own, *(call for call, _ in peers.values()), repeats=2 if shape[0] > 200 else REPEATS)
    mine = times[0] / epochs
    print(
        f"\n{negative} {shape[0]} x {shape[1]}, batch {batch_size}, {n_rows} rows, {level}:"
        f" {mine:.2f} ms an epoch",
        end="",
    )
    for (name, (_, limit)), theirs in zip(peers.items(), times[1:], strict=True):
        aim = limit if level != "plain" else limit / 2
        print(f"; {theirs / mine:.1f}x {name} (floor {aim:.3g}x)", end="")
    if shape == (784, 500):
        products = gemm_bound(shape, n_rows, batch_size)
        print(
            f"; the matrix products alone take {products:.0f} ms in BLAS, {products / mine:.2f} of this time",
            end="",
        )
    print()


STEPS = {
    "centred": ({"centred": True}, 1.25),
    "Momentum": ({"optimizer": Momentum(0.001)}, 1.4),
    "Adam": ({"optimizer": Adam(0.001)}, 1.4),
    "Adam, centred": ({"optimizer": Adam(0.001), "centred": True}, 1.4),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shape", [(64, 100), (784, 128), (784, 500), (2000, 40)], ids=str)
def test_steps(benchmark, monkeypatch, level, shape):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    data = spins((3000, shape[0]))
    plain = {"negative": PCD(1, 100), "optimizer": SGD(0.001), "n_epochs": 1, "rng": 1, "record": ()}
    epochs = [partial(fit, start(*shape), data, **{**plain, **options}) for options, _ in STEPS.values()]
    for epoch in epochs:
        assert np.isfinite(epoch().model.weights).all()
    own = partial(fit, start(*shape), data, **plain)
    benchmark.pedantic(own, rounds=1)
    mine, *others = interleaved(own, *epochs, repeats=REPEATS)
    print(f"\n{shape[0]} x {shape[1]}, PCD(1, 100), {level}: {mine:.2f} ms an epoch of SGD", end="")
    for (name, (_, limit)), theirs in zip(STEPS.items(), others, strict=True):
        print(f"; {name} {theirs / mine:.2f} of it (at most {limit})", end="")
    print()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shape", [(64, 100), (784, 128)], ids=str)
def test_rungs(benchmark, monkeypatch, level, shape):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    check_that_it_learns(Tempered(3, 1, 100))
    data = spins((100 * (200 if shape[0] < 100 else 30), shape[0]))
    epoch = partial(fit, start(*shape), optimizer=SGD(0.001), n_epochs=1, rng=1, record=(), batch_size=100)
    phases = Tempered(10, 1, 100), PCD(1, 1000)
    calls = [partial(epoch, rows, negative=phase) for phase in phases for rows in (data, data[:100])]
    benchmark.pedantic(calls[0], rounds=1)
    times = interleaved(*calls)
    tempered, persistent = ((times[i] - times[i + 1]) / (len(data) / 100 - 1) for i in (0, 2))
    print(
        f"\nTempered(10, 1, 100) {shape[0]} x {shape[1]}, {level}: {tempered:.2f} ms an update,"
        f" {tempered / persistent:.2f} of that of PCD(1, 1000) (at most 2)"
    )


def gemm_bound(shape, n_rows, batch_size):
    """Milliseconds of the five matrix products of a CD-1 epoch in numpy's BLAS."""
    v, h = (np.ones((batch_size, n), dtype=np.float32) for n in shape)
    both = (
        np.ones((2 * batch_size, shape[0]), dtype=np.float32),
        np.ones((2 * batch_size, shape[1]), dtype=np.float32),
    )
    W = floats(start(*shape))[0]

    def products():
        for _ in range(n_rows // batch_size):
            v @ W
            h @ W.T
            v @ W
            both[0].T @ both[1]

    return interleaved(products, repeats=2)[0]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("side", "floor"), [(64, 4.4), (256, 2.4)])
def test_block_gibbs(benchmark, monkeypatch, level, side, floor):
    # 10,000 chains; 100 sweeps of 64 x 64 and 20 of 256 x 256, numpy a tenth of them
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    small = RBM(np.random.default_rng(1).normal(0, 0.5, (6, 5)))
    chains = block_gibbs(small, n_chains=100_000, n_sweeps=30, rng=1)
    law = visible_law(small)
    assert (np.abs(chains.visible.mean(axis=0) - law.means) < 5 / np.sqrt(100_000)).all()
    rbm, n_chains, n_sweeps = start(side, side), 10_000, 100 if side == 64 else 20
    W, b, c = floats(rbm)
    rng = np.random.default_rng(1)

    def peer():
        h = np.ones((n_chains, side), dtype=np.float32)
        for _ in range(n_sweeps // 10):
            h = plain_sample(plain_sample(h @ W.T + b, rng) @ W + c, rng)

    def own():
        block_gibbs(rbm, n_chains=n_chains, n_sweeps=n_sweeps, rng=1, n_threads=1)

    benchmark.pedantic(own, rounds=1)
    mine, theirs = interleaved(own, peer)
    aim = floor if level != "plain" else floor / 2
    print(
        f"\nblock Gibbs {side} x {side}, {n_chains} chains, {level}: {mine / n_sweeps:.2f} ms a sweep,"
        f" {10 * theirs / mine:.1f}x numpy (floor {aim:.3g}x)"
    )


@pytest.mark.parametrize("level", LEVELS)
def test_the_sampler(benchmark, level):
    from rbmflow._kernels import logistic

    activations = np.random.default_rng(1).normal(size=8192).astype(np.float32)
    out, words = activations.copy(), np.random.default_rng(2).integers(0, 2**64, size=32, dtype=np.uint64)
    rng, number = np.random.default_rng(3), SIMD_LEVELS.index(level)

    def own():
        for _ in range(100):
            logistic.sample(activations, words, out, number)

    benchmark.pedantic(own, rounds=3)
    assert abs(out.mean() - np.tanh(activations).mean()) < 5 / np.sqrt(8192)
    mine, theirs = interleaved(own, lambda: [plain_sample(activations, rng) for _ in range(20)])
    print(f"\nsampler, float32, {level}: {mine / 0.8192:.2f} ns a unit, {5 * theirs / mine:.0f}x numpy")


def test_pack(benchmark):
    rows = spins((ROWS, 64))
    out = np.empty((ROWS, 16), dtype=np.uint8)
    benchmark(lambda: kernel.pack(rows, out))
    assert ((out >> 4 & 1) == (rows[:, ::4] > 0)).all()
