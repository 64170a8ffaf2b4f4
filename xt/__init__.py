"""xt: what does an English intermediate task do to zero-shot scores in other languages?

The map, in the order in which modules may import each other (each only what stands before it):

==================  =====================================================================================
`errors`            DataError, and one way to say "unknown name"
`locations`         where the project, its runs, results, data roots and encoders lie
`languages`         one row per language: code, name, family, script, word order, pretraining size
`metrics`           per-example statistics and their reduction to points, one file per format
`stats`             intervals, tests, corrections
`tasks`             TASKS, one row per task; rows read from the hub or a folder, checked, as examples
`config`            every knob with its unit and check; presets; run ids
`encode`            text to features and back, one file per format
`batching`          token-budget batches, bucketed shuffle
`model`             one encoder, one head per format
`checkpoint`        save and load; the exact state to resume from
`evaluate`          predict, decode, score: every language in one queue
`retrieval`         sentence embeddings by layer, nearest neighbours
`train`             the training loop
------------------  -------------------------------------------------------------------------------------
`results`           tidy score tables, gains           (from here to `plots`: never torch)
`store`             run folders: manifest, lock, retention
`studies`           the studies, as literal tables
`plots`             figure functions: frame and axes in, axes out
------------------  -------------------------------------------------------------------------------------
`engine`            where runs execute
`transfer`          the phases of one run, composed; what the experiment notebooks call
`grid`              which runs a study needs; runs the missing ones
`cli`               xt plan | run | status | doctor
==================  =====================================================================================

`import xt` is light: a submodule is imported when its name is first used (`xt.tasks`, `xt.results`, ...).
"""

import importlib

__version__ = "0.1.0"

_SUBMODULES = frozenset(
    "errors locations languages metrics stats tasks config encode batching model checkpoint evaluate "
    "retrieval train results store studies plots engine transfer grid cli".split()
)


def __getattr__(name: str):
    if name not in _SUBMODULES:
        raise AttributeError(f"module 'xt' has no attribute {name!r}")
    return importlib.import_module(f"xt.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})
