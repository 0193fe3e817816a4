/* Epochs of learning and sweeps of chains, on their own memory; block_gibbs_real.h includes it. */

/* Rows of spins of this thread's share, turned to columns. */
FN void NAME(turn)(
    const struct NAME(work) *w, const struct epoch *e, const uint8_t *rows, int64_t n, uint8_t *to)
{
    const int64_t n_groups = up_to(e->n_visible, 4) / 4, stride = w->samples / 4;
    const int64_t first = share_begin(w->member, n_groups), last = share_end(w->member, n_groups);
    turn_rows(rows + first, n, last - first, w->stride_v, to + 4 * first * stride, stride);
}

/* The positive phase and k sweeps: spins, means and turned spins of both; -1 where it is to stop. */
TARGET static int NAME(phases)(
    struct NAME(work) *w, const struct epoch *e, const int64_t *order, int64_t n, int64_t n_chains)
{
    const int64_t below = up_to(n, 4);
    const double rate = apart(e) ? 1 : e->rate;
    const REAL data = (REAL)(rate / (double)n), model = (REAL)(-rate / (double)n_chains);
    struct NAME(rows) up = {
        w->data, w->stride_v, n, w->state, 1, w->h, w->stride_h, w->means, w->row, data, &w->done};
    struct NAME(rows) down = {
        w->h, w->stride_h, n_chains, w->state, 1, w->v, w->stride_v, NULL, 0, 0, &w->done};
    for (int64_t i = share_begin(w->member, n); i < share_end(w->member, n); i++)
        memcpy(w->data + i * w->stride_v, e->data + order[i] * w->stride_v, (size_t)w->stride_v);
    if (meet(w->member, 0))
        return -1;
    w->up.built = w->up.first, w->down.built = w->down.first;
    int failed = e->persistent ? NAME(mean)(&w->up, &up) : NAME(draw_and_mean)(&w->up, &up);
    NAME(turn)(w, e, w->data, n, w->turned);
    if (!e->persistent && meet(w->member, failed))
        return -1;
    up.in = w->v, up.n_rows = n_chains, up.means = w->means + below * w->row, up.share = model;
    for (int64_t sweep = 1; sweep <= e->k; sweep++) {
        failed |= NAME(draw)(&w->down, &down);
        if (meet(w->member, failed))
            return -1;
        failed = sweep < e->k   ? NAME(draw)(&w->up, &up)
            : e->persistent ? NAME(draw_and_mean)(&w->up, &up)
                            : NAME(mean)(&w->up, &up);
        if (sweep < e->k && meet(w->member, failed))
            return -1;
    }
    NAME(turn)(w, e, w->v, n_chains, w->turned + below / 4);
    if (w->member->index == w->member->n - 1) /* after the last group: the unit that is always up */
        memset(w->turned + e->n_visible * (w->samples / 4), 240, (size_t)(w->samples / 4));
    for (int64_t at = w->up.first * LANES; at < w->up.last * LANES; at += LANES) {
        for (int64_t i = n; i < below; i++)
            memset(w->means + i * w->row + at, 0, PANEL_BYTES);
        for (int64_t i = n_chains; i < up_to(n_chains, 4); i++)
            memset(up.means + i * w->row + at, 0, PANEL_BYTES);
    }
    return meet(w->member, failed);
}

/* Update number `count`, from n rows of data; -1 where it is to stop. Without persistent chains the negative
   phase begins with the spins of the positive one. */
