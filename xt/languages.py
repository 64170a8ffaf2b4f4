"""The languages of XTREME (Hu et al., 2020), XTREME-R (Ruder et al., 2021), AmericasNLI (Ebrahimi et al., 2022) and
MasakhaNER 2.0 (Adelani et al., 2022), and one order for them.

The word order is the dominant order of subject, object and verb (WALS chapter 81, Dryer, 2013); `mixed` where that
chapter finds none, or the code stands for several languages (Nahuatl). The pretraining size is the text in the
language's own script in CC-100, in GiB, which XLM-R was trained on (Conneau et al., 2020, table 6): both scripts of
Chinese and both encodings of Burmese are summed, romanised text is left out, and 0 marks a language that XLM-R's 100 do
not include.

The resource class is that of the list with Joshi et al. (2020), "The state and fate of linguistic diversity and
inclusion in the NLP world": how much labelled and unlabelled data a language has, 0 to 5. Their list names languages
and no codes: Chinese is their Mandarin, Mossi their Moore, Raramuri their Tarahumara, Wixarika their Huichol, Punjabi
their Eastern Punjabi; Haitian is 2 (the same list has Haitian Creole as 0).

The rows `qaa` to `qax` (codes for private use) are the languages of `xt.lab`, which says the rest about them. A lab
family is written `Lab A: branch`; `mixed` is a free order, with case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xt.errors import require_known


@dataclass(frozen=True, slots=True)
class Language:
    """One language, with the names that the benchmark's releases give it."""

    code: str
    """ISO 639-1 where there is one: the benchmark's own code."""
    iso3: str
    """ISO 639-3, as in Tatoeba's file names (`cmn`, `pes` and `swh`, not the macrolanguage)."""
    name: str
    """English name; also the name of its part-of-speech data, and in lower case of its TyDi QA rows."""
    family: str
    """Language family; for Indo-European and the lab's families the branch too, written `IE: Branch`."""
    script: str
    """Script in which the benchmark writes it."""
    word_order: str
    """Dominant order of subject, object and verb, or `mixed`."""
    xlmr_pretraining_gib: float | None
    """Text seen in the pretraining of XLM-R, in GiB; None where unknown."""
    resource_class: int | None = None
    """Class of Joshi et al. (2020), 0 (no labelled data) to 5; None where their list lacks the language."""

    @property
    def top_family(self) -> str:
        """The family without its branch: `IE` of `IE: Romance`."""
        return self.family.split(":")[0]


def _table(*rows: Language) -> Mapping[str, Language]:
    return MappingProxyType({row.code: row for row in rows})


