"""Features by condition, as given, to the reports of kernel heads and of trained heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from rich.progress import Progress

from fusiontheory.data import FeatureSet
from fusiontheory.parallel import Part
from fusiontheory.store import check_writable
from validation.conditions import allowed_pairs, fitted_sizes, unequal_dimensions
from validation.extract import PUBLISHED, Proof, prove
from validation.kernel import Session, Study
from validation.pipeline.sources import Source
from validation.trained import TrainedCell, TrainedStudy, train_cells, write_report

__all__ = [
    "GivenStudy",
    "Plan",
    "Verdict",
    "given_study",
    "open_given",
    "prove_sources",
    "study_features",
    "with_proofs",
]

_NEED_ONE_DIMENSION = ("dot-product", "hadamard")
_FLICKR8K = 8091
"""Images of the corpus that the published recall is of."""


@dataclass(frozen=True)
class GivenStudy(TrainedStudy):
    """The study of trained heads on features as given; by itself only its grid is trained.

    Attributes:
        unequal: conditions whose image and text vectors differ in dimension; dot-product and
            hadamard are left out there.
        parts: that are trained and reported.
    """

    unequal: frozenset[str] = frozenset()
    parts: tuple[str, ...] = ("grid",)

    def cells(self, part: str | None = None) -> list[TrainedCell]:
        """Return the cells of a part, or of all its parts, that features allow."""
        declared = super().cells
        return [
            cell
            for name in (self.parts if part is None else (part,))
            for cell in declared(name)
            if cell.condition not in self.unequal or cell.head not in _NEED_ONE_DIMENSION
        ]


@dataclass(frozen=True)
class Plan:
    """What is done with features as given.

    Attributes:
        study: numbers of the kernel heads.
        trained: numbers of the trained heads; None: none are trained.
        parts: of the study of trained heads.
        aligned: the condition that the published claims are about; None: the first whose images
            and captions one network encoded.
        jobs: processes.
        part: of the trained runs.
        only: "train" for the trained runs alone, "report" for all but them; None for everything.
        devices: by their own names; none: the processor, and NumPy for the kernel heads.
    """

    study: Study = field(default_factory=Study)
    trained: TrainedStudy | None = None
    parts: Sequence[str] = ("grid",)
    aligned: str | None = None
    jobs: int = 1
    part: Part = field(default_factory=Part)
    only: str | None = None
    devices: tuple[str, ...] = ()

    @property
    def gpus(self) -> tuple[str, ...]:
        """The devices that are not the processor."""
        return tuple(name for name in self.devices if name != "cpu")


@dataclass(frozen=True)
class Verdict:
    """What a study on features as given leaves.

    Attributes:
        page: the report.
        said: lines about what was left out or fitted, and the proof of the features.
        missing: trained cells that are not on record.
    """

    page: Path
    said: Sequence[str] = ()
    missing: Sequence[str] = field(default_factory=tuple)


def given_study(
    study: TrainedStudy, features: Mapping[str, FeatureSet], parts: Sequence[str] = ("grid",)
) -> tuple[GivenStudy, list[str]]:
    """Return the study of trained heads with what these features allow, and lines about it.

    Args:
        study: whose numbers count; its conditions are those of ``features``, as given.
        features: of the same images, with the splits train, dev and test.
        parts: of `validation.trained.design.study.PARTS`.

    Raises:
        InputError: if a split is missing or has too few images.
    """
    first = next(iter(features.values()))
    sizes, said = fitted_sizes(study.sizes, allowed_pairs(first, "train"))
    unequal = unequal_dimensions(features)
    settings = {one.name: getattr(study, one.name) for one in fields(TrainedStudy)}
    settings |= {
        "strengths": dict.fromkeys(features),
        "sizes": sizes,
        "small": min(study.small, sizes[-1]),
        "training": replace(study.training, batch_size=min(study.training.batch_size, sizes[0])),
        "dev_pairs": min(study.dev_pairs, allowed_pairs(first, "dev")),
        "test_pairs": min(study.test_pairs, allowed_pairs(first, "test")),
    }
    given = GivenStudy(**settings, unequal=frozenset(unequal), parts=tuple(parts))
    given.cells()
    for one in features.values():
        given.check_features(one)
    left_out = [head for head in study.heads if head in _NEED_ONE_DIMENSION]
    if left_out:
        said += [f"{', '.join(left_out)} are not trained on {name}" for name in unequal]
    return given, [f"trained heads: {line}" for line in said]


def prove_sources(sources: Mapping[str, Source]) -> dict[str, Proof]:
    """Return the proof of each condition whose recall on the whole of Flickr8k is published."""
    proofs = {}
    for name, source in sources.items():
        card = source.about.get("image") or {}
        published = PUBLISHED.get((card.get("name", ""), card.get("tag", "")))
        if published is not None and len(source.features) == _FLICKR8K:
            proofs[name] = prove(source.features, source.about, published)
    return proofs


def open_given(
    sources: Mapping[str, Source], study: Study, folder: Path, aligned: str | None = None
) -> tuple[Session, list[str]]:
    """Return the study of kernel heads on features as given, and what was left out or fitted.

    Args:
        sources: features by condition.
        study: numbers of the kernel heads.
        folder: of records.
        aligned: the condition that the published claims are about; None: the first whose images
            and captions one network encoded.

    Raises:
        InputError: as `Session.as_given` does.
    """
    if aligned is None:
        aligned = next((n for n, source in sources.items() if source.one_network), "aligned")
    features = {name: source.features for name, source in sources.items()}
    return Session.as_given(replace(study, aligned=aligned), features, folder)


def with_proofs(session: Session, sources: Mapping[str, Source]) -> Session:
    """Return the session with what the report says of published recall and of the weights.

    Weights that are not what their name says, and recall that is not the published one, come
    first on the page.
    """
    proofs = prove_sources(sources)
    told = dict(session.told)
    if proofs:
        told["proof"] = {name: str(proof) for name, proof in proofs.items()}
    wrong = [f"{name}: {proof}." for name, proof in proofs.items() if not proof.right]
    notes = list(dict.fromkeys(note for source in sources.values() for note in source.notes))
    if notes:
        said = "; ".join(notes)
        wrong.append(f"Not of published weights, so nothing here says what those do: {said}.")
    if wrong:
        told["caution"] = " ".join([*wrong, *filter(None, [told.get("caution")])])
    return replace(session, told=told)


def study_features(
    sources: Mapping[str, Source],
    folder: Path,
    out: Path,
    progress: Progress,
    plan: Plan | None = None,
) -> Verdict:
    """Measure, predict, train and report, each condition's features as given.

    Args:
        sources: features by condition, as `validation.pipeline.sources.read_sources` returns them.
        folder: of records; what it has is not done again.
        out: gets the report, and in ``trained`` the tables of trained heads.
        progress: where bars go.
        plan: what is done; None: kernel heads alone.

    Raises:
        InputError: if features or settings do not fit, before any work, or a folder cannot be
            written to.
    """
    plan = plan or Plan()
    session, said = open_given(sources, plan.study, folder, plan.aligned)
    given = None
    if plan.trained is not None:
        features = {name: source.features for name, source in sources.items()}
        given, more = given_study(plan.trained, features, plan.parts)
        said = [*said, *more]
    for place in (folder, out):
        check_writable("out" if place is out else "store", place)
    if given is not None and plan.only != "report":
        cells = (given, session.conditions, session.store, given.cells())
        train_cells(*cells, plan.jobs, (plan.part.index, plan.part.of), plan.gpus)
    if plan.only == "train":
        return Verdict(out / "index.html", said)
    session = replace(with_proofs(session, sources), devices=plan.devices)
    session.run(plan.jobs, progress)
    page = session.report(out)
    missing: Sequence[str] = ()
    if given is not None:
        trained = write_report(
            given,
            session.conditions,
            session.store,
            given.cells(),
            out / "trained",
            kind="cuda" if plan.gpus else "cpu",
            caution=session.told.get("caution"),
        )
        missing = trained.missing
    small = session.told.get("caution")
    return Verdict(page, [*said, *([small] if small else [])], missing)
