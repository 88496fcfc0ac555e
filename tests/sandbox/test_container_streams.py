# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's standard streams, with the test in the container's place: its log, and who is attached to it."""

from __future__ import annotations

import asyncio
import contextlib
import os

from podnet_sandbox.dataplane.kernel.attach_session import AttachSession
from podnet_sandbox.dataplane.kernel.container_streams import ContainerStreams


@contextlib.contextmanager
def container(**kind):
    """(its streams, the descriptors it would have as 0, 1 and 2), running."""
    streams = ContainerStreams(**{"stdin": False, "tty": False, "stdin_once": False, **kind})
    own = [os.dup(descriptor) for descriptor in streams.theirs]
    streams.begin(asyncio.get_running_loop().create_future())
    try:
        yield streams, own
    finally:
        streams.end()
        for descriptor in own:
            os.close(descriptor)


async def logged(streams):
    return [line async for line in streams.log.read()]


async def settle():
    """Whatever is readable now has been read."""
    for _ in range(50):
        await asyncio.sleep(0.001)


def test_lines_of_both_outputs_are_whole_in_the_log():
    async def run():
        with container() as (streams, (_input, output, error)):
            for descriptor, part in ((output, b"one "), (error, b"broken\n"), (output, b"line\n"), (error, b"rest")):
                os.write(descriptor, part)
                await settle()
        assert await logged(streams) == [b"broken\n", b"one line\n", b"rest"]

    asyncio.run(run())


def test_who_is_attached_sees_what_comes_afterwards_and_the_end():
    async def run():
        with container() as (streams, (_input, output, error)):
            os.write(output, b"before\n")
            await settle()
            session = AttachSession(streams, stdin=False)
            os.write(output, b"after\n")
            os.write(error, b"wrong\n")
        assert (await session.stdout.read(), await session.stderr.read(), await session.wait()) == (b"after\n", b"wrong\n", 0)

    asyncio.run(run())


def test_who_does_not_read_holds_the_container_back_until_he_leaves():
    async def run():
        with container() as (streams, (_input, output, _error)):
            os.set_blocking(output, False)
            session = AttachSession(streams, stdin=False)
            written, line = 0, b"x" * 4095 + b"\n"
            with contextlib.suppress(BlockingIOError):
                while written < 64_000_000:
                    written += os.write(output, line)
                    await asyncio.sleep(0)
            assert written < 1_000_000
            await session.close()
            await settle()
            assert os.write(output, line) == len(line)

    asyncio.run(run())


def test_the_log_keeps_the_last_of_what_was_written():
    async def run():
        with container() as (streams, (_input, output, _error)):
            for hundred in range(600):
                os.write(output, b"".join(b"%059d\n" % number for number in range(100 * hundred, 100 * hundred + 100)))
                await asyncio.sleep(0)
        lines = await logged(streams)
        assert lines[-1] == b"%059d\n" % 59_999 and 1_000_000 < sum(map(len, lines)) <= 1 << 20

    asyncio.run(run())


def test_input_ends_with_the_first_client_where_the_pod_says_so():
    async def run(*, once):
        with container(stdin=True, stdin_once=once) as (streams, (own_input, _output, _error)):
            os.set_blocking(own_input, False)
            session = AttachSession(streams, stdin=True)
            await session.write_stdin(b"hello")
            assert os.read(own_input, 100) == b"hello"
            await session.close_stdin()
            await session.close()
            try:
                return os.read(own_input, 100)
            except BlockingIOError:
                return None

    assert asyncio.run(run(once=True)) == b""
    assert asyncio.run(run(once=False)) is None


def test_without_such_an_end_the_clients_end_of_input_ends_what_he_sees():
    async def run():
        with container(stdin=True) as (streams, _own):
            session = AttachSession(streams, stdin=True)
            await session.close_stdin()
            return await session.stdout.read()

    assert asyncio.run(run()) == b""


def test_a_terminal_takes_input_and_a_size():
    async def run():
        with container(stdin=True, tty=True) as (streams, own):
            session = AttachSession(streams, stdin=True)
            session.resize(33, 77)
            assert os.get_terminal_size(own[0]) == (77, 33)
            await session.write_stdin(b"typed\n")
            await settle()
            assert os.read(own[0], 100) == b"typed\n"
            assert await session.stdout.read(7) == b"typed\r\n"  # its echo
            assert await session.stderr.read() == b""

    asyncio.run(run())
