"""Progress for people, on standard error: standard output is for what a program reads."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)
