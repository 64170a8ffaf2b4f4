"""Metrics: per-example statistics and their reduction to points, one file per format or official script.

Multiple choice and retrieval are scored by the accuracy of `classification`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from xt.metrics.classification import ACCURACY
from xt.metrics.metric import Metric
from xt.metrics.mining import PAIR_F1
from xt.metrics.mlqa import MLQA_EXACT_MATCH, MLQA_F1
from xt.metrics.no_answer import EXACT_MATCH_NO_ANSWER, F1_NO_ANSWER
from xt.metrics.ranking import MAP_AT_20
from xt.metrics.span_qa import EXACT_MATCH, F1
from xt.metrics.tagging import CHUNK_F1, SPAN_F1, TOKEN_ACCURACY

OF_LABELS = (ACCURACY, TOKEN_ACCURACY, CHUNK_F1, SPAN_F1)
OF_ANSWERS = (EXACT_MATCH, F1, MLQA_EXACT_MATCH, MLQA_F1, EXACT_MATCH_NO_ANSWER, F1_NO_ANSWER)
OF_SEARCH = (MAP_AT_20, PAIR_F1)

METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (*OF_LABELS, *OF_ANSWERS, *OF_SEARCH)}
)
"""Every metric by name."""
