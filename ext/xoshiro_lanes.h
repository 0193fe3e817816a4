/* One step of WIDTH xoshiro256++ streams (Blackman and Vigna, 2021). */
#define ROTATE(x, k) (((x) << (k)) | ((x) >> (64 - (k))))
#define XOSHIRO(a, b, c, d, result)                                     \
    do {                                                                \
        LEVEL(streams) sum = (a) + (d), shifted = (b) << 17;            \
        (result) = ROTATE(sum, 23) + (a);                               \
        (c) ^= (a), (d) ^= (b), (b) ^= (c), (a) ^= (d), (c) ^= shifted; \
        (d) = ROTATE(d, 45);                                            \
    } while (0)
