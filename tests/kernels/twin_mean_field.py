"""Plain twin of the mean-field kernel: numpy in the kernel's order of operations."""

import numpy as np

# of (e^r - 1 - r) / r^2, |r| <= ln 2 / 2, the highest power first, down to the constant 1/2
POLYNOMIAL = {
    np.float32: [
        "0x1.a124e4p-13",
        "0x1.6d4316p-10",
        "0x1.1110ep-7",
        "0x1.5554eap-5",
        "0x1.555556p-3",
        "0x1p-1",
    ],
    np.float64: [
        "0x1.af389eea54156p-26",
        "0x1.28917c9f3a495p-22",
        "0x1.71de0db2eb873p-19",
        "0x1.a019b914881bap-16",
        "0x1.a01a01a7c2f2cp-13",
        "0x1.6c16c17889f3cp-10",
        "0x1.11111111109b5p-7",
        "0x1.5555555553d68p-5",
        "0x1.5555555555556p-3",
        "0x1p-1",
    ],
}
# ln 2 in two parts, few digits in the first; beyond LARGEST tanh is 1
LN2 = {np.float32: ("0x1.63p-1", "-0x1.bd0106p-13"), np.float64: ("0x1.62e42feep-1", "0x1.a39ef35793c76p-33")}
LARGEST = {np.float32: 10.0, np.float64: 20.0}


def tanh(x):
    """tanh, elementwise, of an array of float32 or float64."""
    real = x.dtype.type
    coefficients = [real(float.fromhex(c)) for c in POLYNOMIAL[real]]
    high, low = (real(float.fromhex(part)) for part in LN2[real])
    t = np.minimum(np.abs(x), real(LARGEST[real])) * real(-2)
    k = np.rint(t * real(1 / np.log(2)))
    r = (t - k * high) - k * low
    q = np.full_like(r, coefficients[0])
    for coefficient in coefficients[1:]:
        q = q * r + coefficient
    scale = np.ldexp(np.ones_like(r), k.astype(np.int32))
    s = (q * (r * r) + r) * scale + (scale - real(1))
    return np.copysign(np.abs(s) / (real(2) + s), x)


def layer(given, weights, bias):
    """tanh of the fields of one layer; weights have a row for each unit of the other."""
    field = np.repeat(bias[None], len(given), axis=0)
    for column, row in zip(given.T, weights, strict=True):
        field = field + column[:, None] * row
    return tanh(field)


def iterate(weights, visible_bias, hidden_bias, values, n_steps):
    """The rows after n_steps steps."""
    for _ in range(n_steps):
        values = layer(layer(values, weights, hidden_bias), weights.T, visible_bias)
    return values
