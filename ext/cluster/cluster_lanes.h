/* Body of cluster.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"
#include "simd/equal_coins_lanes.h"

TARGET static void LEVEL(draw_cuts)(struct toss *toss)
{
    LEVEL(fill_coins)(toss->state, toss->digits, toss->n_digits, toss->words, toss->n_blocks);
}

FN uint64_t LEVEL(ups_of)(const int8_t *spins, int64_t n)
{
    uint64_t up = 0;
#if defined(RBMFLOW_EXPAND_AVX512)
    if (n == 64)
        return ~_mm512_movepi8_mask(_mm512_loadu_si512(spins));
#elif defined(RBMFLOW_EXPAND_AVX2)
    if (n == 64) {
        for (int half = 0; half < 64; half += 32) {
            const __m256i some = _mm256_loadu_si256((const __m256i *)(spins + half));
            up |= (uint64_t)(uint32_t)~_mm256_movemask_epi8(some) << half;
        }
        return up;
    }
#endif
    for (int64_t i = 0; i < n; i++)
        up |= (uint64_t)(spins[i] > 0) << i;
    return up;
}

TARGET static void LEVEL(pack)(const struct lattice *on, const int8_t *spins)
{
    for (int64_t y = 0; y < on->n_rows; y++)
        for (int64_t word = 0; word < on->n_words; word++) {
            const int64_t left = on->n_cols - 64 * word;
            on->up[y * on->n_words + word] =
                LEVEL(ups_of)(spins + y * on->n_cols + 64 * word, left < 64 ? left : 64);
        }
}

TARGET static void LEVEL(unpack)(const struct lattice *on, int8_t *spins)
{
    const int64_t n_sites = on->n_rows * on->n_cols;
    for (int64_t y = 0; y < on->n_rows; y++)
        for (int64_t word = 0; word < on->n_words; word++) {
            const int64_t left = on->n_cols - 64 * word, begin = y * on->n_cols + 64 * word;
            const uint64_t up = on->up[y * on->n_words + word];
            LEVEL(expand)(up, spins + begin, left < 64 ? left : 64, n_sites - begin);
        }
}

/* Totals; a bond costs -J or J. */
TARGET static void LEVEL(measure)(const struct lattice *on, int64_t *energy, int64_t *magnetization)
{
    int64_t satisfied = 0, up = 0;
    for (int64_t y = 0; y < on->n_rows; y++) {
        const uint64_t *row = on->up + y * on->n_words;
        const uint64_t *below = on->up + (y + 1 < on->n_rows ? y + 1 : 0) * on->n_words;
        for (int64_t word = 0; word < on->n_words; word++) {
            satisfied += popcount64(satisfied_right(on, row, word));
            up += popcount64(row[word]);
            if (on->n_rows > 1)
                satisfied += popcount64(satisfied_across(on, row[word], below[word], word));
        }
    }
    const int64_t n_sites = on->n_rows * on->n_cols, n_bonds = (on->n_rows > 1 ? 2 : 1) * n_sites;
    *energy = on->sign * (n_bonds - 2 * satisfied);
    *magnetization = 2 * up - n_sites;
}

/* The lowest bits of x at the places of the ones of mask. */
FN uint64_t LEVEL(deposit)(uint64_t x, uint64_t mask)
{
#if WIDTH >= 4
    return _pdep_u64(x, mask);
#else
    uint64_t found = 0;
    for (; mask; mask &= mask - 1, x >>= 1)
        found |= (mask & (0 - mask)) & (0 - (x & 1));
    return found;
#endif
}

/* Sites of all runs that reach one of `sites`; `joined` to the next site of the word. */
FN uint64_t LEVEL(fill_runs)(uint64_t joined, uint64_t sites)
{
    sites |= fill_upwards(joined << 1, sites << 1 & joined << 1);
#if WIDTH >= 4
    const uint64_t ends = ~joined, starts = ~(joined << 1);
    return ((sites & ends) << 1) - _pdep_u64(_pext_u64(sites & ends, ends), starts);
#else
    for (int step = 1; step < 64; step *= 2) {
        sites |= sites >> step & joined;
        joined &= joined >> step;
    }
    return sites;
#endif
}

