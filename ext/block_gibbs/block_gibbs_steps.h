/* What an epoch works on, and its steps from the gradient of the log-likelihood to the next parameters;
   block_gibbs_real.h includes it. */

/* What an epoch works on. */
struct NAME(work) {
    const struct member *member;
    uint64_t state[32]; /* the generator: every member takes all of its steps */
    int64_t done;       /* since the last look at Ctrl-C */
    int64_t row, stride_v, stride_h; /* numbers to a row of weights, bytes to a row of spins */
    int64_t samples;                 /* of both phases */
    REAL *weights, *b, *means, *table;
    REAL *c; /* stands below the weights and learns like those of a unit that is always up */
    uint8_t *data, *v, *h, *turned;
    struct NAME(layer) up, down;
    /* of steps that are more than a multiple of the gradient, which stands as the weights do */
    REAL *gradient, *slope_b, *turned_c, *visible_offset, *hidden_offset;
    REAL *slots[2]; /* as the weights, then, from `biases` on, as b */
    int64_t biases;
};

FN struct NAME(work) NAME(lay_out)(struct arena *from, const struct epoch *e, const struct member *m)
{
    struct NAME(work) w;
    int64_t n_chains = e->persistent ? e->n_chains : e->batch_size;
    w.row = up_to(e->n_hidden, LANES);
    w.stride_v = up_to(e->n_visible, 16) / 4, w.stride_h = up_to(e->n_hidden, 16) / 4;
    w.samples = up_to(e->batch_size, 4) + up_to(n_chains, 4);
    int64_t n_weights = (e->n_visible + 1) * w.row, n_biases = up_to(e->n_visible, LANES);
    w.weights = piece(from, (size_t)n_weights * sizeof(REAL));
    w.b = piece(from, (size_t)n_biases * sizeof(REAL));
    w.c = w.weights ? w.weights + e->n_visible * w.row : NULL;
    w.means = piece(from, (size_t)(w.samples * w.row) * sizeof(REAL));
    w.table = piece_of(from, m, (size_t)(CHUNK * 16 * LANES) * sizeof(REAL));
    w.data = piece(from, (size_t)(e->batch_size * w.stride_v));
    w.v = piece(from, (size_t)((e->batch_size > n_chains ? e->batch_size : n_chains) * w.stride_v));
    w.h = piece(from, (size_t)((e->batch_size > n_chains ? e->batch_size : n_chains) * w.stride_h));
    w.turned = piece(from, (size_t)((up_to(e->n_visible, 4) + 1) * (w.samples / 4)));
    w.up = NAME(make_layer)(from, m, w.weights, w.c, e->n_visible, e->n_hidden, w.row, 0);
    w.down = NAME(make_layer)(from, m, w.weights, w.b, e->n_hidden, e->n_visible, w.row, 1);
    w.member = m, w.biases = n_weights;
    memcpy(w.state, e->state, sizeof w.state);
    w.done = m->index ? INT64_MIN / 2 : 0; /* signals are told to the first member only */
    w.gradient = w.slope_b = w.turned_c = w.visible_offset = w.hidden_offset = w.slots[0] = w.slots[1] = NULL;
    if (apart(e)) {
        int64_t n_blocks = up_to(e->n_visible, STEP_ROWS) / STEP_ROWS;
        w.gradient = piece(from, (size_t)n_weights * sizeof(REAL));
        w.slope_b = piece(from, (size_t)n_biases * sizeof(REAL));
        w.turned_c = piece(from, (size_t)(e->centred ? n_blocks * w.row : 0) * sizeof(REAL));
        w.visible_offset = piece(from, (size_t)n_biases * sizeof(REAL));
        w.hidden_offset = piece(from, (size_t)w.row * sizeof(REAL));
        w.slots[0] = w.slots[1] = w.gradient; /* where there are none */
        for (int64_t slot = 0; slot < e->n_slots; slot++)
            w.slots[slot] = piece(from, (size_t)(n_weights + n_biases) * sizeof(REAL));
    }
    return w;
}

/* How far a parameter moves for its gradient: the numbers of an optimiser at one update. */
struct NAME(pace) {
    REAL rate, first, second, scale, correction, epsilon;
};

/* x^n by squaring: the same number on every machine. */
static double NAME(power)(double x, int64_t n)
{
    double product = 1;
    for (; n; n /= 2, x *= x)
        if (n % 2)
            product *= x;
    return product;
}

FN struct NAME(pace) NAME(pace_of)(const struct epoch *e, int64_t count)
{
    struct NAME(pace) p = {(REAL)e->rate, (REAL)e->first, (REAL)e->second, 0, 0, (REAL)e->epsilon};
    if (e->n_slots == 2) {
        p.first = (REAL)(1 - e->first), p.second = (REAL)(1 - e->second);
        p.scale = (REAL)(e->rate / (1 - NAME(power)(e->first, count)));
        p.correction = (REAL)(1 / (1 - NAME(power)(e->second, count)));
    }
    return p;
}

