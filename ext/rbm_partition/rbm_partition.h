/* The partition function of a machine of two layers, one of them enumerated.
 *
 * Z = sum over s of exp(c.s) prod_i 2cosh(a_i), a_i = b_i + sum_j W_ij s_j. With a = alpha + beta, beta of
 * the LOW_UNITS first enumerated units, alpha of the rest and the bias: 2cosh a = exp(alpha - beta) (t + r),
 * t = exp(2 beta), r = exp(-2 alpha). The first factor is the exponential of a linear function of s, taken
 * out of the product. What is left costs one addition and one multiplication for each traced unit, of a table
 * of t over the low units and of r over the middle ones, which is made anew for each state of the high ones.
 *
 * Lanes are configurations of the low units. Every sum runs over them in one order for each of eight logical
 * lanes, with multiplications and additions apart, so that every level gives the same bits.
 */
#ifndef RBMFLOW_RBM_PARTITION_H
#define RBMFLOW_RBM_PARTITION_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#include "simd/simd.h"

enum {
    LOW_UNITS = 8,
    LOW_STATES = 1 << LOW_UNITS,
    MIDDLE_UNITS = 6,
    MIDDLE_STATES = 1 << MIDDLE_UNITS,
    FEWEST_UNITS = 10,
    BLOCK = 32,  /* low states whose entries of the table stand side by side */
    LOGICAL = 8, /* lanes that keep sums of their own, whatever the width */
    TOGETHER = 4, /* states of the middle units taken through one pass */
    ALIGNMENT = 64 /* of the tables, in bytes */
};

#define RANGE 690.0                      /* e^RANGE and e^-RANGE are normal doubles, and 2^14 times them */
#define NEVER (-((int64_t)1 << 40))      /* the exponent of an empty sum */
#define LN2_HIGH 6.93147180369123816490e-01 /* ends in zeros: k times it is exact */
#define LN2_LOW 1.90821492927058770002e-10

/* The machine and its tables. Values of states are mantissas in [1, 2) beside exponents if there are stops,
   numbers otherwise. */
struct layers {
    int64_t n_traced, n_units, n_middle, n_high_units;
    const double *weights, *traced_bias, *bias; /* W (n_traced, n_units), b, c */
    double *low;              /* t: [k, i, l] of traced unit i at low state 32 k + l */
    double *middle;           /* r, the part of the middle units: [k, i, m] at middle state 4 k + m */
    double *rising, *falling; /* exp(-2W) and exp(2W) of the high units: [j, i] */
    double *biased;           /* r, the part of the bias: [i] */
    double *high;             /* r, the part of the bias and of the high units: [i] */
    double *ratios;           /* middle * high */
    double *parts;            /* sums over the low states, if there are stops: [m, lane] */
    int64_t *scales;          /* their exponents */
    int64_t *stops; /* traced units after which a product is brought back to [1, 2), the last is n_traced */
    int64_t n_stops;
    double low_value[LOW_STATES], middle_value[MIDDLE_STATES];
    /* without stops: values with which products begin and end */
    double start[MIDDLE_STATES], end[LOW_STATES];
    int64_t low_exponent[LOW_STATES], middle_exponent[MIDDLE_STATES];
    double constant; /* what is added to every logarithm */
    int moderate;    /* whether there are no stops and products from the last t + r down stay in range too */
};

#if RBMFLOW_VECTORS
#define BITS(x) ((LEVEL(integers))(x))
#define VALUE(i) ((LEVEL(vector))(i))
#define MASK(condition) ((LEVEL(integers))(condition))
#pragma GCC diagnostic ignored "-Wpsabi"
#else
static inline int64_t BITS(double x) { int64_t i; memcpy(&i, &x, 8); return i; }
static inline double VALUE(int64_t i) { double x; memcpy(&x, &i, 8); return x; }
#define MASK(condition) (-(int64_t)(condition))
#endif

#if defined(__GNUC__)
#define NOT_INLINE __attribute__((noinline))
#else
#define NOT_INLINE
#endif

#define BODY "rbm_partition/rbm_partition_lanes.h"
#include "simd/levels.h"

