"""Metrics: per-example statistics and their reduction to points, one file per format.

Multiple choice and retrieval are scored by the accuracy of `classification`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from xt.metrics.classification import ACCURACY
from xt.metrics.metric import Metric
from xt.metrics.span_qa import EXACT_MATCH, F1
from xt.metrics.tagging import CHUNK_F1, SPAN_F1, TOKEN_ACCURACY

METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (ACCURACY, TOKEN_ACCURACY, CHUNK_F1, SPAN_F1, EXACT_MATCH, F1)}
)
"""Every metric by name."""

__all__ = ["METRICS", "Metric"]
