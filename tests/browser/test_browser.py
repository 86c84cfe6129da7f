"""The browser of these tests itself: it reaches nothing outside, and tells what a page asked for and complained of."""

import pytest

pytestmark = pytest.mark.slow


def test_it_tells_what_a_page_asks_for_and_reaches_nothing(chromium, tmp_path):
    (tmp_path / "page.html").write_text("<img src='https://example.org/a.png'><script>console.warn('odd')</script>")
    chromium.open((tmp_path / "page.html").as_uri())
    assert chromium.requests() == ["https://example.org/a.png"]
    refused, told = sorted(chromium.complaints(), key=lambda message: "odd" in message)
    assert "ERR_NAME_NOT_RESOLVED" in refused
    assert '"odd"' in told
