"""Plain twin of the sampler of ±1 units: the same random words, numpy scalars in the kernel's order."""

import numpy as np

from tests.kernels.twin_ring_sampler import Generator

# of 2^f, |f| <= 1/2, the highest power first, down to the first
POLYNOMIAL = {
    np.float32: ["0x1.5ec866p-10", "0x1.3cbf6p-7", "0x1.c6afeep-5", "0x1.ebfa4cp-3", "0x1.62e43p-1"],
    np.float64: [
        "0x1.e9d3fe3952179p-32",
        "0x1.e6063f7217bc6p-28",
        "0x1.b524fae627834p-24",
        "0x1.62bfd47773353p-20",
        "0x1.ffcbfc670dcd4p-17",
        "0x1.430913096fd9fp-13",
        "0x1.5d87fe78a5276p-10",
        "0x1.3b2ab6fba1ddap-7",
        "0x1.c6b08d704a0c2p-5",
        "0x1.ebfbdff82c598p-3",
        "0x1.62e42fefa39efp-1",
    ],
}
LARGEST = {np.float32: 43.0, np.float64: 350.0}


def decay(size):
    """exp(-2 size), elementwise, of an array of float32 or float64."""
    real = size.dtype.type
    t = np.minimum(size, real(LARGEST[real])) * real(-2 / np.log(2))
    n = np.rint(t)
    f = t - n
    p = np.full_like(f, float.fromhex(POLYNOMIAL[real][0]))
    for coefficient in [*POLYNOMIAL[real][1:], "0x1p+0"]:
        p = p * f + real(float.fromhex(coefficient))
    return np.ldexp(p, n.astype(np.int32))


def uniforms(generator, n, real):
    """The next n uniform numbers, and no other numbers of the last step."""
    if real is np.float64:
        words = [word for _ in range(-(-n // 8)) for word in generator.plane()]
        return np.array([((word >> 12) + 0.5) / 2**52 for word in words[:n]])
    words = [
        half for _ in range(-(-n // 16)) for word in generator.plane() for half in (word % 2**32, word >> 32)
    ]
    parts = np.array([word >> 1 for word in words[:n]], dtype=np.int32)
    return (parts.astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-31)


def choose(activations, e, u):
    flipped = u * (1 + e) < e
    return np.copysign(np.ones_like(e), activations) * np.where(flipped, -1, 1).astype(e.dtype)


def sample(activations, generator):
    """Spins for a vector of activations, with a `Generator`."""
    u = uniforms(generator, len(activations), activations.dtype.type)
    return choose(activations, decay(np.abs(activations)), u)


def words_of(generator):
    """The state of a `Generator` as the kernels hold it."""
    return np.array(generator.streams, dtype=np.uint64).T.ravel()


__all__ = ["Generator", "choose", "decay", "sample", "uniforms", "words_of"]
