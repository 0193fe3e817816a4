/* Epochs of learning and sweeps of chains, on their own memory; block_gibbs_real.h includes it. */

/* Update number `count`, from n rows of data; -1 where Ctrl-C stops it. Without persistent chains the negative phase
   begins with the spins of the positive one. */
TARGET static int NAME(update)(
    struct NAME(work) *w, const struct epoch *e, const int64_t *order, int64_t n, int64_t count,
    int64_t *done)
{
    const int64_t n_chains = e->persistent ? e->n_chains : n, n_groups = up_to(e->n_visible, 4) / 4;
    const int64_t below = up_to(n, 4), stride = w->samples / 4, n_samples = below + up_to(n_chains, 4);
    const double rate = apart(e) ? 1 : e->rate;
    const REAL data = (REAL)(rate / (double)n), model = (REAL)(-rate / (double)n_chains);
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
    memset(w->turned + e->n_visible * stride, 240, (size_t)stride); /* of the unit that is always up */
    if (apart(e))
        return NAME(climb)(w, e, n, n_chains, count, done);
    for (int64_t i = 0; i < e->n_visible; i++) {
        const struct NAME(pair) of = NAME(visible_means)(w, i, n, n_chains, data, model);
        w->b[i] += of.clamped + of.free;
    }
    if (e->decay != 0)
        for (int64_t i = 0; i < e->n_visible * w->row; i++)
            w->weights[i] *= (REAL)(1 - e->rate * e->decay);
    return NAME(accumulate)(
        w->weights, w->row, w->turned, stride, e->n_visible + 1, w->means, n_samples, w->table, done);
}

/* All parameters, or a memory of the optimiser, to the rows that are worked on, or back. */
FN void NAME(exchange)(
    const struct epoch *e, REAL *weights, REAL *b, REAL *c, REAL *rows, REAL *biases, int64_t row, int back)
{
    const int64_t n = e->n_hidden;
    REAL *last = rows + e->n_visible * row;
    if (back)
        NAME(copy_rows)(weights, n, rows, row, e->n_visible, n);
    else
        NAME(copy_rows)(rows, row, weights, n, e->n_visible, n);
    memcpy(back ? b : biases, back ? biases : b, (size_t)e->n_visible * sizeof(REAL));
    memcpy(back ? c : last, back ? last : c, (size_t)n * sizeof(REAL));
}

/* What the caller keeps from epoch to epoch; see block_gibbs.pyx. */
FN void NAME(exchange_all)(
    const struct epoch *e, const struct NAME(work) *w, REAL *weights, REAL *b, REAL *c, REAL *slots,
    REAL *offsets, int back)
{
    const int64_t n = e->n_visible, m = e->n_hidden;
    NAME(exchange)(e, weights, b, c, w->weights, w->b, w->row, back);
    for (int64_t slot = 0; slot < e->n_slots; slot++, slots += n * m + n + m)
        NAME(exchange)(
            e, slots, slots + n * m, slots + n * m + n, w->slots[slot], w->slots[slot] + w->biases, w->row,
            back);
    if (e->centred) {
        REAL *visible = w->visible_offset, *hidden = w->hidden_offset;
        memcpy(back ? offsets : visible, back ? visible : offsets, (size_t)n * sizeof(REAL));
        memcpy(back ? offsets + n : hidden, back ? hidden : offsets + n, (size_t)m * sizeof(REAL));
    }
}

TARGET static int NAME(train)(
    const struct epoch *e, REAL *weights, REAL *b, REAL *c, REAL *slots, REAL *offsets)
{
    struct arena memory = {NULL, 0};
    NAME(lay_out)(&memory, e);
    char *block = calloc(memory.used + 64, 1);
    if (!block)
        return 1;
    memory.base = block + (64 - (uintptr_t)block % 64), memory.used = 0;
    struct NAME(work) w = NAME(lay_out)(&memory, e);
    NAME(exchange_all)(e, &w, weights, b, c, slots, offsets, 0);
    if (e->persistent)
        pack_rows(e->chains_hidden, e->n_chains, e->n_hidden, w.h, w.stride_h);
    int64_t done = 0;
    for (int64_t first = 0, update = 0; first < e->n_rows; first += e->batch_size, update++) {
        int64_t left = e->n_rows - first, n = left < e->batch_size ? left : e->batch_size;
        if (NAME(update)(&w, e, e->order + first, n, e->n_updates + update + 1, &done)) {
            free(block);
            return -1;
        }
        for (int64_t chain = 0; chain < e->n_measured; chain++)
            e->series[update * e->n_measured + chain]
                = (int32_t)row_total(w.v + chain * w.stride_v, e->n_visible);
    }
    NAME(exchange_all)(e, &w, weights, b, c, slots, offsets, 1);
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
