"""Sentences and tables for reading, computed from results: what a notebook says it must be able to say otherwise.

A file per question; notebooks import the names from here.
"""

from xt.prose.choosing import CHOICE_NOTE, say_choice
from xt.prose.errors import answer_errors, say_agreement, say_kept
from xt.prose.gains import answer_transfer_gain, format_gains, say_gain
from xt.prose.published import answer_published
from xt.prose.response import answer_response
from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p, say_some

__all__ = [
    "CHOICE_NOTE",
    "LEVEL",
    "answer_errors",
    "answer_published",
    "answer_response",
    "answer_transfer_gain",
    "format_gains",
    "say_agreement",
    "say_choice",
    "say_gain",
    "say_interval",
    "say_kept",
    "say_list",
    "say_number",
    "say_p",
    "say_some",
]
