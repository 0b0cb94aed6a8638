"""What a zoo entry says about a model: frozen data, no code. `models.yaml` validates against this."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from t2v.zoo.hashes import COMMIT_HASH as COMMIT_HASH

Commercial = Literal["yes", "no", "conditions"]
Maturity = Literal["verified", "smoke", "untested", "legacy", "unverified"]
"""`unverified` is for models without an entry; an entry is never that."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=64)]
RepoId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$", max_length=140)]
CommitHash = Annotated[str, Field(pattern=f"^{COMMIT_HASH.pattern}$")]
PositiveInt = Annotated[int, Field(gt=0)]
CallValue = bool | int | float | str | tuple[int | float, ...]


class _Frozen(BaseModel):
    # Most commands read a catalog that was validated before, and never need a validator.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class FrameRule(_Frozen):
    """Which frame counts the model makes: `multiple * n + plus`, n >= 0 (n >= 1 where plus is 0)."""

    multiple: PositiveInt = 1
    plus: Annotated[int, Field(ge=0)] = 0
    native: PositiveInt
    """The length the model was trained for, in frames."""
    min: PositiveInt | None = None
    max: PositiveInt | None = None
    """The longest clip one call can make, in frames; longer ones need a long-video method."""


class LatentRule(_Frozen):
    """How latent frames become pixel frames: the first makes `first`, each later one `factor`."""

    factor: PositiveInt
    first: PositiveInt = 1
    """1 for a causal video VAE, 8 for one that makes 8 of every latent, 1 for an image VAE."""
    patch: PositiveInt = 1
    """Latent frames that the denoiser takes as one; windows start and end on its multiples."""


class Sizes(_Frozen):
    """Which frame sizes the model makes, in pixels, width first."""

    native: tuple[tuple[PositiveInt, PositiveInt], ...] = Field(min_length=1)
    multiple: PositiveInt = 8


class Defaults(_Frozen):
    """What a call uses where the user said nothing; None leaves the pipeline's own default."""

    num_inference_steps: PositiveInt | None = None
    min_inference_steps: PositiveInt | None = None
    """The fewest steps that the pipeline can run; fewer are refused before anything is loaded."""
    guidance_scale: Annotated[float, Field(ge=0)] | None = None
    guidance_scale_2: Annotated[float, Field(ge=0)] | None = None
    negative_prompt: str | None = None
    scheduler: str | None = None
    """A diffusers scheduler class name; None keeps the repository's."""
    scheduler_config: dict[str, CallValue] = {}
    """Settings of the scheduler that differ from the repository's, such as `beta_schedule`."""
    flow_shift: Annotated[float, Field(gt=0)] | None = None
    flow_shift_by_height: dict[PositiveInt, Annotated[float, Field(gt=0)]] = {}
    """Flow shift by the shorter side of the frame in pixels, where it follows the size."""
    max_sequence_length: PositiveInt | None = None
    call: dict[str, CallValue] = {}
    """Further arguments of the pipeline call that the model needs, such as `guidance_rescale`."""

    def shift_for(self, width: int, height: int) -> float | None:
        """The flow shift for frames of this size: that of the nearest height that is known."""
        side, known = min(width, height), self.flow_shift_by_height
        return known[min(known, key=lambda one: abs(one - side))] if known else self.flow_shift

    def further_arguments(self, num_inference_steps: int | None) -> dict[str, Any]:
        """`call` for a run of so many steps, as a pipeline wants it.

        `timesteps` or `sigmas` of a distilled model hold for one number of steps; with another
        they are left out, and the scheduler spaces its own.
        """
        call: dict[str, Any] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.call.items()
        }
        for name in ("timesteps", "sigmas"):
            if num_inference_steps != len(call.get(name, ())):
                call.pop(name, None)
        return call


class Component(_Frozen):
    """One part of the pipeline: how many parameters it has and what its weights take on disk."""

    params: PositiveInt
    bytes: PositiveInt
    dtype: Literal["float32", "float16", "bfloat16"] = "bfloat16"
    """The dtype to compute in."""


