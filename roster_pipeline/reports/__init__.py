"""Words, tables and pictures for people and programs: findings, differences, holds, syncs.

Functions from values to rich renderables, to JSON-able dicts and to Markdown. No Dagster, no cells.
"""
