"""``python -m fusiontheory``: the command line without its installed script."""

from fusiontheory.cli import app

app(prog_name="fusiontheory")
