# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubeconfig files, as kind merges into them and takes out of them.

Facts (kind source, v0.31.0: pkg/cluster/internal/kubeconfig): cluster, user and context are all named kind-NAME; --kubeconfig
is one file, else the first existing file of $KUBECONFIG (or its last), else $HOME/.kube/config; the current context is always
set; a file NAME.lock beside it, created exclusively, is the lock; on removal the entries go, and the current context where it
was that one; written 0600 where it was not there, keys in alphabetical order.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from podnet_doubles.errors import ToolError

_PARTS = {"clusters": "cluster", "users": "user", "contexts": "context"}
#: Seconds before each attempt to have the lock, when a cluster is created.
_BACKOFF = (0.0, 0.001, 0.05, 0.1)


def key(cluster: str) -> str:
    """What kind calls a cluster in a kubeconfig."""
    return f"kind-{cluster}"


def from_admin_conf(text: str, cluster: str, server: str = "") -> dict[str, Any]:
    """kubeadm's admin.conf with kind's names; ``server`` replaces the one in it."""
    config = yaml.safe_load(text)
    name = key(cluster)
    for part in _PARTS:
        config[part][0]["name"] = name
    config["contexts"][0]["context"].update(cluster=name, user=name)
    config["current-context"] = name
    if server:
        config["clusters"][0]["cluster"]["server"] = server
    return dict(config)


def render(config: dict[str, Any]) -> str:
    """As kind writes it."""
    return yaml.safe_dump(config) if config else ""


def merge(config: dict[str, Any], explicit: str) -> None:
    """Put the cluster into the file that kubectl would write to, retrying for its lock. Raises `ToolError`."""
    for wait in _BACKOFF:
        time.sleep(wait)
        try:
            with _locked(_target(explicit)) as path:
                _merge(config, path)
            return
        except ToolError as error:
            failure = error
    raise failure


def remove(cluster: str, explicit: str) -> None:
    """Take the cluster out of every file concerned. Raises `ToolError`; does not wait for a lock."""
    for path in _paths(explicit):
        with _locked(path):
            _remove(key(cluster), path)


def _merge(config: dict[str, Any], path: Path) -> None:
    existing = _read(path)
    for part in _PARTS:
        rows = existing.setdefault(part, None) or []
        existing[part] = [config[part][0] if row["name"] == config[part][0]["name"] else row for row in rows]
        if config[part][0] not in existing[part]:
            existing[part].append(config[part][0])
    existing["current-context"] = config["current-context"]
    for field in ("apiVersion", "kind", "preferences"):
        if field in config:
            existing.setdefault(field, config[field])
    _write(existing, path)


def _remove(name: str, path: Path) -> None:
    existing = _read(path)
    kept = {part: [row for row in existing.get(part) or [] if row["name"] != name] for part in _PARTS}
    changed = any(len(rows) != len(existing.get(part) or []) for part, rows in kept.items())
    existing.update({part: rows for part, rows in kept.items() if part in existing})
    if existing.get("current-context") == name:
        del existing["current-context"]
        changed = True
    if changed:
        _write({field: value for field, value in existing.items() if value != []}, path)


def _paths(explicit: str) -> list[Path]:
    if explicit:
        return [Path(explicit)]
    listed = list(dict.fromkeys(part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part))
    return [Path(part) for part in listed] or [Path(os.environ.get("HOME", ""), ".kube", "config")]


def _target(explicit: str) -> Path:
    paths = _paths(explicit)
    return next((path for path in paths if path.is_file()), paths[-1])


@contextmanager
def _locked(path: Path) -> Iterator[Path]:
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o000))
    except FileExistsError as error:
        raise ToolError(f"failed to lock config file: open {lock}: file exists") from error
    except OSError as error:
        raise ToolError(f"failed to lock config file: open {lock}: {(error.strerror or '').lower()}") from error
    try:
        yield path
    finally:
        lock.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise ToolError(f"failed to get kubeconfig to merge: failed to decode kubeconfig: {error}") from error
    return loaded if isinstance(loaded, dict) else {}


def _write(config: dict[str, Any], path: Path) -> None:
    # Like os.WriteFile of Go: the mode counts for a new file only.
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(render(config))
