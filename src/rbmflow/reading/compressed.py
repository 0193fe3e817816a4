"""Compressed text: inflated no further than the memory that there is."""

from __future__ import annotations

import io

from rbmflow.hardware import check_memory

GZIP = b"\x1f\x8b"
STEP = 2**22  # bytes


def gunzip(what: str, content: bytes, times: int = 1) -> bytes:
    """Return what a gzip file holds.

    Parameters
    ----------
    what : str
        What to call the file in an error.
    content : bytes
        Of the whole file.
    times : int
        How many bytes of memory a byte of the result will take.

    Returns
    -------
    bytes
        Of all members of the file.

    Raises
    ------
    MemoryError
        If there is not so much memory; no more than that is inflated.
    OSError, EOFError, zlib.error
        If the file is damaged.

    Examples
    --------
    >>> import gzip
    >>> gunzip("a.gz", gzip.compress(b"1,-1"))
    b'1,-1'
    """
    import gzip

    inflated = io.BytesIO()
    with gzip.open(io.BytesIO(content)) as stream:
        while part := stream.read(STEP):
            inflated.write(part)
            check_memory(what, times * inflated.tell(), "a part of its rows needs less")
    return inflated.getvalue()
