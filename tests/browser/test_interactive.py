"""Interactive figures in a real browser: the numbers of NumPy, the address, keys and pointer, both themes, a phone, and
scripts off."""

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
STYLES = ("colour", "figures")
CHAPTERS = {
    "transform": "chapters/algorithm/the-transform.html",
    "backpropagation": "chapters/algorithm/backpropagation.html",
    "running": "chapters/algorithm/training-and-inference.html",
    "profile": "chapters/evidence/signal-propagation.html",
}
rng = np.random.default_rng(5)
unit = rng.normal(size=256).round(3)


def recorded(steps, bins):
    """What one layer left at every step of a training, made up."""
    drift = {"without": 0.2, "with": 0.02}
    values = {side: rng.normal(size=(steps, 200)) + np.arange(steps)[:, None] * each for side, each in drift.items()}
    edges = np.linspace(-4, 12, bins + 1)
    return {
        "edges": edges,
        "counts": {
            side: np.stack([np.histogram(row.clip(-4, 12), edges)[0] for row in each]) for side, each in values.items()
        },
        "percentiles": {side: np.percentile(each, (15, 50, 85), axis=1).T.round(2) for side, each in values.items()},
        "shift": {side: np.exp(rng.normal(size=steps)).round(3) for side in values},
    }


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
            for activation in ("sigmoid", "tanh", "ReLU")
        }
    },
    "batch": {"values": unit, "order": rng.integers(0, 256, 1024)},
    "scrub": {"steps": (np.arange(40) ** 2 * 2), "layers": {name: recorded(40, 12) for name in ("layer 2", "layer 5")}},
}
SETTINGS = {
    "transform": [
        {"population": "a unit", "n": 16, "batch": 0, "x1": None, "gamma": 1.0, "beta": 0.0, "eps": 1e-5},
        {"population": "a unit", "n": 2, "batch": 40, "x1": 4.5, "gamma": -1.7, "beta": 0.4, "eps": 3.2},
        {"population": "behind the ReLU", "n": 128, "batch": 15, "x1": None, "gamma": 0.3, "beta": -2.0, "eps": 0.1},
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
    "batch": [{"n": 16, "batch": 0, "x1": None}, {"n": 64, "batch": 3, "x1": None}, {"n": 2, "batch": 63, "x1": -4.2}],
    "scrub": [{"layer": "layer 2", "at": 0}, {"layer": "layer 5", "at": 27}, {"layer": "layer 2", "at": 39}],
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
    for file in (*SCRIPTS.glob("*"), *(ROOT / "press/static" / f"{name}.css" for name in STYLES)):
        shutil.copy(file, folder)
    shutil.copy(ROOT / "node_modules/preact/dist/preact.min.umd.js", folder / "preact.js")
    scripts = "".join(f'<script defer src="{name}.js"></script>' for name in ("preact", "base", *interactive.KINDS))
    styles = "".join(f'<link rel="stylesheet" href="{name}.css">' for name in (*STYLES, "interactive"))
    figures = "".join(map(bundle, interactive.KINDS))
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<title>Figures</title><link rel="icon" href="data:,">'
        f"{styles}{scripts}<main>{figures}</main></html>",
        "utf8",
    )
    with chrome.serve(folder) as address:
        yield address


@pytest.fixture
def alone(browser, address):
    """Opens that page; one that complains, or asks for more than it is made of, fails the test."""
    opened, complaints, requests = [], [], []

    def start(query="", **options):
        opened.append(browser.new_context(**options))
        page = opened[-1].new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address + query)
        return page

    yield start
    for each in opened:
        each.close()
    files = [
        "",
        *(f"{style}.css" for style in (*STYLES, "interactive")),
        *(f"{script}.js" for script in ("preact", "base", *interactive.KINDS)),
    ]
    made_of = {"data:,"} | {address + file for file in files}
    asked = {request.partition("?")[0] for request in requests}
    assert not complaints and asked <= made_of and len(requests) <= len(made_of) * len(opened)


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
    for _ in range(120):
        page.keyboard.press("Tab")
        found.append(
            page.evaluate("""() => {
                const at = document.activeElement;
                const name = at.getAttribute('aria-label') || at.labels?.[0]?.textContent || at.textContent;
                const style = each => getComputedStyle(each || document.body), reach = at.querySelector('.bn-reach');
                const lit = each => style(each).outlineStyle !== 'none' && parseFloat(style(each).outlineWidth) >= 2;
                const ringed = reach && style(reach).stroke !== 'none' && parseFloat(style(reach).strokeWidth) >= 2;
                const figure = at.closest('.bn-interactive')?.dataset.figure;
                return at.closest('.bn-live') && {id: at.id, tag: at.tagName, name, figure,
                    outline: lit(at) || lit(at.nextElementSibling) || ringed};
            }""")
        )
        if found[-1] in found[:-1] and found[-1]:
            break  # round once
    return [each for each in found[:-1] if each]


