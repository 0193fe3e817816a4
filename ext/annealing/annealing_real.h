/* Annealed chains in one precision, at one SIMD level:
   the includer sets REAL, WORD, VECTOR, NAME, BITS, VALUE, SIGN. */

#define LANES ((int64_t)(PANEL_BYTES / sizeof(REAL)))
#define SHARE (LANES / PARTS) /* lanes of a panel that one part of the generator serves */
#define PIECE ((int64_t)(sizeof(VECTOR) / sizeof(REAL))) /* lanes of a vector, half of them without vectors */

/* What the chains work on. `before`, `after` and `size` hold of each chain one number for each lane. */
struct NAME(annealed) {
    int64_t row, stride_v, stride_h;
    REAL *weights, *b, *c;
    uint8_t *v, *h;
    REAL *none, *x;              /* a panel of zeros; sums of weights of each chain in one panel */
    REAL *before, *after;        /* products of 1 + exp(-2|a|) at beta and at beta' */
    REAL *size;                  /* sums of |a'| - |a| */
    double *ratio, *total;       /* of each chain: ln w = total + ln ratio */
    int gathered;                /* panels in `before`, `after` and `size` */
    struct NAME(layer) up, down;
};

FN struct NAME(annealed) NAME(lay_out_annealed)(struct arena *from, const struct annealing *e)
{
    static const struct member alone = {NULL, 1, 0};
    struct NAME(annealed) w;
    w.gathered = 0;
    w.row = up_to(e->n_hidden, LANES);
    w.stride_v = up_to(e->n_visible, 16) / 4, w.stride_h = up_to(e->n_hidden, 16) / 4;
    w.weights = piece(from, (size_t)(e->n_visible * w.row) * sizeof(REAL));
    w.b = piece(from, (size_t)up_to(e->n_visible, LANES) * sizeof(REAL));
    w.c = piece(from, (size_t)w.row * sizeof(REAL));
    w.v = piece(from, (size_t)(e->n_chains * w.stride_v));
    w.h = piece(from, (size_t)(e->n_chains * w.stride_h));
    w.none = piece(from, PANEL_BYTES);
    w.x = piece(from, (size_t)(e->n_chains * LANES) * sizeof(REAL));
    w.before = piece(from, (size_t)(e->n_chains * LANES) * sizeof(REAL));
    w.after = piece(from, (size_t)(e->n_chains * LANES) * sizeof(REAL));
    w.size = piece(from, (size_t)(e->n_chains * LANES) * sizeof(REAL));
    w.ratio = piece(from, (size_t)e->n_chains * sizeof(double));
    w.total = piece(from, (size_t)e->n_chains * sizeof(double));
    w.up = NAME(make_layer)(from, &alone, w.weights, w.c, e->n_visible, e->n_hidden, w.row, 0);
    w.down = NAME(make_layer)(from, &alone, w.weights, w.b, e->n_hidden, e->n_visible, w.row, 1);
    return w;
}

/* Steps of the generator that are not used here. */
FN void NAME(pass_over)(LEVEL(streams) *generator, int64_t n_steps)
{
    LEVEL(streams) p = generator[0], q = generator[1], s = generator[2], t = generator[3], r;
    for (int64_t step = 0; step < n_steps; step++)
        XOSHIRO(p, q, s, t, r);
    generator[0] = p, generator[1] = q, generator[2] = s, generator[3] = t;
}

/* One panel of hidden units for all chains:
   what the step from beta to `next` adds, and the spins at `next` if they are drawn. */