LANGUAGES: Mapping[str, Language] = _table(
    Language("af", "afr", "Afrikaans", "IE: Germanic", "Latin", "mixed", 1.3, 3),
    Language("ar", "ara", "Arabic", "Afro-Asiatic", "Arabic", "VSO", 28.0, 5),
    Language("ay", "aym", "Aymara", "Aymaran", "Latin", "SOV", 0.0, 1),
    Language("az", "aze", "Azerbaijani", "Turkic", "Latin", "SOV", 6.5, 1),
    Language("bbj", "bbj", "Ghomala", "Niger-Congo", "Latin", "SVO", 0.0, None),
    Language("bg", "bul", "Bulgarian", "IE: Slavic", "Cyrillic", "SVO", 57.5, 3),
    Language("bm", "bam", "Bambara", "Niger-Congo", "Latin", "SOV", 0.0, 1),
    Language("bn", "ben", "Bengali", "IE: Indo-Aryan", "Bengali", "SOV", 8.4, 3),
    Language("bzd", "bzd", "Bribri", "Chibchan", "Latin", "SOV", 0.0, 0),
    Language("cni", "cni", "Ashaninka", "Arawakan", "Latin", "VSO", 0.0, None),
    Language("de", "deu", "German", "IE: Germanic", "Latin", "mixed", 66.6, 5),
    Language("ee", "ewe", "Ewe", "Niger-Congo", "Latin", "SVO", 0.0, 1),
    Language("el", "ell", "Greek", "IE: Greek", "Greek", "mixed", 46.9, 3),
    Language("en", "eng", "English", "IE: Germanic", "Latin", "SVO", 300.8, 5),
    Language("es", "spa", "Spanish", "IE: Romance", "Latin", "SVO", 53.3, 5),
    Language("et", "est", "Estonian", "Uralic", "Latin", "SVO", 6.1, 3),
    Language("eu", "eus", "Basque", "Basque", "Latin", "SOV", 2.0, 4),
    Language("fa", "pes", "Persian", "IE: Iranian", "Arabic", "SOV", 111.6, 4),
    Language("fi", "fin", "Finnish", "Uralic", "Latin", "SVO", 54.3, 4),
    Language("fon", "fon", "Fon", "Niger-Congo", "Latin", "SVO", 0.0, 0),
    Language("fr", "fra", "French", "IE: Romance", "Latin", "SVO", 56.8, 5),
    Language("gn", "grn", "Guarani", "Tupian", "Latin", "SVO", 0.0, 1),
    Language("gu", "guj", "Gujarati", "IE: Indo-Aryan", "Gujarati", "SOV", 1.9, 1),
    Language("ha", "hau", "Hausa", "Afro-Asiatic", "Latin", "SVO", 0.3, 2),
    Language("hch", "hch", "Wixarika", "Uto-Aztecan", "Latin", "SOV", 0.0, 0),
    Language("he", "heb", "Hebrew", "Afro-Asiatic", "Hebrew", "SVO", 31.6, 3),
    Language("hi", "hin", "Hindi", "IE: Indo-Aryan", "Devanagari", "SOV", 20.2, 4),
    Language("ht", "hat", "Haitian Creole", "Creole", "Latin", "SVO", 0.0, 2),
    Language("hu", "hun", "Hungarian", "Uralic", "Latin", "mixed", 58.4, 4),
    Language("id", "ind", "Indonesian", "Austronesian", "Latin", "SVO", 148.3, 3),
    Language("ig", "ibo", "Igbo", "Niger-Congo", "Latin", "SVO", 0.0, 1),
    Language("it", "ita", "Italian", "IE: Romance", "Latin", "SVO", 30.2, 4),
    Language("ja", "jpn", "Japanese", "Japonic", "Japanese", "SOV", 69.3, 5),
    Language("jv", "jav", "Javanese", "Austronesian", "Latin", "SVO", 0.2, 1),
    Language("ka", "kat", "Georgian", "Kartvelian", "Georgian", "SOV", 9.1, 3),
    Language("kk", "kaz", "Kazakh", "Turkic", "Cyrillic", "SOV", 6.4, 3),
    Language("ko", "kor", "Korean", "Koreanic", "Hangul", "SOV", 54.2, 4),
    Language("lg", "lug", "Luganda", "Niger-Congo", "Latin", "SVO", 0.0, 1),
    Language("lt", "lit", "Lithuanian", "IE: Baltic", "Latin", "SVO", 13.7, 3),
    Language("luo", "luo", "Luo", "Nilo-Saharan", "Latin", "SVO", 0.0, None),
    Language("ml", "mal", "Malayalam", "Dravidian", "Malayalam", "SOV", 7.6, 1),
    Language("mos", "mos", "Mossi", "Niger-Congo", "Latin", "SVO", 0.0, 0),
    Language("mr", "mar", "Marathi", "IE: Indo-Aryan", "Devanagari", "SOV", 2.8, 2),
    Language("ms", "msa", "Malay", "Austronesian", "Latin", "SVO", 8.5, 3),
    Language("my", "mya", "Burmese", "Sino-Tibetan", "Burmese", "SOV", 2.0, 1),
    Language("nah", "nah", "Nahuatl", "Uto-Aztecan", "Latin", "mixed", 0.0, 1),
    Language("nl", "nld", "Dutch", "IE: Germanic", "Latin", "mixed", 29.3, 4),
    Language("ny", "nya", "Chichewa", "Niger-Congo", "Latin", "SVO", 0.0, 1),
    Language("oto", "oto", "Otomi", "Oto-Manguean", "Latin", "VOS", 0.0, 0),
    Language("pa", "pan", "Punjabi", "IE: Indo-Aryan", "Gurmukhi", "SOV", 0.8, 2),
    Language("pcm", "pcm", "Nigerian Pidgin", "Creole", "Latin", "SVO", 0.0, 0),
    Language("pl", "pol", "Polish", "IE: Slavic", "Latin", "SVO", 44.6, 4),
    Language("pt", "por", "Portuguese", "IE: Romance", "Latin", "SVO", 49.1, 4),
    Language("qu", "que", "Quechua", "Quechuan", "Latin", "SOV", 0.0, 1),
    Language("ro", "ron", "Romanian", "IE: Romance", "Latin", "SVO", 61.4, 3),
    Language("ru", "rus", "Russian", "IE: Slavic", "Cyrillic", "SVO", 278.0, 4),
    Language("rw", "kin", "Kinyarwanda", "Niger-Congo", "Latin", "SVO", 0.0, 1),
    Language("shp", "shp", "Shipibo-Konibo", "Panoan", "Latin", "SOV", 0.0, 0),
    Language("sn", "sna", "Shona", "Niger-Congo", "Latin", "SVO", 0.0, 1),
    Language("sw", "swh", "Swahili", "Niger-Congo", "Latin", "SVO", 1.6, 2),
    Language("ta", "tam", "Tamil", "Dravidian", "Tamil", "SOV", 12.2, 3),
    Language("tar", "tar", "Raramuri", "Uto-Aztecan", "Latin", "SOV", 0.0, 0),
    Language("te", "tel", "Telugu", "Dravidian", "Telugu", "SOV", 4.7, 1),
    Language("th", "tha", "Thai", "Kra-Dai", "Thai", "SVO", 71.7, 3),
    Language("tl", "tgl", "Tagalog", "Austronesian", "Latin", "VSO", 3.1, 3),
    Language("tn", "tsn", "Setswana", "Niger-Congo", "Latin", "SVO", 0.0, 2),
    Language("tr", "tur", "Turkish", "Turkic", "Latin", "SOV", 20.9, 4),
    Language("tw", "twi", "Twi", "Niger-Congo", "Latin", "SVO", 0.0, 1),
    Language("uk", "ukr", "Ukrainian", "IE: Slavic", "Cyrillic", "SVO", 84.6, 3),
    Language("ur", "urd", "Urdu", "IE: Indo-Aryan", "Arabic", "SOV", 5.7, 3),
    Language("vi", "vie", "Vietnamese", "Austroasiatic", "Latin", "SVO", 137.3, 4),
    Language("wo", "wol", "Wolof", "Niger-Congo", "Latin", "SVO", 0.0, 2),
    Language("xh", "xho", "Xhosa", "Niger-Congo", "Latin", "SVO", 0.1, 2),
    Language("yo", "yor", "Yoruba", "Niger-Congo", "Latin", "SVO", 0.0, 2),
    Language("zh", "cmn", "Chinese", "Sino-Tibetan", "Han", "SVO", 63.5, 5),
    Language("zu", "zul", "Zulu", "Niger-Congo", "Latin", "SVO", 0.0, 2),
    Language("qaa", "qaa", "qaa", "Lab A: 1", "Latin", "SVO", None),
    Language("qab", "qab", "qab", "Lab A: 1", "Latin", "SVO", None),
    Language("qac", "qac", "qac", "Lab A: 1", "Latin", "SOV", None),
    Language("qad", "qad", "qad", "Lab A: 1", "Bopomofo", "SVO", None),
    Language("qae", "qae", "qae", "Lab A: 1", "Georgian", "SOV", None),
    Language("qaf", "qaf", "qaf", "Lab A: 2", "Latin", "SVO", None),
    Language("qag", "qag", "qag", "Lab A: 2", "Cyrillic", "mixed", None),
    Language("qah", "qah", "qah", "Lab A: 2", "Georgian", "mixed", None),
    Language("qai", "qai", "qai", "Lab A: 2", "Georgian", "VSO", None),
    Language("qaj", "qaj", "qaj", "Lab B: 1", "Cyrillic", "SVO", None),
    Language("qak", "qak", "qak", "Lab B: 1", "Latin", "SOV", None),
    Language("qal", "qal", "qal", "Lab B: 1", "Latin", "VSO", None),
    Language("qam", "qam", "qam", "Lab B: 2", "Georgian", "VSO", None),
    Language("qan", "qan", "qan", "Lab B: 2", "Latin", "VSO", None),
    Language("qao", "qao", "qao", "Lab C: 1", "Bopomofo", "SVO", None),
    Language("qap", "qap", "qap", "Lab C: 1", "Latin", "SVO", None),
    Language("qaq", "qaq", "qaq", "Lab C: 2", "Latin", "SVO", None),
    Language("qar", "qar", "qar", "Lab C: 2", "Bopomofo", "SVO", None),
    Language("qas", "qas", "qas", "Lab D: 1", "Latin", "SOV", None),
    Language("qat", "qat", "qat", "Lab D: 1", "Cyrillic", "VSO", None),
    Language("qau", "qau", "qau", "Lab D: 2", "Bopomofo", "SOV", None),
    Language("qav", "qav", "qav", "Lab E: 1", "Cyrillic", "SVO", None),
    Language("qaw", "qaw", "qaw", "Lab E: 1", "Latin", "SOV", None),
    Language("qax", "qax", "qax", "Lab F: 1", "Cyrillic", "mixed", None),
)

LANGUAGE_ORDER: tuple[str, ...] = tuple(
    sorted(LANGUAGES, key=lambda code: (code != "en", LANGUAGES[code].family, LANGUAGES[code].name))
)
"""The one order in tables and figures: English first, then by family, then by name."""


def get_language(code: str) -> Language:
    """The row of a language. Raises ValueError naming the codes there are."""
    return LANGUAGES[require_known("language", code, LANGUAGES)]


def sort_languages(codes) -> list[str]:
    """`codes` in LANGUAGE_ORDER. Raises ValueError for an unknown code."""
    return sorted(codes, key=lambda code: LANGUAGE_ORDER.index(get_language(code).code))
