"""Follow a run: a listener hears of stages, steps and frames."""

import t2v


def show(event: t2v.Event) -> None:
    """Print what can be counted."""
    if event.event == "step":
        print(f"step {event.step} of {event.of}")
    elif event.event == "warning":
        print(event.message)


t2v.load("doodle-128", listener=show).generate("a pink heart grows", seed=2, listener=show)
