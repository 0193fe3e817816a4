"""One thread for every peer, and peers with the vector units of the kernels where RBMFLOW_SIMD takes some.

Processor time counts the threads of a BLAS together, and they wait in loops. Without RBMFLOW_SIMD each
benchmark goes through the levels of the kernels, and the peers use all that the processor has. With
``RBMFLOW_SIMD=plain`` or ``avx2`` only that level is measured, against peers that are told to use no more:
numpy and its OpenBLAS, numba, torch and its MKL.
"""

import os
import subprocess
import sys

import pytest

LEVELS = ("plain", "avx2", "avx512")
ALLOWED = {"plain": "", "avx2": "X86_V3 AVX2 FMA3 AVX F16C"}
"""Features that numpy may use on each level, of those it looks for at run time."""
OF_PEERS = {
    "plain": {
        "OPENBLAS_CORETYPE": "Nehalem", "NUMBA_CPU_NAME": "nehalem", "NUMBA_CPU_FEATURES": "",
        "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41",
    },
    "avx2": {
        "OPENBLAS_CORETYPE": "Haswell", "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "",
        "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2",
    },
}  # fmt: skip
CHOSEN = os.environ.get("RBMFLOW_SIMD")
FOUND = (
    "from numpy._core._multiarray_umath import __cpu_dispatch__ as names, __cpu_features__ as has;"
    "print(*[name for name in names if has[name]])"
)


def restricted(level):
    """Return the environment in which peers use the vector units of a level."""
    found = subprocess.run(
        [sys.executable, "-c", FOUND], capture_output=True, text=True, check=True
    ).stdout.split()
    too_much = [name for name in found if name not in ALLOWED[level].split()]
    return {**OF_PEERS[level], "NPY_DISABLE_CPU_FEATURES": " ".join(too_much)}


if CHOSEN in OF_PEERS:
    if "numpy" in sys.modules:
        raise pytest.UsageError(f"RBMFLOW_SIMD={CHOSEN}: numpy is loaded already, peers cannot be restricted")
    os.environ.update(restricted(CHOSEN))


def pytest_report_header():
    """Say what is compared."""
    if CHOSEN in OF_PEERS:
        return f"kernels and peers on {CHOSEN}, one thread"
    return "kernels on each level, peers with all that the processor has, one thread"


def pytest_collection_modifyitems(config, items):
    """With RBMFLOW_SIMD leave out the other levels."""
    if CHOSEN not in LEVELS:
        return
    kept = [item for item in items if _levels(item) <= {CHOSEN}]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _levels(item):
    """The levels among the parameters of a benchmark."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return {value for value in parameters if isinstance(value, str) and value in LEVELS}


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    import threadpoolctl

    with threadpoolctl.threadpool_limits(1):
        yield
