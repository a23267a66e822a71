"""Several processes that train as one: how they meet, and what becomes of them.

Process 0 waits at the coordinator's address. The others say there who they are and what
they have been given; what does not fit is told before anything is computed. Then JAX
connects them. The first connections stay, for nothing but to end: whoever has one that
does is the first to know that a process has died.
"""

import contextlib
import dataclasses
import json
import os
import socket
import threading
import time
import typing
from collections.abc import Iterator
from importlib import metadata

import vgan
from vgan import InputError
from vgan.backend import say
from vgan.config import to_json

if typing.TYPE_CHECKING:
    from vgan.config import Experiment


TIMEOUT = 60.0  # seconds in which all must have come
LONGEST = 2**20  # bytes of a message
PATIENCE = 5.0  # seconds in which a broken computation is put down to a dead process
AUTO = "auto"
ANYWHERE = "[::]" if socket.has_dualstack_ipv6() else "0.0.0.0"
LIBRARIES = ("keras", "jax", "jaxlib", "numpy")


@dataclasses.dataclass(frozen=True)
class Processes:
    """What a process needs to know of those that it trains with.

    Attributes:
        number: Which one it is, from 0.
        count: How many there are.
    """

    number: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether it is the one that writes and tells."""
        return self.number == 0

    def share(self, values: typing.Any) -> typing.Any:
        """Return what process 0 has of these numbers, arrays or lists of arrays."""
        if self.count == 1:
            return values
        from jax.experimental import multihost_utils

        return multihost_utils.broadcast_one_to_all(values)


ALONE = Processes()


@contextlib.contextmanager
def joined(
    config: "Experiment", coordinator: str, processes: int, process_id: int
) -> Iterator[Processes]:
    """Train together with other processes in the block.

    Args:
        config: The Experiment, which all must have been given.
        coordinator: "HOST:PORT", where process 0 is; "auto" for what JAX finds by
            itself, as on Slurm, on Kubernetes and on TPU pods.
        processes: How many there are; unused with "auto".
        process_id: Number of this one, from 0; likewise.

    Yields:
        The Processes.

    Raises:
        InputError: They do not meet, or do not fit one another.
    """
    if coordinator == AUTO:
        _connect()
        import jax

        yield Processes(jax.process_index(), jax.process_count())
        return
    address = _address(coordinator)
    meeting = _Meeting(address, processes, process_id, to_json(config))
    try:
        yield Processes(process_id, processes)
        meeting.part()
    except (InputError, FloatingPointError):
        raise
    except (ValueError, RuntimeError):  # of JAX, if a process has died: who is told
        time.sleep(PATIENCE)
        raise
    finally:
        _disconnect()  # before the others go, whom it tells
        meeting.close()


def _address(coordinator):
    host, _, port = coordinator.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 2**16):
        raise InputError(
            f"coordinator: takes HOST:PORT of process 0, as node0:4321, or {AUTO}, "
            f"got {coordinator!r}"
        )
    return host.strip("[]"), int(port)


def _connect(**arguments):
    """Initialize JAX for several processes."""
    import jax

    # How a process ends is told here; JAX would abort, or wait for those that are dead.
    jax.config.update("jax_enable_recoverability", True)
    jax.config.update("jax_enable_preemption_service", False)  # it swallows SIGTERM
    timeout = {"initialization_timeout": int(TIMEOUT)}
    try:
        jax.distributed.initialize(**timeout, **arguments)
    except Exception as error:  # JAX has no kind of its own
        reason = " ".join(str(error).split())
        raise InputError(
            f"coordinator: the processes do not connect ({reason:.200}); give the "
            "address of process 0, which all can reach"
        ) from error


def _disconnect():
    """Take leave of JAX's service, which aborts a process that does so too late."""
    import jax

    jax.distributed.shutdown()


