"""``python -m rbmflow`` is the command line."""

import sys

from rbmflow.cli import main

if __name__ == "__main__":  # workers of MPI import what the command runs in
    sys.exit(main())
