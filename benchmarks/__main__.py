"""``python -m benchmarks [--quick] [--json FILE] [--only PART]``."""

import sys

from benchmarks.run import main

sys.exit(main(sys.argv[1:]))
