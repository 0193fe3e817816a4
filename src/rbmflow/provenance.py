"""What a written result rests on: parameters, seed, versions, platform."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

from rbmflow.hardware import SIMD_LEVELS, simd_level


def version_of(package: str = "rbmflow") -> str:
    """Return the version of a package, by default this one, or "absent"."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def provenance(parameters: dict[str, Any], seed: Any) -> dict[str, Any]:
    """Return what a result rests on: parameters, seed entropy, versions and platform."""
    versions = {"python": platform.python_version()}
    for package in ("rbmflow", "numpy", "scipy", "mpmath", "matplotlib", "xarray", "h5netcdf", "h5py"):
        versions[package] = version_of(package)
    return {
        "parameters": parameters,
        "seed": seed,
        "versions": versions,
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "byte_order": sys.byteorder,
            "processors": os.cpu_count(),
            "simd": SIMD_LEVELS[simd_level()],
        },
    }
