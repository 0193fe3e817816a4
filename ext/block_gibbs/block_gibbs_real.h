/* Layers, sweeps and epochs in one precision, at one SIMD level:
   the includer sets REAL, WORD, VECTOR, NAME, BITS, VALUE and SIGN. */

#define LANES ((int64_t)(PANEL_BYTES / sizeof(REAL)))
#define SHARE (LANES / PARTS) /* lanes of a panel that one part of the generator serves */
#define PIECE ((int64_t)(sizeof(VECTOR) / sizeof(REAL))) /* lanes of a vector, half of them without vectors */
#define CHUNK (CHUNK_BYTES / 16 / PANEL_BYTES) /* groups of four inputs whose tables stay in the cache */

/* Units of one layer given those of another.
   `weights` has a row for each input, or, turned, for each unit. */
struct NAME(layer) {
    const REAL *weights, *bias;
    int64_t n_in, n_out, row;
    int turned;
    int64_t first, last; /* panels that this thread takes */
    int64_t built;       /* panels before this one, from `first` on, have their tables */
    int kept;
    REAL *tables, *scratch;
};

FN int64_t NAME(table_size)(int64_t n_in)
{
    return up_to(n_in, 4) / 4 * 16 * LANES;
}

/* A layer whose panels are shared by the members of a team: tables that are kept are of all of them, those
   that are built again and the scratch are of each. */
FN struct NAME(layer) NAME(make_layer)(
    struct arena *from, const struct member *m, const REAL *weights, const REAL *bias, int64_t n_in,
    int64_t n_out, int64_t row, int turned)
{
    int64_t size = NAME(table_size)(n_in), panels = up_to(n_out, LANES) / LANES;
    struct NAME(layer) layer = {weights, bias, n_in, n_out, row, turned, 0, 0, 0, 0, NULL, NULL};
    layer.first = layer.built = share_begin(m, panels), layer.last = share_end(m, panels);
    layer.kept = size * panels * (int64_t)sizeof(REAL) <= KEPT_BYTES;
    if (layer.kept)
        layer.tables = piece(from, (size_t)(size * panels) * sizeof(REAL));
    else
        layer.tables = piece_of(from, m, (size_t)size * sizeof(REAL));
    layer.scratch = piece_of(from, m, turned ? (size_t)(n_in * LANES) * sizeof(REAL) : 0);
    return layer;
}

/* The tables of inputs whose weights for one panel stand in rows `step` apart. */
FN void NAME(fill_table)(const REAL *weights, int64_t step, int64_t n_in, REAL *table)
{
    const REAL none[PANEL_BYTES / sizeof(REAL)] = {0};
    for (int64_t first = 0; first < n_in; first += 4, table += 16 * LANES) {
        const REAL *rows[4];
        for (int b = 0; b < 4; b++)
            rows[b] = first + b < n_in ? weights + (first + b) * step : none;
        for (int64_t lane = 0; lane < LANES; lane += PIECE) {
            VECTOR w0, w1, w2, w3;
            memcpy(&w0, rows[0] + lane, sizeof w0), memcpy(&w1, rows[1] + lane, sizeof w1);
            memcpy(&w2, rows[2] + lane, sizeof w2), memcpy(&w3, rows[3] + lane, sizeof w3);
            VECTOR p = w0 + w1, q = w0 - w1, r = w2 + w3, s = w2 - w3;
            VECTOR low[4] = {-p, q, -q, p}, high[4] = {-r, s, -s, r};
            for (int m = 0; m < 16; m++) {
                VECTOR sum = low[m & 3] + high[m >> 2];
                memcpy(table + m * LANES + lane, &sum, sizeof sum);
            }
        }
    }
}

FN const REAL *NAME(table)(struct NAME(layer) *layer, int64_t panel)
{
    int64_t size = NAME(table_size)(layer->n_in), first = panel * LANES;
    REAL *table = layer->tables + (layer->kept ? panel * size : 0);
    if (layer->kept && panel < layer->built)
        return table;
    layer->built = panel + 1;
    if (!layer->turned) {
        NAME(fill_table)(layer->weights + first, layer->row, layer->n_in, table);
        return table;
    }
    for (int64_t lane = 0; lane < LANES; lane++) {
        const REAL *weights = layer->weights + (first + lane) * layer->row;
        int there = first + lane < layer->n_out;
        for (int64_t i = 0; i < layer->n_in; i++)
            layer->scratch[i * LANES + lane] = there ? weights[i] : 0;
    }
    NAME(fill_table)(layer->scratch, LANES, layer->n_in, table);
    return table;
}

