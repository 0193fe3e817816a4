/* Body of rbm_partition.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

/* vectors of low states that go through a pass together, as the registers allow */
#define TILE (WIDTH == 8 ? 4 : 2)
#define FN TARGET ALWAYS_INLINE
#define vec LEVEL(vector)
#define ivec LEVEL(integers)

#if RBMFLOW_VECTORS
typedef double vec __attribute__((vector_size(8 * WIDTH)));
typedef int64_t ivec __attribute__((vector_size(8 * WIDTH)));
#else
typedef double vec;
typedef int64_t ivec;
#endif

FN vec LEVEL(load)(const double *from)
{
    vec x;
    memcpy(&x, from, sizeof x);
    return x;
}

FN vec LEVEL(all)(double x)
{
    return x - (vec){0};
}

/* p *= prod_i (t_i + r_i) for TILE * WIDTH low states and TOGETHER states of the others. */
FN void LEVEL(multiply)(
    const double *t, const double *r, int64_t first, int64_t last, vec p[TILE][TOGETHER])
{
    vec q[TILE][TOGETHER];
    for (int k = 0; k < TILE; k++)
        for (int u = 0; u < TOGETHER; u++)
            q[k][u] = p[k][u];
    for (int64_t i = first; i < last; i++)
        for (int k = 0; k < TILE; k++) {
            vec low = LEVEL(load)(t + i * BLOCK + k * WIDTH);
            for (int u = 0; u < TOGETHER; u++)
                q[k][u] = q[k][u] * (low + r[i * TOGETHER + u]);
        }
    for (int k = 0; k < TILE; k++)
        for (int u = 0; u < TOGETHER; u++)
            p[k][u] = q[k][u];
}

/* The same, not inlined: beside the exponents the compiler would not keep the products in registers. */
TARGET NOT_INLINE static void LEVEL(multiply_apart)(
    const double *t, const double *r, int64_t first, int64_t last, vec p[TILE][TOGETHER])
{
    LEVEL(multiply)(t, r, first, last, p);
}

