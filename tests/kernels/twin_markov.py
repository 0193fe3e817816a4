"""Plain twins of the Markov kernels: the same random words, a spin at a time, probabilities as fractions."""

import math
from fractions import Fraction

import numpy as np

from tests.kernels.twin_ring_sampler import Generator, digits

REPLICAS, SURE, BLOCK, CHECK_AFTER = 512, 12, 64, 9


class Scalar:
    """One xoshiro256++ generator."""

    def __init__(self, words):
        self.state = [int(word) for word in words]

    def word(self):
        return Generator._step(self.state)

    def uniform(self):
        return (self.word() >> 11) / 2**53

    def below(self, n):
        product = (self.word() >> 32) * n
        while product % 2**32 < 2**32 % n:
            product = (self.word() >> 32) * n
        return product >> 32


def bits_of(words):
    return [word >> i & 1 for word in words for i in range(64)]


def toss(generator, probabilities, n_digits, sure, waited):
    """Compare 512 uniform numbers with probabilities digit by digit until those waited for are decided.

    A probability of None wants no comparison, and its first bit is returned.
    """
    expansions = {q: digits(q) for q in set(probabilities) if q is not None}
    result = [None] * len(probabilities)
    # of the digits that are always compared the last is drawn first
    planes = [bits_of(generator.plane()) for _ in range(sure)][::-1]
    for place in range(n_digits):
        if place >= sure:
            if not any(answer is None and wait for answer, wait in zip(result, waited, strict=True)):
                break
            planes.append(bits_of(generator.plane()))
        for i, bit in enumerate(planes[place]):
            q = probabilities[i]
            if result[i] is not None:
                continue
            if q is None:
                result[i] = bit
                continue
            digit = expansions[q][place] if place < len(expansions[q]) else 0
            if bit != digit:
                result[i] = int(bit < digit)
    return [answer or 0 for answer in result]


def replicas(spins, state, neighbours, order, metropolis, couplings, n_active, n_sweeps):
    """Sweep 512 replicas, spins[site][replica] of 0 and 1; the couplings say the rest."""
    generator = Generator(state)
    degree = len(neighbours[0])
    chances = []
    for K in couplings:
        exact = {}
        for cost, counts in ((8, (0, 4)), (4, (1, 3))) if degree == 4 else ((4, (0, 2)),):
            if metropolis:
                q = min(math.exp(-cost * abs(K)), math.nextafter(1, 0))
            else:
                q = 1 / (1 + math.exp(cost * abs(K)))
            exact |= dict.fromkeys(counts, q)
        chances.append(exact)
    n_digits = max(len(digits(q)) for exact in chances for q in exact.values())
    waited = [r < n_active for r in range(REPLICAS)]
    for _ in range(n_sweeps):
        for site in order:
            near = neighbours[site]
            counts = [sum(spins[j][r] for j in near) for r in range(REPLICAS)]
            if metropolis:
                satisfied = [
                    sum((spins[j][r] == spins[site][r]) == (couplings[r] >= 0) for j in near)
                    for r in range(REPLICAS)
                ]
                certain = [2 * n <= degree for n in satisfied]
                wanted = [None if sure else chances[r][satisfied[r]] for r, sure in enumerate(certain)]
                coins = toss(generator, wanted, n_digits, min(SURE, n_digits), waited)
                for r in range(REPLICAS):
                    spins[site][r] ^= 1 if certain[r] else coins[r]
            else:
                wanted = [chances[r].get(n) for r, n in enumerate(counts)]
                coins = toss(generator, wanted, n_digits, min(SURE, n_digits), waited)
                for r, n in enumerate(counts):
                    # with as many up as down the kernel keeps its own side and flips it by a fair bit
                    side = fair_side(spins, near, r) if 2 * n == degree else int(2 * n > degree)
                    spins[site][r] = side ^ int(couplings[r] < 0) ^ coins[r]
    return [word for plane in zip(*generator.streams, strict=True) for word in plane]


def mixed_replicas(spins, state, bonds, order, metropolis, couplings, scale, n_active, n_sweeps):
    """The same where bonds[site] is a list of at most six (neighbour, sign), of couplings sign · scale."""
    generator = Generator(state)
    chances = []
    for K in couplings:
        pulls = np.arange(1.0, 7.0)
        with np.errstate(over="ignore"):
            cost = 2 * pulls * scale * abs(K)
            q = np.minimum(np.exp(-cost), math.nextafter(1, 0)) if metropolis else 1 / (1 + np.exp(cost))
        chances.append(dict(zip(pulls.astype(int).tolist(), q.tolist(), strict=True)))
    n_digits = max(len(digits(q)) for exact in chances for q in exact.values())
    waited = [r < n_active for r in range(REPLICAS)]
    for _ in range(n_sweeps):
        for site in order:
            falling = [K < 0 for K in couplings]
            pull = [sum(J * (2 * spins[j][r] - 1) for j, J in bonds[site]) for r in range(REPLICAS)]
            if metropolis:
                held = [
                    n if spins[site][r] ^ falling[r] else -n for r, n in enumerate(pull)
                ]  # by its neighbours where it is
                wanted = [chances[r].get(n) for r, n in enumerate(held)]
                coins = toss(generator, wanted, n_digits, min(SURE, n_digits), waited)
                for r, n in enumerate(held):
                    spins[site][r] ^= coins[r] if n > 0 or not bonds[site] else 1
            else:
                wanted = [chances[r].get(abs(n)) for r, n in enumerate(pull)]
                coins = toss(generator, wanted, n_digits, min(SURE, n_digits), waited)
                for r, n in enumerate(pull):
                    spins[site][r] = int(n > 0) ^ falling[r] ^ coins[r]
    return [word for plane in zip(*generator.streams, strict=True) for word in plane]


