"""``python -m rbmflow`` is the command line."""

import sys

from rbmflow.cli import main

sys.exit(main())
