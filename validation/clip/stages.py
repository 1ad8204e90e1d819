"""The stages of the run: each is a command of this project, with its options.

Every one of them goes on where it was interrupted: archives and shards are named by what they are
of, records are sealed. So all are run again, in order, and what is there is not done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Plan", "Stage", "stages"]

_ALIGNED, _UNALIGNED = "aligned", "unaligned"
_FIGURES_OF_THE_RUN = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Stage:
    """One command.

    Attributes:
        name: for people.
        module: that is run with ``python -m``.
        arguments: of its command line.
        proof: whether status 1 says that the features are not proved.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    proof: bool = False


@dataclass(frozen=True)
class Plan:
    """What is run, and where.

    Attributes:
        folder: of the corpus, the features and the records.
        out: of the results, laid out as this project's: ``docs/results`` and ``docs/figures``.
        device: as `fusiontheory.solvers.devices` takes it.
        first: the first of these devices by its own name, which extracts.
        mirror, manifest: where the corpus and the weights are in place of the public copies.
        weights: names of files of weights that the manifest lists.
        backbone: the aligned condition: one network for images and captions.
        image_backbone, text_backbone: the unaligned condition.
        sizes: numbers of training pairs, of trained and of kernel heads.
        seeds: of both.
        heads: trained heads; None: all.
        parts: of the study of trained heads.
        embedded: test images in figure 4.
        shard: images in a shard of the cache: what a kill loses at most.
        jobs: processes; None: one a core.
        accept_terms: those of the corpus.
    """

    folder: Path
    out: Path
    device: str = "cuda"
    first: str = "cuda:0"
    mirror: str | None = None
    manifest: Path | None = None
    weights: tuple[str, ...] = field(default=())
    backbone: str = "clip-vit-b-32"
    image_backbone: str = "resnet18"
    text_backbone: str = "minilm"
    sizes: str = "2048,4096,8192,16384"
    seeds: int = 10
    heads: str | None = None
    parts: str = "grid,noise"
    embedded: int = 300
    shard: int = 256
    jobs: int | None = None
    accept_terms: bool = False

    @property
    def corpus(self) -> Path:
        """Folder of images, captions and weights."""
        return self.folder / "flickr8k"

    @property
    def results(self) -> Path:
        """Folder of the tables and the page."""
        return self.out / "docs" / "results"

    def features(self, condition: str) -> Path:
        """Return the features file of a condition."""
        return self.folder / f"{condition}.safetensors"

    def checkpoint(self, option: str, backbone: str) -> tuple[str, ...]:
        """Return the option that names local weights of a backbone, if the mirror has them."""
        name = backbone.replace(":", "-")
        place = self.corpus / "weights" / name
        if f"{name}.safetensors" in self.weights:
            return option, f"{place}.safetensors"
        if f"{name}/modules.json" in self.weights:
            return option, str(place)
        return ()


def stages(plan: Plan) -> list[Stage]:
    """Return the stages in their order.

    >>> [stage.name for stage in stages(Plan(Path("a"), Path("b")))][:4]
    ['fetch', 'extract aligned', 'prove', 'extract unaligned']
    """
    aligned, unaligned = plan.features(_ALIGNED), plan.features(_UNALIGNED)
    return [
        Stage("fetch", "validation", ("fetch", *_fetched(plan))),
        _extraction(plan, _ALIGNED, plan.backbone),
        Stage("prove", "validation", ("prove", str(aligned)), proof=True),
        _extraction(plan, _UNALIGNED, plan.image_backbone, plan.text_backbone),
        Stage("study", "validation", ("study", *_studied(plan, aligned, unaligned))),
        Stage(
            "embedding",
            "validation.embedding",
            (
                *("--features", str(aligned), "--as-given", _ALIGNED),
                *("--images", str(plan.embedded), "--store", str(plan.folder / "store")),
                *("--out", str(plan.results / "embedding")),
            ),
        ),
        Stage(
            "parameters",
            "validation.counts",
            (
                *("--features", str(aligned)),
                *("--out", str(plan.results / "parameter_counts.csv")),
            ),
        ),
        *(
            Stage(
                f"figure {k}",
                f"paper_figures.figure{k}",
                # Figure 6 is of the theory and of synthetic features: of no corpus.
                (
                    *("--root", str(plan.out if k in _FIGURES_OF_THE_RUN else Path())),
                    *("--out", str(plan.out / "docs" / "figures")),
                ),
            )
            for k in (*_FIGURES_OF_THE_RUN, 6)
        ),
    ]


def _fetched(plan: Plan) -> tuple[str, ...]:
    options = ["--out", str(plan.corpus)]
    options += ["--mirror", plan.mirror] if plan.mirror else []
    options += ["--manifest", str(plan.manifest)] if plan.manifest else []
    return (*options, *(["--accept-terms"] if plan.accept_terms else []))


def _extraction(plan: Plan, condition: str, image: str, text: str | None = None) -> Stage:
    options = ["extract", str(plan.corpus), "--backbone", image]
    options += plan.checkpoint("--checkpoint", image)
    if text is not None:
        options += ["--text-backbone", text, *plan.checkpoint("--text-checkpoint", text)]
    options += ["--device", plan.first, "--cache", str(plan.folder / "features")]
    options += ["--shard-images", str(plan.shard)]
    options += ["--workers", str(plan.jobs if plan.jobs > 1 else 0)] if plan.jobs else []
    options += ["--out", str(plan.features(condition))]
    return Stage(f"extract {condition}", "validation", tuple(options))


def _studied(plan: Plan, aligned: Path, unaligned: Path) -> tuple[str, ...]:
    """Return the options of the study: every head on both conditions, with and without noise."""
    options = [
        *("--features", f"{_ALIGNED}={aligned}", "--features", f"{_UNALIGNED}={unaligned}"),
        *("--aligned", _ALIGNED, "--parts", plan.parts),
        *("--sizes", plan.sizes, "--seeds", str(plan.seeds), "--device", plan.device),
        *("--store", str(plan.folder / "store"), "--out", str(plan.results)),
        # The proof has its own stage, which stops the run or was told not to.
        "--unproved",
    ]
    options += ["--heads", plan.heads] if plan.heads else []
    return (*options, *(["--jobs", str(plan.jobs)] if plan.jobs else []))
