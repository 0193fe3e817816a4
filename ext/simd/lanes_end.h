/* Undo lanes.h, so that the next level can include it. */
#undef FN
#undef PARTS
#undef ROTATE
#undef XOSHIRO
#undef TERNARY
#undef PARITY
#undef MAJORITY
#undef SELECT
#undef WHERE_EQUAL
#undef BELOW
#undef FLIP