class Part(_Frozen):
    """A part of the pipeline that lies outside the model's repository, such as a motion adapter.

    Its class is the first that the entry's `classes` names for it.
    """

    repo: RepoId | None = None
    folder: str | None = None
    """A local folder in place of a repository."""
    revision: CommitHash | None = None
    file: Annotated[str, Field(pattern=r"^([\w-][\w.-]*/)*[\w-][\w.-]*\.safetensors$")] | None = (
        None
    )
    """One file with all the weights, for a part in its class's default configuration; without it
    the place has a `config.json` and weights, as `save_pretrained` writes them."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.repo is None) == (self.folder is None):
            raise ValueError("needs one of repo and folder")
        return self


class LoraPart(Part):
    """A LoRA that belongs to the model; those of `--lora` come on top of it."""

    scale: float = 1.0


class Supports(_Frozen):
    """What can be done with the model beyond a plain call."""

    lora: bool = False
    vae_tiling: bool = False
    caches: bool = False
    context_parallel: bool = False
    streams: bool = True
    """Whether the first frames of a long video come before the last."""
    long_video: tuple[str, ...] = ()
    """Ways to a video longer than native: `windows`, `continue`, `native`."""
    window: PositiveInt | None = None
    """Latent frames of a window."""
    overlap: Annotated[int, Field(ge=0)] | None = None
    """Latent frames that a window shares with the one before it."""


class MemoryRow(_Frozen):
    """One measured run: what it needed at its peak, and how that is known."""

    gpu: str
    size: str
    frames: PositiveInt
    rung: str
    peak_gib: Annotated[float, Field(gt=0)]
    how: Annotated[str, Field(min_length=8)]


class ModelSpec(_Frozen):
    """One checkpoint that t2v can run, and everything worth knowing before the download."""

    name: str
    """The zoo name, or for a model without an entry its repository id or folder name."""
    family: str
    """The module below `t2v.families`; `generic` for a pipeline without one."""
    pipeline: str
    """The diffusers pipeline class; a repository that says another is refused."""
    repo: RepoId | None = None
    builtin: Name | None = None
    """The folder below `t2v/builtin` of a model that ships with the package."""
    folder: str | None = None
    """A local diffusers folder, for a model given by its path."""
    repo_pipeline: str | None = None
    """The pipeline class that the repository names where it is another one: AnimateDiff takes the
    parts of a `StableDiffusionPipeline`."""
    unused: tuple[str, ...] = ()
    """Parts of the repository that the pipeline does not take; neither fetched nor loaded."""
    parts: dict[str, Part] = {}
    """Part of the pipeline -> where it lies, for those that the repository does not have."""
    loras: tuple[LoraPart, ...] = ()
    revision: CommitHash | None = None
    branch: Annotated[str, Field(pattern=r"^\w[\w-]*([./][\w-]+)*$")] | None = None
    """The branch or tag of the repository where that is not its main one; `revision` goes before."""
    variant: str | None = None
    requires: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")], ...] = ()
    """Packages that t2v does not bring and the model needs, as `pip install` names them."""
    aliases: tuple[Name, ...] = ()
    license: str
    commercial: Commercial
    gated: bool = False
    tasks: tuple[str, ...] = ("text-to-video",)
    tags: tuple[Name, ...] = ()
    """Words that people search for and that are not in name or description, such as `anime`."""
    description: str = ""
    homepage: str | None = None
    paper: str | None = None
    components: dict[str, Component] = {}
    classes: dict[str, tuple[str, ...]] = {}
    """Part of the pipeline -> the classes it may have; a repository with another is refused."""
    sizes: Sizes
    frames: FrameRule
    latents: LatentRule | None = None
    """None where nobody has said it; such a model has no windows."""
    fps: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}(/[1-9][0-9]{0,5})?$")]
    """The rate the model was trained at, an exact fraction such as `16` or `24000/1001`."""
    fps_input: bool = False
    """Whether the pipeline takes the rate as an argument."""
    audio: bool = False
    defaults: Defaults = Defaults()
    supports: Supports = Supports()
    memory: tuple[MemoryRow, ...] = ()
    diffusers: str | None = None
    """The diffusers versions the entry was checked with, as a PEP 440 specifier."""
    maturity: Maturity = "untested"
    sources: dict[str, str] = {}
    """Key path (`defaults`, `frames.native`, ...) -> where the numbers below it come from."""

    @field_validator("commercial", mode="before")
    @classmethod
    def _yes_or_no(cls, value: object) -> object:
        # A bare yes or no is a boolean in YAML 1.1.
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value

    @field_validator("fps", mode="before")
    @classmethod
    def _fraction(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _parts_have_classes(self) -> Self:
        if unclear := [part for part in self.parts if not self.classes.get(part)]:
            raise ValueError(f"parts.{unclear[0]} needs its class, in classes.{unclear[0]}")
        return self

    @property
    def elsewhere(self) -> tuple[Part, ...]:
        """What the model takes from outside its own repository."""
        return (*self.parts.values(), *self.loras)

    @property
    def mixes_formats(self) -> bool:
        """Whether some components are to be computed in another number format than others."""
        return len({component.dtype for component in self.components.values()}) > 1

    @property
    def download_bytes(self) -> int:
        """Size of all the weights, in bytes; 0 where it is not known, or none are in a repository."""
        return sum(component.bytes for component in self.components.values()) if self.repo else 0
