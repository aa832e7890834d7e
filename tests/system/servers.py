# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Small TCP servers that speak first or second, and the clients that go with them."""

import asyncio
import collections
import contextlib
import resource
import socket
import threading

from netns import PATIENCE

BACKLOG = 4096
AT_ONCE = 200		# connections of one load that are open together

# What one connection came to: enough to find its record, or to know that it must have none.
Talk = collections.namedtuple("Talk", "server_port client_port said")


def greeting(n):
    return b"220 hello %d\r\n" % n


class Server:
    """A TCP server in a thread of its own.

    `banner(n)` is what the n-th connection is greeted with; None for a server that
    speaks only when it is spoken to.
    """

    def __init__(self, ns, address, banner=greeting, port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with ns.entered():
            self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(BACKLOG)
        self.address, self.port = self.socket.getsockname()[:2]
        self.banner = banner
        self.served = 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        start = asyncio.start_server(self._serve, sock=self.socket, backlog=BACKLOG)
        self.loop.run_until_complete(start)
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def _serve(self, reader, writer):
        self.served += 1
        n = self.served
        try:
            if self.banner:
                writer.write(self.banner(n))
            if await reader.read(4096) and not self.banner:
                writer.write(b"answer %d\r\n" % n)
            await writer.drain()
        except OSError:
            pass		# a client may be gone already: that is its good right
        finally:
            writer.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.socket.close()


def connect(ns, address, port):
    """A connected socket of the namespace."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ns.entered():
        client = socket.socket(family, socket.SOCK_STREAM)
    client.settimeout(PATIENCE)
    client.connect((address, port))
    return client


def listen_to(ns, server, address=None):
    """Connect, say nothing, and hear the server out as far as its first words."""
    with connect(ns, address or server.address, server.port) as client:
        said = client.recv(65536)
        return Talk(server.port, client.getsockname()[1], said)


def ask(ns, server, address=None):
    """Connect and speak first."""
    with connect(ns, address or server.address, server.port) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        said = client.recv(65536)
        return Talk(server.port, client.getsockname()[1], said)


async def _one(server, speak, gate):
    async with gate:
        reader, writer = await asyncio.open_connection(server.address, server.port)
        client_port = writer.get_extra_info("sockname")[1]
        if speak:
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
        said = await reader.read(4096)
        writer.close()
        await writer.wait_closed()
        return Talk(server.port, client_port, said)


async def _load(jobs):
    gate = asyncio.Semaphore(AT_ONCE)
    ones = [_one(server, speak, gate) for server, speak in jobs]
    return await asyncio.wait_for(asyncio.gather(*ones), 4 * PATIENCE)


def load(ns, greeter, answerer, count):
    """`count` connections to each of two servers, as fast as they go, one kind between the other."""
    return _run(ns, [(greeter, False), (answerer, True)] * count)


def listen_often(ns, server, count):
    """As many connections that say nothing, as fast as they go; in no order."""
    return _run(ns, [(server, False)] * count)


@contextlib.contextmanager
def speaking(net, server, count=200, pause=0):
    """Banners for as long as it takes: `count` at a time, then a pause in seconds. Else some thousand a second."""
    over = threading.Event()

    def talk():
        while not over.wait(pause):
            listen_often(net.peer, server, count)
    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(4 * PATIENCE)


def _run(ns, jobs):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * AT_ONCE + 256
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    with ns.entered():
        return asyncio.run(_load(jobs))
