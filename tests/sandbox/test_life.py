# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox's life through its command line: up, status, down, sudden death, and every refusal."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from podnet_sandbox import cli, launch, state
from podnet_sandbox.confinement import isolation

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="starts sandboxes as root")
SMALL = {"nodes": ["a", "b"], "node_subnet": "172.30.0.0/24"}
FILES = Path(launch.__file__).parent.parent


def command(folder, *arguments, **environment):
    """One run of the command line; (exit code, answer or None, standard error)."""
    argv = [sys.executable, "-m", "podnet_sandbox", arguments[0], "--state-dir", str(folder), "--json", *arguments[1:]]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FILES), *sys.path]), **environment}
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False, timeout=120)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def up(folder, *arguments, name="life", **settings):
    return command(folder, "up", "--config", json.dumps({"name": name, **SMALL, **settings}), *arguments)


def pid_of(folder):
    return json.loads((folder / "state.json").read_text())["pid"]


def descendants(pid):
    """The process and all it started, by host pid."""
    found = [pid]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except FileNotFoundError:
                continue
    return found


def host_view():
    """What a sandbox could leave on the host: its links' names, its mount table."""
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return {line.split(":")[1].strip() for line in links.splitlines()} | set(Path("/proc/self/mountinfo").read_text().splitlines())


def answers(kubeconfig):
    """Whether the API answers its administrator."""
    config = yaml.safe_load(kubeconfig.read_text())
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        urllib.request.urlopen(config["clusters"][0]["cluster"]["server"] + "/version", context=context, timeout=5)
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except OSError:
        return False
    return True


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "lab"
    yield folder
    if folder.exists():
        command(folder, "down")


def test_a_start_that_is_not_permitted_says_why_and_leaves_nothing(tmp_path, monkeypatch):
    def forbidden(*, privileged):
        raise isolation.IsolationError("user namespaces are not permitted here")

    monkeypatch.setattr(isolation, "enter", forbidden)
    monkeypatch.setattr(launch, "check_programmes", lambda *, bird: None)
    folder = state.StateFolder(tmp_path / "lab")
    with pytest.raises(launch.LaunchError, match="did not start: user namespaces are not permitted here"):
        launch.start(launch.SandboxConfig(name="life"), folder)
    assert not folder.path.exists()


