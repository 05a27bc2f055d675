"""The cells of a course's notebooks: those of the book, and what the term asks again."""

from exercises.build import HEADING, Cell
from minitx.checks import Exercise

NOTE = "*2 points, and no check before the work is handed in · `{name}_again`*"
FUNCTION = '''def {answer}_again():
    """What the text above asks for."""
    # BEGIN SOLUTION
    return {right}
    # END SOLUTION'''


def with_again(
    cells: list[Cell], exercises: list[Exercise], asked: dict[str, dict[str, str]]
) -> list[Cell]:
    """A master's cells with the questions ``asked`` again, each after the check of its exercise."""
    known = {it.name.partition("/")[2]: it for it in exercises}
    found: list[Cell] = []
    name = ""
    for cell in cells:
        found.append(cell)
        if cell.kind == "markdown":
            name = "".join(HEADING.findall(cell.text)) or name
        if cell.check and known[name].name in asked:
            found += _again(known[name], **asked[known[name].name])
    return found


def _again(exercise: Exercise, text: str, answer: str) -> list[Cell]:
    head = f"### {exercise.title} (this term)\n\n{NOTE.format(name=exercise.name)}"
    right = answer.replace("\n", "\n" + " " * len("    return "))
    function = FUNCTION.format(answer=exercise.answer, right=right)
    return [Cell("markdown", f"{head}\n\n{text.strip()}"), Cell("code", function)]
