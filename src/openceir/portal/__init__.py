"""The front office: one Django project, one app an audience. It meets people; the register decides.

Nothing here changes a device's status: every act of an officer ends in a signed statement of the ledger, by way of
`accounts.acts`, and the register is reached through `register.py` alone. What the portal's own database holds is
people, cases, evidence and drafts, none of which ever goes on the ledger.

`application.py` puts the parts of the web server together, `worker.py` is the process beside it that keeps deadlines
and does jobs, `prepare.py` makes both ready in an empty folder. Django is an extra: `pip install 'openceir[portal]'`.
"""
