"""ABCI 2.0, between a consensus engine (CometBFT) and the application that it orders transactions for. Sans-IO."""

from openceir.wire.abci.messages import Request, Response, enumeration, message
from openceir.wire.abci.stream import AbciError, Requests, Responses, write_message

__all__ = ["AbciError", "Request", "Requests", "Response", "Responses", "enumeration", "message", "write_message"]
