"""The concepts of every world: a forest of kinds, adjectives on scales, verbs with types."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_FOREST = {
    "animal": {"bird": "sparrow owl hen swan", "fish": "trout carp eel", "beast": "wolf horse goat cat"},
    "food": {"fruit": "apple plum pear", "beverage": "milk tea juice", "pastry": "bun cake pie"},
    "tool": {"blade": "knife axe chisel", "vessel": "bucket basket jar", "instrument": "drum flute harp"},
    "vehicle": {"boat": "ferry canoe raft", "carriage": "wagon sled"},
    "garment": {"shoe": "boot sandal", "headwear": "cap hood"},
    "person": {"worker": "baker farmer smith", "artist": "singer painter", "scholar": "teacher doctor"},
    "building": {"house": "hut cottage tower", "shop": "bakery market", "barn": "stable mill"},
}
_SCALES = """
    big small: animal tool vehicle garment building | old new: tool vehicle garment building
    strong weak: animal person tool vehicle | fast slow: animal person vehicle | hot cold: food building
    heavy light: tool vehicle food garment | long short: tool vehicle garment | rich poor: person
    cheap costly: food tool vehicle garment | clean dirty: tool vehicle garment | happy sad: person animal
    loud quiet: animal person vehicle | wet dry: garment animal building | brave timid: person animal
    sweet sour: food
"""
_BEINGS, _GOODS = "person animal", "food tool vehicle garment"


@dataclass(frozen=True, slots=True)
class Kind:
    """A noun concept."""

    name: str
    parent: str | None
    """Its hypernym."""
    domain: str
    """The root of its tree."""


@dataclass(frozen=True, slots=True)
class Property:
    """An adjective: one end of a scale, so that what has it lacks the antonym."""

    name: str
    antonym: str
    scale: str
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb and what it goes with: kinds with all below them, `place`, `organisation`."""

    name: str
    subject: str
    object: str = ""
    adposition: str = ""
    """Of the recipient (a person), where the verb takes one."""
    inverse: str | None = None
    """The verb that says the same with the subject in the place of the recipient, or of the object where none is."""

    @property
    def ditransitive(self) -> bool:
        """Does it take a recipient?"""
        return self.adposition != ""


_VERBS = (
    *(Verb(name, _BEINGS) for name in ("sleep", "run", "rest", "wait", "live", "hide")),
    *(Verb(name, "person") for name in ("sing", "laugh", "work", "dance")),
    Verb("swim", "animal"),
    Verb("see", _BEINGS, f"{_BEINGS} {_GOODS}"),
    Verb("hear", _BEINGS, _BEINGS),
    Verb("find", _BEINGS, f"animal {_GOODS}"),
    Verb("want", "person", _GOODS),
    Verb("chase", "animal", "animal", inverse="flee"),
    Verb("flee", "animal", "animal", inverse="chase"),
    Verb("fear", _BEINGS, _BEINGS, inverse="scare"),
    Verb("scare", _BEINGS, _BEINGS, inverse="fear"),
    Verb("lead", "person", "person", inverse="follow"),
    Verb("follow", "person", "person", inverse="lead"),
    Verb("defeat", "person", "person", inverse="obey"),
    Verb("obey", "person", "person", inverse="defeat"),
    Verb("employ", "organisation", "person", inverse="serve"),
    Verb("serve", "person", "organisation", inverse="employ"),
    Verb("own", "person", f"animal {_GOODS}", inverse="belong"),
    Verb("belong", f"animal {_GOODS}", "person", inverse="own"),
    Verb("eat", _BEINGS, "fruit pastry"),
    Verb("drink", _BEINGS, "beverage"),
    Verb("cook", "person", "food"),
    Verb("use", "person", "tool"),
    Verb("drive", "person", "vehicle"),
    Verb("repair", "person", "tool vehicle building"),
    Verb("wash", "person", _GOODS),
    Verb("wear", "person", "garment"),
    Verb("carry", "person", _GOODS),
    Verb("feed", "person", "animal"),
    Verb("build", "person", "building vehicle"),
    Verb("visit", "person", "building place"),
    Verb("paint", "person", "building vehicle animal"),
    Verb("praise", "person", "person organisation"),
    Verb("give", "person", _GOODS, "to", "receive"),
    Verb("receive", "person", _GOODS, "from", "give"),
    Verb("sell", "person", f"animal {_GOODS}", "to", "buy"),
    Verb("buy", "person", f"animal {_GOODS}", "from", "sell"),
    Verb("lend", "person", "tool vehicle garment", "to", "borrow"),
    Verb("borrow", "person", "tool vehicle garment", "from", "lend"),
    Verb("show", "person", f"animal {_GOODS}", "to"),
    Verb("bring", "person", _GOODS, "to"),
    Verb("steal", "person", _GOODS, "from"),
)
VERBS: Mapping[str, Verb] = MappingProxyType({verb.name: verb for verb in _VERBS})


def _list_kinds() -> list[Kind]:
    kinds = []
    for root, groups in _FOREST.items():
        kinds.append(Kind(root, None, root))
        for group, leaves in groups.items():
            kinds.append(Kind(group, root, root))
            kinds.extend(Kind(leaf, group, root) for leaf in leaves.split())
    return kinds


def _list_properties() -> list[Property]:
    properties = []
    for row in _SCALES.replace("\n", "|").split("|"):
        ends, _, domains = row.strip().partition(": ")
        for one, other in (ends.split(), ends.split()[::-1]) if ends else ():
            properties.append(Property(one, other, ends.replace(" ", "/"), tuple(domains.split())))
    return properties


KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _list_kinds()})
PROPERTIES: Mapping[str, Property] = MappingProxyType({row.name: row for row in _list_properties()})
LEAVES = tuple(name for name in KINDS if name not in {kind.parent for kind in KINDS.values()})
"""The most special kinds."""
