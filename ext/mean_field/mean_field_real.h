/* The mean-field map in one precision, at one SIMD level: the includer sets REAL, VECTOR, NAME and TANH. */

#define LANES ((int64_t)(PANEL_BYTES / sizeof(REAL)))
#define PIECE ((int64_t)(sizeof(VECTOR) / sizeof(REAL)))

/* Fields of one panel of units for a few rows, their number a constant,
   so that all sums stay in registers. */
ALWAYS_INLINE TARGET void NAME(tile)(
    const REAL *given, int64_t stride, const REAL *panel, int64_t n_in, const REAL *bias, REAL *out,
    int64_t out_stride, const int rows)
{
    for (int64_t part = 0; part < LANES; part += AT_ONCE * PIECE) {
        VECTOR sum[ROWS][AT_ONCE], weight[AT_ONCE];
        UNROLL_ALL
        for (int r = 0; r < rows; r++)
            UNROLL_ALL
            for (int i = 0; i < AT_ONCE; i++)
                memcpy(&sum[r][i], bias + part + i * PIECE, sizeof(VECTOR));
        const REAL *from = panel + part;
        for (int64_t k = 0; k < n_in; k++, from += LANES) {
            UNROLL_ALL
            for (int i = 0; i < AT_ONCE; i++)
                memcpy(&weight[i], from + i * PIECE, sizeof(VECTOR));
            UNROLL_ALL
            for (int r = 0; r < rows; r++)
                UNROLL_ALL
                for (int i = 0; i < AT_ONCE; i++)
                    sum[r][i] = sum[r][i] + weight[i] * given[r * stride + k];
        }
        UNROLL_ALL
        for (int r = 0; r < rows; r++)
            UNROLL_ALL
            for (int i = 0; i < AT_ONCE; i++)
                memcpy(out + r * out_stride + part + i * PIECE, &sum[r][i], sizeof(VECTOR));
    }
}

/* A panel for any number of rows. */
TARGET static void NAME(panel)(
    const REAL *given, int64_t stride, const REAL *panel, int64_t n_in, const REAL *bias, REAL *out,
    int64_t out_stride, int64_t n)
{
    int64_t row = 0;
    for (; row + ROWS <= n; row += ROWS)
        NAME(tile)(given + row * stride, stride, panel, n_in, bias, out + row * out_stride, out_stride, ROWS);
    for (; row + FEW <= n; row += FEW)
        NAME(tile)(given + row * stride, stride, panel, n_in, bias, out + row * out_stride, out_stride, FEW);
    for (; row < n; row++)
        NAME(tile)(given + row * stride, stride, panel, n_in, bias, out + row * out_stride, out_stride, 1);
}

/* Means of the n_out units of one layer given those of the other;
   what a last panel has beyond them goes to `edge` first. */
FN void NAME(layer)(
    const REAL *given, int64_t stride, const REAL *panels, int64_t n_in, const REAL *bias, REAL *out,
    int64_t n_out, int64_t n, REAL *edge)
{
    int64_t first = 0;
    for (; first + LANES <= n_out; first += LANES)
        NAME(panel)(given, stride, panels + first * n_in, n_in, bias + first, out + first, n_out, n);
    if (first < n_out) {
        NAME(panel)(given, stride, panels + first * n_in, n_in, bias + first, edge, LANES, n);
        for (int64_t row = 0; row < n; row++)
            memcpy(out + row * n_out + first, edge + row * LANES, (size_t)(n_out - first) * sizeof(REAL));
    }
    TANH(out, n * n_out);
}

TARGET static int NAME(iterate)(
    const struct flow *f, const REAL *up, const REAL *down, const REAL *b, const REAL *c, REAL *values)
{
    const int64_t block = f->n < BLOCK ? f->n : BLOCK;
    REAL *hidden = malloc((size_t)(block * (f->n_hidden + LANES)) * sizeof(REAL));
    if (!hidden)
        return 1;
    REAL *edge = hidden + block * f->n_hidden;
    for (int64_t first = 0; first < f->n; first += BLOCK) {
        int64_t n = f->n - first < BLOCK ? f->n - first : BLOCK;
        REAL *rows = values + first * f->n_visible;
        for (int64_t step = 0; step < f->n_steps; step++) {
            NAME(layer)(rows, f->n_visible, up, f->n_visible, c, hidden, f->n_hidden, n, edge);
            NAME(layer)(hidden, f->n_hidden, down, f->n_hidden, b, rows, f->n_visible, n, edge);
        }
    }
    free(hidden);
    return 0;
}

#undef LANES
#undef PIECE
