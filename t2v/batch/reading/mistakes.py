"""What is wrong in prompt files, gathered so that all of it is said at once."""

from t2v.errors import PromptFilesError

MAX_LINES = 100


class Mistakes:
    """Mistakes of all files in the order in which they were found."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0

    def add(self, where: str, message: str) -> None:
        """Note one; what is said already is not said again."""
        line = f"{where}: {' '.join(message.split())}" if where else " ".join(message.split())
        if line in self.lines:
            return
        self.count += 1
        if len(self.lines) < MAX_LINES:
            self.lines.append(line)

    def check(self) -> None:
        """Raise them, if there are any.

        Raises:
            PromptFilesError: A line for each, and how many more there are.
        """
        if not self.count:
            return
        more = self.count - len(self.lines)
        raise PromptFilesError("\n".join([*self.lines, *([f"and {more:,} more"] if more else [])]))
