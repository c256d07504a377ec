"""Pages that were made once: kept whole, bounded, and only where they succeeded."""

from __future__ import annotations

import gzip
import multiprocessing
from secrets import token_hex

from starlette.responses import Response

from culturegraph.web.kept import KeptPages, make_room


def page(text: str, status: int = 200) -> Response:
    return Response(text, status, {"ETag": f'W/"{text[:3]}"'}, "text/html")


def test_a_kept_page_comes_back_whole_and_new_each_time() -> None:
    kept = KeptPages(make_room(100_000))
    kept.keep("a", page("text"))
    first, second = kept.get("a"), kept.get("a")
    assert first is not None
    assert second is not None
    assert (first.body, first.status_code, first.headers["etag"]) == (b"text", 200, 'W/"tex"')
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    first.headers["x-request-id"] = "one"
    assert "x-request-id" not in second.headers, "a response that is changed changes no other"
    assert "x-request-id" not in kept.get("a").headers
    assert kept.get("b") is None


def test_a_kept_page_is_compressed_once_and_served_either_way() -> None:
    kept, text = KeptPages(make_room(100_000)), "palabra " * 500
    sent = kept.keep("a", page(text), compressed=True)
    again, plain = kept.get("a", compressed=True), kept.get("a")
    assert again is not None
    assert plain is not None
    assert sent.body == again.body
    assert len(again.body) < 1000
    assert gzip.decompress(again.body) == text.encode() == plain.body
    assert again.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    for response in (again, plain):
        assert response.headers["vary"] == "Accept-Encoding"
        assert int(response.headers["content-length"]) == len(response.body)


def test_errors_redirects_and_giants_are_not_kept() -> None:
    kept = KeptPages(make_room(16_000))
    for status in (303, 404, 500):
        kept.keep("a", page("text", status))
    kept.keep("b", page(token_hex(2000)))
    assert kept.get("a") is None
    assert kept.get("b") is None


def test_what_was_made_longest_ago_goes_first() -> None:
    kept = KeptPages(make_room(16_000))
    for number in range(40):
        kept.keep(str(number), page(token_hex(350)))
    assert kept.get("0") is None
    assert kept.get("39") is not None


def test_what_one_process_keeps_others_have() -> None:
    kept = KeptPages(make_room(100_000))
    child = multiprocessing.get_context("fork").Process(target=lambda: kept.keep("a", page("text")))
    child.start()
    child.join(10)
    found = kept.get("a")
    assert found is not None
    assert found.body == b"text"
