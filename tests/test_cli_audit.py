"""The command ``audit``: machines of several programs, what is printed and written, bad input in one line."""

import csv
from importlib.util import find_spec

import numpy as np
import pytest

from rbmflow import RBM, Ring, cli
from rbmflow.cli import output
from rbmflow.experiments.audit import Audit, experiment
from tests.networks.test_read_machine import archive_of_rbms

DRAWN = find_spec("matplotlib") is not None  # figures are an extra
SPINS = Ring(8).sample(0.4, 100, rng=1)
TRUE = RBM.local_ring(8, 0.4)
BINARY = TRUE.to_binary()
QUICK = ("--chains", "10", "--sweeps", "50", "--temperatures", "20", "--starts", "6", "--quiet")


def run(capsys, *words):
    status = cli.main(["audit", *map(str, words)])
    return status, *capsys.readouterr()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output, "figures_module", lambda: None)  # drawn by one of the tests
    TRUE.save("ours.npz")
    np.savez("W.npz", W=BINARY.weights, v_bias=BINARY.visible_bias, h_bias=BINARY.hidden_bias)
    np.savez(
        "sklearn.npz",
        components_=BINARY.weights.T,
        intercept_visible_=BINARY.visible_bias,
        intercept_hidden_=BINARY.hidden_bias,
    )
    np.save("spins.npy", SPINS)
    np.savetxt("bits.csv", (SPINS + 1) // 2, fmt="%d", delimiter=",")
    return tmp_path


def test_machines_of_several_programs_have_one_audit(capsys, folder):
    files = [
        ("ours.npz",),
        ("sklearn.npz",),
        ("W.npz", "--units", "binary", "--weights", "visible-by-hidden"),
    ]
    if find_spec("h5py"):
        archive_of_rbms(folder / "rbms.h5", {3: (BINARY.weights, BINARY.visible_bias, BINARY.hidden_bias)})
        files.append(("rbms.h5", "--update", "3"))
    said = []
    for name, *more in files:
        status, out, err = run(capsys, name, *more, "--data", "bits.csv", "--binary", *QUICK)
        assert (status, err) == (0, "")
        first, *lines, written = out.splitlines()
        assert first.startswith(f"{name}: ")
        assert first.endswith("units; rows of bits.csv; 8 visible, 8 hidden units")
        stem = name.partition(".")[0]
        assert written == f"{stem}.audit/report.html"
        np.testing.assert_allclose(RBM.load(f"{stem}.audit/model.npz").weights, TRUE.weights, rtol=1e-15)
        said.append(lines[:3])  # ln Z, likelihood, weights: what rounding of the parameters does not reach
    assert all(one == said[0] for one in said)


def test_what_is_written(capsys, folder, monkeypatch):
    monkeypatch.undo()
    out = folder / "new"
    assert run(capsys, folder / "ours.npz", "--data", folder / "spins.npy", *QUICK, "--out", out)[0] == 0
    files = {"model.npz", "audit.json", "provenance.json", "report.html"}
    files |= {f"{name}.csv" for name in Audit.load(out / "audit.json").tables}
    files |= {"audit.png", "audit.svg"} if DRAWN else set()
    assert {path.name for path in out.iterdir()} == files
    assert ("data:image/svg+xml" in (out / "report.html").read_text(encoding="utf-8")) == DRAWN


def test_csv_is_one_document(capsys, folder):
    status, out, _ = run(capsys, "ours.npz", *QUICK, "--format", "csv", "--out", "new")
    assert status == 0
    rows = list(csv.DictReader(out.splitlines()))
    assert rows[0] == {"subject": "ln Z", "beware": "false", "finding": rows[0]["finding"]}
    assert rows[0]["finding"].endswith(", exact")


def test_names_of_arrays(capsys, folder):
    np.savez("abc.npz", A=BINARY.weights, a=BINARY.visible_bias, b=BINARY.hidden_bias)
    names = ("--names", "weights=A", "visible_bias=a", "hidden_bias=b")
    words = ("abc.npz", "--units", "binary", "--weights", "visible-by-hidden", *QUICK)
    assert run(capsys, *words, *names)[0] == 0
    assert run(capsys, *words)[0] == 2


def test_an_interrupted_audit_goes_on_to_the_same_bits(capsys, folder, monkeypatch):
    words = ("ours.npz", "--data", "spins.npy", *QUICK)
    assert run(capsys, *words, "--out", "whole")[0] == 0

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(experiment, "chains", stop)
        assert run(capsys, *words, "--out", "broken")[0] == 130
    assert len(list((folder / "broken" / "audit.partial").glob("*.part"))) == 3
    status, _, err = run(capsys, "ours.npz", *QUICK, "--out", "broken")
    assert (status, err.count("\n")) == (2, 1)
    assert "other arguments left it (given)" in err
    for part in ("likelihood", "mean_field", "couplings"):
        monkeypatch.setattr(experiment, part, stop)  # none is done again
    assert run(capsys, *words, "--out", "broken")[0] == 0
    for name in ("audit.json", "findings.csv", "report.html"):
        assert (folder / "broken" / name).read_bytes() == (folder / "whole" / name).read_bytes()
    assert not (folder / "broken" / "audit.partial").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("absent.npz",), "absent.npz"),
        (("spins.npy",), "spins.npy: neither an npz nor"),
        (("W.npz",), "units='binary' or 'spins'"),
        (("W.npz", "--units", "binary"), "leave open which axis is which"),
        (("W.npz", "--units", "binary", "--names", "weights"), "--names weights: ROLE=NAME is needed"),
        (("W.npz", "--units", "binary", "--names", "bias=W"), "names="),
        (("ours.npz", "--temperature", "0"), "temperature=0.0"),
        (("ours.npz", "--update", "1"), "update=1"),
        (("ours.npz", "--threshold", "0.5"), "--threshold: --data FILE is needed"),
        (("ours.npz", "--data", "bits.csv"), "--binary"),
        (("ours.npz", "--data", "four.npy"), "four.npy: it has 4 columns, the machine 8 visible units"),
        (("ours.npz", "--chains", "1"), "--chains: n_chains=1: at least 4"),
        (("ours.npz", "--seed", "-1"), "rng=-1"),
        (("pickle.pkl",), "a pickle, a program that is not run"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, folder, words, message):
    np.save("four.npy", SPINS[:, :4])
    (folder / "pickle.pkl").write_bytes(b"\x80\x04N.")
    before = {path.name for path in folder.iterdir()}
    status, out, err = run(capsys, *words, "--quiet", "--out", "new")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert {path.name for path in folder.iterdir()} == before
