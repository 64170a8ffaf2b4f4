"""A meaning said in a language, and what is said read back.

Every token has its universal part of speech, its category in a categorial grammar with forward and backward
application (Steedman, 2000), and the slot of the meaning that its phrase fills. Atomic categories are S, NP, N, PP and
AP (a predicate adjective), with S[q] and S[wq] for questions. A category follows from where the word stands: a verb
takes its arguments on the side where they are, the nearest first and those on its right before those on its left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from xt.lab.concepts import VERBS
from xt.lab.draw import pick, shuffled
from xt.lab.languages import LAB_LANGUAGES
from xt.lab.lexicon import SCRIPTS, build_lexicon
from xt.lab.meaning import COUNTED, NUMERALS, PAST, Clause, Link, Meaning, Question, Thing

_ORDERS = {
    "SVO": ("subject", "verb", "object", "complement", "recipient", "place", "time"),
    "SOV": ("time", "place", "subject", "recipient", "object", "complement", "verb"),
    "VSO": ("verb", "subject", "object", "complement", "recipient", "place", "time"),
}
_ARGUMENTS = {"subject": "NP", "object": "NP", "recipient": "PP", "complement": "AP"}
_ENTITIES = {"person": "PER", "place": "LOC", "organisation": "ORG"}
NUMBERS = {index: name for index, name in enumerate(NUMERALS, 2)} | {0: "how many"}
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

    def __init__(self, seed: int, code: str) -> None:
        self.language, self.lexicon = LAB_LANGUAGES[code], build_lexicon(seed, code)
        self.stop = SCRIPTS[self.language.script].stop
        self._words: dict[tuple, Token] = {}
        self._phrases: dict[tuple, tuple[Token, ...]] = {}
        self._frames: dict[tuple, dict[str, str]] = {}
        self._usual: dict[tuple, tuple[str, ...]] = {}

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
        an object or a place, a slot that the verb does not take.
        """
        filled = (*(slot for slot in _OPTIONAL if getattr(clause, slot) is not None), fronted, clause.verb)
        free = self.language.word_order == "free" and rng is not None
        order = self._shuffle(filled, rng) if free else self._usual.get(filled) or self._arrange(filled)
        frame = self._frames.get((order, filled)) or self._frame(order, filled)
        said: list[Token] = []
        for slot in order:
            if slot == "verb":
                said.extend(self._verb(clause, frame[slot], prefix))
            else:
                said.extend(self._phrase(slot, getattr(clause, slot), frame[slot], clause.verb, prefix))
        if clause.negated and self.language.negation == "end of clause":
            said.append(self.word("not", "S\\S"))
        return tuple(said)

    def _arrange(self, filled: tuple) -> tuple[str, ...]:
        """The usual order of the slots that are filled; what is fronted stands first, adjuncts then at the end."""
        *slots, fronted, _ = filled
        usual = _ORDERS.get(self.language.word_order, _ORDERS["SOV"])
        order = [slot for slot in usual if slot in {"subject", "verb", *slots}]
        adjuncts = _list_adjuncts(filled)
        if fronted:
            order = [slot for slot in order if slot not in adjuncts] + [slot for slot in order if slot in adjuncts]
            order.sort(key=lambda slot: slot != fronted)
        self._usual[filled] = tuple(order)
        return self._usual[filled]

    def _shuffle(self, filled: tuple, rng: Random) -> tuple[str, ...]:
        """A drawn order: arguments and verb in any, each adjunct at either end, what is fronted first."""
        adjuncts = _list_adjuncts(filled)
        order = shuffled(rng, [slot for slot in ("subject", "verb", *filled[:-2]) if slot not in adjuncts])
        for slot in adjuncts:
            order.insert(pick(rng, (0, len(order)) if filled[-2] in (None, *adjuncts) else (len(order),)), slot)
        return tuple(sorted(order, key=lambda slot: slot != filled[-2]) if filled[-2] else order)

    def _frame(self, order: tuple[str, ...], filled: tuple) -> dict[str, str]:
        """Slot -> category of its phrase, or of the verb, where they stand in this order."""
        adjuncts = _list_adjuncts(filled)
        verb = order.index("verb")
        frame = {slot: "S/S" if order.index(slot) < verb else "S\\S" for slot in adjuncts}
        arguments = {slot: _ARGUMENTS.get(slot, "PP") for slot in order if slot not in adjuncts and slot != "verb"}
        left = [arguments[slot] for slot in order[:verb] if slot in arguments]
        right = [arguments[slot] for slot in order[verb:] if slot in arguments]
        category = "S"
        for argument in left:
            category = _take(category, "\\", argument)
        for argument in reversed(right):
            category = _take(category, "/", argument)
        self._frames[order, filled] = {**frame, **arguments, "verb": category}
        return self._frames[order, filled]

    def _verb(self, clause: Clause, category: str, prefix: str) -> tuple[Token, ...]:
        key = (clause.verb, clause.time in PAST, clause.subject.number != 1, clause.negated, category, prefix)
        if key not in self._phrases:
            wanted = {"past": key[1], "agreement": key[2] and self.language.agreement}
            wanted["negation"] = key[3] and self.language.negation == "suffix"
            marks = tuple(mark for mark, marked in wanted.items() if marked)
            verb = self.word(clause.verb, category, f"{prefix}verb", marks)
            before = clause.negated and self.language.negation == "before verb"
            self._phrases[key] = (self.word("not", _take(category, "/", category)), verb) if before else (verb,)
        return self._phrases[key]

    def _phrase(self, slot: str, value: Thing | str, category: str, verb: str, prefix: str) -> tuple[Token, ...]:
        """The tokens that say the filler of a slot."""
        key = (slot, value, category, verb if slot == "recipient" else "", prefix)
        said = self._phrases.get(key)
        if said is None:
            named = prefix + slot
            if slot in ("time", "complement"):
                said = (self.word(value, category, named),)
            elif slot == "place" and value.head == "where":
                said = (self.word("where", category, named),)
            elif slot == "place":
                said = self._adpositional(value, category, "in", named)
            elif slot == "recipient":
                said = self._adpositional(value, category, _RECIPIENT[verb], named)
            else:
                said = self._noun_phrase(value, named, slot == "object")
            self._phrases[key] = said
        return said

    def _adpositional(self, thing: Thing, category: str, adposition: str, slot: str) -> tuple[Token, ...]:
        phrase = self._noun_phrase(thing, slot, False)
        if self.language.adposition == "before":
            return (self.word(adposition, _take(category, "/", "NP")), *phrase)
        return (*phrase, self.word(adposition, _take(category, "\\", "NP")))

    def _noun_phrase(self, thing: Thing, slot: str, is_object: bool) -> tuple[Token, ...]:
        if thing.head in self.lexicon.names:
            return self._name(thing.head, slot, is_object)
        if thing.head in ("who", "what"):
            return (self.word(thing.head, "NP", slot, ("object",) * is_object),)
        marks = ("plural",) * (thing.number != 1) + ("object",) * (is_object and self.language.case == "suffix")
        noun = [self.word(thing.head, "N", slot, marks)]
        before = self.language.adjective == "before"
        adjectives = [self.word(name, "N/N" if before else "N\\N", slot) for name in thing.properties]
        core = adjectives + noun if before else noun + adjectives
        return (*self._determine(thing, slot, is_object), *core)

    def _determine(self, thing: Thing, slot: str, is_object: bool) -> list[Token]:
        """Article and numeral: whichever is first makes the noun phrase."""
        number, article = NUMBERS.get(thing.number, str(thing.number)), "the" if thing.definite else "a"
        article = [self.word(article, "NP/N", slot)] if thing.definite or thing.number == 1 else []
        category = "N/N" if article else "NP/N"
        if thing.number == 1:
            return article
        if number not in self.lexicon.upos:
            return [*article, Token(number, "NUM", category, number, slot=slot)]
        return [*article, self.word(number, category, slot, ("object",) * (is_object and number == "how many"))]

    def _name(self, entity: str, slot: str, is_object: bool) -> tuple[Token, ...]:
        parts, kind = self.lexicon.names[entity], _ENTITIES[entity.partition(":")[0]]
        marked = ("object",) if is_object and self.language.case == "suffix" else ()
        forms = [self.lexicon.inflected[part, marked if part == parts[-1] else ()] for part in parts]
        categories, tags = ["NP/NP"] * (len(parts) - 1) + ["NP"], [f"B-{kind}"] + [f"I-{kind}"] * (len(parts) - 1)
        return tuple(
            Token(form, "PROPN", category, entity, tag, slot)
            for form, category, tag in zip(forms, categories, tags, strict=True)
        )


