/* Body of annealing.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#define FN TARGET static inline
#define PARTS (8 / WIDTH)
#include "simd/xoshiro_lanes.h"

#define REAL_BODY "annealing/annealing_real.h"
#include "simd/both_precisions.h"

#include "simd/lanes_end.h"
