"""xt: what does an English intermediate task do to zero-shot scores in other languages?

The map, in the order in which modules may import each other (each only what stands before it):

==================  =====================================================================================
`errors`            DataError, and one way to say "unknown name"
`memory`            Python's collector of cycles, paused while rows are read
`disk`              files and folders written in one step, and told apart from damaged ones
`locks`             locks between processes, on one machine or several
`locations`         where the project, its runs, results, data roots and encoders lie
`processes`         several processes that make one training together: started, and what they agree on
`digests`           the SHA-256 of files, remembered
`hub`               asking the hub: again a few times, and what to do without it
`downloads`         what is read of a checkpoint: safetensors and JSON, nothing that could run
`languages`         one row per language: code, name, family, script, word order, resource class, pretraining size
`metrics`           per-example statistics and their reduction to points, one file per format
`stats`             intervals, tests, corrections
`lab`               generated languages over one world: texts and tasks with known answers
`distances`         how far languages are from the training language, the lab's and the real ones in one table
`tasks`             TASKS, one row per task; rows read from the hub or a folder, checked, as examples
`knobs`             every knob with its unit and range
`presets`           the presets, a table of knobs each
`recipes`           the encoders that are pretrained here, one row each
`exposure`          what an encoder is, and what its pretraining read of each language
`arms`              ways to prepare an encoder before the target task, one row each
`config`            runs and their identities
`parameters`        what a notebook or a study asks for, checked, as configs
`machine`           what a run was computed on: code version, libraries, device, precision
`measurement`       what a measurement of cost is, checked, and its identity
`neighbours`        exact nearest neighbours both ways, block by block
`encode`            text to features and back, one file per format
`batching`          token-budget batches, bucketed shuffle, updates of several tasks
`incidents`         what did not go as planned: memory that ran out, numbers not finite
`dual_encoder`      one encoder for queries and candidates
`model`             one encoder under one head per task
`large_encoders`    encoders that do not fit: activations computed twice, additions of low rank
`checkpoint`        save and load; the exact state to resume from
`evaluate`          predict, decode, score: every language in one queue
`retrieval`         sentence embeddings by layer, nearest neighbours
`bitext`            translated pairs out of two corpora
`train`             the training loop
`restarts`          trainings anew from another seed, where that is asked for
`pretrain`          encoders made here
`translate`         training rows in other languages, by translation models
`floors`            what a trivial answer scores
`scoring`           a model and evaluation data to per-example frames and score rows
------------------  -------------------------------------------------------------------------------------
`schema`            what a column of a committed table may hold
`margins`           differences that count as none, from data/margins.csv
`item_stats`        per-example statistics on disk: items once, what a model decided per run
`journal`           a table on disk that grows row by row: what a kill cuts off is not read
`results`           committed results: tidy scores, per-example statistics, the index of runs
`costs`             measured costs of inference, their ratios between arms, costs of languages
`subwords`          fertility and overlap: what a tokenizer makes of each language, as counted for a study
`study`             what a study is: encoders, arms, targets, seeds, data
`studies`           the studies, as literal tables
`reported`          which scores are reported, and their means
`gains`             gains over the baseline, with intervals and tests
`choosing`          the intermediate task that the other seeds recommend for a target
`contrasts`         arms against other arms: several tasks, text beside, translated data, another language, the best one
`scaling`           gains against the size of the encoder
`frontier`          at equal score, how much cheaper a model may be after intermediate training
`published`         published scores, and where ours may stand beside them
`response`          whether scores go with what is known of the languages
`robustness`        how robust scores are over languages, per arm; models and trends of it
`flips`             which examples an intermediate task flips, and which flips another seed repeats
`consistency`       whether the same items are right in all languages
`store`             run folders: manifest, lock, retention
`claims`            the claims ledger: what is claimed, the contrast that decides it, its verdict in every study
`recommend`         which intermediate task to train first, per target and group of languages
`pretraining`       gains in a multilingual encoder against an English-only one
`prose`             sentences that notebooks compute
`plots`             figure functions: frame and axes in, axes out
------------------  -------------------------------------------------------------------------------------
`progress`          a bar with the time left, for notebooks
`kernels`           warm kernels: processes forked from one that has the libraries in memory
`engine`            where runs execute
`site`              site files: which workers notebooks may run on, as checked rows
`cluster`           notebooks on the workers of a site: GPUs of a host, nodes of Slurm
`transfer`          the phases of one run, composed; what the experiment notebooks call
`member`            one of the processes that make a training together
`efficiency`        what inference costs, measured in fresh processes
`analyses`          the analysis notebooks on a study's results
`gallery`           the table of the analysis notebooks in notebooks/README.md
`report`            a study's report: one HTML file of the executed notebooks
`vocabularies`      the subwords of a study's encoders, counted on its texts
`collecting`        a complete run folder as rows of a study's results
`grid`              which runs a study needs; runs the missing ones
`prediction_files`  XTREME's prediction files, one form per format: written and read
`imports`           somebody's own scores and predictions as runs of a study
`submission`        a study's predictions as XTREME's files
`workload`          how much a run computes: parameters, tokens trained on, tokens scored
`forecast`          what a study takes before it runs: hours, disk, the smallest gain of its seeds
`reproduce`         a committed run made again, and compared
`doctor`            what this machine offers and what is missing
`cli`               xt plan | run | status | report | claims | gallery | import | submission | reproduce | doctor
==================  =====================================================================================

Between the two lines nothing needs torch. `import xt` is light: a submodule is imported when its name is first
used (`xt.tasks`, `xt.results`, ...).
"""

import importlib
import pkgutil

__version__ = "0.1.0"


def __getattr__(name: str):
    if name not in __dir__():
        raise AttributeError(f"module 'xt' has no attribute {name!r}")
    return importlib.import_module(f"xt.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *(module.name for module in pkgutil.iter_modules(__path__))} - {"__main__"})
