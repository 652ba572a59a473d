"""Desireline behind OpenFeature: one provider that evaluates and tracks, one hook for exposures.

Copy this file into your project; it needs `openfeature-sdk` and `openfeature-provider-ofrep`.

    from openfeature import api
    from desireline_openfeature import DesirelineProvider, ExposureHook

    provider = DesirelineProvider("https://desireline.example", token)
    api.set_provider(provider)
    api.add_hooks([ExposureHook(provider)])
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any
from uuid import uuid4

from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.hook import Hook
from openfeature.track import TrackingEventDetails

REMEMBERED = 100_000


class DesirelineProvider(OFREPProvider):
    """Evaluates by OFREP; sends what is tracked in the background, once however often resent."""

    def __init__(self, base_url: str, token: str, *, timeout: float = 5.0) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        super().__init__(base_url, headers_factory=lambda: headers, timeout=timeout)
        self._token = token
        self._sender = ThreadPoolExecutor(max_workers=1)

    def track(
        self,
        tracking_event_name: str,
        evaluation_context: EvaluationContext | None = None,
        tracking_event_details: TrackingEventDetails | None = None,
    ) -> None:
        """Send an event of the visitor that the context names; without one there is none."""
        if evaluation_context is None or not evaluation_context.targeting_key:
            return
        properties = {}
        if tracking_event_details is not None:
            properties = dict(tracking_event_details.attributes)
            if tracking_event_details.value is not None:
                properties["value"] = tracking_event_details.value
        self._sender.submit(
            self._send, tracking_event_name, evaluation_context.targeting_key, properties
        )

    def shutdown(self) -> None:
        """Wait until everything is sent."""
        self._sender.shutdown()

    def _send(self, event: str, visitor: str, properties: dict[str, Any]) -> None:
        now = datetime.now(timezone.utc).isoformat()  # noqa: TID251, UP017 (a client, 3.9 and later)
        call = {"event": event, "userId": visitor, "properties": properties}
        body = {**call, "messageId": str(uuid4()), "timestamp": now, "sentAt": now}
        address = f"{self.base_url.rstrip('/')}/v1/track"
        self.session.post(address, json=body, auth=(self._token, ""), timeout=self.timeout)


class ExposureHook(Hook):
    """Reports that a visitor saw an arm, once per visitor, experiment and variant."""

    def __init__(self, provider: DesirelineProvider) -> None:
        self._provider = provider
        self._once = lru_cache(maxsize=REMEMBERED)(self._report)

    def after(self, hook_context: Any, details: Any, hints: Any) -> None:  # noqa: ARG002 (the SDK's)
        """Look at every evaluation; one outside of any experiment is no exposure."""
        visitor, told = hook_context.evaluation_context.targeting_key, details.flag_metadata
        if visitor and told.get("inExperiment"):
            self._once(visitor, told["experiment"], details.variant)

    def _report(self, visitor: str, experiment: str, variant: str) -> None:
        seen = TrackingEventDetails(
            attributes={"experiment_id": experiment, "variation_id": variant}
        )
        self._provider.track("Experiment Viewed", EvaluationContext(visitor), seen)
