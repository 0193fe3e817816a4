/* Single-spin dynamics of blocks of 64 chains on any graph: bit c of the word of a site is the spin of chain
 * c, 1 for up. Couplings, fields and the chains' K are any real numbers.
 *
 * The local field of a site is a sum of 32-bit integers, multiples of a power of two that is the site's own
 * and at most 2^-29 of sum |J| + |h|: sums have no roundings, do not depend on their order, and vanish where
 * the fields do. A field times K is then rounded to float32, and the sampler of simd/logistic.h draws.
 * Of each step of a block's generator the sixteen halves go to sixteen chains, four steps to an attempt.
 *
 * The body, graph_replicas_lanes.h, is included once for each SIMD level.
 */
#ifndef RBMFLOW_GRAPH_REPLICAS_H
#define RBMFLOW_GRAPH_REPLICAS_H

#include <stdint.h>
#include <string.h>
#include "simd/simd.h"
#include "simd/logistic.h"

enum {
    CHAINS = 64, /* of a block */
    STEPS = CHAINS / LANES32 /* of the generator, for an attempt */
};

struct rows {
    int64_t n_sites;
    const int32_t *indptr, *indices;
    const int32_t *weights; /* of the neighbours of each site, twice J in its unit, modulo 2^32 */
    const int32_t *bases;   /* h - sum J, what is left of the field where all neighbours are down */
    const float *units;     /* over the largest one, powers of two */
};

struct bonds {
    int64_t n_bonds;
    const int32_t *ends;          /* two sites of each */
    const double *walls, *downs; /* twice J and twice h: what an unsatisfied bond and a spin down cost */
    double ground;               /* the energy where all spins are up */
    int in_field;                /* whether there is any field */
};

struct sites {
    int64_t n_attempts;
    const int32_t *order;
    int metropolis;
};

/* Rows and columns of 64 x 64 bits exchanged: bit i of row r for bit r of row i. */
static inline void transpose(uint64_t *square)
{
    uint64_t mask = UINT32_MAX;
    for (int step = 32; step; step >>= 1, mask ^= mask << step)
        for (int i = 0; i < 64; i = (i + step + 1) & ~step) {
            uint64_t swap = ((square[i] >> step) ^ square[i + step]) & mask;
            square[i] ^= swap << step;
            square[i + step] ^= swap;
        }
}

/* Bytes to bits; chains that are not there are down. */
static void pack_block(uint64_t *spins, int64_t n_sites, int64_t n_chains, const int8_t *from)
{
    for (int64_t first = 0; first < n_sites; first += 64) {
        const int64_t n = n_sites - first < 64 ? n_sites - first : 64;
        uint64_t square[CHAINS] = {0};
        for (int64_t chain = 0; chain < n_chains; chain++)
            for (int64_t i = 0; i < n; i++)
                square[chain] |= (uint64_t)(from[chain * n_sites + first + i] > 0) << i;
        transpose(square);
        memcpy(spins + first, square, (size_t)n * sizeof *square);
    }
}

#define BODY "graph_replicas/graph_replicas_lanes.h"
#include "simd/levels.h"

static void sweep_block(
    uint64_t *spins, uint64_t *state, const float *K, const struct rows *on, const struct sites *sites,
    int64_t n_sweeps, int level)
{
    AT_LEVEL(level, sweep, spins, state, K, on, sites, n_sweeps);
}

static void measure_block(
    const uint64_t *spins, int64_t n_sites, const struct bonds *bonds, double *energy, int32_t *up, int level)
{
    AT_LEVEL(level, measure, spins, n_sites, bonds, energy, up);
}

/* Bits to bytes, sites to columns. */
static void unpack_block(
    const uint64_t *spins, int64_t n_sites, int64_t n_chains, int8_t *out, int64_t stride, int level)
{
    AT_LEVEL(level, unpack, spins, n_sites, n_chains, out, stride);
}

#endif
