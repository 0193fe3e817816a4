"""The main job: its numbers, its files, its resumption."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rbmflow.experiments.reproduction import reproduce
from rbmflow.experiments.reproduction.report import PICTURES, render
from rbmflow.experiments.tables import Check, Table, columns_of
from rbmflow.provenance import provenance
from tests.experiments.conftest import SMALL


def test_every_number_agrees(result):
    assert [check for check in result.checks if not check.passed] == []
    assert len(result.checks) > 90
    assert result.complete


def test_the_numbers_a_reader_looks_for(result):
    checks = {check.name: check for check in result.checks}
    assert checks["W(1), M = 8, N = 4, 40 digits"].computed.startswith("0.30630832981152307108512403419691")
    assert checks["K_c(8, 4)"].computed.startswith("0.44419961231583")
    curve = result.tables["fig4_trained_weight"].columns
    assert curve["K"][10] == pytest.approx(1.0)
    assert curve["W"][10] == pytest.approx(0.30630832981152307, rel=1e-13, abs=0)


def test_a_wrong_number_is_noticed():
    check = Check("W", "1", "2", float("nan"), 1.0, "absolute", "nowhere")
    assert not check.passed
    assert not replace(check, difference=-1.1).passed
    assert replace(check, difference=-0.9).passed


def test_the_result_reads_back_to_the_same_bits(result):
    assert reproduce.Reproduction.from_json(result.to_json()).equals(result)
    with pytest.raises(ValueError, match="not a saved reproduction"):
        reproduce.Reproduction.from_json('{"parameters": 1}')
    with pytest.raises(ValueError, match="not a saved reproduction"):
        reproduce.Reproduction.from_json("half a fi")


def tables(result):
    return {name: table.to_csv() for name, table in result.tables.items()}


def test_an_interrupted_run_resumes_to_the_same_bits(result):
    class StopError(Exception):
        pass

    kept = []

    def interrupt(stage, so_far):
        kept[:] = [so_far.to_json()]
        if stage == "intersection":
            raise StopError

    with pytest.raises(StopError):
        reproduce.run(SMALL, rng=3, progress=interrupt)
    half = reproduce.Reproduction.from_json(kept[0])
    assert not half.complete
    seen = []
    resumed = reproduce.run(SMALL, rng=3, resume=half, progress=lambda stage, _: seen.append(stage))
    assert seen == list(reproduce.STAGES)[3:]
    assert seen[0] == "weights"
    assert tables(resumed) == tables(result)
    with pytest.raises(ValueError, match="another seed"):
        reproduce.run(SMALL, rng=4, resume=half)


def test_some_stages(result):
    some = reproduce.run(SMALL, rng=3, stages=["weights", "decimation"])
    assert list(some.stages) == ["decimation", "weights"]
    assert not some.complete
    assert all(some.stages[name].tables == result.stages[name].tables for name in some.stages)
    with pytest.raises(TypeError, match="stages='weights'"):
        reproduce.run(SMALL, rng=3, stages="weights")
    with pytest.raises(ValueError, match="stages='none'"):
        reproduce.run(SMALL, rng=3, stages=["none"])


def test_an_executor_gives_the_same_bits(result, monkeypatch):
    for name in ("ensembles", "chains", "three_flows", "side_by_side"):  # computed again, at the same time
        monkeypatch.setitem(reproduce.STAGES, name, reproduce.STAGES[name].__wrapped__)
    with ThreadPoolExecutor(2) as pool:
        assert tables(reproduce.run(SMALL, rng=3, executor=pool)) == tables(result)


def test_only_what_is_drawn_depends_on_the_seed(result):
    other = tables(reproduce.run(SMALL, rng=4))
    same = tables(result)
    assert {name for name in same if same[name] != other[name]} == {
        "flow_of_ensembles",
        "chains_against_exact",
        "update_orders",
        "training_certificates",
        "stationary_flow",
        "threshold_of_singular_values",
        "optimum",
        "side_by_side_ring",
        "side_by_side_torus",
    }


def test_the_report_is_one_page_with_everything_in_it(result):
    facts = provenance(vars(result.parameters), result.seed)
    page = render(result, {"fig2_decimation": b"<svg/>"}, facts)
    assert "$" not in page.replace("$$", "")
    assert page.count("data:image/svg+xml;base64") == 1
    assert page.count("matplotlib is not installed") == len(PICTURES) - 1
    assert "http" not in page.split("<body>")[1]
    assert "every number agrees" in page
    heads = re.findall(r"<th scope=col(?: class=n)?>([^<]*)", page)
    assert all(re.search(r"[A-Za-z|]{2}", head.partition(" [")[0]) for head in heads), heads  # in words
    json.dumps(facts)


def test_the_report_says_so_when_a_number_is_off(result):
    wrong = reproduce.Reproduction(result.parameters, result.seed, dict(result.stages))
    stage = wrong.stages["limits"]
    wrong.stages["limits"] = replace(stage, checks=[replace(stage.checks[0], difference=1.0, tolerance=0.0)])
    page = render(wrong, {}, provenance({}, 1))
    assert "NUMBERS ARE OFF" in page
    assert '<tr class="off">' in page


def test_tables_write_floats_that_read_back():
    table = Table("t", columns_of(("a", "b"), [(0.1, "x"), (1e-300, "y, z")]))
    assert table.to_csv() == 'a,b\n0.1,x\n1e-300,"y, z"\n'


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_points", 3), ("enumeration_sites", 2), ("n_samples", 1), ("boundary_exponent", 30), ("n_steps", 0)],
)
def test_bad_parameters(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        reproduce.Parameters(**{name: value})


def test_chains_beside_exact_values_and_wrong_orders(result):
    stage = result.stages["chains"]
    assert all(check.passed for check in stage.checks)
    table = stage.tables["update_orders"].columns
    last = {
        (sampler, start): energy
        for sampler, start, energy in zip(table["sampler"], table["start"], table["energy"], strict=True)
    }
    # the mean of 200 chains after the last sweep: a standard deviation of 0.11 for each chain at most
    for (sampler, start), energy in last.items():
        if sampler == "Metropolis, sequential":
            assert abs(energy + 0.46212) > 0.3
        elif "checkerboard" not in sampler:
            assert abs(energy + 0.46212) < 5 * 0.11 / 200**0.5, (sampler, start)
    assert len(stage.tables["training_certificates"].columns["T"]) == 25