@as_root
def test_up_returns_when_the_cluster_answers_and_down_leaves_nothing(folder):
    before = host_view()
    code, answer, error = up(folder)
    assert (code, error) == (0, "")
    assert answer["changed"] and answer["kubeconfig"] == str(folder / "kubeconfig")
    assert answer["nodes"] == [
        {"name": "a", "address": "172.30.0.2", "role": "control-plane"},
        {"name": "b", "address": "172.30.0.3", "role": "worker"},
    ]
    assert answers(folder / "kubeconfig")
    assert stat.S_IMODE((folder / "kubeconfig").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert host_view() <= before  # nothing of it is seen on the host
    processes = descendants(pid_of(folder))
    assert len(processes) >= 5  # holder, process 1, server, two nodes
    code, answer, _ = command(folder, "down")
    assert code == 0 and answer["changed"]
    assert [pid for pid in processes if alive(pid)] == []
    assert host_view() <= before
    assert list(folder.iterdir()) == []


@as_root
def test_a_second_up_finds_it_running_and_a_second_down_nothing(folder):
    _, first, _ = up(folder)
    _, second, _ = up(folder)
    assert second == {**first, "changed": False}
    code, answer, _ = command(folder, "status")
    assert code == 0 and answer["running"]
    command(folder, "down")
    assert command(folder, "down")[1] == {"changed": False, "removed": []}
    assert command(folder, "status")[0] == 3


@as_root
@pytest.mark.parametrize("victim", ["holder", "process one", "server"])
def test_a_sudden_death_takes_everything_along_and_the_next_up_replaces_it(folder, victim):
    before = host_view()
    _, first, _ = up(folder)
    processes = descendants(pid_of(folder))
    number = {"holder": 0, "process one": 1, "server": 2}[victim]
    os.kill(processes[number], signal.SIGKILL)
    assert until(lambda: [pid for pid in processes if alive(pid)] == [])
    assert host_view() <= before
    assert not answers(folder / "kubeconfig")
    code, answer, _ = command(folder, "status")
    assert code == 3 and answer["stale"]
    code, second, error = up(folder)
    assert (code, error) == (0, "") and second["changed"] and second["uuid"] != first["uuid"]
    assert answers(folder / "kubeconfig")


def alive(pid):
    """A zombie that its parent has not buried yet is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@as_root
def test_two_sandboxes_live_side_by_side(folder, tmp_path):
    other = tmp_path / "other"
    try:
        _, first, _ = up(folder)
        _, second, _ = up(other, name="other")
        assert first["server"] != second["server"]
        command(folder, "down")
        assert answers(other / "kubeconfig")
    finally:
        command(other, "down")


@as_root
def test_other_settings_under_the_same_name_are_refused(folder):
    up(folder)
    code, answer, error = up(folder, pod_subnet="10.20.0.0/16")
    assert code == 1 and answer is None
    assert "already up" in error and "pod_subnet: '192.168.0.0/16' runs, '10.20.0.0/16' is asked for" in error
    assert answers(folder / "kubeconfig")


@as_root
def test_a_taken_port_is_named_before_anything_is_made(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, error = up(folder, port=port)
    assert code == 1 and f"127.0.0.1:{port}: Address already in use" in error and "Choose another port" in error
    assert not folder.exists()


@as_root
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_up_that_is_interrupted_leaves_nothing_that_runs(folder, number):
    """Ctrl-C while Ansible waits for it: nobody would know which process to end."""
    # A shell's job in the background ignores SIGINT, and so does what it starts: these tests may run in one.
    argv = ["env", "--default-signal=INT", sys.executable, "-m", "podnet_sandbox", "up", "--state-dir", str(folder)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FILES), *filter(None, sys.path)])}
    starting = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until((folder / "sandbox.log").exists)
    starting.send_signal(number)
    said = starting.communicate(timeout=60)[0].decode()
    assert starting.returncode and not (folder / "state.json").exists(), said
    until(lambda: not state.StateFolder(folder).alive())
    code, answer, error = up(folder)
    assert code == 0 and answer["changed"], error


@as_root
def test_check_changes_nothing(folder):
    code, answer, _ = up(folder, "--check")
    assert code == 0 and answer["changed"] and not folder.exists()
    up(folder)
    assert not up(folder, "--check")[1]["changed"]
    assert command(folder, "down", "--check")[1]["changed"]
    assert answers(folder / "kubeconfig")


@as_root
def test_the_labs_other_files_survive_down(folder):
    folder.mkdir()
    (folder / "pod-routing.clab.yaml").write_text("kept")
    up(folder)
    command(folder, "down")
    assert [path.name for path in folder.iterdir()] == ["pod-routing.clab.yaml"]


@as_root
def test_the_caller_gets_its_pipes_back(folder):
    """Ansible reads until end of file: the sandbox must not hold on to what it was started with."""
    assert up(folder)[0] == 0  # `command` reads both pipes to their end, in less than its time limit
    assert {os.readlink(f"/proc/{pid_of(folder)}/fd/{number}") for number in (1, 2)} == {str(folder / "sandbox.log")}


@as_root
def test_an_ordinary_user_has_a_sandbox_through_a_user_namespace(tmp_path):
    """Without any privilege: no uid 0, no supplementary group, an empty bounding set."""
    home = Path("/tmp") / f"podnet-test-{os.getpid()}"
    home.mkdir(mode=0o755)
    os.chown(home, 65534, 65534)
    python = python_for_nobody()
    if python is None:
        pytest.skip("no Python with the sandbox's libraries that another user may run")
    argv = [*as_nobody(), python, "-m", "podnet_sandbox"]
    lab = ["--state-dir", str(home / "lab")]
    try:
        done = subprocess.run([*argv, "up", *lab, "--json"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        assert answers(home / "lab" / "kubeconfig")
        assert (home / "lab").stat().st_uid == 65534
        processes = descendants(pid_of(home / "lab"))
        assert subprocess.run([*argv, "down", *lab], capture_output=True, check=False).returncode == 0
        assert [pid for pid in processes if alive(pid)] == []
    finally:
        subprocess.run([*argv, "down", *lab], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", home], check=True)


def as_nobody():
    """The words before a command that is to run without any privilege."""
    path = os.pathsep.join([str(FILES), *filter(None, sys.path)])
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "env", f"PYTHONPATH={path}")


def python_for_nobody():
    """A Python that user 65534 may run and that finds the sandbox's libraries; None where there is none."""
    for python in (sys.executable, "/usr/bin/python3"):
        argv = [*as_nobody(), python, "-c", "import podnet_sandbox, aiohttp, pyroute2, trustme, yaml, jsonpatch"]
        if subprocess.run(argv, capture_output=True, check=False).returncode == 0:
            return python
    return None


def test_without_bird_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setattr(launch.shutil, "which", lambda name, path: None if name == "bird" else f"/usr/sbin/{name}")
    with pytest.raises(launch.LaunchError, match=r"not installed: bird\. As root: apt-get install bird.*bgp: Disabled"):
        launch.check_programmes(bird=True)
    launch.check_programmes(bird=False)


@pytest.mark.parametrize(
    ("key", "value", "remedy"),
    [
        ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
    ],
)
def test_what_forbids_user_namespaces_is_named_with_its_remedy(tmp_path, key, value, remedy):
    (tmp_path / key).parent.mkdir()
    (tmp_path / key).write_text(f"{value}\n")
    text = isolation.explain(PermissionError(1, "Operation not permitted"), privileged=False, proc_sys=tmp_path)
    assert f"{key.replace('/', '.')} is {value}: set it with `{remedy}`" in text


def test_where_no_setting_forbids_them_the_container_is_suspected(tmp_path):
    text = isolation.explain(PermissionError(1, "Operation not permitted"), privileged=False, proc_sys=tmp_path)
    assert "seccomp" in text and "as root" in text


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(state.StateError, match=f"the lab folder {tmp_path}/file/lab cannot be made"):
        state.StateFolder(tmp_path / "file" / "lab").create()


def test_settings_that_cannot_be_built_are_refused(tmp_path, capsys):
    arguments = ["up", "--state-dir", str(tmp_path / "lab"), "--config", '{"node_subnet": "10.0.0.0/8", "pod_subnet": "10.1.0.0/16"}']
    assert cli.main(arguments) == 1
    assert "overlaps" in capsys.readouterr().err
    assert not (tmp_path / "lab").exists()
