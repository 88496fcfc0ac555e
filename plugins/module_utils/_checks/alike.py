# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a thousand nodes have alike is compared once (private).

Equal routes, neighbours and forwarding entries of a snapshot are one object. So whether a node has what it must have is, for all but
the first node that has it, whether it is the same object: a million of them are looked at without a step of Python's own.
"""

from __future__ import annotations

from itertools import compress
from operator import is_not
from typing import Any, Callable, Generic, List, Optional, Sequence, TypeVar

Expected = TypeVar("Expected")
Observed = TypeVar("Observed")
_NOTHING: Any = object()


class Alike(Generic[Expected, Observed]):
    """Things expected, in a certain order, and of each the object that was last found to be as expected.

    ``fits`` is asked of None, too: what is not there may be as expected.
    """

    def __init__(self, expected: Sequence[Expected], fits: Callable[[Optional[Observed], Expected], bool]) -> None:
        self.expected = expected
        self._fits = fits
        self._known: List[Optional[Observed]] = [_NOTHING] * len(expected)

    def is_all(self, observed: List[Any], without: Optional[int]) -> bool:
        """Whether that is, in order, everything but what is expected at the place ``without``, as it was found before."""
        known = self._known
        return observed == (known if without is None else known[:without] + known[without + 1 :])

    def others(self, observed: Sequence[Optional[Observed]]) -> List[int]:
        """The places where what was observed, in the order of what is expected, is not as expected."""
        found = []
        for place in list(compress(range(len(observed)), map(is_not, observed, self._known))):
            one = observed[place]
            if self._fits(one, self.expected[place]):
                self._known[place] = one
            else:
                found.append(place)
        return found
