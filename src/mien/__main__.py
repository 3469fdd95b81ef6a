"""`python -m mien`: the command line, also where the console script is not on the path."""

from mien.cli import main

if __name__ == "__main__":
    main()
