/* Layers, sweeps and epochs in one precision, at one SIMD level: the includer sets REAL, WORD, VECTOR, NAME, BITS, VALUE, SIGN. */

#define LANES ((int64_t)(PANEL_BYTES / sizeof(REAL)))
#define SHARE (LANES / PARTS)                                 /* lanes of a panel that one part of the generator serves */
#define PIECE ((int64_t)(sizeof(VECTOR) / sizeof(REAL)))      /* lanes of a vector, half of them without vectors */

#define CHUNK ((int64_t)(CHUNK_BYTES / 16 / SHARE / sizeof(REAL))) /* groups of four inputs whose tables stay in the cache */

/* Units of one layer given those of another. `weights` has a row for each input, or, turned, for each unit. */
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
    struct arena *from, const REAL *weights, const REAL *bias, int64_t n_in, int64_t n_out, int64_t row, int turned)
{
    struct NAME(layer) layer = {weights, bias, n_in, n_out, row, turned, 0, 0, NULL, NULL};
    int64_t size = NAME(table_size)(n_in), panels = up_to(n_out, LANES) / LANES;
    layer.kept = size * panels * (int64_t)sizeof(REAL) <= KEPT_BYTES;
    layer.tables = piece(from, (size_t)(size * (layer.kept ? panels : 1)) * sizeof(REAL));
    layer.scratch = piece(from, turned ? (size_t)(n_in * LANES) * sizeof(REAL) : 0);
    return layer;
}

/* The tables of inputs whose weights for one panel stand in rows `step` apart: of each part of the panel all groups, of each group
   sixteen sums for the lanes of the part. */
