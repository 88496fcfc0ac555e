# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules' options of shards: what is refused before anything is asked, what is written, found and judged."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot

SHARD = {"name": "shard-1", "of": ["shard-2", "shard-1"], "collection": "41"}


def test_a_shard_says_what_was_written(run, tmp_path):
    path = tmp_path / "shard-1.jsonl.gz"
    result = run("routing_snapshot", shard=SHARD, path=str(path))
    assert result["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() and result["bytes"] == path.stat().st_size
    assert result["nodes"]["total"] == 2 and result["collected_at"].endswith("Z")
    header = _snapshot.read(str(path)).header
    assert (header.shard.of, header.collected_at) == (("shard-1", "shard-2"), result["collected_at"])


@pytest.mark.parametrize(("fields", "says"), [
    ({"name": "shard-3"}, "shard-3 is none of shard-2, shard-1"),
    ({"of": []}, "shard-1 is none of no names"),
    ({"of": ["shard-1", "shard_1"]}, "published as"),
    ({"collection": "../x"}, "is no name"),
])  # fmt: skip
def test_a_shard_that_can_be_none_is_refused_before_anything_is_asked(run, cluster, fields, says):
    result = run("routing_snapshot", shard={**SHARD, **fields})
    assert result["failed"] and says in result["msg"] and not cluster.execs


def test_a_shard_that_is_not_there_fails_the_judgement_by_its_name(run, tmp_path):
    path = tmp_path / "shard-1.jsonl.gz"
    run("routing_snapshot", shard=SHARD, path=str(path))
    files, names = [str(path), str(tmp_path / "shard-2.jsonl.gz")], {"names": ["shard-1", "shard-2"]}
    result = run("routing_assert", snapshots=files, shards=names)
    assert result["failed"] and [one["subject"]["name"] for one in result["findings"] if one["id"] == "shards.whole"] == ["shard-2"]
    (tmp_path / "shard-2.jsonl.gz").write_bytes(path.read_bytes()[:60])
    (told,) = [one for one in run("routing_assert", snapshots=files, shards=names)["findings"] if one["id"] == "shards.whole"]
    assert told["subject"]["name"] == "shard-2" and told["actual"].startswith("damaged: ")


def test_shards_without_a_file_are_not_taken_for_the_cluster(run, cluster):
    result = run("routing_assert", shards={"names": ["shard-1"], "refused": {"shard-1": "damaged: 404"}})
    assert result["failed"] and result["summary"]["passed"] == 0 and not cluster.execs
    assert "shard shard-1 is damaged: 404" in result["msg"]


@pytest.mark.parametrize(("names", "says"), [([], "no shard is named"), (["a/b"], "is no name"), (["a", "a"], "named twice")])
def test_shards_that_can_be_none_are_refused(run, names, says):
    assert says in run("routing_assert", shards={"names": names})["msg"]
    assert says in run("shard_files", shards=names, dest="/nonexistent", collection="1")["msg"]


def test_the_file_of_a_shard_is_found(run, tmp_path):
    (tmp_path / "41").mkdir()
    run("routing_snapshot", shard=SHARD, path=str(tmp_path / "41" / "shard-1.jsonl.gz"))
    given = {"shards": ["shard-1"], "collection": "41", "folder": str(tmp_path), "dest": str(tmp_path)}
    result = run("shard_files", **given)
    assert (result["snapshots"], result["refused"], result["collection"]) == ([str(tmp_path / "41" / "shard-1.jsonl.gz")], {}, "41")
    assert run("shard_files", check_mode=True, **given)["snapshots"] == []
    assert "must be at least 1" in run("shard_files", **given, max_bytes=0)["msg"]