/* to = from + T_0 + T_1 + ... for the lanes of one panel. */
FN void NAME(lookup)(REAL *to, const REAL *from, const REAL *table, const uint8_t *packed, int64_t n_groups)
{
    enum { N = PANEL_BYTES / sizeof(VECTOR) };
    VECTOR sums[N], entry;
    for (int i = 0; i < N; i++)
        memcpy(&sums[i], from + i * PIECE, sizeof entry);
    UNROLL
    for (int64_t g = 0; g < n_groups; g++) {
        /* the byte is 16 times the number of the entry: a scaled address */
        const char *at = (const char *)(table + g * 16 * LANES) + packed[g] * (PANEL_BYTES / 16);
        for (int i = 0; i < N; i++) {
            memcpy(&entry, at + i * sizeof entry, sizeof entry);
            sums[i] += entry;
        }
    }
    for (int i = 0; i < N; i++)
        memcpy(to + i * PIECE, &sums[i], sizeof entry);
}

/* The same for two rows, whose sums do not wait for each other. */
FN void NAME(lookup_two)(
    REAL *to, REAL *to2, const REAL *from, const REAL *from2, const REAL *table, const uint8_t *packed,
    const uint8_t *packed2, int64_t n_groups)
{
    enum { N = PANEL_BYTES / sizeof(VECTOR) };
    VECTOR sums[N], sums2[N], entry;
    for (int i = 0; i < N; i++) {
        memcpy(&sums[i], from + i * PIECE, sizeof entry);
        memcpy(&sums2[i], from2 + i * PIECE, sizeof entry);
    }
    UNROLL
    for (int64_t g = 0; g < n_groups; g++) {
        const char *group = (const char *)(table + g * 16 * LANES);
        const char *at = group + packed[g] * (PANEL_BYTES / 16);
        const char *at2 = group + packed2[g] * (PANEL_BYTES / 16);
        for (int i = 0; i < N; i++) {
            memcpy(&entry, at + i * sizeof entry, sizeof entry);
            sums[i] += entry;
            memcpy(&entry, at2 + i * sizeof entry, sizeof entry);
            sums2[i] += entry;
        }
    }
    for (int i = 0; i < N; i++) {
        memcpy(to + i * PIECE, &sums[i], sizeof entry);
        memcpy(to2 + i * PIECE, &sums2[i], sizeof entry);
    }
}

/* What one pass from a layer to the other takes and gives. */
struct NAME(rows) {
    const uint8_t *in;
    int64_t in_stride, n_rows;
    uint64_t *state;
    REAL scale;
    uint8_t *out; /* the spins that are drawn */
    int64_t out_stride;
    REAL *means; /* share * tanh */
    int64_t means_stride;
    REAL share;
    int64_t *done;         /* since the last look at Ctrl-C */
    int64_t before, after; /* rows of the same generator that others draw */
};

/* The random words for the lanes from `lane` on. */
FN WORD NAME(random_words)(LEVEL(streams) r, int64_t lane)
{
#if RBMFLOW_VECTORS
    (void)lane;
    return (WORD)r;
#else
    return (WORD)(r >> (lane ? 32 : 0));
#endif
}

FN VECTOR NAME(load)(const REAL *from)
{
    VECTOR x;
    memcpy(&x, from, sizeof x);
    return x;
}

FN void NAME(store)(REAL *to, VECTOR x)
{
    memcpy(to, &x, sizeof x);
}

/* A bit for each lane of spins ±1, the first lane lowest: 1 for up. */
FN uint32_t NAME(up_bits)(VECTOR spin)
{
    return NAME(signs)(spin) ^ (uint32_t)((1u << PIECE) - 1);
}

/* Bits of the lanes of one part, from lane `at` of the panel on, into the spins of a row. */
FN void NAME(put_bits)(uint8_t *out, int64_t at, uint32_t bits)
{
    if (SHARE >= 4) {
        uint32_t bytes = LEVEL(to_bytes)(bits);
        memcpy(out + at / 4, &bytes, SHARE / 4);
    } else if (at % 4 == 0) {
        out[at / 4] = (uint8_t)(bits << 4);
    } else {
        out[at / 4] |= (uint8_t)(bits << (4 + at % 4));
    }
}