def fair_side(spins, near, r):
    """The side that the kernel's adder calls a majority in a tie: of 2 the first, of 4 an equal pair's."""
    first, second, *rest = (spins[j][r] for j in near)
    return first if not rest else (first & second) | (rest[0] & rest[1])


def byte_digits(q):
    """Digits to base 256, all of them."""
    rest, found = Fraction(q), []
    while rest or not found:
        rest *= 256
        found.append(int(rest))
        rest -= found[-1]
    return found


def lattice_of_bytes(spins, state, n_rows, n_cols, K, h, metropolis, n_sweeps):
    """Sweep one torus of even sides, spins[row][column] of 0 and 1, plane by plane in blocks of 64 cells."""
    generator = Generator(state)
    rows, columns = n_rows // 2, n_cols // 2
    stride = columns + 1
    n_digits = 0
    table = {}
    for own in (0, 1):
        for n in range(5):
            field = K * (2 * n - 4 + h)
            q = (
                min(math.exp(-2 * field if own else 2 * field), math.nextafter(1, 0))
                if metropolis
                else 1 / (1 + math.exp(2 * abs(field)))
            )
            table[own, n] = byte_digits(q)
            n_digits = max(n_digits, len(table[own, n]))

    def at(i, j, r, c):
        return (2 * r + i) % n_rows, (2 * c + j) % n_cols

    def cell(plane, index):
        """Spin of a cell of a plane counted from its first site: a pad, a copied row, or 0 past them."""
        i, j = plane
        r, c = divmod(index + (1 if j else 0), stride)
        c -= 1 if j else 0
        first, last = (-1, columns - 1) if j else (0, columns)
        if not -1 <= r <= rows or (r == rows and c > last) or (r == -1 and c < first):
            return 0
        y, x = at(i, j, r, c)
        return spins[y][x]

    for _ in range(n_sweeps):
        for i, j in ((0, 0), (1, 1), (0, 1), (1, 0)):
            beside = 0 if j else -1
            below = 0 if i else -stride
            updates = {}
            for start in range(0, rows * stride - 1, BLOCK):
                lanes = []
                for index in range(start, start + BLOCK):
                    n = (
                        cell((i, 1 - j), index + beside)
                        + cell((i, 1 - j), index + beside + 1)
                        + cell((1 - i, j), index + below)
                        + cell((1 - i, j), index + below + stride)
                    )
                    lanes.append((index, cell((i, j), index), n))
                answer = [None] * BLOCK
                for place in range(n_digits):
                    if place and None not in answer:
                        break
                    words = generator.plane()
                    random = [word >> 8 * b & 255 for word in words for b in range(8)]
                    for lane, (_, own, n) in enumerate(lanes):
                        if answer[lane] is None:
                            expansion = table[own, n]
                            digit = expansion[place] if place < len(expansion) else 0
                            u = (random[lane] + 128) % 256  # bytes are compared with their sign
                            if u != digit:
                                answer[lane] = int(u < digit)
                for lane, (index, own, n) in enumerate(lanes):
                    stay = own if metropolis else int((2 * n - 4 + h > 0) != (K < 0))
                    updates[index] = stay ^ (answer[lane] or 0)
            for r in range(rows):
                for c in range(columns):
                    y, x = at(i, j, r, c)
                    spins[y][x] = updates[r * stride + c]
    return [word for plane in zip(*generator.streams, strict=True) for word in plane]


def site_by_site(spins, state, bonds, fields, order, metropolis, K, n_sweeps):
    """Any graph: bonds[site] is a list of (neighbour, J); an empty order draws sites at random."""
    generator = Scalar(state)
    for _ in range(n_sweeps):
        for step in range(len(spins)):
            site = generator.below(len(spins)) if not len(order) else order[step]
            field = fields[site]
            for other, J in bonds[site]:
                field += J * spins[other]
            if metropolis and (bonds[site] or fields[site]):
                cost = 2 * (K * (field * spins[site]))
                if cost <= 0 or generator.uniform() < math.exp(-cost):
                    spins[site] = -spins[site]
            else:
                cost = 2 * (K * field)
                along = 1 if cost > 0 else -1
                spins[site] = -along if generator.uniform() < 1 / (1 + math.exp(abs(cost))) else along
    return generator.state


