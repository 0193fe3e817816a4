/* Body of walsh.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#define FN TARGET ALWAYS_INLINE
#define vec LEVEL(walsh_vector)

#if RBMFLOW_VECTORS
typedef double vec __attribute__((vector_size(8 * WIDTH)));
#else
typedef double vec;
#endif

FN vec LEVEL(walsh_load)(const double *from)
{
    vec x;
    memcpy(&x, from, sizeof x);
    return x;
}

/* One site, its stride at least WIDTH. */
FN void LEVEL(walsh_one)(double *x, int64_t n, int64_t stride)
{
    for (int64_t first = 0; first < n; first += 2 * stride)
        for (int64_t k = first; k < first + stride; k += WIDTH) {
            vec down = LEVEL(walsh_load)(x + k), up = LEVEL(walsh_load)(x + k + stride);
            vec sum = down + up, difference = up - down;
            memcpy(x + k, &sum, sizeof sum);
            memcpy(x + k + stride, &difference, sizeof difference);
        }
}

/* Two sites, of strides s and 2s. */
FN void LEVEL(walsh_two)(double *x, int64_t n, int64_t s)
{
    for (int64_t first = 0; first < n; first += 4 * s)
        for (int64_t k = first; k < first + s; k += WIDTH) {
            vec a = LEVEL(walsh_load)(x + k), b = LEVEL(walsh_load)(x + k + s);
            vec c = LEVEL(walsh_load)(x + k + 2 * s), d = LEVEL(walsh_load)(x + k + 3 * s);
            vec ab = a + b, ba = b - a, cd = c + d, dc = d - c;
            a = ab + cd, b = ba + dc, c = cd - ab, d = dc - ba;
            memcpy(x + k, &a, sizeof a);
            memcpy(x + k + s, &b, sizeof b);
            memcpy(x + k + 2 * s, &c, sizeof c);
            memcpy(x + k + 3 * s, &d, sizeof d);
        }
}

FN void LEVEL(walsh_sites)(double *x, int64_t n, int first, int last)
{
    for (; first + 1 < last; first += 2)
        LEVEL(walsh_two)(x, n, (int64_t)1 << first);
    if (first < last)
        LEVEL(walsh_one)(x, n, (int64_t)1 << first);
}

TARGET static void LEVEL(walsh)(double *x, int n_sites)
{
    int scalar = n_sites < SCALAR_SITES ? n_sites : SCALAR_SITES;
    int inside = n_sites < BLOCK_SITES ? n_sites : BLOCK_SITES;
    int64_t n = (int64_t)1 << n_sites, block = (int64_t)1 << inside, few = (int64_t)1 << scalar;
    for (int64_t at = 0; at < n; at += block) {
        for (int64_t k = at; k < at + block; k += few)
            for (int site = 0; site < scalar; site++)
                walsh_pairs(x + k, few, (int64_t)1 << site);
        LEVEL(walsh_sites)(x + at, block, scalar, inside);
    }
    LEVEL(walsh_sites)(x, n, inside, n_sites);
}

#undef vec
#undef FN
