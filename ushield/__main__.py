"""`python -m ushield`."""

from ushield.cli import main

main()
