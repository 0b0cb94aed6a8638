"""What people see on a terminal, drawn with rich; nothing from outside is read as markup."""

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from t2v_cli.terminal import has_color


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout; the cells are safe already."""
    drawn = Table(*headers, box=box.SIMPLE_HEAD, pad_edge=False)
    drawn.columns[0].no_wrap = True
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console(file=sys.stdout, highlight=False).print(drawn)


def progress(*, is_list: bool = False) -> Progress:
    """Started bars on stderr with the fields `item` and `pace`; they leave nothing behind.

    A list of them has room for more words and no clock.
    """
    console = Console(
        file=sys.stderr, force_terminal=True, no_color=not has_color(sys.stderr), highlight=False
    )
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[item]}", markup=False),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=12 if is_list else 24),
        TextColumn("{task.fields[pace]}", markup=False),
        *([] if is_list else [TimeElapsedColumn()]),
        console=console,
        transient=True,
        # stdout is data and may be a file; rich would draw it above the bar.
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.start()
    return bar
