from pathlib import Path

import pytest

from rbmflow import hardware
from rbmflow._kernels import simd


def test_every_supported_level_can_be_forced(monkeypatch):
    for level in range(simd.supported() + 1):
        monkeypatch.setenv("RBMFLOW_SIMD", hardware.SIMD_LEVELS[level])
        assert hardware.simd_level() == level


def test_the_best_level_is_the_default(monkeypatch):
    monkeypatch.delenv("RBMFLOW_SIMD", raising=False)
    assert hardware.simd_level() == simd.supported()


def test_an_unknown_level_is_refused(monkeypatch):
    monkeypatch.setenv("RBMFLOW_SIMD", "neon")
    with pytest.raises(ValueError, match="RBMFLOW_SIMD='neon': this processor allows plain"):
        hardware.simd_level()


def test_a_level_above_the_processor_is_refused(monkeypatch):
    monkeypatch.setattr(simd, "supported", lambda: 0)
    monkeypatch.setenv("RBMFLOW_SIMD", "avx2")
    with pytest.raises(ValueError, match="allows plain"):
        hardware.simd_level()


@pytest.mark.skipif(not simd.INSTRUCTIONS, reason="a build with one level")
@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="Linux says what a processor has")
def test_the_processor_has_what_linux_says():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    flags = next(line for line in lines if line.startswith("flags")).split()
    assert {name: there for name, _, there in simd.INSTRUCTIONS} == {
        name: name in flags for name, _, _ in simd.INSTRUCTIONS
    }


def test_a_level_needs_all_of_its_instructions_and_of_those_below():
    there = {level for _, level, _ in simd.INSTRUCTIONS} - {n for _, n, has in simd.INSTRUCTIONS if not has}
    assert simd.supported() == next(n for n in range(4) if n + 1 not in there)
    assert {level for _, level, _ in simd.INSTRUCTIONS} == set(range(1, simd.HIGHEST + 1))


@pytest.mark.parametrize(
    ("supported", "lacking", "forced", "why"),
    [
        (2, "", "", "the highest"),
        (2, "", "avx2", "RBMFLOW_SIMD asks for it"),
        (1, "avx512bw avx512vl", "", "avx512 lacks avx512bw, avx512vl of processor or system"),
        (0, "fma avx512f avx512bw avx512vl", "plain", "avx2 lacks fma of processor or system"),
        (0, None, "", "the only one for abacus with this compiler"),
    ],
)
def test_the_level_is_explained(monkeypatch, supported, lacking, forced, why):
    needed = {"avx2": 1, "fma": 1, "avx512f": 2, "avx512bw": 2, "avx512vl": 2} if lacking is not None else {}
    facts = tuple((name, level, name not in lacking.split()) for name, level in needed.items())
    monkeypatch.setattr(simd, "supported", lambda: supported)
    monkeypatch.setattr(simd, "HIGHEST", max(needed.values(), default=0))
    monkeypatch.setattr(simd, "INSTRUCTIONS", facts)
    monkeypatch.setattr(simd, "COMPILER", "tcc 1.0")
    monkeypatch.setattr(hardware.platform, "machine", lambda: "abacus")
    monkeypatch.setenv("RBMFLOW_SIMD", forced)
    assert hardware.simd_reason() == f"{why}; kernels compiled by tcc 1.0"


def test_threads_from_argument_environment_and_machine(monkeypatch):
    monkeypatch.setenv("RBMFLOW_NUM_THREADS", "3")
    assert hardware.resolve_threads(None) == 3
    assert hardware.resolve_threads(2) == 2
    monkeypatch.delenv("RBMFLOW_NUM_THREADS")
    assert hardware.resolve_threads(None) >= 1


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_a_bad_environment_is_refused(monkeypatch, text):
    monkeypatch.setenv("RBMFLOW_NUM_THREADS", text)
    with pytest.raises(ValueError, match="RBMFLOW_NUM_THREADS"):
        hardware.resolve_threads(None)


@pytest.mark.parametrize(
    ("value", "error"), [(0, ValueError), (-2, ValueError), (1.5, TypeError), (True, TypeError)]
)
def test_a_bad_number_of_threads_is_refused(value, error):
    with pytest.raises(error, match="n_threads="):
        hardware.resolve_threads(value)