/* Take the exponent of x > 0, normal, away: x in [1, 2) is left. */
FN vec LEVEL(split)(vec x, ivec *exponent)
{
    ivec bits = BITS(x);
    *exponent += (bits >> 52) - 1023; /* the sign is 0 */
    return VALUE((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
}

/* 2^k for k <= 0; below -1022 the smallest normal number, which adds nothing to one of order 1. */
FN vec LEVEL(power)(ivec k)
{
    ivec small = MASK(k < -1022);
    return VALUE(((k & ~small) + (-1022 & small) + 1023) << 52);
}

/* (sum, exponent) += (value, by), lane by lane */
FN void LEVEL(add_scaled)(double *sum, int64_t *exponent, vec value, ivec by)
{
    vec s = LEVEL(load)(sum);
    ivec e;
    memcpy(&e, exponent, sizeof e);
    ivec larger = MASK(by > e), top = (by & larger) | (e & ~larger);
    s = s * LEVEL(power)(e - top) + value * LEVEL(power)(by - top);
    memcpy(sum, &s, sizeof s);
    memcpy(exponent, &top, sizeof top);
}

/* Products of TILE * WIDTH low states and TOGETHER middle ones, but for the values of the low states. */
FN void LEVEL(multiply_all)(const struct layers *of, const double *t, int64_t m, vec p[TILE][TOGETHER])
{
    for (int k = 0; k < TILE; k++)
        for (int u = 0; u < TOGETHER; u++)
            p[k][u] = LEVEL(all)(of->start[m + u]);
    LEVEL(multiply)(t, of->ratios + m * of->n_traced, 0, of->n_traced, p);
}

/* The sum over the low and the middle states for one high state, in eight lanes: all in the range of doubles.
   A tile of low states meets all middle states before the next one comes: it stays in the cache, its sums
   over them in registers. */
FN void LEVEL(sum_low_and_middle)(const struct layers *of, double *sums)
{
    memset(sums, 0, sizeof(double) * LOGICAL);
    for (int at = 0; at < LOW_STATES; at += TILE * WIDTH) {
        const double *t = of->low + at / BLOCK * BLOCK * of->n_traced + at % BLOCK;
        vec totals[TILE];
        for (int k = 0; k < TILE; k++)
            totals[k] = LEVEL(all)(0.0);
        for (int64_t m = 0; m < of->n_middle; m += TOGETHER) {
            vec p[TILE][TOGETHER];
            LEVEL(multiply_all)(of, t, m, p);
            for (int k = 0; k < TILE; k++)
                totals[k] = totals[k] + ((p[k][0] + p[k][1]) + (p[k][2] + p[k][3]));
        }
        for (int k = 0; k < TILE; k++) {
            double *sum = sums + (at + k * WIDTH) % LOGICAL;
            vec s = LEVEL(load)(sum) + totals[k] * LEVEL(load)(of->end + at + k * WIDTH);
            memcpy(sum, &s, sizeof s);
        }
    }
}

/* Sums over the low states for each state of the middle units, in eight lanes each, the exponents apart and
   the products brought back to [1, 2) at every stop. */
FN void LEVEL(sum_low_scaled)(const struct layers *of)
{
    double *parts = of->parts;
    int64_t *scales = of->scales;
    for (int64_t k = 0; k < LOGICAL * of->n_middle; k++)
        parts[k] = 0.0, scales[k] = NEVER;
    for (int at = 0; at < LOW_STATES; at += TILE * WIDTH) {
        const double *t = of->low + at / BLOCK * BLOCK * of->n_traced + at % BLOCK;
        for (int64_t m = 0; m < of->n_middle; m += TOGETHER) {
            vec p[TILE][TOGETHER];
            ivec e[TILE][TOGETHER];
            for (int k = 0; k < TILE; k++)
                for (int u = 0; u < TOGETHER; u++) {
                    p[k][u] = LEVEL(load)(of->low_value + at + k * WIDTH);
                    memcpy(&e[k][u], of->low_exponent + at + k * WIDTH, sizeof(ivec));
                }
            for (int64_t stop = 0, first = 0; stop < of->n_stops; first = of->stops[stop++]) {
                LEVEL(multiply_apart)(t, of->ratios + m * of->n_traced, first, of->stops[stop], p);
                for (int k = 0; k < TILE; k++)
                    for (int u = 0; u < TOGETHER; u++)
                        p[k][u] = LEVEL(split)(p[k][u], &e[k][u]);
            }
            for (int k = 0; k < TILE; k++)
                for (int u = 0; u < TOGETHER; u++) {
                    int64_t part = (m + u) * LOGICAL + (at + k * WIDTH) % LOGICAL;
                    LEVEL(add_scaled)(parts + part, scales + part, p[k][u], e[k][u]);
                }
        }
    }
}

/* The sum of these over the middle states, in eight lanes. */
FN void LEVEL(sum_middle_scaled)(const struct layers *of, double *sums, int64_t *exponents)
{
    for (int lane = 0; lane < LOGICAL; lane++)
        sums[lane] = 0.0, exponents[lane] = NEVER;
    for (int64_t m = 0; m < of->n_middle; m++)
        for (int lane = 0; lane < LOGICAL; lane += WIDTH) {
            ivec e;
            memcpy(&e, of->scales + m * LOGICAL + lane, sizeof e);
            LEVEL(add_scaled)(
                sums + lane, exponents + lane,
                LEVEL(load)(of->parts + m * LOGICAL + lane) * of->middle_value[m],
                e + of->middle_exponent[m]);
        }
}

TARGET static void LEVEL(sum_states)(const struct layers *of, double *sums, int64_t *exponents)
{
    if (of->n_stops) {
        LEVEL(sum_low_scaled)(of);
        LEVEL(sum_middle_scaled)(of, sums, exponents);
    } else {
        memset(exponents, 0, sizeof(int64_t) * LOGICAL);
        LEVEL(sum_low_and_middle)(of, sums);
    }
}

/* The weights of all low and middle states for one high state, of [m, low state]. */
TARGET static void LEVEL(list_states)(const struct layers *of, double *values)
{
    for (int at = 0; at < LOW_STATES; at += TILE * WIDTH) {
        const double *t = of->low + at / BLOCK * BLOCK * of->n_traced + at % BLOCK;
        for (int64_t m = 0; m < of->n_middle; m += TOGETHER) {
            vec p[TILE][TOGETHER];
            LEVEL(multiply_all)(of, t, m, p);
            for (int k = 0; k < TILE; k++)
                for (int u = 0; u < TOGETHER; u++) {
                    vec value = p[k][u] * LEVEL(load)(of->end + at + k * WIDTH);
                    memcpy(values + (m + u) * LOW_STATES + at + k * WIDTH, &value, sizeof value);
                }
        }
    }
}

/* Add numbers of WIDTH low states and TOGETHER middle states
   to their sums over the middle and over the low ones. */
FN void LEVEL(spread)(const double *value, const vec d[TOGETHER], double *over_middle, double *over_low)
{
    vec low = LEVEL(load)(over_middle)
        + ((value[0] * d[0] + value[1] * d[1]) + (value[2] * d[2] + value[3] * d[3]));
    memcpy(over_middle, &low, sizeof low);
    for (int u = 0; u < TOGETHER; u++) {
        vec s = LEVEL(load)(over_low + u * LOGICAL) + d[u];
        memcpy(over_low + u * LOGICAL, &s, sizeof s);
    }
}

/* For TOGETHER middle states from m on and all low ones: the weights, row n_traced, and the weights times
   tanh a_i, row i. A weight without its factor i is a product from the first factor up to it, `before`, times
   one from the last factor down to it. */
TARGET static void LEVEL(moments)(
    const struct layers *of, int64_t m, double *before, double *over_middle, double *over_low)
{
    const int64_t n = of->n_traced;
    const double *r = of->ratios + m * n, *value = of->middle_value + m;
    for (int at = 0; at < LOW_STATES; at += WIDTH) {
        const double *t = of->low + at / BLOCK * BLOCK * n + at % BLOCK;
        double *low = over_low + at % LOGICAL;
        vec p[TOGETHER], q[TOGETHER], d[TOGETHER];
        for (int u = 0; u < TOGETHER; u++) {
            p[u] = LEVEL(load)(of->low_value + at);
            q[u] = p[u] - p[u] + 1.0;
        }
        for (int64_t i = 0; i < n; i++) {
            vec x = LEVEL(load)(t + i * BLOCK);
            for (int u = 0; u < TOGETHER; u++) {
                memcpy(before + (i * TOGETHER + u) * WIDTH, &p[u], sizeof(vec));
                p[u] = p[u] * (x + r[i * TOGETHER + u]);
            }
        }
        LEVEL(spread)(value, p, over_middle + n * LOW_STATES + at, low + n * TOGETHER * LOGICAL);
        for (int64_t i = n - 1; i >= 0; i--) {
            vec x = LEVEL(load)(t + i * BLOCK);
            for (int u = 0; u < TOGETHER; u++) {
                vec without = LEVEL(load)(before + (i * TOGETHER + u) * WIDTH) * q[u];
                d[u] = without * (x - r[i * TOGETHER + u]);
                q[u] = q[u] * (x + r[i * TOGETHER + u]);
            }
            LEVEL(spread)(value, d, over_middle + i * LOW_STATES + at, low + i * TOGETHER * LOGICAL);
        }
    }
}

#undef vec
#undef ivec
#undef FN
#undef TILE
