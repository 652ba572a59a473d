"""Events and exposures as Parquet files, for the analysis.

SQL is the inbox: what is committed there is moved here in the order of its ids, and stays there.
Files never change. Which files count is told by the manifest, rows in the database, so that a move,
a compaction or the rewriting of a file happens in one transaction or not at all.

How rows that were moved relate to what changes in SQL later:

- Two visitors become one: moved rows keep the number they had. Whoever reads takes
  `visitor.merged_into` of it, which always names the one that stands for both.
- An exposure changes (an earlier sight is told, or two visitors become one): its row in SQL gets
  the next id and is moved once more. Of all rows of one experiment and one person (after the step
  above) the one with the highest id counts.
- An assignment becomes contaminated: that stands in SQL only.
- A visitor is forgotten: files that hold their events are rewritten without them, see `forgetting`.
"""
