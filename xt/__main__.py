"""`python -m xt`: the command line."""

from xt.cli import app

app()
