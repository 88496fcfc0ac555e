# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox that is killed, starved or shared: it dies whole or lives on, and the next `up` works and says what happened."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from api_server import kubectl_path
from podnet_sandbox import cli, launch, state
from test_life import (
    FILES,
    alive,
    answers,
    as_nobody,
    as_root,
    command,
    descendants,
    folder,
    host_view,
    pid_of,
    python_for_nobody,
    until,
    up,
)

__all__ = ["folder"]  # the fixture
BREADTH = os.environ.get("PODNET_TEST_ALL") == "1"


def start(folder, *prefix, **settings):
    """An `up` that is under way; ``prefix``: words before the command."""
    config = json.dumps({"name": "life", "nodes": ["a", "b"], "node_subnet": "172.30.0.0/24", **settings})
    argv = [*prefix, sys.executable, "-m", "podnet_sandbox", "up", "--state-dir", str(folder), "--config", config]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FILES), *filter(None, sys.path)])}
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def namespaces(pids):
    """The namespaces of these processes, but for the host's own."""
    found = set()
    for pid in pids:
        for kind in ("net", "mnt", "pid", "uts", "ipc", "user"):
            try:
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            except OSError:
                continue
    return found - {os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt", "pid", "uts", "ipc", "user")}


def nothing_left(processes, spaces, before):
    """Whether processes, namespaces, links and mounts are gone."""
    everyone = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return not [pid for pid in processes if alive(pid)] and not spaces & namespaces(everyone) and host_view() <= before


# Killed at any moment

SWEEP = range(40) if BREADTH else range(4)


@as_root
@pytest.mark.parametrize("seed", SWEEP)
def test_any_process_of_an_up_may_be_killed_at_any_moment(folder, seed):
    chance = random.Random(seed)
    before = host_view()
    starting = start(folder)
    time.sleep(chance.uniform(0, 1.2))
    processes = descendants(starting.pid)
    spaces = namespaces(processes)
    victim = chance.choice(processes)
    if alive(victim):
        os.kill(victim, signal.SIGKILL)
    said = starting.communicate(timeout=90)[0]
    assert "Traceback" not in said or "The end of" in said, said
    if starting.returncode == 0:  # the blow came when all was done, or hit one whose end is survived
        command(folder, "down")
    assert until(lambda: nothing_left(processes, spaces, before), 20)
    code, answer, error = up(folder)
    assert code == 0 and answer["changed"], error
    assert answers(folder / "kubeconfig")


@as_root
@pytest.mark.parametrize("seed", SWEEP)
def test_any_process_of_a_running_sandbox_may_be_killed(folder, seed):
    before = host_view()
    _, first, error = up(folder, encapsulation="VXLANCrossSubnet")
    assert first, error
    until(lambda: len(descendants(pid_of(folder))) > 10)
    processes = descendants(pid_of(folder))
    spaces = namespaces(processes)
    # Holder, process 1 and server take all others along; of the others one may go and the sandbox stays.
    place = seed if seed < 3 else random.Random(seed).randrange(3, len(processes))
    os.kill(processes[place], signal.SIGKILL)
    if place < 3:
        assert until(lambda: nothing_left(processes, spaces, before), 20)
        _, second, _ = up(folder, encapsulation="VXLANCrossSubnet")
        assert second["replaced"] == {"pid": processes[0], "uuid": first["uuid"], "log": str(folder / "sandbox.log.previous")}
    assert answers(folder / "kubeconfig")
    processes += descendants(pid_of(folder))
    assert command(folder, "down")[0] == 0
    assert until(lambda: nothing_left(processes, spaces, before), 20)


@as_root
@pytest.mark.parametrize("after", [0.0, 0.1, 0.4])
def test_a_down_that_is_killed_is_finished_by_the_next(folder, after):
    before = host_view()
    up(folder)
    processes = descendants(pid_of(folder))
    spaces = namespaces(processes)
    argv = [sys.executable, "-m", "podnet_sandbox", "down", "--state-dir", str(folder)]
    ending = subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(FILES), *filter(None, sys.path)])}, stdout=-3)
    time.sleep(after)
    ending.kill()
    ending.wait()
    assert command(folder, "down")[0] == 0
    assert until(lambda: nothing_left(processes, spaces, before), 20)
    assert list(folder.iterdir()) == []


