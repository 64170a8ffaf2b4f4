"""The lab: generated languages over one world, with gold answers by construction.

A *world* (a seed) is people, places, kinds of things, facts and scripts of events; 24 *languages*, `qaa` to `qax`,
talk about it, and `qaa` plays English. The languages' design is literal; the seed draws everything else.

==============  ==========================================================================================
`draw`          seeded draws that are the same on every machine
`meaning`       what is said, independent of language
`concepts`      kinds of things, adjectives, verbs: the same in every world
`world`         facts, scripts, and clauses drawn from them
`languages`     the literal design of the languages, and their distances
`lexicon`       forms of words: sounds, cognates, loans, names, affixes, scripts
`grammar`       a meaning said in a language
`parsing`       what was said, read back
`items`         an item: a row of a release, with the meanings behind it; passages
`pairs`         mnli, anli_plus, qqp, xnli, pawsx
`questions`     squad, squad_v2, xquad, mlqa, tydiqa, lareqa
`choices`       hellaswag, cosmosqa, commonsenseqa, xcopa with siqa and copa
`sentences`     udpos, panx, ccg, tatoeba, bucc2018, mewslix, text
`translation`   training data said in another language, faithfully or with noise
`repository`    which generator makes which split; files laid out as on the hub
==============  ==========================================================================================
"""

from xt.lab.draw import LAB_VERSION

__all__ = ["LAB_VERSION"]
