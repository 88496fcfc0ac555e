# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ip rule` (private). The model keeps a rule's selector as the text that ``ip rule`` prints."""

from __future__ import annotations

from typing import Iterator, List, Tuple

from .._model import Rule
from .base import ParseError, parse

# In the order iproute2 prints them, with the JSON keys that carry them.
_WORDS = ("tos", "ipproto", "sport", "dport", "uidrange", "l3mdev")
_TARGETS = ("unreachable", "blackhole", "prohibit", "nop")


def parse_rules(output: str) -> Tuple[Rule, ...]:
    """Policy rules in the order of their priority."""
    return parse(output, "ip rule", _from_json, _from_text)


def _from_json(entry: dict) -> Iterator[Rule]:
    words: List[str] = ["not"] if "not" in entry else []
    words += ["from", _prefix(entry, "src")]
    if "dst" in entry:
        words += ["to", _prefix(entry, "dst")]
    if "fwmark" in entry:
        words += ["fwmark", entry["fwmark"] + ("/" + entry["fwmask"] if "fwmask" in entry else "")]
    for key in ("iif", "oif"):
        if key in entry:
            words += [key, entry[key]]
    for key in _WORDS:
        if key in entry:
            words += [key] if entry[key] is None else [key, str(entry[key])]
    yield Rule(entry["priority"], " ".join(words), _action(entry))


def _prefix(entry: dict, key: str) -> str:
    length = entry.get(key + "len")
    return entry[key] if length is None else "%s/%s" % (entry[key], length)


def _action(entry: dict) -> str:
    if "table" in entry:
        action = "lookup %s" % entry["table"]
        if "suppress_prefixlen" in entry:
            action += " suppress_prefixlength %s" % entry["suppress_prefixlen"]
        return action
    if "goto" in entry:
        return "goto %s" % entry["goto"]
    return entry.get("action", "nop")


def _from_text(output: str) -> Iterator[Rule]:
    for line in output.splitlines():
        if not line.strip():
            continue
        priority, colon, rest = line.partition(":")
        if not colon or not priority.strip().isdigit():
            raise ParseError("ip rule: no priority in %.200r" % line)
        words = rest.replace("[unresolved]", "").replace("[detached]", "").split()
        cut = next((i for i, word in enumerate(words) if word in ("lookup", "goto") + _TARGETS), len(words))
        yield Rule(int(priority), " ".join(words[:cut]), " ".join(words[cut:]) or "nop")


def rule_json(rule: Rule) -> dict:
    """The rule as ``ip -j rule`` prints it."""
    entry: dict = {"priority": rule.priority}
    words = rule.selector.split()
    while words:
        word = words.pop(0)
        if word in ("not", "l3mdev"):
            entry[word] = None
            continue
        value = words.pop(0)
        if word in ("from", "to"):
            key = "src" if word == "from" else "dst"
            entry[key], slash, length = value.partition("/")
            if slash:
                entry[key + "len"] = int(length)
        elif word == "fwmark":
            entry["fwmark"], slash, mask = value.partition("/")
            if slash:
                entry["fwmask"] = mask
        else:
            entry[word] = int(value) if value.isdigit() and word != "iif" and word != "oif" else value
    return _with_action(entry, rule.action.split())


def _with_action(entry: dict, action: List[str]) -> dict:
    if action[0] == "lookup":
        entry["table"] = action[1]
        if len(action) == 4:
            entry["suppress_prefixlen"] = int(action[3])
    elif action[0] == "goto":
        entry["goto"] = int(action[1])
    else:
        entry["action"] = action[0]
    return entry


def rule_text(rule: Rule) -> str:
    """The rule as ``ip rule`` prints it."""
    return "%d:\t%s %s" % (rule.priority, rule.selector, rule.action)
