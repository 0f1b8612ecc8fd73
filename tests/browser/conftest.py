"""The built book in a real browser; run by `make audit`, not by `make test`.

    visit(page, ...)    opens a page of the site and returns a Visit; `.tab` is Playwright's page; `poor=True` on a
                        machine without the fonts that most have
    site                the address of the served book

Whatever a test looks at, a page that asks another host, writes an error to the console or misses a file fails it.
"""

import json
import os
from pathlib import Path

import matplotlib
import pytest

from press import browser as chrome

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
BUDGET = json.loads((ROOT / "press" / "budget.json").read_text())
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PAGES = chrome.pages(HTML)

# everything that opens: folded blocks, solutions, menus, side bars; waits until it has settled
OPEN = """async () => {
    for (const each of document.querySelectorAll('details')) each.open = true;
    for (const each of document.querySelectorAll('.toggle-hidden .toggle-button')) each.click();
    for (const each of document.querySelectorAll('.dropdown-menu')) each.classList.add('show');
    for (const each of document.querySelectorAll('.toctree-checkbox')) each.checked = true;
    await new Promise(done => setTimeout(done, 150));
    document.getAnimations().forEach(each => each.finish());
}"""
SHIFT = """window.shift = 0; window.shifted = [];
new PerformanceObserver(list => { for (const each of list.getEntries()) if (!each.hadRecentInput) {
    window.shift += each.value;
    for (const { node, previousRect, currentRect } of each.sources) {
        const text = (node?.textContent || '').trim().slice(0, 30);
        const box = each => [each.x, each.y, each.width, each.height].map(Math.round);
        const way = `${box(previousRect)} -> ${box(currentRect)}`;
        window.shifted.push(`${each.value.toFixed(3)} ${node?.nodeName} ${text}: ${way}`);
    }
} }).observe({ type: 'layout-shift', buffered: true });"""
SCROLL = """async () => {
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
        scrollTo({ top: y, behavior: 'instant' });
        await new Promise(done => setTimeout(done, 20));
    }
    scrollTo({ top: 0, behavior: 'instant' });
}"""


def pytest_configure():
    if not PAGES:
        pytest.exit("the book is not built; run `make book`", returncode=1)
    try:
        chrome.find()
    except chrome.NoBrowser as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def browser():
    with chrome.chromium() as started:
        yield started


@pytest.fixture(scope="session")
def poor_browser(browser, tmp_path_factory):
    """A browser on a machine that has one family of fonts, and a wide one: DejaVu, which Matplotlib brings along."""
    folder = tmp_path_factory.mktemp("fonts")
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    settings = folder / "fonts.conf"
    settings.write_text(f"<fontconfig><dir>{own}</dir><cachedir>{folder}</cachedir></fontconfig>")
    started = browser.browser_type.launch(**chrome.options(), env=os.environ | {"FONTCONFIG_FILE": str(settings)})
    yield started
    started.close()


@pytest.fixture(scope="session")
def site():
    with chrome.serve(HTML) as address:
        yield address


class Visit:
    """A page opened with an empty cache, and what it asked for and complained about."""

    def __init__(
        self,
        browser,
        site,
        page,
        *,
        scheme="light",
        stored=None,
        width=1280,
        height=900,
        scripts=True,
        motion="no-preference",
        touch=False,
        extra="",
        late="",
    ):
        self.site, self.page = site, page
        self.context = browser.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
            reduced_motion=motion,
            has_touch=touch,
            service_workers="block",
            accept_downloads=False,
        )
        if scripts:
            keep = (
                f"localStorage.setItem('mode', '{stored}'); localStorage.setItem('theme', '{stored}');"
                if stored
                else ""
            )
            self.context.add_init_script(SHIFT + keep + extra)
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(60_000)
        self.complaints, self.foreign, self.failed, self.sizes = [], [], [], {}
        self.tab.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        wire = self.context.new_cdp_session(self.tab)
        wire.send("Network.enable")
        wire.on("Network.requestWillBeSent", self.asked)
        wire.on("Network.responseReceived", self.answered)
        wire.on("Network.loadingFinished", lambda event: self.arrived(event["requestId"], event["encodedDataLength"]))
        wire.on(
            "Network.loadingFailed",
            lambda event: (
                self.failed.append(f"{event['errorText']} {self.sizes.get(event['requestId'], ['?'])[0]}")
                if not event.get("canceled")
                else None
            ),
        )
        held, painted = [], False
        if late:  # files that come when the page has been painted without them
            self.context.route(late, lambda route: route.continue_() if painted else held.append(route))
        answer = self.tab.goto(site + page, wait_until="commit" if late else "load")
        self.status = answer.status
        if late:
            self.tab.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
            painted = True
            for each in held:
                each.continue_()
            self.tab.wait_for_load_state("load")
        self.run("() => document.fonts.ready.then(() => true)")

    def asked(self, event):
        address = event["request"]["url"]
        if address.startswith(("data:", "blob:", "about:")):
            return
        self.sizes[event["requestId"]] = [address, 0]
        if not address.startswith(self.site):
            self.foreign.append(address)

    def answered(self, event):
        if event["response"]["status"] >= 400:
            self.failed.append(f"{event['response']['status']} {event['response']['url']}")

    def arrived(self, request, size):
        if request in self.sizes:
            self.sizes[request][1] += size

    @property
    def kb(self):
        """Kilobytes on the wire so far, headers included."""
        return sum(size for _, size in self.sizes.values()) / 1000

    def run(self, script, argument=None):
        return self.tab.evaluate(script, argument)

    def open_everything(self):
        self.run(OPEN)

    def scroll_through(self):
        self.run(SCROLL)
        self.tab.wait_for_load_state("networkidle")

    def focused(self):
        """The element that has the focus, as a short text."""
        return self.run("() => { const e = document.activeElement; return e ? e.outerHTML.slice(0, 200) : '' }")

    def faults(self):
        return (
            [f"asked another host: {each}" for each in self.foreign]
            + [f"console: {each}" for each in self.complaints]
            + [f"request: {each}" for each in self.failed]
        )


@pytest.fixture
def visit(request, browser, site):
    opened = []

    def start(page, *, poor=False, **options):
        opened.append(Visit(request.getfixturevalue("poor_browser") if poor else browser, site, page, **options))
        return opened[-1]

    yield start
    faults = [fault for each in opened for fault in each.faults()]
    for each in opened:
        each.context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture(params=PAGES)
def page(request):
    return request.param
