/* Body of enumeration.h for one SIMD level, that of the bit-sliced tally for vectors of
 * 2^LANE_BITS bits: the includer sets WIDTH, TARGET and LEVEL. The plain level counts
 * one configuration after the other, in enumeration.h.
 *
 * A vector holds one bit for each of the 2^LANE_BITS configurations that differ in their low spins:
 * lane l has low spins l. The spins above them, u, are common to all lanes.
 */
#if WIDTH >= 4
#define LANE_BITS (WIDTH == 8 ? 9 : 8)
#include "simd/popcount_lanes.h"

typedef LEVEL(words) LEVEL(lanes);
typedef LEVEL(lanes) LEVEL(stored_lanes) __attribute__((may_alias));

/* Per lane: the sum modulo 16 of the bits and of 2, 4 and 8 times the higher digits of a number common to
 * all lanes. Its lowest digit is one of the bits, which saves an adder. */
TARGET ALWAYS_INLINE void LEVEL(add_modulo_16)(
    const LEVEL(lanes) *bit,   /* IN (11,) zeros where there are fewer */
    const uint64_t *common,    /* IN (4,) words of equal bits; the first is not read */
    LEVEL(lanes) *digit)       /* OUT (4,) */
{
    typedef LEVEL(lanes) lanes;
    const lanes zero = {0};
    lanes sum_a = XOR3(bit[0], bit[1], bit[2]), two_a = MAJORITY(bit[0], bit[1], bit[2]);
    lanes sum_b = XOR3(bit[3], bit[4], bit[5]), two_b = MAJORITY(bit[3], bit[4], bit[5]);
    lanes sum_c = XOR3(bit[6], bit[7], bit[8]), two_c = MAJORITY(bit[6], bit[7], bit[8]);
    lanes sum_d = XOR3(sum_a, sum_b, sum_c), two_d = MAJORITY(sum_a, sum_b, sum_c);
    lanes two = zero + common[1], four = zero + common[2], eight = zero + common[3];

    digit[0] = XOR3(sum_d, bit[9], bit[10]);
    lanes two_e = MAJORITY(sum_d, bit[9], bit[10]);
    lanes sum_f = XOR3(two_a, two_b, two_c), four_f = MAJORITY(two_a, two_b, two_c);
    lanes sum_g = XOR3(two_d, two_e, two), four_g = MAJORITY(two_d, two_e, two);
    digit[1] = sum_f ^ sum_g;
    lanes four_h = sum_f & sum_g;
    lanes sum_i = XOR3(four_f, four_g, four_h), eight_i = MAJORITY(four_f, four_g, four_h);
    digit[2] = sum_i ^ four;
    digit[3] = XOR3(eight_i, sum_i & four, eight);
}

/* Tally the 2^LANE_BITS configurations with high spins u, the lowest of which is `edge`.
 *
 *     0 | b0 b1 ... | edge ...      the ring's last spin is down: a 0 stands before b0
 *
 * Modulo 16 is enough: beside those of u there are 0..9 more up spins and 0..5 more wall pairs.
 * As u ends with a down spin, its own walls are odd in number if and only if `edge` is up; one wall among
 * the low spins then completes a pair, and k_high counts it.
 */
TARGET ALWAYS_INLINE void LEVEL(tally_lanes)(
    const uint64_t (*low)[LANE_WORDS],       /* IN (9, LANE_WORDS) the low spins of all lanes */
    uint64_t u, int edge,                    /* IN */
    LEVEL(lanes) (*tally)[MAX_SITES + 1])    /* INOUT (MAX_SITES/2 + 1, MAX_SITES + 1) by k, n */
{
    typedef LEVEL(lanes) lanes;
    const int n_high = popcount64(u), walls_high = popcount64(u ^ (u >> 1));
    const int k_high = (walls_high + edge) / 2;
    const lanes zero = {0};
    const uint64_t *n_digit = spread_digits[n_high & 15], *walls_digit = spread_digits[walls_high & 15];
    lanes spin[11] = {{0}}, wall[11] = {{0}}, n[4], walls[4];

    for (int i = 0; i < LANE_BITS; i++) {
        spin[i] = *(const LEVEL(stored_lanes) *)low[i];
        wall[i] = i == 0 ? spin[0] : spin[i] ^ spin[i - 1];
    }
    wall[LANE_BITS] = edge ? ~spin[LANE_BITS - 1] : spin[LANE_BITS - 1];
    spin[LANE_BITS] = zero + n_digit[0];
    wall[LANE_BITS + 1] = zero + walls_digit[0];
    LEVEL(add_modulo_16)(spin, n_digit, n);
    LEVEL(add_modulo_16)(wall, walls_digit, walls);

    /* Lanes with n = a modulo 4, with n/4 = b modulo 4, with k = walls/2 = c modulo 8. */
    const lanes n_low_is[4] = {~(n[0] | n[1]), n[0] & ~n[1], n[1] & ~n[0], n[0] & n[1]};
    const lanes n_top_is[4] = {~(n[2] | n[3]), n[2] & ~n[3], n[3] & ~n[2], n[2] & n[3]};
    lanes k_is[8], k_mask[6];
    for (int c = 0; c < 8; c++)
        k_is[c] = (c & 1 ? walls[1] : ~walls[1]) & (c & 2 ? walls[2] : ~walls[2])
            & (c & 4 ? walls[3] : ~walls[3]);
    for (int j = 0; j < 6; j++)
        k_mask[j] = k_is[(k_high + j) & 7];

#pragma GCC unroll 10
    for (int i = 0; i <= LANE_BITS; i++) {
        const lanes n_mask = n_low_is[(n_high + i) & 3] & n_top_is[((n_high + i) >> 2) & 3];
#pragma GCC unroll 6
        for (int j = 0; j < 6; j++)
            if (REACHABLE(i, j, edge))
                tally[k_high + j][n_high + i] += LEVEL(ones_of_both)(n_mask, k_mask[j]);
    }
}

TARGET static void LEVEL(tally)(int n_sites, uint64_t first, uint64_t last, uint64_t *counts)
{
    LEVEL(lanes) tally[MAX_SITES / 2 + 1][MAX_SITES + 1];
    const uint64_t (*low)[LANE_WORDS] = low_spins;
    memset(tally, 0, sizeof tally);
    for (uint64_t u = first >> LANE_BITS; u < last >> LANE_BITS; u += 2) {
        REREAD(low);
        LEVEL(tally_lanes)(low, u, 0, tally);
        REREAD(low);
        LEVEL(tally_lanes)(low, u + 1, 1, tally);
    }
    for (int k = 0; k <= n_sites / 2; k++)
        for (int n = 0; n < n_sites; n++) {
            uint64_t number = 0;
            for (int w = 0; w < (1 << LANE_BITS) / 64; w++)
                number += tally[k][n][w];
            count_pairs(counts, n_sites, k, n, number);
        }
}

#undef LANE_BITS
#endif
