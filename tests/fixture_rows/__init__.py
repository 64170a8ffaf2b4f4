"""The rows of `data/fixtures`, literally, in the releases' own formats and with their quirks.

Every sentence was written for this project; names of people and places are invented. `python -m
tests.fixture_rows.write` writes the folder; a test compares what is committed with what stands here.
"""
