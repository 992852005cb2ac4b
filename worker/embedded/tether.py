"""Run a program that ends with its parent: `python tether.py SIGNAL PARENT UID:GID|- PROGRAM ARGUMENT…`.

Linux sends SIGNAL (a number) to the program when the process PARENT dies, even by kill -9 (PR_SET_PDEATHSIG). A script
of its own rather than `preexec_fn`: that would run Python between fork and exec in a process that has threads, which
can deadlock. It replaces itself by the program, so the process id stays. Standard library only: it starts in ~20 ms.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def command(signal_number: int, account: str = "-") -> list[str]:
    """Return the words to put before a program so that it is tethered to this process.

    The tie is to the *thread* that starts it: that thread must live as long as the program is wanted.

    Args:
        signal_number: what the program gets when the tie breaks.
        account: `uid:gid` to run as; `-`: as this process.
    """
    return [sys.executable, "-I", "-S", __file__, str(int(signal_number)), str(os.getpid()), account]


def main(arguments: list[str]) -> None:
    """Drop to the account if one is named, tie this process to its parent, become the program."""
    signal_number, parent, account, *program = arguments
    if account != "-":  # before the tie: a change of credentials would undo it
        uid, gid = (int(part) for part in account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(parent):
        sys.exit("the parent is gone already")
    try:
        os.execvp(program[0], program)  # noqa: S606 - running a given program is what this is for
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
