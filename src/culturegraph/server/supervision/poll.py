"""Which descriptors are watched, and who hears of each."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Final

READABLE: Final = select.EPOLLIN

Handler = Callable[[int], None]


class Poll:
    """An epoll whose events each go to a handler."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._handlers: dict[int, Handler] = {}

    def watch(self, descriptor: int, handler: Handler, events: int = READABLE) -> None:
        """Let a handler hear of events, which it is given as epoll tells them."""
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, events)

    def change(self, descriptor: int, events: int) -> None:
        """Let the handler hear of other events from now on."""
        self._poll.modify(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Watch a descriptor no more; nothing where nobody does. Comes before it is closed."""
        if self._handlers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def wait(self, seconds: float) -> None:
        """Wait for events for so long at most, and let all be heard that have come."""
        for descriptor, events in self._poll.poll(seconds):
            # An earlier one of these events may have ended what this one is about.
            if (handler := self._handlers.get(descriptor)) is not None:
                handler(events)
