"""What runs in the supervisor's process: one thread, which waits for nothing but its poll and reads no client's bytes.

supervisor ── the loop: signals, a look every 20 ms, the end
  ├─ poll ─────── who hears of which descriptor
  ├─ clients ──── owns the duplicates of all connections: who is idle, waits, or is with whom
  ├─ succession ─ owns the generations: which is current, which comes next, how many evaluators there are
  │    └─ generation ─ one zygote with its evaluators and pages
  ├─ custody ──── gives connections to evaluators, hears what becomes of them, takes them from who is busy or dead
  │    └─ obituary ─ what a client is told whose evaluator has died
  └─ watch ────── the limits of a query: lets custody relieve who is busy, slows down, kills
"""
