"""Shapes of the personas slice."""

from datetime import datetime
from typing import Any

from pydantic import Field, field_validator

from experiments.conditions import check_condition, told
from experiments.shapes import In, Key, Name, Out, Text


class PersonaIn(In):
    """A kind of visitor: who they are, what they want, and the rule that recognises them."""

    key: Key
    name: Name
    rule: dict[str, Any] = Field(
        description="Condition on the visitor's attributes.", examples=[{"device": "phone"}]
    )
    goals: Text = ""
    needs: Text = ""
    priority: int = Field(default=0, ge=0, le=1000, description="Larger wins where two fit.")

    @field_validator("rule")
    @classmethod
    def _rule_is_sound(cls, rule: dict[str, Any]) -> dict[str, Any]:
        if not rule:
            message = "must say something; everybody is no persona"
            raise ValueError(message)
        check_condition(rule)
        return rule


class PersonaOut(Out):
    """A persona as one of its versions says."""

    id: int
    key: str
    version: int
    name: str
    rule: dict[str, Any]
    goals: str
    needs: str
    priority: int
    written_by: str
    written_at: datetime
    retired_at: datetime | None

    @property
    def words(self) -> str:
        """The rule in words."""
        return told(self.rule)


class RetireIn(In):
    """Why a persona is not used any more."""

    reason: Name
