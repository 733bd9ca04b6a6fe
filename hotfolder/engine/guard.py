"""Turns into a program that dies with its parent: `python -I -S guard.py PARENT_PID PROGRAM ARGS...`.

Linux kills the program when the thread that started this one ends, however it ends; elsewhere it just runs.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1
CANNOT_EXECUTE = 126
NOT_FOUND = 127


def main(arguments: list[str]) -> int:
    """Bind to the parent, then become the program; returns only when that fails."""
    parent_pid, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        die_with_parent()
        if os.getppid() != parent_pid:  # it ended before the line above took hold
            return 1
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # ignored by the interpreter, and inherited by the program
    try:
        os.execvp(command[0], command)  # noqa: S606  (the configured engine, no shell)
    except FileNotFoundError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return CANNOT_EXECUTE


def die_with_parent() -> None:
    """Ask for SIGKILL at the parent's end; a system without prctl only loses this protection."""
    import ctypes

    try:
        refused = ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0
    except (OSError, AttributeError):
        refused = True
    if refused:
        sys.stderr.write("the engine may outlive the program that started it: no prctl here\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
