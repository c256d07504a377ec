"""Pages that were made once: kept whole, bounded, and only where they succeeded."""

from __future__ import annotations

from starlette.responses import Response

from culturegraph.web.kept import KeptPages


def page(text: str, status: int = 200) -> Response:
    return Response(text, status, {"ETag": f'W/"{text[:3]}"'}, "text/html")


def test_a_kept_page_comes_back_whole_and_new_each_time() -> None:
    kept = KeptPages()
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


def test_errors_redirects_and_giants_are_not_kept() -> None:
    kept = KeptPages(max_bytes=800)
    for status in (303, 404, 500):
        kept.keep("a", page("text", status))
    kept.keep("b", page("x" * 101))
    assert kept.get("a") is None
    assert kept.get("b") is None


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    kept = KeptPages(max_bytes=800)
    for number in range(8):
        kept.keep(str(number), page(str(number) * 100))
    assert kept.get("0") is not None
    kept.keep("8", page("8" * 100))
    assert kept.get("1") is None
    assert kept.get("0") is not None
    assert kept.get("8") is not None
