"""Exercises: `engine` is what they share, and each chapter has a module of its own, imported by that chapter alone.

A chapter writes ``from bnutils.exercises import the_transform as check`` and, below the reader's function,
``check.undo(undo)``. An exercise is named as the function that it checks, and says in its docstring what that returns.
"""
