# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that streams, by an unmodified kubectl in a whole sandbox: over WebSocket, and over SPDY as older ones do."""

from __future__ import annotations

import concurrent.futures
import filecmp
import hashlib
import json
import os
import random
import re
import subprocess
import time
import urllib.request

import pexpect
import pytest
from api_server import kubectl_path
from client_programs import go_program, kubectl_of
from streaming_lab import SECONDS, StreamingLab, pod

pytestmark = [
    pytest.mark.skipif(kubectl_path() is None, reason="kubectl is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="starts a sandbox as root"),
]
both = pytest.mark.parametrize("transport", ["websocket", "spdy"])
MULTITOOL = "wbitt/network-multitool"
TALKER = ["sh", "-c", 'while read line; do echo "got $line"; done']


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = StreamingLab(tmp_path_factory.mktemp("streams"))
    try:
        web = pod("web", MULTITOOL)
        service = {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80}]}
        lab.apply(
            web,
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service},
            pod("shell", command=["sleep", "36000"]),
            pod("talker", command=TALKER, stdin=True, tty=True),
        )
        lab.ready("web", "shell", "talker")
        yield lab
    finally:
        lab.close()


def until(condition):
    deadline = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


def fetch(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=SECONDS) as answer:
        return answer.read().decode()


@both
def test_a_terminal_has_a_name_a_size_signals_and_an_exit_code(lab, transport):
    terminal = lab.terminal(transport, "exec", "-it", "shell", "--", "sh")
    terminal.expect("# ")
    terminal.sendline("tty; stty size")
    terminal.expect("/dev/pts/[0-9]+\r\n30 100\r\n")
    terminal.setwinsize(41, 123)
    terminal.sendline("while [ \"$(stty size)\" != '41 123' ]; do sleep 0.1; done; echo resized; cat")
    terminal.expect("\r\nresized\r\n")
    # ^C is for who has answered already: dash drops one that comes as it is about to start a command.
    terminal.sendline("here")
    terminal.expect("here\r\nhere\r\n")
    terminal.sendintr()
    terminal.expect("# ")
    terminal.sendline("exit 7")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 7 and "command terminated with exit code 7" in terminal.before


@both
def test_a_command_sees_the_end_of_its_input_and_answers_after_it(lab, transport):
    data = random.Random(1).randbytes(5_000_000)
    done = lab.kubectl(transport, "exec", "-i", "shell", "--", "sha256sum", stdin=data)
    assert done.stdout == f"{hashlib.sha256(data).hexdigest()}  -\n"


@both
def test_a_folder_is_copied_there_and_back(lab, transport, tmp_path):
    there, back = tmp_path / "there", tmp_path / "back"
    (there / "below").mkdir(parents=True)
    (there / "a name").write_text("text")
    (there / "below" / "binary").write_bytes(random.Random(2).randbytes(3_000_000))
    lab.kubectl(transport, "cp", str(there), f"shell:/tmp/{transport}")
    lab.kubectl(transport, "cp", f"shell:/tmp/{transport}", str(back))
    assert filecmp.cmpfiles(there, back, ["a name", "below/binary"], shallow=False) == (["a name", "below/binary"], [], [])


@both
def test_run_with_a_terminal_is_a_shell_in_a_pod_that_is_gone_afterwards(lab, transport):
    terminal = lab.terminal(transport, "run", "-it", "--rm", "short", "--image=busybox", "--restart=Never", "--", "sh")
    terminal.expect("try pressing enter")
    terminal.sendline("")
    terminal.expect("# ")
    terminal.sendline("hostname; stty size; exit 5")
    terminal.expect('short\r\n30 100\r\n(?s:.*)pod "short" deleted')
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 5


@both
def test_run_passes_what_is_piped_to_it(lab, transport):
    done = lab.kubectl(transport, "run", "-i", "--rm", "counting", "--image=busybox", "--restart=Never", "--", "wc", "-w", stdin=b"a b c")
    assert done.stdout.splitlines()[0] == "3"


def _is_heard(terminal):
    terminal.sendline("hello")
    return terminal.expect(["got hello\r\n", pexpect.TIMEOUT], timeout=2) == 0


@both
def test_all_who_are_attached_see_the_same_and_the_container_outlives_them(lab, transport):
    first, second = (lab.terminal(transport, "attach", "-it", "talker") for _ in range(2))
    for terminal in (first, second):
        terminal.expect("try pressing enter")
        assert until(lambda each=terminal: _is_heard(each))  # kubectl says so before it is connected
    first.sendline(f"one by {transport}")
    for terminal in (first, second):
        terminal.expect(f"got one by {transport}\r\n")
    first.close(force=True)
    second.sendline("two")
    second.expect("got two\r\n")
    second.close(force=True)
    assert f"got one by {transport}" in lab.kubectl(transport, "logs", "talker").stdout
    assert lab.kubectl(transport, "get", "pod", "talker", "-o", "jsonpath={.status.containerStatuses[0].restartCount}").stdout == "0"


