/* Trained uniform weights for an array of couplings, one coupling in each lane.
 *
 * The body, uniform_weight_lanes.h, is included once for every SIMD level; the operations and their order
 * are the same, so that every level gives the same bits. Compilers without vector extensions get one lane.
 */
#ifndef RBMFLOW_UNIFORM_WEIGHT_H
#define RBMFLOW_UNIFORM_WEIGHT_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#include "simd.h"

#define MAX_STEPS 200
#define MAX_SITES 256
#define MAX_HALF (MAX_SITES / 2 + 1)

/* M-dependent numbers that all lanes share; n is the number of up spins, V = 2n - M <= 0. */
struct ring_constants {
    int half, n_visible;
    double n_hidden;
    double free_law[MAX_HALF];                   /* of independent spins, both signs of V together */
    double states[MAX_HALF];                     /* the same relative to the aligned states */
    double ratio_a[MAX_HALF], ratio_c[MAX_HALF]; /* w(n) = a w(n-1) / (1 + w(n-1)) - eps c */
    double wall_a[MAX_HALF], wall_b[MAX_HALF];   /* D(n) = a D(n-1) + x b F(n) */
};

#if defined(__GNUC__)
#define LANES 8
typedef double vec __attribute__((vector_size(64)));
typedef int64_t ivec __attribute__((vector_size(64)));
#define CHOOSE(mask, a, b) ((vec)(((mask) & (ivec)(a)) | (~(mask) & (ivec)(b))))
#define NOT(mask) (~(mask))
#define LANE(x, lane) ((x)[lane])
#define BITS(x) ((ivec)(x))
#define VALUE(i) ((vec)(i))
#pragma GCC diagnostic ignored "-Wpsabi"
#else
#define LANES 1
typedef double vec;
typedef int64_t ivec;
static inline int64_t BITS(double x) { int64_t i; memcpy(&i, &x, 8); return i; }
static inline double VALUE(int64_t i) { double x; memcpy(&x, &i, 8); return x; }
#define CHOOSE(mask, a, b) ((mask) ? (a) : (b))
#define NOT(mask) (!(mask))
#define LANE(x, lane) (*(&(x) + (lane)))
#endif

#define TARGET
#define LEVEL(name) name##_plain
#include "uniform_weight_lanes.h"
#undef TARGET
#undef LEVEL

#if RBMFLOW_X86
#define TARGET TARGET_AVX2
#define LEVEL(name) name##_avx2
#include "uniform_weight_lanes.h"
#undef TARGET
#undef LEVEL
#define TARGET TARGET_AVX512
#define LEVEL(name) name##_avx512
#include "uniform_weight_lanes.h"
#undef TARGET
#undef LEVEL
#endif

static void fill_constants(struct ring_constants *c, int n_visible, double n_hidden)
{
    double m = n_visible, count = 1.0;
    c->half = n_visible / 2;
    c->n_visible = n_visible;
    c->n_hidden = n_hidden;
    for (int n = 0; n <= c->half; n++) {
        double both = 2 * n == n_visible ? 0.5 : 1.0;
        c->states[n] = both * count;
        c->free_law[n] = ldexp(2 * both * count, -n_visible);
        count = count * (m - n) / (n + 1); /* exact up to 2^53, then to an ulp a step */
        c->ratio_a[n] = n * (n - 1.0) * (m - 2 * n - 1) / ((m - n) * (m - n - 1) * (m - 2 * n + 1));
        c->ratio_c[n] = (m - 2 * n) * (m - 2 * n - 1) / ((m - n) * (m - n - 1));
        c->wall_a[n] = (n - 1) * (m - n + 1) * (m - 2 * n - 1) / ((n + 1) * (m - n - 1) * (m - 2 * n + 1));
        c->wall_b[n] = (m - 2 * n) * (m - 2 * n - 1) / ((n + 1) * (m - n - 1));
    }
}

/* Solve for n positive, finite couplings; return how many did not settle. */
static int solve_couplings(
    const double *couplings, int64_t n, int n_visible, double n_hidden, double *weights, int level)
{
    struct ring_constants constants;
    int unsettled = 0;
    fill_constants(&constants, n_visible, n_hidden);
    double threshold = 0.5 * log(n_visible / 3.0 + 1.0);
    /* one block holds couplings of one kind, weak or strong, in the order of the array */
    for (int strong = 0; strong < 2; strong++) {
        int64_t index[LANES];
        double block[LANES], root[LANES];
        int filled = 0;
        for (int64_t i = 0; i <= n; i++) {
            int last = i == n;
            if (!last && couplings[i] > 0 && couplings[i] <= 1.7976931348623157e308
                && (couplings[i] > threshold) == strong) {
                index[filled] = i;
                block[filled++] = couplings[i];
            }
            if (filled == LANES || (last && filled)) {
                for (int lane = filled; lane < LANES; lane++)
                    block[lane] = block[0];
#if RBMFLOW_X86
                if (level == SIMD_AVX512)
                    unsettled += solve_block_avx512(&constants, block, root, strong, filled);
                else if (level == SIMD_AVX2)
                    unsettled += solve_block_avx2(&constants, block, root, strong, filled);
                else
#endif
                    unsettled += solve_block_plain(&constants, block, root, strong, filled);
                for (int lane = 0; lane < filled; lane++)
                    weights[index[lane]] = root[lane];
                filled = 0;
            }
        }
    }
    for (int64_t i = 0; i < n; i++)
        if (!(couplings[i] > 0))
            weights[i] = 0.0;
        else if (couplings[i] > 1.7976931348623157e308)
            weights[i] = couplings[i];
    return unsettled;
}

#endif
