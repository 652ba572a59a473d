"""What was promoted, kept beside what it replaced until fresh data have spoken.

After a promotion a share of the visitors, drawn by a salt of its own, keeps the old standard. The
comparison is an experiment of the platform's own, so that assignment, exposure and analysis are
the ones of every test; the data of the test that was promoted are never used again.
"""
