/* Heat bath of Boltzmann machines: 64 chains side by side, a float32 for each spin, chains innermost.
 *
 * An attempt sums the couplings of one unit over all units, in their order, for every chain, and draws the
 * unit by the sampler of logistic.h. Multiplications and additions are separate, so that every SIMD level
 * gives the same bits.
 */
#ifndef RBMFLOW_BOLTZMANN_H
#define RBMFLOW_BOLTZMANN_H

#include "simd/logistic.h"

enum { CHAINS = 64, SUMS = 4 }; /* chains of a block; vectors of sums that are kept at a time */

#define BODY "boltzmann/boltzmann_lanes.h"
#include "simd/levels.h"

static void sweep_units(
    float *spins, uint64_t *state, const float *couplings, const float *bias, int64_t n_units,
    const int32_t *order, int64_t n_attempts, int level)
{
    AT_LEVEL(level, sweep_units, spins, state, couplings, bias, n_units, order, n_attempts);
}

#endif
