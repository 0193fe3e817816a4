"""Machines of other programs: their own formulas in plain numpy on their own numbers, and what is refused."""

import io
import json
import pickle
import re
import zipfile

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow.networks import read_machine
from rbmflow.networks.archives import read_archive
from rbmflow.networks.read_machine import found_machine
from rbmflow.networks.storage import HEADER
from tests.networks.machines import random_machine, states

RNG = np.random.default_rng(1)
W, B, C = RNG.normal(size=(5, 3)), RNG.normal(size=5), RNG.normal(size=3)
SQUARE = RNG.normal(size=(4, 4)), RNG.normal(size=4), RNG.normal(size=4)
X = (states(5) + 1) // 2


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def binary_free_energy(x, W, b, c, beta=1.0):
    """βF of 0/1 units: −β b·x − Σ_a ln(1 + e^(β(c + xW)_a))."""
    return -beta * x @ b - np.log1p(np.exp(beta * (c + x @ W))).sum(axis=1)


def same_law_of_bits(rbm, W, b, c, beta=1.0):
    x = (states(len(b)) + 1) // 2
    off = rbm.free_energy(2 * x - 1) - binary_free_energy(x, W, b, c, beta)
    # one constant for all states; sums of a dozen terms of order 10
    np.testing.assert_allclose(off, off[0], rtol=0, atol=1e-12)
    up = (1 + rbm.mean_hidden(2 * x - 1)) / 2
    np.testing.assert_allclose(up, sigmoid(beta * (c + x @ W)), rtol=0, atol=1e-13)
    y = (states(len(c)) + 1) // 2
    up = (1 + rbm.mean_visible(2 * y - 1)) / 2
    np.testing.assert_allclose(up, sigmoid(beta * (b + y @ W.T)), rtol=0, atol=1e-13)


def savez(path, **arrays):
    np.savez(path, **arrays)
    return path


