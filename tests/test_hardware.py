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
