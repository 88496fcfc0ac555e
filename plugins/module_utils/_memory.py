# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python's cycle collector out of the way (private)."""

from __future__ import annotations

import contextlib
import gc
from typing import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No search for cycles meanwhile: what makes millions of objects and no cycle would have all of them looked through, again and
    again. Usable as a decorator."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            _make_old()
            gc.enable()


def _make_old() -> None:
    """Moves every object to the oldest generation, unlooked at: left young, all are looked through as soon as one more is made."""
    if not gc.get_freeze_count():  # else the program around us has frozen some, and they are to stay so
        gc.freeze()
        gc.unfreeze()
