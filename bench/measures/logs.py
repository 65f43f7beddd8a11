"""Long logs as people paste them: made anew for each request, 30 to 200 lines, the same each time.

System logs, Java and Python traces, web server logs, application logs and exports as CSV. Whoever pastes one asks what
he asks beside it, so the domain should stay; what the log drowns should be noticed as unfamiliar.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

FEWEST_LINES, MOST_LINES = 30, 200
_HOSTS = ("web-03", "app01", "db-replica2", "gw-ams-1", "ip-10-0-4-17", "worker7", "localhost")
_PATHS = ("/", "/healthz", "/static/app.4f2c.js", "/api/v2/items/{n}", "/login", "/favicon.ico", "/search?q=a{n}")
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64)",
    "curl/8.5.0",
    "kube-probe/1.29",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4)",
)
_DAEMONS = (
    ("systemd[1]", "Started Session {n} of user svc."),
    ("systemd[1]", "logrotate.service: Deactivated successfully."),
    ("kernel", "[{n}.{n}] eth0: link up, 1000Mbps, full-duplex"),
    ("kernel", "[{n}.{n}] Out of memory: Killed process {n} (java) total-vm:{n}kB"),
    ("sshd[{n}]", "Accepted publickey for deploy from 10.0.4.{b} port {n} ssh2"),
    ("CRON[{n}]", "(root) CMD (run-parts /etc/cron.hourly)"),
    ("dhclient[{n}]", "DHCPACK of 192.168.1.{b} from 192.168.1.1"),
    ("dockerd[{n}]", 'level=info msg="ignoring event" module=libcontainerd topic=/tasks/delete'),
)
_PACKAGES = (
    "com.acme.core",
    "org.springframework.web.servlet",
    "io.netty.channel",
    "java.util.concurrent",
    "org.hibernate",
)
_CLASSES = ("RequestHandler", "FrameworkServlet", "DefaultChannelPipeline", "ThreadPoolExecutor$Worker", "SessionImpl")
_METHODS = ("handle", "doDispatch", "invokeChannelRead", "run", "internalExecute", "apply", "lambda$submit$0")
_JAVA_ERRORS = (
    'java.lang.NullPointerException: Cannot invoke "Object.toString()" because "value" is null',
    "java.util.concurrent.TimeoutException: did not complete within 30000 ms",
    "org.hibernate.LazyInitializationException: could not initialize proxy - no Session",
)
_MODULES = (
    "core/loader",
    "worker/tasks",
    "site-packages/urllib3/connectionpool",
    "site-packages/celery/app/trace",
    "main",
)
_CALLS = ("result = self.run(*args, **kwargs)", "return fn(payload)", "response = conn.urlopen(method, url)", "main()")
_PYTHON_ERRORS = (
    "KeyError: 'items'",
    "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'",
    "urllib3.exceptions.ReadTimeoutError: HTTPConnectionPool(host='10.0.4.9', port=8080): Read timed out.",
)
_LOGGERS = ("scheduler", "worker.pool", "http.client", "cache", "consumer-3")
_SAYINGS = (
    "heartbeat ok in {n} ms",
    "retrying in {b} s (attempt 2)",
    "cache miss key=u:{n}",
    "job {n} done",
    "lag={n}",
)
_TABLES = (
    (
        "timestamp,host,cpu_pct,mem_mb,status",
        lambda c: f"{c.choice(_HOSTS)},{c.random() * 100:.1f},{c.randrange(9000)},OK",
    ),
    (
        "timestamp,sensor,value,unit,flag",
        lambda c: f"S-{c.randrange(99):02},{c.gauss(20, 4):.3f},degC,{c.randrange(2)}",
    ),
    ("created,id,name,qty,active", lambda c: f"{c.randrange(10**6)},Item {c.randrange(999)},{c.randrange(50)},true"),
)

Chance = random.Random


def pasted_logs() -> dict[str, Callable[[str, int], str]]:
    """Return the change for each place; the request itself and its number pick the log."""
    return {
        "long_log_before": lambda text, number: f"{log_for(text, number)}\n\n{text}",
        "long_log_after": lambda text, number: f"{text}\n\n{log_for(text, number)}",
    }


def log_for(text: str, number: int) -> str:
    """Return a log; every kind comes in turn."""
    chance = random.Random(text)
    lines = chance.randint(FEWEST_LINES, MOST_LINES)
    kind = KINDS[number % len(KINDS)]
    return "\n".join(kind(chance, lines)[:lines])


def _clock(chance: Chance) -> Callable[[], datetime]:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(300 * 86400))

    def tick() -> datetime:
        nonlocal now
        now += timedelta(milliseconds=chance.expovariate(1 / 1500))
        return now

    return tick


def _filled(chance: Chance, pattern: str) -> str:
    return pattern.replace("{n}", str(chance.randrange(100, 99999))).replace("{b}", str(chance.randrange(2, 254)))


def _syslog(chance: Chance, lines: int) -> list[str]:
    tick, host = _clock(chance), chance.choice(_HOSTS)
    found = []
    for _ in range(lines):
        daemon, message = chance.choice(_DAEMONS)
        found.append(f"{tick():%b %d %H:%M:%S} {host} {_filled(chance, daemon)}: {_filled(chance, message)}")
    return found


def _nginx(chance: Chance, lines: int) -> list[str]:
    tick = _clock(chance)
    found = []
    for _ in range(lines):
        address = ".".join(str(chance.randrange(1, 254)) for _ in range(4))
        status, size = chance.choice((200, 200, 200, 304, 404, 499, 502)), chance.randrange(50_000)
        path = _filled(chance, chance.choice(_PATHS))
        found.append(
            f'{address} - - [{tick():%d/%b/%Y:%H:%M:%S} +0000] "GET {path} HTTP/1.1" {status} {size} "-"'
            f' "{chance.choice(_AGENTS)}"'
        )
    return found


def _java_trace(chance: Chance, lines: int) -> list[str]:
    tick, found = _clock(chance), []
    while len(found) < lines:
        start = (
            f"{tick():%Y-%m-%d %H:%M:%S},{chance.randrange(1000):03} ERROR [http-nio-8080-exec-{chance.randrange(9)}]"
        )
        found += [f"{start} c.a.core.ErrorFilter - request failed", chance.choice(_JAVA_ERRORS)]
        for _ in range(chance.randint(10, 25)):
            name = chance.choice(_CLASSES)
            place = f"{name.split('$')[0]}.java:{chance.randrange(20, 900)}"
            found.append(f"\tat {chance.choice(_PACKAGES)}.{name}.{chance.choice(_METHODS)}({place})")
        found.append(f"\t... {chance.randrange(5, 60)} more")
    return found


def _python_trace(chance: Chance, lines: int) -> list[str]:
    tick, found = _clock(chance), []
    while len(found) < lines:
        found += [f"[{tick():%Y-%m-%d %H:%M:%S}] ERROR in app: task failed", "Traceback (most recent call last):"]
        for _ in range(chance.randint(4, 9)):
            found.append(f'  File "/srv/app/{chance.choice(_MODULES)}.py", line {chance.randrange(900)}, in run')
            found.append(f"    {chance.choice(_CALLS)}")
        found.append(chance.choice(_PYTHON_ERRORS))
    return found


def _application(chance: Chance, lines: int) -> list[str]:
    tick = _clock(chance)
    return [
        f"{tick():%Y-%m-%dT%H:%M:%S}Z {chance.choice(('INFO', 'INFO', 'DEBUG', 'WARN', 'ERROR'))}"
        f" {chance.choice(_LOGGERS)} - {_filled(chance, chance.choice(_SAYINGS))}"
        for _ in range(lines)
    ]


def _csv(chance: Chance, lines: int) -> list[str]:
    tick, (head, cells) = _clock(chance), chance.choice(_TABLES)
    return [head, *(f"{tick():%Y-%m-%dT%H:%M:%SZ},{cells(chance)}" for _ in range(lines - 1))]


KINDS: tuple[Callable[[Chance, int], list[str]], ...] = (
    _syslog,
    _java_trace,
    _python_trace,
    _nginx,
    _application,
    _csv,
)
"""Makes at least as many lines as asked for."""
