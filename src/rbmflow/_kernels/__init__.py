"""Compiled kernels: pure functions on arrays. Only the layer that owns a process imports its kernel."""