/* The parameters of one panel after a step for their gradient, and the memory of the optimiser. */
FN void NAME(move)(REAL *to, REAL *memory, REAL *square, VECTOR g, const struct NAME(pace) *p, int n_slots)
{
    VECTOR x = NAME(load)(to);
    if (n_slots == 0) {
        x += p->rate * g;
    } else if (n_slots == 1) {
        VECTOR m = p->first * NAME(load)(memory) + g;
        NAME(store)(memory, m);
        x += p->rate * m;
    } else {
        VECTOR m = NAME(load)(memory), s = NAME(load)(square);
        m += p->first * (g - m);
        s += p->second * (g * g - s);
        NAME(store)(memory, m), NAME(store)(square, s);
        x += p->scale * m / (NAME(root)(s * p->correction) + p->epsilon);
    }
    NAME(store)(to, x);
}

/* The sum of the lanes of a panel, halves upon halves. */
FN REAL NAME(total)(const VECTOR *sums)
{
    REAL lanes[PANEL_BYTES / sizeof(REAL)];
    memcpy(lanes, sums, sizeof lanes);
    for (int64_t half = LANES / 2; half; half /= 2)
        for (int64_t lane = 0; lane < half; lane++)
            lanes[lane] += lanes[lane + half];
    return lanes[0];
}

/* The visible units whose rows of weights take their steps in this thread. */
FN struct range NAME(own_units)(const struct NAME(work) *w, const struct epoch *e)
{
    const int64_t n_blocks = up_to(e->n_visible, STEP_ROWS) / STEP_ROWS;
    struct range own = {
        share_begin(w->member, n_blocks) * STEP_ROWS, share_end(w->member, n_blocks) * STEP_ROWS};
    own.last = own.last < e->n_visible ? own.last : e->n_visible;
    return own;
}

/* The means of a visible unit in both phases, each times the share of a sample. */
struct NAME(pair) {
    REAL clamped, free;
};

FN struct NAME(pair) NAME(visible_means)(
    const struct NAME(work) *w, int64_t i, int64_t n, int64_t n_chains, REAL data, REAL model)
{
    const int64_t below = up_to(n, 4) / 4, stride = w->samples / 4;
    const uint8_t *turned = w->turned + i * stride;
    struct NAME(pair) of = {
        data * (REAL)spin_total(turned, below, n),
        model * (REAL)spin_total(turned + below, up_to(n_chains, 4) / 4, n_chains)};
    return of;
}

/* The offsets of the hidden units follow the means of both phases; those of the free one have a minus. */
FN void NAME(follow)(const struct NAME(work) *w, int64_t below, int64_t n_samples)
{
    for (int64_t at = w->up.first * LANES; at < w->up.last * LANES; at += PIECE) {
        VECTOR sums[2] = {{0}, {0}};
        for (int64_t i = 0; i < n_samples; i++)
            sums[i >= below] += NAME(load)(w->means + i * w->row + at);
        VECTOR offset = NAME(load)(w->hidden_offset + at);
        offset += (REAL)OFFSET_RATE * ((REAL)0.5 * (sums[0] - sums[1]) - offset);
        NAME(store)(w->hidden_offset + at, offset);
    }
}

/* Steps of the weights of STEP_ROWS visible units, and of their biases.

   The centred gradient of the weights is G - g_b lambda - mu g_c, that of the biases g_b - G' lambda and
   g_c - mu G', G' the one of the weights: what the rows add to mu G' goes to `turned_c`. */
