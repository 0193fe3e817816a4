import ast
import math
from pathlib import Path

import pytest

import rbmflow
from rbmflow import cgroups, hardware
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


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Control groups out of files, forgotten in the end."""

    def of(lines, **files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "self").write_text(lines)
        _forget()

    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(cgroups, "GROUPS", tmp_path / "self")
    yield of
    _forget()


def _forget():
    cgroups.allowed_bytes.cache_clear()
    cgroups.allowed_processors.cache_clear()


GROUPS = {
    "version 2": ("0::/a/b\n", {"a/cpu.max": "150000 100000\n", "a/b/cpu.max": "max 100000\n"}, 1.5),
    "version 2, the inner one": ("0::/a/b\n", {"a/cpu.max": "3 1", "a/b/cpu.max": "50000 100000"}, 0.5),
    "version 1": (
        "4:cpu,cpuacct:/job\n0::/\n",
        {"cpu,cpuacct/job/cpu.cfs_quota_us": "250000\n", "cpu,cpuacct/job/cpu.cfs_period_us": "100000\n"},
        2.5,
    ),
    "version 1, of a container": (
        "1:cpu:/docker/0123\n",
        {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"},
        2.0,
    ),
    "version 1, without a limit": (
        "1:cpu:/\n",
        {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
        math.inf,
    ),
    "of other things": ("1:pids:/\n", {"cpu.max": "100000 100000", "pids/cpu.max": "1 1"}, math.inf),
    "none": ("", {}, math.inf),
    "damaged": ("a\n0::/\n", {"cpu.max": "one"}, math.inf),
}


@pytest.mark.parametrize("kind", GROUPS)
def test_processors_of_a_container(groups, monkeypatch, kind):
    lines, files, processors = GROUPS[kind]
    groups(lines, **files)
    monkeypatch.delenv("RBMFLOW_NUM_THREADS", raising=False)
    monkeypatch.setattr(hardware.os, "sched_getaffinity", lambda _: range(64), raising=False)
    assert cgroups.allowed_processors() == processors
    assert hardware.resolve_threads(None) == (64 if processors == math.inf else math.ceil(processors))


@pytest.mark.parametrize(
    ("lines", "files", "there"),
    [
        ("0::/a\n", {"a/memory.max": "max\n", "memory.max": f"{2**28}\n"}, 2**28),
        ("2:memory:/a\n", {"memory/a/memory.limit_in_bytes": f"{2**29}\n"}, 2**29),
        ("2:memory:/a\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, math.inf),
    ],
)
def test_memory_of_a_container(groups, lines, files, there):
    groups(lines, **files)
    assert cgroups.allowed_bytes() == there
    if there < math.inf:
        hardware.check_memory("n=1", there)
        with pytest.raises(MemoryError, match=f"n=1: {there / 2**30:g} GiB of memory are needed, there are"):
            hardware.check_memory("n=1", there + 1)


def test_how_many_would_fit(monkeypatch):
    monkeypatch.setattr(hardware, "_memory", lambda: 2**30)
    hardware.check_fits("n_samples", 2**20, 2**10)
    with pytest.raises(MemoryError) as caught:
        hardware.check_fits("n_samples", 2**20 + 1, 2**10, "fewer temperatures need less")
    said = "n_samples=1048577: 1 GiB of memory are needed, there are 1 GiB; at most 1048576 fit"
    assert str(caught.value) == f"{said}; fewer temperatures need less"


def test_every_refusal_says_what_needs_less():
    """Each place that estimates memory names what to reduce."""
    for path in Path(rbmflow.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check_memory":
                assert len(node.args) == 3, f"{path}:{node.lineno}"
