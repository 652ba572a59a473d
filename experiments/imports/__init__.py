"""Bringing in data from CSV and Parquet files by a small mapping, without doubling anything."""
