"""The command `hotfolder`: where every error becomes an exit code."""

from __future__ import annotations

import sys

from hotfolder.cli import run_command_line


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