def numbers_of(page, row):
    cells = (
        page.locator("[data-figure=backpropagation] .bn-readout tbody tr").nth(row).locator("td").all_text_contents()
    )
    return [float(cell.replace("−", "-")) for cell in cells[:2]]


def use(page):
    page.evaluate("document.querySelectorAll('.bn-more').forEach(each => { each.open = true; })")
    for slider in page.locator(".bn-live input[type=range], .bn-handle").all():
        slider.press("ArrowRight")
        slider.press("Home")
    for button in page.locator(".bn-live button").all():
        button.click()
    page.wait_for_timeout(500)  # what rests is announced; nothing must follow


# texts of one drawing whose boxes lie on one another, or beyond the drawing
OVERLAPS = """() => [...document.querySelectorAll('.bn-live .bn-drawing')].flatMap(drawing => {
    const frame = drawing.getBoundingClientRect();
    const words = [...drawing.querySelectorAll('text')].map(each => [each.textContent, each.getBoundingClientRect()]);
    const bad = words.filter(([, a]) => a.left < frame.left - 1 || a.right > frame.right + 1
        || a.top < frame.top - 4 || a.bottom > frame.bottom + 4).map(([word]) => `${word} leaves the drawing`);
    words.forEach(([one, a], i) => words.slice(i + 1).forEach(([two, b]) => {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        if (across > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3) bad.push(`${one} on ${two}`);
    }));
    return bad;
})"""


def running_all(page):
    page.wait_for_function(f"document.querySelectorAll('.bn-running').length === {len(interactive.KINDS)}")


def said(page, figure):
    return page.locator(f"[data-figure={figure}] .bn-said").inner_text()


def shown(page, figure):
    """All that the drawing and the sentence of a figure show, as text."""
    return page.locator(f"[data-figure={figure}] .bn-drawings").inner_html() + said(page, figure)


