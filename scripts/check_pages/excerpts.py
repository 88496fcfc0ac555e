# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a healthy cluster says: lines of a recorded output, or fields of recorded JSON as YAML."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import yaml
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import FOLDER, LAB


def excerpt(healthy: Mapping[str, Any]) -> tuple[str, str]:
    """The file that was recorded, from the project's root, and what is told of it.

    ``file`` in the folder ``recording``; of a text the ``lines`` that a pattern matches; of JSON the fields ``pick``, with `` > `` between
    the keys of a path, of those entries that ``match``. ValueError if nothing of it is there: a recording that changed must not leave a
    page without its proof.
    """
    path = FOLDER / healthy.get("recording", LAB) / healthy["file"]
    if "lines" in healthy:
        found = [line.rstrip() for line in path.read_text().splitlines() if re.search(healthy["lines"], line)]
    else:
        found = [_picked(one, healthy["pick"]) for one in _entries(path) if _matches(one, healthy.get("match", {}))]
    if not found:
        raise ValueError(f"{path} holds nothing of {healthy}")
    return "tests/fixtures/real/" + str(path.relative_to(FOLDER)), "\n".join(found)


def _entries(path: Any) -> list[Any]:
    content = json.loads(path.read_text())
    return content["items"] if isinstance(content, dict) else content


def _at(entry: Any, path: str) -> Any:
    return functools.reduce(lambda value, key: value[int(key)] if isinstance(value, list) else value.get(key), path.split(" > "), entry)


def _matches(entry: Any, wanted: Mapping[str, Any]) -> bool:
    return all(_at(entry, path) == value for path, value in wanted.items())


def _picked(entry: Any, paths: list[str]) -> str:
    fields = {path.rpartition(" > ")[2]: _at(entry, path) for path in paths}
    return yaml.safe_dump(fields, sort_keys=False, default_flow_style=None, width=120).rstrip()
