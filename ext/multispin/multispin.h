/* Single-spin dynamics of 512 replicas at once: bit r of a word of a site is the spin of replica r, 1 for up.
 *
 * Sites have two or four neighbours, or each a number of its own up to six, whose bonds have signs; a
 * coupling K of their own in each replica, and no field. Neighbours are counted by adders of bits, and one
 * uniform number for each replica is compared, most significant bit first, with the probability that the
 * count selects, until all 512 comparisons are decided: coins of full precision. A replica's coins are its
 * own.
 *
 * The body, multispin_lanes.h, is included once for each SIMD level.
 */
#ifndef RBMFLOW_MULTISPIN_H
#define RBMFLOW_MULTISPIN_H

#include <stdint.h>
#include <string.h>
#include "simd/simd.h"
#include "simd/spin_bytes.h"

enum { WORDS = 8, REPLICAS = 64 * WORDS, PLANES = 40, SURE = 12, INPUTS = 6, CLASSES = 3 };

/* The replicas' couplings, as bits. Digit i of the probability to disagree with neighbours that all agree is
   digits[i][0], with one neighbour against three digits[i][1]. */
struct rule {
    int metropolis;
    int64_t n_digits;
    const uint64_t (*digits)[2][WORDS];
    const uint64_t *negative, *active; /* replicas with K < 0; replicas whose coins are waited for */
};

struct sites {
    int64_t n_sites, n_attempts;
    int degree; /* 2 or 4: the first half of a site's neighbours are those of its own bonds */
    const int32_t *neighbours, *order;
};

/* The same where numbers of neighbours differ. A site has six inputs, or five if the number is odd: its
   neighbours, then pairs of a word of zeros and one of ones, rows n_sites and n_sites + 1 of the spins, which
   leave the difference between ups and downs as it is. */
struct mixed_rule {
    int metropolis;
    int64_t n_digits;
    /* of the probabilities where that difference is 2, 4 or 6, or 1, 3 or 5 */
    const uint64_t (*digits)[2][CLASSES][WORDS];
    const uint64_t *negative, *active;
};

struct mixed_sites {
    int64_t n_sites, n_attempts, n_bonds;
    const int32_t *inputs; /* (n_sites, INPUTS) */
    const uint8_t *signs;  /* (n_sites,) bit k where the bond to neighbour k is negative */
    const uint8_t *degrees;
    const int32_t *order;
    const int32_t *ends;      /* (n_bonds, 2) */
    const uint8_t *bond_signs; /* (n_bonds,) 1 where J is negative */
};

#define BODY "multispin/multispin_lanes.h"
#include "simd/levels.h"

static void sweep_replicas(
    uint64_t *spins, uint64_t *state, const struct sites *on, const struct rule *rule, int64_t n_sweeps,
    int level)
{
    AT_LEVEL(level, sweep, spins, state, on, rule, n_sweeps);
}

static void measure_replicas(
    const uint64_t *spins, const struct sites *on, int32_t *energy, int32_t *magnetization, int level)
{
    AT_LEVEL(level, measure, spins, on, energy, magnetization);
}

static void sweep_mixed_replicas(
    uint64_t *spins, uint64_t *state, const struct mixed_sites *on, const struct mixed_rule *rule,
    int64_t n_sweeps, int level)
{
    AT_LEVEL(level, sweep_mixed, spins, state, on, rule, n_sweeps);
}

static void measure_mixed_replicas(
    const uint64_t *spins, const struct mixed_sites *on, int32_t *energy, int32_t *magnetization, int level)
{
    AT_LEVEL(level, measure_mixed, spins, on, energy, magnetization);
}

static void pack_replicas(uint64_t *spins, int64_t n_sites, int64_t n_replicas, const int8_t *from, int level)
{
    AT_LEVEL(level, pack, spins, n_sites, n_replicas, from);
}

static void unpack_replicas(
    const uint64_t *spins, int64_t n_sites, int64_t n_replicas, int8_t *out, int64_t stride, int level)
{
    AT_LEVEL(level, unpack, spins, n_sites, n_replicas, out, stride);
}

#endif
