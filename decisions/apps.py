from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DecisionsConfig(AppConfig):
    name = "decisions"
    label = "decisions"
    verbose_name = _("Decision log")

    def ready(self) -> None:
        from decisions.alert_texts import TEXTS
        from decisions.commitments import vector_disclosed, vector_findings
        from decisions.demo.load import demo_load
        from decisions.replay.expiry import replays_expire
        from mia_site.audit.evidence import evidence_register
        from mia_site.audit.verification.findings import commitment_register
        from mia_site.ops.alerts import alert_texts_register  # models cannot be imported before this point
        from mia_site.ops.registry import demo_register, expiry_register, process_register

        alert_texts_register(TEXTS)
        evidence_register(
            "decisions.decision",
            named={"limits_id": "limits", "feature_set_id": "features"},
            disclose=vector_disclosed,
        )
        commitment_register("decisions.decision", vector_findings)
        expiry_register("replays", replays_expire)
        demo_register(10, "demo", demo_load)
        process_register("demo-feed", "demo_feed", demo=True)
