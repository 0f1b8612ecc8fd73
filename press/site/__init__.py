"""How the site is built: `python -m press.site` writes _build/html, and of that only what changed.

build.py        what is due, one Sphinx, nothing left behind by a failure
contents.py     the pages there are, and what one page shows of another
theme.py        the head of a page, its scripts, what the theme gets wrong; with templates/
sheet.py        one style sheet, the icons in use
formulas.py     formulas and code as HTML
api.py          one page a module of bnutils, read without importing it
search.py       what search finds first
moved.py        old addresses that lead to the new place
"""
