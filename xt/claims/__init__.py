"""The claims ledger: each claim about the paper, the contrast that decides it, and its verdict in every study.

`claim` reads `data/claims.csv`; `effects`, `values` and `facts` compute what a claim is about, `panel` compares arms
over targets, `verdicts` turns estimates into words, `needs` finds the runs that are missing, `ledger`
puts a study's verdicts into one table; `quoted` holds published numbers against each other."""

from xt.claims.claim import CLAIMS, load_claims
from xt.claims.ledger import judge_study, write_ledger
from xt.claims.quoted import check_published
from xt.claims.verdicts import CONTRADICTED, NOT_TESTED, SUPPORTED, UNDECIDED, VERDICTS
