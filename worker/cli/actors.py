"""Who acts at the command line, for the audit log."""

import getpass


def actor() -> str:
    """Return the account of the operating system."""
    return f"cli:{getpass.getuser()}"
