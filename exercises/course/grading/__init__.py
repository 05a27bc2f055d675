"""Grading what students hand in: ``python -m grading INBOX``, with a course's ``kit`` on the path.

``answers`` is the only process that runs a student's code. ``remote`` is the line to it, ``wire``
what goes over the line, ``judge`` asks the questions of the checks from the safe end, and ``sheet``
writes the grades. ``otter_zip``, ``plugin`` and ``otter_run`` let Otter do the same.
"""
