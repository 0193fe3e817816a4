"""Plain twin of the ring sampler: the same random words, Python integers, one bit at a time."""

import math
from fractions import Fraction

MASK = 2**64 - 1
STREAMS, BLOCKS, CHECK_AFTER, TAIL, BATCH, POOL = 8, 64, 9, 8, 64, 256


class Generator:
    """Eight xoshiro256++ streams; word i of the key is word i // 8 of the state of stream i % 8."""

    def __init__(self, key):
        self.streams = [[int(key[8 * word + i]) for word in range(4)] for i in range(STREAMS)]
        self.raw, self.fair = [], []

    def plane(self):
        return [self._step(state) for state in self.streams]

    @staticmethod
    def _step(state):
        def rotate(x, k):
            return (x << k | x >> (64 - k)) & MASK

        a, b, c, d = state
        result = (rotate((a + d) & MASK, 23) + a) & MASK
        shifted = b << 17 & MASK
        c, d = c ^ a, d ^ b
        b, a = b ^ c, a ^ d
        state[:] = a, b, c ^ shifted, rotate(d, 45)
        return result

    def word(self):
        if not self.raw:
            self.raw = self.plane()
        return self.raw.pop()

    def fair_bit(self):
        if not self.fair:
            word = self.word()
            self.fair = [word >> i & 1 for i in range(63, -1, -1)]
        return self.fair.pop()

    def uniform(self):
        return (self.word() >> 11) / 2**53


def digits(q):
    """Return the binary digits of q after the point, as long as they go on."""
    rest, found = Fraction(q), []
    while rest:
        rest *= 2
        found.append(int(rest >= 1))
        rest -= found[-1]
    return found


class Defects:
    """The stream of defects: refilled as a whole when too few bits are left."""

    def __init__(self, generator, q):
        self.generator, self.digits = generator, digits(q)
        self.bits, self.position = [], 0

    def take(self, n):
        if self.position + n > len(self.bits):
            self.bits = [bit for _ in range(BLOCKS) for bit in self._block()]
            self.position = 0
        self.position += n
        return self.bits[self.position - n : self.position]

    def _block(self):
        """Compare 512 uniform numbers with q, digit by digit, until all are decided."""
        result = [None] * (64 * STREAMS)
        for place, digit in enumerate(self.digits):
            if place >= CHECK_AFTER and None not in result:
                break
            words = self.generator.plane()
            bits = [word >> i & 1 for word in words for i in range(64)]
            for index, bit in enumerate(bits):
                if result[index] is None and bit != digit:
                    result[index] = int(bit < digit)
        return [bit or 0 for bit in result]


def spins_of(defects, start, up, antiferromagnetic):
    """The spins from the bonds, in the order of the path from site `start`; the last bond closes the ring."""
    path = [1 if up else -1]
    for defect in defects[:-1]:
        wall = defect != antiferromagnetic
        path.append(-path[-1] if wall else path[-1])
    return path[-start:] + path[:-start]


class Pools:
    """Tails of even and odd parity, sorted from the stream in batches."""

    def __init__(self, defects, tail):
        self.defects, self.tail, self.kept = defects, tail, ([], [])

    def take(self, parity):
        while not self.kept[parity]:
            for _ in range(BATCH):
                bits = self.defects.take(self.tail)
                pool = self.kept[sum(bits) % 2]
                if len(pool) == POOL - 1:
                    self.last = bits  # written beyond the count, never read
                else:
                    pool.append(bits)
        return self.kept[parity].pop()


def sample(q, antiferromagnetic, odd, key, size, n_sites):
    generator = Generator(key)
    defects = Defects(generator, q)
    tail = min(TAIL, n_sites - 1)
    pools = Pools(defects, tail)
    log_t = tail * math.log1p(-2 * q) if q < 0.5 else -math.inf
    keep_odd = -math.expm1(log_t) / (1 + math.exp(log_t))
    rows = []
    for _ in range(size):
        while True:
            word = generator.word()
            bonds = _pieces(defects, n_sites - tail)
            left = (odd + sum(bonds)) % 2
            if not left or (word >> 11) / 2**53 < keep_odd:
                break
        rows.append(spins_of(bonds + pools.take(left), tail, word & 1, antiferromagnetic))
    return rows


def _pieces(defects, n):
    """Bits in pieces of at most 64, as the kernel takes them."""
    return [bit for start in range(0, n, 64) for bit in defects.take(min(64, n - start))]


def sample_frustrated(probabilities, key, size):
    generator, rows = Generator(key), []
    for _ in range(size):
        odd, row = 1, []
        spin = 1 if generator.fair_bit() else -1
        for even_odd in probabilities:
            row.append(spin)
            if generator.uniform() < even_odd[odd]:
                odd = 1 - odd
            else:
                spin = -spin
        rows.append(row)
    return rows
