"""Infinite lattices in the plane: Houtappel's integrals."""
