"""Bringing one message to its receiver, by mail, to Slack or as a signed webhook."""

import smtplib
import ssl
from datetime import datetime
from email import message_from_string, policy

from standardwebhooks import Webhook

from experiments.delivery.posting import SECONDS, post
from experiments.delivery.schemas import Channel, Consignment
from experiments.errors import NotDeliveredError
from experiments.settings import MailSecurity, Settings

JSON = {"Content-Type": "application/json"}


def bring(consignment: Consignment, settings: Settings, *, now: datetime) -> None:
    """Bring a message to its receiver.

    Raises:
        NotDeliveredError: when it was not taken.
    """
    message = consignment.message
    hosts = settings.internal_host_names
    if message.channel is Channel.MAIL:
        _mail(message.recipient, message.content, settings)
    elif message.channel is Channel.SLACK:
        post(consignment.url, message.content.encode(), JSON, internal_hosts=hosts)
    else:
        headers = {**JSON, **signature(consignment, now=now)}
        post(consignment.url, message.content.encode(), headers, internal_hosts=hosts)


def signature(consignment: Consignment, *, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks; the id is the same however often it is tried."""
    number = f"msg_{consignment.id}"
    signed = Webhook(consignment.secret).sign(number, now, consignment.message.content)
    return {
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed,
    }


def _mail(recipient: str, content: str, settings: Settings) -> None:
    if not settings.smtp_host:
        raise NotDeliveredError("No mail server is set; set DESIRELINE_SMTP_HOST.")
    mail = message_from_string(content, policy=policy.SMTP)
    mail["To"] = recipient
    try:
        with _connected(settings) as server:
            if settings.smtp_security is MailSecurity.STARTTLS:
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                password = settings.smtp_password.get_secret_value()
                server.login(settings.smtp_user, password)
            server.send_message(mail, to_addrs=[recipient])
    except (OSError, smtplib.SMTPException) as error:
        reason = str(error) or type(error).__name__
        raise NotDeliveredError(f"{settings.smtp_host} did not take the mail: {reason}") from error


def _connected(settings: Settings) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security is MailSecurity.TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    return smtplib.SMTP(host, port, timeout=SECONDS)
