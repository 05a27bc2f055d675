"""The teacher's tools: ``python -m exercises.course`` freezes pages into a folder to hand out.

``make`` writes the folder, and ``grading`` is what the folder carries along, so that a term is
graded by the version that it was set with.
"""
