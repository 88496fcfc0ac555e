# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in pods over the Kubernetes API's websocket (private).

Built on websocket-client, which the kubernetes library itself uses, and on the connection settings that kubernetes.core
made. Not on ``kubernetes.stream``: that one connects without a timeout, reads endless output without end, forgets the
impersonation headers, and loads the certificates anew for every exec.
Protocol: https://kubernetes.io/docs/reference/access-authn-authz (v4.channel.k8s.io: first byte of a message is the channel).
"""

from __future__ import annotations

import json
import ssl
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence
from urllib.parse import quote, urlencode, urlsplit

STDOUT, STDERR, STATUS = 1, 2, 3
# After the status nothing but the close frame follows; a server that forgets it must not cost the whole timeout.
_LINGER = 1.0


class ExecResult(NamedTuple):
    """How an exec ended.

    ``code``: the command's exit code, None when it is not known. ``problem``: why the output is missing or not complete,
    as a sentence without a subject; None when the command ran to its end. ``status``: HTTP status of a refused exec.
    ``transient``: trying again may help. ``timed_out``: it was left behind at the end of its time.
    """

    stdout: bytes = b""
    stderr: bytes = b""
    code: Optional[int] = None
    problem: Optional[str] = None
    status: Optional[int] = None
    transient: bool = False
    timed_out: bool = False


class ExecEndpoint:
    """Where and how to open exec websockets; made once per cluster from its API client."""

    def __init__(self, api_client: Any) -> None:
        self._client = api_client
        self._configuration = api_client.configuration
        self._tls = self._tls_context() if self._configuration.host.startswith("https") else None

    def run(
        self,
        namespace: str,
        pod: str,
        container: Optional[str],
        argv: Sequence[str],
        timeout: float,
        limit: int,
        on_stderr: Optional[Callable[[bytes], None]] = None,
    ) -> ExecResult:
        """Run ``argv`` to its end, ``timeout`` seconds at most, keeping ``limit`` bytes at most. Never raises.

        ``on_stderr`` is called with each piece of standard error as it arrives.
        """
        import websocket

        end = time.monotonic() + timeout
        connection = websocket.WebSocket(sslopt=self._ssl_options(), skip_utf8_validation=True)
        output = _Output(limit, on_stderr)
        try:
            connection.connect(
                self._url(namespace, pod, container, argv),
                timeout=max(timeout, 0.001),
                header=self._headers(),
                subprotocols=["v4.channel.k8s.io"],
                suppress_origin=True,
                **self._proxy()
            )
            _receive(connection, output, end)
        except websocket.WebSocketBadStatusException as error:
            return _refused(error)
        except (websocket.WebSocketTimeoutException, TimeoutError):
            output.problem = "did not end within %.4g s" % timeout
            output.timed_out = True
        except (websocket.WebSocketException, OSError, ValueError) as error:
            output.problem = "the connection to the API server failed (%s)" % (error or type(error).__name__)
            output.transient = True
        finally:
            connection.shutdown()
        return output.result()

    def _url(self, namespace: str, pod: str, container: Optional[str], argv: Sequence[str]) -> str:
        host = self._configuration.host
        query = [("command", word) for word in argv] + [("stdout", "true"), ("stderr", "true")]
        if container:
            query.append(("container", container))
        path = "/api/v1/namespaces/%s/pods/%s/exec" % (quote(namespace, safe=""), quote(pod, safe=""))
        return "ws%s%s?%s" % (host[4:], path, urlencode(query, quote_via=quote))

    def _headers(self) -> List[str]:
        headers = [
            "%s: %s" % (setting["key"], setting["value"])
            for setting in self._configuration.auth_settings().values()
            if setting["in"] == "header" and setting["value"]
        ]
        # kubernetes.core keeps several Impersonate-Group headers apart by keys that are only equal to themselves.
        return headers + [
            "%s: %s" % (key, value)
            for key, value in self._client.default_headers.items()
            if str.lower(key).startswith("impersonate-")
        ]

    def _tls_context(self) -> ssl.SSLContext:
        settings = self._configuration
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if settings.ssl_ca_cert:
            context.load_verify_locations(cafile=settings.ssl_ca_cert)
        else:
            context.load_default_certs()
        if settings.assert_hostname is False:
            context.check_hostname = False
        if not settings.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file or None)
        return context

    def _ssl_options(self) -> Dict[str, Any]:
        if self._tls is None:
            return {}
        # websocket-client sets these two on the context it is given, from the options or from its own defaults.
        options = {"context": self._tls, "check_hostname": self._tls.check_hostname, "cert_reqs": self._tls.verify_mode}
        server_name = getattr(self._configuration, "tls_server_name", None)
        if server_name:
            options["server_hostname"] = server_name
        return options

    def _proxy(self) -> Dict[str, Any]:
        settings = self._configuration
        if not settings.proxy:
            return {}
        proxy = urlsplit(settings.proxy)
        options: Dict[str, Any] = {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port or 80}
        if getattr(settings, "no_proxy", None):
            options["http_no_proxy"] = settings.no_proxy.split(",")
        if proxy.username:
            options["http_proxy_auth"] = (proxy.username, proxy.password)
        return options


class _Output:
    """What has arrived so far on the channels of one exec."""

    def __init__(self, limit: int, on_stderr: Optional[Callable[[bytes], None]]) -> None:
        self.problem: Optional[str] = None
        self.transient = False
        self.timed_out = False
        self.code: Optional[int] = None
        self._limit = limit
        self._on_stderr = on_stderr
        self._kept: Dict[int, List[bytes]] = {STDOUT: [], STDERR: [], STATUS: []}
        self._size = 0

    def take(self, message: bytes) -> bool:
        """Keep one message; False when enough has been read."""
        channel, data = message[0], message[1:]
        if channel not in self._kept or not data:
            return True
        room = self._limit - self._size
        self._kept[channel].append(data[:room])
        self._size += len(data)
        if channel == STDERR and self._on_stderr:
            self._on_stderr(data)
        if self._size > self._limit:
            self.problem = "printed more than %d bytes; the rest was not read" % self._limit
            return False
        return True

    @property
    def has_status(self) -> bool:
        return bool(self._kept[STATUS])

    def result(self) -> ExecResult:
        stdout, stderr, status = (b"".join(self._kept[channel]) for channel in (STDOUT, STDERR, STATUS))
        if status:
            code, problem = _exit_status(status)
            return ExecResult(stdout, stderr, code, problem)
        if self.problem is None:
            self.problem, self.transient = "the connection ended before the command did", True
        return ExecResult(stdout, stderr, None, self.problem, None, self.transient, self.timed_out)


def _receive(connection: Any, output: _Output, end: float) -> None:
    """Read messages until the server closes, the output has had enough or time is up (raises TimeoutError)."""
    from websocket import ABNF

    while True:
        remaining = end - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        connection.settimeout(min(remaining, _LINGER) if output.has_status else remaining)
        opcode, frame = connection.recv_data_frame(True)
        if opcode == ABNF.OPCODE_CLOSE:
            return
        if opcode in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and frame.data and not output.take(frame.data):
            return


def _exit_status(status: bytes) -> tuple:
    """(exit code, problem) of the Status object on the error channel.

    ``NonZeroExitCode`` carries the code as a cause; any other failure means that the command never ran.
    """
    try:
        answer = json.loads(status.decode("utf-8", "replace"))
        if answer.get("status") == "Success":
            return 0, None
        for cause in (answer.get("details") or {}).get("causes") or []:
            if cause.get("reason") == "ExitCode":
                return int(cause["message"]), None
        return None, "could not be run: %s" % str(answer.get("message"))[:300]
    except (ValueError, AttributeError, KeyError, TypeError):
        return None, "ended with a status that cannot be read: %r" % status[:200]


def _refused(error: Any) -> ExecResult:
    """The API server answered the handshake with an HTTP error; its body is a Status object, or text."""
    body = (error.resp_body or b"").decode("utf-8", "replace")
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        message = body.strip()[:300] or "HTTP status %s" % error.status_code
    transient = error.status_code == 429 or error.status_code >= 500
    return ExecResult(problem="was refused: %s" % message, status=error.status_code, transient=transient)