def _list_adjuncts(filled: tuple) -> list[str]:
    """Time and place, unless the place is all that a copular clause says. Raises ValueError for what cannot be said."""
    *slots, _, verb = filled
    said = {"object", "complement", "place"} & set(slots)
    copular = verb == "be"
    wrong = "complement" in slots and (not copular or len(said) > 1) or copular and not said
    if wrong or "recipient" in slots and verb not in _RECIPIENT:
        raise ValueError(f"cannot be said: the verb {verb} with {slots}")
    argument = "place" if copular and said == {"place"} else None
    return [slot for slot in ("place", "time") if slot in slots and slot != argument]


def _take(result: str, slash: str, argument: str) -> str:
    """The category that makes `result` of an `argument` on its right (/) or left (\\)."""
    wrapped = [f"({part})" if "/" in part or "\\" in part else part for part in (result, argument)]
    return slash.join(wrapped)


@lru_cache(maxsize=64)
def speaker(seed: int, code: str) -> Speaker:
    """The speaker of a language in the world of a seed."""
    return Speaker(seed, code)


def realise(meaning: Meaning, seed: int, code: str, rng: Random | None = None) -> Sentence:
    """A meaning said in a language. The generator draws where the order is free; without it that is SOV.

    Raises ValueError for a meaning that cannot be said.
    """
    voice = speaker(seed, code)
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
