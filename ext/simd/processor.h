/* The highest level of processor, system and build, and what is lacking for the next one.
 *
 * Read from cpuid and xgetbv: __builtin_cpu_supports asks a library of the compiler's, and answers 0 where
 * that is not linked in, as under zig.
 */
#ifndef RBMFLOW_PROCESSOR_H
#define RBMFLOW_PROCESSOR_H

#include "simd/simd.h"

#if defined(__clang__)
#define RBMFLOW_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define RBMFLOW_COMPILER "gcc " __VERSION__
#elif defined(_MSC_VER)
#define RBMFLOW_TEXT(x) #x
#define RBMFLOW_NUMBER(x) RBMFLOW_TEXT(x)
#define RBMFLOW_COMPILER "MSVC " RBMFLOW_NUMBER(_MSC_VER)
#else
#define RBMFLOW_COMPILER "a compiler without a name"
#endif

#if RBMFLOW_X86
#include <cpuid.h>

enum { HIGHEST_LEVEL = SIMD_AVX512 };

enum { OSXSAVE = 27 };                    /* bit of leaf 1, ecx: the system has enabled xgetbv */
enum { ANY = 0, YMM = 0x06, ZMM = 0xe6 }; /* registers that the system must save, bits of xcr0 */
enum { LEAF_1_ECX, LEAF_7_EBX, LEAF_7_ECX };

/* Intel's manual, volume 2, CPUID; names as in Linux' /proc/cpuinfo. */
static const struct instructions {
    const char *name;
    int level, word, bit, registers;
} needed[] = {
    {"avx2", SIMD_AVX2, LEAF_7_EBX, 5, YMM},
    {"fma", SIMD_AVX2, LEAF_1_ECX, 12, YMM},
    {"bmi2", SIMD_AVX2, LEAF_7_EBX, 8, ANY},
    {"popcnt", SIMD_AVX2, LEAF_1_ECX, 23, ANY},
    {"avx512f", SIMD_AVX512, LEAF_7_EBX, 16, ZMM},
    {"avx512bw", SIMD_AVX512, LEAF_7_EBX, 30, ZMM},
    {"avx512dq", SIMD_AVX512, LEAF_7_EBX, 17, ZMM},
    {"avx512vl", SIMD_AVX512, LEAF_7_EBX, 31, ZMM},
    {"avx512_vpopcntdq", SIMD_AVX512, LEAF_7_ECX, 14, ZMM},
};
enum { N_NEEDED = sizeof needed / sizeof *needed };

static unsigned processor_word(int word)
{
    unsigned eax, ebx = 0, ecx = 0, edx;
    if (word == LEAF_1_ECX)
        __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    else
        __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx);
    return word == LEAF_7_EBX ? ebx : ecx;
}

static unsigned saved_registers(void)
{
    unsigned low, high;
    if (!(processor_word(LEAF_1_ECX) >> OSXSAVE & 1))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
#if defined(__APPLE__)
    low |= ZMM; /* saved from their first use on, and only then announced */
#endif
    return low;
}

static int is_there(const struct instructions *one)
{
    return processor_word(one->word) >> one->bit & 1 && !(one->registers & ~saved_registers());
}
#else
enum { HIGHEST_LEVEL = SIMD_PLAIN, N_NEEDED = 0 };
static const struct instructions {
    const char *name;
    int level;
} needed[1];

static int is_there(const struct instructions *one)
{
    (void)one;
    return 0;
}
#endif

#endif
