"""A meaning said in a language, and what is said read back.

Every token has its universal part of speech, its category in a categorial grammar with forward and backward
application (Steedman, 2000), and the slot of the meaning that its phrase fills. Atomic categories are S, NP, N, PP and
AP (a predicate adjective), with S[q] and S[wq] for questions. A category follows from where the word stands: a verb
takes its arguments on the side where they are, the nearest first and those on its right before those on its left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from xt.lab.concepts import VERBS
from xt.lab.draw import shuffled
from xt.lab.languages import LAB_LANGUAGES
from xt.lab.lexicon import SCRIPTS, build_lexicon
from xt.lab.meaning import COUNTED, NUMERALS, PAST, Clause, Link, Meaning, Question, Thing

_ORDERS = {
    "SVO": ("subject", "verb", "object", "complement", "recipient", "place"),
    "SOV": ("subject", "recipient", "place", "object", "complement", "verb"),
    "VSO": ("verb", "subject", "object", "complement", "recipient", "place"),
}
"""Of the verb and its arguments; a place is one where it is all that a copular clause says."""

NUMBERS = {index: name for index, name in enumerate(NUMERALS, 2)} | {0: "how many"}
_ARGUMENTS = {"subject": "NP", "object": "NP", "recipient": "PP", "complement": "AP", "place": "PP"}
_ENTITIES = {"person": "PER", "place": "LOC", "organisation": "ORG"}
_RECIPIENT = {name: verb.adposition for name, verb in VERBS.items() if verb.ditransitive}
_OPTIONAL = ("object", "complement", "recipient", "place", "time")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark as it stands in a sentence."""

    form: str
    upos: str
    category: str
    concept: str
    """What it means; for each part of a name the entity."""
    entity: str = "O"
    """Name tag: B- or I- and PER, LOC or ORG; O outside names."""
    slot: str = ""
    """The slot of the meaning that its phrase fills (`second.subject` in a link's second clause), `verb`, or ''."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens, the text they make, and where in it each begins."""

    tokens: tuple[Token, ...]
    text: str
    offsets: tuple[int, ...]

    def span(self, slot: str) -> tuple[int, str]:
        """First character and text of the phrase of a slot, without its adposition; for `number` of the numeral that
        `xt.lab.meaning.ask` would ask for. Raises ValueError where the sentence has none."""
        if slot == "number":
            counted = [token for token in self.tokens if token.upos == "NUM"]
            within = min(counted, key=lambda token: COUNTED.index(token.slot), default=None)
            indices = [index for index, token in enumerate(self.tokens) if token is within]
        else:
            indices = [index for index, token in enumerate(self.tokens) if token.slot == slot]
        if not indices:
            raise ValueError(f"no {slot} in {self.text!r}")
        start, last = self.offsets[indices[0]], indices[-1]
        return start, self.text[start : self.offsets[last] + len(self.tokens[last].form)]


