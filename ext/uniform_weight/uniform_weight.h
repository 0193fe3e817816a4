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
#include "simd/simd.h"

#define MAX_STEPS 200
#define MAX_SITES 256
#define MAX_HALF (MAX_SITES / 2 + 1)

/* Outside these couplings the limiting laws are exact to rounding,
   and W^2 or 4K could leave the range of doubles. */
#define WEAKEST 1e-40
#define STRONGEST 1e12

/* M-dependent numbers that all lanes share; n is the number of up spins, V = 2n - M <= 0. */
struct ring_constants {
    int half, n_visible;
    double n_hidden;
    double strong_from; /* coupling above which the strong form is used */
    double free_law[MAX_HALF];                   /* of independent spins, both signs of V together */
    double states[MAX_HALF];                     /* the same relative to the aligned states */
    double ratio_a[MAX_HALF], ratio_c[MAX_HALF]; /* w(n) = a w(n-1) / (1 + w(n-1)) - eps c */
    double wall_a[MAX_HALF], wall_b[MAX_HALF];   /* D(n) = a D(n-1) + x b F(n) */
};

/* W^2 = 2K/[N(M - 1)] (1 + O(K)) and NW = 2K - ln[(M^2 - M mod 2)/8]/2 + O(exp(-4K/N)); 0 for K <= 0 */
static double limiting_weight(const struct ring_constants *c, double K)
{
    double M = c->n_visible, N = c->n_hidden;
    if (K > 1.0)
        return 2.0 * ((K - 0.25 * log((M * M - c->n_visible % 2) / 8.0)) / N);
    return K > 0.0 ? sqrt(2.0 * K) / sqrt(N * (M - 1.0)) : 0.0;
}

#if RBMFLOW_VECTORS
#define CHOOSE(mask, a, b) ((vec)(((mask) & (ivec)(a)) | (~(mask) & (ivec)(b))))
#define NOT(mask) (~(mask))
#define LANE(x, lane) ((x)[lane])
#define BITS(x) ((ivec)(x))
#define VALUE(i) ((vec)(i))
#pragma GCC diagnostic ignored "-Wpsabi"
#else
static inline int64_t BITS(double x) { int64_t i; memcpy(&i, &x, 8); return i; }
static inline double VALUE(int64_t i) { double x; memcpy(&x, &i, 8); return x; }
#define CHOOSE(mask, a, b) ((mask) ? (a) : (b))
#define NOT(mask) (!(mask))
#define LANE(x, lane) (*(&(x) + (lane)))
#endif

#define BODY "uniform_weight/uniform_weight_lanes.h"
#include "simd/levels.h"

static void fill_constants(struct ring_constants *c, int n_visible, double n_hidden)
{
    double m = n_visible, count = 1.0;
    c->half = n_visible / 2;
    c->n_visible = n_visible;
    c->n_hidden = n_hidden;
    /* what cancellation is left grows like 1e-17 exp(4K) in the weak form and falls with K in the strong one:
       for M = 64 ... 256 they meet near 1.3, at 5e-15 */
    c->strong_from = fmin(0.5 * log(m / 3.0 + 1.0), 1.3);
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

/* Solve for n couplings, the positive and finite ones in blocks; return how many did not settle. */
static int solve_couplings(
    const double *couplings, int64_t n, int n_visible, double n_hidden, double *weights, int level)
{
    struct ring_constants constants;
    fill_constants(&constants, n_visible, n_hidden);
    return AT_LEVEL(level, solve_array, &constants, couplings, n, weights);
}

#endif
