"""`python -m ca`, which ./run and ./pki call."""

from ca.cli import main

main()
