/* Annealed importance sampling of machines of two layers.
 *
 * A chain has the spins v and meets the factors beta on the couplings one after the other. At each step, with x = W'v,
 *     ln w += sum_a ln cosh(c_a + beta' x_a) - ln cosh(c_a + beta x_a),
 * and then one sweep at beta': h from the field c + beta' x, of which the exponentials are there already, v from b + beta' W h.
 * ln cosh a = |a| + ln(1 + exp(-2|a|)) - ln 2: products of 1 + exp(-2|a|) over the units are divided, and their logarithm is taken
 * only where the product over the steps leaves a wide range.
 *
 * Spins are bits, x is a sum of table entries, and random numbers are drawn as in block_gibbs.h, whose layers this uses.
 */
#ifndef RBMFLOW_ANNEALING_H
#define RBMFLOW_ANNEALING_H

#include <math.h>
#include "block_gibbs.h"

/* See annealing.pyx. */
struct annealing {
    int64_t n_visible, n_hidden, n_chains, n_betas;
    const double *betas;
    int8_t *visible;
    double *log_weights;
    uint64_t *state;
};

enum { PANELS_AT_ONCE = 32 }; /* products of numbers between 1 and 2, one for each unit: at most 2^512 */

#define BODY "annealing_lanes.h"
#include "levels.h"

static int run_annealing32(const struct annealing *e, const float *weights, const float *b, const float *c, int level)
{
    CHOOSE_LEVEL(anneal32, e, weights, b, c)
}

static int run_annealing64(
    const struct annealing *e, const double *weights, const double *b, const double *c, int level)
{
    CHOOSE_LEVEL(anneal64, e, weights, b, c)
}

#endif