/* Runs of joined neighbours, each a tree of its own, but those that the bond from end to end joins. */
TARGET static void LEVEL(divide_rows)(const struct lattice *on, struct runs *runs, struct toss *toss)
{
    int32_t n = 0;
    for (int64_t y = 0; y < on->n_rows; y++) {
        const uint64_t *row = on->up + y * on->n_words;
        const int32_t first = n;
        uint64_t joined = 0, carry = 0;
        for (int64_t word = 0; word < on->n_words; word++) {
            const uint64_t sites = sites_of(on, word), within = word + 1 < on->n_words ? sites : sites >> 1;
            joined = within ? satisfied_right(on, row, word) & within & ~cuts(toss) : 0;
            const uint64_t starts = ~(joined << 1 | carry) & sites;
            runs->starts[y * on->n_words + word] = starts;
            runs->before[y * on->n_words + word] = n - 1;
            n += popcount64(starts);
            carry = joined >> 63;
        }
        for (int32_t run = first; run < n; run++)
            runs->parent[run] = run;
        const uint64_t end = (uint64_t)(on->n_cols - 1) & 63;
        if (satisfied_right(on, row, on->n_words - 1) >> end && !(cuts(toss) & 1))
            join_parts(runs->parent, first, n - 1);
    }
    runs->n = n;
}

/* Where two runs lie side by side one bond is enough: those above the first one are left out. */
TARGET static void LEVEL(join_rows)(const struct lattice *on, struct runs *runs, struct toss *toss)
{
    int32_t *parent = runs->parent;
    for (int64_t y = 0; on->n_rows > 1 && y < on->n_rows; y++) {
        const int64_t here = y * on->n_words, above = (y ? y - 1 : on->n_rows - 1) * on->n_words;
        uint64_t carry = 0;
        for (int64_t word = 0; word < on->n_words; word++) {
            const uint64_t mine = runs->starts[here + word], others = runs->starts[above + word];
            const uint64_t satisfied = satisfied_across(on, on->up[here + word], on->up[above + word], word);
            uint64_t bonds = satisfied & ~cuts(toss);
            const uint64_t beside = ~(mine | others);
            const uint64_t implied = fill_upwards(beside, (bonds << 1 | carry) & beside);
            carry = (bonds | implied) >> 63;
            const int32_t a = runs->before[here + word], b = runs->before[above + word];
            for (bonds &= ~implied; bonds; bonds &= bonds - 1) {
                const uint64_t up_to = bonds ^ (bonds - 1);
                join_parts(parent, a + popcount64(mine & up_to), b + popcount64(others & up_to));
            }
        }
    }
}

TARGET static void LEVEL(add_all)(const struct lattice *on, struct runs *runs, struct cluster_sums *sums)
{
    const double n_sites = (double)(on->n_rows * on->n_cols);
    name_roots(runs->parent, runs->n);
    memset(runs->size, 0, (size_t)runs->n * sizeof *runs->size);
    memset(runs->total, 0, (size_t)runs->n * sizeof *runs->total);
    for (int64_t i = 0; i < on->n_rows * on->n_words; i++) {
        uint64_t left = sites_of(on, i % on->n_words), next = runs->starts[i];
        for (int32_t run = runs->before[i]; left; run++) {
            const uint64_t part = left & ((next & (0 - next)) - 1); /* all that is left if nothing is next */
            if (part) {
                const int32_t root = runs->parent[run], size = popcount64(part);
                runs->size[root] += size;
                runs->total[root] += 2 * popcount64(part & on->up[i]) - size;
            }
            left &= ~part;
            next &= next - 1;
        }
    }
    for (int32_t run = 0; run < runs->n; run++)
        if (runs->parent[run] == run)
            add_cluster(sums, runs->size[run], runs->total[run], n_sites);
}

