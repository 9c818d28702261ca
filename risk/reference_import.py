"""Imported references of the whole desk: feature sets, where their features lie, and clusters of the market memory."""

import hashlib
import math
from collections.abc import Sequence

from django.db import IntegrityError
from django.db.models import Max

from mia_site.audit.canonical import canonical_bytes
from mia_site.audit.journal import facts_record
from risk.feature_references import Learned, feature_reference_record
from risk.import_job import ImportJob, ImportRefused, Tally
from risk.inputs import InputError
from risk.locking import desk_lock
from risk.models import Cluster, FeatureSet
from risk.sources.records import ClusterRecord, FeatureImportance, FeatureStatistics

SOURCE_ID_CHARS = 64


def features_import(records: Sequence[FeatureImportance], job: ImportJob) -> Tally:
    """A feature set as a new version, which the desk uses from now on; one that was imported before stays as
    it is.

    |SHAP| values become shares whose sum is 1. Raises `ImportRefused` where they sum to 0.
    """
    total = math.fsum(record.importance for record in records)
    if not total > 0:
        raise ImportRefused("every SHAP value is 0: the features cannot be weighed")
    names = [record.name for record in records]
    shares = [record.importance / total for record in records]
    content = hashlib.sha256(canonical_bytes([names, shares])).hexdigest()
    with job.step():
        desk = desk_lock(exclusive=True)
        known = FeatureSet.objects.filter(content=content).first()
        version = known or _feature_set(names, shares, content, job)
        if known is None or desk.feature_set is None:
            desk.feature_set = version
            desk.save(update_fields=["feature_set"])
    if known is None:
        return Tally(imported=len(records), notes=[f"feature set version {version.version} is in use"])
    older = "" if desk.feature_set == known else f"; the desk uses version {desk.feature_set.version}"
    return Tally(unchanged=len(records), notes=[f"the file is feature set version {known.version}{older}"])


def _feature_set(names: list[str], shares: list[float], content: str, job: ImportJob) -> FeatureSet:
    last = FeatureSet.objects.aggregate(last=Max("version"))["last"]
    version = FeatureSet(
        version=(last or 0) + 1,
        count=len(names),
        names=names,
        importances=shares,
        content=content,
        source=job.name,
    )
    facts_record([version], actor=job.actor, why=job.why)
    return version


def feature_reference_import(records: Sequence[FeatureStatistics], job: ImportJob) -> Tally:
    """Where the features of the set in use lie, as a new version. Raises `ImportRefused` where it cannot be used."""
    with job.step():
        before = desk_lock(exclusive=True)
        try:
            reference = feature_reference_record(records, Learned(source=job.name), actor=job.actor, reason=job.why)
        except InputError as error:
            raise ImportRefused(str(error)) from error
        if reference == before.feature_reference:
            return Tally(unchanged=len(records), notes=[f"the file is reference version {reference.version}, in use"])
        known = sum(centre is not None for centre in reference.centres)
    notes = [f"reference version {reference.version} of feature set version {reference.feature_set.version} is in use"]
    if known < len(records):
        notes.append(f"{len(records) - known} features of the file are not in the set in use")
    return Tally(imported=known, unchanged=len(records) - known, notes=notes)


def clusters_import(records: Sequence[ClusterRecord], job: ImportJob) -> Tally:
    """The clusters of a market memory; one whose source row was imported before is left out."""
    tally = Tally()
    for portion in job.portions(_clusters(records)):
        try:
            new = _clusters_add(portion, job)
        except IntegrityError:  # another import wrote some of them meanwhile: they are known now
            new = _clusters_add(portion, job)
        tally.imported += new
        tally.unchanged += len(portion) - new
    return tally


def _clusters_add(clusters: Sequence[Cluster], job: ImportJob) -> int:
    with job.step():
        contents = [cluster.content for cluster in clusters]
        known = set(Cluster.objects.filter(content__in=contents).values_list("content", flat=True))
        new = {cluster.content: cluster for cluster in clusters if cluster.content not in known}
        facts_record(new.values(), actor=job.actor, why=job.why)
    return len(new)


def _clusters(records: Sequence[ClusterRecord]) -> list[Cluster]:
    return [
        Cluster(
            source_id=record.source_id[:SOURCE_ID_CHARS],
            event_type=record.event_type,
            features=record.features,
            at=record.at,
            confidence=record.confidence,
            vix_es_correlation=record.vix_es_correlation,
            content=_content(record),
        )
        for record in records
    ]


def _content(record: ClusterRecord) -> str:
    row = [record.source_id, record.event_type, record.features, record.at, record.confidence]
    return hashlib.sha256(canonical_bytes(row)).hexdigest()
