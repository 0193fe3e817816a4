"""Probabilities as the digits that kernels compare random bits with: none is rounded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray

Words = npt.NDArray[np.uint64]
ALL_ONES = np.uint64(2**64 - 1)
BELOW_ONE = np.nextafter(1.0, 0.0)
"""The largest probability of a comparison that has digits."""


def binary_digits(probabilities: FloatArray) -> npt.NDArray[np.bool_]:
    """Return the binary digits of probabilities < 1, all of them: shape (n_digits, *probabilities.shape)."""
    fraction, exponent = np.frexp(probabilities)  # q = fraction · 2^exponent, 53 bits
    mantissa = np.ldexp(fraction, 53).astype(np.uint64)
    place = (
        52 - exponent[None] - np.arange(max(1, 53 - int(exponent.min())))[(..., *[None] * probabilities.ndim)]
    )
    inside = (place >= 0) & (place < 53)
    digits = inside & (mantissa >> np.where(inside, place, 0).astype(np.uint64) & np.uint64(1)).astype(bool)
    last = np.flatnonzero(digits.reshape(len(digits), -1).any(axis=1))
    return np.asarray(digits[: last[-1] + 1 if len(last) else 1])


def as_words(bits: npt.NDArray[np.bool_]) -> Words:
    """Bit r of the last axis becomes bit r % 64 of word r // 64."""
    packed = np.packbits(bits, axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64)


def byte_digits(probabilities: FloatArray) -> npt.NDArray[np.int8]:
    """Return the digits to base 256 of at most 16 probabilities < 1, each less 128: shape (n_digits, 16)."""
    rest = np.zeros(16)
    rest[: len(probabilities)] = probabilities
    digits = list[npt.NDArray[np.int8]]()
    while not digits or rest.any():
        rest *= 256
        digit = np.floor(rest)
        rest -= digit
        digits.append((digit - 128).astype(np.int8))
    return np.array(digits)
