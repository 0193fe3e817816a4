"""Plain twins of the sums over states: values from the sites that are up, weights in the kernel's order."""

import numpy as np

from tests.kernels.twin_logistic import decay

BLOCK, LANES = 64, 8


def values(linear, pairs):
    """The value of each state, the first site at the lowest digit, by integers of Python."""
    found = []
    for state in range(2 ** len(linear)):
        up = [i for i in range(len(linear)) if state >> i & 1]
        within = sum(int(pairs[i][j]) for i in up for j in up if j < i)
        found.append(within + sum(int(linear[i]) for i in up))
    return np.array(found)


def weigh(distances, scale):
    """Sums of weights by sites up, and both moments; distances of the states of whole blocks in order."""
    n_sites = len(distances).bit_length() - 1
    weights, moments = np.zeros(n_sites + 1), np.zeros(2)
    for high, block in enumerate(distances.reshape(-1, BLOCK, LANES, LANES)):
        weight = decay(block * scale)
        weight[block * scale >= 350.0] = 0.0
        rise, moment = np.zeros((13, LANES)), np.zeros((2, LANES))
        for m in range(BLOCK):
            w, d, up = weight[m], block[m], m.bit_count()
            rise[up] += w[0]
            rise[up + 1] += w[1] + w[2] + w[4]
            rise[up + 2] += w[3] + w[5] + w[6]
            rise[up + 3] += w[7]
            for group in range(LANES):
                moment[0] += w[group] * d[group]
                moment[1] += w[group] * d[group] * d[group]
        for j in range(10):
            for lane in range(LANES):
                if high.bit_count() + j + lane.bit_count() <= n_sites:
                    weights[high.bit_count() + j + lane.bit_count()] += rise[j, lane]
        for lane in range(LANES):
            moments += moment[:, lane]
    return weights, moments
