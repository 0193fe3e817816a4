/* The bodies of hopfield.h at one SIMD level, once for each kind of numbers. */
#define KIND(name) LEVEL(name##_narrow)
#define COUPLING int8_t
#define FIELD int16_t
#include "hopfield/hopfield_numbers.h"

#define KIND(name) LEVEL(name##_wide)
#define COUPLING int16_t
#define FIELD int32_t
#include "hopfield/hopfield_numbers.h"

#define KIND(name) LEVEL(name##_real)
#define COUPLING double
#define FIELD double
#include "hopfield/hopfield_numbers.h"
