"""The commands of ``python -m validation``, one module for each family of them.

Their modules import typer alone; what a command needs it imports itself, so that ``--help`` answers
at once.
"""
