# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file or folder that holds something else than it should is named, with what to do."""

from __future__ import annotations

import gzip
import json
import shutil

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._source import saved_snapshot
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import FOLDER, LAB, recording

BLOCKS = "ipamblocks.crd.projectcalico.org.json"


def header(tmp_path) -> bytes:
    _snapshot.write(str(tmp_path / "good.jsonl"), recording())
    return (tmp_path / "good.jsonl").read_bytes().splitlines(keepends=True)[0]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.jsonl", b"", "is empty: it has no header line. Collect it again"),
        ("binary.jsonl", b"\xcb\x8d\xff\xfe", "no snapshot of podnet.calico, or is damaged (it holds no text). Collect it again"),
        ("binary.jsonl.gz", b"\xcb\x8d\xff\xfe", "cannot be read to its end: Not a gzipped file"),
        ("cut.jsonl.gz", gzip.compress(b"x" * 99, mtime=0)[:20], "cannot be read to its end: Compressed file ended"),
        ("garbled.jsonl.gz", gzip.compress(b"x" * 99, mtime=0)[:10] + b"\xff" * 40, "is damaged (Error -3 while decompressing"),
        ("list.jsonl", b"[1]\n", "line 1: no object: this is no snapshot"),
    ],
    ids=lambda value: value if isinstance(value, str) and "jsonl" in value else "",
)
def test_a_file_that_is_no_snapshot(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PodnetError) as raised:
        saved_snapshot([str(path)])
    assert str(raised.value).startswith(str(path)) and says in str(raised.value)


def test_a_snapshot_that_was_cut_or_mended_between_two_lines(tmp_path):
    """Each line of it is whole: it would be a smaller cluster, of which everything that is left may pass."""
    path = tmp_path / "snapshot.jsonl"
    header(tmp_path)
    lines = (tmp_path / "good.jsonl").read_bytes().splitlines(keepends=True)
    for kept, says in (
        (lines[:-1], "is cut off: its last line, which counts the others, is not there"),
        (lines[:20], "is cut off"),
        (lines[:-2] + lines[-1:], "line %d: %d lines stand before it, and it counts %d" % (len(lines) - 1, len(lines) - 2, len(lines) - 1)),
        (lines + lines[-1:], "line %d: a line after the last" % (len(lines) + 1)),
    ):
        path.write_bytes(b"".join(kept))
        with pytest.raises(PodnetError) as refused:
            saved_snapshot([str(path)])
        assert says in str(refused.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"[1]", "no object: this is no snapshot"),
        (b'{"line":"node","name":"x","facts":[1]}', "Node.facts must be an object and is"),
        (b'{"line":"pod","namespace":7,"name":"x","facts":7}', "Pod.namespace must be a text and is 7"),
    ],
)
def test_a_line_that_is_no_object_of_a_snapshot(tmp_path, line, says):
    path = tmp_path / "snapshot.jsonl"
    path.write_bytes(header(tmp_path) + line + b"\n")
    with pytest.raises(PodnetError, match="line 2: " + says):
        saved_snapshot([str(path)])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda items: items[1]["spec"].pop("cidr"), "is damaged (object 2: it has no 'cidr'). Record it again"),
        (lambda items: items[0].update(spec=[1]), "is damaged (object 1: "),
    ],
)
def test_of_a_recorded_folder_the_file_is_named(tmp_path, damage, says):
    folder = tmp_path / "recorded"
    shutil.copytree(FOLDER / LAB, folder)
    path = folder / "api" / BLOCKS
    document = json.loads(path.read_text())
    damage(document["items"])
    path.write_text(json.dumps(document))
    with pytest.raises(PodnetError) as raised:
        saved_snapshot([str(folder)])
    assert str(raised.value).startswith(str(path)) and says in str(raised.value)


def test_a_folder_without_a_recording_is_named(tmp_path):
    with pytest.raises(PodnetError, match=str(tmp_path)):
        saved_snapshot([str(tmp_path)])