def luminance(colour):
    """Relative luminance of WCAG 2.2, of a computed colour such as rgb(0, 114, 178)."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


STATIC = """() => [...document.querySelectorAll('.bn-interactive figure.bn-figure')].map(figure =>
    [...figure.querySelectorAll('.bn-panels svg')].some(drawing => drawing.checkVisibility()))"""


def static_alone(page, figures):
    """Nothing but the static figures of a page; `figures` says how many, at least."""
    shown = page.evaluate(STATIC)
    assert all(shown) and len(shown) >= figures
    assert page.locator(".bn-live").count() == 0


def fits(page):
    page.wait_for_selector(".bn-drawing")
    use(page)
    wide = page.evaluate("""() => [...document.querySelectorAll('.bn-live, .bn-live *')].filter(each => {
        const box = each.getBoundingClientRect();
        return box.right > innerWidth + 1 || box.left < -1;
    }).map(each => each.outerHTML.slice(0, 80))""")
    assert wide == []
    small = page.evaluate("""() => [...document.querySelectorAll('.bn-live :is(input, button, .bn-reach)')]
        .filter(each => each.getBoundingClientRect().height < 24).map(each => each.outerHTML.slice(0, 80))""")
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
        batches = population[DATA["transform"]["order"]][: 2048 // n * n].reshape(-1, n)[:64].copy()
        x = batches[settings["batch"]][:, None]
        if settings["x1"] is not None:
            x = np.vstack([[settings["x1"]], x[1:]])
            batches[settings["batch"]] = x[:, 0]
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
        rows = sheet.locator("[data-figure=running] .bn-readout tbody tr").all()
        kept, free, divided, _ = (row.locator("td").all_text_contents() for row in rows)
        assert kept == free == divided

    @pytest.mark.parametrize("settings", SETTINGS["batch"], ids=lambda each: f"N={each['n']}")
    def test_a_batch_is_that_of_numpy(self, sheet, settings):
        found = computed(sheet, "batch", settings)
        values, order, n = DATA["batch"]["values"], DATA["batch"]["order"], settings["n"]
        x = values[order].reshape(-1, n)[settings["batch"] % (1024 // n)][:, None].copy()
        x[0] = x[0] if settings["x1"] is None else settings["x1"]
        y, _ = norm.batch_norm(x, np.ones(1), np.zeros(1))
        close(found["x"], x[:, 0])
        close(found["y"], y[:, 0])
        close(
            [found["mean"], found["std"], found["meanAfter"], found["stdAfter"]], [x.mean(), x.std(), y.mean(), y.std()]
        )

    @pytest.mark.parametrize("settings", SETTINGS["scrub"], ids=lambda each: f"at={each['at']}")
    def test_a_scrubbed_training_is_that_of_numpy(self, sheet, settings):
        found, at = computed(sheet, "scrub", settings), settings["at"]
        given = DATA["scrub"]["layers"][settings["layer"]]
        assert found["step"] == DATA["scrub"]["steps"][at]
        for side in ("without", "with"):
            rows = given["percentiles"][side]
            close(found[side]["counts"], given["counts"][side][at])
            close(found[side]["now"], rows[at])
            close(found[side]["full"], np.median(given["counts"][side].max(axis=1)))
            width = (rows[:, 2] - rows[:, 0]).mean()
            close(found[side]["away"], (rows[at, 1] - rows[0, 1]) / width)
            moves = np.abs(np.diff(rows, axis=0)).max(axis=1) / width
            close(found[side]["move"], [0, *moves])

    def test_the_questions_go_where_the_input_is_farthest_and_where_the_gradients_differ_most(self, sheet):
        figure = sheet.locator("[data-figure=scrub]")
        given, steps = DATA["scrub"]["layers"]["layer 2"], DATA["scrub"]["steps"]
        figure.get_by_role("button", name="Where is the input farthest from its start?").click()
        median = given["percentiles"]["without"][:, 1]
        assert said(sheet, "scrub").startswith(f"Step {steps[np.abs(median - median[0]).argmax()]}.")
        apart = np.abs(np.log(given["shift"]["with"] / given["shift"]["without"]))
        figure.get_by_role("button", name="Where do the gradients differ most?").click()
        assert said(sheet, "scrub").startswith(f"Step {steps[apart.argmax()]}.")

    def test_a_median_that_has_fallen_says_so(self, sheet):
        figure = sheet.locator("[data-figure=scrub]")
        median = DATA["scrub"]["layers"]["layer 2"]["percentiles"]["without"][:, 1]
        figure.get_by_role("button", name="Where is the input farthest from its start?").click()
        fallen = median[np.abs(median - median[0]).argmax()] < median[0]
        assert (" (down) without BN" in said(sheet, "scrub")) == fallen

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
            before = shown(sheet, "profile")
            sheet.locator(f"[data-figure=profile] fieldset:has([name=try-profile-{control}])").get_by_label(
                option, exact=True
            ).check()
            assert shown(sheet, "profile") != before
        assert said(sheet, "profile").startswith("50 tanh layers, weights at scale 3.")

    def test_the_figure_takes_the_place_of_the_static_one(self, sheet):
        running_all(sheet)
        assert sheet.evaluate(STATIC) == [False] * len(interactive.KINDS)
        assert all(each.is_visible() for each in sheet.locator(".bn-drawings").all())
        sheet.emulate_media(media="print")
        assert sheet.evaluate(STATIC) == [True] * len(interactive.KINDS)
        assert not any(each.is_visible() for each in sheet.locator(".bn-live").all())

    def test_title_drawing_sentence_three_controls_and_the_rest_folded(self, sheet):
        running_all(sheet)
        for figure in interactive.KINDS:
            place = sheet.locator(f"[data-figure={figure}]")
            parts = (".bn-figure-title", ".bn-drawings", ".bn-said", ".bn-board", ".bn-more", "figcaption")
            tops = [place.locator(part).bounding_box()["y"] for part in parts]
            assert tops == sorted(tops)
            seen = place.locator(".bn-board .bn-controls > *")
            assert 1 <= seen.count() <= 3 and all(each.is_visible() for each in seen.all())
            assert place.locator(".bn-ask").count() >= 2
            assert not place.locator(".bn-more > :not(summary)").first.is_visible()

    def test_a_question_is_a_setting_and_reset_undoes_it(self, sheet):
        for figure in interactive.KINDS:
            place = sheet.locator(f"[data-figure={figure}]")
            start, seen = shown(sheet, figure), set()
            for ask in place.locator(".bn-ask").all():
                ask.click()
                assert ask.get_attribute("aria-pressed") == "true"
                assert place.locator(".bn-ask[aria-pressed=true]").count() == 1
                seen.add(shown(sheet, figure))
            assert len(seen) == place.locator(".bn-ask").count() and start not in seen
            place.get_by_role("button", name="Reset").click()
            assert shown(sheet, figure) == start
            assert place.locator(".bn-ask[aria-pressed=true]").count() == 0

    def test_a_copied_address_shows_the_same(self, alone, sheet):
        for figure in interactive.KINDS:
            sheet.locator(f"[data-figure={figure}] .bn-ask").first.click()
        sheet.locator("[data-figure=backpropagation] .bn-handle").nth(2).press("PageUp")
        sheet.wait_for_function(
            "location.search.includes('try-scrub.') && location.hash === '#fig-try-backpropagation'"  # all have rested
        )
        copied = sheet.evaluate("location.search + location.hash")
        assert re.fullmatch(r"[\w?&=#.~%+-]+", copied)
        other = alone(copied)
        running_all(other)
        for figure in interactive.KINDS:
            assert shown(other, figure) == shown(sheet, figure), figure
        assert other.evaluate("document.querySelector('#fig-try-backpropagation').getBoundingClientRect().top") < 300
        for figure in interactive.KINDS:
            other.locator(f"[data-figure={figure}]").get_by_role("button", name="Reset").click()
        other.wait_for_function("location.search === ''")

    def test_an_address_of_nonsense_shows_the_start(self, alone, sheet):
        query = "?try-transform.n=7&try-transform.gamma=9&try-backpropagation.dy=1_2&try-scrub.at=&a=b"
        other = alone(query + "#fig-try-running")
        running_all(other)
        running_all(sheet)
        for figure in interactive.KINDS:
            assert shown(other, figure) == shown(sheet, figure)
        other.locator("#try-transform-n").press("End")
        other.wait_for_function("location.search.includes('try-transform.n=128') && location.search.includes('a=b')")
        assert "gamma" not in other.evaluate("location.search")

    def test_words_do_not_overlap_and_can_be_read_on_a_phone(self, alone):
        for width in (1440, 390):
            page = alone(viewport={"width": width, "height": 900})
            running_all(page)
            for ask in [None, *page.locator(".bn-ask").all()]:
                if ask:
                    ask.click()
                assert page.evaluate(OVERLAPS) == [], (width, ask and ask.inner_text())
        sizes = page.evaluate("""() => [...document.querySelectorAll('.bn-live *')]
            .filter(each => [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
            .filter(each => each.checkVisibility())
            .map(each => {
                const drawing = each.ownerSVGElement;
                const shrunk = drawing ? drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width : 1;
                return parseFloat(getComputedStyle(each).fontSize) * shrunk;
            })""")
        assert min(sizes) >= 11

    def test_what_can_be_dragged_is_a_slider_for_keys(self, sheet):
        running_all(sheet)
        sheet.evaluate("document.addEventListener('keydown', () => { window.escaped = true; })")
        for figure in interactive.KINDS:
            handle = sheet.locator(f"[data-figure={figure}] .bn-handle").first
            low, high = (float(handle.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
            found = {}
            for key in ("Home", "ArrowRight", "PageUp", "End"):
                handle.press(key)
                found[key] = float(handle.get_attribute("aria-valuenow"))
            assert low == found["Home"] < found["ArrowRight"] < found["PageUp"] < found["End"] == high
            assert handle.get_attribute("role") == "slider" and handle.get_attribute("aria-valuetext")
            assert handle.evaluate("each => getComputedStyle(each).cursor") in ("ew-resize", "ns-resize")
        assert not sheet.evaluate("window.escaped")  # an arrow key would turn the page

    def test_what_plays_goes_on_by_itself_and_stops(self, sheet):
        sheet.clock.install()
        figure = sheet.locator("[data-figure=scrub]")
        figure.locator(".bn-handle").press("Home")
        start = said(sheet, "scrub")
        figure.get_by_role("button", name="Play").click()
        sheet.clock.run_for(1000)
        assert said(sheet, "scrub") != start
        figure.get_by_role("button", name="Pause").click()
        paused = said(sheet, "scrub")
        sheet.clock.run_for(1000)
        assert said(sheet, "scrub") == paused
        figure.get_by_role("button", name="Play").click()
        sheet.clock.run_for(20_000)
        assert said(sheet, "scrub").startswith(f"Step {DATA['scrub']['steps'][-1]}.")
        assert figure.get_by_role("button", name="Play").is_visible()  # at the end it has stopped

    def test_nothing_plays_where_less_motion_is_asked_for(self, alone):
        page = alone(reduced_motion="reduce")
        page.wait_for_selector("[data-figure=scrub] .bn-drawings")
        assert page.locator("[data-figure=scrub]").get_by_role("button", name="Play").count() == 0

    def test_the_next_paint_after_an_input_is_measured(self, sheet, record_property):
        """Milliseconds from an input to the next paint, as the browser itself reports them: printed, not judged."""
        sheet.evaluate("""() => { window.took = [];
            const keep = list => window.took.push(...list.getEntries().map(each => [each.name, each.duration]));
            new PerformanceObserver(keep).observe({type: 'event', durationThreshold: 16}); }""")
        for handle in sheet.locator(".bn-handle").all()[:16]:
            for key in ["ArrowLeft"] * 5:
                handle.press(key)
        for slider in sheet.locator(".bn-board input[type=range]").all():
            for key in ["ArrowRight"] * 5:
                slider.press(key)
        sheet.wait_for_timeout(600)
        took = [duration for name, duration in sheet.evaluate("took") if name == "keydown"]
        report = f"{len(took)} inputs took 16 ms or more to paint, the longest {max(took, default=0):.0f} ms"
        record_property("next_paint", report)
        print(report)
        assert sheet.evaluate("PerformanceObserver.supportedEntryTypes.includes('event')")

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
                body='bnInteractive.define("transform", {settings() { throw new Error("planted"); }})',
                content_type="text/javascript",
            ),
        )
        sheet.goto(address)
        sheet.wait_for_selector("[data-figure=running] .bn-drawing")
        assert sheet.evaluate(STATIC)[list(interactive.KINDS).index("transform")]
        assert sheet.locator("[data-figure=transform] .bn-live").count() == 0
        assert sheet.locator("[data-figure=backpropagation] .bn-drawing").first.is_visible()
        context.close()

    def test_every_control_is_reached_by_tab_named_and_seen(self, sheet):
        running_all(sheet)
        found = reached(sheet)
        assert [each for each in found if not (each["name"].strip() and each["outline"])] == []
        stops = "button, summary, .bn-handle, input[type=range], fieldset"  # a group of choices is one stop
        seen = (
            "stops => [...document.querySelectorAll(`.bn-live :is(${stops})`)].filter(each => each.checkVisibility())"
        )
        wanted = sheet.evaluate(seen + ".length", stops)
        assert len(found) == wanted > 40

    def test_arrow_keys_change_what_is_shown(self, sheet):
        sheet.locator("[data-figure=transform] summary").click()
        for control, key, text in (
            ("n", "ArrowRight", "24"),
            ("gamma", "ArrowDown", "0.9"),
            ("beta", "ArrowUp", "0.1"),
            ("eps", "End", "100"),
        ):
            before = shown(sheet, "transform")
            slider = sheet.locator(f"#try-transform-{control}")
            slider.press(key)
            assert sheet.locator(f"#try-transform-{control}-shown").inner_text() == text
            assert slider.get_attribute("aria-valuetext") == text
            assert shown(sheet, "transform") != before, control
        before = shown(sheet, "transform")
        sheet.get_by_label("behind the ReLU").check()
        assert shown(sheet, "transform") != before

    def test_a_larger_batch_leaves_fewer_batches(self, sheet):
        caption = sheet.locator("[data-figure=transform] .bn-readout caption")
        assert caption.text_content().startswith("Batch 1 of 64;")
        for _ in range(16):
            sheet.locator("[data-figure=transform]").get_by_role("button", name="New batch").click()
        assert caption.text_content().startswith("Batch 17 of 64;")
        sheet.locator("#try-transform-n").press("End")
        assert caption.text_content().startswith("Batch 1 of 16;")

    def test_a_change_is_announced_once_it_rests(self, sheet):
        heard = sheet.locator("[data-figure=transform] .bn-heard")
        assert heard.get_attribute("role") == "status" and heard.text_content() == ""
        sheet.evaluate("""() => { window.times = 0;
            const heard = document.querySelector('[data-figure=transform] .bn-heard');
            new MutationObserver(() => { window.times += 1; }).observe(heard,
                {subtree: true, characterData: true, childList: true}); }""")
        sheet.clock.install(time=0)
        sheet.clock.pause_at(1000)
        for _ in range(4):
            sheet.locator("#try-transform-n").press("ArrowLeft")
            sheet.clock.run_for(250)
        assert sheet.evaluate("times") == 0 and said(sheet, "transform").startswith("A batch of 4 ")
        sheet.clock.run_for(250)
        assert sheet.evaluate("times") == 1 and heard.text_content().startswith("A batch of 4 ")
        sheet.clock.resume()
        # sliders read themselves out; an output is a live region by birth
        assert sheet.locator(".bn-live output:not([aria-live=off])").count() == 0

    def test_questions_show_what_is_lost(self, sheet):
        sheet.get_by_role("button", name="What if all images pull alike?").click()
        assert [numbers_of(sheet, row) for row in range(3)] == [[1, 0], [0, 0], [0, 0]]
        sheet.get_by_role("button", name="What if they pull along x̂?").click()
        assert [numbers_of(sheet, row) for row in range(3)] == [[0, 0], [1, 0], [0, 0]]
        sheet.locator("#try-backpropagation-eps").press("End")
        assert numbers_of(sheet, 1)[1] > 0.9
        sheet.locator("[data-figure=backpropagation]").get_by_role("button", name="Reset").click()
        before, after = numbers_of(sheet, 2)
        assert before == after > 0.1

    def test_an_outlier_presses_the_others_together(self, sheet):
        width = """() => {
            const circles = [...document.querySelectorAll('[data-figure=batch] circle.bn-with')].slice(1);
            const y = circles.map(each => Number(each.getAttribute('cx')));
            return Math.max(...y) - Math.min(...y);
        }"""
        sheet.wait_for_selector("[data-figure=batch] .bn-ask")
        before = sheet.evaluate(width)
        sheet.locator("[data-figure=batch]").get_by_role("button", name="What if one value is an outlier?").click()
        assert sheet.evaluate(width) < 0.9 * before

    def test_a_handle_follows_the_pointer(self, sheet):
        handle = sheet.locator("[data-figure=backpropagation] .bn-handle").first
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        sheet.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        sheet.mouse.down()
        sheet.mouse.move(box["x"] + 40, box["y"] - 500, steps=3)
        sheet.mouse.up()
        assert handle.get_attribute("aria-valuenow") == "3"
        box = handle.bounding_box()
        sheet.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 5)  # over it, not pressed
        assert handle.get_attribute("aria-valuenow") == "3"

    def test_a_touch_of_the_plot_moves_the_cursor(self, sheet):
        for figure in ("running", "profile", "scrub"):
            field = sheet.locator(f"[data-figure={figure}] .bn-field").first
            field.scroll_into_view_if_needed()
            box, before = field.bounding_box(), said(sheet, figure)
            sheet.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + box["height"] / 2)
            assert said(sheet, figure) != before

    def test_use_asks_for_nothing_and_complains_of_nothing(self, sheet):
        use(sheet)  # `alone` holds it to that

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_nothing(self, alone, scheme):
        page = alone(color_scheme=scheme)
        running_all(page)
        for more in page.locator(".bn-more summary").all():
            more.click()
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
    """Words from whatever lies behind them, shapes from the page."""
    page = visit(CHAPTERS[figure], scheme=theme).tab
    page.wait_for_selector(f"[data-figure={figure}] .bn-said:not(:empty)")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    found = page.evaluate(
        """figure => {
        const live = document.querySelector(`[data-figure=${figure}] .bn-live`), words = new Set(), shapes = new Set();
        const ground = each => {
            while (/, 0\\)|transparent/.test(getComputedStyle(each).backgroundColor)) each = each.parentElement;
            return getComputedStyle(each).backgroundColor;
        };
        for (const each of live.querySelectorAll('*')) {
            const style = getComputedStyle(each);
            const mark = each.matches(':is(circle, .bn-line:not(.bn-later)):is(.bn-without, .bn-with)');
            if (mark) shapes.add(style.stroke);
            else if ([...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
                words.add(`${each.ownerSVGElement ? style.fill : style.color} on ${ground(each)}`);
        }
        return {page: ground(live), words: [...words], shapes: [...shapes]};
    }""",
        figure,
    )
    assert (luminance(found["page"]) < 0.2) == (theme == "dark")
    assert len(found["words"]) > 3 and min(contrast(*each.split(" on ")) for each in found["words"]) >= 4.5
    assert len(found["shapes"]) == 2 and min(contrast(each, found["page"]) for each in found["shapes"]) >= 3


@pytest.mark.parametrize("figure", CHAPTERS)
def test_the_static_figure_starts_where_the_interactive_one_does(visit, figure):
    """What the chapter computed with NumPy for its static figure is what the page shows at first."""
    page = visit(CHAPTERS[figure]).tab
    page.wait_for_selector(f"[data-figure={figure}] .bn-said:not(:empty)")
    alt = page.locator(f"[data-figure={figure}] .bn-panels svg[aria-label]").first.get_attribute("aria-label")
    page.evaluate("document.querySelectorAll('.bn-more').forEach(each => { each.open = true; })")
    told = page.locator(f"[data-figure={figure}] .bn-live").inner_text().replace("−", "-")
    quoted = set(re.findall(r"-?\d+\.\d\d\b", alt.replace("−", "-")))
    assert len(quoted) >= 2 and quoted <= set(re.findall(r"-?\d+\.\d\d\b", told))
