/* Undo lanes.h, so that the next level can include it. */
#undef FN
#undef PARTS
#undef ROTATE
#undef XOSHIRO
