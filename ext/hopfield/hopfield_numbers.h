/* The bodies of hopfield.h at one SIMD level for one kind of numbers: KIND, COUPLING and FIELD are set. */
#define BLOCK (BLOCK_BYTES / (int64_t)sizeof(FIELD))

#if RBMFLOW_VECTORS
#define LANES (8 * WIDTH / (int64_t)sizeof(FIELD))
#define VECTORS (BLOCK_BYTES / (8 * WIDTH))
typedef FIELD KIND(vector) __attribute__((vector_size(8 * WIDTH), aligned(sizeof(FIELD)), may_alias));
#else
#define LANES 1
#define VECTORS BLOCK
typedef FIELD KIND(vector);
#endif
#define LONG 8 /* vectors that are updated together, and those where fewer are left */
#define SHORT (PADDING / LANES < LONG ? PADDING / LANES : LONG)
#define WHOLE ((FIELD)0.5 == 0)

/* A vector of couplings as fields. The compiler's own conversion goes through halves of vectors. */
TARGET static inline KIND(vector) KIND(widen)(const COUPLING *from)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    if (sizeof(COUPLING) < sizeof(FIELD)) {
        __m256i x = _mm256_loadu_si256((const __m256i *)from);
        return (KIND(vector))(sizeof(FIELD) == 2 ? _mm512_cvtepi8_epi16(x) : _mm512_cvtepi16_epi32(x));
    }
#elif defined(RBMFLOW_EXPAND_AVX2)
    if (sizeof(COUPLING) < sizeof(FIELD)) {
        __m128i x = _mm_loadu_si128((const __m128i *)from);
        return (KIND(vector))(sizeof(FIELD) == 2 ? _mm256_cvtepi8_epi16(x) : _mm256_cvtepi16_epi32(x));
    }
#elif RBMFLOW_X86
    if (sizeof(COUPLING) < sizeof(FIELD)) {
        __m128i x = _mm_loadl_epi64((const __m128i *)from);
        return (KIND(vector))(sizeof(FIELD) == 2 ? _mm_srai_epi16(_mm_unpacklo_epi8(x, x), 8)
                                                 : _mm_srai_epi32(_mm_unpacklo_epi16(x, x), 16));
    }
#elif RBMFLOW_VECTORS
    if (sizeof(COUPLING) < sizeof(FIELD)) {
        KIND(vector) x;
        for (int k = 0; k < LANES; k++)
            x[k] = (FIELD)from[k];
        return x;
    }
#else
    return (FIELD)*from;
#endif
    return *(const KIND(vector) *)from;
}

/* The 16 signed sums of four rows of couplings, for one block of columns; of each row one after the other,
   first those of the signs before it. */
TARGET static inline void KIND(fill_table)(const COUPLING *rows, int64_t n_units, FIELD *table)
{
    for (int64_t j = 0; j < BLOCK; j += LANES) {
        KIND(vector) sum[16], w = KIND(widen)(rows + j);
        sum[1] = w, sum[0] = -w;
        for (int k = 1; k < 4; k++) {
            w = KIND(widen)(rows + k * n_units + j);
            for (int signs = (1 << k) - 1; signs >= 0; signs--) {
                sum[signs | 1 << k] = sum[signs] + w;
                sum[signs] = sum[signs] - w;
            }
        }
        for (int signs = 0; signs < 16; signs++)
            *(KIND(vector) *)(table + signs * BLOCK + j) = sum[signs];
    }
}

/* One block of fields of at most STATES states. The tables of a few groups stay in the fastest cache and
   serve all states before those of the next groups come. */
TARGET static void KIND(sum_block)(const COUPLING *couplings, const FIELD *biases, const uint16_t *entries,
                                   int64_t n_states, int64_t n_units, FIELD *table, FIELD *fields)
{
    const int64_t n_groups = n_units / 4;
    FIELD *sums = table + GROUPS * 16 * BLOCK;
    for (int64_t first = 0; first < n_groups; first += GROUPS) {
        const int64_t n = n_groups - first < GROUPS ? n_groups - first : GROUPS;
        for (int64_t g = 0; g < n; g++)
            KIND(fill_table)(couplings + 4 * (first + g) * n_units, n_units, table + 16 * BLOCK * g);
        for (int64_t s = 0; s < n_states; s++) {
            const uint16_t *of = entries + s * n_groups + first;
            const KIND(vector) *begin = (const KIND(vector) *)(first ? sums + s * BLOCK : biases);
            KIND(vector) *end
                = (KIND(vector) *)(first + n < n_groups ? sums + s * BLOCK : fields + s * n_units);
            KIND(vector) sum[VECTORS];
            for (int v = 0; v < VECTORS; v++)
                sum[v] = begin[v];
            for (int64_t g = 0; g < n; g += 8)
                for (int k = 0; k < 8; k++) {
                    const KIND(vector) *entry = (const KIND(vector) *)((const char *)table + of[g + k]);
                    for (int v = 0; v < VECTORS; v++)
                        sum[v] += entry[v];
                }
            for (int v = 0; v < VECTORS; v++)
                end[v] = sum[v];
        }
    }
}

