import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.models.classifiers.pasted import FEWEST_LINES, without_logs

REQUEST = "Where is the parcel I ordered on Monday?"
LOGS = {
    "syslog": "Mar 03 10:00:{n} web-03 sshd[411]: Accepted publickey for deploy from 10.0.4.7",
    "access": '10.2.3.4 - - [03/Mar/2026:10:00:{n} +0000] "GET /healthz HTTP/1.1" 200 12 "-" "curl/8.5.0"',
    "application": "INFO worker.pool - job 17{n} done",
    "clock": "2026-03-03T10:00:{n}Z consumer-3 lag={n}",
    "java": "\tat com.acme.core.Handler.apply(Handler.java:1{n})",
    "python": '  File "/srv/app/main.py", line 1{n}, in run\n    main()\nKeyError: {n}',
    "table": "A{n},20.{n},degC,0",
    "tabs": "A{n}\t20.{n}\tdegC",
}


def log_of(kind, lines=20):
    return "\n".join(LOGS[kind].replace("{n}", f"{number:02}") for number in range(lines))


@pytest.mark.parametrize("kind", LOGS)
@pytest.mark.parametrize("pattern", ["{log}\n\n{request}", "{request}\n\n{log}", "{request}\n{log}\nThanks a lot"])
def test_a_log_beside_a_request_is_not_read(kind, pattern):
    text = pattern.format(log=log_of(kind), request=REQUEST)
    read = without_logs(text)
    assert len(read) == len(text)
    assert read.index(REQUEST) == text.index(REQUEST)
    assert read.split() == pattern.format(log="", request=REQUEST).split()


@pytest.mark.parametrize("request_", ["is my order here", "I need to get two Cortados please"])
def test_a_short_sentence_that_says_what_is_wanted_is_enough(request_):
    assert without_logs(f"{log_of('syslog')}\n\n{request_}").strip() == request_


def test_the_code_under_the_last_frame_of_a_trace_belongs_to_it():
    trace = f'{log_of("python")}\n  File "/srv/app/main.py", line 9, in run\n    main()'
    assert without_logs(f"{trace}\n\n{REQUEST}").strip() == REQUEST


@pytest.mark.parametrize("text", [log_of("java"), f"Why?\n{log_of('java')}", f"please see below\n\n{log_of('syslog')}"])
def test_a_log_with_too_little_beside_it_is_read(text):
    assert without_logs(text) == text


def test_a_few_lines_are_a_quotation_and_read():
    text = f"{REQUEST}\n{log_of('application', FEWEST_LINES - 1)}"
    assert without_logs(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"- item {number}, which I have not seen since Tuesday" for number in range(20)),
        "\n".join(["My order: shirts, socks, shoes", "My address", "The error is strange"] * 8),
        "\n".join(["I have called twice.", "Nobody answered at 10:15.", "Error after error, it is a shame."] * 8),
    ],
)
def test_what_people_write_in_lines_is_read(text):
    assert without_logs(f"{REQUEST}\n{text}") == f"{REQUEST}\n{text}"


@given(st.text(alphabet="a,;: \n\t1\u2028INFOat(", max_size=400))
def test_only_whole_lines_are_blanked_and_the_length_never_changes(text):
    for was, now in zip(text.split("\n"), without_logs(text).split("\n"), strict=True):
        assert now in (was, " " * len(was))


@pytest.mark.parametrize("line", ["a", ",", "1", "at ", "2026-01-01 10:00:00 x,", " "])
def test_a_megabyte_takes_no_time(line):
    text = f"{line * 50}\n" * (1_000_000 // (50 * len(line)))
    started = time.process_time()
    without_logs(text)
    assert time.process_time() - started < 1
