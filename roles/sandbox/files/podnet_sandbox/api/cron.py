# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a CronJob is due: the five fields of cron, names of months and days, and `@hourly` and its kin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
#: A schedule that never comes in so many days never comes: 29 February is the rarest day there is.
_HORIZON_DAYS = 366 * 5


class ScheduleError(ValueError):
    """A text that is no schedule; the words are those of the library that Kubernetes reads it with."""


@dataclass(frozen=True)
class Schedule:
    """Minutes, hours, days of the month, months, days of the week. ``either``: a day that is in one of both day fields will do."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def after(self, moment: datetime) -> datetime | None:
        """The first time that is due after ``moment``, in its time zone; None where there is none."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        earliest = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for number in range(_HORIZON_DAYS):
            date = day + timedelta(days=number)
            if self._has_day(date):
                due = next((time for time in self._times(date) if time >= earliest), None)
                if due is not None:
                    return due
        return None

    def _has_day(self, date: datetime) -> bool:
        of_month, of_week = date.day in self.days, date.isoweekday() % 7 in self.weekdays
        return date.month in self.months and (of_month or of_week if self.either else of_month and of_week)

    def _times(self, date: datetime) -> Iterator[datetime]:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                yield date.replace(hour=hour, minute=minute)


def parse(text: str) -> Schedule:
    """Raises `ScheduleError`."""
    if text.startswith("@") and text not in _MACROS:
        raise ScheduleError(f"unrecognized descriptor: {text}")
    fields = _MACROS.get(text, text).split()
    if len(fields) != len(_RANGES):
        raise ScheduleError(f"expected exactly {len(_RANGES)} fields, found {len(fields)}: [{' '.join(fields)}]")
    values = [_field(field, *bounds, names) for field, bounds, names in zip(fields, _RANGES, ((), (), (), _MONTHS, _DAYS), strict=True)]
    either = not any(field.startswith(("*", "?")) for field in (fields[2], fields[4]))
    return Schedule(*values, either)


def _field(text: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _ignored, step = part.partition("/")
        first, dash, last = span.partition("-")
        if first in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, low, names)
            end = _number(last, low, names) if dash else (high if step else start)
        every = _number(step, 0, ()) if step else 1
        if start < low:
            raise ScheduleError(f"beginning of range ({start}) below minimum ({low}): {part}")
        if end > high:
            raise ScheduleError(f"end of range ({end}) above maximum ({high}): {part}")
        if start > end:
            raise ScheduleError(f"beginning of range ({start}) beyond end of range ({end}): {part}")
        if every == 0:
            raise ScheduleError(f"step of range should be a positive number: {part}")
        found.update(range(start, end + 1, every))
    return frozenset(found)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + low
    if not text.isdigit():
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)