def test_the_next_up_says_in_words_that_it_replaced_a_dead_one(tmp_path, capsys, monkeypatch):
    folder = state.StateFolder(tmp_path / "lab")
    folder.create()
    folder.write({"pid": 4194000, "uuid": "u", "started_ticks": 1}, "")
    folder.log.write_text("its last words\n")
    replaced = folder.clear_stale()
    assert folder.previous_log.read_text() == "its last words\n" and not folder.kubeconfig.exists()
    running = {"name": "life", "uuid": "v", "server": "https://127.0.0.1:1", "nodes": [], "replaced": replaced}
    monkeypatch.setattr(launch, "start", lambda *_arguments, **_named: running)
    assert cli.main(["up", "--state-dir", str(folder.path)]) == 0
    assert f"(process 4194000) had ended without `down`; what it said last is in {folder.previous_log}" in capsys.readouterr().out


# Starved

def on_a_small_disk(mount, *argv, prelude=""):
    """A command in a mount namespace of its own, in which ``mount`` has room for 64 KiB."""
    script = f'mount -t tmpfs -o size=64k,mode=755 none "{mount}" && {prelude or "true"} && exec "$@"'
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FILES), *filter(None, sys.path)])}
    wrapped = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *argv]
    return subprocess.run(wrapped, env=env, capture_output=True, text=True, check=False, timeout=120)


@as_root
@pytest.mark.parametrize("room", [0, 1])
def test_a_full_disk_is_named_and_leaves_nothing_that_runs(tmp_path, room):
    """Room: in pages. Without any not even the folder can be made; with one the kubeconfig cannot be written."""
    fill = f"head -c 1M /dev/zero >{tmp_path}/filler 2>/dev/null; truncate -s -{room * 4096} {tmp_path}/filler"
    done = on_a_small_disk(
        tmp_path, sys.executable, "-m", "podnet_sandbox", "up", "--state-dir", f"{tmp_path}/lab", prelude=f"{{ {fill}; }}"
    )
    assert done.returncode == 1 and "No space left on device" in done.stderr and "Traceback" not in done.stderr
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in _read(path)]


@as_root
def test_a_disk_that_fills_up_later_does_not_end_the_sandbox(tmp_path):
    script = (
        f"set -e; p='{sys.executable} -m podnet_sandbox'; lab={tmp_path}/lab; $p up --state-dir $lab --nodes 1 >/dev/null; "
        f"head -c 1M /dev/zero >{tmp_path}/filler 2>/dev/null || true; $p status --state-dir $lab; "
        f"kubectl --kubeconfig $lab/kubeconfig create namespace full; $p down --state-dir $lab; ls $lab"
    )
    done = on_a_small_disk(tmp_path, "sh", "-c", script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is up" in done.stdout and "namespace/full created" in done.stdout and "removed process" in done.stdout


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


@as_root
def test_out_of_file_descriptors_it_lives_on_and_recovers(folder):
    limit = 256
    starting = start(folder, "prlimit", f"--nofile={limit}:{limit}")
    assert starting.wait(timeout=60) == 0, starting.stdout.read()
    _, port = yaml.safe_load((folder / "kubeconfig").read_text())["clusters"][0]["cluster"]["server"].rsplit(":", 1)
    crowd = []
    for _ in range(2 * limit):
        crowd.append(socket.socket())
        crowd[-1].setblocking(False)
        crowd[-1].connect_ex(("127.0.0.1", int(port)))
    server = descendants(pid_of(folder))[2]
    assert until(lambda: len(list(Path(f"/proc/{server}/fd").iterdir())) > limit - 40)
    assert alive(server)
    for each in crowd:
        each.close()
    assert until(lambda: answers(folder / "kubeconfig"), 30)
    assert until(lambda: len(list(Path(f"/proc/{server}/fd").iterdir())) < limit - 100, 30)
    assert (folder / "sandbox.log").stat().st_size < 1 << 20


@as_root
def test_pods_that_come_and_go_leave_nothing_behind(folder):
    """No process, device, address, allocation, handle, file descriptor; and memory for what is remembered of them only."""
    rounds, each = (50, 20) if BREADTH else (3, 20)
    assert up(folder, encapsulation="VXLANCrossSubnet")[0] == 0
    kubectl = [kubectl_path(), "--kubeconfig", str(folder / "kubeconfig")]
    server = descendants(pid_of(folder))[2]

    def run(*arguments, **given):
        done = subprocess.run([*kubectl, *arguments], capture_output=True, text=True, check=False, **given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listed(kind):
        return json.loads(run("get", kind, "-o", "json"))["items"]

    def left():
        blocks = listed("ipamblocks.crd.projectcalico.org")
        links = [
            subprocess.run(["nsenter", "--target", str(pid), "--net", "ip", "-o", "link"], capture_output=True, text=True, check=False).stdout
            for pid in descendants(pid_of(folder))
        ]
        return {
            "pods": len(listed("pods")),
            "processes": len(descendants(pid_of(folder))),
            "devices of pods": sum(text.count(" cali") for text in links),
            "handles": len(listed("ipamhandles.crd.projectcalico.org")),
            "addresses": sum(entry is not None for block in blocks for entry in block["spec"]["allocations"]),
            "descriptors": len(list(Path(f"/proc/{server}/fd").iterdir())) // 8,  # connections come and go
        }

    def memory():
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server}/status").read_text())[1])

    spec = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "wbitt/network-multitool"}]}
    items = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{n}"}, "spec": spec} for n in range(each)]
    pods = "\n---\n".join(map(json.dumps, items))
    run("wait", "--for=condition=Available", "tigerastatus/calico", "--timeout=60s")
    settled: list[dict] = []
    until(lambda: (settled.append(left()) or (len(settled) > 1 and settled[-1] == settled[-2])), 20)
    memories = []
    for _ in range(rounds):
        names = [item["metadata"]["name"] for item in items]
        run("create", "--filename", "-", input=pods)
        run("wait", "--for=condition=Ready", "--timeout=60s", "pod", *names)
        run("delete", "--now", "pod", *names)
        memories.append(memory())
    assert until(lambda: left() == settled[-1], 20), (left(), settled[-1])
    # Of a pod some changes and Events are remembered, at most 2000 of each kind: some 80 KiB a pod.
    assert memories[-1] - memories[0] < min(rounds * each, 1000) * 160


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None if name == "pyroute2" else True)
    with pytest.raises(launch.LaunchError, match="has no pyroute2. Install: .* -m pip install pyroute2"):
        launch.check_programmes(bird=False)


