"""The program `osprey`: `osprey detect photo.jpg`, or `python -m osprey_vision detect photo.jpg`."""

import sys

from . import _native


def main() -> int:
    """Does what the command line says and returns the exit status."""
    return _native.main(["osprey", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
