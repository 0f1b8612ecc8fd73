"""What a figure leaves as evidence: digests of the drawing, its alt text and its data, taken when it was drawn."""

import hashlib
from html import escape

MIME = "application/vnd.bnutils.figure+json"
SHOWN = ("text/plain", "text/html", "image/png")  # the alt text; the SVG with its data; the PNG


def with_record(bundle: dict, name: str) -> dict:
    """A figure's MIME bundle and, beside it, the record by which the press knows it again.

    Parameters
    ----------
    bundle : dict
        from MIME type to content, with those of ``SHOWN``
    name : str
        of the figure
    """
    return bundle | {MIME: {"name": name, "digests": {kind: _digest(bundle[kind]) for kind in SHOWN}}}


def faults_of(data: dict) -> list[str]:
    """What is wrong with a stored output that holds a figure: a part that is not what was drawn, or another alt text.

    Parameters
    ----------
    data : dict
        from MIME type to content, as the cell left it
    """
    record = data[MIME]
    parts = {kind: "".join(data.get(kind, "")) for kind in SHOWN}
    changed = [kind for kind, content in parts.items() if record["digests"].get(kind) != _digest(content)]
    found = [f"the {kind} of the figure {record['name']} is not what was drawn" for kind in changed]
    if f'aria-label="{escape(" ".join(parts["text/plain"].split()))}"' not in parts["text/html"]:
        found.append(f"the alt text of the figure {record['name']} is not that of its drawing")
    return found


def _digest(content):
    return hashlib.sha256(content.encode()).hexdigest()[:16]
