# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as the collection sees it (private): lists of raw objects, and exec. The only room that talks to a network.

Authentication is kubernetes.core's, to the letter: its options, its K8S_AUTH_* variables, its client. The libraries are
imported when a connection is made and not before: modules that judge a file do not pay for them, nor need them.
"""

from __future__ import annotations

import json
import os
import random
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, TypeVar
from urllib.parse import quote

from ansible_collections.podnet.calico.plugins.module_utils._errors import (
    BAD_REQUEST,
    CONFLICT,
    FORBIDDEN,
    NOT_FOUND,
    UNAUTHORIZED,
    UNREACHABLE,
    PodnetError,
)
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecEndpoint, ExecResult
from ansible_collections.podnet.calico.plugins.module_utils._parallel import Deadline, Outcome, run_all

Item = TypeVar("Item")
Job = TypeVar("Job")

PAGE = 500
ATTEMPTS = 4
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 30.0
NODE_OUTPUT_BYTES, POD_OUTPUT_BYTES = 64 << 20, 2 << 20


class Limits(NamedTuple):
    """What one collection may take: concurrent execs, seconds per exec, seconds for everything."""

    concurrency: int = 16
    exec_timeout: float = 15.0
    deadline: float = 300.0


class Cluster:
    """One API server. Everything on it is bounded by ``limits``; the clock starts when the object is made."""

    def __init__(self, dynamic_client: Any, limits: Limits) -> None:
        self._client = dynamic_client
        self._exec = ExecEndpoint(dynamic_client.client)
        self.limits = limits
        self.server: str = dynamic_client.configuration.host
        self.start_clock()

    def start_clock(self) -> None:
        """Give the next collection its whole time."""
        self.deadline = Deadline(self.limits.deadline)

    def list(
        self, path: str, convert: Callable[[Dict[str, Any]], Item], label_selector: Optional[str] = None
    ) -> List[Item]:
        """``convert`` of every object of the collection at ``path``, read in pages; raw pages are not kept.

        Raises PodnetError with reason NOT_FOUND where the kind is not served and FORBIDDEN where it may not be listed.
        """
        while True:
            try:
                return self._pages(path, convert, label_selector)
            except _Expired:
                continue  # the continue token outlived etcd's history: only a list from the start is consistent

    def _pages(self, path: str, convert: Callable[[Dict[str, Any]], Item], selector: Optional[str]) -> List[Item]:
        items: List[Item] = []
        token = ""
        while True:
            query = "limit=%d" % PAGE
            if selector:
                query += "&labelSelector=" + quote(selector, safe="")
            if token:
                query += "&continue=" + quote(token, safe="")
            page = self.get("%s?%s" % (path, query))
            items.extend(convert(item) for item in page.get("items") or ())
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return items

    def get(self, path: str) -> Dict[str, Any]:
        """The JSON object at ``path``, tried again with growing pauses while the server is busy or ill."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._get_once(path)
            except _Transient as error:
                pause = min(error.pause(attempt), self.deadline.remaining())
                if attempt == ATTEMPTS or pause <= 0:
                    raise error.final
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _get_once(self, path: str) -> Dict[str, Any]:
        return self._request("get", path)

    def write(self, method: str, path: str, body: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """``post``, ``put``, ``patch`` (a merge patch) or ``delete`` once, and the answer: never again by itself.

        Raises PodnetError, with reason CONFLICT where the object was changed meanwhile (its resourceVersion is an older
        one) or is there already. Nothing but routing_fault writes, and to labs alone.
        """
        try:
            return self._request(method, path, body)
        except _Transient as error:
            raise error.final

    def _request(self, method: str, path: str, body: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        import urllib3
        from kubernetes.dynamic.exceptions import DynamicApiError

        remaining = self.deadline.remaining()
        if not remaining:
            what = "read" if method == "get" else "written"
            raise PodnetError("The deadline of %g s passed before %s was %s" % (self.limits.deadline, path, what))
        kind = {"content_type": "application/merge-patch+json"} if method == "patch" else {}
        timeout = (min(CONNECT_SECONDS, remaining), min(ANSWER_SECONDS, remaining))
        try:
            answer = self._client.request(method, path, body=body, serialize=False, _request_timeout=timeout, **kind)
            found = json.loads(answer.data)
        except DynamicApiError as error:
            raise _from_status(self.server, path, error, method.upper())
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _Transient(_unreachable(self.server, error))
        except ValueError:
            what = "%s %s on %s" % (method.upper(), path, self.server)
            raise _Transient(PodnetError("%s answered something that is not JSON" % what))
        if not isinstance(found, dict):
            raise PodnetError("%s %s on %s answered JSON that is not an object" % (method.upper(), path, self.server))
        return found

    def exec(
        self,
        namespace: str,
        pod: str,
        container: Optional[str],
        argv: Sequence[str],
        limit: int = POD_OUTPUT_BYTES,
        timeout: Optional[float] = None,
        on_stderr: Optional[Callable[[bytes], None]] = None,
        attempts: int = 3,
    ) -> ExecResult:
        """Run a command that may safely run twice; a refusal or failure is in the result, never an exception."""
        result = ExecResult(problem="was not run: the deadline of %g s had passed" % self.limits.deadline)
        for attempt in range(1, attempts + 1):
            allowed = timeout or self.limits.exec_timeout
            seconds = min(allowed, self.deadline.remaining())
            if seconds <= 0:
                return result
            result = self._exec.run(namespace, pod, container, argv, seconds, limit, on_stderr)
            if result.timed_out and seconds < allowed:  # it may have been quick enough, had it begun earlier
                result = result._replace(problem="did not end before the deadline of %g s passed" % self.limits.deadline)
            if not result.transient or attempt == attempts:
                break
            time.sleep(min(_pause(attempt), self.deadline.remaining()))
        if result.status == 403:
            return result._replace(problem="%s. %s" % (result.problem, exec_remedy(namespace)))
        return result

    def run_all(self, function: Callable[[Job], Any], jobs: Sequence[Job]) -> List[Outcome]:
        """``function`` on all jobs, as many at a time as the limits allow, until the deadline."""
        return run_all(function, jobs, self.limits.concurrency, self.deadline)


def exec_remedy(namespace: str) -> str:
    """The RBAC rule that exec needs. Over a websocket it is authorised as get, from Kubernetes 1.35 on also as create."""
    return 'Grant verbs ["get", "create"] on resource "pods/exec" (API group "") in namespace "%s"' % namespace


def connect(auth: Dict[str, Any], limits: Limits) -> Cluster:
    """A cluster from kubernetes.core's authentication options (None means: look at K8S_AUTH_*, then the defaults)."""
    _forget_empty_variables()
    kubeconfig = auth.get("kubeconfig") or os.environ.get("K8S_AUTH_KUBECONFIG")
    if isinstance(kubeconfig, str):
        _check_kubeconfig(kubeconfig)
    _check_library()
    # kubernetes.core discovers the API while connecting, without a timeout: a host that swallows packets would hang.
    patience = Deadline(min(limits.deadline, CONNECT_SECONDS + ANSWER_SECONDS))
    outcome = run_all(lambda auth: _dynamic_client(auth, limits.concurrency), [auth], 1, patience)[0]
    if not outcome.finished:
        raise PodnetError("The API server did not answer within %g s" % patience.seconds, _REACH, UNREACHABLE)
    if outcome.error is not None:
        raise _connection_error(auth, outcome.error)
    return Cluster(outcome.value, limits)


def _dynamic_client(auth: Dict[str, Any], connections: int) -> Any:
    """kubernetes.core's client, with room to keep as many connections as there are requests at a time.

    Its own is five for each CPU; what does not fit is closed after every answer, with a warning in the log. The size is
    read when the pool is made, which kubernetes.core does before it can be told: so the pool is made once more.
    """
    from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import get_api_client
    from kubernetes.client.rest import RESTClientObject

    dynamic = get_api_client(**{name: value for name, value in auth.items() if value is not None}).client
    client = dynamic.client
    client.configuration.connection_pool_maxsize = connections
    client.rest_client.pool_manager.clear()
    client.rest_client = RESTClientObject(client.configuration)
    return dynamic


def _forget_empty_variables() -> None:
    """AWX sets a variable for each field of a credential, given or not, and kubernetes.core takes an empty context for a context's name."""
    for name in [name for name, value in os.environ.items() if name.startswith("K8S_AUTH_") and not value]:
        del os.environ[name]


def _check_library() -> None:
    try:
        import kubernetes  # noqa: F401
        import websocket  # noqa: F401
    except ImportError as error:
        import sys

        raise PodnetError(
            "The Python library kubernetes cannot be imported by %s (%s)" % (sys.executable, error),
            "Install it there (pip install 'kubernetes>=24.2.0'), or set ansible_python_interpreter to the Python that"
            ' has it, for a play on localhost to "{{ ansible_playbook_python }}".',
        )


def _check_kubeconfig(paths: str) -> None:
    """A kubeconfig that is named must be there: the library skips missing files and then says that none was found."""
    problem = "No kubeconfig is named"
    for path in filter(None, paths.split(os.pathsep)):
        path = os.path.expanduser(path)
        try:
            with open(path, "rb"):
                return
        except OSError as error:
            problem = "The kubeconfig %s cannot be read (%s)" % (path, error.strerror)
    raise PodnetError(problem, "Set kubeconfig or K8S_AUTH_KUBECONFIG to the kubeconfig of a running cluster.")


_REACH = "Is the cluster up, and is this the right kubeconfig and context?"


class _Expired(Exception):
    """410 Gone: the rest of a paged list cannot be had."""


class _Transient(Exception):
    """A request worth repeating; ``final`` is what to raise when it stays so."""

    def __init__(self, final: PodnetError, retry_after: Optional[str] = None) -> None:
        super().__init__(str(final))
        self.final = final
        self._retry_after = retry_after

    def pause(self, attempt: int) -> float:
        """Seconds to wait: what the server asks for, or a growing pause."""
        return float(self._retry_after) if (self._retry_after or "").isdigit() else _pause(attempt)


def _pause(attempt: int) -> float:
    return 0.2 * 2**attempt * random.uniform(0.5, 1.0)


def _from_status(server: str, path: str, error: Any, method: str = "GET") -> Exception:
    """What an HTTP error status means. The body of a Kubernetes Status carries the message; of a missing group, text."""
    try:
        message = json.loads(error.body)["message"]
    except (ValueError, KeyError, TypeError):
        message = str(error.reason)
    what = "%s %s on %s: %s" % (method, path.partition("?")[0], server, message)
    if error.status == 400:
        return PodnetError(what, reason=BAD_REQUEST)
    if error.status == 401:
        return PodnetError(
            "%s does not accept the credentials (%s)" % (server, message),
            "The token or certificate is missing, expired or of another cluster.",
            UNAUTHORIZED,
        )
    if error.status == 403:
        return PodnetError(what, reason=FORBIDDEN)
    if error.status == 404:
        return PodnetError(what, reason=NOT_FOUND)
    if error.status == 409:
        return PodnetError(what, reason=CONFLICT)
    if error.status == 410:
        return _Expired(what)
    if error.status == 429 or error.status >= 500:
        return _Transient(PodnetError(what), (error.headers or {}).get("Retry-After"))
    return PodnetError(what)


def _unreachable(server: str, error: BaseException) -> PodnetError:
    reason = getattr(error, "reason", None) or error
    remedy = _REACH
    if "not yet valid" in str(reason) or "expired" in str(reason):
        remedy = "Compare this machine's clock with the server's (date -u); if both are right, the server needs a new certificate."
    elif "CERTIFICATE_VERIFY_FAILED" in str(reason):
        remedy = "Set ca_cert to the authority that signed the server's certificate, or use the cluster's own kubeconfig."
    return PodnetError("The API server %s cannot be reached (%s)" % (server, reason), remedy, UNREACHABLE)


def _connection_error(auth: Dict[str, Any], error: BaseException) -> PodnetError:
    """What kubernetes.core raised while it made the client and asked for the API's groups."""
    import urllib3
    from kubernetes.config import ConfigException
    from kubernetes.dynamic.exceptions import DynamicApiError

    if isinstance(error, DynamicApiError):
        raised = _from_status("The API server", "/version", error)
        if isinstance(raised, PodnetError):
            return raised
        return raised.final if isinstance(raised, _Transient) else PodnetError(str(raised))
    if isinstance(error, urllib3.exceptions.HTTPError):
        pool = getattr(error, "pool", None)
        server = "https://%s:%s" % (pool.host, pool.port) if pool is not None else "of the kubeconfig"
        return _unreachable(server, error)
    context = auth.get("context") or os.environ.get("K8S_AUTH_CONTEXT")
    detail = "%s%s" % (error or type(error).__name__, ", context %s" % context if context else "")
    remedy = "Set kubeconfig or K8S_AUTH_KUBECONFIG (and context), or host and api_key, to a running cluster."
    if isinstance(error, ConfigException) or type(error).__name__ == "CoreException":
        return PodnetError("There is no usable configuration for a cluster (%s)" % detail, remedy)
    return PodnetError("The connection to the cluster cannot be made (%s: %s)" % (type(error).__name__, detail), remedy)
