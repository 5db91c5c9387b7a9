"""What receivers answer: reports of how a package was processed, read and matched to our rows."""