def archive_of_rbms(path, machines, kind="BBRBM"):
    """The layout of ``rbms.io.save_model`` (rbms 0.5.0)."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.create_group("hyperparameters")["num_hiddens"] = 3
        for update, (W, b, c) in machines.items():
            group = file.create_group(f"update_{update}")
            params = group.create_group("params")
            for name, one in (("weight_matrix", W), ("vbias", b), ("hbias", c)):
                params[name] = one
                group[name] = params[name]
            group["numpy_rng_arg0"], group["time"] = "MT19937", 0.5
        file["parallel_chains"] = np.zeros((7, 5), dtype=np.float32)
        file["model_type"] = kind
    return path


def test_an_archive_of_rbms(tmp_path):
    path = archive_of_rbms(tmp_path / "m.h5", {2: (W + 1, B, C), 10: (W, B, C), 9: (W - 1, B, C)})
    same_law_of_bits(read_machine(path), W, B, C)  # the last by number
    same_law_of_bits(read_machine(path, update=2, units="binary"), W + 1, B, C)
    same_law_of_bits(read_machine(path, temperature=2.0), W, B, C, beta=0.5)
    assert found_machine(path).origin == "an archive of rbms, update 10, 0/1 units"
    with pytest.raises(ValueError, match=r"update=3: .*m\.h5 holds 2, 9, 10"):
        read_machine(path, update=3)
    for said in ({"units": "spins"}, {"transposed": True}):
        with pytest.raises(ValueError, match=r"m\.h5: an archive of rbms has 0/1 units"):
            read_machine(path, **said)


def test_rbms_by_its_own_functions(tmp_path):
    torch = pytest.importorskip("torch")
    rbms = pytest.importorskip("rbms.bernoulli_bernoulli.classes")
    io = pytest.importorskip("rbms.io")
    params = rbms.BBRBM(*map(torch.from_numpy, (W, B, C)))
    x = torch.from_numpy(X.astype(np.float64))
    chains = {"visible": x}
    for update in (1, 12):
        io.save_model(str(tmp_path / "m.h5"), params * update, chains, update, 0.5, ["checkpoint"])
    rbm = read_machine(tmp_path / "m.h5", update=1)
    off = rbm.free_energy(2 * X - 1) - params.compute_energy_visibles(x).numpy()
    np.testing.assert_allclose(off, off[0], rtol=0, atol=1e-12)
    assert off[0] == pytest.approx(-rbm.to_binary().constant, abs=1e-12)
    same_law_of_bits(read_machine(tmp_path / "m.h5"), 12 * W, 12 * B, 12 * C)


def test_scikit_learn_by_its_own_formula(tmp_path):
    network = pytest.importorskip("sklearn.neural_network")
    data = (np.random.default_rng(4).random((200, 4)) < 0.3).astype(float)
    fitted = network.BernoulliRBM(n_components=4, n_iter=5, random_state=1).fit(data)
    names = ("components_", "intercept_visible_", "intercept_hidden_")
    path = savez(tmp_path / "m.npz", **{name: getattr(fitted, name) for name in names})
    rbm = read_machine(path)  # square, and still its names tell
    np.testing.assert_allclose((1 + rbm.mean_hidden(2 * data - 1)) / 2, fitted.transform(data), rtol=1e-10)
    same_law_of_bits(rbm, fitted.components_.T, fitted.intercept_visible_, fitted.intercept_hidden_)
    assert found_machine(path).origin == "scikit-learn's arrays in npz, 0/1 units"
    spins = read_machine(path, units="spins")  # an estimator of ±1 units may have these names too
    np.testing.assert_array_equal(spins.weights, fitted.components_.T)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "names", [("W", "vbias", "hbias"), ("rbm.weight", "rbm.v_bias", "rbm.h_bias"), ("weights", "bv", "bh")]
)
def test_arrays_under_usual_names(tmp_path, names, turned):
    arrays = dict(zip(names, (W.T if turned else W, B, C), strict=True))
    path = savez(tmp_path / "m.npz", **arrays)
    same_law_of_bits(read_machine(path, units="binary"), W, B, C)
    np.savez_compressed(path, **arrays)
    same_law_of_bits(read_machine(path, units="binary", transposed=turned), W, B, C)
    rbm = read_machine(path, units="spins")
    np.testing.assert_array_equal(rbm.weights, W)
    with pytest.raises(ValueError, match=r"0 and 1 or -1 and \+1 must be said"):
        read_machine(path)
    with pytest.raises(ValueError, match=rf"do not fit each other with transposed={not turned}"):
        read_machine(path, units="binary", transposed=not turned)


def test_temperatures_of_spins(tmp_path):
    path = savez(tmp_path / "m.npz", W=W, vbias=B[None], hbias=C[:, None])
    v = states(5)
    # up with probability 1/(1 + e^(−a)): the energy of this convention is at T = 2
    rbm = read_machine(path, units="spins", temperature=2.0)
    np.testing.assert_allclose((1 + rbm.mean_hidden(v)) / 2, sigmoid(v @ W + C), rtol=0, atol=1e-14)
    plus = read_machine(path, units="spins", temperature=-1)  # E = +vᵀWh + b·v + c·h
    np.testing.assert_array_equal(plus.mean_hidden(v), -read_machine(path, units="spins").mean_hidden(v))


def test_square_weights_ask_which_axis_is_which(tmp_path):
    W, b, c = SQUARE
    path = savez(tmp_path / "m.npz", W=W.T, vbias=b, hbias=c)
    with pytest.raises(ValueError, match=r"weights \(4, 4\).*leave open which axis is which; transposed"):
        read_machine(path, units="binary")
    same_law_of_bits(read_machine(path, units="binary", transposed=True), W, b, c)
    savez(path, W=W)  # without biases any shape is open
    with pytest.raises(ValueError, match="leave open which axis is which"):
        read_machine(path, units="spins")
    assert not read_machine(path, units="spins", transposed=False).visible_bias.any()


def test_what_is_open_is_asked_with_what_is_there(tmp_path):
    path = savez(tmp_path / "m.npz", W=W, weights=W, vbias=B, hbias=C)
    there = r"it holds W \(5, 3\), weights \(5, 3\), vbias \(5,\), hbias \(3,\); names= says which"
    with pytest.raises(ValueError, match=there):
        read_machine(path, units="binary")
    read_machine(path, units="binary", names={"weights": "W"})
    savez(path, W=W, vbias=B, hbias=C, means=B)  # nothing is open
    same_law_of_bits(read_machine(path, units="binary"), W, B, C)
    savez(path, W=W, a=B, b=C)  # of the letters a, b, c each may be either layer's
    with pytest.raises(ValueError, match=r"a may be a bias.*names= says which"):
        read_machine(path, units="binary")
    said = {"visible_bias": "a", "hidden_bias": "b"}
    same_law_of_bits(read_machine(path, units="binary", names=said), W, B, C)
    with pytest.raises(ValueError, match=r"names: .*m\.npz has no 'z'"):
        read_machine(path, units="binary", names={"weights": "z"})
    savez(path, samples=X)
    with pytest.raises(ValueError, match=r"it is open which array is weights; it holds samples \(32, 5\)"):
        read_machine(path)


# safetensors.torch.save of safetensors 0.8.0
SAFE = (
    b'\xe0\x00\x00\x00\x00\x00\x00\x00{"__metadata__":{"by":"test"},"rbm.h_bias":{"dtype":"F64","shape":[3],'
    b'"data_offsets":[0,24]},"rbm.v_bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]},"rbm.W":'
    b'{"dtype":"BF16","shape":[3,2],"data_offsets":[32,44]}}     \x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00'
    b"\x00\x00\x00\x00@\x00\x00\x00\x00\x00\x00\x08\xc0\x00\x00\x00?\x00\x00\x80\xbf\x80?\x00\xc0\x00?\x80>\x80@"
    b"\x00\x00"
)


def test_a_file_of_safetensors(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(SAFE)
    rbm = read_machine(path, units="spins")
    assert rbm.weights.tolist() == [[1.0, 0.5, 4.0], [-2.0, 0.25, 0.0]]
    assert (rbm.visible_bias.tolist(), rbm.hidden_bias.tolist()) == ([0.5, -1.0], [1.0, 2.0, -3.0])
    assert found_machine(path, units="spins").origin == "arrays in safetensors, ±1 units"


def safe(header, numbers=b""):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return len(text).to_bytes(8, "little") + text + numbers


def entry(dtype="F32", shape=(2,), place=(0, 8)):
    return {"W": {"dtype": dtype, "shape": list(shape), "data_offsets": list(place)}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SAFE[:9], "longer than the file"),
        (SAFE[:-1], "beyond the end"),
        (b"\xff" * 8 + b"{", "longer than the file"),
        (safe(b"{" * 5), "safetensors"),
        (safe(b'{"a":' * 10**5), "nested too deeply"),
        (safe({"W": 3}), "object is needed"),
        (safe({"W": {"dtype": "F32"}}), "lacks data_offsets, shape"),
        (safe(entry(), bytes(7)), "beyond the end"),
        (safe(entry(place=(8, 0)), bytes(8)), "beyond the end"),
        (safe(entry(place=(0, 8, 9)), bytes(9)), "beyond the end"),
        (safe(entry(shape=(3,)), bytes(8)), "not that of its bytes"),
        (safe(entry(shape=(2**62, 2**62)), bytes(8)), "not that of its bytes"),
        (safe(entry(shape=(1, 1, 2)), bytes(8)), "no matrix"),
        (safe(entry(shape=(-2,)), bytes(8)), "list of sizes"),
        (safe(entry(shape=(True, 2)), bytes(8)), "list of sizes"),
        (safe({"W": {**entry()["W"], "shape": "ab"}}, bytes(8)), "list of sizes"),
        (safe(entry(dtype="F8_E4M3"), bytes(8)), "it holds no array"),
        (safe(entry(dtype=["F32"]), bytes(8)), "safetensors"),
    ],
)
def test_crafted_safetensors_are_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    refused(path, message, units="binary")


def refused(path, message, **said):
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        read_machine(path, **said)
    text = str(caught.value)
    assert re.search(message, text), text
    assert "\n" not in text
    assert len(text) < 600 + len(str(path))


def test_no_pickle_is_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was run",))

    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w") as archive:  # as torch.save has it
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb()))
    contents = {
        "m.pkl": pickle.dumps(Bomb()),
        "old.pkl": pickle.dumps(Bomb(), protocol=0),
        "m.joblib": b"x\x9c" + bytes(30),
        "m.pt": inside.getvalue(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, r"a pickle.*np\.savez\(path, components_=m\.components_")
    objects = np.array([Bomb()])
    np.savez(tmp_path / "m.npz", W=objects)
    refused(tmp_path / "m.npz", "holds no numbers", units="binary")


@pytest.mark.parametrize("content", [b"", b"1,2\n", b"PK", b"PK\x03\x04" + bytes(50), b"\x89HDF", b"{}"])
def test_other_files(tmp_path, content):
    if content.startswith(b"\x89HDF"):
        pytest.importorskip("h5py")
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    refused(path, "npz|HDF5", units="binary")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"W": W * np.nan, "vbias": B, "hbias": C}, "NaN"),
        ({"W": W, "vbias": B * np.inf, "hbias": C}, "infinity"),
        (
            {"W": W, "vbias": B[:4], "hbias": C},
            r"do not fit each other: weights \(5, 3\), visible_bias \(4,\)",
        ),
        ({"W": W[None], "vbias": B, "hbias": C}, "a matrix of weights is needed"),
        ({"W": W[:0], "vbias": B[:0], "hbias": C}, "a matrix of weights is needed"),
        ({"components_": W.T, "intercept_hidden_": C}, "scikit-learn's arrays in npz without visible_bias$"),
        ({"W": np.array("W"), "vbias": B, "hbias": C}, "holds no numbers"),
    ],
)
def test_arrays_that_make_no_machine(tmp_path, arrays, message):
    refused(savez(tmp_path / "m.npz", **arrays), message, units="binary")


def test_an_npz_that_says_to_hold_more_than_it_can(tmp_path):
    path = tmp_path / "m.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W.npy", bytes(2**26 + 1))
    refused(path, "longer than the file", units="binary")


def test_crafted_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    path, good = tmp_path / "m.h5", {1: (W, B, C)}

    def crafted(change, message, **said):
        archive_of_rbms(path, good)
        with h5py.File(path, "a") as file:
            change(file)
        refused(path, message, **said)

    def replace(where, value):
        def change(file):
            del file[where]
            if value is not None:
                file[where] = value

        return change

    (tmp_path / "outer.h5").write_bytes(archive_of_rbms(path, good).read_bytes())
    place, matrix = str(tmp_path / "outer.h5"), "update_1/params/weight_matrix"
    layout = h5py.VirtualLayout(shape=(5, 3), dtype="f8")
    layout[:] = h5py.VirtualSource(place, matrix, shape=(5, 3))

    def virtual(file):
        del file[matrix]
        file["update_1/params"].create_virtual_dataset("weight_matrix", layout)

    def external(file):
        del file[matrix]
        more = {"external": [(place, 0, 120)]}
        file["update_1/params"].create_dataset("weight_matrix", shape=(5, 3), dtype="f8", **more)

    def vast(file):
        del file[matrix]
        file["update_1/params"].create_dataset("weight_matrix", (2**30, 2**20), "f8", chunks=(1, 2**20))

    crafted(virtual, "lies in another file")
    crafted(external, "lies in another file")
    crafted(vast, "more than a file of its size can")
    crafted(replace("update_1", h5py.ExternalLink(place, "update_1")), "is a link")
    crafted(replace("update_1/params", h5py.SoftLink("/update_1")), "is a link")
    crafted(replace(matrix, h5py.SoftLink("/update_1/weight_matrix")), "is a link")
    crafted(replace("update_1/params", None), "not an archive of rbms")
    crafted(replace("update_1/params", 3.0), "not an archive of rbms")
    crafted(replace("update_1", 3.0), "not an archive of rbms")
    crafted(replace(matrix, None), "open which array is weights")
    crafted(replace(matrix, W * np.nan), "NaN")
    crafted(replace(matrix, np.zeros((5, 21, 3))), "a matrix of weights is needed")
    crafted(replace("update_1/params/vbias", "text"), "an archive of rbms without visible_bias$")
    crafted(replace("model_type", h5py.ExternalLink(place, "model_type")), "is a link")
    archive_of_rbms(path, good, kind="PBRBM")
    refused(path, "of another kind than BBRBM of rbms")
    whole = archive_of_rbms(path, good).read_bytes()
    size = whole.index(b"GCOL") + 24  # of the first text: with 0 the HDF5 library reads texts without end
    path.write_bytes(whole[:size] + bytes(8) + whole[size + 8 :])
    same_law_of_bits(read_machine(path), W, B, C)
    for end in range(8, len(whole), 97):
        path.write_bytes(whole[:end])
        refused(path, "HDF5|rbms")


def test_hdf5_with_arrays_at_the_top(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["W"], file["vbias"], file["hbias"], file["note"] = W.T, B, C, "text"
        file["vast"] = np.zeros((1, 1, 1, 2))
    same_law_of_bits(read_machine(tmp_path / "m.h5", units="binary"), W, B, C)
    with pytest.raises(ValueError, match=r"update=1: .*no archive of rbms"):
        read_machine(tmp_path / "m.h5", update=1, units="binary")


def test_hdf5_without_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ImportError, match=r"rbmflow\[data\]"):
        read_machine(tmp_path / "m.h5")


def test_a_machine_of_this_package(tmp_path):
    rbm = random_machine(4, 4, seed=2)
    rbm.save(tmp_path / "m.npz")
    assert HEADER in read_archive(tmp_path / "m.npz").arrays
    back = read_machine(tmp_path / "m.npz", units="spins")
    np.testing.assert_array_equal(back.weights, rbm.weights)
    for said in ({"units": "binary"}, {"transposed": True}, {"temperature": 2}, {"names": {"weights": "W"}}):
        with pytest.raises(ValueError, match="a machine of rbmflow has ±1 units"):
            read_machine(tmp_path / "m.npz", **said)
    content = (tmp_path / "m.npz").read_bytes()
    (tmp_path / "m.npz").write_bytes(content[:200])
    refused(tmp_path / "m.npz", "not an npz")
    RBM.uniform(2, 2, 0.1).save(tmp_path / "m.npz")


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        ({"units": "01"}, ValueError, "units='01': 'binary' or 'spins'"),
        ({"units": 1}, ValueError, "units=1"),
        ({"transposed": 1}, TypeError, "transposed=1"),
        ({"temperature": 0}, ValueError, "temperature=0"),
        ({"temperature": np.inf}, ValueError, "temperature=inf"),
        ({"temperature": np.nan}, ValueError, "temperature=nan"),
        ({"temperature": "1"}, TypeError, "temperature='1'"),
        ({"update": 1}, ValueError, "update=1"),
        ({"names": "W"}, TypeError, "names='W'"),
        ({"names": {"bias": "a"}}, ValueError, "names="),
        ({"names": {"weights": 3}}, ValueError, "names="),
    ],
)
def test_bad_arguments(tmp_path, said, error, message):
    path = savez(tmp_path / "m.npz", W=W, vbias=B, hbias=C)
    with pytest.raises(error, match=message):
        read_machine(path, **{"units": "binary", **said})


def test_temperatures_so_small_that_parameters_overflow(tmp_path):
    refused(savez(tmp_path / "m.npz", W=W, vbias=B, hbias=C), "infinity", units="spins", temperature=1e-310)
