"""Coverage-guided fuzzing of every decoder: no octets may raise anything but its own errors, loop, or fill memory.

`targets.py` is the table: one decoder a row, with the errors it may raise and honest messages to begin from.
"""

from django.conf import settings

if not settings.configured:
    settings.configure(USE_I18N=False)  # the menus of USSD in English; the catalogues are no decoder
