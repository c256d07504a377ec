"""The part of the endpoint benchmark that asks beside clients who mean no good."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from culturegraph.bench import load, servers
from culturegraph.bench.endpoint_findings import DEADLINE, OURS, Effort, Findings
from culturegraph.bench.endpoint_queries import HOSTILE, KINDS, texts
from culturegraph.bench.load import Answer, Client, Target, percentiles
from culturegraph.bench.servers import Plan


def hostile(size: int, folder: Path, plans: Sequence[Plan], effort: Effort, findings: Findings) -> None:
    """Drive light queries beside eight clients that each ask for a sorted cartesian product, again and again.

    Each server is started for this alone: what a peer was asked here it may still compute when this is over.
    """
    rates, slowest, answered = ({plan.name: list[float]() for plan in plans} for _ in range(3))
    light = [kind for kind in KINDS if kind.is_light]
    for number in range(min(effort.rounds, 3)):
        queries = [text for kind in light for text in texts(kind, size, 200, number)]
        random.Random(number).shuffle(queries)  # noqa: S311 - not a secret
        for plan in plans:
            limited = replace(plan, environment={**plan.environment, "CULTUREGRAPH_QUERY_TIMEOUT": str(DEADLINE)})
            with servers.running(limited, folder / "hostile.log") as server:
                servers.settle(server)
                target = Target(server.port, server.plan.path)
                with _hogs(target, 8) as answers:
                    time.sleep(1)
                    beside = load.drive(target, queries, 8, effort.seconds)
                    alone = load.ask_each(target, queries, effort.seconds)
                    _wait_for_answers(answers, DEADLINE + 1 if plan.name == OURS else 0)
                rates[plan.name].append(beside.rate)
                slowest[plan.name].append(percentiles([answer.seconds * 1000 for answer in alone])[1])
                if plan.name == OURS:
                    answered[OURS].append(_slowest_refusal(answers))
    findings.add(size, "light beside 8 hostile, c=8", "req/s", rates)
    findings.add(size, "light beside 8 hostile, c=1, p95", "ms", slowest)
    findings.add(size, "hostile query refused after, at most", "s", answered)


def _wait_for_answers(answers: Sequence[Answer], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not answers and time.monotonic() < end:
        time.sleep(0.1)


def _slowest_refusal(answers: Sequence[Answer]) -> float:
    """Return the seconds until the last refusal; a hundred where one was not refused with 503, or none was."""
    if not answers or any(answer.status != 503 for answer in answers):
        return 100.0
    return max(answer.seconds for answer in answers)


@contextmanager
def _hogs(target: Target, count: int) -> Iterator[list[Answer]]:
    """Send hostile queries over so many connections while the block runs; give their answers as they come."""
    answers: list[Answer] = []
    stop = threading.Event()

    def ask() -> None:
        with Client(target, timeout=30) as client:
            while not stop.is_set():
                answer = client.ask(target.request(HOSTILE))
                if not stop.is_set():
                    answers.append(answer)
                if answer.status == 0:
                    stop.wait(0.2)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
