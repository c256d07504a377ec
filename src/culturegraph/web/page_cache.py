"""Pages that were made already: a snapshot never changes, so the same ETag is the same page."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from starlette.responses import HTMLResponse

# Bytes of HTML that are kept; some hundreds of pages. Those that nobody asked for longest go first.
CAPACITY: Final = 24_000_000


class PageCache:
    """HTML by ETag, bounded by its size. May be used by many threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity, self._size = capacity, 0
        self._pages: OrderedDict[str, tuple[bytes, dict[str, str]]] = OrderedDict()
        self._lock = Lock()

    def get(self, tag: str) -> HTMLResponse | None:
        """Return a page with the headers that it was kept with, or None."""
        with self._lock:
            kept = self._pages.get(tag)
            if kept is None:
                return None
            self._pages.move_to_end(tag)
        body, headers = kept
        return HTMLResponse(body, headers=headers)

    def keep(self, tag: str, page: HTMLResponse) -> None:
        """Keep a page that is done."""
        headers = {
            name: value for name, value in page.headers.items() if name not in ("content-length", "content-type")
        }
        body = bytes(page.body)
        with self._lock:
            if tag in self._pages or len(body) > self._capacity:
                return
            self._pages[tag] = (body, headers)
            self._size += len(body)
            while self._size > self._capacity:
                _, (oldest, _) = self._pages.popitem(last=False)
                self._size -= len(oldest)
