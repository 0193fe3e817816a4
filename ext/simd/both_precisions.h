/* REAL_BODY, once in single and once in double precision: the includer sets it to the name of a header. */

#define REAL float
#define BITS BITS32
#define VALUE VALUE32
#define SIGN 0x80000000u
#define WORD LEVEL(words32)
#define VECTOR LEVEL(floats)
#define NAME(name) LEVEL(name##32)
#include REAL_BODY
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
#include REAL_BODY
#undef REAL
#undef BITS
#undef VALUE
#undef SIGN
#undef WORD
#undef VECTOR
#undef NAME

#undef REAL_BODY
