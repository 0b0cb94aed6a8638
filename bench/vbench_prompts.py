"""A prompt file of the size and shape of VBench's: 946 lines, most of them short, all different.

`python -m bench.vbench_prompts FILE` writes it. The lines are our own: what VBench asks of a model
(one object, two, colors, places, actions, styles, long descriptions), in words of this project.
"""

import argparse
from collections.abc import Iterator
from itertools import cycle, islice, product
from pathlib import Path

NUM_LINES = 946

THINGS = """lantern;teapot;canoe;accordion;cactus;windmill;typewriter;umbrella;kettle;globe;tractor;hammock
skateboard;lighthouse;compass;harmonica;wheelbarrow;snow globe;rowing boat;record player;paper crane;telescope
rocking chair;bird house;birthday cake;hot air balloon;street lamp;mailbox;red ball;blue star"""
ANIMALS = """otter;heron;hedgehog;alpaca;gecko;puffin;badger;seahorse;moth;ferret;toad;swan;lynx;walrus;magpie"""
COLORS = "red;orange;yellow;green;blue;purple;pink;black;white"
PLACES = """harbor;greenhouse;attic;bakery;canyon;tram depot;observatory;orchard;ferry terminal;salt flat;vineyard
covered market;boiler room;chapel;quarry;fish market;dance hall;tea house;lock of a canal;rooftop garden;peat bog
swimming hall;workshop;reading room;cable car;fjord;terraced field;underpass;skate park;dune;mill pond"""
ACTIONS = """kneading dough;tuning a cello;folding a map;shearing a sheep;threading a needle;raking leaves
polishing boots;tying a bow tie;lacing skates;playing marbles;carving a spoon;planting bulbs;throwing a discus
sorting stamps;juggling clubs;painting a fence;rowing a boat;pouring tea;doing a cartwheel;winding a clock
peeling an orange;flying a kite;stacking firewood;typing a letter;sharpening a pencil;washing a window
walking on stilts;feeding pigeons;reading aloud;knitting a scarf"""
SIDES = "on the left of;on the right of;on top of;on the bottom of"
STYLES = """in the style of a woodcut;as a watercolor;in pixel art;as a charcoal drawing;as a stop-motion puppet film
in the manner of a botanical plate;as a mosaic of small tiles;as an old newsreel"""
SHOTS = """zoom in;zoom out;pan left;pan right;tilt up;tilt down;in slow motion;with an intense shaking effect
racking focus;seen from above;as a time lapse"""
SCENES = """a ferry crosses the strait at dawn;rain runs down a tram window;a potter lifts a bowl from the wheel
lanterns rise above the river;snow settles on a row of bicycles;a fox trots along the railway
children race paper boats in a gutter;a baker dusts a table with flour;fog rolls over a row of poplars
a market closes and the awnings come down;swifts circle a bell tower;an old man repairs a clock"""
ENDINGS = """the light low and warm, dust hanging in the air, the camera gliding slowly forward at the height of a child
cold blue shadows and one lit window, every surface wet, the far houses lost in mist, quiet and unhurried
shot on a long lens from across the water, the colors faded like an old postcard, with people passing by out of focus"""


def words(text: str) -> list[str]:
    """The entries of a list above."""
    return [word.strip() for line in text.splitlines() for word in line.split(";")]


def article(noun: str) -> str:
    """`an otter`."""
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def _kinds() -> Iterator[tuple[int, Iterator[str]]]:
    """How many lines of each kind, and those there are to choose from."""
    things, animals, places = words(THINGS), words(ANIMALS), words(PLACES)
    nouns = [*things, *animals]
    pairs = [(a, b) for a, b in zip(nouns, nouns[7:] + nouns[:7], strict=True)]
    scenes, styles, shots = words(SCENES), words(STYLES), words(SHOTS)
    yield 79, (f"{article(thing)}" for thing in [*nouns, *(f"small {noun}" for noun in nouns)])
    yield 82, (f"{article(a)} and {article(b)}" for a, b in [*pairs, *((b, a) for a, b in pairs)])
    yield 85, (f"{article(c)} {t}" for t, c in product(things, words(COLORS)))
    yield (
        84,
        (
            f"{article(a)} {side} {article(b)}, front view"
            for (a, b), side in product(pairs, words(SIDES))
        ),
    )
    yield (
        100,
        (
            f"A person is {act}{end}"
            for end, act in product(
                ("", ", outdoors", ", at night", ", in an empty hall"), words(ACTIONS)
            )
        ),
    )
    yield (
        86,
        (
            f"{article(place)}{end}"
            for end, place in product(("", " at dusk", " in winter"), places)
        ),
    )
    yield (
        75,
        (
            f"In a still frame, {article(thing)} in {article(place)}"
            for thing, place in zip(cycle(nouns), places * 3, strict=False)
        ),
    )
    yield 90, (f"{scene.capitalize()}, {style}" for scene, style in product(scenes, styles))
    yield 100, (f"{scene.capitalize()}, {shot}" for scene, shot in product(scenes, shots))
    yield (
        72,
        (
            f"{article(animal)} {act}"
            for animal, act in product(
                animals,
                (
                    "runs through tall grass",
                    "looks up and blinks",
                    "drinks from a pond",
                    "shakes off the rain",
                    "sleeps in the sun",
                ),
            )
        ),
    )
    yield (
        93,
        (
            f"{scene.capitalize()}, {style}, {end}"
            for end, style, scene in product(words(ENDINGS), styles, scenes)
        ),
    )


def prompt_lines() -> list[str]:
    """The lines, the same ones each time."""
    return [line for number, kind in _kinds() for line in islice(kind, number)]


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    path = parser.parse_args().file
    path.write_text("\n".join(prompt_lines()) + "\n", encoding="utf-8")
    print(f"{path}: {NUM_LINES} prompts")


if __name__ == "__main__":
    main()
