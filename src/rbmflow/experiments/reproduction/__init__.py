"""The thesis' figures, limits and flow, recomputed and checked: a file for each stage."""
