"""Limits out of a market_config.yaml: merged into the limits in force, submitted like those of a person."""

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from risk.import_job import ImportJob, ImportRefused, Tally
from risk.limits_document import document_own
from risk.locking import account_lock, desk_lock
from risk.models import LimitsVersion
from risk.risk_controller import limits_submit
from risk.rules.limits import LimitsError
from risk.sources.records import LimitsRecord


def limits_import(record: LimitsRecord, job: ImportJob) -> Tally:
    """What the file maps to limits is applied if there were none or it tightens, else proposed.

    Raises `ImportRefused` without an account, and where the limits in force do not go together with the
    file's.
    """
    account = job.account_row()
    with job.step():
        desk_lock()
        state = account_lock(account.code)
        document = _merged(state.limits, record.values)
        try:
            submitted = limits_submit(account.code, document, actor=job.actor, reason=job.why)
        except LimitsError as error:
            raise ImportRefused(f"its limits cannot be used: {error}") from error
    ignored = Counter(reason for _, reason in record.ignored)
    tally = Tally(
        imported=int(submitted.changed),
        unchanged=int(not submitted.changed),
        notes=[_standing(submitted.version, applied=submitted.applied, changed=submitted.changed)],
        details=[f"ignored: {key}: {reason}" for key, reason in record.ignored],
    )
    tally.notes += [f"mapped: {key} -> {path} = {value}" for key, path, value in record.mapped]
    tally.notes += [
        f"ignored: {count} {'key' if count == 1 else 'keys'}: {reason}" for reason, count in ignored.most_common()
    ]
    return tally


def _merged(version: LimitsVersion | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """The file's values in what the account sets itself; a drawdown rule that it inherits becomes its own."""
    if version is None:
        return limits_merged({}, values)
    document = dict(document_own(version.body, version.own))
    rules = document.get("drawdown", [])
    wanted = {rule["name"] for rule in values.get("drawdown", ())} - {rule["name"] for rule in rules}
    taken = [rule for rule in version.body["drawdown"] if rule["name"] in wanted]
    return limits_merged(document | {"drawdown": [*rules, *taken]} if taken else document, values)


def _standing(version: LimitsVersion, *, applied: bool, changed: bool) -> str:
    if not changed:
        return f"its limits are those of version {version.version}, " + (
            "which is in force" if applied else "which waits for approval"
        )
    return f"limits version {version.version} " + (
        "is in force" if applied else "loosens and is proposed: a second person must approve it"
    )


def limits_merged(current: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The document `current` with `values` in it; of a drawdown rule that it has, the allowance alone
    changes.
    """
    merged = deepcopy(dict(current))
    for section, fields in values.items():
        if section == "drawdown":
            merged[section] = _rules_merged(merged.get(section, []), fields)
        else:
            merged[section] = {**merged.get(section, {}), **fields}
    return merged


def _rules_merged(rules: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    allowances = {rule["name"]: rule["allowance"] for rule in new}
    known = {rule["name"] for rule in rules}
    kept = [{**rule, "allowance": allowances.get(rule["name"], rule["allowance"])} for rule in rules]
    return kept + [rule for rule in new if rule["name"] not in known]
