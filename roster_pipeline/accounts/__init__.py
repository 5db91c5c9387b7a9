"""The accounts a product should have, and bringing a SCIM service provider to them."""