TARGET static void KIND(sum_fields)(const COUPLING *couplings, const FIELD *biases, const uint16_t *entries,
                                    int64_t n_states, int64_t n_units, FIELD *table, FIELD *fields)
{
    for (int64_t s = 0; s < n_states; s += STATES)
        for (int64_t j = 0; j < n_units; j += BLOCK)
            KIND(sum_block)(couplings + j, biases + j, entries + s * (n_units / 4),
                            n_states - s < STATES ? n_states - s : STATES, n_units, table,
                            fields + s * n_units + j);
}

/* The couplings among the units of each block of visits. */
TARGET static void KIND(gather)(const COUPLING *couplings, const int32_t *visited, int64_t n_visited,
                                int64_t n_units, COUPLING *among)
{
    for (int64_t k = 0; k < n_visited; k++, among += VISITS) {
        const COUPLING *row = couplings + visited[k] * n_units;
        const int32_t *others = visited + k / VISITS * VISITS;
        const int64_t n = visited + n_visited - others;
        for (int64_t j = 0; j < VISITS; j++)
            among[j] = j < n ? row[others[j]] : 0;
    }
}

/* Whether a unit is not as its field wants it. */
TARGET static int KIND(any_wrong)(const int8_t *spins, const FIELD *fields, const uint8_t *fixed,
                                  int64_t n_units)
{
    uint8_t wrong = 0;
    if (fixed)
        for (int64_t j = 0; j < n_units; j++)
            wrong |= (uint8_t)((fields[j] >= 0) != (spins[j] > 0)) & (uint8_t)!fixed[j];
    else
        for (int64_t j = 0; j < n_units; j++)
            wrong |= (uint8_t)((fields[j] >= 0) != (spins[j] > 0));
    return wrong;
}

/* Bit k: whether the field k of a block of visits is negative. */
TARGET static inline uint32_t KIND(negative)(const KIND(vector) *fields)
{
    uint32_t bits = 0;
#if defined(RBMFLOW_EXPAND_AVX512)
    for (int v = 0; v < VISITS / LANES; v++) {
        uint32_t part;
        if (sizeof(FIELD) == 2)
            part = (uint32_t)_mm512_movepi16_mask((__m512i)fields[v]);
        else if (sizeof(FIELD) == 4)
            part = (uint32_t)_mm512_movepi32_mask((__m512i)fields[v]);
        else
            part = (uint32_t)_mm512_cmp_pd_mask((__m512d)fields[v], _mm512_setzero_pd(), _CMP_LT_OQ);
        bits |= part << v * LANES;
    }
#elif defined(RBMFLOW_EXPAND_AVX2)
    for (int v = 0; v < VISITS / LANES; v++) {
        int part;
        if (sizeof(FIELD) == 2) {
            __m256i bytes = _mm256_packs_epi16((__m256i)fields[v], _mm256_setzero_si256());
            part = _mm256_movemask_epi8(_mm256_permute4x64_epi64(bytes, 0xd8));
        } else if (sizeof(FIELD) == 4)
            part = _mm256_movemask_ps((__m256)fields[v]);
        else
            part = _mm256_movemask_pd(_mm256_cmp_pd((__m256d)fields[v], _mm256_setzero_pd(), _CMP_LT_OQ));
        bits |= (uint32_t)part << v * LANES;
    }
#elif RBMFLOW_X86
    for (int v = 0; v < VISITS / LANES; v++) {
        int part;
        if (sizeof(FIELD) == 2)
            part = _mm_movemask_epi8(_mm_packs_epi16((__m128i)fields[v], _mm_setzero_si128()));
        else if (sizeof(FIELD) == 4)
            part = _mm_movemask_ps((__m128)fields[v]);
        else
            part = _mm_movemask_pd(_mm_cmplt_pd((__m128d)fields[v], _mm_setzero_pd()));
        bits |= (uint32_t)part << v * LANES;
    }
#else
    FIELD each[VISITS];
    memcpy(each, fields, sizeof each);
    for (int k = 0; k < VISITS; k++)
        bits |= (uint32_t)(each[k] < 0) << k;
#endif
    return bits;
}

