"""The server's processes: evaluators that can be killed, and who hands them their connections. No web framework.

    supervisor ── accepts every connection, keeps a duplicate of each, never reads or writes one that is in use
      │  control (one an evaluator)
      │    ─► "given n" with the connection, "taken n", "give all back", "that is all"; its end: answer and leave
      │    ◄─ "parked n", "closed n", "handed over n", "I was busy: what is still mine?"; its end: the evaluator died
      ├─ zygote of a generation: one snapshot, in memory where it is small; forks on command; runs no threads
      │    ├─ evaluators: hold connections; read a request of one, evaluate, answer, go on to the next that has one
      │    └─ pages (as many as cores): uvicorn and FastAPI; get by `send_fds` what is no plain request to /sparql
      └─ board: memory that all share: who is at what since when (the heartbeat), and every counter

    client ─► supervisor ─given─► evaluator ─► answer                      no process between evaluator and client
                                     │ its client has asked nothing for a second: "parked n" ─► supervisor
                                     └ another path, HTML, a slow or large request ─► pages ─► answer
    pages ask evaluators in the same way as clients do: over a socket pair that they give to the supervisor.
    A server that asks for tokens has one pages process, the door, and evaluators that hand every client over to it.

A connection is in the hands of one process at a time, and an evaluator has read only of the one that it is answering,
so a kill touches one client. As many evaluators as there are processors hold all connections; the others are a reserve:
whoever has been at one request for 20 ms loses its other connections to them. It cannot miss that: whoever was busy for
10 ms asks the supervisor what is still its own before it reads again, and the supervisor takes nothing from one whose
request has changed since it looked. An evaluator writes its state on the board before it evaluates and before its first
byte goes out. The supervisor looks every 20 ms: past the time or memory limit it kills; when the evaluator is dead it
answers 503 on its own duplicate of the connection or, where the answer had begun, resets it. What has used a processor
for a quarter of a second while others need one is given the lowest priority, a fresh evaluator takes its place, and it
ends when it has answered.

A new snapshot is a new generation: zygote, evaluators and pages start beside the old ones; connections go to the new
evaluators, and the end of their control sockets tells the old ones to park theirs and leave. No process ever knows
two snapshots, so no answer mixes them and no cache is stale. A server that is told to stop takes no more connections
and closes each with its next answer; then its pages leave, as they ask evaluators to the last, then the evaluators,
then the zygote. The end of a control socket of the supervisor's is the end to whoever hears it, also where the
supervisor has died. What runs in the supervisor's process is in `supervision`.
"""
