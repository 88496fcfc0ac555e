# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no YAML is named in a line, and nothing of it is repeated."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.filter.yaml_error import yaml_error

BINARY = b"\xcb\x8d\x00\xff".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ""),
        ("a: [1, 2]\n", ""),
        ("secret: b: c\n", "it is no YAML (line 1: mapping values are not allowed here)"),
        ("a: 1\nb: [secret\n", "it is no YAML (line 3: expected ',' or ']', but got '<stream end>')"),
        ("a: 2026-99-99\n", "it holds no text"),
        (BINARY, "it holds no text"),
        ("\x00secret", "it holds no text"),
    ],
)
def test_it_says_what_is_wrong_and_repeats_nothing(text, says):
    assert yaml_error(text) == says
