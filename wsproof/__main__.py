"""`python -m wsproof`."""

from wsproof.launcher import main

main()
