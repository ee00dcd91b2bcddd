"""`python -m sandbox`: run Fairlane with its outside world on this machine."""

import sys

from sandbox.supervisor import main

if __name__ == "__main__":
    sys.exit(main())
