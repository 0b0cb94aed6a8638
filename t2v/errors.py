"""Every error t2v raises on purpose, each with the exit code the command line returns for it.

```
T2VError                       1   a run failed
├── RequestError               2   the request is wrong
│   ├── UnknownModelError      2   no such model
│   └── DocumentError          2   a YAML or JSON file is wrong (file:line:column, key path)
│       └── PromptFilesError   2   prompt files are wrong (a line for every mistake)
├── ModelError                 1   a model cannot be loaded
│   ├── WeightsMissingError    1   not in the cache, and the network is off or away
│   ├── GatedModelError        1   the licence has to be accepted first
│   ├── UnsafeModelError       1   pickle weights, remote code, or classes that are not the entry's
│   └── DependencyMissingError 1   an optional package is needed
├── GenerationError            1   the model ran and failed
│   └── MemoryExhaustedError   1   out of memory on the device
├── SuspectError               4   written, but the frames look broken (only under `--strict`)
├── DiskError                 74   cannot read or write
│   └── OutputExistsError     74   the file is there already
├── BusyError                 75   another run holds the folder
└── InterruptedRun           130   stopped by the user
```
"""

__all__ = [
    "BusyError",
    "DependencyMissingError",
    "DiskError",
    "DocumentError",
    "GatedModelError",
    "GenerationError",
    "InterruptedRun",
    "MemoryExhaustedError",
    "ModelError",
    "OutputExistsError",
    "PromptFilesError",
    "RequestError",
    "SuspectError",
    "T2VError",
    "UnknownModelError",
    "UnsafeModelError",
    "WeightsMissingError",
]


class T2VError(Exception):
    """A run failed. The message says what, why, and what to do next, in one or two lines."""

    exit_code = 1


class RequestError(T2VError):
    """The request cannot be fulfilled as it is: a wrong value, or two that contradict."""

    exit_code = 2


class UnknownModelError(RequestError):
    """The name is no zoo entry, no alias, no Hub repository id and no local folder."""


class DocumentError(RequestError):
    """A YAML or JSON document is wrong; the message begins with `file:line:column`."""


class PromptFilesError(DocumentError):
    """Prompt files are wrong; the message has a line for every mistake of every file."""


class ModelError(T2VError):
    """A model cannot be loaded."""


class WeightsMissingError(ModelError):
    """The weights are not on this machine and cannot be fetched now."""


class GatedModelError(ModelError):
    """The Hub refuses the files until the user accepts the licence or logs in."""


class UnsafeModelError(ModelError):
    """Loading would run code from the repository, or its classes are not those expected."""


class DependencyMissingError(ModelError):
    """An optional package is not installed; the message has the install command."""


class GenerationError(T2VError):
    """The model was loaded and could not finish the video."""


class MemoryExhaustedError(GenerationError):
    """The device or the host ran out of memory."""


class SuspectError(T2VError):
    """The file was written, but its frames look broken; raised only when asked to be strict."""

    exit_code = 4


class DiskError(T2VError):
    """A file or folder cannot be read or written."""

    exit_code = 74


class OutputExistsError(DiskError):
    """The output is there already, and nobody said that it may be replaced."""


class BusyError(T2VError):
    """Another run is using the folder."""

    exit_code = 75


class InterruptedRun(T2VError):  # noqa: N818 - it ends a run on request, it is no fault
    """The user stopped the run; what was finished is kept."""

    exit_code = 130
