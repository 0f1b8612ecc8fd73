"""The chapters of the book in their order, written or planned, and the ways readers take through them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from press.manuscript import Unreadable, parse_yaml, read_text

MADE = "evidence/ledger"  # by the press, of what chapters judge: no chapter itself
FILE = "manuscript/contents.yml"
READERS = ("student", "engineer", "researcher")
KEYS = {"name", "title", "says", "paths"}  # and, where it builds on chapters above it, "needs"


@dataclass(frozen=True)
class Chapter:
    """One chapter: part/name, title, one line on what it tells, its part, its readers, whether it can be read, and the
    names of those it builds on."""

    name: str
    title: str
    says: str
    paths: tuple[str, ...]
    part: str
    written: bool
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """All chapters, in the order of the book."""

    chapters: tuple[Chapter, ...]

    @property
    def parts(self) -> dict[str, list[Chapter]]:
        """The chapters by the caption of their part, in order."""
        found: dict[str, list[Chapter]] = {}
        for chapter in self.chapters:
            found.setdefault(chapter.part, []).append(chapter)
        return found

    @property
    def written(self) -> list[Chapter]:
        return [chapter for chapter in self.chapters if chapter.written]

    def path(self, reader: str) -> list[Chapter]:
        """The chapters on the way of a reader, one of ``READERS``."""
        return [chapter for chapter in self.chapters if reader in chapter.paths]

    def place(self, name: str) -> tuple[int, int]:
        """Where a written chapter stands in its part, from 1, and how many of that part are written."""
        own = next(chapter for chapter in self.chapters if chapter.name == name)
        part = [chapter.name for chapter in self.written if chapter.part == own.part and chapter.name != MADE]
        return part.index(name) + 1, len(part)

    def next_step(self, name: str, reader: str) -> Chapter | None:
        """The next written chapter behind ``name`` on the way of a reader; None behind the last, or off that way."""
        names = [chapter.name for chapter in self.chapters]
        own = names.index(name)
        if reader not in self.chapters[own].paths:
            return None
        later = self.chapters[own + 1 :]
        return next((chapter for chapter in later if chapter.written and reader in chapter.paths), None)


def find(house: Path) -> Contents | None:
    """The contents of the book in ``house``; None where no file tells them."""
    return read(house) if (house / FILE).exists() else None


def read(house: Path) -> Contents:
    """Read the contents of the book in ``house``.

    Raises
    ------
    Unreadable            an entry that lacks something or needs what does not stand above it, a name that stands
                          twice, an unknown reader, or an order that is not that of _toc.yml
    """
    parts = parse_yaml(read_text(house, FILE), FILE)
    toc = parse_yaml(read_text(house, "_toc.yml"), "_toc.yml")
    shown = [chapter["file"].removeprefix("chapters/") for part in toc["parts"] for chapter in part["chapters"]]
    found, lines = [], []
    for part in parts:
        for entry in part["chapters"]:
            if set(entry) - {"needs"} != KEYS:
                lines.append(f"{FILE}: expected {', '.join(sorted(KEYS))} of {entry.get('name')}, got {sorted(entry)}")
                continue
            if unknown := set(entry["paths"]) - set(READERS):
                lines.append(f"{FILE}: {entry['name']}: unknown reader {', '.join(unknown)}; one of {READERS}")
            if later := set(entry.get("needs", ())) - {chapter.name for chapter in found}:
                lines.append(f"{FILE}: {entry['name']} needs {', '.join(sorted(later))}, which must stand above it")
            fields = entry | {"paths": tuple(entry["paths"]), "needs": tuple(entry.get("needs", ()))}
            found.append(Chapter(part=part["part"], written=entry["name"] in shown, **fields))
    names = [chapter.name for chapter in found]
    lines += [f"{FILE}: {name} stands twice; keep one" for name in sorted({n for n in names if names.count(n) > 1})]
    missing = [name for name in shown if name not in names and not name.startswith("reference/")]
    lines += [f"{FILE}: {name} stands in _toc.yml; add it here, in its place" for name in missing]
    if not lines and [name for name in names if name in shown] != [name for name in shown if name in names]:
        lines.append(f"{FILE}: its chapters stand in another order than in _toc.yml; that file has the order")
    if lines:
        raise Unreadable(*lines)
    return Contents(tuple(found))
