# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of shards are had from; what a job has published is looked at before it is used."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import stat
from contextlib import contextmanager
from urllib.error import HTTPError, URLError

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _shard_files
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._shard_files import Source, collection_of, obtain, without_secrets

CONTENT = gzip.compress(b'{"line":"header"}\n' * 100)
KEY = "podnet_shard_shard_1"


def record(content=CONTENT, **fields):
    sum_ = hashlib.sha256(content).hexdigest()
    return {"name": "shard-1", "collection": "41", "store": "artifact", "sha256": sum_, "data": base64.b64encode(content).decode(), **fields}


@pytest.fixture(name="folder")
def folder_fixture(tmp_path):
    """A shared folder with one shard of collection 41 in it."""
    (tmp_path / "dest").mkdir()
    (tmp_path / "shared" / "41").mkdir(parents=True)
    (tmp_path / "shared" / "41" / "shard-1.jsonl.gz").write_bytes(CONTENT)
    return tmp_path


def find(folder, published=None, names=("shard-1",), wait=0, **source):
    given = {"store": "path", "dest": str(folder / "dest"), "folder": str(folder / "shared"), **source}
    return obtain(names, "41", {KEY: published} if published is not None else {}, Source(**given), wait)


def refused(*arguments, **options):
    _paths, why = find(*arguments, **options)
    (reason,) = why.values()
    return reason


def test_without_anything_published_the_folder_says_who_is_there(folder):
    paths, why = find(folder, names=("shard-1", "shard-2"))
    file = folder / "shared" / "41" / "shard-1.jsonl.gz"
    assert paths["shard-1"] == str(file) and file.read_bytes() == CONTENT
    assert why == {"shard-2": f"missing: {folder}/shared/41/shard-2.jsonl.gz: No such file or directory"}


def test_what_was_published_must_be_the_files_sum(folder):
    assert find(folder, record(store="path"))[1] == {}
    assert refused(folder, record(store="path", sha256="0" * 64)).startswith("damaged: shard-1.jsonl.gz has not the SHA-256 sum")


def test_a_path_that_was_published_is_not_followed(folder):
    paths, why = find(folder, record(store="path", path="/etc/passwd", url="file:///etc/passwd"))
    assert paths == {"shard-1": str(folder / "shared" / "41" / "shard-1.jsonl.gz")} and why == {}


def test_a_shard_that_published_nothing_is_missing_though_a_file_of_it_lies_there(folder):
    paths, why = obtain(("shard-1", "shard-2"), "41", {KEY.replace("1", "2"): record(name="shard-2")},
                        Source("path", str(folder / "dest"), str(folder / "shared")), 0)  # fmt: skip
    assert why == {"shard-1": "missing: no job has published podnet_shard_shard_1"}
    assert not os.path.exists(paths["shard-1"])


def test_what_was_refused_is_not_left_to_be_read(folder):
    for given in (record(sha256="0" * 64), record(content=CONTENT[:-9])):
        paths, why = find(folder, given)
        assert why["shard-1"].startswith("damaged: ") and not os.path.exists(paths["shard-1"])
    find(folder, record(store="path", sha256="0" * 64))
    assert (folder / "shared" / "41" / "shard-1.jsonl.gz").read_bytes() == CONTENT


def test_an_artifact_is_written_for_its_owner_alone(folder):
    paths, why = find(folder, record())
    assert why == {} and paths["shard-1"] == str(folder / "dest" / "shard-1.jsonl.gz")
    assert stat.S_IMODE(os.stat(paths["shard-1"]).st_mode) == 0o600
    with open(paths["shard-1"], "rb") as file:
        assert file.read() == CONTENT


@pytest.mark.parametrize(("published", "says"), [
    ("shard-1", "is no mapping"),
    ([record()], "is no mapping"),
    (record(name="../../etc/cron.d/x"), "has another name"),
    (record(name="shard-2"), "has another name"),
    (record(collection="../.."), "names no collection"),
    (record(collection=41), "names no collection"),
    (record(store="pipe"), "has no store, one of path, url, artifact"),
    (record(store=["path"]), "has no store, one of path, url, artifact"),
    (record(sha256="x"), "has no SHA-256 sum"),
    (record(sha256=None), "has no SHA-256 sum"),
    (record(data="A" * 300001), "more than 300000 characters"),
    (record(data={"a": 1}), "has data that are no text"),
    (record(data="§"), "its data are no base64"),
    (record(data="AAAA"), "has not the SHA-256 sum"),
    (record(b"not packed"), "cannot be unpacked"),
    (record(CONTENT[:40]), "cannot be unpacked"),
    (record(CONTENT[:12] + bytes(20)), "cannot be unpacked"),
])  # fmt: skip
def test_what_no_shard_publishes_is_damage(folder, published, says):
    reason = refused(folder, published)
    assert reason.startswith("damaged: ") and says in reason
    assert sorted(os.listdir(folder)) == ["dest", "shared"] and os.listdir(folder / "shared" / "41") == ["shard-1.jsonl.gz"]


