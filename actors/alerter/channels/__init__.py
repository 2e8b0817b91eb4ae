"""The ways a notification can take. A new channel is one module and one line here."""

from actors.alerter.channels import log, webhook
from actors.alerter.channels.channel import Send

__all__ = ["CHANNELS"]

CHANNELS: dict[str, Send] = {
    "log": log.send,
    "webhook": webhook.send,
}
