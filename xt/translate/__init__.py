"""English training rows in another language, by machine translation, as a folder root in the hub's layout.

`sentences` cuts text and marks answers in it, `rows` turns a release's rows into rows in another language, `files` is
the root that gets them, `run` puts them together and goes on where it was killed, `models` are the translators.
"""

from xt.translate.run import Translation, Translator, translate_task, translation_config
