"""Interactive figures in a real browser: the numbers of NumPy, the keyboard, both themes, a phone, and scripts off."""

import re
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from bnutils import evidence, interactive, plots
from bnutils.scratch import norm, running
from press import browser as chrome

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "press/static/interactive"
CHAPTERS = {
    "transform": "chapters/algorithm/the-transform.html",
    "backpropagation": "chapters/algorithm/backpropagation.html",
    "running": "chapters/algorithm/training-and-inference.html",
    "profile": "chapters/problem/deep-networks-fail.html",
}
rng = np.random.default_rng(5)
unit = rng.normal(size=256).round(3)
DATA = {
    "transform": {
        "populations": {"a unit": unit, "behind the ReLU": np.maximum(unit, 0)},
        "order": rng.integers(0, 256, 2048),
    },
    "backpropagation": {"x": rng.normal(1, 2, size=8).round(3), "gamma": 1.5, "random": rng.normal(size=8).round(2)},
    "running": {"population": rng.normal(2, 2, size=256).round(3), "order": rng.integers(0, 256, 128 * 32)},
    "profile": {
        "profiles": {
            activation: {
                scale: {
                    str(depth): {
                        side: np.sort(rng.normal(centre, 4, (3, depth)).round(3), axis=0)
                        for side, centre in (("without", -45), ("with", 0))
                    }
                    for depth in (20, 50)
                }
                for scale in ("0.1", "1", "3")
            }
            for activation in ("sigmoid", "tanh")
        }
    },
}
SETTINGS = {
    "transform": [
        {"population": "a unit", "n": 16, "batch": 0, "gamma": 1.0, "beta": 0.0, "eps": 1e-5},
        {"population": "a unit", "n": 2, "batch": 40, "gamma": -1.7, "beta": 0.4, "eps": 3.2},
        {"population": "behind the ReLU", "n": 128, "batch": 15, "gamma": 0.3, "beta": -2.0, "eps": 0.1},
    ],
    "backpropagation": [
        {"dy": np.ones(8), "eps": 1e-5},
        {"dy": rng.normal(size=8), "eps": 0.3},
        {"dy": 3 * rng.uniform(size=8), "eps": 100.0},
    ],
    "running": [
        {"momentum": 0.02, "n": 16, "steps": 100},
        {"momentum": 0.5, "n": 2, "steps": 1},
        {"momentum": 0.005, "n": 32, "steps": 128},
    ],
    "profile": [
        {"activation": "sigmoid", "scale": "1", "depth": "20"},
        {"activation": "tanh", "scale": "0.1", "depth": "50"},
        {"activation": "sigmoid", "scale": "3", "depth": "50"},
    ],
}


def bundle(figure):
    held = []
    fig, ax = plots.figure("A line rises")
    ax.plot([0, 1], [0, 1])
    with mock.patch.object(evidence, "display", held.append):
        interactive.show(f"try-{figure}", figure=figure, data=DATA[figure], alt="A line rises from 0 to 1.", static=fig)
    return held[0]["text/html"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """All figures on a page of their own, with nothing of the theme."""
    folder = tmp_path_factory.mktemp("site")
    for file in SCRIPTS.glob("*"):
        shutil.copy(file, folder)
    shutil.copy(ROOT / "node_modules/preact/dist/preact.min.umd.js", folder / "preact.js")
    scripts = "".join(f'<script defer src="{name}.js"></script>' for name in ("preact", "base", *interactive.KINDS))
    figures = "".join(map(bundle, interactive.KINDS))
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<title>Figures</title><link rel="icon" href="data:,"><link rel="stylesheet" href="interactive.css">'
        f"{scripts}<main>{figures}</main></html>",
        "utf8",
    )
    with chrome.serve(folder) as address:
        yield address


