"""Arrays in npy and npz files, whose headers are held against the bytes that are there."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.hardware import check_memory
from rbmflow.reading.refusal import brief, refusing

NPY, ZIP = b"\x93NUMPY", b"PK"
MAX_AXES = 32


def read_npy(content: bytes) -> npt.NDArray[Any]:
    """Return the numbers or truth values of a whole npy file.

    Its header is held against the bytes that are there.
    """
    stream = io.BytesIO(content)
    with refusing("header", "one of an array"):
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"its version is {version}")
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, by_columns, dtype = read(stream)
    if dtype.kind not in "biuf" or len(shape) > MAX_AXES or min(shape, default=0) < 0:
        raise ValueError(f"an array of type {brief(dtype)} and shape {brief(shape)} holds no numbers")
    n_bytes = len(content) - stream.tell()
    if math.prod(shape) * dtype.itemsize != n_bytes:
        raise ValueError(
            f"shape {brief(shape)} and type {dtype} do not make the {n_bytes} bytes that are there"
        )
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if by_columns else "C").copy()


def read_npz(content: bytes, *, inflated: int | None = None) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an npz file by name.

    Its members are as long as they stand there, none is inflated, or they may be to `inflated` bytes in all.
    """
    import zipfile

    if not content.startswith(ZIP):
        raise ValueError("it is no npz")
    found: dict[str, npt.NDArray[Any]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > (len(content) if inflated is None else inflated):
            raise ValueError("its members are said to be longer than the file")
        for member in members:
            name = member.filename.removesuffix(".npy")
            if name in found:
                raise ValueError(f"{brief(name)} is there twice")
            if inflated is None and member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{brief(name)} is compressed")
            try:
                found[name] = read_npy(_inflated(archive, member))
            except ValueError as error:
                raise ValueError(f"{brief(name)}: {error}") from error
    return found


def read_one(what: str, content: bytes, name: str | None = None) -> npt.NDArray[Any]:
    """Return one array of an npz file, by its name if there are several; it may be compressed.

    It is inflated no further than the archive says, and only if there is the memory for that: MemoryError.
    """
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        there = brief(", ".join(members))
        if name is None and len(members) != 1:
            raise ValueError(f"it holds {len(members)} arrays, {there}: say which one")
        member = next(iter(members.values())) if name is None else members.get(name)
        if member is None:
            raise ValueError(f"it has no array {shown(name)}, it has {there}")
        check_memory(
            f"{what}: {brief(member.filename)}",
            2 * member.file_size,
            "fewer rows, or a smaller type, need less",
        )
        return read_npy(_inflated(archive, member))


def _inflated(archive: Any, member: Any) -> bytes:
    """Return a member of an archive, no longer than the archive says."""
    with archive.open(member) as stream:
        content: bytes = stream.read(member.file_size)
    if len(content) != member.file_size:
        raise ValueError(f"{brief(member.filename)} is shorter than the archive says")
    return content