/* How many numbers the tables of a machine hold. */
static inline int64_t count_doubles(int64_t n_traced, int64_t n_units)
{
    return n_traced * (LOW_STATES + 2 * MIDDLE_STATES + 2 + 2 * (n_units - LOW_UNITS))
        + MIDDLE_STATES * LOGICAL + ALIGNMENT / (int64_t)sizeof(double);
}

static inline int64_t count_integers(int64_t n_traced)
{
    return MIDDLE_STATES * LOGICAL + n_traced;
}

static void place_tables(struct layers *of, double *doubles, int64_t *integers)
{
    int64_t rest = of->n_units - LOW_UNITS, middle_units = rest < MIDDLE_UNITS ? rest : MIDDLE_UNITS;
    of->n_middle = (int64_t)1 << middle_units;
    of->n_high_units = rest - middle_units;
    doubles = (double *)(((uintptr_t)doubles + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    of->low = doubles, doubles += LOW_STATES * of->n_traced;
    of->middle = doubles, doubles += of->n_middle * of->n_traced;
    of->ratios = doubles, doubles += of->n_middle * of->n_traced;
    of->biased = doubles, doubles += of->n_traced;
    of->high = doubles, doubles += of->n_traced;
    of->rising = doubles, doubles += of->n_high_units * of->n_traced;
    of->falling = doubles, doubles += of->n_high_units * of->n_traced;
    of->parts = doubles;
    of->scales = integers;
    of->stops = integers + MIDDLE_STATES * LOGICAL;
}

static inline double log_sum_of_two(double x, double y)
{
    return fmax(x, y) + log1p(exp(-fabs(x - y)));
}

/* Bounds on ln(t + r) of one traced unit; 0 if t, r or a factor of r can leave the range of doubles. */
static int bound_factor(const struct layers *of, int64_t i, double *lowest, double *highest)
{
    const double *w = of->weights + i * of->n_units;
    double low = 0.0, rest = 0.0, b = of->traced_bias[i];
    for (int64_t j = 0; j < of->n_units; j++)
        *(j < LOW_UNITS ? &low : &rest) += 2.0 * fabs(w[j]);
    *lowest = log_sum_of_two(-low, -2.0 * b - rest);
    *highest = log_sum_of_two(low, rest - 2.0 * b);
    return low <= RANGE && rest + 2.0 * fabs(b) <= RANGE - 1.0;
}

/* exp(x) as a mantissa in [1, 2) and an exponent */
static double mantissa_of_exp(double x, int64_t *exponent)
{
    double k = floor(x / (LN2_HIGH + LN2_LOW));
    int more;
    double value = frexp(exp((x - k * LN2_HIGH) - k * LN2_LOW), &more);
    *exponent = (int64_t)k + more - 1;
    return 2.0 * value;
}

/* Sum of +-x_j over the units, + where the digit of the state is 1. */
static inline double linear(const double *x, int64_t n, int64_t state)
{
    double sum = 0.0;
    for (int64_t j = 0; j < n; j++)
        sum += state >> j & 1 ? x[j] : -x[j];
    return sum;
}

/* Products of exp(+-x_j) over the states of n units, + where the digit is 1, times `start`. */
static void fill_products(const double *x, int64_t n, double start, double *product)
{
    product[0] = start;
    for (int64_t j = 0; j < n; j++) {
        double up = exp(x[j]), down = 1.0 / up;
        for (int64_t state = 0, end = (int64_t)1 << j; state < end; state++) {
            product[state + end] = product[state] * up;
            product[state] = product[state] * down;
        }
    }
}

/* Values of the states of n units, times 2^shift. */
static void fill_values(
    const struct layers *of, const double *x, int64_t n, int shift, double *value, int64_t *exponent)
{
    if (!of->n_stops) {
        fill_products(x, n, ldexp(1.0, shift), value);
        return;
    }
    for (int64_t state = 0; state < (int64_t)1 << n; state++)
        value[state] = mantissa_of_exp(linear(x, n, state), &exponent[state]);
}

/* Whether all products of t + r, begun with the value of a low or of a middle state, stay in range:
   then *shift is the power of 2 to begin with. If not, and each alone does, the stops are set. */
static int choose_stops(struct layers *of, double low_reach, double middle_reach, int *shift)
{
    double lowest = 0.0, highest = 0.0, down = 0.0, up = 0.0, since_down = 0.0, since_up = 1.0;
    double any_up = 0.0, any_down = 0.0; /* of products that begin anywhere */
    of->n_stops = 0;
    for (int64_t i = 0; i < of->n_traced; i++) {
        double least, most;
        if (!bound_factor(of, i, &least, &most))
            return 0;
        down += least, up += most;
        lowest = fmin(lowest, down), highest = fmax(highest, up);
        any_down += fmin(least, 0.0), any_up += fmax(most, 0.0);
        if (i && (since_up + fmax(most, 0.0) > RANGE || since_down + fmin(least, 0.0) < -RANGE)) {
            of->stops[of->n_stops++] = i;
            since_down = 0.0, since_up = 1.0;
        }
        since_down += fmin(least, 0.0), since_up += fmax(most, 0.0);
    }
    of->stops[of->n_stops++] = of->n_traced;
    of->moderate = any_up <= RANGE && any_down >= -RANGE;
    lowest -= low_reach + middle_reach, highest += low_reach + middle_reach;
    *shift = 0;
    if (highest - lowest <= 2.0 * RANGE) {
        of->n_stops = 0;
        *shift = (int)floor(-0.5 * (highest + lowest) / LN2_HIGH);
    } else
        of->moderate = 0;
    return 1;
}

/* Fill the tables; 0 if the weights are too large for them. `x` is room for n_units numbers. */
static int fill_tables(struct layers *of, double *x)
{
    double low_reach = 0.0, middle_reach = 0.0;
    int64_t n = of->n_traced, top = of->n_units - of->n_high_units;
    int shift;
    of->constant = 0.0;
    for (int64_t i = 0; i < n; i++)
        of->constant += of->traced_bias[i];
    for (int64_t j = 0; j < of->n_units; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++)
            sum += of->weights[i * of->n_units + j];
        x[j] = of->bias[j] + (j < LOW_UNITS ? -sum : sum); /* of exp(alpha - beta) */
        if (j < top)
            *(j < LOW_UNITS ? &low_reach : &middle_reach) += fabs(x[j]);
    }
    if (!choose_stops(of, low_reach, middle_reach, &shift))
        return 0;
    of->constant -= shift * (LN2_HIGH + LN2_LOW);
    fill_values(of, x, LOW_UNITS, shift, of->low_value, of->low_exponent);
    fill_values(of, x + LOW_UNITS, top - LOW_UNITS, 0, of->middle_value, of->middle_exponent);
    /* powers of 2 are exact: products begin where they stay in range */
    for (int64_t m = 0; m < of->n_middle; m++)
        of->start[m] = of->middle_value[m] * ldexp(1.0, shift);
    for (int k = 0; k < LOW_STATES; k++)
        of->end[k] = of->low_value[k] * ldexp(1.0, -shift);
    for (int64_t i = 0; i < n; i++) {
        double y[LOW_UNITS], inner[BLOCK], outer[LOW_STATES / BLOCK], middle[MIDDLE_STATES];
        const double *w = of->weights + i * of->n_units;
        for (int j = 0; j < LOW_UNITS; j++)
            y[j] = 2.0 * w[j];
        fill_products(y, 5, 1.0, inner);
        fill_products(y + 5, LOW_UNITS - 5, 1.0, outer);
        for (int k = 0; k < LOW_STATES / BLOCK; k++)
            for (int l = 0; l < BLOCK; l++)
                of->low[(k * n + i) * BLOCK + l] = inner[l] * outer[k];
        for (int64_t j = LOW_UNITS; j < top; j++)
            y[j - LOW_UNITS] = -2.0 * w[j];
        fill_products(y, top - LOW_UNITS, 1.0, middle);
        for (int64_t m = 0; m < of->n_middle; m++)
            of->middle[(m / TOGETHER * n + i) * TOGETHER + m % TOGETHER] = middle[m];
        for (int64_t j = 0; j < of->n_high_units; j++) {
            of->rising[j * n + i] = exp(-2.0 * w[top + j]);
            of->falling[j * n + i] = 1.0 / of->rising[j * n + i];
        }
        of->biased[i] = exp(-2.0 * of->traced_bias[i]);
    }
    return 1;
}

static void fill_ratios(struct layers *of, int64_t high_state)
{
    memcpy(of->high, of->biased, sizeof(double) * (size_t)of->n_traced);
    for (int64_t j = 0; j < of->n_high_units; j++) {
        const double *factor = (high_state >> j & 1 ? of->rising : of->falling) + j * of->n_traced;
        for (int64_t i = 0; i < of->n_traced; i++)
            of->high[i] *= factor[i];
    }
    for (int64_t m = 0; m < of->n_middle * of->n_traced; m += TOGETHER * of->n_traced)
        for (int64_t i = 0; i < of->n_traced; i++)
            for (int u = 0; u < TOGETHER; u++)
                of->ratios[m + i * TOGETHER + u] = of->middle[m + i * TOGETHER + u] * of->high[i];
}

/* ln of the sum of eight lanes, each sums * 2^exponents */
static double log_of_lanes(const double *sums, const int64_t *exponents)
{
    int64_t top = exponents[0];
    double total = 0.0;
    for (int lane = 1; lane < LOGICAL; lane++)
        top = exponents[lane] > top ? exponents[lane] : top;
    for (int lane = 0; lane < LOGICAL; lane++)
        total += ldexp(sums[lane], exponents[lane] < top - 2000 ? -2000 : (int)(exponents[lane] - top));
    return log(total) + (double)top * LN2_HIGH + (double)top * LN2_LOW;
}

/* ln sum of exp(x), the sum compensated (Kahan) */
static double log_sum_exp(const double *x, int64_t n)
{
    double top = x[0], sum = 0.0, lost = 0.0;
    for (int64_t k = 1; k < n; k++)
        top = fmax(top, x[k]);
    for (int64_t k = 0; k < n; k++) {
        double term = exp(x[k] - top) - lost, next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    return top + log(sum);
}

static void sum_at_level(struct layers *of, double *sums, int64_t *exponents, int level)
{
    AT_LEVEL(level, sum_states, of, sums, exponents);
}

/* The logarithms of the sums of the high states first ... last - 1;
   returns 0 if the weights are too large. */
static int log_sums_level(
    const double *weights, const double *traced_bias, const double *bias, int64_t n_traced, int64_t n_units,
    int64_t first, int64_t last, double *doubles, int64_t *integers, double *logs, int level)
{
    struct layers of = {.n_traced = n_traced, .n_units = n_units,
                        .weights = weights, .traced_bias = traced_bias, .bias = bias};
    double x[64];
    place_tables(&of, doubles, integers);
    if (!fill_tables(&of, x))
        return 0;
    for (int64_t state = first; state < last; state++) {
        double sums[LOGICAL];
        int64_t exponents[LOGICAL];
        fill_ratios(&of, state);
        sum_at_level(&of, sums, exponents, level);
        logs[state - first] = log_of_lanes(sums, exponents)
            + linear(x + n_units - of.n_high_units, of.n_high_units, state) + of.constant;
    }
    return 1;
}

static void list_at_level(const struct layers *of, double *values, int level)
{
    AT_LEVEL(level, list_states, of, values);
}

/* The weights of all states of the high states first ... last - 1, and what is to be added to the logarithms
   of those of each; 0 if the weights are too large or the products would need stops. */
static int state_weights_level(
    const double *weights, const double *traced_bias, const double *bias, int64_t n_traced, int64_t n_units,
    int64_t first, int64_t last, double *doubles, int64_t *integers, double *values, double *scales,
    int level)
{
    struct layers of = {.n_traced = n_traced, .n_units = n_units,
                        .weights = weights, .traced_bias = traced_bias, .bias = bias};
    double x[64];
    place_tables(&of, doubles, integers);
    if (!fill_tables(&of, x) || of.n_stops)
        return 0;
    for (int64_t state = first; state < last; state++) {
        fill_ratios(&of, state);
        list_at_level(&of, values + (state - first) * of.n_middle * LOW_STATES, level);
        scales[state - first]
            = linear(x + n_units - of.n_high_units, of.n_high_units, state) + of.constant;
    }
    return 1;
}

#include "rbm_partition/rbm_partition_moments.h"

#undef BITS
#undef VALUE
#undef MASK
#undef NEVER
#undef NOT_INLINE
#undef RANGE
#undef LN2_HIGH
#undef LN2_LOW
#endif
