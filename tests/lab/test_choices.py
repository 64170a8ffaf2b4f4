"""Continuations: what each choice is drawn from."""

from collections import Counter

import pytest

from tests.lab.oracle import usual
from tests.lab.quality import read_items
from xt.lab.choices import held_out_facts, list_facts, tell_fact
from xt.lab.pairs import in_split
from xt.lab.world import build_world

WORLD = build_world(101)


def read_both(dataset, config, evaluation):
    """Items of a training and of an evaluation split."""
    return {"train": read_items(101, dataset, config, "train"), "test": read_items(101, dataset, config, evaluation)}


@pytest.mark.parametrize("split", ("train", "test"))
def test_each_event_is_right_as_often_as_one_in_four(split):
    drawn = read_both("Rowan/hellaswag", "default", "validation")[split]
    seen = Counter(usual(WORLD, clause) for item in drawn for clause in item.meaning[1])
    right = Counter(usual(WORLD, item.meaning[1][item.meaning[2]]) for item in drawn)
    common = [event for event, count in seen.items() if count >= 200]
    assert all(0.15 < right[event] / seen[event] < 0.35 for event in common)
    assert (len(common) > 30) == (split == "train")


def test_endings_are_of_one_person_and_not_told_before():
    for item in read_items(101, "Rowan/hellaswag", "default", "train", 0.2):
        told, endings, label = item.meaning
        assert len({clause.subject for clause in (*told, *endings)}) == 1
        assert not {usual(WORLD, clause) for clause in endings} & {usual(WORLD, clause) for clause in told}
        assert len(set(item.row["endings"])) == 4 and item.row["ctx"].endswith(item.row["ctx_b"])


def test_some_wrong_endings_are_of_the_right_script():
    drawn = read_items(101, "Rowan/hellaswag", "default", "train", 0.2)
    near = [
        any(usual(WORLD, clause)[0] == usual(WORLD, told[-1])[0] for i, clause in enumerate(endings) if i != label)
        for told, endings, label in (item.meaning for item in drawn)
    ]
    assert 0.15 < sum(near) / len(near) < 0.5


@pytest.mark.parametrize(
    "dataset, config, evaluation",
    (("Rowan/hellaswag", "default", "validation"), ("aps/super_glue", "copa", "test")),
)
def test_who_does_what_is_held_out(dataset, config, evaluation):
    for split, drawn in read_both(dataset, config, evaluation).items():
        assert all(in_split(WORLD, split, *item.meaning[1]) for item in drawn)


@pytest.mark.parametrize("dataset", ("lighteval/siqa", "allenai/cosmos_qa"))
def test_the_objects_to_choose_from_go_with_the_verb_in_other_scripts(dataset):
    for item in read_items(101, dataset, "default", "validation"):
        told, question, objects, label = item.meaning
        scripts = [
            number
            for name in objects
            for number, script in enumerate(WORLD.scripts)
            if any((event.verb, event.object) == (question.clause.verb, name) for event in script.events)
        ]
        assert len(set(scripts)) == len(objects)
        assert all(clause.object.head != objects[label] or clause.verb != question.clause.verb for clause in told)


def test_cosmosqa_tells_two_stories_each_in_order():
    orders = set()
    for item in read_items(101, "allenai/cosmos_qa", "default", "validation", 0.3):
        stories = {}
        for clause in item.meaning[0]:
            stories.setdefault(clause.subject.head, []).append(usual(WORLD, clause))
        assert [len(story) for story in stories.values()] == [4, 4]
        assert all(story == sorted(story) for story in stories.values())
        orders.add(tuple(clause.subject == item.meaning[0][0].subject for clause in item.meaning[0]))
    assert len(orders) > 10


def test_causes_come_before_and_effects_after():
    drawn = read_items(101, "cambridgeltl/xcopa", "qab", "test")
    assert {item.row["question"] for item in drawn} == {"cause", "effect"}
    for item in drawn:
        premise, choices, question, label = item.meaning
        script, position = usual(WORLD, premise)
        assert usual(WORLD, choices[label]) == (script, position + {"cause": -1, "effect": 1}[question])
        assert item.row["label"] == label and premise not in choices


def test_facts_that_are_asked_for_in_evaluation_are_held_out_and_can_be_said():
    held_out, facts = held_out_facts(WORLD), list_facts(WORLD)
    assert 0.15 < len(held_out) / len(facts) < 0.25 and held_out < set(facts)
    for split, drawn in read_both("tau/commonsense_qa", "default", "validation").items():
        asked = {(item.meaning[0].clause.verb, item.meaning[0].clause.subject.head) for item in drawn}
        sides = {
            (verb, subject)
            for verb, sort, subject, _ in facts
            if ((verb, sort, subject, _) in held_out) == (split == "test")
        }
        assert asked <= sides
    assert all(tell_fact(WORLD, fact).verb == fact[0] for fact in facts)
