"""What the chapters share: data, claims, numbers, figures, checkers and the mathematics from scratch.

Importing the package loads none of its rooms; a chapter asks for the ones it needs, as in
``from bnutils import data, plots``. An import inside the package only ever points down (see ``tests/test_house.py``).
"""

__version__ = "0.1.0"
