/* Annealed importance sampling of machines of two layers.
 *
 * A chain has the spins v and meets the factors beta on the couplings one after the other. At each step,
 * with x = W'v,
 *     ln w += sum_a ln cosh(c_a + beta' x_a) - ln cosh(c_a + beta x_a),
 * and then one sweep at beta': h from the field c + beta' x, of which the exponentials are there already,
 * v from b + beta' W h.
 *
 * ln cosh a = |a| + ln(1 + exp(-2|a|)) - ln 2: products of 1 + exp(-2|a|) over the units are divided, and
 * their logarithm is taken only where the product over the steps leaves a wide range.
 *
 * Spins are bits, x is a sum of table entries, and random numbers are drawn as in block_gibbs.h,
 * whose layers this uses.
 */
#ifndef RBMFLOW_ANNEALING_H
#define RBMFLOW_ANNEALING_H

#include <math.h>
#include "block_gibbs/block_gibbs.h"

/* See annealing.pyx. */
struct annealing {
    int64_t n_visible, n_hidden, n_chains, n_betas, first, last;
    int64_t before, after; /* chains of the same generator, whose numbers are passed over */
    const double *betas;
    int8_t *visible;
    double *log_weights;
    uint64_t *state;
    char *memory;
};

enum { PANELS_AT_ONCE = 32 }; /* products of numbers between 1 and 2, one for each unit: at most 2^512 */

#define BODY "annealing/annealing_lanes.h"
#include "simd/levels.h"

static void run_annealing32(
    const struct annealing *e, const float *weights, const float *b, const float *c, int level)
{
    AT_LEVEL(level, anneal32, e, weights, b, c);
}

static void run_annealing64(
    const struct annealing *e, const double *weights, const double *b, const double *c, int level)
{
    AT_LEVEL(level, anneal64, e, weights, b, c);
}

/* Bytes that the chains work in, in single or double precision. */
static int64_t annealing_memory(int64_t n_visible, int64_t n_hidden, int64_t n_chains, int double_precision)
{
    struct annealing e = {.n_visible = n_visible, .n_hidden = n_hidden, .n_chains = n_chains};
    struct arena memory = {NULL, 0};
    if (double_precision)
        lay_out_annealed64_plain(&memory, &e);
    else
        lay_out_annealed32_plain(&memory, &e);
    return (int64_t)memory.used + 64;
}

#endif
