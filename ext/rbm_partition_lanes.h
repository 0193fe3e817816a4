/* Body of rbm_partition.h for one SIMD level: the includer sets LANES, TILE, TARGET and LEVEL. */

#define FN TARGET ALWAYS_INLINE
#define vec LEVEL(vector)
#define ivec LEVEL(integers)

#if RBMFLOW_VECTORS
typedef double vec __attribute__((vector_size(8 * LANES)));
typedef int64_t ivec __attribute__((vector_size(8 * LANES)));
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

/* p *= prod_i (t_i + r_i) for TILE * LANES low states and TOGETHER states of the others. */
FN void LEVEL(multiply)(
    const double *t, const double *r, int64_t first, int64_t last, vec p[TILE][TOGETHER])
{
    vec q[TILE][TOGETHER];
    for (int k = 0; k < TILE; k++)
        for (int u = 0; u < TOGETHER; u++)
            q[k][u] = p[k][u];
    for (int64_t i = first; i < last; i++)
        for (int k = 0; k < TILE; k++) {
            vec low = LEVEL(load)(t + i * BLOCK + k * LANES);
            for (int u = 0; u < TOGETHER; u++)
                q[k][u] = q[k][u] * (low + r[i * TOGETHER + u]);
        }
    for (int k = 0; k < TILE; k++)
        for (int u = 0; u < TOGETHER; u++)
            p[k][u] = q[k][u];
}

/* The same, not inlined: beside the exponents of the products the compiler would not keep these in registers. */
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

/* Sums over the low states for each state of the middle units, in eight lanes each: all in the range of doubles. A tile of low states
   meets all middle states before the next one comes: it stays in the cache. */
FN void LEVEL(sum_low)(const struct layers *of)
{
    double *parts = of->parts;
    memset(parts, 0, sizeof(double) * LOGICAL * of->n_middle);
    for (int at = 0; at < LOW_STATES; at += TILE * LANES) {
        const double *t = of->low + at / BLOCK * BLOCK * of->n_traced + at % BLOCK;
        for (int64_t m = 0; m < of->n_middle; m += TOGETHER) {
            vec p[TILE][TOGETHER];
            for (int k = 0; k < TILE; k++)
                for (int u = 0; u < TOGETHER; u++)
                    p[k][u] = LEVEL(load)(of->low_value + at + k * LANES);
            LEVEL(multiply)(t, of->ratios + m * of->n_traced, 0, of->n_traced, p);
            for (int k = 0; k < TILE; k++)
                for (int u = 0; u < TOGETHER; u++) {
                    double *part = parts + (m + u) * LOGICAL + (at + k * LANES) % LOGICAL;
                    vec s = LEVEL(load)(part) + p[k][u];
                    memcpy(part, &s, sizeof s);
                }
        }
    }
}

/* The same with exponents apart, the products brought back to [1, 2) at every stop. */
FN void LEVEL(sum_low_scaled)(const struct layers *of)
{
    double *parts = of->parts;
    int64_t *scales = of->scales;
    for (int64_t k = 0; k < LOGICAL * of->n_middle; k++)
        parts[k] = 0.0, scales[k] = NEVER;
    for (int at = 0; at < LOW_STATES; at += TILE * LANES) {
        const double *t = of->low + at / BLOCK * BLOCK * of->n_traced + at % BLOCK;
        for (int64_t m = 0; m < of->n_middle; m += TOGETHER) {
            vec p[TILE][TOGETHER];
            ivec e[TILE][TOGETHER];
            for (int k = 0; k < TILE; k++)
                for (int u = 0; u < TOGETHER; u++) {
                    p[k][u] = LEVEL(load)(of->low_value + at + k * LANES);
                    memcpy(&e[k][u], of->low_exponent + at + k * LANES, sizeof(ivec));
                }
            for (int64_t stop = 0, first = 0; stop < of->n_stops; first = of->stops[stop++]) {
                LEVEL(multiply_apart)(t, of->ratios + m * of->n_traced, first, of->stops[stop], p);
                for (int k = 0; k < TILE; k++)
                    for (int u = 0; u < TOGETHER; u++)
                        p[k][u] = LEVEL(split)(p[k][u], &e[k][u]);
            }
            for (int k = 0; k < TILE; k++)
                for (int u = 0; u < TOGETHER; u++) {
                    int64_t part = (m + u) * LOGICAL + (at + k * LANES) % LOGICAL;
                    LEVEL(add_scaled)(parts + part, scales + part, p[k][u], e[k][u]);
                }
        }
    }
}

/* The sum over the middle states for one high state, in eight lanes. */
FN void LEVEL(sum_middle)(const struct layers *of, double *sums, int64_t *exponents)
{
    for (int lane = 0; lane < LOGICAL; lane++)
        sums[lane] = 0.0, exponents[lane] = 0;
    for (int64_t m = 0; m < of->n_middle; m++)
        for (int lane = 0; lane < LOGICAL; lane++)
            sums[lane] += of->middle_value[m] * of->parts[m * LOGICAL + lane];
}

FN void LEVEL(sum_middle_scaled)(const struct layers *of, double *sums, int64_t *exponents)
{
    for (int lane = 0; lane < LOGICAL; lane++)
        sums[lane] = 0.0, exponents[lane] = NEVER;
    for (int64_t m = 0; m < of->n_middle; m++)
        for (int lane = 0; lane < LOGICAL; lane += LANES) {
            ivec e;
            memcpy(&e, of->scales + m * LOGICAL + lane, sizeof e);
            LEVEL(add_scaled)(
                sums + lane, exponents + lane, LEVEL(load)(of->parts + m * LOGICAL + lane) * of->middle_value[m],
                e + of->middle_exponent[m]);
        }
}

TARGET static void LEVEL(sum_states)(const struct layers *of, double *sums, int64_t *exponents)
{
    if (of->n_stops) {
        LEVEL(sum_low_scaled)(of);
        LEVEL(sum_middle_scaled)(of, sums, exponents);
    } else {
        LEVEL(sum_low)(of);
        LEVEL(sum_middle)(of, sums, exponents);
    }
}

#undef vec
#undef ivec
#undef FN