class Speaker:
    """One language of one world: says clauses; phrases once said are kept."""

    def __init__(self, seed: int, code: str, order_of: str) -> None:
        order = {name: getattr(LAB_LANGUAGES[order_of], name) for name in ("word_order", "adjective", "adposition")}
        self.language, self.lexicon = replace(LAB_LANGUAGES[code], **order), build_lexicon(seed, code)
        self.stop = SCRIPTS[self.language.script].stop
        self._words: dict[tuple, Token] = {}
        self._phrases: dict[tuple, tuple[Token, ...]] = {}
        self._orders: dict[tuple, tuple[str, ...]] = {}
        self._plans: dict[tuple, tuple[tuple[str, str], ...]] = {}

    def word(self, concept: str, category: str, slot: str = "", marks: tuple[str, ...] = ()) -> Token:
        """A word of the lexicon as a token."""
        key = (concept, category, slot, marks)
        if key not in self._words:
            form, upos = self.lexicon.inflected[concept, marks], self.lexicon.upos[concept]
            self._words[key] = Token(form, upos, category, concept, slot=slot)
        return self._words[key]

    def say_clause(
        self, clause: Clause, rng: Random | None = None, fronted: str | None = None, prefix: str = ""
    ) -> tuple[Token, ...]:
        """The tokens of a clause without its stop, beginning with the `fronted` slot where there is one.

        Without a generator a free order is SOV. Raises ValueError for a clause that cannot be said: a complement with
        an object or a place, a recipient that the verb does not take.
        """
        filled = (*(slot for slot in _OPTIONAL if getattr(clause, slot) is not None), fronted, clause.verb)
        if rng is not None and self.language.word_order == "free":
            order = self._arrange(filled, rng)
        else:
            order = self._orders.get(filled) or self._orders.setdefault(filled, self._arrange(filled, None))
        plan = self._plans.get((order, filled)) or self._plans.setdefault((order, filled), _plan(order, filled))
        said: list[Token] = []
        for slot, category in plan:
            if slot == "verb":
                key = (clause.verb, clause.time in PAST, clause.subject.number != 1, clause.negated, category, prefix)
                said += self._phrases.get(key) or self._phrases.setdefault(key, self._say_verb(*key))
            else:
                key = (slot, getattr(clause, slot), category, _RECIPIENT.get(clause.verb), prefix)
                said += self._phrases.get(key) or self._phrases.setdefault(key, self._say_phrase(*key))
        if clause.negated and self.language.negation == "end of clause":
            said.append(self.word("not", "S\\S"))
        return tuple(said)

    def _arrange(self, filled: tuple, rng: Random | None) -> tuple[str, ...]:
        """The slots in order, drawn where there is a generator; a fronted argument leaves the adjuncts behind."""
        *slots, fronted, _ = filled
        adjuncts, order = _list_adjuncts(filled), _ORDERS.get(self.language.word_order, _ORDERS["SOV"])
        core = [slot for slot in order if slot in {"subject", "verb", *slots} - {*adjuncts}]
        early = adjuncts if order == _ORDERS["SOV"] else []
        if rng is not None:
            core, early = shuffled(rng, core), [slot for slot in adjuncts if rng.random() < 0.5]
        if fronted in adjuncts:
            early = [fronted, *(slot for slot in early if slot != fronted)]
        elif fronted:
            core, early = [fronted, *(slot for slot in core if slot != fronted)], []
        return (*early, *core, *(slot for slot in reversed(adjuncts) if slot not in early))

    def _say_verb(
        self, verb: str, past: bool, plural: bool, negated: bool, category: str, prefix: str
    ) -> tuple[Token, ...]:
        negation = self.language.negation if negated else None
        shown = {"past": past, "agreement": plural and self.language.agreement, "negation": negation == "suffix"}
        said = self.word(verb, category, f"{prefix}verb", tuple(mark for mark, is_shown in shown.items() if is_shown))
        return (self.word("not", _take(category, "/", category)), said) if negation == "before verb" else (said,)

    def _say_phrase(
        self, slot: str, value: Thing | str, category: str, towards: str | None, prefix: str
    ) -> tuple[Token, ...]:
        """The tokens that say the filler of a slot; `towards` is the verb's adposition."""
        if slot in ("time", "complement"):
            return (self.word(value, category, prefix + slot),)
        if value.head == "where":
            return (self.word("where", category, prefix + slot),)
        phrase = self._say_thing(value, prefix + slot, slot == "object")
        if slot in ("subject", "object"):
            return phrase
        adposition = "in" if slot == "place" else towards
        if self.language.adposition == "before":
            return (self.word(adposition, _take(category, "/", "NP")), *phrase)
        return (*phrase, self.word(adposition, _take(category, "\\", "NP")))

    def _say_thing(self, thing: Thing, slot: str, is_object: bool) -> tuple[Token, ...]:
        pronoun, case = ("object",) * is_object, ("object",) * (is_object and self.language.case == "suffix")
        if thing.head in self.lexicon.names:
            return self._say_name(thing.head, slot, case)
        if thing.head in ("who", "what"):
            return (self.word(thing.head, "NP", slot, pronoun),)
        said = []
        if thing.definite or thing.number == 1:
            said.append(self.word("the" if thing.definite else "a", "NP/N", slot))
        if thing.number != 1:
            category, number = "N/N" if said else "NP/N", NUMBERS.get(thing.number)
            digits = Token(str(thing.number), "NUM", category, str(thing.number), slot=slot)
            said.append(self.word(number, category, slot, pronoun * (thing.number == 0)) if number else digits)
        noun = self.word(thing.head, "N", slot, ("plural",) * (thing.number != 1) + case)
        before = self.language.adjective == "before"
        adjectives = [self.word(name, "N/N" if before else "N\\N", slot) for name in thing.properties]
        return (*said, *adjectives, noun) if before else (*said, noun, *adjectives)

    def _say_name(self, entity: str, slot: str, case: tuple[str, ...]) -> tuple[Token, ...]:
        *first, last = self.lexicon.names[entity]
        forms = [*(self.lexicon.forms[part] for part in first), self.lexicon.inflected[last, case]]
        categories, tag = ["NP/NP"] * len(first) + ["NP"], _ENTITIES[entity.partition(":")[0]]
        return tuple(
            Token(form, "PROPN", category, entity, f"{'I' if index else 'B'}-{tag}", slot)
            for index, (form, category) in enumerate(zip(forms, categories, strict=True))
        )