class Cuts:
    """Coins of probability q, drawn in blocks of 512 and used by words of 64, from the last."""

    def __init__(self, generator, q, n_blocks):
        self.generator, self.q, self.n_blocks = generator, q, n_blocks
        self.words = []

    def word(self):
        if not self.words:
            places = digits(self.q) if self.q < 1 else [1] * 1074
            blocks = []
            for _ in range(self.n_blocks):
                answer = [None] * 512
                for place, digit in enumerate(places):
                    if place >= CHECK_AFTER and None not in answer:
                        break
                    for i, bit in enumerate(bits_of(self.generator.plane())):
                        if answer[i] is None and bit != digit:
                            answer[i] = int(bit < digit)
                blocks += [bit or 0 for bit in answer]
            self.words = [blocks[i : i + 64] for i in range(0, len(blocks), 64)]
        return self.words.pop()


def clusters(spins, state, n_rows, n_cols, K, single, n_sweeps):
    """Wolff or Swendsen-Wang; spins[site] of -1 and 1, row by row; a ring is one row.

    Returns the state, and the clusters of each sweep.
    """
    generator, fair = Generator(state[:32]), Scalar(state[32:])
    sign = -1 if K < 0 else 1
    q = math.exp(-2 * abs(K))
    n = n_rows * n_cols
    found = []
    for _ in range(n_sweeps):
        cuts = Cuts(generator, q, 1 if single else 2)
        before = list(spins)
        if single:
            parts = [_wolff(spins, n_rows, n_cols, sign, cuts, fair.below(n))]
        else:
            parts = _divide(spins, n_rows, n_cols, sign, cuts, fair)
        found.append([(len(part), sum(before[site] for site in part)) for part in parts])
    return [word for plane in zip(*generator.streams, strict=True) for word in plane] + fair.state, found


def _wolff(spins, n_rows, n_cols, sign, cuts, start):
    """Grow from words of 64 sites, first come first served; their bonds get coins when they are met first."""
    coins, inside, edges = {}, set(), {}

    def bond(a, b, kind):
        """Whether the bond of a site to its right neighbour, or the one below, joins."""
        word = (kind, a // n_cols, a % n_cols // 64)
        if word not in coins:
            coins[word] = cuts.word()
        return spins[a] * spins[b] == sign and not coins[word][a % n_cols % 64]

    def reach(site):
        if site not in inside:
            edges.setdefault((site // n_cols, site % n_cols // 64), set()).add(site)

    reach(start)
    while edges:
        y, word = next(iter(edges))
        first, last = y * n_cols + 64 * word, y * n_cols + min(64 * word + 64, n_cols) - 1
        row, below, above = y * n_cols, (y + 1) % n_rows * n_cols, (y - 1) % n_rows * n_cols
        sites = edges.pop((y, word))
        joined = [bond(site, row + (site + 1 - row) % n_cols, "right") for site in range(first, last + 1)]
        for site in range(first + 1, last + 1):
            if site - 1 in sites and joined[site - 1 - first]:
                sites.add(site)
        for site in range(last - 1, first - 1, -1):
            if site + 1 in sites and joined[site - first]:
                sites.add(site)
        inside |= sites
        if last in sites and joined[-1]:
            reach(row + (last + 1 - row) % n_cols)
        if first in sites:
            beside = row + (first - 1 - row) % n_cols
            if bond(beside, first, "right"):
                reach(beside)
        for other, kind in ((below, "below"), (above, "above")) if n_rows > 1 else ():
            for site in sorted(sites):
                there = other + site - row
                if bond(site, there, "below") if kind == "below" else bond(there, site, "below"):
                    reach(there)
    for site in inside:
        spins[site] = -spins[site]
    return inside


def _divide(spins, n_rows, n_cols, sign, cuts, fair):
    """Breadth first, not the kernel's forest; both meet clusters in the order of their first sites."""
    parts = []
    n = n_rows * n_cols
    joined = {site: [] for site in range(n)}

    def tie(a, b):
        joined[a].append(b)
        joined[b].append(a)

    for y in range(n_rows):
        row = y * n_cols
        for x in range(0, n_cols - 1, 64):
            coins = cuts.word()
            for i in range(min(64, n_cols - 1 - x)):
                a = row + x + i
                if spins[a] * spins[a + 1] == sign and not coins[i]:
                    tie(a, a + 1)
        if spins[row] * spins[row + n_cols - 1] == sign and not cuts.word()[0]:
            tie(row, row + n_cols - 1)
    for y in range(n_rows if n_rows > 1 else 0):
        for x in range(0, n_cols, 64):
            coins = cuts.word()
            for i in range(min(64, n_cols - x)):
                here, above = y * n_cols + x + i, (y - 1) % n_rows * n_cols + x + i
                if spins[here] * spins[above] == sign and not coins[i]:
                    tie(here, above)
    seen, coins = [False] * n, []
    for root in range(n):
        if seen[root]:
            continue
        if not coins:
            word = fair.word()
            coins = [word >> i & 1 for i in range(63, -1, -1)]
        flip = coins.pop()
        queue, seen[root] = [root], True
        for site in queue:
            for other in joined[site]:
                if not seen[other]:
                    seen[other] = True
                    queue.append(other)
        parts.append(queue)
        if flip:
            for site in queue:
                spins[site] = -spins[site]
    return parts
