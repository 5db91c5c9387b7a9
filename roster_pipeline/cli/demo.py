"""`roster demo`, soon."""


def demo() -> None:
    """Show three days of a make-believe district."""
