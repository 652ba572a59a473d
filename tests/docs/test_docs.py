"""The documentation names everything there is, and links only to what exists."""

import re
from pathlib import Path

import click
import pytest
from flask import Flask

from cli import main
from experiments.jobs.table import JOBS
from experiments.metrics.schemas import MetricKind
from experiments.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def reference(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text()


def commands(group: click.Group, before: str = "desireline") -> list[str]:
    found = []
    for name, command in group.commands.items():
        whole = f"{before} {name}"
        found += commands(command, whole) if isinstance(command, click.Group) else [whole]
    return found


@pytest.mark.parametrize("field", Settings.model_fields)
def test_setting__when_it_exists__then_it_is_documented(field: str) -> None:
    alias = Settings.model_fields[field].validation_alias
    variable = str(alias or f"DESIRELINE_{field.upper()}")
    assert f"| `{variable}` |" in reference("settings.md")


@pytest.mark.parametrize("job", [job.name for job in JOBS])
def test_job__when_it_exists__then_it_is_documented(job: str) -> None:
    assert f"| `{job}` |" in reference("jobs.md")


@pytest.mark.parametrize("kind", list(MetricKind))
def test_metric_kind__when_it_exists__then_it_is_documented(kind: MetricKind) -> None:
    assert f"| `{kind}` |" in reference("metrics.md")


@pytest.mark.parametrize("command", commands(main))
def test_command__when_it_exists__then_it_is_documented_and_explains_itself(command: str) -> None:
    assert f"`{command}" in reference("commands.md")
    node: click.Command = main
    for word in command.split()[1:]:
        assert isinstance(node, click.Group)
        node = node.commands[word]
    assert node.help


def test_api_address__when_it_exists__then_it_is_documented(app: Flask) -> None:
    listed = reference("api.md").replace("\\|", "|")
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    missing = [rule.rule for rule in rules if f" {plainly(rule.rule)}`" not in listed]
    assert rules
    assert missing == []


def plainly(rule: str) -> str:
    """A route as the page writes it: `{key}` for a part, `{a|b}` for a choice."""
    chosen = re.sub(
        r"<any\((.*?)\):\w+>", lambda found: "{" + found[1].replace(", ", "|") + "}", rule
    )
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", chosen)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_link__when_it_is_local__then_it_leads_somewhere(page: Path) -> None:
    targets = [found for found in LINK.findall(page.read_text()) if "://" not in found]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page__when_it_speaks__then_of_no_machine_of_ours(page: Path) -> None:
    assert not re.search(r"/(work|home|root|tmp)/", page.read_text())