@both
def test_several_ports_and_several_connections_at_once(lab, transport):
    with lab.forwarding(transport, "pod/web", 80, 443) as (local, _process), concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: fetch(local[80]), range(8)))
        assert len(answers) == 8 and all("Network MultiTool" in answer for answer in answers)
        assert local[443] != local[80]


@both
def test_a_port_of_a_service_leads_to_its_pod(lab, transport):
    process = lab.terminal(transport, "port-forward", "--address=127.0.0.1", "service/web", ":8080")
    process.expect(r"Forwarding from 127\.0\.0\.1:(\d+) -> 80\r")
    assert "Network MultiTool" in fetch(int(process.match[1]))
    process.close(force=True)


@both
def test_a_refused_port_ends_it_in_containerds_words(lab, transport):
    with lab.forwarding(transport, "pod/web", 81) as (local, process):
        with pytest.raises(OSError):
            fetch(local[81])
        process.expect(r"failed to connect to localhost:81 inside namespace .*IPv4: dial tcp4 127\.0\.0\.1:81: connect: connection refused")
        process.expect("lost connection to pod")


@both
def test_the_pod_going_away_ends_its_connections(lab, transport):
    name = f"leaving-{transport}"
    lab.apply(pod(name, MULTITOOL))
    lab.ready(name)
    with lab.forwarding(transport, f"pod/{name}", 80) as (local, process):
        assert "Network MultiTool" in fetch(local[80])
        lab.kubectl("admin", "delete", "pod", name, "--now")
        with pytest.raises(OSError):
            fetch(local[80])
        process.expect("failed to find sandbox .*: not found")
        process.expect("lost connection to pod")


@both
def test_a_client_that_vanishes_takes_its_command_along(lab, transport):
    seconds = {"websocket": "4711", "spdy": "4712"}[transport]
    terminal = lab.terminal(transport, "exec", "shell", "--", "sleep", seconds)
    assert until(lambda: lab.processes(f"^sleep {seconds}"))
    terminal.close(force=True)
    assert until(lambda: not lab.processes(f"^sleep {seconds}"))


@both
def test_what_cannot_be_run_is_said_in_runcs_words(lab, transport):
    done = lab.kubectl(transport, "exec", "shell", "--", "nosuchcmd", check=False)
    assert done.returncode == 1
    assert "error executing command in container: failed to exec in container: failed to start exec" in done.stderr
    assert 'exec failed: unable to start container process: exec: "nosuchcmd": executable file not found in $PATH: unknown' in done.stderr


@both
def test_a_container_that_does_not_run_is_not_found(lab, transport):
    name = f"imageless-{transport}"
    lab.apply(pod(name, "no/such-image"))
    assert until(lambda: "Image" in lab.kubectl(transport, "get", "pod", name).stdout)
    done = lab.kubectl(transport, "exec", name, "--", "true", check=False)
    assert 'unable to upgrade connection: container not found ("main")' in done.stderr
    said = lab.kubectl(transport, "logs", name, check=False).stderr
    why = "(image can't be pulled|trying and failing to pull image)"
    assert re.search(rf'\(BadRequest\): container "main" in pod "{name}" is waiting to start: {why}\n', said)


def test_a_followed_log_ends_with_its_pod(lab):
    lab.apply(pod("saying", command=["sh", "-c", "for n in 1 2 3; do echo line $n; sleep 0.3; done; echo last >&2; exit 1"]))
    assert until(lambda: lab.kubectl("admin", "logs", "saying", check=False).returncode == 0)
    assert lab.kubectl("admin", "logs", "-f", "saying").stdout == "line 1\nline 2\nline 3\nlast\n"
    assert until(lambda: lab.kubectl("admin", "logs", "-p", "saying", check=False).returncode == 0)
    assert lab.kubectl("admin", "logs", "-p", "saying", "--tail=2").stdout == "line 3\nlast\n"
    assert "T" in lab.kubectl("admin", "logs", "-p", "saying", "--timestamps", "--tail=1").stdout.split()[0]
    assert "line 1" in lab.kubectl("admin", "logs", "-p", "saying", "--since=10m").stdout
    assert lab.kubectl("admin", "logs", "-p", "saying", "--limit-bytes=4").stdout == "line"
    done = lab.kubectl("admin", "logs", "-p", "web", check=False)
    assert 'previous terminated container "main" in pod "web" not found' in done.stderr


