"""What the watcher costs: latency, processor, memory and requests, each beside a reference of the same run.

``python -m benchmarks.cost`` measures, prints a table, and writes JSON.
"""
