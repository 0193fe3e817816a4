/* Body of annealing.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#define FN TARGET static inline
#define PARTS (8 / WIDTH)
#include "xoshiro_lanes.h"

#define REAL float
#define BITS BITS32
#define VALUE VALUE32
#define SIGN 0x80000000u
#define WORD LEVEL(words32)
#define VECTOR LEVEL(floats)
#define NAME(name) LEVEL(name##32)
#include "annealing_real.h"
#undef REAL
#undef BITS
#undef VALUE
#undef SIGN
#undef WORD
#undef VECTOR
#undef NAME

#define REAL double
#define BITS BITS64
#define VALUE VALUE64
#define SIGN 0x8000000000000000u
#define WORD LEVEL(words64)
#define VECTOR LEVEL(doubles)
#define NAME(name) LEVEL(name##64)
#include "annealing_real.h"
#undef REAL
#undef BITS
#undef VALUE
#undef SIGN
#undef WORD
#undef VECTOR
#undef NAME

#include "lanes_end.h"
