"""
Makes the reference pages and the man pages from the declarations.

C{python -m manual} writes them; C{python -m manual --check} tells which of those
that are committed are out of date.
"""
