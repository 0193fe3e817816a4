/* Moments of the machine of rbm_partition.h, which includes this at its end. */

/* Room for the sums of `add_moments` beside the tables. */
static inline int64_t count_more_doubles(int64_t n_traced)
{
    return n_traced * TOGETHER * LOGICAL + (n_traced + 1) * (LOW_STATES + TOGETHER * LOGICAL + 1);
}

static void moments_at_level(
    const struct layers *of, int64_t m, double *before, double *over_middle, double *over_low, int level)
{
    AT_LEVEL(level, moments, of, m, before, over_middle, over_low);
}

/* Add the moments of the states of one high state, whose weights are `root` squared times what the tables
   give; see rbm_partition.pyx for the arrays. */
static void add_moments(
    struct layers *of, int64_t state, double root, double *room, double *low, double *middle, double *high,
    int level)
{
    const int64_t n = of->n_traced, rows = n + 1, columns = 1 + of->n_high_units;
    double *before = room, *over_middle = before + n * TOGETHER * LOGICAL;
    double *over_low = over_middle + rows * LOW_STATES, *total = over_low + rows * TOGETHER * LOGICAL;
    memset(over_middle, 0, sizeof(double) * (size_t)(rows * LOW_STATES));
    memset(total, 0, sizeof(double) * (size_t)rows);
    for (int64_t m = 0; m < of->n_middle; m += TOGETHER) {
        memset(over_low, 0, sizeof(double) * (size_t)(rows * TOGETHER * LOGICAL));
        moments_at_level(of, m, before, over_middle, over_low, level);
        for (int64_t i = 0; i < rows; i++)
            for (int u = 0; u < TOGETHER; u++) {
                const double *s = over_low + (i * TOGETHER + u) * LOGICAL;
                double sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
                sum = sum * of->middle_value[m + u] * root * root;
                middle[i * of->n_middle + m + u] += sum;
                total[i] += sum;
            }
    }
    for (int64_t k = 0; k < rows * LOW_STATES; k++)
        low[k] += over_middle[k] * root * root;
    for (int64_t i = 0; i < rows; i++) {
        high[i * columns] += total[i];
        for (int64_t j = 0; j < of->n_high_units; j++)
            high[i * columns + 1 + j] += state >> j & 1 ? total[i] : -total[i];
    }
}

/* Add the moments of the high states first ... last - 1; 0 if the weights are too large. */
static int moments_level(
    const double *weights, const double *traced_bias, const double *bias, int64_t n_traced, int64_t n_units,
    int64_t first, int64_t last, double log_partition, double *doubles, int64_t *integers, double *low,
    double *middle, double *high, int level)
{
    struct layers of = {.n_traced = n_traced, .n_units = n_units,
                        .weights = weights, .traced_bias = traced_bias, .bias = bias};
    double x[64];
    place_tables(&of, doubles, integers);
    if (!fill_tables(&of, x) || !of.moderate)
        return 0;
    for (int64_t state = first; state < last; state++) {
        double log_scale
            = linear(x + n_units - of.n_high_units, of.n_high_units, state) + of.constant - log_partition;
        fill_ratios(&of, state);
        add_moments(
            &of, state, exp(0.5 * log_scale), doubles + count_doubles(n_traced, n_units), low, middle, high,
            level);
    }
    return 1;
}
