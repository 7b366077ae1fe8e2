"""The other programs of the field, each set up as its own documentation says and asked the same questions."""
