# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirror: what it publishes fits together, and each fault is the fault it says."""

from __future__ import annotations

import hashlib
import http.client
import subprocess
import tarfile
import urllib.error
import urllib.request

import mirror as site
import publishers
import pytest


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Small: a file stands in for kubectl, whose sixty megabytes prove nothing here."""
    folder = tmp_path_factory.mktemp("published")
    kubectl = folder / "kubectl"
    kubectl.write_bytes(b"not the real one\n" * 100)
    return publishers.publish(folder / "site", kubectl=kubectl, state=folder / "state")


@pytest.fixture
def mirror(published):
    with site.Mirror(published) as mirror:
        yield mirror


def fetch(mirror, path):
    with urllib.request.urlopen(mirror.url + path, timeout=10) as answer:
        return answer.read()


def checksums(published):
    """(file, what its publisher says of it) for each file that has a publisher's checksum."""
    architecture = publishers.ARCHITECTURE
    kind, calicoctl, kubectl = f"kind-linux-{architecture}", f"calicoctl-linux-{architecture}", f"linux/{architecture}/kubectl"
    yield published.path("kind", kind), published.path("kind_checksums", kind), kind
    yield published.path("calicoctl", calicoctl), published.path("calicoctl_checksums", calicoctl), calicoctl
    yield published.path("kubectl", kubectl), published.path("kubectl_checksums", kubectl), ""
    for name in published.files:
        if name.startswith("containerlab_"):
            yield published.path("containerlab", name), published.path("containerlab_checksums", name), name


def test_every_file_is_what_its_publisher_says(mirror, published):
    for path, sums, name in checksums(published):
        found = hashlib.sha256(fetch(mirror, path)).hexdigest()
        lines = dict(reversed(line.split()) if name else ("", line) for line in fetch(mirror, sums).decode().splitlines())
        assert lines[name] == found, path


def test_the_version_set_pins_the_manifests_that_are_served(mirror, published):
    for name, pinned in published.version_set()["calico"]["files"].items():
        body = fetch(mirror, published.path("calico_manifests", name))
        assert pinned == {"sha256": hashlib.sha256(body).hexdigest()}


def test_a_url_template_leads_to_its_file(mirror, published):
    url = mirror.variables["podnet_download_urls"]["kind"].format(version="0.31.0", file=f"kind-linux-{publishers.ARCHITECTURE}")
    assert url == mirror.url + published.path("kind", f"kind-linux-{publishers.ARCHITECTURE}")


def test_the_archive_and_the_package_hold_one_program_that_runs(bench, published, tmp_path):
    archive = next(path for name, path in published.files.items() if name.endswith(".tar.gz"))
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    assert bench.run(tmp_path / "containerlab", "version", "-s").out == "0.79.0\n"
    packages = [path for name, path in published.files.items() if name.endswith(".deb")]
    if not packages:
        pytest.skip("no dpkg-deb on this machine")
    listed = subprocess.run(["dpkg-deb", "--contents", packages[0]], check=True, capture_output=True, text=True).stdout
    assert [line.split()[-1] for line in listed.splitlines() if not line.endswith("/")] == ["./usr/bin/containerlab"]


def test_the_same_doubles_are_the_same_files(published, tmp_path):
    again = publishers.publish(tmp_path / "site", kubectl=published.files["kubectl"], state=published.folder.parent / "state")
    name = f"kind-linux-{publishers.ARCHITECTURE}"
    assert again.files[name].read_bytes() == published.files[name].read_bytes()


class TestFaults:
    """One path, badly; the others as ever."""

    @pytest.fixture
    def path(self, published):
        return published.path("kind", f"kind-linux-{publishers.ARCHITECTURE}")

    def test_an_altered_file_has_the_right_length_and_the_wrong_checksum(self, mirror, published, path):
        right = fetch(mirror, path)
        mirror.fault(path, site.altered())
        wrong = fetch(mirror, path)
        assert len(wrong) == len(right)
        assert wrong != right

    def test_a_truncated_file_is_promised_whole(self, mirror, path):
        mirror.fault(path, site.truncated())
        with pytest.raises(http.client.IncompleteRead):
            fetch(mirror, path)

    def test_a_missing_file_is_404(self, mirror, path):
        mirror.fault(path, site.missing())
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetch(mirror, path)

    def test_a_failing_site_comes_round(self, mirror, path):
        mirror.fault(path, site.failing(2))
        for _attempt in range(2):
            with pytest.raises(urllib.error.HTTPError, match="500"):
                fetch(mirror, path)
        assert fetch(mirror, path)

    def test_a_moved_file_is_found_where_it_went(self, mirror, path):
        right = fetch(mirror, path)
        mirror.fault(path, site.moved())
        assert fetch(mirror, path) == right
        assert mirror.requests == [path, path, f"/moved{path}"]

    def test_a_slow_site_is_right_all_the_same(self, mirror, path):
        right = fetch(mirror, path)
        mirror.fault(path, site.slow(0.2))
        assert fetch(mirror, path) == right

    def test_a_healed_site_has_forgotten(self, mirror, path):
        mirror.fault(path, site.missing())
        mirror.heal()
        assert fetch(mirror, path)
        assert mirror.requests == [path]

    def test_nothing_outside_the_folder_is_served(self, mirror):
        connection = http.client.HTTPConnection(mirror.url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/../kubectl")
        assert connection.getresponse().status == 404
