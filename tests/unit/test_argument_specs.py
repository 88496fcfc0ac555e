# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's defaults and its argument specification say the same, so that `ansible-doc -t role` tells the truth."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

UNSPECIFIED = object()
ROLES = Path(__file__).resolve().parents[2] / "roles"
NAMES = sorted(role.parent.parent.name for role in ROLES.glob("*/meta/argument_specs.yml"))


def load(role: str, path: str):
    file = ROLES / role / path
    return (yaml.safe_load(file.read_text()) or {}) if file.exists() else {}


def options(role: str) -> dict:
    return load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def test_every_role_has_an_argument_specification_and_a_readme():
    roles = sorted(folder.name for folder in ROLES.iterdir() if folder.is_dir())
    assert roles == NAMES
    assert [role for role in roles if not (ROLES / role / "README.md").exists()] == []


@pytest.mark.parametrize("role", NAMES)
def test_each_default_is_specified_and_each_option_has_a_default(role):
    assert set(load(role, "defaults/main.yml")) == set(options(role))


@pytest.mark.parametrize("role", NAMES)
def test_the_specified_default_is_the_default(role):
    defaults = load(role, "defaults/main.yml")
    specified = {name: option.get("default", UNSPECIFIED) for name, option in options(role).items()}
    # No specification may hold a template for dicts; its description says what they are.
    unspecifiable = {
        name for name, option in options(role).items()
        if "dict" in (option["type"], option.get("elements")) and isinstance(defaults[name], str)
    }
    assert specified == {name: UNSPECIFIED if name in unspecifiable else value for name, value in defaults.items()}


@pytest.mark.parametrize("role", NAMES)
def test_each_option_has_a_type_and_a_description(role):
    def check(named: dict, where: str):
        for name, option in named.items():
            assert option.get("type"), f"{where}{name} has no type"
            assert option.get("description"), f"{where}{name} has no description"
            check(option.get("options", {}), f"{where}{name}.")

    check(options(role), f"{role}: ")


@pytest.mark.parametrize("role", NAMES)
def test_a_variable_is_named_after_its_role_or_shared(role):
    prefix = "podnet_" if role in ("lab", "shards") else f"{role}_"
    assert [name for name in options(role) if not name.startswith(prefix)] == []


@pytest.mark.parametrize("role", NAMES)
def test_the_readme_names_each_variable(role):
    readme = (ROLES / role / "README.md").read_text()
    assert [name for name in options(role) if f"`{name}`" not in readme] == []