TARGET ALWAYS_INLINE void NAME(weigh_part)(
    struct NAME(annealed) *w, const struct annealing *e, int64_t panel, int part, REAL beta, REAL next,
    LEVEL(streams) *generator, const int draw)
{
    LEVEL(streams) p = generator[0], q = generator[1], s = generator[2], t = generator[3], r = p;
    const REAL *bias = w->c + panel * LANES + part * SHARE;
    for (int64_t chain = 0; chain < e->n_chains; chain++) {
        uint32_t up = 0;
        if (draw)
            XOSHIRO(p, q, s, t, r);
        for (int64_t lane = 0; lane < SHARE; lane += PIECE) {
            const int64_t at = chain * LANES + part * SHARE + lane;
            VECTOR x = NAME(load)(w->x + at);
            VECTOR field = NAME(load)(bias + lane), old = field + beta * x, new = field + next * x;
            VECTOR old_size = VALUE(BITS(old) & ~SIGN), new_size = VALUE(BITS(new) & ~SIGN);
            VECTOR old_decay = NAME(decay)(old_size), new_decay = NAME(decay)(new_size);
            NAME(store)(w->before + at, NAME(load)(w->before + at) * ((REAL)1 + old_decay));
            NAME(store)(w->after + at, NAME(load)(w->after + at) * ((REAL)1 + new_decay));
            NAME(store)(w->size + at, NAME(load)(w->size + at) + (new_size - old_size));
            if (draw) {
                VECTOR spin = NAME(choose)(new, new_decay, NAME(random_words)(r, lane));
                up |= NAME(up_bits)(spin) << lane;
            }
        }
        if (draw)
            NAME(put_bits)(w->h + chain * w->stride_h + panel * LANES / 4, part * SHARE, up);
    }
    generator[0] = p, generator[1] = q, generator[2] = s, generator[3] = t;
}

/* One panel of visible units for all chains. */
FN void NAME(draw_part)(
    struct NAME(annealed) *w, const struct annealing *e, int64_t panel, int part, REAL beta,
    LEVEL(streams) *generator)
{
    LEVEL(streams) p = generator[0], q = generator[1], s = generator[2], t = generator[3], r;
    const REAL *bias = w->b + panel * LANES + part * SHARE;
    for (int64_t chain = 0; chain < e->n_chains; chain++) {
        uint32_t up = 0;
        XOSHIRO(p, q, s, t, r);
        for (int64_t lane = 0; lane < SHARE; lane += PIECE) {
            VECTOR x = NAME(load)(w->x + chain * LANES + part * SHARE + lane);
            VECTOR field = NAME(load)(bias + lane) + beta * x;
            VECTOR decayed = NAME(decay)(VALUE(BITS(field) & ~SIGN));
            VECTOR spin = NAME(choose)(field, decayed, NAME(random_words)(r, lane));
            up |= NAME(up_bits)(spin) << lane;
        }
        NAME(put_bits)(w->v + chain * w->stride_v + panel * LANES / 4, part * SHARE, up);
    }
    generator[0] = p, generator[1] = q, generator[2] = s, generator[3] = t;
}

/* Add what the lanes of each chain have gathered, the upper half to the lower one until one is left, and
   begin anew. */
FN void NAME(gather)(struct NAME(annealed) *w, const struct annealing *e)
{
    w->gathered = 0;
    for (int64_t chain = 0; chain < e->n_chains; chain++) {
        REAL *before = w->before + chain * LANES, *after = w->after + chain * LANES;
        REAL *size = w->size + chain * LANES;
        double ratio[PANEL_BYTES / sizeof(REAL)];
        for (int64_t lane = 0; lane < LANES; lane++)
            ratio[lane] = (double)(after[lane] / before[lane]);
        for (int64_t half = LANES / 2; half; half /= 2)
            for (int64_t lane = 0; lane < half; lane++) {
                ratio[lane] = ratio[lane] * ratio[lane + half];
                size[lane] = size[lane] + size[lane + half];
            }
        w->ratio[chain] *= ratio[0];
        w->total[chain] += (double)size[0];
        if (!(w->ratio[chain] > 0x1p-500 && w->ratio[chain] < 0x1p500)) {
            w->total[chain] += log(w->ratio[chain]);
            w->ratio[chain] = 1.0;
        }
        for (int64_t lane = 0; lane < LANES; lane++)
            before[lane] = after[lane] = 1, size[lane] = 0;
    }
}

