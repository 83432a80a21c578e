"""``python -m pipeline``: the same as the ``wirewatch`` command."""

if __name__ == "__main__":  # worker processes import this module too, and have no use for the command line
    from pipeline.cli import main

    main()
