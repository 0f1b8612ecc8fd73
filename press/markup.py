"""HTML as it stands in pages and outputs: what it says to a reader, and what in it would ask another host."""

import re
from html.parser import HTMLParser

LOADING = {
    "base",
    "embed",
    "form",
    "frame",
    "iframe",
    "link",
    "meta",
    "object",
}  # tags that a page of the book never needs
SPOKEN = {"alt", "aria-label", "placeholder", "title"}
OUTSIDE = re.compile(r"//|javascript:|@import|data:text/html", re.I)


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.said, self.outside, self.within = [], [], None

    def handle_starttag(self, tag, attributes):
        self.within = tag
        values = {name: value or "" for name, value in attributes}
        if tag in LOADING or (tag == "script" and values.get("type") != "application/json"):
            self.outside.append(f"<{tag}>")
        for name, value in values.items():
            if name in SPOKEN:
                self.said.append(value)
            elif name.startswith("on") or name in ("srcdoc", "ping", "formaction") or leaves(value, tag, name):
                self.outside.append(f"{name} of <{tag}>")

    def handle_endtag(self, tag):
        self.within = None

    def handle_data(self, text):
        if self.within == "style" and OUTSIDE.search(text):
            self.outside.append("an address in <style>")
        elif self.within not in ("script", "style"):
            self.said.append(text)


def leaves(address: str, tag: str = "img", attribute: str = "src") -> bool:
    """Whether a browser that shows the page would ask another host for this address, or run it."""
    if attribute.startswith("xmlns") or address.startswith(("data:image/", "data:text/csv")):
        return False
    link = tag == "a" and attribute in ("href", "xlink:href") and address.startswith(("http://", "https://"))
    return bool(OUTSIDE.search(address)) and not link


def read(markup: str) -> tuple[str, list[str]]:
    """What a piece of HTML says, texts for screen readers included, and each part of it that leaves the book."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return " ".join(reader.said), reader.outside