def test_the_python_client_forwards_half_closes_and_attaches(lab):
    kubernetes = pytest.importorskip("kubernetes")
    from kubernetes.stream import portforward, stream

    api = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config(str(lab.kubeconfig)))
    forwarded = portforward(api.connect_get_namespaced_pod_portforward, "web", "default", ports="80,81")
    web = forwarded.socket(80)
    web.setblocking(True)
    web.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert b"Network MultiTool" in b"".join(iter(lambda: web.recv(65536), b""))
    assert forwarded.error(80) is None and "dial tcp4 127.0.0.1:81: connect: connection refused" in forwarded.error(81)
    options = {"stdin": True, "stdout": True, "stderr": True, "tty": False, "_preload_content": False}
    counting = stream(api.connect_get_namespaced_pod_exec, "shell", "default", command=["sh", "-c", "wc -c; exit 4"], **options)
    assert counting.subprotocol == "v5.channel.k8s.io"
    counting.write_stdin("a" * 1_000_000)
    counting.close_channel(0)
    counting.run_forever(timeout=SECONDS)
    assert (counting.read_stdout(), counting.returncode) == ("1000000\n", 4)
    talking = stream(api.connect_get_namespaced_pod_attach, "talker", "default", **{**options, "stderr": False, "tty": True})
    talking.write_stdin("python\n")
    heard = ""
    while "got python" not in heard:
        heard += talking.read_stdout(timeout=SECONDS)
    talking.close()


@pytest.mark.parametrize("program", ["1.36.4", "kubectl_old"])
def test_other_versions_of_kubectl(lab, program, tmp_path):
    """1.36 is the oldest that the package index has. v1.29, built from its module, knows nothing but SPDY."""
    path = str(kubectl_of(program) if "." in program else go_program(program))
    with lab.using(path):
        terminal = lab.terminal("admin", "exec", "-it", "shell", "--", "sh", "-c", "stty size; exit 9")
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 9
        assert lab.kubectl("admin", "exec", "-i", "shell", "--", "wc", "-c", stdin=bytes(1_000_000)).stdout == "1000000\n"
        (tmp_path / "file").write_bytes(random.Random(4).randbytes(100_000))
        lab.kubectl("admin", "cp", f"{tmp_path}/file", "shell:/tmp/file")
        lab.kubectl("admin", "cp", "shell:/tmp/file", f"{tmp_path}/back")
        assert (tmp_path / "back").read_bytes() == (tmp_path / "file").read_bytes()
        with lab.forwarding("admin", "pod/web", 80) as (local, _process):
            assert "Network MultiTool" in fetch(local[80])
        done = lab.kubectl("admin", "run", "-i", "--rm", "counting", "--image=busybox", "--restart=Never", "--", "wc", "-w", stdin=b"a b c")
        assert done.stdout.splitlines()[0] == "3"


def test_client_go_streams_both_ways(lab):
    done = subprocess.run([go_program("client_go"), lab.kubeconfig, "web", "80"], capture_output=True, text=True, check=True, timeout=300)
    answers = json.loads(done.stdout)
    expected = answers.pop("expected")["stdin"]["Stdout"]
    assert sorted(answers) == ["spdy", "websocket"]
    for got in answers.values():
        assert got["streams"] == {"Stdout": "out\n", "Stderr": "err\n", "Code": 7, "Error": ""}
        assert got["stdin"]["Stdout"] == expected
        assert got["terminal"]["Stdout"].startswith("/dev/pts/")
        assert got["unknown"]["Error"].endswith('exec: "nosuchcmd": executable file not found in $PATH: unknown')
        assert got["port"]["Code"] == 200 and "Network MultiTool" in got["port"]["Stdout"]
        assert got["refused port"]["Error"] == "lost connection to pod"


@both
def test_debug_puts_a_container_into_a_running_pod(lab, transport):
    """On a terminal, in the pod's network, beside what runs there; it stays in the pod and is over when its command is."""
    name = f"debugger-{transport}"
    terminal = lab.terminal(transport, "debug", "web", "-it", "--image=busybox", f"--container={name}", "--profile=general", "--", "sh")
    terminal.expect("try pressing enter")
    terminal.sendline("")
    terminal.expect("# ")
    terminal.sendline("hostname; curl -s http://127.0.0.1/; exit 4")
    terminal.expect("web\r\n(?s:.*)Network MultiTool")
    terminal.expect(pexpect.EOF)
    path = f'jsonpath={{.status.ephemeralContainerStatuses[?(@.name=="{name}")].state.terminated.exitCode}}'
    assert until(lambda: lab.kubectl("admin", "get", "pod", "web", "-o", path).stdout == "4")
    assert "Network MultiTool" in lab.kubectl("admin", "logs", "web", "-c", name).stdout