# Shared

@as_root
def test_ten_sandboxes_live_side_by_side_and_go_one_by_one(tmp_path):
    folders = [tmp_path / f"lab{number}" for number in range(10)]
    try:
        starting = [start(each, name=each.name, nodes=[each.name]) for each in folders]
        for each in starting:
            assert each.wait(timeout=120) == 0, each.stdout.read()
        servers = {yaml.safe_load((each / "kubeconfig").read_text())["clusters"][0]["cluster"]["server"] for each in folders}
        assert len(servers) == 10 and all(answers(each / "kubeconfig") for each in folders)
        for number, each in enumerate(folders):
            assert command(each, "down")[0] == 0
            assert all(answers(other / "kubeconfig") for other in folders[number + 1 :])
    finally:
        for each in folders:
            command(each, "down")


@as_root
def test_two_users_have_one_each_and_neither_gets_at_the_others(folder):
    python = python_for_nobody()
    if python is None:
        pytest.skip("no Python with the sandbox's libraries that another user may run")
    home = Path("/tmp") / f"podnet-robust-{os.getpid()}"
    home.mkdir(mode=0o755)
    os.chown(home, 65534, 65534)
    theirs = ["--state-dir", str(home / "lab")]

    def as_them(*argv):
        return subprocess.run([*as_nobody(), *argv], capture_output=True, text=True, check=False, timeout=60)

    try:
        assert up(folder)[0] == 0
        done = as_them(python, "-m", "podnet_sandbox", "up", *theirs)
        assert done.returncode == 0, done.stderr
        assert answers(folder / "kubeconfig") and answers(home / "lab" / "kubeconfig")
        folder.parent.chmod(0o755)  # what lies around the folder is not what protects it
        for path in (folder / "kubeconfig", folder / "state.json", folder / "sandbox.log"):
            assert "Permission denied" in as_them("cat", str(path)).stderr
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for pid in descendants(pid_of(folder)):
            for path in ("environ", "mem", "maps"):
                assert "denied" in as_them("cat", f"/proc/{pid}/{path}").stderr, (pid, path)
            assert as_them("ls", f"/proc/{pid}/root/").returncode != 0
            assert as_them("nsenter", "--target", str(pid), "--net", "ip", "link").returncode != 0
            assert as_them("kill", "-9", str(pid)).returncode != 0
        assert as_them(python, "-m", "podnet_sandbox", "down", "--state-dir", str(folder)).returncode == 1
        assert as_them(python, "-m", "podnet_sandbox", "down", *theirs).returncode == 0
        assert answers(folder / "kubeconfig")
    finally:
        as_them(python, "-m", "podnet_sandbox", "down", *theirs)
        subprocess.run(["rm", "-rf", home], check=True)
