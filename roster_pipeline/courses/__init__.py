"""Which course of a product each course of a district is: catalogue, matching, decisions, sections."""
