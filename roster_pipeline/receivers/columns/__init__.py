"""Files of a receiver's own: which there are, what their rows and columns are made of, and how
they are spelt. The words for it stand in `config.py`."""
