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
    int64_t built; /* panels whose tables are there */
    int kept;
    REAL *tables, *scratch;
};

FN int64_t NAME(table_size)(int64_t n_in)
{
    return up_to(n_in, 4) / 4 * 16 * LANES;
}

FN struct NAME(layer) NAME(make_layer)(
    struct arena *from, const REAL *weights, const REAL *bias, int64_t n_in, int64_t n_out, int64_t row,
    int turned)
{
    struct NAME(layer) layer = {weights, bias, n_in, n_out, row, turned, 0, 0, NULL, NULL};
    int64_t size = NAME(table_size)(n_in), panels = up_to(n_out, LANES) / LANES;
    layer.kept = size * panels * (int64_t)sizeof(REAL) <= KEPT_BYTES;
    layer.tables = piece(from, (size_t)(size * (layer.kept ? panels : 1)) * sizeof(REAL));
    layer.scratch = piece(from, turned ? (size_t)(n_in * LANES) * sizeof(REAL) : 0);
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
    int64_t *done; /* since the last look at Ctrl-C */
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

/* -1 where Ctrl-C stops it. */
TARGET ALWAYS_INLINE int NAME(pass)(
    struct NAME(layer) *layer, const struct NAME(rows) *on, const int draw, const int mean)
{
    REAL sums[ROWS_AT_ONCE * PANEL_BYTES / sizeof(REAL)];
    const int64_t n_groups = up_to(layer->n_in, 4) / 4, n_panels = up_to(layer->n_out, LANES) / LANES;
    for (int64_t panel = 0; panel < n_panels; panel++) {
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
    }
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

/* weights[i] += Σ over samples of spin i times the sample's means, for n_units rows, samples in chunks. */
TARGET static int NAME(accumulate)(
    REAL *weights, int64_t row, const uint8_t *packed, int64_t stride, int64_t n_units, const REAL *means,
    int64_t n_samples, REAL *table, int64_t *done)
{
    for (int64_t panel = 0; panel < row; panel += LANES)
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

/* What an epoch works on. */
struct NAME(work) {
    int64_t row, stride_v, stride_h; /* numbers to a row of weights, bytes to a row of spins */
    int64_t samples;                 /* of both phases */
    REAL *weights, *b, *means, *table;
    REAL *c; /* stands below the weights and learns like those of a unit that is always up */
    uint8_t *data, *v, *h, *turned;
    struct NAME(layer) up, down;
};

FN struct NAME(work) NAME(lay_out)(struct arena *from, const struct epoch *e)
{
    struct NAME(work) w;
    int64_t n_chains = e->persistent ? e->n_chains : e->batch_size;
    w.row = up_to(e->n_hidden, LANES);
    w.stride_v = up_to(e->n_visible, 16) / 4, w.stride_h = up_to(e->n_hidden, 16) / 4;
    w.samples = up_to(e->batch_size, 4) + up_to(n_chains, 4);
    w.weights = piece(from, (size_t)((e->n_visible + 1) * w.row) * sizeof(REAL));
    w.b = piece(from, (size_t)up_to(e->n_visible, LANES) * sizeof(REAL));
    w.c = w.weights ? w.weights + e->n_visible * w.row : NULL;
    w.means = piece(from, (size_t)(w.samples * w.row) * sizeof(REAL));
    w.table = piece(from, (size_t)(CHUNK * 16 * LANES) * sizeof(REAL));
    w.data = piece(from, (size_t)(e->batch_size * w.stride_v));
    w.v = piece(from, (size_t)((e->batch_size > n_chains ? e->batch_size : n_chains) * w.stride_v));
    w.h = piece(from, (size_t)((e->batch_size > n_chains ? e->batch_size : n_chains) * w.stride_h));
    w.turned = piece(from, (size_t)((up_to(e->n_visible, 4) + 1) * (w.samples / 4)));
    w.up = NAME(make_layer)(from, w.weights, w.c, e->n_visible, e->n_hidden, w.row, 0);
    w.down = NAME(make_layer)(from, w.weights, w.b, e->n_hidden, e->n_visible, w.row, 1);
    return w;
}

/* One update from n rows of data; -1 where Ctrl-C stops it. Without persistent chains the negative phase
   begins with the spins of the positive one. */
TARGET static int NAME(update)(
    struct NAME(work) *w, const struct epoch *e, const int64_t *order, int64_t n, int64_t *done)
{
    const int64_t n_chains = e->persistent ? e->n_chains : n, n_groups = up_to(e->n_visible, 4) / 4;
    const int64_t below = up_to(n, 4), stride = w->samples / 4, n_samples = below + up_to(n_chains, 4);
    const REAL data = (REAL)(e->rate / (double)n), model = (REAL)(-e->rate / (double)n_chains);
    uint8_t *given = w->data;
    for (int64_t i = 0; i < n; i++)
        memcpy(given + i * w->stride_v, e->data + order[i] * w->stride_v, (size_t)w->stride_v);
    struct NAME(rows) up = {
        given, w->stride_v, n, e->state, 1, w->h, w->stride_h, w->means, w->row, data, done};
    struct NAME(rows) down = {w->h, w->stride_h, n_chains, e->state, 1, w->v, w->stride_v, NULL, 0, 0, done};
    w->up.built = w->down.built = 0;
    if (e->persistent ? NAME(mean)(&w->up, &up) : NAME(draw_and_mean)(&w->up, &up))
        return -1;
    turn_rows(given, n, n_groups, w->stride_v, w->turned, stride);
    memset(w->means + n * w->row, 0, (size_t)((below - n) * w->row) * sizeof(REAL));
    up.in = w->v, up.n_rows = n_chains, up.means = w->means + below * w->row, up.share = model;
    for (int64_t sweep = 1; sweep <= e->k; sweep++) {
        if (NAME(draw)(&w->down, &down))
            return -1;
        if (sweep < e->k            ? NAME(draw)(&w->up, &up)
                : e->persistent ? NAME(draw_and_mean)(&w->up, &up)
                                : NAME(mean)(&w->up, &up))
            return -1;
    }
    turn_rows(w->v, n_chains, n_groups, w->stride_v, w->turned + below / 4, stride);
    memset(up.means + n_chains * w->row, 0, (size_t)((n_samples - below - n_chains) * w->row) * sizeof(REAL));
    for (int64_t i = 0; i < e->n_visible; i++) {
        const uint8_t *turned = w->turned + i * stride;
        REAL clamped = (REAL)spin_total(turned, below / 4, n);
        REAL free = (REAL)spin_total(turned + below / 4, (n_samples - below) / 4, n_chains);
        w->b[i] += data * clamped + model * free;
    }
    if (e->decay != 0)
        for (int64_t i = 0; i < e->n_visible * w->row; i++)
            w->weights[i] *= (REAL)(1 - e->rate * e->decay);
    memset(w->turned + e->n_visible * stride, 240, (size_t)stride);
    return NAME(accumulate)(
        w->weights, w->row, w->turned, stride, e->n_visible + 1, w->means, n_samples, w->table, done);
}

TARGET static int NAME(train)(const struct epoch *e, REAL *weights, REAL *b, REAL *c)
{
    struct arena memory = {NULL, 0};
    NAME(lay_out)(&memory, e);
    char *block = calloc(memory.used + 64, 1);
    if (!block)
        return 1;
    memory.base = block + (64 - (uintptr_t)block % 64), memory.used = 0;
    struct NAME(work) w = NAME(lay_out)(&memory, e);
    NAME(copy_rows)(w.weights, w.row, weights, e->n_hidden, e->n_visible, e->n_hidden);
    memcpy(w.c, c, (size_t)e->n_hidden * sizeof(REAL));
    memcpy(w.b, b, (size_t)e->n_visible * sizeof(REAL));
    if (e->persistent)
        pack_rows(e->chains_hidden, e->n_chains, e->n_hidden, w.h, w.stride_h);
    int64_t done = 0;
    for (int64_t first = 0, update = 0; first < e->n_rows; first += e->batch_size, update++) {
        int64_t left = e->n_rows - first;
        if (NAME(update)(&w, e, e->order + first, left < e->batch_size ? left : e->batch_size, &done)) {
            free(block);
            return -1;
        }
        for (int64_t chain = 0; chain < e->n_measured; chain++)
            e->series[update * e->n_measured + chain]
                = (int32_t)row_total(w.v + chain * w.stride_v, e->n_visible);
    }
    NAME(copy_rows)(weights, e->n_hidden, w.weights, w.row, e->n_visible, e->n_hidden);
    memcpy(c, w.c, (size_t)e->n_hidden * sizeof(REAL));
    memcpy(b, w.b, (size_t)e->n_visible * sizeof(REAL));
    if (e->persistent) {
        unpack_rows(w.v, e->n_chains, e->n_visible, e->chains_visible, w.stride_v);
        unpack_rows(w.h, e->n_chains, e->n_hidden, e->chains_hidden, w.stride_h);
    }
    free(block);
    return 0;
}

/* What sweeps work on. */
struct NAME(swept) {
    REAL *weights, *b, *c, *means;
    uint8_t *v, *h;
    struct NAME(layer) up, down;
};

FN struct NAME(swept) NAME(lay_out_chains)(struct arena *from, const struct chains *e)
{
    struct NAME(swept) w;
    int64_t row = up_to(e->n_hidden, LANES);
    w.weights = piece(from, (size_t)(e->n_visible * row) * sizeof(REAL));
    w.b = piece(from, (size_t)up_to(e->n_visible, LANES) * sizeof(REAL));
    w.c = piece(from, (size_t)row * sizeof(REAL));
    w.means = piece(from, (size_t)(CHAINS_AT_ONCE * row) * sizeof(REAL));
    w.v = piece(from, (size_t)(CHAINS_AT_ONCE * up_to(e->n_visible, 16) / 4));
    w.h = piece(from, (size_t)(CHAINS_AT_ONCE * up_to(e->n_hidden, 16) / 4));
    w.up = NAME(make_layer)(from, w.weights, w.c, e->n_visible, e->n_hidden, row, 0);
    w.down = NAME(make_layer)(from, w.weights, w.b, e->n_hidden, e->n_visible, row, 1);
    return w;
}

/* Sweep up to CHAINS_AT_ONCE chains k times; -1 where Ctrl-C stops it. */
TARGET static int NAME(sweep_block)(
    struct NAME(swept) *w, const struct chains *e, int8_t *visible, int8_t *hidden, int64_t n, REAL *means,
    int64_t *done)
{
    const int64_t row = up_to(e->n_hidden, LANES);
    const int64_t stride_v = up_to(e->n_visible, 16) / 4, stride_h = up_to(e->n_hidden, 16) / 4;
    const REAL scale = (REAL)e->scale;
    struct NAME(rows) up = {w->v, stride_v, n, e->state, scale, w->h, stride_h, w->means, row, 1, done};
    struct NAME(rows) down = {w->h, stride_h, n, e->state, scale, w->v, stride_v, NULL, 0, 0, done};
    if (e->from_visible) {
        pack_rows(visible, n, e->n_visible, w->v, stride_v);
        if (NAME(draw)(&w->up, &up))
            return -1;
    } else {
        pack_rows(hidden, n, e->n_hidden, w->h, stride_h);
    }
    for (int64_t sweep = 1; sweep <= e->k; sweep++) {
        if (NAME(draw)(&w->down, &down))
            return -1;
        if (sweep < e->k || !e->with_means ? NAME(draw)(&w->up, &up)
                : e->last_hidden           ? NAME(draw_and_mean)(&w->up, &up)
                                           : NAME(mean)(&w->up, &up))
            return -1;
    }
    if (e->k)
        unpack_rows(w->v, n, e->n_visible, visible, stride_v);
    unpack_rows(w->h, n, e->n_hidden, hidden, stride_h);
    if (e->with_means)
        NAME(copy_rows)(means, e->n_hidden, w->means, row, n, e->n_hidden);
    return 0;
}

TARGET static int NAME(sweep)(
    const struct chains *e, const REAL *weights, const REAL *b, const REAL *c, REAL *means)
{
    struct arena memory = {NULL, 0};
    NAME(lay_out_chains)(&memory, e);
    char *block = calloc(memory.used + 64, 1);
    if (!block)
        return 1;
    memory.base = block + (64 - (uintptr_t)block % 64), memory.used = 0;
    struct NAME(swept) w = NAME(lay_out_chains)(&memory, e);
    NAME(copy_rows)(w.weights, up_to(e->n_hidden, LANES), weights, e->n_hidden, e->n_visible, e->n_hidden);
    memcpy(w.b, b, (size_t)e->n_visible * sizeof(REAL)), memcpy(w.c, c, (size_t)e->n_hidden * sizeof(REAL));
    int failed = 0;
    int64_t done = 0;
    for (int64_t first = 0; first < e->n_chains && !failed; first += CHAINS_AT_ONCE) {
        int64_t n = e->n_chains - first < CHAINS_AT_ONCE ? e->n_chains - first : CHAINS_AT_ONCE;
        failed = NAME(sweep_block)(
            &w, e, e->visible + first * e->n_visible, e->hidden + first * e->n_hidden, n,
            means + first * e->n_hidden, &done);
    }
    free(block);
    return failed;
}

#undef LANES
#undef SHARE
#undef PIECE
#undef CHUNK