FN void NAME(get_generator)(LEVEL(streams) *generator, const uint64_t *state, int part)
{
    for (int word = 0; word < 4; word++)
        memcpy(generator + word, state + 8 * word + part * WIDTH, sizeof *generator);
}

FN void NAME(put_generator)(const LEVEL(streams) *generator, uint64_t *state, int part)
{
    for (int word = 0; word < 4; word++)
        memcpy(state + 8 * word + part * WIDTH, generator + word, sizeof *generator);
}

TARGET static void NAME(step)(struct NAME(annealed) *w, const struct annealing *e, int64_t step)
{
    const int64_t hidden_panels = w->row / LANES, visible_panels = up_to(e->n_visible, LANES) / LANES;
    const REAL beta = (REAL)e->betas[step], next = (REAL)e->betas[step + 1];
    const int draw = step + 2 < e->n_betas;
    LEVEL(streams) generator[4];
    for (int64_t panel = 0; panel < hidden_panels; panel++) {
        NAME(activate)(
            w->x, w->none, NAME(table)(&w->up, panel), up_to(e->n_visible, 4) / 4, w->v, w->stride_v,
            e->n_chains);
        for (int part = 0; part < PARTS; part++) {
            NAME(get_generator)(generator, e->state, part);
            if (draw) {
                NAME(pass_over)(generator, e->before);
                NAME(weigh_part)(w, e, panel, part, beta, next, generator, 1);
                NAME(pass_over)(generator, e->after);
            } else {
                NAME(weigh_part)(w, e, panel, part, beta, next, generator, 0);
            }
            NAME(put_generator)(generator, e->state, part);
        }
        if (++w->gathered == PANELS_AT_ONCE || (panel == hidden_panels - 1 && !draw))
            NAME(gather)(w, e);
    }
    for (int64_t panel = 0; draw && panel < visible_panels; panel++) {
        NAME(activate)(
            w->x, w->none, NAME(table)(&w->down, panel), up_to(e->n_hidden, 4) / 4, w->h, w->stride_h,
            e->n_chains);
        for (int part = 0; part < PARTS; part++) {
            NAME(get_generator)(generator, e->state, part);
            NAME(pass_over)(generator, e->before);
            NAME(draw_part)(w, e, panel, part, next, generator);
            NAME(pass_over)(generator, e->after);
            NAME(put_generator)(generator, e->state, part);
        }
    }
}

/* The steps `first` to `last` - 1 of the chains that the memory holds;
   the first one begins them, the last one ends them. */
TARGET static void NAME(anneal)(const struct annealing *e, const REAL *weights, const REAL *b, const REAL *c)
{
    struct arena memory = {e->memory + (64 - (uintptr_t)e->memory % 64), 0};
    struct NAME(annealed) w = NAME(lay_out_annealed)(&memory, e);
    w.gathered = (int)(e->first % PANELS_AT_ONCE * (w.row / LANES) % PANELS_AT_ONCE);
    if (!e->first) {
        memset(memory.base, 0, memory.used);
        NAME(copy_rows)(w.weights, w.row, weights, e->n_hidden, e->n_visible, e->n_hidden);
        memcpy(w.b, b, (size_t)e->n_visible * sizeof(REAL));
        memcpy(w.c, c, (size_t)e->n_hidden * sizeof(REAL));
        pack_rows(e->visible, e->n_chains, e->n_visible, w.v, w.stride_v);
        for (int64_t k = 0; k < e->n_chains * LANES; k++)
            w.before[k] = w.after[k] = 1;
        for (int64_t chain = 0; chain < e->n_chains; chain++)
            w.ratio[chain] = 1.0;
    }
    for (int64_t step = e->first; step < e->last; step++)
        NAME(step)(&w, e, step);
    if (e->last + 1 < e->n_betas)
        return;
    for (int64_t chain = 0; chain < e->n_chains; chain++)
        e->log_weights[chain] = w.total[chain] + log(w.ratio[chain]);
    unpack_rows(w.v, e->n_chains, e->n_visible, e->visible, w.stride_v);
}

#undef LANES
#undef SHARE
#undef PIECE
