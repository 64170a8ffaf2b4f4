"""The worlds of the lab: what a seed draws, what it leaves alone, and clauses drawn from them."""

from collections import Counter

import numpy as np
import pytest

from xt.lab.concepts import KINDS, PROPERTIES, VERBS
from xt.lab.draw import generator
from xt.lab.lexicon import FUNCTION_WORDS
from xt.lab.meaning import CONNECTIVES, NUMERALS, TIMES, Thing
from xt.lab.world import EVENTS, SCRIPTS, build_world, combination_split, fact_clause, sample_clause, script_event

WORLD = build_world(100)


def sample(count: int, split: str, world=WORLD, **given):
    """Some clauses, the same in every run."""
    rng = generator(world.seed, "test", split)
    return [sample_clause(world, rng, split=split, **given) for _ in range(count)]


def combination(clause) -> tuple:
    """What is held out: kinds of subject and object, and the verb."""
    return WORLD.kind_of(clause.subject.head), clause.verb, clause.object and WORLD.kind_of(clause.object.head)


def test_no_concept_has_two_roles():
    tables = [KINDS, PROPERTIES, VERBS, TIMES, NUMERALS, FUNCTION_WORDS]
    counts = Counter(name for table in tables for name in table)
    assert max(counts.values()) == 1 and set(CONNECTIVES) < set(FUNCTION_WORDS)
    assert 70 <= len(KINDS) <= 80 and len(PROPERTIES) == 30 and 45 <= len(VERBS) <= 50


def test_kinds_are_a_forest_of_three_levels_and_adjectives_are_ends_of_scales():
    assert {len(WORLD.hypernyms(name)) for name in KINDS} == {0, 1, 2}
    assert len({kind.domain for kind in KINDS.values()}) >= 6
    assert WORLD.hypernyms("owl") == ("bird", "animal") and set(WORLD.leaves("bird")) == {"owl", *WORLD.siblings("owl")}
    assert all(name in WORLD.hyponyms(parent) for name in KINDS for parent in WORLD.hypernyms(name))
    for name, row in PROPERTIES.items():
        other = PROPERTIES[row.antonym]
        assert other.antonym == name != row.antonym and (other.scale, other.domains) == (row.scale, row.domains)


def test_inverse_verbs_change_places_and_types():
    pairs = [(verb, VERBS[verb.inverse]) for verb in VERBS.values() if verb.inverse]
    assert len(pairs) >= 12
    for verb, other in pairs:
        assert other.inverse == verb.name and verb.ditransitive == other.ditransitive
        exchanged = (other.subject, other.object) if verb.ditransitive else (other.object, other.subject)
        assert (verb.subject, verb.object) == exchanged


def test_a_seed_draws_facts_scripts_and_frequencies_but_not_concepts():
    other = build_world(101)
    assert build_world.__wrapped__(100).facts == WORLD.facts and WORLD.facts != other.facts
    assert WORLD.scripts != other.scripts and WORLD.ranked["kinds"] != other.ranked["kinds"]
    assert WORLD.kinds is other.kinds and {v: set(f) for v, f in WORLD.facts.items()} == {
        v: set(f) for v, f in other.facts.items()
    }
    assert sample(20, "text") != sample(20, "text", other)


def test_clauses_keep_to_the_types_of_their_verb():
    for clause in sample(3000, "text"):
        verb = VERBS[clause.verb]
        assert WORLD.fits(clause.subject.head, verb.subject)
        assert (clause.recipient is not None) == verb.ditransitive and (clause.object is not None) == bool(verb.object)
        assert clause.object is None or WORLD.fits(clause.object.head, verb.object)
        things = [thing for thing in (clause.subject, clause.object, clause.place) if thing]
        assert all(
            WORLD.domain_of(thing.head) in PROPERTIES[name].domains for thing in things for name in thing.properties
        )


def test_what_is_given_is_kept_and_what_cannot_be_is_refused():
    rng, thing = generator(100, "given"), Thing("owl", ("small",), 3)
    clause = sample_clause(WORLD, rng, split="text", subject=thing, time=None, negated=True)
    assert clause.subject == thing and clause.time is None and clause.negated
    held_out = next(
        name for name in KINDS if WORLD.fits(name, "person") and combination_split(WORLD, name, "sing", None)
    )
    other = {"train": "test", "test": "train"}[combination_split(WORLD, held_out, "sing", None)]
    with pytest.raises(ValueError, match=f"no combination of the split '{other}' has verb sing"):
        sample_clause(WORLD, rng, split=other, verb="sing", subject=Thing(held_out))


def test_held_out_combinations_are_never_trained_on_but_stand_in_text():
    train, test, text = ({combination(clause) for clause in sample(4000, split)} for split in ("train", "test", "text"))
    assert not train & test and text & train and text & test
    combinations = {combination(clause) for clause in sample(20000, "text")}
    share = np.mean([combination_split(WORLD, *names) == "test" for names in combinations])
    assert 0.15 < share < 0.25


def test_words_are_zipfian():
    clauses = sample(20000, "text")
    for heads in ([clause.verb for clause in clauses], [clause.place.head for clause in clauses if clause.place]):
        counts = sorted(Counter(heads).values(), reverse=True)[:25]
        slope = np.polyfit(np.log(np.arange(1, len(counts) + 1)), np.log(counts), 1)[0]
        assert -1.25 < slope < -0.75


def test_facts_can_be_said_and_fit():
    for verb, pairs in WORLD.facts.items():
        clauses = [fact_clause(WORLD, verb, subject) for subject in pairs]
        assert all(clause.verb == verb and (clause.object or clause.place or clause.complement) for clause in clauses)
        assert all(verb == "be" or WORLD.fits(clause.subject.head, VERBS[verb].subject) for clause in clauses)
    assert fact_clause(WORLD, "live", "person:3").place == Thing(WORLD.home["person:3"])
    with pytest.raises(KeyError):
        fact_clause(WORLD, "live", "axe")


def test_scripts_share_no_event_and_a_person_can_do_them():
    events = [event for script in WORLD.scripts for event in script.events]
    assert len(WORLD.scripts) == SCRIPTS and len(set(events)) == SCRIPTS * EVENTS
    assert all(
        VERBS[event.verb].subject == "person" and WORLD.fits(event.object, VERBS[event.verb].object) for event in events
    )
    clause = script_event(WORLD, WORLD.scripts[2], 4, "person:7", time="today")
    assert (clause.verb, clause.object.head) == (WORLD.scripts[2].events[4].verb, WORLD.scripts[2].events[4].object)
    assert clause.subject == Thing("person:7") and clause.time == "today"
