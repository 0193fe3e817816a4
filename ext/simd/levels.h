/* Include BODY once for each SIMD level; it sees WIDTH (streams to a vector), TARGET and LEVEL. */
#if RBMFLOW_X86
#include <immintrin.h>
#endif

/* The plain level uses vectors of the native size: larger ones would live in memory. */
#if RBMFLOW_VECTORS
#define WIDTH 2
#else
#define WIDTH 1
#endif
#define TARGET
#define LEVEL(name) name##_plain
#include BODY
#undef WIDTH
#undef TARGET
#undef LEVEL

#if RBMFLOW_X86
#define RBMFLOW_EXPAND_AVX2
#define WIDTH 4
#define TARGET TARGET_AVX2
#define LEVEL(name) name##_avx2
#include BODY
#undef TARGET
#undef LEVEL
#undef WIDTH
#undef RBMFLOW_EXPAND_AVX2

#define RBMFLOW_EXPAND_AVX512
#define WIDTH 8
#define TARGET TARGET_AVX512
#define LEVEL(name) name##_avx512
#include BODY
#undef TARGET
#undef LEVEL
#undef WIDTH
#undef RBMFLOW_EXPAND_AVX512
#endif
#undef BODY
