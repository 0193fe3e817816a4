/* Body of torus_sums.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL.
 *
 * A spin is added in place: rows of s0, whose spin is down, and s1, up, from the largest number of ups down.
 */
#define FN TARGET ALWAYS_INLINE

/* to[i] = a[i] + b[i], modulo p unless that is 0. */
FN void LEVEL(torus_add)(const uint64_t *a, const uint64_t *b, uint64_t *restrict to, int64_t n, uint64_t p)
{
    if (p == 0)
        for (int64_t i = 0; i < n; i++)
            to[i] = a[i] + b[i];
    else
        for (int64_t i = 0; i < n; i++) {
            int64_t sum = (int64_t)(a[i] + b[i] - p);
            to[i] = (uint64_t)(sum + ((int64_t)p & -(int64_t)(sum < 0)));
        }
}

FN int64_t LEVEL(torus_least)(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

FN void LEVEL(torus_count_spin)(const struct torus *of, uint64_t p, uint64_t *table, uint32_t s0,
                                int64_t column, int64_t added, int64_t stride)
{
    static const uint64_t nothing[LONGEST] = {0};
    uint64_t down[LONGEST];
    int64_t rows = of->n_sites - of->width + 1, placed = of->width + added, ups = ups_of(s0);
    int left = column ? s0 >> (column - 1) & 1 : 0, first = column ? s0 & 1 : 1;
    int falls = left & first, rises = !left & !first, up = of->first >> column & 1;
    uint64_t *of_down = table + (int64_t)s0 * rows * stride + LEADING;
    uint64_t *of_up = of_down + (rows * stride << column);
    memset(down, 0, LEADING * sizeof *down);
    for (int64_t u = added; u >= 0; u--) {
        int64_t n = 2 * LEVEL(torus_least)(u + ups + 1, placed - u - ups) + 1; /* four bonds to a spin */
        if (n < 1)
            continue;
        if (n > of->n_sites + 1)
            n = of->n_sites + 1;
        const uint64_t *a = down + LEADING, *b = u ? of_up + (u - 1) * stride : nothing + LEADING;
        memcpy(down + LEADING, of_down + u * stride, (size_t)n * sizeof *down);
        LEVEL(torus_add)(a - falls, b - falls - up, of_down + u * stride, n, p);
        LEVEL(torus_add)(a - rises - !up, b - rises, of_up + u * stride, n, p);
    }
}

TARGET static void LEVEL(torus_counts)(const struct torus *of, uint64_t p, uint64_t *table, uint64_t *counts)
{
    int64_t rows = of->n_sites - of->width + 1, stride = of->n_sites + 1 + LEADING, width = of->width;
    int64_t states = (int64_t)1 << width;
    int64_t together = columns_together(rows * stride * (int64_t)sizeof *table / 2, width);
    memset(table, 0, (size_t)(states * rows * stride) * sizeof *table);
    table[(int64_t)of->first * rows * stride + LEADING + pairs_of_row(of->first, width)] = 1;
    for (int64_t row = 1; row < of->length; row++)
        for (int64_t begin = 0; begin < width; begin += together) {
            int64_t n = LEVEL(torus_least)(together, width - begin);
            for (uint32_t rest = 0; rest < (uint32_t)(states >> n); rest++) {
                uint32_t low = rest & (((uint32_t)1 << begin) - 1), high = rest >> begin << (begin + n);
                for (int64_t column = begin; column < begin + n; column++)
                    for (uint32_t inside = 0; inside < (uint32_t)1 << n; inside++)
                        if (!(inside >> (column - begin) & 1))
                            LEVEL(torus_count_spin)(of, p, table, high | inside << begin | low, column,
                                                    (row - 1) * width + column + 1, stride);
            }
        }
    for (int64_t s = 0; s < states; s++)
        for (int64_t u = 0; u < rows; u++) {
            uint64_t *to = counts + (u + ups_of((uint64_t)s)) * (of->n_sites + 1);
            const uint64_t *from = table + (s * rows + u) * stride + LEADING;
            for (int64_t pairs = 0; pairs <= of->n_sites; pairs++) {
                uint64_t sum = to[pairs] + from[pairs];
                to[pairs] = p && sum >= p ? sum - p : sum;
            }
        }
}

FN void LEVEL(torus_weigh_spin)(const struct torus *of, double x, double *table, uint32_t s0, int64_t column,
                                int64_t added, int swapped)
{
    double down[LONGEST_WEIGHED + 1], up[LONGEST_WEIGHED + 1];
    int64_t rows = of->n_sites - of->width + 1, n = added + 1;
    int left = column ? s0 >> (column - 1) & 1 : 0, first = column ? s0 & 1 : 1;
    int falls = left & first, rises = !left & !first, high = of->first >> column & 1;
    double *restrict to_down = table + (int64_t)s0 * rows, *restrict to_up = to_down + (rows << column);
    double of_a = high ? 1.0 : x, of_b = high ? x : 1.0;
    double if_falls = falls ? x : 1.0, if_rises = rises ? x : 1.0;
    const double *a = down + !swapped, *b = up + !!swapped; /* of which spin u - 1 is the one that leaves */
    down[0] = up[0] = 0.0;
    memcpy(down + 1, to_down, (size_t)n * sizeof *down);
    memcpy(up + 1, to_up, (size_t)n * sizeof *up);
    for (int64_t u = 0; u < n; u++) {
        to_down[u] = if_falls * (a[u] + of_b * b[u]);
        to_up[u] = if_rises * (of_a * a[u] + b[u]);
    }
}

TARGET static void LEVEL(torus_weights)(const struct torus *of, double x, double *table, double *weights)
{
    int64_t rows = of->n_sites - of->width + 1, width = of->width, states = (int64_t)1 << width;
    int64_t together = columns_together(rows * (int64_t)sizeof *table, width);
    double *start = table + (int64_t)of->first * rows;
    memset(table, 0, (size_t)(states * rows) * sizeof *table);
    *start = 1.0;
    for (int64_t pair = pairs_of_row(of->first, width); pair; pair--)
        *start *= x;
    for (int64_t row = 1; row < of->length; row++)
        for (int64_t begin = 0; begin < width; begin += together) {
            int64_t n = LEVEL(torus_least)(together, width - begin);
            for (uint32_t rest = 0; rest < (uint32_t)(states >> n); rest++) {
                uint32_t low = rest & (((uint32_t)1 << begin) - 1), high = rest >> begin << (begin + n);
                for (int64_t column = begin; column < begin + n; column++)
                    for (uint32_t inside = 0; inside < (uint32_t)1 << n; inside++)
                        if (!(inside >> (column - begin) & 1))
                            LEVEL(torus_weigh_spin)(of, x, table, high | inside << begin | low, column,
                                                    (row - 1) * width + column + 1,
                                                    turned_sites(of, row - 1) >> column & 1);
            }
        }
    for (int64_t s = 0; s < states; s++) {
        int64_t ups = ups_of((uint64_t)s ^ turned_sites(of, of->length - 1));
        for (int64_t u = 0; u < rows; u++)
            weights[u + ups] += table[s * rows + u];
    }
}

#undef FN