@pytest.fixture
def alone(browser, address):
    """Opens that page; one that complains, or asks for more than it is made of, fails the test."""
    opened, complaints, requests = [], [], []

    def start(**options):
        opened.append(browser.new_context(**options))
        page = opened[-1].new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield start
    for each in opened:
        each.close()
    files = ["", "interactive.css", *(f"{script}.js" for script in ("preact", "base", *interactive.KINDS))]
    made_of = {"data:,"} | {address + file for file in files}
    assert not complaints and set(requests) <= made_of and len(requests) <= len(made_of) * len(opened)


def lists(value):
    if isinstance(value, dict):
        return {key: lists(each) for key, each in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def computed(page, figure, settings):
    found = page.evaluate(
        "([figure, data, settings]) => bnInteractive.compute[figure](data, settings)",
        [figure, lists(DATA[figure]), lists(settings)],
    )
    return {name: np.asarray(value) if isinstance(value, list) else value for name, value in found.items()}


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def reached(page):
    """Every control that Tab reaches: its name, its id, and whether it can be seen to have the focus."""
    page.locator("main").evaluate("main => { main.tabIndex = -1; main.focus(); }")
    found = []
    for _ in range(40):
        page.keyboard.press("Tab")
        found.append(
            page.evaluate("""() => {
                const at = document.activeElement, style = getComputedStyle(at);
                const name = at.labels?.[0]?.textContent || at.textContent;
                const outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
                return at.closest('.bn-live') && {id: at.id, tag: at.tagName, name, outline};
            }""")
        )
        if found[-1] in found[:-1] and found[-1]:
            break  # round once
    return [each for each in found[:-1] if each]


def numbers_of(page, row):
    cells = page.locator("[data-figure=backpropagation] .bn-readout tbody tr").nth(row).locator("td").all_inner_texts()
    return [float(cell.replace("−", "-")) for cell in cells[:2]]


def use(page):
    for slider in page.locator(".bn-live input").all():
        slider.press("ArrowRight")
        slider.press("Home")
    for button in page.locator(".bn-live button").all():
        button.click()
    page.wait_for_timeout(500)  # what rests is announced; nothing must follow


def luminance(colour):
    """Relative luminance of WCAG 2.2, of a computed colour such as rgb(0, 114, 178)."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def static_alone(page, figures):
    drawings = page.locator(".bn-interactive figure.bn-figure svg")
    assert drawings.count() == figures and all(drawings.nth(i).is_visible() for i in range(figures))
    assert page.locator(".bn-live").count() == 0


def fits(page):
    page.wait_for_selector(".bn-drawing")
    use(page)
    wide = page.evaluate("""() => [...document.querySelectorAll('.bn-live, .bn-live *')].filter(each => {
        const box = each.getBoundingClientRect();
        return box.right > innerWidth + 1 || box.left < -1;
    }).map(each => each.outerHTML.slice(0, 80))""")
    assert wide == []
    small = page.evaluate("""() => [...document.querySelectorAll('.bn-live :is(input, select, button)')].filter(each =>
        each.getBoundingClientRect().height < 24).map(each => each.outerHTML.slice(0, 80))""")
    assert small == []  # WCAG 2.2, target size


class TestByItself:
    """The figures on a page that holds nothing else."""

    @pytest.fixture
    def sheet(self, alone):
        return alone()

    @pytest.mark.parametrize("settings", SETTINGS["transform"], ids=lambda each: f"N={each['n']}")
    def test_the_transform_is_that_of_numpy(self, sheet, settings):
        found = computed(sheet, "transform", settings)
        population, n = DATA["transform"]["populations"][settings["population"]], settings["n"]
        batches = population[DATA["transform"]["order"]][: 2048 // n * n].reshape(-1, n)[:64]
        x = batches[settings["batch"]][:, None]
        mean, var = norm.moments(x)
        y, _ = norm.batch_norm(x, np.full(1, settings["gamma"]), np.full(1, settings["beta"]), eps=settings["eps"])
        close(found["x"], x[:, 0])
        close(found["y"], y[:, 0])
        close([found["mean"], found["variance"], found["std"]], [mean.item(), var.item(), var.item() ** 0.5])
        close([found["meanAfter"], found["stdAfter"]], [y.mean(), y.std()])
        close(found["means"], batches.mean(1))
        close(found["stds"], batches.std(1))
        sigma = population.std()
        kurtosis = (((population - population.mean()) / sigma) ** 4).mean()
        close([found["mu"], found["sigma"], found["kurtosis"]], [population.mean(), sigma, kurtosis])
        close(found["stdOfMean"], norm.std_of_mean(n, sigma))
        close([found["meanOfStd"], found["stdOfStd"]], [norm.mean_of_std(n, sigma), norm.std_of_std(n, sigma)])
        close(found["stdOfStdLargeN"], norm.std_of_std_large_n(n, sigma, kurtosis))

    @pytest.mark.parametrize("settings", SETTINGS["backpropagation"], ids=lambda each: f"eps={each['eps']}")
    def test_backpropagation_is_that_of_numpy(self, sheet, settings):
        found = computed(sheet, "backpropagation", settings)
        x, gamma = DATA["backpropagation"]["x"][:, None], np.full(1, DATA["backpropagation"]["gamma"])
        dy, eps = settings["dy"][:, None], settings["eps"]
        _, cache = norm.batch_norm(x, gamma, np.zeros(1), eps=eps)
        dx, dgamma, dbeta = norm.batch_norm_backward(dy, cache)
        close(found["xHat"], cache[0][:, 0])
        close(found["dx"], dx[:, 0])
        close([found["dgamma"], found["dbeta"]], [dgamma.item(), dbeta.item()])

    @pytest.mark.parametrize("settings", SETTINGS["backpropagation"], ids=lambda each: f"eps={each['eps']}")
    def test_the_parts_are_those_of_the_jacobian(self, sheet, settings):
        """Eigenvalues of the Jacobian over gamma/sqrt(var + eps): 0 along ones, eps/(var + eps) along x_hat, and 1."""
        found = computed(sheet, "backpropagation", settings)
        x, eps, dy = DATA["backpropagation"]["x"], settings["eps"], settings["dy"]
        x_hat = (x - x.mean()) / np.sqrt(x.var() + eps)
        jacobian = np.eye(8) - 1 / 8 - np.outer(x_hat, x_hat) / 8
        close(found["passed"], jacobian @ dy)
        close(found["factor"], (jacobian @ x_hat / x_hat).mean())
        unit_x = (x - x.mean()) / x.std()
        for name, values in (("before", dy), ("after", jacobian @ dy)):
            rest = values - values.mean() - unit_x * (values * unit_x).mean()
            parts = found[name]
            close(
                [parts["mean"], parts["xHat"], parts["rest"]],
                [values.mean(), (values * unit_x).mean(), np.sqrt((rest**2).mean())],
            )
        close(
            [found["after"]["mean"], found["after"]["xHat"], found["after"]["rest"]],
            [0, found["before"]["xHat"] * found["factor"], found["before"]["rest"]],
        )

    @pytest.mark.parametrize("settings", SETTINGS["running"], ids=lambda each: f"momentum={each['momentum']}")
    def test_running_statistics_are_those_of_numpy(self, sheet, settings):
        found = computed(sheet, "running", settings)
        population, n, steps, momentum = (
            DATA["running"]["population"],
            settings["n"],
            settings["steps"],
            settings["momentum"],
        )
        batches = population[DATA["running"]["order"]][: n * steps].reshape(steps, n)
        layer = running.BatchNorm(1, momentum=momentum)
        kept, free = [], []
        for batch in batches:
            layer.forward(batch[:, None], True)
            kept.append([layer.running_mean[0], layer.running_var[0]])
            free.append([value[0] for value in layer.debiased()])
        close(np.stack([found["means"], found["vars"]], axis=1), kept)
        close(np.stack([found["freeMeans"], found["freeVars"]], axis=1), free)
        close(found["batchMeans"], batches.mean(1))
        close(found["batchVars"], batches.var(1, ddof=1))
        close([found["mu"], found["variance"]], [population.mean(), population.var()])
        weights = momentum * (1 - momentum) ** np.arange(steps)
        close([found["start"], found["worth"]], [1 - weights.sum(), weights.sum() ** 2 / np.square(weights).sum()])
        close(found["divided"], layer.running_var[0] / weights.sum())

    def test_momentum_one_keeps_the_last_batch_only(self, sheet):
        sheet.locator("#try-running-momentum").press("End")
        rows = sheet.locator("[data-figure=running] .bn-readout tbody tr").all_inner_texts()
        kept, free, divided, _ = (row.split("\t")[1:] for row in rows)
        assert kept == free == divided
        sheet.wait_for_function(
            "document.getElementById('try-running-said').textContent.endsWith('a plain average of 1.0 batches.')"
        )

    @pytest.mark.parametrize("settings", SETTINGS["profile"], ids=lambda each: f"{each['activation']}-{each['depth']}")
    def test_the_profile_is_that_of_numpy(self, sheet, settings):
        found = computed(sheet, "profile", settings)
        given = DATA["profile"]["profiles"][settings["activation"]][settings["scale"]][settings["depth"]]
        for side, rows in given.items():
            _, median, _ = rows
            close([found[side]["low"], found[side]["median"], found[side]["high"]], rows)
            close(
                [found[side]["first"], found[side]["last"], found[side]["ratio"]],
                [median[0], median[-1], median[0] - median[-1]],
            )
            slope = np.log(10.0 ** median[0] / 10.0 ** median[-1]) / (len(median) - 1)
            close(found[side]["step"], np.exp(slope))
            assert found[side]["lost"] == (median < -45).sum()
        assert found["without"]["lost"] > found["with"]["lost"] == 0

    def test_a_choice_changes_the_profile(self, sheet):
        for control, option in (("activation", "tanh"), ("scale", "3"), ("depth", "50")):
            before = sheet.locator("[data-figure=profile] .bn-readout").inner_text()
            sheet.locator(f"#try-profile-{control}").select_option(option)
            assert sheet.locator("[data-figure=profile] .bn-readout").inner_text() != before
        sheet.wait_for_function(
            "document.getElementById('try-profile-said').textContent.startsWith('50 tanh layers, weights at scale 3.')"
        )

    def test_the_figure_takes_the_place_of_the_static_one(self, sheet):
        sheet.wait_for_function(
            f"document.querySelectorAll('.bn-running .bn-drawing').length >= {len(interactive.KINDS)}"
        )
        for figure in interactive.KINDS:
            place = sheet.locator(f"[data-figure={figure}]")
            assert (
                place.locator(".bn-drawing").first.is_visible()
                and not place.locator("figure.bn-figure svg").is_visible()
            )
        sheet.emulate_media(media="print")
        assert (
            sheet.locator("figure.bn-figure svg").first.is_visible()
            and not sheet.locator(".bn-live").first.is_visible()
        )

    def test_without_scripts_or_style_it_is_the_static_figure(self, alone):
        static_alone(alone(java_script_enabled=False), len(interactive.KINDS))

    @pytest.mark.parametrize("width", [320, 390])
    def test_a_phone_needs_no_sideways_scrolling(self, alone, width):
        page = alone(viewport={"width": width, "height": 844}, has_touch=True, is_mobile=True)
        fits(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width

    def test_a_figure_that_cannot_start_leaves_the_static_one(self, browser, address):
        context = browser.new_context()
        sheet = context.new_page()
        sheet.route(
            "**/transform.js",
            lambda route: route.fulfill(
                body='bnInteractive.define("transform", {start() { throw new Error("planted"); }})',
                content_type="text/javascript",
            ),
        )
        sheet.goto(address)
        sheet.wait_for_selector("[data-figure=running] .bn-drawing")
        assert sheet.locator("[data-figure=transform] figure.bn-figure svg").is_visible()
        assert sheet.locator("[data-figure=transform] .bn-live").count() == 0
        assert sheet.locator("[data-figure=backpropagation] .bn-drawing").first.is_visible()
        context.close()

    def test_every_control_is_reached_by_tab_named_and_seen(self, sheet):
        found = reached(sheet)
        assert len(found) == 6 + 4 + 9 + 3 + 3
        assert all(each["name"].strip() and each["outline"] for each in found)
        assert len({each["id"] for each in found if each["tag"] != "BUTTON"}) == 6 + 9 + 3 + 3

    def test_arrow_keys_change_what_is_shown(self, sheet):
        before = sheet.locator(".bn-readout").first.inner_text()
        for control, key, shown in (
            ("n", "ArrowRight", "24"),
            ("batch", "ArrowRight", "2 of 64"),
            ("gamma", "ArrowDown", "0.9"),
            ("beta", "ArrowUp", "0.1"),
            ("eps", "End", "100"),
        ):
            slider = sheet.locator(f"#try-transform-{control}")
            slider.press(key)
            assert sheet.locator(f"#try-transform-{control}-shown").inner_text() == shown
            assert slider.get_attribute("aria-valuetext") == shown
            after = sheet.locator(".bn-readout").first.inner_text()
            assert after != before, control
            before = after
        sheet.locator("#try-transform-population").select_option("behind the ReLU")
        assert sheet.locator(".bn-readout").first.inner_text() != before

    def test_a_larger_batch_leaves_fewer_batches_to_choose_from(self, sheet):
        sheet.locator("#try-transform-batch").press("End")
        assert sheet.locator("#try-transform-batch-shown").inner_text() == "64 of 64"
        sheet.locator("#try-transform-n").press("End")
        assert sheet.locator("#try-transform-batch-shown").inner_text() == "16 of 16"
        sheet.locator("#try-transform-n").press("Home")
        assert sheet.locator("#try-transform-batch-shown").inner_text() == "16 of 64"

    def test_a_change_is_announced_once_it_rests(self, sheet):
        said = sheet.locator("#try-transform-said")
        assert said.get_attribute("aria-live") == "polite" and said.get_attribute("role") == "status"
        sheet.wait_for_function(
            "document.getElementById('try-transform-said').textContent.startsWith('A batch of 16:')"
        )
        sheet.evaluate("""() => { window.times = 0;
            new MutationObserver(() => { window.times += 1; }).observe(document.getElementById('try-transform-said'),
                {subtree: true, characterData: true, childList: true}); }""")
        sheet.clock.install()
        for _ in range(4):
            sheet.locator("#try-transform-n").press("ArrowLeft")
            sheet.clock.run_for(250)
        assert sheet.evaluate("times") == 0
        sheet.clock.run_for(250)
        assert sheet.evaluate("times") == 1 and said.inner_text().startswith("A batch of 4:")
        sheet.clock.resume()
        sheet.locator("#try-backpropagation-dy-1").press("End")
        sheet.wait_for_function(
            "document.getElementById('try-backpropagation-said').textContent.startsWith('The mean goes from')"
        )
        # sliders read themselves out; an output is a live region by birth
        assert sheet.locator(".bn-live output:not([aria-live=off])").count() == 0

    def test_presets_show_what_is_lost(self, sheet):
        press = sheet.get_by_role("button", name="all ones")
        press.click()
        assert [numbers_of(sheet, row) for row in range(3)] == [[1, 0], [0, 0], [0, 0]]
        sheet.get_by_role("button", name="x̂").click()
        assert [numbers_of(sheet, row) for row in range(3)] == [[0, 0], [1, 0], [0, 0]]
        sheet.locator("#try-backpropagation-eps").press("End")
        assert numbers_of(sheet, 1)[1] > 0.9
        sheet.get_by_role("button", name="random").click()
        before, after = numbers_of(sheet, 2)
        assert before == after > 0.1

    def test_a_point_follows_the_pointer(self, sheet):
        handle = sheet.locator(".bn-handle").first
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        sheet.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        sheet.mouse.down()
        sheet.mouse.move(box["x"] + 40, box["y"] - 500, steps=3)
        sheet.mouse.up()
        assert sheet.locator("#try-backpropagation-dy-1-shown").inner_text() == "3.00"
        box = handle.bounding_box()
        sheet.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 5)  # over the point, not pressed
        assert sheet.locator("#try-backpropagation-dy-1-shown").inner_text() == "3.00"

    def test_use_asks_for_nothing_and_complains_of_nothing(self, sheet):
        use(sheet)  # `alone` holds it to that

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_nothing(self, alone, scheme):
        page = alone(color_scheme=scheme)
        page.wait_for_selector(".bn-said:not(:empty)")
        page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text("utf8"))
        found = page.evaluate(
            "axe.run('.bn-interactive').then(found => found.violations.map(each => [each.id, each.nodes[0].html]))"
        )
        assert found == []

    def test_nothing_moves_by_itself(self, sheet):
        use(sheet)
        assert sheet.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("figure", CHAPTERS)
def test_the_static_figure_stands_where_scripts_are_off(visit, figure):
    static_alone(visit(CHAPTERS[figure], scripts=False).tab, 1)


@pytest.mark.parametrize("figure", CHAPTERS)
def test_it_fits_a_phone(visit, figure):
    fits(visit(CHAPTERS[figure], width=390, height=844, touch=True).tab)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("figure", CHAPTERS)
def test_text_and_shapes_stand_out_in_both_themes(visit, theme, figure):
    page = visit(CHAPTERS[figure], scheme=theme).tab
    page.wait_for_selector(".bn-said:not(:empty)")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    found = page.evaluate("""() => {
        const live = document.querySelector('.bn-live'), colours = {text: new Set(), shapes: new Set()};
        let at = live;
        while (at && /, 0\\)|transparent/.test(getComputedStyle(at).backgroundColor)) at = at.parentElement;
        for (const each of live.querySelectorAll('*')) {
            const style = getComputedStyle(each);
            if (['text', 'tspan'].includes(each.tagName)) colours.text.add(style.fill);
            else if (each.matches('circle:is(.bn-before, .bn-after), .bn-bracket line'))
                colours.shapes.add(style.stroke);
            else if ([...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
                colours.text.add(style.color);
        }
        return {page: getComputedStyle(at).backgroundColor, text: [...colours.text], shapes: [...colours.shapes]};
    }""")
    assert (luminance(found["page"]) < 0.2) == (theme == "dark")
    assert found["text"] and min(contrast(each, found["page"]) for each in found["text"]) >= 4.5
    assert len(found["shapes"]) == 2 and min(contrast(each, found["page"]) for each in found["shapes"]) >= 3


@pytest.mark.parametrize("figure", CHAPTERS)
def test_the_static_figure_starts_where_the_interactive_one_does(visit, figure):
    """What the chapter computed with NumPy for its static figure is what the page shows at first."""
    page = visit(CHAPTERS[figure]).tab
    page.wait_for_selector(".bn-said:not(:empty)")
    alt = page.locator(f"[data-figure={figure}] figure.bn-figure svg").get_attribute("aria-label")
    said = page.locator(f"[data-figure={figure}] .bn-live").inner_text().replace("−", "-")
    quoted = set(re.findall(r"-?\d+\.\d\d\b", alt.replace("−", "-")))
    assert len(quoted) >= 2 and quoted <= set(re.findall(r"-?\d+\.\d\d\b", said))
