# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON → the model (private): each field there, known, and of the type that ``_model`` names. Files come from anybody."""

from __future__ import annotations

import re
from typing import Any, Callable, Collection, Dict, List, Tuple, Type, get_args, get_origin, get_type_hints

from . import _model as model
from ._prefix import prefix

_Convert = Callable[[Any], Any]
_NONE = type(None)
_WORDS = {str: "a text", int: "a whole number", bool: "true or false", float: "a number"}
_MOST = 40
_ACTION = re.compile(r"lookup \S+(?: suppress_\w+ \d+)*|goto \d+|(?!lookup\b|goto\b)\S+(?: \S+)*")


def _is_cidr(text: str) -> bool:
    try:
        return "/" in text and bool(prefix(text))
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    return _is_cidr(text + "/0")


_FORMS: Dict[Any, Tuple[str, Callable[[str], Any]]] = {
    model.Cidr: ("a CIDR", _is_cidr),
    model.Ip: ("an address", _is_address),
    model.RuleAction: ("what a rule does", _ACTION.fullmatch),
}


class DecodeError(ValueError):
    """Which field of which class, what it must be and what it is: ``Node.facts: NodeFacts.routes: Route.dst must be a text and is 5``."""


def _odd(value: Any, wanted: str) -> DecodeError:
    shown = repr(value)
    return DecodeError("must be %s and is %s" % (wanted, shown if len(shown) <= _MOST else shown[:_MOST] + "…"))


class Decoder:
    """Holds what has been seen, so that equal values become one object. Of the ``shared`` classes an array may hold numbers."""

    def __init__(self, shared: Collection[Type] = ()) -> None:
        self._seen: Dict[Any, Any] = {}
        self._classes: Dict[Type, _Convert] = {}
        self._shared: Dict[Type, List[Any]] = {class_: [] for class_ in shared}

    def share(self, class_: Type, entry: Any) -> None:
        """``entry`` is what later arrays name by its number."""
        self._shared[class_].append(self.decode(class_, entry))

    def decode(self, class_: Type, entry: Any) -> Any:
        """``entry`` as ``class_``; DecodeError for a field that it does not have, lacks, or that is of another type."""
        decoder = self._classes.get(class_)
        if decoder is None:
            decoder = self._classes[class_] = self._decoder(class_)
        return decoder(entry)

    def _decoder(self, class_: Type) -> _Convert:
        hints = get_type_hints(class_)
        convert = {name: self._converter(hint) for name, hint in hints.items()}
        may_be_none = {name for name, hint in hints.items() if _NONE in get_args(hint)}
        required = [name for name in class_._fields if name not in class_._field_defaults]
        repeated = class_ in (model.Route, model.Rule, model.FdbEntry)
        seen = self._seen

        def decode(entry: Any) -> Any:
            if not isinstance(entry, dict):
                raise _odd(entry, "an object")
            name = ""
            try:
                for name, value in entry.items():
                    if value is not None or name not in may_be_none:
                        entry[name] = convert[name](value)
            except KeyError:
                raise DecodeError("%s has no field %r" % (class_.__name__, name))
            except DecodeError as error:
                text = str(error)
                raise DecodeError("%s.%s%s" % (class_.__name__, name, (" " if text.startswith("must be") else ": ") + text))
            missing = [name for name in required if name not in entry]
            if missing:
                raise DecodeError("%s without %s" % (class_.__name__, ", ".join(missing)))
            item = class_(**entry)
            if class_ is model.Address and not _is_cidr("%s/%d" % (item.address, item.prefixlen)):
                raise DecodeError("Address has the prefix length %d, and is %r" % (item.prefixlen, item.address))
            return seen.setdefault(item, item) if repeated else item

        return decode

    def _converter(self, hint: Any) -> _Convert:
        """How a JSON value of this type becomes the model's."""
        origin, arguments = get_origin(hint), get_args(hint)
        if _NONE in arguments:
            return self._converter(next(argument for argument in arguments if argument is not _NONE))
        if origin is tuple:
            return self._array(arguments[0])
        if origin is dict:
            return self._mapping(arguments[1])
        if hasattr(hint, "_fields"):
            return lambda value: self.decode(hint, value)
        if hint in _FORMS:
            return self._formed(*_FORMS[hint])
        return self._text if hint is str else _scalar(hint)

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise _odd(value, _WORDS[str])
        return self._seen.setdefault(value, value)

    def _formed(self, words: str, fits: Callable[[str], Any]) -> _Convert:
        """Texts of a form, each looked at once."""
        known: Dict[str, str] = {}

        def formed(value: Any) -> str:
            found = known.get(value) if isinstance(value, str) else None
            if found is None:
                if not fits(self._text(value)):
                    raise _odd(value, words)
                found = known[value] = self._text(value)
            return found

        return formed

    def _mapping(self, hint: Any) -> _Convert:
        inner = self._converter(hint)

        def mapping(value: Any) -> Dict[str, Any]:
            if not isinstance(value, dict):
                raise _odd(value, "an object")
            return {self._text(name): inner(entry) for name, entry in value.items()}

        return mapping

    def _array(self, hint: Any) -> _Convert:
        inner, shared, seen = self._converter(hint), self._shared.get(hint), self._seen

        def array(value: Any) -> Tuple[Any, ...]:
            if not isinstance(value, list):
                raise _odd(value, "a list")
            if shared is not None:
                return _many(value, inner, shared)
            items = tuple([inner(entry) for entry in value])
            return seen.setdefault(items, items) if hint is str else items

        return array


def _scalar(class_: Type) -> _Convert:
    fits = (int, float) if class_ is float else class_

    def scalar(value: Any) -> Any:
        if not isinstance(value, fits) or (class_ is not bool and isinstance(value, bool)):  # true is no number here
            raise _odd(value, _WORDS[class_])
        return value

    return scalar


def _many(value: List[Any], inner: _Convert, shared: List[Any]) -> Tuple[Any, ...]:
    """Objects, numbers of shared ones, and ``[first, last]`` of these."""
    found: List[Any] = []
    for entry in value:
        if entry.__class__ is int:
            first = last = entry
        elif entry.__class__ is list and [one.__class__ for one in entry] == [int, int]:
            first, last = entry
        else:
            found.append(inner(entry))
            continue
        if not 0 <= first <= last < len(shared):
            raise DecodeError("names line %s of %d that are shared" % (entry, len(shared)))
        found += shared[first : last + 1]
    return tuple(found)
