/* The bodies of hopfield.h at one SIMD level for one kind of numbers: KIND, COUPLING and FIELD are set. */
#define BLOCK (BLOCK_BYTES / (int64_t)sizeof(FIELD))

#if RBMFLOW_VECTORS
typedef FIELD KIND(vector) __attribute__((vector_size(8 * WIDTH), aligned(sizeof(FIELD)), may_alias));
#define VECTORS (BLOCK_BYTES / (8 * WIDTH))
#else
typedef FIELD KIND(vector);
#define VECTORS BLOCK
#endif

/* The 16 signed sums of four rows of couplings, for one block of columns. */
TARGET static inline void KIND(fill_table)(const COUPLING *rows, int64_t n_units, FIELD *table)
{
    for (int signs = 0; signs < 16; signs++, table += BLOCK)
        for (int64_t j = 0; j < BLOCK; j++) {
            FIELD sum = 0;
            for (int k = 0; k < 4; k++) {
                FIELD w = (FIELD)rows[k * n_units + j];
                w = (FIELD)(signs >> k & 1 ? w : -w);
                sum = (FIELD)(k ? sum + w : w);
            }
            table[j] = sum;
        }
}

TARGET static void KIND(sum_fields)(const COUPLING *couplings, const FIELD *biases, const uint8_t *nibbles,
                                    int64_t n_states, int64_t n_units, FIELD *table, FIELD *fields)
{
    const int64_t n_groups = n_units / 4;
    for (int64_t first = 0; first < n_units; first += BLOCK) {
        for (int64_t g = 0; g < n_groups; g++)
            KIND(fill_table)(couplings + 4 * g * n_units + first, n_units, table + 16 * BLOCK * g);
        for (int64_t s = 0; s < n_states; s++) {
            const uint8_t *of = nibbles + s * n_groups;
            const FIELD *entries = table;
            KIND(vector) sums[VECTORS];
            memcpy(sums, biases + first, BLOCK_BYTES);
            for (int64_t g = 0; g < n_groups; g++, entries += 16 * BLOCK) {
                const KIND(vector) *entry = (const KIND(vector) *)(entries + BLOCK * of[g]);
                for (int v = 0; v < VECTORS; v++)
                    sums[v] += entry[v];
            }
            memcpy(fields + s * n_units + first, sums, BLOCK_BYTES);
        }
    }
}

/* Without a branch on the new state: the product is exact. */
TARGET static inline void KIND(add_row)(const COUPLING *restrict row, FIELD twice, int64_t n_units,
                                        FIELD *restrict fields)
{
    for (int64_t b = 0; b < n_units; b += PADDING, row += PADDING, fields += PADDING)
        for (int64_t j = 0; j < PADDING; j++)
            fields[j] = (FIELD)(fields[j] + twice * (FIELD)row[j]);
}

TARGET static void KIND(relax)(const COUPLING *couplings, const int32_t *order, int64_t n_sweeps, int64_t n_visited,
                               const uint8_t *clamped, int64_t n_states, int64_t n_units, int8_t *spins,
                               FIELD *fields, int64_t *sweeps, uint8_t *settled)
{
    for (int64_t s = 0; s < n_states; s++, spins += n_units, fields += n_units) {
        const uint8_t *fixed = clamped ? clamped + s * n_units : NULL;
        for (int64_t sweep = 0; sweep < n_sweeps && !settled[s]; sweep++) {
            const int32_t *visited = order + sweep * n_visited;
            int64_t flips = 0;
            for (int64_t k = 0; k < n_visited; k++) {
                const int64_t i = visited[k];
                if ((fields[i] >= 0) == (spins[i] > 0) || (fixed && fixed[i]))
                    continue;
                const COUPLING *row = couplings + i * n_units;
                spins[i] = (int8_t)-spins[i];
                flips++;
                KIND(add_row)(row, (FIELD)(2 * spins[i]), n_units, fields);
            }
            sweeps[s] += flips > 0;
            settled[s] = flips == 0;
        }
    }
}

#undef BLOCK
#undef VECTORS
#undef KIND
#undef COUPLING
#undef FIELD
