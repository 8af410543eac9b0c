"""The page as people use it: sort, filter, open, follow a quote and come back, with a mouse, by keyboard, on paper and on a phone."""

from __future__ import annotations

import contextlib
import io
import re
import time

import chromium
import pytest
from axe_playwright_python.sync_playwright import Axe
from pypdf import PdfReader

PATIENCE_SECONDS = 30
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


def hosts_shown(page) -> list[str]:
    return page.locator("#table tbody tr:not(.gap) th").all_inner_texts()


def until(page, condition: str) -> None:
    """Wait for a JavaScript expression to hold; Playwright's own way of waiting needs eval, which the page's policy forbids."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"waited in vain for: {condition}"
        page.wait_for_timeout(50)


def open_host(page, name: str) -> None:
    page.locator("#table a", has_text=re.compile(f"^{re.escape(name)}$")).click()
    page.locator(".host.open h2", has_text=name).wait_for()


def focused(page) -> str:
    return page.evaluate("(document.activeElement.innerText || document.activeElement.id || '').trim()")


def test_a_column_sorts_up_then_down_and_says_so(visit):
    page = visit("fleet")
    head = page.locator("#table th[data-column=host]")

    head.get_by_role("button").click()
    up = hosts_shown(page)
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()

    assert head.get_attribute("aria-sort") == "descending"
    assert up == sorted(up)
    assert hosts_shown(page) == up[::-1]


def test_hosts_are_filtered_by_verdict_cause_group_and_text_and_the_count_is_told(visit):
    page = visit("fleet")
    everything = len(hosts_shown(page))

    page.locator("[name=text]").fill("page cache")
    page.locator("[name=text]").fill("memcg-tmpfs")
    until(page, "document.querySelectorAll('#table tbody tr:not(.gap)').length === 1")
    assert hosts_shown(page) == ["memcg-tmpfs.bookworm-6.1"]
    assert page.get_by_role("status").inner_text() == f"1 of {everything} hosts"
    page.get_by_role("button", name="Show all").click()
    page.locator("[name=cause]").select_option("fork_storm")
    until(page, "document.querySelectorAll('#table tbody tr:not(.gap)').length === 1")
    assert hosts_shown(page) == ["fork-storm.bookworm-6.1"]
    page.get_by_role("button", name="Show all").click()
    page.locator("[name=group]").select_option("bookworm-6.1")
    until(page, f"document.querySelectorAll('#table tbody tr:not(.gap)').length === {everything - 2}")
    page.get_by_role("button", name="Show all").click()
    page.locator("[name=verdict][value=memory]").uncheck()
    until(page, "![...document.querySelectorAll('#table .k-verdict')].some((cell) => cell.innerText === 'memory')")
    assert "db-gone" in hosts_shown(page)


@pytest.mark.parametrize("name", ["fleet", "large"])
def test_a_host_is_opened_by_its_name_and_the_browser_s_back_leads_to_the_fleet(visit, name):
    page = visit(name)
    first = page.locator("#table a").first.inner_text()

    open_host(page, first)
    assert not page.locator("#fleet").is_visible()
    assert page.locator(".host.open .chapter").first.is_visible()
    page.go_back()

    page.locator("#fleet").wait_for()
    assert page.locator(".host.open").count() == 0


def test_a_number_leads_to_its_line_which_is_marked_and_back_to_the_same_number(visit):
    page = visit("host")
    number = page.locator(".p-memory a.n").first
    number.scroll_into_view_if_needed()

    number.click()
    quote = page.locator(".quotes li.here")
    quote.wait_for()  # the browser tells the page of the new address when it has time
    assert quote.count() == 1
    assert "active_anon:" in quote.inner_text()
    assert page.evaluate("(() => { const box = document.querySelector('.here').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; })()")
    quote.locator("a.back", has_text="Where the memory was").click()

    page.locator(".here").wait_for(state="detached")
    assert page.evaluate("document.activeElement === document.querySelector('.p-memory a.n')")


def test_every_number_in_the_pictures_of_a_whole_report_has_its_line(visit):
    page = visit("host")

    dead = page.evaluate("[...document.querySelectorAll('a.n, a.ref, a.back, a.term')].filter((link) => !document.getElementById(link.hash.slice(1))).length")
    assert dead == 0
    assert page.locator(".p-memory td.number:not(:has(a)):not(:empty)", has_text=re.compile("iB|kB")).count() == 0
    for picture in ("memory", "tasks", "zones", "blocks"):
        assert page.locator(f".p-{picture} a.n").count() > 3


def test_a_word_is_explained_on_hover_and_on_focus_and_escape_closes_it(visit):
    page = visit("host")
    tip, word = page.locator("#tip"), page.locator("a.term", has_text="GFP_HIGHUSER_MOVABLE").first

    word.hover()
    assert "Ordinary memory for a program" in tip.inner_text()
    tip.hover()
    page.wait_for_timeout(400)
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    page.keyboard.press("Tab")
    word.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert tip.is_visible()
    assert word.get_attribute("aria-describedby") == "tip"
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_the_keyboard_alone_sorts_filters_opens_a_host_follows_a_quote_and_comes_back(visit):
    page = visit("fleet")

    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    for _press in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name === 'text'"):
            break
    page.keyboard.type("swap-full")
    until(page, "document.querySelectorAll('#table tbody tr:not(.gap)').length === 1")
    for _press in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#table a')"):
            break
    page.keyboard.press("Enter")
    page.locator(".host.open").wait_for()
    assert page.evaluate("document.activeElement.matches('.host.open')")
    for _press in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.chapter a.ref')"):
            break
    cited = page.evaluate("document.activeElement.closest('li').id")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.matches('.quotes li')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.back')")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('li').id") == cited


def test_the_table_of_a_large_fleet_holds_only_the_rows_in_view_and_all_can_be_reached(visit):
    page = visit("large")
    assert len(hosts_shown(page)) < 80
    assert page.locator("#table").get_attribute("aria-rowcount") == "601"

    page.evaluate("document.getElementById('rows').scrollTop = 1e9")
    until(page, "[...document.querySelectorAll('#table tbody th')].some((cell) => cell.innerText === 'host0599')")

    assert len(hosts_shown(page)) < 80
    assert page.locator("#table tr", has_text="host0599").get_attribute("aria-rowindex") == "601"


def test_a_link_into_a_packed_host_opens_it_at_that_line(visit):
    page = visit("large", "h7i0q3")

    page.locator(".host.open .quotes li.here").wait_for()
    assert page.locator(".host.open h2").inner_text() == "host0007"


def colours(page) -> tuple[str, str]:
    return page.evaluate("(() => { const style = getComputedStyle(document.body); return [style.backgroundColor, style.color]; })()")


def test_the_page_is_dark_where_the_system_is_and_the_switch_overrules_it(visit):
    light, dark = visit("host", color_scheme="light"), visit("host", color_scheme="dark")
    assert colours(light)[0] == "rgb(255, 255, 255)"
    assert colours(dark)[0] == "rgb(20, 24, 28)"

    light.get_by_role("button", name="Colours").click()
    assert colours(light) == colours(dark)
    light.get_by_role("button", name="Colours: dark").click()
    assert colours(light)[0] == "rgb(255, 255, 255)"


def printed(page) -> str:
    text = "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages)
    return " ".join(text.split())


def test_a_printed_fleet_holds_each_host_and_each_story_and_a_printed_host_only_its_own(visit):
    page = visit("fleet", color_scheme="dark")
    whole = printed(page)
    for word in (
        "Memory ran out on",
        "db-gone",
        "db-silent",
        "Who really held the memory",
        "What to change",
        "memcg-tmpfs.bookworm-6.1",
        "segfault.bookworm-6.1",
    ):
        assert word in whole
    assert whole.count("What happened") == page.locator(".host h4", has_text="What happened").count()

    open_host(page, "memcg-tmpfs.bookworm-6.1")
    one = printed(page)

    assert "shmem" in one
    assert one.count("What happened") == 1
    assert "fork-storm" not in one


def test_a_large_table_is_printed_whole(visit):
    page = visit("large")

    assert len(set(re.findall(r"host\d{4}", printed(page)))) == 600


@pytest.mark.parametrize("name", ["fleet", "host", "hostile", "large", "comparison"])
def test_a_phone_scrolls_in_one_direction_only(visit, name):
    page = visit(name, **PHONE)
    places = ["fleet"] + [f"h{number}" for number in range(130)]

    for place in places:
        page.evaluate("(place) => { location.hash = place; }", place)
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"], place


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "place"), [("fleet", ""), ("fleet", "h1"), ("host", ""), ("hostile", ""), ("hostile", "h0"), ("large", ""), ("comparison", "c0")]
)
def test_axe_finds_nothing_serious(visit, name, place, scheme):
    page = visit(name, place, color_scheme=scheme)

    found = Axe().run(page).response["violations"]

    grave = [(one["id"], [node["html"][:200] for node in one["nodes"]][:5]) for one in found if one["impact"] in ("serious", "critical")]
    assert grave == []


def test_what_is_hostile_is_shown_and_does_nothing(visit):
    page = visit("hostile")

    assert page.evaluate("document.querySelectorAll('script').length") == 2
    for place in ("", "h0", "h1"):
        page.evaluate("(place) => { location.hash = place; }", place)
        page.wait_for_timeout(100)
        assert (
            page.evaluate("document.querySelectorAll('img, iframe, object, embed, a[href^=\"javascript\" i], [onerror], [onload], [style*=url]').length") == 0
        )
        text = page.evaluate("document.body.textContent")
        assert "<script>alert(1)</script>" in text
        assert not re.search("[\\x00\\x1b\\u202e]", text)


def test_the_policy_forbids_what_would_slip_through(visit):
    page = visit("host", heeded=False)
    refused = page.evaluate(
        """() => new Promise((done) => {
            const found = [];
            document.addEventListener("securitypolicyviolation", (event) => {
                found.push(event.effectiveDirective);
                if (found.length === 4) done(found.sort());
            });
            document.body.insertAdjacentHTML("beforeend", "<p onclick='window.slipped = 1' style='color: red' id='slip'>x</p>");
            document.body.insertAdjacentHTML("beforeend", "<img src='https://example.invalid/x.png'>");
            const script = document.createElement("script"); script.textContent = "window.slipped = 2"; document.body.append(script);
            document.getElementById("slip").click();
            setTimeout(() => done(found.sort()), 1000);
        })"""
    )

    assert set(refused) >= {"img-src", "script-src-elem", "style-src-attr"}
    assert page.evaluate("window.slipped") is None


def test_without_a_script_the_whole_report_can_be_read(browser, reports):
    with contextlib.closing(browser.new_context(java_script_enabled=False)) as context:
        page = context.new_page()
        page.goto(chromium.address(reports("fleet")))

        assert page.locator("#table tbody tr").count() == page.locator("#table tbody tr:visible").count() > 30
        assert page.locator(".host:visible").count() == page.locator(".host").count()
        assert page.locator(".picture").first.is_visible()
