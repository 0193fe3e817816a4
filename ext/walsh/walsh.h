/* The Walsh transform over the states of spins, in place.
 *
 * Each site in turn replaces the two numbers that differ in it by their sum and by the upper less the lower.
 * The sites of up to 2^15 numbers are taken block by block, in the cache; the others two at a time. Every
 * number is the result of the same additions in the same order whatever the blocks and the level.
 */
#ifndef RBMFLOW_WALSH_H
#define RBMFLOW_WALSH_H

#include <stdint.h>
#include <string.h>
#include "simd/simd.h"

enum {
    SCALAR_SITES = 3, /* whose numbers stand within a vector */
    BLOCK_SITES = 15  /* 256 KiB */
};

/* One site of eight numbers or fewer. */
static inline void walsh_pairs(double *x, int64_t n, int64_t stride)
{
    for (int64_t first = 0; first < n; first += 2 * stride)
        for (int64_t k = first; k < first + stride; k++) {
            double down = x[k], up = x[k + stride];
            x[k] = down + up;
            x[k + stride] = up - down;
        }
}

#define BODY "walsh/walsh_lanes.h"
#include "simd/levels.h"

static void walsh_level(double *x, int n_sites, int level)
{
    AT_LEVEL(level, walsh, x, n_sites);
}

#endif
