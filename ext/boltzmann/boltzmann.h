/* Heat bath of Boltzmann machines: blocks of 64 chains side by side, a float32 for each spin, the chains
 * innermost.
 *
 * An attempt sums the couplings of one unit over all units for every chain, four at a time in their order,
 *     b + t(0) + t(1) + ..., t(g) = ((x w of unit 4g + x w of the next) + ...) + ...,
 * and draws the unit by the sampler of logistic.h. Where the processor can permute a vector by another, t is
 * looked up among the signed sums of four couplings: `entries` holds the place for four spins of a chain.
 * Multiplications and additions are separate, so that every SIMD level gives the same bits: a sum that begins
 * with b + 0 is never -0, whatever zeros are added.
 */
#ifndef RBMFLOW_BOLTZMANN_H
#define RBMFLOW_BOLTZMANN_H

#include "simd/logistic.h"

enum {
    CHAINS = 64,    /* of a block */
    UNITS = 4,      /* that are summed together */
    SIGNED_SUMS = 16 /* of their couplings */
};

#define BODY "boltzmann/boltzmann_lanes.h"
#include "simd/levels.h"

static void enter_all(const float *spins, int64_t n_blocks, int64_t n_units, uint32_t *entries, int level)
{
    AT_LEVEL(level, enter_all, spins, n_blocks, n_units, entries);
}

static void sweep_units(
    float *spins, uint64_t *state, int64_t n_blocks, const float *couplings, const float *bias,
    int64_t n_units, const int32_t *order, int64_t n_attempts, float *table, uint32_t *entries, int level)
{
    AT_LEVEL(level, sweep_units, spins, state, n_blocks, couplings, bias, n_units, order, n_attempts, table,
             entries);
}

#endif
