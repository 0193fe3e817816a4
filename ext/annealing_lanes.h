/* Body of annealing.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#define FN TARGET static inline
#define PARTS (8 / WIDTH)
#include "xoshiro_lanes.h"

#define REAL_BODY "annealing_real.h"
#include "both_precisions.h"

#include "lanes_end.h"
