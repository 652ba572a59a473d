"""People who sign in, and tokens for machines."""

import click

from experiments.accounts import queries, service
from experiments.accounts.schemas import Role, Scope, TokenIn, UserIn
from experiments.commands.terminal import changing, operator, reading, show, when
from experiments.settings import Settings
from experiments.shapes import parse


@click.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("email")
@click.option("--name", default="", help="How the person is called; the e-mail if not given.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.VIEWER.value)
@click.password_option(help="At least 12 characters; asked for when not given.")
@click.pass_obj
def add_user(settings: Settings, email: str, name: str, role: str, password: str) -> None:
    """Add a person."""
    data = {"email": email, "name": name or email, "role": role, "password": password}
    with changing(settings) as (session, now):
        made = service.create_user(session, parse(UserIn, data), actor=operator(), now=now)
    click.echo(f"{made.email} can sign in as {made.role}.")


@user.command("list")
@click.pass_obj
def list_users(settings: Settings) -> None:
    """Show everybody."""
    with reading(settings) as session:
        found = queries.users(session)
    rows = [(item.email, item.name, item.role, when(item.disabled_at)) for item in found]
    show("People", ("e-mail", "name", "role", "disabled"), rows)


@click.group()
def token() -> None:
    """API tokens for machines."""


@token.command("create")
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice([scope.value for scope in Scope]), multiple=True
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    help="A site whose pages may use it; makes it a public client token. '*' for any.",
)
@click.pass_obj
def create_token(
    settings: Settings, name: str, scopes: tuple[str, ...], origins: tuple[str, ...]
) -> None:
    """Make a token; the secret is shown only now."""
    data = parse(TokenIn, {"name": name, "scopes": list(scopes), "origins": list(origins)})
    with changing(settings) as (session, now):
        made = service.create_token(session, data, actor=operator(), now=now)
    click.echo(made.secret)


@token.command("list")
@click.pass_obj
def list_tokens(settings: Settings) -> None:
    """Show every token, without its secret."""
    with reading(settings) as session:
        found = queries.tokens(session)
    rows = [
        (
            str(item.id),
            item.name,
            item.client_key or item.prefix,
            " ".join(item.scopes),
            " ".join(item.origins),
            when(item.revoked_at),
        )
        for item in found
    ]
    show("Tokens", ("id", "name", "starts with", "scopes", "origins", "revoked"), rows)


@token.command("revoke")
@click.argument("token_id", type=int)
@click.pass_obj
def revoke_token(settings: Settings, token_id: int) -> None:
    """End a token."""
    with changing(settings) as (session, now):
        service.revoke_token(session, token_id, actor=operator(), now=now)
    click.echo("The token no longer works.")