/* Fields of n_vectors vectors follow the flips, rounded ones in their order. */
TARGET ALWAYS_INLINE void KIND(add_to)(const struct flips *flips, const COUPLING *couplings, int64_t at,
                                       FIELD *fields, const int n_vectors)
{
    KIND(vector) sum[LONG], *here = (KIND(vector) *)(fields + at);
    couplings += at;
    if (WHOLE) {
        for (int v = 0; v < n_vectors; v++)
            sum[v] = here[v] - here[v];
        for (int k = 0; k < flips->n_up; k++) {
            const COUPLING *row = couplings + flips->up[k];
            for (int v = 0; v < n_vectors; v++)
                sum[v] += KIND(widen)(row + v * LANES);
        }
        for (int k = 0; k < flips->n_down; k++) {
            const COUPLING *row = couplings + flips->down[k];
            for (int v = 0; v < n_vectors; v++)
                sum[v] -= KIND(widen)(row + v * LANES);
        }
        for (int v = 0; v < n_vectors; v++)
            here[v] += sum[v] + sum[v];
        return;
    }
    for (int v = 0; v < n_vectors; v++)
        sum[v] = here[v];
    for (int k = 0; k < flips->n; k++) {
        const COUPLING *row = couplings + flips->row[k];
        const FIELD twice = (FIELD)flips->twice[k];
        for (int v = 0; v < n_vectors; v++)
            sum[v] += KIND(widen)(row + v * LANES) * twice;
    }
    for (int v = 0; v < n_vectors; v++)
        here[v] = sum[v];
}

TARGET static void KIND(add_rows)(const struct flips *flips, const COUPLING *couplings, int64_t n_units,
                                  FIELD *fields)
{
    int64_t at = 0;
    for (; at + LONG * LANES <= n_units; at += LONG * LANES)
        KIND(add_to)(flips, couplings, at, fields, LONG);
    for (; at < n_units; at += SHORT * LANES)
        KIND(add_to)(flips, couplings, at, fields, SHORT);
}

/* Visit n <= VISITS units: their own fields follow every flip at once. */
TARGET static void KIND(visit)(const int32_t *visited, int n, const COUPLING *among, const uint8_t *fixed,
                               int64_t n_units, int8_t *spins, const FIELD *fields, struct flips *flips)
{
    KIND(vector) here[VISITS / LANES];
    FIELD each[VISITS] = {0};
    uint32_t up = 0, open = 0, wrong;
    for (int k = 0; k < n; k++) {
        const int32_t i = visited[k];
        each[k] = fields[i];
        up |= (uint32_t)(spins[i] > 0) << k;
        open |= (uint32_t)!(fixed && fixed[i]) << k;
    }
    memcpy(here, each, sizeof each);
    flips->n = flips->n_up = flips->n_down = 0;
    while ((wrong = ~(KIND(negative)(here) ^ up) & open)) {
        const int k = lowest_bit(wrong), to_up = !(up >> k & 1);
        const COUPLING *row = among + k * VISITS;
        const FIELD twice = (FIELD)(to_up ? 2 : -2);
        const int64_t at = visited[k] * n_units;
        for (int v = 0; v < VISITS / LANES; v++)
            here[v] += KIND(widen)(row + v * LANES) * twice;
        open &= (uint32_t)-2 << k;
        spins[visited[k]] = (int8_t)(to_up ? 1 : -1);
        flips->row[flips->n] = flips->up[flips->n_up] = flips->down[flips->n_down] = at;
        flips->twice[flips->n++] = to_up ? 2 : -2;
        flips->n_up += to_up, flips->n_down += !to_up;
    }
}

TARGET static void KIND(relax)(const COUPLING *couplings, const int32_t *order, int64_t n_sweeps,
                               int64_t n_visited, const uint8_t *clamped, int64_t n_states, int64_t n_units,
                               COUPLING *among, int8_t *spins, FIELD *fields, int64_t *sweeps,
                               uint8_t *settled)
{
    for (int64_t sweep = 0; sweep < n_sweeps; sweep++) {
        const int32_t *visited = order + sweep * n_visited;
        int gathered = 0;
        for (int64_t s = 0; s < n_states; s++) {
            const uint8_t *fixed = clamped ? clamped + s * n_units : NULL;
            int8_t *x = spins + s * n_units;
            FIELD *f = fields + s * n_units;
            int64_t n_flips = 0;
            if (settled[s])
                continue;
            if (KIND(any_wrong)(x, f, fixed, n_units)) {
                if (!gathered)
                    KIND(gather)(couplings, visited, n_visited, n_units, among);
                gathered = 1;
                for (int64_t first = 0; first < n_visited; first += VISITS) {
                    struct flips flips;
                    int n = n_visited - first < VISITS ? (int)(n_visited - first) : VISITS;
                    KIND(visit)(visited + first, n, among + first * VISITS, fixed, n_units, x, f, &flips);
                    if (flips.n)
                        KIND(add_rows)(&flips, couplings, n_units, f);
                    n_flips += flips.n;
                }
            }
            sweeps[s] += n_flips > 0;
            settled[s] = n_flips == 0;
        }
    }
}

#undef BLOCK
#undef LANES
#undef VECTORS
#undef LONG
#undef SHORT
#undef WHOLE
#undef KIND
#undef COUPLING
#undef FIELD
