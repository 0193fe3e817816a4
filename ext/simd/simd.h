/* Which vector instructions a kernel may use, decided at run time.
 *
 * A kernel writes its body once as a static inline function and instantiates it under
 * TARGET_AVX2, TARGET_AVX512 and plainly; the caller passes the level. Compilers and
 * processors without these targets know the plain level only.
 */
#ifndef RBMFLOW_SIMD_H
#define RBMFLOW_SIMD_H

#include <stdint.h>

enum { SIMD_PLAIN = 0, SIMD_AVX2 = 1, SIMD_AVX512 = 2 };

/* Vector extensions of the compiler; build with -DRBMFLOW_VECTORS=0 to try what other compilers get. */
#if !defined(RBMFLOW_VECTORS)
#if defined(__GNUC__)
#define RBMFLOW_VECTORS 1
#else
#define RBMFLOW_VECTORS 0
#endif
#endif

/* gcc for Windows keeps wide vectors on a stack that is not aligned to them (its bug 54412). */
#if RBMFLOW_VECTORS && defined(__x86_64__) && (!defined(_WIN32) || defined(__clang__))
#define RBMFLOW_X86 1
#define TARGET_AVX2 __attribute__((target("avx2,fma,bmi2,popcnt")))
#define AVX512_FEATURES "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,avx2,fma,bmi2,popcnt"
#if defined(__clang__) /* which would drop the whole attribute for an option it does not know */
#define TARGET_AVX512 __attribute__((target(AVX512_FEATURES)))
#else
#define TARGET_AVX512 __attribute__((target(AVX512_FEATURES ",prefer-vector-width=512")))
#endif
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define RBMFLOW_X86 0
#define ALWAYS_INLINE static inline
#endif

/* The body `name` at a level; an expression, of the value that the body returns. */
#if RBMFLOW_X86
#define AT_LEVEL(level, name, ...)                                \
    ((level) == SIMD_AVX512 ? name##_avx512(__VA_ARGS__)          \
     : (level) == SIMD_AVX2 ? name##_avx2(__VA_ARGS__) : name##_plain(__VA_ARGS__))
#else
#define AT_LEVEL(level, name, ...) ((void)(level), name##_plain(__VA_ARGS__))
#endif

/* The number of ones. */
static inline int popcount64(uint64_t x)
{
#if defined(__GNUC__)
    return __builtin_popcountll(x);
#else
    x -= (x >> 1) & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int)((x * 0x0101010101010101u) >> 56);
#endif
}

/* Index of the lowest one of x > 0. */
static inline int lowest_bit(unsigned long long x)
{
#if defined(__GNUC__)
    return __builtin_ctzll(x);
#else
    int n = 0;
    for (; !(x & 1); x >>= 1)
        n++;
    return n;
#endif
}

#endif