class _Meeting:
    """The connections of process 0 with all others."""

    def __init__(self, address, count, number, experiment):
        self.number, self.over = number, False
        self.others = {}  # {number: (connection, name)}
        self.gone = {}  # {number: event, set when it has nothing left to do}
        host, port = address
        self.called = f"coordinator={host}:{port}"
        hello = {
            "number": number,
            "count": count,
            "host": socket.gethostname(),
            "versions": _versions(),
            "experiment": experiment,
        }
        try:
            if number == 0:
                local = _free_port()
                self._welcome(port, hello, {"port": local})
            else:
                local = self._call(address, hello)
        except InputError:
            self.close()
            raise
        for other in self.others:
            self.gone[other] = threading.Event()
            _start(self._watch, other)
        _connect(
            coordinator_address=f"localhost:{local}",
            num_processes=count,
            process_id=number,
            coordinator_bind_address=f"{ANYWHERE}:{local}",
            cluster_detection_method="deactivate",
        )
        say(f"vgan.train: process {number}: {count} processes have met; making ready")

    def _welcome(self, port, own, answer):
        """Wait for all others, and look at what each says."""
        deadline = time.monotonic() + TIMEOUT
        try:
            server = _server(port)
        except OSError as error:
            raise InputError(
                f"{self.called}: process 0 cannot wait there ({error.strerror}); end "
                "the process that does, or give another port"
            ) from error
        with server:
            while len(self.others) < own["count"] - 1:
                server.settimeout(max(deadline - time.monotonic(), 0.01))
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    self._refuse_all(self._missing(own["count"]))
                connection.settimeout(PATIENCE)
                try:
                    hello = _receive(connection)
                    number, host = int(hello["number"]), hello["host"]
                except (OSError, ValueError, KeyError, TypeError):
                    connection.close()  # of a stranger
                    continue
                self._meet(connection, hello, number, f"process {number} ({host})", own)
        for connection, _ in self.others.values():
            _send(connection, answer)

    def _meet(self, connection, hello, number, name, own):
        if number in self.others or not 0 < number < own["count"]:
            taken = self.others.get(number, (None, f"process 0 ({own['host']})"))[1]
            reason = f"process_id={number}: {taken} is there already; give each another"
            _send(connection, {"refused": reason})
            connection.close()
            return
        self.others[number] = connection, name
        if misfit := _misfit(own, hello, name):
            self._refuse_all(misfit)

    def _missing(self, count):
        missing = [i for i in range(1, count) if i not in self.others]
        names = ", ".join(map(str, missing))
        return (
            f"processes={count}: within {TIMEOUT:.0f} seconds there came no process "
            f"{names}; start it, with {self.called}"
        )

    def _refuse_all(self, reason):
        for connection, _ in self.others.values():
            with contextlib.suppress(OSError):
                _send(connection, {"refused": reason})
        raise InputError(reason)

    def _call(self, address, hello):
        """Report to process 0; return a local port that leads to its JAX."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            left = max(deadline - time.monotonic(), 0.01)
            try:
                connection = socket.create_connection(address, timeout=left)
                break
            except OSError as error:  # it may be still to start
                if time.monotonic() + 0.5 > deadline:
                    raise InputError(
                        f"{self.called}: nobody answers within {TIMEOUT:.0f} seconds "
                        f"({error.strerror or error}); start process 0 there, or give "
                        "its address; one that has met all its others answers no more"
                    ) from error
                time.sleep(0.5)
        connection.settimeout(2 * TIMEOUT)  # it waits for all
        self.others[0] = connection, f"process 0 ({address[0]})"
        try:
            _send(connection, hello)
            answer = _receive(connection)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self.called}: what answers is no process 0 of vgan, or has ended; "
                "look at what it printed"
            ) from error
        if "refused" in answer:
            raise InputError(answer["refused"])
        return _relay((address[0], int(answer["port"])))

    def _watch(self, other):
        """End this process when another has ended before its time."""
        connection, name = self.others[other]
        _keep_alive(connection)
        lost = name
        with contextlib.suppress(OSError, ValueError):
            message = _receive(connection)
            if message.get("done"):
                self.gone[other].set()
                return
            lost = message.get("lost", name)
        if self.over:
            return
        self.over = True
        for connection, _ in self.others.values():
            with contextlib.suppress(OSError):
                _send(connection, {"lost": lost})
        say(
            f"\nvgan.train: {lost} has ended, and with it all others; see what it "
            "printed. Then start all again: they go on from the last checkpoint."
        )
        os._exit(1)  # no signal wakes the main thread, which may wait for the dead one

    def part(self):
        """Wait until all have done their work."""
        if self.number:
            self._leave()
        for event in self.gone.values():
            event.wait()
        if not self.number:  # whose service the others have left
            self._leave()

    def _leave(self):
        _disconnect()
        for connection, _ in self.others.values():
            _send(connection, {"done": True})

    def close(self):
        """Let the others know, by the end of the connections, that this one ends."""
        self.over = True
        for connection, _ in self.others.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def _versions():
    return {"vgan": vgan.__version__} | {x: metadata.version(x) for x in LIBRARIES}


def _misfit(own, hello, name):
    """One line on how a process differs from process 0; None where it does not."""
    if hello["count"] != own["count"]:
        return (
            f"processes={hello['count']}: is what {name} was given, and process 0 "
            f"{own['count']}; give all the same"
        )
    for library, version in own["versions"].items():
        if hello["versions"].get(library) != version:
            return (
                f"{name} has {library} {hello['versions'].get(library)}, and process 0 "
                f"has {version}; install the same everywhere"
            )
    if hello["experiment"] != own["experiment"]:
        texts = (hello["experiment"].splitlines(), own["experiment"].splitlines())
        pairs = zip(*texts, strict=False)
        theirs = next((a.strip(" ,") for a, b in pairs if a != b), "more fields")
        return f"{name} was given another experiment ({theirs}); give all the same"
    return None


def _send(connection, message):
    connection.sendall(json.dumps(message).encode() + b"\n")


def _receive(connection):
    """The next message.

    Raises:
        OSError: The connection has ended.
        ValueError: It is no message.
    """
    text = b""
    while not text.endswith(b"\n"):
        if not (part := connection.recv(4096)) or len(text) > LONGEST:
            raise ConnectionResetError
        text += part
    return json.loads(text)


def _keep_alive(connection):
    """Notice within half a minute that a machine is off."""
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("KEEPIDLE", 10), ("KEEPINTVL", 5), ("KEEPCNT", 4)):
        if hasattr(socket, f"TCP_{name}"):
            option = getattr(socket, f"TCP_{name}")
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _relay(address):
    """A local port whose connections go on to the address.

    When process 0 dies, JAX aborts this process with pages of text, faster than anyone
    can tell why: it sees only this end, which stays open.
    """
    server = socket.create_server(("localhost", 0))

    def accept():
        while True:
            near = server.accept()[0]
            with contextlib.suppress(OSError):
                far = socket.create_connection(address, timeout=TIMEOUT)
                far.settimeout(None)
                _start(_copy, near, far)
                _start(_copy, far, near)

    _start(accept)
    return server.getsockname()[1]


def _copy(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def _server(port):
    """A socket that waits for others at all addresses of this machine."""
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    return socket.create_server(("", port), family=family, dualstack_ipv6=both)


def _free_port():
    with _server(0) as server:
        return server.getsockname()[1]


def _start(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()
