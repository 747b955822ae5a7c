"""`python -m openceir.http`: the manual's page, made from the description."""

from openceir.http.openapi import openapi_page

print(openapi_page(), end="")
