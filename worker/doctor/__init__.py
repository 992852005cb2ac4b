"""Is the platform well? Facts are gathered once (`facts.py`), rules judge them (`rules.py`), each with its remedy."""

from worker.doctor.facts import Facts, gather
from worker.doctor.rules import Finding, Level, examine

__all__ = ["Facts", "Finding", "Level", "examine", "gather"]
