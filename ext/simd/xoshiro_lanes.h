/* Functions of three bits, each one instruction where there is one for all of them. */
#if defined(RBMFLOW_EXPAND_AVX512)
#define TERNARY(x, y, z, table) \
    ((LEVEL(streams))_mm512_ternarylogic_epi64((__m512i)(x), (__m512i)(y), (__m512i)(z), table))
#define PARITY(x, y, z) TERNARY(x, y, z, 0x96)
#define MAJORITY(x, y, z) TERNARY(x, y, z, 0xe8)
#define SELECT(x, y, z) TERNARY(x, y, z, 0xca)
#define WHERE_EQUAL(x, y, z) TERNARY(x, y, z, 0x90)
#define BELOW(x, y, rest) TERNARY(x, y, rest, 0x8e)
#define FLIP(x, y, z) TERNARY(x, y, z, 0x78)
#else
#define PARITY(x, y, z) ((x) ^ (y) ^ (z))
#define MAJORITY(x, y, z) ((x) ^ (((x) ^ (y)) & ((x) ^ (z))))
#define SELECT(x, y, z) (((x) & (y)) | (~(x) & (z))) /* x ? y : z */
#define WHERE_EQUAL(x, y, z) ((x) & ~((y) ^ (z)))     /* x where y is z */
#define FLIP(x, y, z) ((x) ^ ((y) & (z)))
#define BELOW(x, y, rest) ((rest) ^ (((rest) ^ (y)) & ((x) ^ (y)))) /* x < y, the rest where they are equal */
#endif

/* One step of WIDTH xoshiro256++ streams (Blackman and Vigna, 2021). */
#define ROTATE(x, k) (((x) << (k)) | ((x) >> (64 - (k))))
#define XOSHIRO(a, b, c, d, result)                             \
    do {                                                        \
        LEVEL(streams) sum = (a) + (d), second = (b);           \
        LEVEL(streams) mixed = (d) ^ second;                    \
        (result) = ROTATE(sum, 23) + (a);                       \
        (b) = PARITY(second, (c), (a));                         \
        (c) = PARITY((c), (a), second << 17);                   \
        (a) ^= mixed;                                           \
        (d) = ROTATE(mixed, 45);                                \
    } while (0)
