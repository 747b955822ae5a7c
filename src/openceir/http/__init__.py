"""The HTTP door: one plain WSGI function, fast because nothing stands before it.

`load_application` is what granian calls in each worker; `make_application` is the same for tests and for a portal that
stands behind it: a path that is not ours can be handed on.
"""

from openceir.http.answering import WSGI
from openceir.http.application import load_application, make_application
from openceir.http.federation import load_federation_application, make_federation_application
from openceir.http.list_maker import lists_made_beside
from openceir.http.openapi import openapi, openapi_page
from openceir.http.operators import make_operators_application, serve_operators
from openceir.http.tls_server import tls_with_certificates

__all__ = [
    "WSGI", "load_application", "make_application", "load_federation_application", "make_federation_application",
    "make_operators_application", "serve_operators", "lists_made_beside", "tls_with_certificates",
    "openapi", "openapi_page",
]  # fmt: skip
