"""A new chapter: a manuscript that keeps every form rule, and its place in the contents."""

import re
from pathlib import Path

from press import contents

TEMPLATE = Path(__file__).with_name("template.md")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*/[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write(house: Path, name: str, title: str | None = None) -> Path:
    """Write manuscript/NAME.md, and add it to _toc.yml and, where it was not planned, to manuscript/contents.yml.

    Parameters
    ----------
    house : Path          the root of the book
    name : str            part/chapter: lower-case words joined by hyphens
    title : str           by default as it was planned, or the chapter's name in words

    Returns
    -------
    source : Path         the manuscript

    Raises
    ------
    ValueError            a malformed name, or one that exists
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"expected part/chapter, lower-case words joined by hyphens, got {name!r}")
    source = house / "manuscript" / f"{name}.md"
    toc, plan = ((house / file).read_text("utf8") for file in ("_toc.yml", contents.FILE))
    known = contents.read(house)
    if source.exists() or f"chapters/{name}\n" in toc:
        raise ValueError(f"{name} exists; edit manuscript/{name}.md, or take another name")
    planned = next((chapter for chapter in known.chapters if chapter.name == name), None)
    title = title or (planned.title if planned else name.split("/")[1].replace("-", " ").capitalize())
    if planned is None:
        plan = in_plan(plan, name, title)
    elif title != planned.title:
        plan = plan.replace(f"title: {planned.title}\n", f"title: {title}\n")
    text = TEMPLATE.read_text("utf8").replace("TITLE", title).replace("LABEL", name.split("/")[1])
    source.parent.mkdir(exist_ok=True)
    source.write_text(text, "utf8")
    (house / contents.FILE).write_text(plan, "utf8")
    (house / "_toc.yml").write_text(in_toc(toc, plan, name), "utf8")
    return source


def in_plan(plan: str, name: str, title: str) -> str:
    """The text of contents.yml with the chapter behind the last of its part; a new part comes last."""
    part = name.split("/")[0]
    entry = f"    - name: {name}\n      title: {title}\n      says: what it tells, in one line\n"
    entry += "      paths: [student]\n"
    own = list(re.finditer(rf"^ *- name: {part}/.*\n(?: {{6}}.*\n)*", plan, re.M))
    if own:
        return plan[: own[-1].end()] + entry + plan[own[-1].end() :]
    return f"{plan.rstrip()}\n- part: {part.replace('-', ' ').capitalize()}\n  chapters:\n{entry}"


def in_toc(toc: str, plan: str, name: str) -> str:
    """The text of _toc.yml with the chapter where contents.yml has it; a new part stands before the reference pages."""
    order = re.findall(r"^ *- name: (\S+)", plan, re.M)
    part, entry = name.split("/")[0], f"      - file: chapters/{name}\n"
    own = list(re.finditer(rf"^ *- file: chapters/({part}/\S+)\n", toc, re.M))
    if own:
        before = [line for line in own if order.index(line[1]) < order.index(name)]
        place = before[-1].end() if before else own[0].start()
        return toc[:place] + entry + toc[place:]
    caption = re.findall(r"^- part: (.*)\n", plan[: plan.index(f"- name: {name}\n")], re.M)[-1]
    block = f"  - caption: {caption}\n    chapters:\n{entry}"
    later = [
        found.start()
        for found in re.finditer(r"^  - caption: .*\n    chapters:\n      - file: chapters/(\S+)\n", toc, re.M)
        if found[1] not in order or order.index(found[1]) > order.index(name)
    ]
    place = later[0] if later else len(toc)
    return toc[:place] + block + toc[place:]
