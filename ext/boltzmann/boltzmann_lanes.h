/* Body of boltzmann.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"
#include "simd/logistic_lanes.h"

#define FLOATS ((int)(sizeof(LEVEL(floats)) / sizeof(float)))

TARGET static void LEVEL(sweep_units)(
    float *spins, uint64_t *state, const float *couplings, const float *bias, int64_t n_units,
    const int32_t *order, int64_t n_attempts)
{
    float sums[CHAINS];
    for (int64_t attempt = 0; attempt < n_attempts; attempt++) {
        const int64_t unit = order[attempt];
        const float *row = couplings + unit * n_units;
        for (int first = 0; first < CHAINS; first += SUMS * FLOATS) {
            LEVEL(floats) sum[SUMS], x;
            memset(sum, 0, sizeof sum);
            for (int k = 0; k < SUMS; k++)
                sum[k] = sum[k] + bias[unit];
            for (int64_t other = 0; other < n_units; other++)
                for (int k = 0; k < SUMS; k++) {
                    memcpy(&x, spins + other * CHAINS + first + k * FLOATS, sizeof x);
                    sum[k] = sum[k] + x * row[other];
                }
            memcpy(sums + first, sum, sizeof sum);
        }
        LEVEL(sample_steps32)(state, sums, spins + unit * CHAINS, CHAINS / LANES32);
    }
}

#undef FLOATS
#include "simd/lanes_end.h"
