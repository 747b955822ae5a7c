"""Widgets written in Python against Django's own templates of them: the same elements, attributes and texts."""

from html.parser import HTMLParser

from django import forms
from django.forms.renderers import DjangoTemplates
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.portal.site.forms import Renderer

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(
    ["<script>", '" onfocus="x', "'&amp;", "</textarea>", "a"]
)
CHOICES = [("a", "A & B"), ("b", "<b>"), ("c", (("x", "X"), ("y", 'Y"')))]
WIDGETS = [
    forms.TextInput, forms.EmailInput, forms.NumberInput, forms.HiddenInput, forms.PasswordInput, forms.FileInput,
    forms.CheckboxInput, forms.Textarea, forms.Select, forms.SelectMultiple,
]  # fmt: skip


class Read(HTMLParser):
    """What a browser makes of markup, white space between elements left out."""

    def __init__(self, markup):
        super().__init__()
        self.found = []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, sorted(attrs)))

    def handle_endtag(self, tag):
        self.found.append(("/" + tag, []))

    def handle_data(self, data):
        if data.strip():
            self.found.append((data.strip("\n "), []))


@settings(max_examples=25)
@given(value=TEXTS, name=TEXTS, attribute=TEXTS)
def test_a_widget_is_what_django_makes_of_it(value, name, attribute):
    for kind in WIDGETS:
        widget = kind(attrs={"data-x": attribute, "required": True, "hidden": False, "rows": 2})
        if hasattr(widget, "choices"):
            widget.choices = CHOICES
        shown = [value] if kind is forms.SelectMultiple else value
        ours, theirs = (widget.render(name, shown, renderer=one) for one in (Renderer(), DjangoTemplates()))
        assert Read(ours).found == Read(theirs).found, kind


@settings(max_examples=25)
@given(texts=st.lists(TEXTS, min_size=4, max_size=4))
def test_no_text_of_a_field_becomes_markup(texts):
    label, hint, error, choice = texts

    class Asked(forms.Form):
        line = forms.CharField(label=label, help_text=hint)
        one = forms.ChoiceField(label=label, help_text=hint, choices=[("a", choice)], widget=forms.RadioSelect)
        yes = forms.BooleanField(label=label, help_text=hint)

    form = Asked({"line": ""}, renderer=Renderer())
    for name in form.fields:
        form.add_error(name, error)
    tags = {tag for field in form for tag, _ in Read(field.as_field_group()).found}
    assert not tags & {"script", "b"}
    assert all(not set(dict(attrs)) & {"onfocus"} for field in form for _, attrs in Read(field.as_field_group()).found)