TARGET ALWAYS_INLINE void NAME(step_rows)(
    const struct NAME(work) *w, const struct epoch *e, const struct NAME(pace) *pace, int64_t block,
    const int centred, const int n_slots)
{
    enum { N = PANEL_BYTES / sizeof(VECTOR) };
    const int64_t first = block * STEP_ROWS, left = e->n_visible - first;
    const int64_t last = first + (left < STEP_ROWS ? left : STEP_ROWS);
    const REAL *slope_c = w->gradient + e->n_visible * w->row, decay = (REAL)e->decay;
    REAL *turned_c = w->turned_c + block * w->row;
    if (centred)
        memset(turned_c, 0, (size_t)w->row * sizeof(REAL));
    for (int64_t i = first; i < last; i++) {
        const REAL slope_b = w->slope_b[i], mu = w->visible_offset[i];
        VECTOR sums[N];
        memset(sums, 0, sizeof sums);
        for (int64_t panel = 0; panel < w->row; panel += LANES)
            for (int part = 0; part < N; part++) {
                const int64_t lane = panel + part * PIECE, at = i * w->row + lane;
                VECTOR g = NAME(load)(w->gradient + at);
                if (e->decay != 0)
                    g -= decay * NAME(load)(w->weights + at);
                if (centred) {
                    VECTOR lambda = NAME(load)(w->hidden_offset + lane);
                    g -= slope_b * lambda + mu * NAME(load)(slope_c + lane);
                    sums[part] += g * lambda;
                    NAME(store)(turned_c + lane, NAME(load)(turned_c + lane) + mu * g);
                }
                NAME(move)(w->weights + at, w->slots[0] + at, w->slots[1] + at, g, pace, n_slots);
            }
        if (centred)
            w->slope_b[i] = slope_b - NAME(total)(sums);
    }
    const int64_t biases = w->biases + first;
    for (int64_t i = 0; i < up_to(last - first, PIECE); i += PIECE)
        NAME(move)(
            w->b + first + i, w->slots[0] + biases + i, w->slots[1] + biases + i,
            NAME(load)(w->slope_b + first + i), pace, n_slots);
}

/* The steps of this member's hidden biases, once all rows have theirs. */
TARGET ALWAYS_INLINE void NAME(step_hidden)(
    const struct NAME(work) *w, const struct epoch *e, const struct NAME(pace) *pace, const int centred,
    const int n_slots)
{
    for (int64_t lane = w->up.first * LANES; lane < w->up.last * LANES; lane += PIECE) {
        const int64_t at = e->n_visible * w->row + lane;
        VECTOR g = NAME(load)(w->gradient + at);
        for (int64_t block = 0; centred && block * STEP_ROWS < e->n_visible; block++)
            g -= NAME(load)(w->turned_c + block * w->row + lane);
        NAME(move)(w->c + lane, w->slots[0] + at, w->slots[1] + at, g, pace, n_slots);
    }
}

TARGET ALWAYS_INLINE int NAME(step_all)(
    const struct NAME(work) *w, const struct epoch *e, const struct NAME(pace) *pace, const int centred,
    const int n_slots)
{
    const int64_t n_blocks = up_to(e->n_visible, STEP_ROWS) / STEP_ROWS;
    for (int64_t block = share_begin(w->member, n_blocks); block < share_end(w->member, n_blocks); block++)
        NAME(step_rows)(w, e, pace, block, centred, n_slots);
    if (meet(w->member, 0))
        return -1;
    NAME(step_hidden)(w, e, pace, centred, n_slots);
    return 0;
}

/* Each way of stepping is compiled for itself. */
TARGET static int NAME(step_parameters)(
    const struct NAME(work) *w, const struct epoch *e, const struct NAME(pace) *pace)
{
    switch (2 * e->n_slots + e->centred) {
    case 1: return NAME(step_all)(w, e, pace, 1, 0);
    case 2: return NAME(step_all)(w, e, pace, 0, 1);
    case 3: return NAME(step_all)(w, e, pace, 1, 1);
    case 4: return NAME(step_all)(w, e, pace, 0, 2);
    default: return NAME(step_all)(w, e, pace, 1, 2);
    }
}

/* One step along the gradient of n rows and n_chains chains, whose turned spins and means are there. */
TARGET static int NAME(climb)(
    struct NAME(work) *w, const struct epoch *e, int64_t n, int64_t n_chains, int64_t count)
{
    const int64_t below = up_to(n, 4), n_samples = below + up_to(n_chains, 4);
    const int64_t first = w->up.first * LANES, width = w->up.last * LANES - first;
    const struct NAME(pace) pace = NAME(pace_of)(e, count);
    for (int64_t i = 0; i < e->n_visible + 1; i++)
        memset(w->gradient + i * w->row + first, 0, (size_t)width * sizeof(REAL));
    int failed = NAME(accumulate)(
        w->gradient, w->row, w->up.first, w->up.last, w->turned, w->samples / 4, e->n_visible + 1, w->means,
        n_samples, w->table, &w->done);
    const struct range own = NAME(own_units)(w, e);
    for (int64_t i = own.first; i < own.last; i++) {
        const struct NAME(pair) of
            = NAME(visible_means)(w, i, n, n_chains, (REAL)(1 / (double)n), (REAL)(-1 / (double)n_chains));
        w->slope_b[i] = of.clamped + of.free;
        w->visible_offset[i]
            += (REAL)OFFSET_RATE * ((REAL)0.5 * (of.clamped - of.free) - w->visible_offset[i]);
    }
    if (e->centred)
        NAME(follow)(w, below, n_samples);
    if (meet(w->member, failed))
        return -1;
    return NAME(step_parameters)(w, e, &pace);
}
