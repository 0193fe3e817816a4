/* Values of blocks of states of a quadratic form, for one type of number: the includer sets NUMBER and OF.
 *
 * The values of a block are high + low[l] + middle[m] + cross[m][l]: of the sites that are up, the linear
 * terms and those of pairs. Where `high` moves on, so do the fields that its sites put on the others.
 */
struct OF(form) {
    int64_t n_sites;
    const NUMBER *pairs;                     /* (n_sites, n_sites) symmetric, 0 on the diagonal */
    NUMBER field[MAX_SITES];                 /* of each site, those of the high sites that are up included */
    NUMBER value;                            /* of the high sites */
    uint64_t high;                           /* which of them are up */
    NUMBER within[2][BLOCK];                 /* pairs within the low and within the middle sites */
    NUMBER low[BLOCK], middle[BLOCK];        /* those of `high`; its value stands in `middle` */
    NUMBER cross[BLOCK][BLOCK];              /* pairs of a middle and a low site */
};

/* Sums over the sites that are up, for all states of BLOCK_SITES of them, added to `sums`. */
static inline void OF(add_sums)(const NUMBER *terms, NUMBER *sums)
{
    NUMBER sum[BLOCK];
    sum[0] = 0;
    for (int site = 0; site < BLOCK_SITES; site++)
        for (int64_t rest = 0; rest < (int64_t)1 << site; rest++)
            sum[((int64_t)1 << site) + rest] = sum[rest] + terms[site];
    for (int64_t state = 0; state < BLOCK; state++)
        sums[state] += sum[state];
}

static void OF(begin)(struct OF(form) *of, int64_t n_sites, NUMBER constant, const NUMBER *linear,
                      const NUMBER *pairs)
{
    memset(of, 0, sizeof *of);
    of->n_sites = n_sites;
    of->pairs = pairs;
    of->value = constant;
    memcpy(of->field, linear, (size_t)n_sites * sizeof *linear);
    for (int64_t part = 0; part < 2; part++)
        for (int64_t state = 0; state < BLOCK; state++)
            for (int64_t i = 0; i < BLOCK_SITES; i++)
                for (int64_t j = 0; j < i; j++)
                    if (state >> i & state >> j & 1)
                        of->within[part][state] +=
                            pairs[(part * BLOCK_SITES + i) * n_sites + part * BLOCK_SITES + j];
    for (int64_t middle = 0; middle < BLOCK; middle++)
        for (int64_t i = 0; i < BLOCK_SITES; i++)
            if (middle >> i & 1)
                OF(add_sums)(pairs + (BLOCK_SITES + i) * n_sites, of->cross[middle]);
}

/* Go on to the high sites `high`, and list what the block of these is made of. */
static void OF(go_to)(struct OF(form) *of, uint64_t high)
{
    for (uint64_t turned = of->high ^ high; turned; turned &= turned - 1) {
        int64_t site = 2 * BLOCK_SITES + lowest_bit(turned);
        const NUMBER *pairs = of->pairs + site * of->n_sites;
        if (high & turned & (0 - turned)) {
            of->value += of->field[site];
            for (int64_t i = 0; i < of->n_sites; i++)
                of->field[i] += pairs[i];
        } else {
            of->value -= of->field[site];
            for (int64_t i = 0; i < of->n_sites; i++)
                of->field[i] -= pairs[i];
        }
    }
    of->high = high;
    memcpy(of->low, of->within[0], sizeof of->low);
    OF(add_sums)(of->field, of->low);
    for (int64_t state = 0; state < BLOCK; state++)
        of->middle[state] = of->value + of->within[1][state];
    OF(add_sums)(of->field + BLOCK_SITES, of->middle);
}

#undef NUMBER
#undef OF