/* The activations of a block of rows in one panel. Inputs come in chunks, whose tables stay in a cache. */
FN void NAME(activate)(
    REAL *sums, const REAL *bias, const REAL *table, int64_t n_groups, const uint8_t *in, int64_t stride,
    int64_t n_rows)
{
    for (int64_t first = 0; first < n_groups; first += CHUNK) {
        int64_t n = n_groups - first < CHUNK ? n_groups - first : CHUNK;
        const REAL *part = table + first * 16 * LANES;
        int64_t i = 0;
        for (; i + 1 < n_rows; i += 2) {
            REAL *row = sums + i * LANES, *row2 = row + LANES;
            const uint8_t *packed = in + i * stride + first;
            NAME(lookup_two)(
                row, row2, first ? row : bias, first ? row2 : bias, part, packed, packed + stride, n);
        }
        if (i < n_rows)
            NAME(lookup)(sums + i * LANES, first ? sums + i * LANES : bias, part, in + i * stride + first, n);
    }
}

/* Spins, means or both of a block of rows from the sums of one panel, in the lanes that one part of the
   generator serves.

   With the activation x = scale * sum and e = exp(-2|x|), a spin has the sign of x unless a coin of
   probability e / (1 + e) turns it over, and its mean is tanh x, of size (1 - e) / (1 + e): one exponential,
   at most 1, serves both. `draw` and `mean` are constants, so that what is not wanted is not compiled.

   Each row takes a step of the generator. The parts of the generator are streams of their own: this one runs
   through all rows, its state in registers, before the next one begins, and the numbers are those of steps
   taken by all parts together. */
TARGET ALWAYS_INLINE void NAME(finish)(
    const REAL *sums, const struct NAME(rows) *on, int64_t first_row, int64_t n_rows, int64_t panel, int part,
    const int draw, const int mean)
{
    const int64_t first_lane = part * SHARE, first_unit = panel * LANES + first_lane;
    uint64_t *state = on->state + part * WIDTH;
    LEVEL(streams) a, b, c, d, r;
    memcpy(&a, state, sizeof a), memcpy(&b, state + 8, sizeof b);
    memcpy(&c, state + 16, sizeof c), memcpy(&d, state + 24, sizeof d);
    for (int64_t i = 0; i < n_rows; i++) {
        const int64_t row = first_row + i;
        uint32_t up = 0; /* a bit for each lane of the part */
        if (draw)
            XOSHIRO(a, b, c, d, r);
        for (int64_t lane = 0; lane < SHARE; lane += PIECE) {
            VECTOR activation = NAME(load)(sums + i * LANES + first_lane + lane) * on->scale;
            VECTOR e = NAME(decay)(VALUE(BITS(activation) & ~SIGN));
            if (draw)
                up |= NAME(up_bits)(NAME(choose)(activation, e, NAME(random_words)(r, lane))) << lane;
            if (mean) {
                VECTOR size = ((REAL)1 - e) / ((REAL)1 + e);
                VECTOR tanh = VALUE(BITS(size) | (BITS(activation) & SIGN));
                NAME(store)(on->means + row * on->means_stride + first_unit + lane, on->share * tanh);
            }
        }
        if (draw)
            NAME(put_bits)(on->out + row * on->out_stride + panel * LANES / 4, first_lane, up);
    }
    memcpy(state, &a, sizeof a), memcpy(state + 8, &b, sizeof b);
    memcpy(state + 16, &c, sizeof c), memcpy(state + 24, &d, sizeof d);
}

/* Let the generator take the steps of panels and rows that others draw. */
FN void NAME(skip)(uint64_t *state, int64_t n_steps)
{
    for (int part = 0; n_steps && part < PARTS; part++, state += WIDTH) {
        LEVEL(streams) a, b, c, d, r;
        memcpy(&a, state, sizeof a), memcpy(&b, state + 8, sizeof b);
        memcpy(&c, state + 16, sizeof c), memcpy(&d, state + 24, sizeof d);
        for (int64_t step = 0; step < n_steps; step++)
            XOSHIRO(a, b, c, d, r);
        (void)r;
        memcpy(state, &a, sizeof a), memcpy(state + 8, &b, sizeof b);
        memcpy(state + 16, &c, sizeof c), memcpy(state + 24, &d, sizeof d);
    }
}

