"""A OneRoster REST provider, 1.1 and 1.2, over a roster.

`app.provider_app` makes the ASGI application of what is `pages.Published`; `access` knows who may
read, `query` and `filters` what is asked for, `listing` which rows that is, `reading` gets them.
"""
