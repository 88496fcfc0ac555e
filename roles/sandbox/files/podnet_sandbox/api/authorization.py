# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may do: Kubernetes' RBAC over the roles and bindings in the Store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .authentication import User

if TYPE_CHECKING:
    from .store import Store

Rule = Mapping[str, Any]

MASTERS = "system:masters"
_GROUP = "rbac.authorization.k8s.io"
_ACCOUNT_PREFIX = "system:serviceaccount:"


@dataclass(frozen=True)
class Attributes:
    """One thing to be done: ``verb`` on a resource, or on ``path`` where ``resource`` is ''."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    path: str = ""

    @property
    def resource_text(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Authorizer:
    """Answers from the bindings as they are at the moment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def allows(self, user: User, attributes: Attributes) -> bool:
        """Whether a rule grants it; nothing takes a grant away."""
        if MASTERS in user.groups:
            return True
        return any(_grants(rule, attributes) for rule in self.rules(user, attributes.namespace))

    def reason(self, user: User, attributes: Attributes) -> str:
        """Which binding grants it, in RBAC's words; '' for who may do everything anyway, and where none does."""
        if MASTERS in user.groups:
            return ""
        for binding, subject, rules in self._granted(user, attributes.namespace):
            if any(_grants(rule, attributes) for rule in rules):
                return f"RBAC: allowed by {_described(binding, subject)}"
        return ""

    def rules(self, user: User, namespace: str) -> Iterator[Rule]:
        """The rules that hold for ``user`` cluster-wide and in ``namespace`` ('' : cluster-wide alone)."""
        for _binding, _subject, rules in self._granted(user, namespace):
            yield from rules

    def _granted(self, user: User, namespace: str) -> Iterator[tuple[Rule, Rule, Sequence[Rule]]]:
        """Binding, the subject that is ``user``, and the rules of the role."""
        for binding in self._store.scan(f"clusterrolebindings.{_GROUP}"):
            subject = _bound(binding, user, "")
            if subject:
                yield binding, subject, self._role_rules(binding["roleRef"], "")
        if namespace:
            for binding in self._store.scan(f"rolebindings.{_GROUP}", namespace):
                subject = _bound(binding, user, namespace)
                if subject:
                    yield binding, subject, self._role_rules(binding["roleRef"], namespace)

    def _role_rules(self, reference: Mapping[str, Any], namespace: str) -> Sequence[Rule]:
        if reference["kind"] == "Role":
            role = self._store.find(f"roles.{_GROUP}", reference["name"], namespace)
        else:
            role = self._store.find(f"clusterroles.{_GROUP}", reference["name"])
        return (role or {}).get("rules") or ()


def denial(user: User, attributes: Attributes) -> str:
    """Why not, in Kubernetes' words, to follow `is forbidden:`."""
    if not attributes.resource:
        return f'User "{user.name}" cannot {attributes.verb} path "{attributes.path}"'
    where = f'in the namespace "{attributes.namespace}"' if attributes.namespace else "at the cluster scope"
    return (
        f'User "{user.name}" cannot {attributes.verb} resource "{attributes.resource_text}" '
        f'in API group "{attributes.group}" {where}'
    )


def _bound(binding: Mapping[str, Any], user: User, namespace: str) -> Mapping[str, Any] | None:
    """The first subject of a binding that is ``user``."""
    for subject in binding.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        if kind == "User" and name == user.name:
            return subject
        if kind == "Group" and name in user.groups:
            return subject
        if kind == "ServiceAccount" and user.name == f"{_ACCOUNT_PREFIX}{subject.get('namespace') or namespace}:{name}":
            return subject
    return None


def _described(binding: Mapping[str, Any], subject: Mapping[str, Any]) -> str:
    metadata, role = binding["metadata"], binding["roleRef"]
    name = f"{metadata['name']}/{metadata['namespace']}" if binding["kind"] == "RoleBinding" else metadata["name"]
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who += f"/{subject.get('namespace') or metadata.get('namespace', '')}"
    return f'{binding["kind"]} "{name}" of {role["kind"]} "{role["name"]}" to {subject["kind"]} "{who}"'


def _grants(rule: Rule, wanted: Attributes) -> bool:
    if not _listed(rule.get("verbs"), wanted.verb):
        return False
    if not wanted.resource:
        return any(_covers(pattern, wanted.path) for pattern in rule.get("nonResourceURLs") or ())
    if not _listed(rule.get("apiGroups"), wanted.group):
        return False
    resources = rule.get("resources") or ()
    if not (_listed(resources, wanted.resource_text) or (wanted.subresource and f"*/{wanted.subresource}" in resources)):
        return False
    names = rule.get("resourceNames") or ()
    return not names or wanted.name in names


def _listed(values: Sequence[str] | None, wanted: str) -> bool:
    return bool(values) and ("*" in values or wanted in values)


def _covers(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
