"""The ways a notification can take. A new channel is one module and one line here."""

from actors.alerter.channels import email, log, pagerduty, slack, telegram, webhook
from actors.alerter.channels.channel import Channel

__all__ = ["CHANNELS"]

CHANNELS: dict[str, Channel] = {
    "log": Channel(log.send),
    "webhook": Channel(webhook.send),
    "slack": Channel(slack.send),
    "pagerduty": Channel(pagerduty.send, each_alert=True),
    "telegram": Channel(telegram.send),
    "email": Channel(email.send),
}
