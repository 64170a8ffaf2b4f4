"""Random answers in several scripts, the same on any machine, on which metrics are compared with official scripts."""

from random import Random

WORDS = (
    "the a an The cat, U.S. 5 $ 3-4 -- … “big” der die Hund, el «gato» la một của những cây، ال الكتاب والقلم هذا كتاب "
    "यह कुत्ता है। बिल्ली 大猫 在2019年 猫。 ไทย ๆ แมว ok! ?! café naïve Straße ß İ ﬁ"
).split()


def draw_answer(rng: Random) -> str:
    """Up to four words, or none, with blanks of several kinds between them."""
    return rng.choice((" ", "  ", "\t", "\u00a0")).join(rng.choices(WORDS, k=rng.randrange(5)))


def draw_questions(seed: int, count: int) -> list[tuple[str, list[str]]]:
    """(predicted, gold answers) of so many questions; about every second prediction shares words with a gold answer."""
    rng, questions = Random(seed), []
    for _ in range(count):
        gold = [draw_answer(rng) for _ in range(rng.randrange(1, 4))]
        near = rng.choice([*" ".join(gold).split(), ""])
        questions.append((f"{near} {draw_answer(rng)}" if rng.random() < 0.7 else rng.choice(gold), gold))
    return questions