def _list_adjuncts(filled: tuple) -> list[str]:
    """Time and place, unless the place is all that a copular clause says. Raises ValueError for what cannot be said."""
    *slots, _, verb = filled
    said = [slot for slot in ("object", "complement", "place") if slot in slots]
    copular, alone = verb == "be", said == ["complement"]
    wrong = copular and not said or "complement" in slots and not (copular and alone)
    if wrong or "recipient" in slots and verb not in _RECIPIENT:
        raise ValueError(f"cannot be said: the verb {verb} with {slots}")
    adjuncts = ("time",) if copular and said == ["place"] else ("time", "place")
    return [slot for slot in adjuncts if slot in slots]


def _plan(order: tuple[str, ...], filled: tuple) -> tuple[tuple[str, str], ...]:
    """Each slot in order, with the category of its phrase, or of the verb, where it stands."""
    at, adjuncts, category = order.index("verb"), _list_adjuncts(filled), "S"
    for slot in order[:at]:
        category = category if slot in adjuncts else _take(category, "\\", _ARGUMENTS[slot])
    for slot in reversed(order[at + 1 :]):
        category = category if slot in adjuncts else _take(category, "/", _ARGUMENTS[slot])
    adjunct = {slot: "S/S" if order.index(slot) < at else "S\\S" for slot in adjuncts}
    return tuple((slot, {"verb": category, **_ARGUMENTS, **adjunct}[slot]) for slot in order)


def _take(result: str, slash: str, argument: str) -> str:
    """The category that makes `result` of an `argument` on its right (/) or left (\\)."""
    wrapped = [f"({part})" if "/" in part or "\\" in part else part for part in (result, argument)]
    return slash.join(wrapped)


@lru_cache(maxsize=64)
def speaker(seed: int, code: str, order_of: str | None = None) -> Speaker:
    """The speaker of a language in the world of a seed, perhaps one who keeps another language's order."""
    return Speaker(seed, code, order_of or code)


def realise(meaning: Meaning, seed: int, code: str, rng: Random | None = None, order_of: str | None = None) -> Sentence:
    """A meaning said in a language. The generator draws where the order is free; without it that is SOV.

    `order_of` puts the words in the order of another language. Raises ValueError for a meaning that cannot be said.
    """
    voice = speaker(seed, code, order_of)
    match meaning:
        case Clause():
            tokens = (*voice.say_clause(meaning, rng), Token(voice.stop, "PUNCT", "S\\S", "."))
        case Link(first, connective, second):
            between = voice.word(connective, "(S\\S)/S")
            tokens = (*voice.say_clause(first, rng), between, *voice.say_clause(second, rng, prefix="second."))
            tokens = (*tokens, Token(voice.stop, "PUNCT", "S\\S", "."))
        case Question():
            tokens = _say_question(voice, meaning, rng)
    return _write(tokens, voice.language.spaced)


def _say_question(voice: Speaker, question: Question, rng: Random | None) -> tuple[Token, ...]:
    front = voice.language.question == "front"
    if question.asked == "whether":
        clause = voice.say_clause(question.clause, rng)
        particle = voice.word("whether", "S[q]/S" if front else "S[q]\\S")
        said = (particle, *clause) if front else (*clause, particle)
        return (*said, Token("?", "PUNCT", "S[q]\\S[q]", "?"))
    asked = question.asked
    if asked == "number":
        asked = next(slot for slot in COUNTED if (thing := getattr(question.clause, slot)) and thing.number == 0)
    clause = voice.say_clause(question.clause, rng, asked if front else None)
    return (*clause, Token("?", "PUNCT", "S[wq]\\S", "?"))


def _write(tokens: tuple[Token, ...], spaced: bool) -> Sentence:
    offsets, pieces, length = [], [], 0
    for token in tokens:
        if spaced and length and token.upos != "PUNCT":
            pieces.append(" ")
            length += 1
        offsets.append(length)
        pieces.append(token.form)
        length += len(token.form)
    return Sentence(tokens, "".join(pieces), tuple(offsets))


def join(sentences: Sequence[Sentence], code: str) -> tuple[str, list[int]]:
    """Sentences as one text, and the offset of each in it; spaces between them where the script has spaces."""
    space = " " if LAB_LANGUAGES[code].spaced else ""
    starts, length = [], 0
    for sentence in sentences:
        starts.append(length)
        length += len(sentence.text) + len(space)
    return space.join(sentence.text for sentence in sentences), starts
