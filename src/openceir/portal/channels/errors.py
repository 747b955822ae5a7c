"""What this app refuses."""

from openceir.errors import OpenceirError

__all__ = ["ChannelError", "GatewayRefused", "MessageRefused", "SmppError"]


class ChannelError(OpenceirError):
    """A message did not come as agreed with its gateway."""

    code = "channel-refused"


class GatewayRefused(ChannelError):
    """A gateway is not known, or showed a wrong secret."""

    code = "gateway-refused"
    http_status = 403


class MessageRefused(ChannelError):
    """A gateway's request lacks a part without which it cannot be answered."""

    code = "message-refused"


class SmppError(ChannelError):
    """The link to a message centre cannot be set up as asked."""

    code = "smpp-refused"
