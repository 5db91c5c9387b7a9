"""Every vendor's profile against a server that behaves as that vendor's does."""
