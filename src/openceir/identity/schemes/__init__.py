"""Readers: one function a scheme, from a trimmed text to an Identifier, or None when the text is something else.

A reader never raises for content and looks at each character a bounded number of times.
"""
