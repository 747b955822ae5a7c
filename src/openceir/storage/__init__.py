"""The shelves: plain files, SQLite, Parquet. Each shelf is a class in its own file; callers open it there."""

__all__: list[str] = []
