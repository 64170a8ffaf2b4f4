"""Sentences and tables for reading, computed from results: what a notebook says it must be able to say otherwise.

A file per question; notebooks import the names from here.
"""

from xt.prose.claims import answer_claims, format_missing, format_verdicts, say_effect, say_name, say_needed, say_stamps
from xt.prose.contrasts import (
    CHOICE_NOTE,
    answer_contrasts,
    format_choices,
    format_contrasts,
    say_choice,
    say_choices,
    say_question,
    say_unpaired,
    title_question,
)
from xt.prose.costs import (
    answer_costs_of_arms,
    answer_language_costs,
    answer_saving,
    format_savings,
    say_equivalence,
    say_layers,
)
from xt.prose.errors import (
    answer_errors,
    say_agreement,
    say_checkpoints,
    say_flips,
    say_kept,
    say_repeated,
    title_firmness,
    title_languages,
)
from xt.prose.gains import answer_transfer_gain, format_gains, say_gain, say_unfinished, select_notable, title_floors
from xt.prose.pretraining import answer_pretraining, format_differences, say_differences
from xt.prose.published import answer_published
from xt.prose.recommend import answer_recommendation, format_recommendations
from xt.prose.response import answer_response
from xt.prose.robustness import (
    answer_robustness,
    count_by_chance,
    format_baseline,
    format_changes,
    format_coefficients,
    say_changes,
    say_ranks,
    say_trend,
)
from xt.prose.scaling import UNITS, answer_scaling, format_cells, format_trends, say_apart, say_trends
from xt.prose.significance import answer_significance, count_declared, format_calibration, format_noise, say_counts
from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p, say_some, split_reliable
