"""Names in the graph for what is done for a product.

The graph labels an asset with the last part of its key alone: that part has to say what the asset
is, and the group whose it is.
"""

import dagster as dg


def product_key(product: str, part: str) -> dg.AssetKey:
    """The asset that is one part of what a product gets."""
    return dg.AssetKey(["products", product, part])


def product_group(product: str) -> str:
    """The group of a product's assets. Ids have single hyphens only, so no two groups meet."""
    return f"product_{product.replace('-', '_')}"
