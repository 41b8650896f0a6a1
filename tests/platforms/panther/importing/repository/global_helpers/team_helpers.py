# mypy: ignore-errors
from team_words import WORDS


def is_word(event):
    return event.get("word") in WORDS
