"""`python -m openceir.portal …`: Django's own commands over the home folder (makemigrations, makemessages, worker …)."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openceir.portal.site.settings")
execute_from_command_line(["openceir.portal", *sys.argv[1:]])
