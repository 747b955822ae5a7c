"""Whatever is sent, the door answers with a status of its own choosing and a document, and never falls over."""

import json
import string

from http_story import BOBS_IMSI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openceir.http.routes import ROUTES

octets_as_latin_1 = st.binary(max_size=60).map(lambda octets: octets.decode("latin-1"))
pieces = st.one_of(st.text(max_size=30), st.text(string.digits, max_size=20), st.just("00100100000002"))
paths = st.one_of(
    octets_as_latin_1,
    st.builds(
        lambda route, piece: route.template.partition("{")[0] + piece + route.template.partition("}")[2],
        st.sampled_from(ROUTES),
        pieces,
    ).map(lambda text: text.encode("utf-8", "surrogatepass").decode("latin-1")),
)
queries = st.one_of(
    st.text(max_size=40),
    st.builds("{}={}".format, st.sampled_from(["at", "known_at", "purpose", "limit", "offset", "x"]), pieces),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(pieces, inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from(["identifier", "identifiers", "imsi", "at", "known_at", "epoch", "elements", "tokens", "other"])
bodies = st.one_of(
    st.binary(max_size=80),
    values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(names, values | pieces, max_size=5).map(lambda value: json.dumps(value).encode()),
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "CONTENT_LENGTH": st.text(max_size=6) | st.integers(-5, 200).map(str),
        "CONTENT_TYPE": st.sampled_from(["application/json", "application/json; charset=x", "text/html", ""]),
        "HTTP_AUTHORIZATION": st.text(max_size=20) | pieces.map("Bearer {}".format),
        "wsgi.input": st.none(),
    },
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "", "\x00"]) | st.text(max_size=8), paths, queries, bodies, headers
)
def test_any_request_is_answered(police, method, path, query, body, environ):
    reply = police(method, "/", query, body, **{"PATH_INFO": path, **environ})
    assert reply.status in {200, 400, 401, 403, 404, 405, 409, 413, 414, 415, 429}
    assert int(reply.headers["Content-Length"]) == len(reply.body) or method == "HEAD"
    if reply.status != 200 and method != "HEAD":
        assert set(reply.json) == {"type", "title", "status", "code", "detail"}
    if "subscribers" not in path:
        assert BOBS_IMSI.encode() not in reply.body
    for name, value in reply.headers.items():
        assert "\n" not in name + value
        assert (name + value).isascii()
