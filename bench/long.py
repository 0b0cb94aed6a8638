"""What length costs: memory and time a frame of long videos, beside asking diffusers for them.

    python bench/long.py [MODEL ...] [--times 1 4 16 64] [--steps N] [--repeat 3] [--limit-s 480]

Every measurement is a process of its own with one thread, which loads the model, makes one video
into a file, and tells its peak of resident memory (`VmHWM`), processor seconds, and how long the
first finished frame took to reach the writer. Our own are made `--repeat` times in turn, and each
figure is the median: what the heap keeps differs by some percent from run to run. "direct" is the
stock pipeline asked for the whole length at once, its frames kept, as it returns them; it is given
up after `--limit-s` seconds.
Exits 1 when a ratio misses its goal.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MEMORY_GOAL, LENGTH_GOAL, NATIVE_GOAL = 1.05, 1.05, 1.7
PROMPT = "a red ball bounces over green hills"
MODELS: dict[str, dict[str, Any]] = {
    "doodle-128": {
        "native": 17,
        "width": 128,
        "height": 128,
        "num_inference_steps": 16,
        "guidance_scale": 4.0,
        "negative_prompt": "",
        "max_sequence_length": 24,
    },
    "tiny wan": {
        "native": 81,
        "width": 32,
        "height": 32,
        "num_inference_steps": 2,
        "guidance_scale": 4.0,
        "negative_prompt": "",
    },
}
TOLD = ("max_sequence_length",)

# --- the measured process -----------------------------------------------------------------------


def measured(job: dict[str, Any]) -> dict[str, Any]:
    """Make the video that the job describes and say what it took."""
    import torch

    torch.set_num_threads(1)
    make = _direct if job["way"] == "direct" else _ours
    return make(job) | {"peak_mib": round(_peak_mib(), 1)}


def _ours(job: dict[str, Any]) -> dict[str, Any]:
    import t2v

    generator = t2v.load(job["folder"])
    first: list[float] = []

    def listen(event: t2v.Event) -> None:
        if event.event == "frames" and not first:
            first.append(time.process_time() - began)

    # The entry knows it; diffusers has to be told.
    options = {name: value for name, value in job["options"].items() if name not in TOLD}
    loaded = _resident_mib()
    began = time.process_time()
    video = generator.generate(
        PROMPT, output=job["output"], seed=1, overwrite=True, listener=listen, **options
    )
    seconds = time.process_time() - began
    return {
        "frames": video.record["num_frames"],
        "cpu_s": seconds,
        "first_s": first[0],
        "loaded_mib": loaded,
    }


def _direct(job: dict[str, Any]) -> dict[str, Any]:
    import torch
    from diffusers import DiffusionPipeline

    from t2v.runtime.quiet import quiet

    with quiet():
        pipe = DiffusionPipeline.from_pretrained(job["folder"], dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    loaded = _resident_mib()
    began = time.process_time()
    frames = pipe(
        PROMPT, **job["options"], generator=torch.Generator().manual_seed(1), output_type="np"
    ).frames[0]
    seconds = time.process_time() - began
    return {"frames": len(frames), "cpu_s": seconds, "first_s": seconds, "loaded_mib": loaded}


def _resident_mib() -> float:
    return _status("VmRSS")


def _peak_mib() -> float:
    return _status("VmHWM")


def _status(name: str) -> float:
    """A line of what Linux says of this process; unlike `getrusage`, nothing of its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


# --- the program --------------------------------------------------------------------------------


