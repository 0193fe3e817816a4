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
    # q = mantissa · 2^(exponent − 53), the mantissa an integer of 53 bits; both are 0 for q = 0.
    fraction, exponent = np.frexp(probabilities)
    mantissa = np.ldexp(fraction, 53).astype(np.uint64)
    # Digit r = 0, 1, … is worth 2^−(r + 1), as bit 52 − exponent − r of the mantissa is. There is no such bit
    # for the zeros between the point and the first digit 1, nor beyond the last; the smallest q ends last.
    n_digits = max(1, 53 - int(exponent.min()))
    r = np.arange(n_digits)[(..., *[None] * probabilities.ndim)]
    place = 52 - exponent[None] - r
    inside = (place >= 0) & (place < 53)
    # A shift by a negative number or by 64 and more is undefined: outside the place is 0, its bit not taken.
    bits = (mantissa >> np.where(inside, place, 0).astype(np.uint64)) & np.uint64(1)
    digits = inside & bits.astype(bool)
    # Each digit costs a kernel random bits: those behind the last 1 of all are left out, but the first stays.
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
