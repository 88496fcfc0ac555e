# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What filters and tests share (private): their input checked, what the library raises as an error that names the filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Type, TypeVar

from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain, printable
from ansible_collections.podnet.calico.plugins.module_utils._prefix import prefix
from ansible_collections.podnet.calico.plugins.module_utils._decoding import Decoder

T = TypeVar("T")
#: What a parser raises at text that is not its command's.
_DAMAGE = (ValueError, LookupError, TypeError, AttributeError)
_SHOWN = 60


def refuse(name: str, why: str) -> NoReturn:
    """End the template: ``why`` says what was given and what was expected."""
    raise AnsibleFilterError("podnet.calico.%s: %s" % (name, why))


def calculated(name: str, function: Callable[..., T], *arguments: Any) -> T:
    """``function`` of the arguments; its ValueError as an error of the filter ``name``."""
    try:
        return function(*arguments)
    except (ValueError, TypeError) as error:
        refuse(name, str(error))


def listing(name: str, command: str, parse: Callable[..., Sequence[Any]], output: Any, *arguments: Any) -> List[Dict[str, Any]]:
    """What ``parse`` reads in what ``command`` printed, an entry a dictionary."""
    text(name, "the output of %s" % command, output)
    try:
        return plain(list(parse(output, *arguments)))
    except _DAMAGE as error:
        why = str(error) if isinstance(error, ValueError) else "%s %s" % (type(error).__name__, error)
        refuse(name, "this is not what %s prints: %s, in %r" % (command, why, printable(output, _SHOWN)))


def text(name: str, what: str, value: Any) -> str:
    """``value``, which must be text and not empty where it names something."""
    if not isinstance(value, str):
        refuse(name, "wants %s as text, got %s" % (what, _sort(value)))
    return value


def named(name: str, what: str, value: Any) -> str:
    """Text that is a name: empty is none."""
    if not text(name, what, value).strip():
        refuse(name, "wants %s, got an empty text" % what)
    return value


def entries(name: str, class_: Type[T], given: Any) -> List[T]:
    """A list of dictionaries, as the parsing filters and the info modules return it, as objects of the model."""
    decoder, found = Decoder(), []
    for number, entry in enumerate(listed(name, "a list of dictionaries", given)):
        if not isinstance(entry, Mapping):
            refuse(name, "entry %d is %s, and must be a dictionary" % (number, _sort(entry)))
        try:
            found.append(decoder.decode(class_, dict(entry)))
        except _DAMAGE as error:
            refuse(name, "entry %d cannot be read: %s" % (number, error))
    return found


def listed(name: str, what: str, value: Any) -> Sequence[Any]:
    """``value``, which must be a list."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        refuse(name, "wants %s, got %s" % (what, _sort(value)))
    return value


def cidr(name: str, what: str, value: Any) -> str:
    """The CIDR of a pool or block: text, or a dictionary with ``cidr`` as the modules return it."""
    found = value.get("cidr") if isinstance(value, Mapping) else value
    if not isinstance(found, str):
        refuse(name, "wants %s as a CIDR or as a dictionary with cidr, got %s" % (what, _sort(value)))
    return found


def block_size(name: str, pool: Any, given: Optional[Any]) -> Optional[int]:
    """The size that was given, else the pool's own, else None."""
    found = pool.get("block_size") if given is None and isinstance(pool, Mapping) else given
    try:
        return None if found is None else int(found)
    except (TypeError, ValueError):
        refuse(name, "wants block_size as a number, got %s" % _sort(found))


def is_inside(name: str, what: str, address: Any, ranges: Any) -> bool:
    """Whether an address or CIDR is in one of ``ranges``, of which each is a ``what``."""
    inner = calculated(name, prefix, text(name, "an address or CIDR", address))
    outer = [calculated(name, prefix, cidr(name, what, one)) for one in one_or_more(ranges)]
    return any(one.covers(inner) for one in outer)


def one_or_more(value: Any) -> Sequence[Any]:
    """A list as it is; anything else as a list of one."""
    return [value] if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence) else value


def _sort(value: Any) -> str:
    if value is None:
        return "nothing"
    return "a dictionary" if isinstance(value, Mapping) else "%s %r" % (type(value).__name__, printable(str(value), _SHOWN))
