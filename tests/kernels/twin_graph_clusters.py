"""Plain twin of the clusters on graphs: the same random words, clusters breadth first, and no ghost.

Where the kernel flips a ghost spin, this one leaves its cluster alone and flips the others.
"""

import math
from fractions import Fraction

from tests.kernels.twin_markov import Scalar


class Coins(Scalar):
    """Numbers of 32 bits, the upper half of a word first, compared with a chance to all its digits."""

    def __init__(self, words):
        super().__init__(words)
        self.halves = []

    def cut(self, chance):
        if not self.halves:
            word = self.word()
            self.halves = [word % 2**32, word >> 32]
        whole, rest = divmod(Fraction(chance) * 2**32, 1)
        half = self.halves.pop()
        return half < whole or (half == whole and rest > 0 and Fraction(self.uniform()) < rest)


def chances(couplings, K):
    return [math.exp(-2 * abs(K * J)) for J in couplings]


def grow(start, neighbours):
    """The cluster of a site in a list of neighbours; the order of the sites is that of their discovery."""
    queue, seen = [start], {start}
    for site in queue:
        for other in neighbours(site):
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return queue


def divide(spins, rows, cuts, K, generator):
    """All clusters and their coins; the ghost is the last of the spins, if there is one."""
    joined = {site: [] for site in range(len(rows))}
    for a, row in enumerate(rows):
        for (b, J), cut in zip(row, cuts[a], strict=True):
            is_cut = generator.cut(cut)
            if K * J * spins[a] * spins[b] > 0 and not is_cut:
                joined[a].append(b)
                joined[b].append(a)
    clusters, placed = [], set()
    for site in range(len(rows)):
        if site not in placed:
            clusters.append(grow(site, joined.get))
            placed.update(clusters[-1])
    coins = []
    for i in range(len(clusters)):
        if i % 64 == 0:
            word = generator.word()
        coins.append(word >> i % 64 & 1)
    return clusters, coins


def run(spins, state, rows, K, single, ghost, n_sweeps):
    """Sweep lists of spins, -1 and 1, and return them, the state and the last sums over clusters.

    `rows` lists (other, coupling) for each node, the ghost last if there is one.
    """
    generator = Coins(state)
    n = len(spins)
    cuts = [chances([J for _, J in row], K) for row in rows]
    for _ in range(n_sweeps):
        nodes, generator.halves = spins + [1] * ghost, []
        if single:
            queue, seen = [generator.below(n)], set()
            seen.add(queue[0])
            for site in queue:
                for (other, J), cut in zip(rows[site], cuts[site], strict=True):
                    is_cut = generator.cut(cut)
                    if not is_cut and other not in seen and K * J * nodes[site] * nodes[other] > 0:
                        seen.add(other)
                        queue.append(other)
            inside = [site for site in queue if site < n]
            size, total = len(inside), sum(spins[site] for site in inside)
            totals = [size, size**2, total**2 / size * n]
            flipped = set(range(n)) - seen if n in seen else seen
        else:
            clusters, coins = divide(nodes, rows, cuts, K, generator)
            sites = [[site for site in cluster if site < n] for cluster in clusters]
            m = [sum(spins[site] for site in cluster) for cluster in sites]
            # every cluster of sites alone may flip: even powers of the sum over fair signs
            totals = [
                sum(len(cluster) ** 2 / n for cluster in sites),
                sum(len(cluster) ** 3 / n for cluster in sites),
                float(sum(x**2 for x in m)),
                float(sum(3 * x**2 * y**2 for i, x in enumerate(m) for j, y in enumerate(m) if i != j)
                      + sum(x**4 for x in m)),
            ]  # fmt: skip
            of_ghost = next((coin for one, coin in zip(clusters, coins, strict=True) if n in one), 0)
            flipped = {
                site for one, coin in zip(sites, coins, strict=True) if coin != of_ghost for site in one
            }
        spins = [-s if site in flipped else s for site, s in enumerate(spins)]
    return spins, generator.state, totals