def test_one_of_another_collection_is_told_so(folder):
    assert refused(folder, record(collection="40")) == "of another collection: 40, not 41"


def test_who_is_not_asked_for_is_told_by_its_name(folder):
    published = {KEY: record(), "podnet_shard_x": {"name": "x"}, "podnet_shard_evil": {"name": "../x"}, "podnet_shard_store": "path"}
    _paths, why = obtain(("shard-1",), "41", published, Source("path", str(folder / "dest")), 0)
    assert why == {"x": "not one of them: it has published podnet_shard_x",
                   "podnet_shard_evil": "not one of them: it has published podnet_shard_evil"}  # fmt: skip


def test_a_small_file_that_holds_a_large_one_is_refused(folder):
    bomb = gzip.compress(b"0" * 3000000)
    assert len(bomb) < 10000
    assert refused(folder, record(bomb), max_bytes=1000000) == "damaged: shard-1.jsonl.gz holds more than 1000000 bytes"


def test_a_large_file_is_not_read(folder):
    assert "has %d bytes, and may have 10" % len(CONTENT) in refused(folder, max_bytes=10)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_regular_file_is_not_opened(folder, kind):
    file = folder / "shared" / "41" / "shard-1.jsonl.gz"
    file.unlink()
    {"link": lambda: file.symlink_to("/etc/passwd"), "pipe": lambda: os.mkfifo(file), "folder": file.mkdir}[kind]()
    assert refused(folder) == f"damaged: {file} is no regular file"


def test_a_file_that_comes_late_is_waited_for(folder, monkeypatch):
    file = folder / "shared" / "41" / "shard-1.jsonl.gz"
    file.unlink()
    monkeypatch.setattr(_shard_files.time, "sleep", lambda seconds: file.write_bytes(CONTENT))
    assert find(folder, record(store="path"), wait=60)[1] == {}


def test_what_can_not_come_is_not_waited_for(folder, monkeypatch):
    def sleep(seconds):
        raise AssertionError("nothing will come")

    monkeypatch.setattr(_shard_files.time, "sleep", sleep)
    assert refused(folder, record(collection="40"), wait=60)


# -- an object store ------------------------------------------------------------------------------------------------------


@pytest.fixture(name="store")
def store_fixture(monkeypatch):
    """Answers what the test says, and keeps what was asked."""
    asked = []

    def serve(answer):
        @contextmanager
        def open_url(url, headers, timeout, decompress):
            asked.append((url, headers))
            if isinstance(answer, Exception):
                raise answer
            yield io.BytesIO(answer)

        monkeypatch.setattr(_shard_files, "open_url", open_url)
        return asked

    return serve


URL = "https://me:pass@store.example/{collection}/{shard}?sig=s3cr3t"
TOLD = "https://store.example/41/shard-1"


def test_an_object_is_asked_for_by_our_own_url(folder, store):
    asked = store(CONTENT)
    paths, why = find(folder, record(store="url", url="https://evil.example/"), url=URL, headers={"Authorization": "x"})
    assert why == {} and paths["shard-1"] == str(folder / "dest" / "shard-1.jsonl.gz")
    assert asked == [("https://me:pass@store.example/41/shard-1?sig=s3cr3t", {"Authorization": "x"})]


def test_a_shards_own_url_wins(folder, store):
    asked = store(CONTENT)
    assert find(folder, store="url", url=URL, urls={"shard-1": "http://presigned.example/a"})[1] == {}
    assert asked[0][0] == "http://presigned.example/a"


@pytest.mark.parametrize(("answer", "says"), [
    (HTTPError("u", 404, "Not Found", {}, None), f"missing: GET {TOLD}: 404 Not Found"),
    (URLError("connection refused"), f"missing: GET {TOLD}: connection refused"),
    (TimeoutError("timed out"), f"missing: GET {TOLD}: timed out"),
    (CONTENT + b"x" * 3000, f"damaged: GET {TOLD} gave more than 2000 bytes"),
])  # fmt: skip
def test_an_object_that_cannot_be_had_is_told_without_secrets(folder, store, answer, says):
    store(answer)
    assert refused(folder, store="url", url=URL, max_bytes=2000) == says


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://store/{shard}", "{shard}"])
def test_only_http_is_asked(folder, url):
    assert "no URL of http or https is named" in refused(folder, store="url", url=url)


def test_a_query_and_a_password_are_secrets():
    assert without_secrets("https://u:p@h:8/a/b?x=1#f") == "https://h:8/a/b"


# -- which collection -----------------------------------------------------------------------------------------------------


def test_the_collection_is_the_one_named_or_published_or_this_jobs():
    published = {"a": record(), "b": record(), "c": record(collection="40"), "d": "41", "e": {"collection": 7}}
    assert collection_of(published, "39", "1") == "39"
    assert collection_of(published, "", "1") == "41"
    assert collection_of({}, "", "1") == "1"
    with pytest.raises(PodnetError, match="podnet_collection"):
        collection_of({}, "", "")
    with pytest.raises(PodnetError, match="'../x'"):
        collection_of({"a": record(collection="../x")}, "", "")
