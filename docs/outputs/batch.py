"""The schemas of a batch: before it, after it, from its folder, and a line of its results."""

from typing import get_args

from outputs.plan import REQUEST
from outputs.words import (
    COUNT,
    MAYBE_SECONDS,
    MAYBE_TEXT,
    NUMBER_OF_BYTES,
    POSITIVE,
    SECONDS,
    TEXT,
    TIME,
    YES_OR_NO,
    Schema,
    array,
    one_of,
    record,
    said,
)

from t2v.batch.making import Kind
from t2v.batch.run_folder.status import MAX_EXAMPLES, STATUSES
from t2v.batch.running.summary import Stop
from t2v.batch.sheet.cards import CardStatus

FOLDER = said(TEXT, "Path of the run folder, as it was given.")
ID = said(TEXT, "Unique in the run; videos are named like it unless their item says how.")
CUSTOM_ID = said(MAYBE_TEXT, "The id that the item has in its prompt file.")
SOURCE = said(TEXT, "Where the item stands: prompts.csv:3.")
KIND = said(one_of(get_args(Kind)), "request and model fail again however often they are tried.")

JOB = record(
    "One video.",
    id=ID,
    custom_id=CUSTOM_ID,
    source=SOURCE,
    state={
        "enum": ["new", "begun", "interrupted", "failed", "missing", "done"],
        "description": "begun: a run was cut off in it; missing: it was made, and its file is gone "
        "or is not what it was.",
    },
    output=said(TEXT, "Path below the run folder."),
    group=said(COUNT, "Those of one group are made by a model that is loaded once."),
    duration_s={"type": "number", "exclusiveMinimum": 0},
    request=REQUEST,
)
FAILURE = record(
    "A video that was not made.",
    id=ID,
    custom_id=CUSTOM_ID,
    source=SOURCE,
    attempts=said(COUNT, "How often it was begun, in all runs since the last --fresh."),
    kind=KIND,
    type=said(TEXT, "Name of the exception."),
    message=TEXT,
)
REASON = record(
    "Why videos are not as they should be; those alike together.",
    status=one_of(status for status in get_args(CardStatus) if status != "ok"),
    reason=TEXT,
    num_videos=POSITIVE,
    examples={
        **array(record("One of them.", id=ID, source=SOURCE), "The first of them."),
        "maxItems": MAX_EXAMPLES,
    },
)
RUN = record(
    "One run: from its first event to its last.",
    began=TIME,
    ended=TIME,
    wall_s=SECONDS,
    num_ended=said(COUNT, "Videos that were finished or given up."),
)
OWNER = {
    **record(
        "A run that writes to the folder now, as far as it says who it is.",
        pid=TEXT,
        host=TEXT,
        since=TIME,
    ),
    "required": [],
}
COUNTS = record(
    "Videos of the last plan by status: working is in the making now, interrupted was begun and "
    "not finished, waiting was not begun or its file is gone.",
    **dict.fromkeys(STATUSES, COUNT),
)


def batch() -> Schema:
    """What a batch came to."""
    return {
        "title": "t2v batch --json",
        **record(
            "What became of the videos of a batch; every one of them is counted once.",
            folder=FOLDER,
            num_jobs=said(COUNT, "Videos asked for, of this share."),
            num_made=said(COUNT, "By this run; those that look broken are among them."),
            num_there=said(COUNT, "Made by earlier runs."),
            num_suspect=said(COUNT, "Of those made or there: the frames look broken."),
            num_failed=said(COUNT, "In this run, or in earlier ones and not tried again."),
            num_interrupted=said(COUNT, "Begun and not finished."),
            num_untried=said(COUNT, "Not begun."),
            seconds=said(SECONDS, "How long this run took."),
            stop={
                "enum": [*get_args(Stop), None],
                "description": "Why it ended before all was tried: it was told to; the disk is "
                "full or away; as many failed as were allowed; the first ones all failed alike; no "
                "worker could be started. Null when all was tried.",
            },
            reason=said(MAYBE_TEXT, "Why it ended early, in words."),
            is_strict=said(YES_OR_NO, "Videos that look broken count as failed."),
            exit_code={"enum": [0, 1, 3, 74, 130]},
            failures=array(FAILURE),
        ),
    }


def batch_dry_run() -> Schema:
    """What a batch would do."""
    return {
        "title": "t2v batch --dry-run --json",
        **record(
            "What the same command would do without --dry-run.",
            folder=FOLDER,
            num_jobs=said(COUNT, "Videos asked for, of this share."),
            num_done=said(COUNT, "Those that are there already."),
            num_repeats=said(COUNT, "Items that ask for what another item asks for already."),
            estimate_s=said(
                MAYBE_SECONDS,
                "What the rest takes one worker of this machine; null where no earlier run tells.",
            ),
            notes=array(TEXT, "What was changed on the way and why."),
            jobs=array(JOB, "In the order in which they are made."),
        ),
    }


def inspect_run() -> Schema:
    """How far a batch is."""
    return {
        "title": "t2v inspect RUN_FOLDER --json",
        **record(
            "How far a batch is, told from its folder alone.",
            name=said(TEXT, "Of the folder."),
            counts=COUNTS,
            reasons=array(REASON, "Those of the most videos first."),
            runs=array(RUN, "Of all shares."),
            making_s=said(SECONDS, "What the finished videos took, added up over all workers."),
            num_bytes=said(NUMBER_OF_BYTES, "Of the finished videos."),
            at_work=array(OWNER),
            remaining_s=said(
                MAYBE_SECONDS,
                "At the pace of the run at work; null without one, or before it has a pace.",
            ),
            num_damaged=said(COUNT, "Lines of the journals that are there and not whole."),
            sheet=said(MAYBE_TEXT, "Name of the contact sheet, where there is one."),
            num_videos=said(COUNT, "All of the counts."),
            num_missing=said(COUNT, "Those that the same command would make now."),
        ),
    }


def results() -> Schema:
    """A line of `results.jsonl`."""
    named = {"id": ID, "custom_id": CUSTOM_ID}
    response = record(
        "As an answer in OpenAI's batches.",
        status_code={"const": 200},
        body={"type": "object", "description": "The record of the video, as in its sidecar."},
    )
    error = record(
        "Why there is no video.",
        code=one_of((*get_args(Kind), "interrupted")),
        message=TEXT,
    )
    nothing: Schema = {"type": "null"}
    return {
        "title": "A line of results.jsonl",
        "oneOf": [
            record("A video that was made.", **named, response=response, error=nothing),
            record("A video that was not made.", **named, response=nothing, error=error),
        ],
    }