def run(
    job: dict[str, Any], limit_s: float | None = None, program: str = __file__
) -> dict[str, Any]:
    """The job in a process of its own; `{"failed": why}` where it does not get there."""
    command = [sys.executable, program, "--job", json.dumps(job)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {limit_s:.0f} s"}
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return {"failed": reason[:90]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _median(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Each figure's median over the runs; the failure where one failed."""
    failed = next((one for one in found if "failed" in one), None)
    return failed or {name: statistics.median(one[name] for one in found) for name in found[0]}


def row(label: str, found: dict[str, Any]) -> str:
    """One line of the table."""
    if "failed" in found:
        return f"{label:24} {found['failed']}"
    a_frame = 1000 * found["cpu_s"] / found["frames"]
    return (
        f"{label:24} {found['frames']:6} {found['peak_mib']:8.0f} "
        f"{found['peak_mib'] - found['loaded_mib']:10.0f} {found['cpu_s']:9.2f} {a_frame:9.2f} "
        f"{found['first_s']:9.2f}"
    )


def compare(
    name: str, folder: Path, times: list[int], steps: int | None, repeat: int, limit_s: float
) -> list[bool]:
    """Print a model's table and its ratios; whether each goal is met."""
    options = dict(MODELS[name])
    if steps is not None:
        options["num_inference_steps"] = steps
    native = options.pop("native")
    print(f"\n{name}, native {native} frames")
    print(
        f"{'':24} {'frames':>6} {'peak MiB':>8} {'above load':>10} {'cpu s':>9} {'ms/frame':>9} "
        f"{'first s':>9}"
    )
    with tempfile.TemporaryDirectory() as scratch:

        def job(way: str, factor: int, **more: Any) -> dict[str, Any]:
            # A length that the stock pipeline makes, too: the native one is 4 n + 1.
            num_frames = factor * (native - 1) + 1
            output = f"{scratch}/{way}-{factor}.mp4"
            asked = {**options, "num_frames": num_frames, **more}
            return {"way": way, "folder": str(folder), "output": output, "options": asked}

        def made(way: str, factor: int, label: str, **more: Any) -> dict[str, Any]:
            found = _median([run(job(way, factor, **more), limit_s) for _ in range(repeat)])
            print(row(f"t2v {factor}x {label}", found), flush=True)
            return found

        ours = {factor: made("t2v", factor, "") for factor in times}
        first = {
            order: made(order, times[-2], order, order=order) for order in ("lockstep", "wavefront")
        }
        for factor in times:
            print(row(f"direct {factor}x", run(job("direct", factor), limit_s)), flush=True)
    print()
    return _ratios(ours, first)


def _ratios(ours: dict[int, dict[str, Any]], first: dict[str, dict[str, Any]]) -> list[bool]:
    """Print what the goals are about."""
    if any("failed" in found for found in (*ours.values(), *first.values())):
        return [False]
    rate = {factor: found["cpu_s"] / found["frames"] for factor, found in ours.items()}
    shortest, *_, longest = sorted(ours)
    base = next((factor for factor in sorted(ours) if 4 <= factor < longest), shortest)
    ratios = [
        *(
            (
                f"peak memory {n}x / {base}x",
                ours[n]["peak_mib"] / ours[base]["peak_mib"],
                MEMORY_GOAL,
            )
            for n in ours
            if n > base
        ),
        (f"seconds a frame {longest}x / {base}x", rate[longest] / rate[base], LENGTH_GOAL),
        (f"seconds a frame {longest}x / {shortest}x", rate[longest] / rate[shortest], NATIVE_GOAL),
        (
            "first frame, wavefront / lockstep",
            first["wavefront"]["first_s"] / first["lockstep"]["first_s"],
            1.0,
        ),
    ]
    return judged(ratios)


def judged(ratios: list[tuple[str, float, float]]) -> list[bool]:
    """Print each ratio beside its goal; whether it is met."""
    for label, ratio, goal in ratios:
        print(f"{label:36} {ratio:6.3f}  goal {goal}  {'ok' if ratio <= goal else 'MISSED'}")
    return [ratio <= goal for _, ratio, goal in ratios]


def main() -> None:
    """Measure the models one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help=f"of {', '.join(MODELS)}; all without")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--steps", type=int, help="instead of the model's own number")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit-s", type=float, default=480)
    parser.add_argument("--job", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if len(args.times) < 2:
        parser.error("--times needs two lengths at least: what is compared is long with short")
    if args.job:
        print(json.dumps(measured(args.job)))
        return
    from t2v import builtin
    from t2v.testing import tiny_pipeline

    with tempfile.TemporaryDirectory() as scratch:
        folders = {
            "doodle-128": builtin.folder(),
            "tiny wan": tiny_pipeline("wan", Path(scratch) / "wan"),
        }
        met = [
            goal
            for name in args.models or MODELS
            for goal in compare(
                name, folders[name], args.times, args.steps, args.repeat, args.limit_s
            )
        ]
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
