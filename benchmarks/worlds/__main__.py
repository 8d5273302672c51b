"""``python -m benchmarks.worlds [--quick] [--json FILE]``."""

import sys

from benchmarks.worlds.run import main

sys.exit(main(sys.argv[1:]))
