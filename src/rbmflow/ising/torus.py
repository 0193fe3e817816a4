"""Interim."""
from dataclasses import dataclass
@dataclass(frozen=True)
class Torus:
    n_rows: int
    n_cols: int
    @property
    def n_sites(self): return self.n_rows*self.n_cols