/* A run has the coin of its root, which comes before it. */
TARGET static void LEVEL(flip_runs)(const struct lattice *on, struct runs *runs, struct toss *toss)
{
    const int32_t *parent = runs->parent;
    uint8_t *flips = runs->flips;
    int32_t run = 0;
    for (int64_t i = 0; i < on->n_rows * on->n_words; i++) {
        const uint64_t starts = runs->starts[i];
        const int n = popcount64(starts);
        /* the sites that go on with a run of the word before */
        uint64_t coins = 0, last = i % on->n_words ? 0 - (uint64_t)flips[run - 1] : 0;
        for (int k = 0; k < n; k++, run++) {
            const int root = parent[run] == run;
            if (!toss->fair_left && root)
                toss->fair = fair_word(toss), toss->fair_left = 64;
            flips[run] = (uint8_t)(toss->fair & 1);
            flips[run] = flips[parent[run]];
            coins |= (uint64_t)flips[run] << k;
            toss->fair >>= root, toss->fair_left -= root;
        }
        /* where a coin differs from the one before, and then the sum of these up to each site */
        uint64_t turned = LEVEL(deposit)(coins ^ (coins << 1 | (last & 1)), starts);
        for (int step = 1; step < 64; step *= 2)
            turned ^= turned << step;
        on->up[i] ^= (turned ^ last) & sites_of(on, i % on->n_words);
    }
}

TARGET static void LEVEL(flip_one)(
    const struct lattice *on, struct growth *at, struct toss *toss, struct cluster_sums *sums)
{
    const int64_t n_rows = on->n_rows, n_words = on->n_words, n = n_rows * n_words;
    const int64_t n_sites = n_rows * on->n_cols, end = (on->n_cols - 1) & 63;
    const int64_t start = any_site(toss, (uint64_t)n_sites);
    at->cluster++;
    at->first = at->waiting = at->n_touched = 0;
    reach(on, at, start / on->n_cols, start % on->n_cols / 64, (uint64_t)1 << (start % on->n_cols & 63));
    while (at->waiting) {
        const int64_t row = at->queue[at->first].row, word = at->queue[at->first].word;
        const int64_t here = row * n_words + word, before = word ? word - 1 : n_words - 1;
        at->first = at->first + 1 < n ? at->first + 1 : 0;
        at->waiting--;
        const uint64_t right = right_of(on, at, toss, row, word);
        const int top = word + 1 < n_words ? 63 : (int)end;
        const uint64_t joined = right & ~((uint64_t)1 << top);
        const uint64_t sites = LEVEL(fill_runs)(joined, at->edge[here]);
        at->edge[here] = 0;
        if (!at->inside[here])
            at->touched[at->n_touched].row = (int32_t)row, at->touched[at->n_touched++].word = (int32_t)word;
        at->inside[here] |= sites;
        reach(on, at, row, word + 1 < n_words ? word + 1 : 0, (sites & right) >> top & 1);
        if (sites & 1) {
            const int its_top = word ? 63 : (int)end;
            const uint64_t bond = right_of(on, at, toss, row, before) >> its_top & 1;
            reach(on, at, row, before, bond << its_top);
        }
        if (n_rows > 1) {
            const int64_t next = row + 1 < n_rows ? row + 1 : 0, above = row ? row - 1 : n_rows - 1;
            reach(on, at, next, word, sites & below_of(on, at, toss, row, next, word));
            reach(on, at, above, word, sites & below_of(on, at, toss, above, row, word));
        }
    }
    int64_t size = 0, up = 0;
    for (int64_t i = 0; i < at->n_touched; i++) {
        const int64_t here = at->touched[i].row * n_words + at->touched[i].word;
        size += popcount64(at->inside[here]);
        up += popcount64(at->inside[here] & on->up[here]);
        on->up[here] ^= at->inside[here];
        at->inside[here] = 0;
    }
    set_cluster_of_site(sums, (double)size, (double)(2 * up - size), (double)n_sites);
}

#include "simd/lanes_end.h"
