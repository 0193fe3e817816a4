"""Arrays by name in files of other programs: npz, HDF5 and safetensors. No program in a file is ever run."""

from __future__ import annotations

import io
import math
import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import check_integer, shown
from rbmflow.netcdf import ALWAYS_PLAUSIBLE, HDF5, check_extent
from rbmflow.reading import brief, check_names, parse_json, read_npz, refusing
from rbmflow.reading.arrays import ZIP

PICKLE, PICKLES = b"\x80", (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt")
MAX_RATIO = 16
"""Of an npz to what it packs: weights that are not 0 hardly shrink."""
UPDATE = re.compile(r"update_(\d{1,12})")
BERNOULLI = b"BBRBM"
"""The text in ``model_type``."""
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4"}
"""Of safetensors; a number of BF16 is the upper half of one of F32."""
SAVE = (
    "it is a pickle, a program that is not run; save its arrays where it was trained, of scikit-learn by "
    "np.savez(path, components_=m.components_, intercept_visible_=m.intercept_visible_, "
    "intercept_hidden_=m.intercept_hidden_), of torch by safetensors.torch.save_file(m.state_dict(), path)"
)


NEITHER = "neither an npz nor a file of HDF5 or safetensors"


@dataclass(frozen=True)
class Archive:
    """What a file holds.

    Attributes
    ----------
    kind : str
        ``"npz"``, ``"HDF5"``, ``"safetensors"`` or ``"rbms"``.
    arrays : dict of str to numpy.ndarray
        Numbers by name.
    detail : str
        What else is known of it.
    """

    kind: str
    arrays: dict[str, npt.NDArray[Any]]
    detail: str = ""


def read_archive(path: Path, update: int | None = None) -> Archive:
    """Return the arrays in a file, of an archive of ``rbms`` those after one of its updates.

    OSError if it cannot be read, ValueError if it is of none of these kinds, or damaged.
    """
    with path.open("rb") as stream:
        head = stream.read(9)
        is_hdf5 = head.startswith(HDF5)
        content = b"" if is_hdf5 else head + stream.read()
    if is_hdf5:
        return _read_hdf5(path, update)
    if update is not None:
        raise ValueError(f"update={shown(update)}: {path} is no archive of rbms, which has several")
    if content.startswith(PICKLE) or _is_of_torch(content):
        raise ValueError(f"{path}: {SAVE}")
    if content.startswith(ZIP):
        inflated = max(ALWAYS_PLAUSIBLE, MAX_RATIO * len(content))
        with refusing(path, "an npz of numbers"):
            return Archive("npz", read_npz(content, inflated=inflated))
    if head[8:] != b"{":
        is_pickle = path.suffix.lower() in PICKLES
        raise ValueError(f"{path}: {SAVE if is_pickle else NEITHER}")
    with refusing(path, "a file of safetensors"):
        return Archive("safetensors", read_safetensors(content))


def _is_of_torch(content: bytes) -> bool:
    """Whether ``torch.save`` wrote it: an archive around a pickle."""
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return any(name.endswith(".pkl") for name in archive.namelist())
    except Exception:  # noqa: BLE001 (of a crafted file: the reader says what is wrong)
        return False


def read_safetensors(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file of safetensors by name; those of other types than numbers are left out.

    Eight bytes of length, a header in JSON with types, shapes and places, and the numbers, little-endian and
    row by row (https://github.com/huggingface/safetensors).
    """
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ValueError("its header is said to be longer than the file")
    header, numbers = parse_json(content[8 : 8 + length]), memoryview(content)[8 + length :]
    if not isinstance(header, dict):
        raise ValueError("its header is no object")  # noqa: TRY004
    header.pop("__metadata__", None)
    found = {}
    for name, said in header.items():
        one = check_names(brief(name), said, {"dtype", "shape", "data_offsets"})
        shape, place = (_sizes(name, one[key]) for key in ("shape", "data_offsets"))
        if one["dtype"] not in TYPES:
            continue
        dtype = np.dtype(TYPES[one["dtype"]])
        if len(place) != 2 or not place[0] <= place[1] <= len(numbers):
            raise ValueError(f"{brief(name)} lies beyond the end")
        if math.prod(shape) * dtype.itemsize != place[1] - place[0] or len(shape) > 2:
            raise ValueError(f"{brief(name)}: shape {brief(shape)} is not that of its bytes, or no matrix")
        flat = np.frombuffer(numbers[place[0] : place[1]], dtype)
        wide = (flat.astype("<u4") << 16).view("<f4") if one["dtype"] == "BF16" else flat
        found[name] = wide.reshape(shape)
    return found


def _sizes(name: str, said: object) -> tuple[int, ...]:
    if not isinstance(said, list) or not all(type(one) is int and one >= 0 for one in said):
        raise ValueError(f"{brief(name)}: a list of sizes is needed, not {shown(said)}")
    return tuple(said)


def _read_hdf5(path: Path, update: int | None) -> Archive:
    try:
        import h5py
    except ImportError:
        raise ImportError("files of HDF5 are read by h5py: pip install rbmflow[data]") from None
    with refusing(path, "a machine in HDF5"), h5py.File(path, "r") as file:
        check_extent(file, path.stat().st_size)
        other = "model_type" in file and not _has(path, BERNOULLI)
        updates = sorted(int(one[1]) for name in file if (one := UPDATE.fullmatch(name)))
        if not updates:
            arrays = {name: file[name][()] for name in file if _is_numbers(file[name])}
    if other:
        raise ValueError(f"{path}: it is of another kind than {BERNOULLI.decode()} of rbms, of 0/1 units")
    if update is not None:
        check_integer("update", update, 0)
    if not updates:
        if update is not None:
            raise ValueError(f"update={update}: {path} is no archive of rbms, which has several")
        return Archive("HDF5", arrays)
    chosen = updates[-1] if update is None else update
    if chosen not in updates:
        raise ValueError(f"update={update}: {path} holds {brief(', '.join(map(str, updates)))}")
    with refusing(path, "an archive of rbms"), h5py.File(path, "r") as file:
        group = file
        for name in (f"update_{chosen}", "params"):
            group = group[name]
            check_extent(group, path.stat().st_size)
        arrays = {name: group[name][()] for name in group if _is_numbers(group[name])}
    return Archive("rbms", arrays, f"update {chosen}")


def _is_numbers(item: Any) -> bool:
    """Whether an item of a file is an array of numbers of at most three axes."""
    return getattr(item, "dtype", np.dtype("O")).kind in "iuf" and 0 < item.ndim <= 3


def _has(path: Path, word: bytes) -> bool:
    """Whether a word stands in a file; of a crafted one the HDF5 library may read a text for ever."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(word) >= 0
