/* Body of mean_field.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"
#include "simd/logistic_lanes.h"

FN LEVEL(floats) LEVEL(tanh32)(LEVEL(floats) x)
{
    LEVEL(words32) sign = BITS32(x) & 0x80000000u;
    LEVEL(floats) t = LEVEL(least32)(VALUE32(BITS32(x) ^ sign), 10.0f) * -2.0f;
    LEVEL(floats) shifted = t * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: rounds to an integer */
    LEVEL(floats) k = shifted - 12582912.0f;
    LEVEL(floats) scale = VALUE32((BITS32(shifted) << 23) + 0x3f800000u);
    /* ln 2 in two parts, the first product exact */
    LEVEL(floats) r = (t - k * 0x1.63p-1f) - k * -0x1.bd0106p-13f;
    LEVEL(floats) q = r * 0x1.a124e4p-13f + 0x1.6d4316p-10f;
    q = q * r + 0x1.1110ep-7f;
    q = q * r + 0x1.5554eap-5f;
    q = q * r + 0x1.555556p-3f;
    q = q * r + 0.5f;
    LEVEL(floats) s = (q * (r * r) + r) * scale + (scale - 1.0f);
    LEVEL(floats) size = VALUE32(BITS32(s) & ~0x80000000u) / (2.0f + s); /* s <= 0 */
    return VALUE32(BITS32(size) | sign);
}

FN LEVEL(doubles) LEVEL(tanh64)(LEVEL(doubles) x)
{
    LEVEL(words64) sign = BITS64(x) & 0x8000000000000000u;
    LEVEL(doubles) t = LEVEL(least64)(VALUE64(BITS64(x) ^ sign), 20.0) * -2.0;
    LEVEL(doubles) shifted = t * 1.4426950408889634 + 6755399441055744.0; /* 1.5 * 2^52 */
    LEVEL(doubles) k = shifted - 6755399441055744.0;
    LEVEL(doubles) scale = VALUE64((BITS64(shifted) << 52) + 0x3ff0000000000000u);
    LEVEL(doubles) r = (t - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
    LEVEL(doubles) q = r * 0x1.af389eea54156p-26 + 0x1.28917c9f3a495p-22;
    q = q * r + 0x1.71de0db2eb873p-19;
    q = q * r + 0x1.a019b914881bap-16;
    q = q * r + 0x1.a01a01a7c2f2cp-13;
    q = q * r + 0x1.6c16c17889f3cp-10;
    q = q * r + 0x1.11111111109b5p-7;
    q = q * r + 0x1.5555555553d68p-5;
    q = q * r + 0x1.5555555555556p-3;
    q = q * r + 0.5;
    LEVEL(doubles) s = (q * (r * r) + r) * scale + (scale - 1.0);
    LEVEL(doubles) size = VALUE64(BITS64(s) & ~0x8000000000000000u) / (2.0 + s); /* s <= 0 */
    return VALUE64(BITS64(size) | sign);
}

/* Whole vectors, then what is left over in a vector of its own. */
#define TANH_ALL(real, vector, function)                             \
    const int64_t lanes = (int64_t)(sizeof(vector) / sizeof(real));  \
    vector now;                                                      \
    for (; n >= lanes; n -= lanes, x += lanes) {                     \
        memcpy(&now, x, sizeof now);                                 \
        now = LEVEL(function)(now);                                  \
        memcpy(x, &now, sizeof now);                                 \
    }                                                                \
    if (n) {                                                         \
        memset(&now, 0, sizeof now);                                 \
        memcpy(&now, x, (size_t)n * sizeof(real));                   \
        now = LEVEL(function)(now);                                  \
        memcpy(x, &now, (size_t)n * sizeof(real));                   \
    }

TARGET static void LEVEL(tanh_all32)(float *x, int64_t n)
{
    TANH_ALL(float, LEVEL(floats), tanh32)
}

TARGET static void LEVEL(tanh_all64)(double *x, int64_t n)
{
    TANH_ALL(double, LEVEL(doubles), tanh64)
}

#undef TANH_ALL

/* Rows whose sums fill the registers, vectors of each, and rows of what is left over.
   Panels of 128 bytes were slower. */
#define FEW 4
#if defined(RBMFLOW_EXPAND_AVX512)
#define ROWS 16
#define AT_ONCE 1
#elif defined(RBMFLOW_EXPAND_AVX2)
#define ROWS 6
#define AT_ONCE 2
#else
#define ROWS 4
#define AT_ONCE 2
#endif

#define REAL float
#define VECTOR LEVEL(floats)
#define NAME(name) LEVEL(name##32)
#define TANH LEVEL(tanh_all32)
#include "mean_field/mean_field_real.h"
#undef REAL
#undef VECTOR
#undef NAME
#undef TANH

#define REAL double
#define VECTOR LEVEL(doubles)
#define NAME(name) LEVEL(name##64)
#define TANH LEVEL(tanh_all64)
#include "mean_field/mean_field_real.h"
#undef REAL
#undef VECTOR
#undef NAME
#undef TANH

#undef ROWS
#undef FEW
#undef AT_ONCE
#include "simd/lanes_end.h"
