"""When the graph runs, over what, and how to run it without the daemon.

Partitions, jobs, schedules and sensors turn configuration into Dagster objects; `run` executes a
job in this process; `home` makes and opens a workspace's DAGSTER_HOME. What the runs do to data is
decided in the rooms below, and shown in `assets/`.
"""