/* The panels of this thread; -1 where Ctrl-C stops it. */
TARGET ALWAYS_INLINE int NAME(pass)(
    struct NAME(layer) *layer, const struct NAME(rows) *on, const int draw, const int mean)
{
    REAL sums[ROWS_AT_ONCE * PANEL_BYTES / sizeof(REAL)];
    const int64_t n_groups = up_to(layer->n_in, 4) / 4, n_panels = up_to(layer->n_out, LANES) / LANES;
    const int64_t all_rows = on->before + on->n_rows + on->after;
    if (draw)
        NAME(skip)(on->state, layer->first * all_rows + on->before);
    for (int64_t panel = layer->first; panel < layer->last; panel++) {
        const REAL *table = NAME(table)(layer, panel);
        for (int64_t row = 0; row < on->n_rows; row += ROWS_AT_ONCE) {
            int64_t n = on->n_rows - row < ROWS_AT_ONCE ? on->n_rows - row : ROWS_AT_ONCE;
            NAME(activate)(
                sums, layer->bias + panel * LANES, table, n_groups, on->in + row * on->in_stride,
                on->in_stride, n);
            for (int part = 0; part < PARTS; part++)
                NAME(finish)(sums, on, row, n, panel, part, draw, mean);
            if (interrupted(on->done, n * (n_groups + LANES)))
                return -1;
        }
        if (draw && panel + 1 < layer->last)
            NAME(skip)(on->state, on->after + on->before);
    }
    if (draw)
        NAME(skip)(on->state, (n_panels - layer->last) * all_rows + on->after);
    return 0;
}

TARGET static int NAME(draw)(struct NAME(layer) *layer, const struct NAME(rows) *on)
{
    return NAME(pass)(layer, on, 1, 0);
}

TARGET static int NAME(mean)(struct NAME(layer) *layer, const struct NAME(rows) *on)
{
    return NAME(pass)(layer, on, 0, 1);
}

TARGET static int NAME(draw_and_mean)(struct NAME(layer) *layer, const struct NAME(rows) *on)
{
    return NAME(pass)(layer, on, 1, 1);
}

/* weights[i] += Σ over samples of spin i times the sample's means, for n_units rows and the panels of this
   thread, samples in chunks. */
TARGET static int NAME(accumulate)(
    REAL *weights, int64_t row, int64_t first_panel, int64_t last_panel, const uint8_t *packed,
    int64_t stride, int64_t n_units, const REAL *means,
    int64_t n_samples, REAL *table, int64_t *done)
{
    for (int64_t panel = first_panel * LANES; panel < last_panel * LANES; panel += LANES)
        for (int64_t first = 0; first < n_samples; first += 4 * CHUNK) {
            int64_t n = n_samples - first < 4 * CHUNK ? n_samples - first : 4 * CHUNK;
            NAME(fill_table)(means + first * row + panel, row, n, table);
            const uint8_t *spins = packed + first / 4;
            int64_t i = 0;
            for (; i + 1 < n_units; i += 2, spins += 2 * stride) {
                REAL *to = weights + i * row + panel;
                NAME(lookup_two)(to, to + row, to, to + row, table, spins, spins + stride, up_to(n, 4) / 4);
            }
            if (i < n_units)
                NAME(lookup)(
                    weights + i * row + panel, weights + i * row + panel, table, spins, up_to(n, 4) / 4);
            if (interrupted(done, n_units * n / 4))
                return -1;
        }
    return 0;
}

FN void NAME(copy_rows)(
    REAL *to, int64_t to_row, const REAL *from, int64_t from_row, int64_t n_rows, int64_t n)
{
    for (int64_t i = 0; i < n_rows; i++)
        memcpy(to + i * to_row, from + i * from_row, (size_t)n * sizeof(REAL));
}

#include "block_gibbs/block_gibbs_steps.h"

#include "block_gibbs/block_gibbs_runs.h"

#undef LANES
#undef SHARE
#undef PIECE
#undef CHUNK
