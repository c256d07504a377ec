"""The server's processes: evaluators that can be killed, and who hands them their connections. No web framework.

    supervisor ── accepts every connection, keeps a duplicate of each, never reads or writes one that is in use
      │  queue (one a generation): a connection that has something to read, to whichever evaluator is free
      │  control (one an evaluator): "parked n", "closed n", "handed over n"; its end means that the evaluator died
      ├─ zygote of a generation: one snapshot, in memory where it is small; forks on command; runs no threads
      │    ├─ evaluators: read a request, evaluate, answer, wait for the next on the same connection
      │    └─ pages (as many as cores): uvicorn and FastAPI; get by `send_fds` what is no plain request to /sparql
      └─ board: memory that all share: who is at what since when (the heartbeat), and every counter

    client ─► supervisor ─queue─► evaluator ─► answer                      no process between evaluator and client
                                     │ its client is idle and another waits: "parked n" ─► supervisor
                                     └ another path, HTML, a slow or large request ─► pages ─► answer
    pages ask evaluators in the same way as clients do: over a socket pair that they give to the supervisor.

A connection is in the hands of one process at a time, so a kill touches one client. An evaluator writes its state on
the board before it evaluates and before its first byte goes out. The supervisor looks every 20 ms: past the time or
memory limit it kills; when the evaluator is dead it answers 503 on its own duplicate of the connection or, where the
answer had begun, resets it. What has run for half a second is given lower priority, a fresh evaluator takes its place,
and it ends when it has answered.

A new snapshot is a new generation: zygote, evaluators and pages start beside the old ones, the queue is switched, the
old queue is closed; the end of the queue tells evaluators to park their connections and leave. No process ever knows
two snapshots, so no answer mixes them and no cache is stale. The end of a control socket of the supervisor's (it has
stopped, or died) is the same to zygote, evaluators and pages: the end.
"""
