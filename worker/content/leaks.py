"""Whether a question's text gives its answer away."""

from worker.content.values import Question


def leaked_answer(question: Question) -> str | None:
    """Return a right answer that stands in a stem, as a whole word or phrase; None if none does."""
    for stem in (question.stem, question.stem_id):
        for answer in _answers(question):
            if _stands_in(answer, stem):
                return answer
    return None


def _answers(question: Question) -> list[str]:
    """Return the texts that are right answers and must not stand in the stem."""
    key = question.answer_key
    match question.type:
        case "multiple_choice":
            return [option["text"] for option in question.options if option["id"] == key["correct"]]
        case "multiple_select":
            return [option["text"] for option in question.options if option["id"] in key["correct"]]
        case "short_answer":
            return list(key["accepted"])
        case "ordering":
            texts = {option["id"]: option["text"] for option in question.options}
            return [" ".join(texts[option_id] for option_id in key["order"])]
        case "fill_blank" if question.skill != "grammar":
            # A grammar gap offers the right word beside the wrong one.
            return [accepted for blank in key["blanks"] for accepted in blank]
        case _:
            return []


def _stands_in(answer: str, stem: str) -> bool:
    """Return whether an answer stands in the stem as a whole word or phrase."""
    padded = "".join(character if character.isalnum() or character in "'_-" else " " for character in stem.casefold())
    wanted = "".join(character if character.isalnum() or character in "'_-" else " " for character in answer.casefold())
    return f" {' '.join(wanted.split())} " in f" {' '.join(padded.split())} "