FN void NAME(fill_table)(const REAL *weights, int64_t step, int64_t n_in, REAL *table)
{
    const REAL none[PANEL_BYTES / sizeof(REAL)] = {0};
    const int64_t part_size = NAME(table_size)(n_in) / PARTS;
    for (int64_t first = 0; first < n_in; first += 4, table += 16 * SHARE) {
        const REAL *rows[4];
        for (int b = 0; b < 4; b++)
            rows[b] = first + b < n_in ? weights + (first + b) * step : none;
        for (int64_t lane = 0; lane < LANES; lane += PIECE) {
            REAL *to = table + lane / SHARE * part_size + lane % SHARE;
            VECTOR w0, w1, w2, w3;
            memcpy(&w0, rows[0] + lane, sizeof w0), memcpy(&w1, rows[1] + lane, sizeof w1);
            memcpy(&w2, rows[2] + lane, sizeof w2), memcpy(&w3, rows[3] + lane, sizeof w3);
            VECTOR p = w0 + w1, q = w0 - w1, r = w2 + w3, s = w2 - w3;
            VECTOR low[4] = {-p, q, -q, p}, high[4] = {-r, s, -s, r};
            for (int m = 0; m < 16; m++) {
                VECTOR sum = low[m & 3] + high[m >> 2];
                memcpy(to + m * SHARE, &sum, sizeof sum);
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

/* sum + T_0 + T_1 + ... for PIECE lanes. */
FN VECTOR NAME(lookup)(VECTOR sum, const REAL *table, const uint8_t *packed, int64_t n_groups)
{
    UNROLL
    for (int64_t g = 0; g < n_groups; g++) {
        VECTOR entry;
        /* the byte is 16 times the number of the entry: a scaled address */
        memcpy(&entry, (const char *)(table + g * 16 * SHARE) + packed[g] * (SHARE * sizeof(REAL) / 16), sizeof entry);
        sum += entry;
    }
    return sum;
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
};

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

/* Finish up to ROWS_AT_ONCE rows of one part of a panel, whose bias is the first of `sums`. Groups of inputs are taken in chunks whose
   tables stay in the nearest cache; sums wait in memory in between. */
TARGET ALWAYS_INLINE void NAME(finish_rows)(
    const REAL *table, int64_t n_groups, const REAL *bias, const struct NAME(rows) *on, int64_t row, int64_t last,
    int64_t at, LEVEL(streams) *generator, const int draw, const int mean)
{
    REAL waiting[ROWS_AT_ONCE * PANEL_BYTES / sizeof(REAL)];
    LEVEL(streams) a = generator[0], b = generator[1], c = generator[2], d = generator[3], r;
    int64_t done = 0;
    for (; n_groups - done > CHUNK; done += CHUNK, table += CHUNK * 16 * SHARE)
        for (int64_t i = row; i < last; i++)
            for (int64_t lane = 0; lane < SHARE; lane += PIECE) {
                REAL *kept = waiting + (i - row) * SHARE + lane;
                VECTOR sum;
                memcpy(&sum, done ? kept : bias + lane, sizeof sum);
                sum = NAME(lookup)(sum, table + lane, on->in + i * on->in_stride + done, CHUNK);
                memcpy(kept, &sum, sizeof sum);
            }
    for (int64_t i = row; i < last; i++) {
        uint32_t up = 0;
        if (draw)
            XOSHIRO(a, b, c, d, r);
        for (int64_t lane = 0; lane < SHARE; lane += PIECE) {
            VECTOR sum;
            memcpy(&sum, done ? waiting + (i - row) * SHARE + lane : bias + lane, sizeof sum);
            sum = NAME(lookup)(sum, table + lane, on->in + i * on->in_stride + done, n_groups - done);
            sum *= on->scale;
            VECTOR e = NAME(decay)(VALUE(BITS(sum) & ~SIGN));
            if (draw) {
#if RBMFLOW_VECTORS
                WORD random = (WORD)r;
#else
                WORD random = (WORD)(r >> (lane ? 32 : 0));
#endif
                VECTOR spin = NAME(choose)(sum, e, random);
                up |= (NAME(signs)(spin) ^ (uint32_t)((1u << PIECE) - 1)) << lane;
            }
            if (mean) {
                VECTOR tanh = ((REAL)1 - e) / ((REAL)1 + e);
                tanh = on->share * VALUE(BITS(tanh) | (BITS(sum) & SIGN));
                memcpy(on->means + i * on->means_stride + at + lane, &tanh, sizeof tanh);
            }
        }
        if (draw)
            NAME(put_bits)(on->out + i * on->out_stride + at / LANES * LANES / 4, at % LANES, up);
    }
    generator[0] = a, generator[1] = b, generator[2] = c, generator[3] = d;
}

TARGET ALWAYS_INLINE void NAME(pass)(struct NAME(layer) *layer, const struct NAME(rows) *on, const int draw, const int mean)
{
    const int64_t n_groups = up_to(layer->n_in, 4) / 4, n_panels = up_to(layer->n_out, LANES) / LANES;
    for (int64_t panel = 0; panel < n_panels; panel++) {
        const REAL *table = NAME(table)(layer, panel);
        for (int part = 0; part < PARTS; part++) {
            const int64_t at = panel * LANES + part * SHARE;
            LEVEL(streams) generator[4];
            for (int word = 0; word < 4; word++)
                memcpy(generator + word, on->state + 8 * word + part * WIDTH, sizeof *generator);
            for (int64_t row = 0; row < on->n_rows; row += ROWS_AT_ONCE) {
                int64_t last = row + ROWS_AT_ONCE < on->n_rows ? row + ROWS_AT_ONCE : on->n_rows;
                NAME(finish_rows)(
                    table + part * n_groups * 16 * SHARE, n_groups, layer->bias + at, on, row, last, at, generator, draw,
                    mean);
            }
            for (int word = 0; word < 4; word++)
                memcpy(on->state + 8 * word + part * WIDTH, generator + word, sizeof *generator);
        }
    }
}

TARGET static void NAME(draw)(struct NAME(layer) *layer, const struct NAME(rows) *on)
{
    NAME(pass)(layer, on, 1, 0);
}

TARGET static void NAME(mean)(struct NAME(layer) *layer, const struct NAME(rows) *on)
{
    NAME(pass)(layer, on, 0, 1);
}

TARGET static void NAME(draw_and_mean)(struct NAME(layer) *layer, const struct NAME(rows) *on)
{
    NAME(pass)(layer, on, 1, 1);
}

/* weights[i] += Σ over samples of spin i times the sample's means, for n_units rows and all panels, samples in chunks. */
TARGET static void NAME(accumulate)(
    REAL *weights, int64_t row, const uint8_t *packed, int64_t stride, int64_t n_units, const REAL *means, int64_t n_samples,
    REAL *table)
{
    for (int64_t panel = 0; panel < row; panel += LANES)
        for (int64_t first = 0; first < n_samples; first += 4 * CHUNK) {
            int64_t n = n_samples - first < 4 * CHUNK ? n_samples - first : 4 * CHUNK, n_groups = up_to(n, 4) / 4;
            NAME(fill_table)(means + first * row + panel, row, n, table);
            for (int part = 0; part < PARTS; part++)
                for (int64_t i = 0; i < n_units; i++)
                    for (int64_t lane = 0; lane < SHARE; lane += PIECE) {
                        REAL *to = weights + i * row + panel + part * SHARE + lane;
                        VECTOR sum;
                        memcpy(&sum, to, sizeof sum);
                        sum = NAME(lookup)(
                            sum, table + part * n_groups * 16 * SHARE + lane, packed + i * stride + first / 4, n_groups);
                        memcpy(to, &sum, sizeof sum);
                    }
        }
}

FN void NAME(copy_rows)(REAL *to, int64_t to_row, const REAL *from, int64_t from_row, int64_t n_rows, int64_t n)
{
    for (int64_t i = 0; i < n_rows; i++)
        memcpy(to + i * to_row, from + i * from_row, (size_t)n * sizeof(REAL));
}

/* What an epoch works on. */
struct NAME(work) {
    int64_t row, stride_v, stride_h, samples; /* row of the weights, bytes to a row of spins, samples of both phases */
    REAL *weights, *b, *c, *means, *table;   /* biases c stand below the weights, so that they learn like a unit that is always up */
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

/* One update from `n` rows of data. Without persistent chains the negative phase begins with the spins of the positive one. */
TARGET static void NAME(update)(struct NAME(work) *w, const struct epoch *e, const int64_t *order, int64_t n)
{
    const int64_t n_chains = e->persistent ? e->n_chains : n, n_groups = up_to(e->n_visible, 4) / 4;
    const int64_t below = up_to(n, 4), stride = w->samples / 4, n_samples = below + up_to(n_chains, 4);
    const REAL data = (REAL)(e->rate / (double)n), model = (REAL)(-e->rate / (double)n_chains);
    uint8_t *given = w->data;
    for (int64_t i = 0; i < n; i++)
        memcpy(given + i * w->stride_v, e->data + order[i] * w->stride_v, (size_t)w->stride_v);
    struct NAME(rows) up = {given, w->stride_v, n, e->state, 1, w->h, w->stride_h, w->means, w->row, data};
    struct NAME(rows) down = {w->h, w->stride_h, n_chains, e->state, 1, w->v, w->stride_v, NULL, 0, 0};
    w->up.built = w->down.built = 0;
    if (e->persistent)
        NAME(mean)(&w->up, &up);
    else
        NAME(draw_and_mean)(&w->up, &up);
    turn_rows(given, n, n_groups, w->stride_v, w->turned, stride);
    memset(w->means + n * w->row, 0, (size_t)((below - n) * w->row) * sizeof(REAL));
    up.in = w->v, up.n_rows = n_chains, up.means = w->means + below * w->row, up.share = model;
    for (int64_t sweep = 1; sweep <= e->k; sweep++) {
        NAME(draw)(&w->down, &down);
        if (sweep < e->k)
            NAME(draw)(&w->up, &up);
        else if (e->persistent)
            NAME(draw_and_mean)(&w->up, &up);
        else
            NAME(mean)(&w->up, &up);
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
    NAME(accumulate)(w->weights, w->row, w->turned, stride, e->n_visible + 1, w->means, n_samples, w->table);
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
    for (int64_t first = 0, update = 0; first < e->n_rows; first += e->batch_size, update++) {
        int64_t left = e->n_rows - first;
        NAME(update)(&w, e, e->order + first, left < e->batch_size ? left : e->batch_size);
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

/* Sweep up to CHAINS_AT_ONCE chains k times. */
TARGET static void NAME(sweep_block)(
    struct NAME(swept) *w, const struct chains *e, int8_t *visible, int8_t *hidden, int64_t n, REAL *means)
{
    const int64_t row = up_to(e->n_hidden, LANES);
    const int64_t stride_v = up_to(e->n_visible, 16) / 4, stride_h = up_to(e->n_hidden, 16) / 4;
    struct NAME(rows) up = {w->v, stride_v, n, e->state, (REAL)e->scale, w->h, stride_h, w->means, row, 1};
    struct NAME(rows) down = {w->h, stride_h, n, e->state, (REAL)e->scale, w->v, stride_v, NULL, 0, 0};
    if (e->from_visible) {
        pack_rows(visible, n, e->n_visible, w->v, stride_v);
        NAME(draw)(&w->up, &up);
    } else {
        pack_rows(hidden, n, e->n_hidden, w->h, stride_h);
    }
    for (int64_t sweep = 1; sweep <= e->k; sweep++) {
        NAME(draw)(&w->down, &down);
        if (sweep < e->k || !e->with_means)
            NAME(draw)(&w->up, &up);
        else
            NAME(draw_and_mean)(&w->up, &up);
    }
    if (e->k)
        unpack_rows(w->v, n, e->n_visible, visible, stride_v);
    unpack_rows(w->h, n, e->n_hidden, hidden, stride_h);
    if (e->with_means)
        NAME(copy_rows)(means, e->n_hidden, w->means, row, n, e->n_hidden);
}

TARGET static int NAME(sweep)(const struct chains *e, const REAL *weights, const REAL *b, const REAL *c, REAL *means)
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
    for (int64_t first = 0; first < e->n_chains; first += CHAINS_AT_ONCE) {
        int64_t n = e->n_chains - first < CHAINS_AT_ONCE ? e->n_chains - first : CHAINS_AT_ONCE;
        NAME(sweep_block)(
            &w, e, e->visible + first * e->n_visible, e->hidden + first * e->n_hidden, n, means + first * e->n_hidden);
    }
    free(block);
    return 0;
}

#undef LANES
#undef SHARE
#undef PIECE
#undef CHUNK