TARGET static int NAME(update)(
    struct NAME(work) *w, const struct epoch *e, const int64_t *order, int64_t n, int64_t count)
{
    const int64_t n_chains = e->persistent ? e->n_chains : n;
    const int64_t n_samples = up_to(n, 4) + up_to(n_chains, 4);
    const int64_t first = w->up.first * LANES, last = w->up.last * LANES;
    if (NAME(phases)(w, e, order, n, n_chains))
        return -1;
    if (apart(e))
        return NAME(climb)(w, e, n, n_chains, count);
    const struct range own = NAME(own_units)(w, e);
    for (int64_t i = own.first; i < own.last; i++) {
        const struct NAME(pair) of = NAME(visible_means)(
            w, i, n, n_chains, (REAL)(e->rate / (double)n), (REAL)(-e->rate / (double)n_chains));
        w->b[i] += of.clamped + of.free;
    }
    if (e->decay != 0)
        for (int64_t i = 0; i < e->n_visible; i++)
            for (int64_t a = first; a < last; a++)
                w->weights[i * w->row + a] *= (REAL)(1 - e->rate * e->decay);
    return NAME(accumulate)(
        w->weights, w->row, w->up.first, w->up.last, w->turned, w->samples / 4, e->n_visible + 1, w->means,
        n_samples, w->table, &w->done);
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

/* All updates of an epoch; -1 where it is to stop. */
TARGET static int NAME(make_updates)(struct NAME(work) *w, const struct epoch *e)
{
    for (int64_t first = 0, update = 0; first < e->n_rows; first += e->batch_size, update++) {
        int64_t left = e->n_rows - first, n = left < e->batch_size ? left : e->batch_size;
        int failed = NAME(update)(w, e, e->order + first, n, e->n_updates + update + 1);
        for (int64_t chain = 0; !w->member->index && chain < e->n_measured; chain++)
            e->series[update * e->n_measured + chain]
                = (int32_t)row_total(w->v + chain * w->stride_v, e->n_visible);
        if (meet(w->member, failed))
            return -1;
    }
    return 0;
}

/* One member's part of an epoch; the first one lends the memory, and reads and writes what the caller has. */
TARGET static int NAME(train)(
    const struct epoch *e, const struct member *m, REAL *weights, REAL *b, REAL *c, REAL *slots,
    REAL *offsets)
{
    struct arena memory = {NULL, 0};
    NAME(lay_out)(&memory, e, m);
    char *block = m->index ? NULL : calloc(memory.used + 64, 1);
    if (!m->index)
        m->team->memory = block ? block + (64 - (uintptr_t)block % 64) : NULL;
    if (meet(m, 0))
        return -1;
    if (!m->team->memory)
        return 1;
    memory.base = m->team->memory, memory.used = 0;
    struct NAME(work) w = NAME(lay_out)(&memory, e, m);
    if (!m->index) {
        m->team->done = &w.done;
        NAME(exchange_all)(e, &w, weights, b, c, slots, offsets, 0);
        if (e->persistent)
            pack_rows(e->chains_hidden, e->n_chains, e->n_hidden, w.h, w.stride_h);
    }
    int stopped = meet(m, 0) || NAME(make_updates)(&w, e);
    if (!m->index && !stopped) {
        NAME(exchange_all)(e, &w, weights, b, c, slots, offsets, 1);
        memcpy(e->state, w.state, sizeof w.state);
        if (e->persistent) {
            unpack_rows(w.v, e->n_chains, e->n_visible, e->chains_visible, w.stride_v);
            unpack_rows(w.h, e->n_chains, e->n_hidden, e->chains_hidden, w.stride_h);
        }
    }
    free(block);
    return stopped ? -1 : 0;
}

/* What sweeps work on. */
struct NAME(swept) {
    REAL *weights, *b, *c, *means;
    double *totals; /* lanes of energies */
    uint8_t *v, *h, *given; /* given: spins of the clamped units, 0 elsewhere */
    struct NAME(layer) up, down;
};

FN struct NAME(swept) NAME(lay_out_chains)(struct arena *from, const struct chains *e)
{
    static const struct member alone = {NULL, 1, 0};
    struct NAME(swept) w;
    int64_t row = up_to(e->n_hidden, LANES), n = at_most(CHAINS_AT_ONCE, e->n_chains);
    w.weights = piece(from, (size_t)(e->n_visible * row) * sizeof(REAL));
    w.b = piece(from, (size_t)up_to(e->n_visible, LANES) * sizeof(REAL));
    w.c = piece(from, (size_t)row * sizeof(REAL));
    w.means = piece(from, (size_t)(n * row) * sizeof(REAL));
    w.totals = piece(from, (size_t)(n * LANES) * sizeof(double));
    w.v = piece(from, (size_t)(n * up_to(e->n_visible, 16) / 4));
    w.h = piece(from, (size_t)(n * up_to(e->n_hidden, 16) / 4));
    w.given = piece(from, e->clamped ? (size_t)(n * up_to(e->n_visible, 16) / 4) : 0);
    w.up = NAME(make_layer)(from, &alone, w.weights, w.c, e->n_visible, e->n_hidden, row, 0);
    w.down = NAME(make_layer)(from, &alone, w.weights, w.b, e->n_hidden, e->n_visible, row, 1);
    return w;
}

/* Clamped spins back to what they were. */
FN void NAME(restore)(uint8_t *spins, const uint8_t *clamped, const uint8_t *given, int64_t n_bytes)
{
    for (int64_t at = 0; clamped && at < n_bytes; at++)
        spins[at] = (uint8_t)((spins[at] & ~clamped[at]) | given[at]);
}

/* Sweep n chains from `first` on k times, at most CHAINS_AT_ONCE; -1 where Ctrl-C stops it. */
TARGET static int NAME(sweep_block)(
    struct NAME(swept) *w, const struct chains *e, REAL scale, int64_t first, int64_t n, REAL *means,
    int64_t *done)
{
    const int64_t row = up_to(e->n_hidden, LANES);
    const int64_t stride_v = up_to(e->n_visible, 16) / 4, stride_h = up_to(e->n_hidden, 16) / 4;
    int8_t *visible = e->visible + first * e->n_visible, *hidden = e->hidden + first * e->n_hidden;
    const uint8_t *clamped = e->clamped ? e->clamped + first * stride_v : NULL;
    struct NAME(rows) up = {w->v,    stride_v, n, e->state, scale,     w->h,    stride_h,
                            w->means, row,      1, done,     e->before, e->after};
    struct NAME(rows) down = {w->h, stride_h, n, e->state, scale,     w->v,    stride_v,
                              NULL, 0,        0, done,     e->before, e->after};
    if (clamped || e->from_visible)
        pack_rows(visible, n, e->n_visible, w->v, stride_v);
    for (int64_t at = 0; clamped && at < n * stride_v; at++)
        w->given[at] = w->v[at] & clamped[at];
    if (e->from_visible) {
        if (NAME(draw)(&w->up, &up))
            return -1;
    } else {
        pack_rows(hidden, n, e->n_hidden, w->h, stride_h);
    }
    for (int64_t sweep = 1; sweep <= e->k; sweep++) {
        if (NAME(draw)(&w->down, &down))
            return -1;
        NAME(restore)(w->v, clamped, w->given, n * stride_v);
        if (sweep < e->k || !means ? NAME(draw)(&w->up, &up)
                : e->last_hidden   ? NAME(draw_and_mean)(&w->up, &up)
                                   : NAME(mean)(&w->up, &up))
            return -1;
    }
    if (e->k)
        unpack_rows(w->v, n, e->n_visible, visible, stride_v);
    unpack_rows(w->h, n, e->n_hidden, hidden, stride_h);
    if (means)
        NAME(copy_rows)(means, e->n_hidden, w->means, row, n, e->n_hidden);
    return 0;
}

/* Memory to work on, in one block that is to be freed, or NULL, and the parameters there. */
FN char *NAME(open_chains)(
    struct NAME(swept) *w, const struct chains *e, const REAL *weights, const REAL *b, const REAL *c)
{
    struct arena memory = {NULL, 0};
    NAME(lay_out_chains)(&memory, e);
    char *block = calloc(memory.used + 64, 1);
    if (!block)
        return NULL;
    memory.base = block + (64 - (uintptr_t)block % 64), memory.used = 0;
    *w = NAME(lay_out_chains)(&memory, e);
    NAME(copy_rows)(w->weights, up_to(e->n_hidden, LANES), weights, e->n_hidden, e->n_visible, e->n_hidden);
    memcpy(w->b, b, (size_t)e->n_visible * sizeof(REAL)), memcpy(w->c, c, (size_t)e->n_hidden * sizeof(REAL));
    return block;
}

/* The rungs from the last to the first, which alone has means, each as if in a call of its own: the tables
   are the same for all, since a scale multiplies the sums. */
TARGET static int NAME(sweep)(
    const struct chains *e, const REAL *weights, const REAL *b, const REAL *c, REAL *means)
{
    const int64_t n_chains = e->n_chains / e->n_rungs;
    struct NAME(swept) w;
    char *block = NAME(open_chains)(&w, e, weights, b, c);
    int failed = !block;
    int64_t done = 0;
    for (int64_t rung = e->n_rungs - 1; rung >= 0; rung--)
        for (int64_t first = 0; first < n_chains && !failed; first += CHAINS_AT_ONCE) {
            const int64_t n = at_most(CHAINS_AT_ONCE, n_chains - first);
            REAL *to = means && !rung ? means + first * e->n_hidden : NULL;
            failed = NAME(sweep_block)(
                &w, e, (REAL)e->scales[rung], rung * n_chains + first, n, to, &done);
        }
    free(block);
    return failed;
}

/* lanes += a number with the sign of its spin, for the lanes of one panel. */
FN void NAME(add_signed)(double *lanes, const REAL *numbers, const uint8_t *packed)
{
    for (int64_t g = 0; g < LANES / 4; g++, lanes += 4, numbers += 4) {
        const double *spins = four_spins[packed[g] >> 4];
        double sums[4];
        for (int b = 0; b < 4; b++)
            sums[b] = lanes[b] + spins[b] * (double)numbers[b];
        memcpy(lanes, sums, sizeof sums);
    }
}

/* Energies of up to CHAINS_AT_ONCE pairs of configurations, from the same activations as spins: sums over
   the units are in double precision, a lane of the panels of both layers at a time. */
TARGET static int NAME(energies_of_block)(
    struct NAME(swept) *w, const struct chains *e, int64_t first, int64_t n, double *out, int64_t *done)
{
    REAL sums[ROWS_AT_ONCE * PANEL_BYTES / sizeof(REAL)];
    const int64_t stride_v = up_to(e->n_visible, 16) / 4, stride_h = up_to(e->n_hidden, 16) / 4;
    const int64_t n_groups = up_to(e->n_visible, 4) / 4;
    pack_rows(e->visible + first * e->n_visible, n, e->n_visible, w->v, stride_v);
    pack_rows(e->hidden + first * e->n_hidden, n, e->n_hidden, w->h, stride_h);
    memset(w->totals, 0, (size_t)(n * LANES) * sizeof(double));
    for (int64_t i = 0; i < n; i++)
        for (int64_t unit = 0; unit < e->n_visible; unit += LANES)
            NAME(add_signed)(w->totals + i * LANES, w->b + unit, w->v + i * stride_v + unit / 4);
    for (int64_t panel = 0; panel < w->up.last; panel++) {
        const REAL *table = NAME(table)(&w->up, panel);
        for (int64_t row = 0; row < n; row += ROWS_AT_ONCE) {
            const int64_t rows = at_most(ROWS_AT_ONCE, n - row);
            NAME(activate)(
                sums, w->c + panel * LANES, table, n_groups, w->v + row * stride_v, stride_v, rows);
            for (int64_t i = 0; i < rows; i++)
                NAME(add_signed)(
                    w->totals + (row + i) * LANES, sums + i * LANES,
                    w->h + (row + i) * stride_h + panel * LANES / 4);
            if (interrupted(done, rows * (n_groups + LANES)))
                return -1;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        double *lanes = w->totals + i * LANES;
        for (int64_t half = LANES / 2; half; half /= 2)
            for (int64_t lane = 0; lane < half; lane++)
                lanes[lane] += lanes[lane + half];
        out[i] = -lanes[0];
    }
    return 0;
}

TARGET static int NAME(energies)(
    const struct chains *e, const REAL *weights, const REAL *b, const REAL *c, double *out)
{
    struct NAME(swept) w;
    char *block = NAME(open_chains)(&w, e, weights, b, c);
    int failed = !block;
    int64_t done = 0;
    for (int64_t first = 0; first < e->n_chains && !failed; first += CHAINS_AT_ONCE)
        failed = NAME(energies_of_block)(
            &w, e, first, at_most(CHAINS_AT_ONCE, e->n_chains - first), out + first, &done);
    free(block);
    return failed;
}
