"""Counts the rows of the event table with other engines.

usage: peers.py FOLDER_OF_A_TABLE...
prints one JSON object: {"engine": {"folder": {"rows": n, "ids": n, "first": "...", "columns": [...]}}}
An engine whose module is missing, or that cannot be set up without a network, is left out; its reason is on stderr.
"""

import json
import sys


def with_deltalake(folder):
    import deltalake

    table = deltalake.DeltaTable(folder)
    rows = table.to_pyarrow_dataset().to_table()
    return rows


def with_pyarrow(folder):
    """Reads the files that the log names, without the log's engine."""
    import deltalake
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = deltalake.DeltaTable(folder)
    parts = [pq.ParquetFile(path).read() for path in table.file_uris()]
    return pa.concat_tables(parts, promote_options="default") if parts else pa.table({"id": []})


def with_duckdb(folder):
    import duckdb
    import deltalake

    # DuckDB's own reader of Delta is an extension that has to be fetched; its Parquet reader is built in.
    names = [path.removeprefix("file://") for path in deltalake.DeltaTable(folder).file_uris()]
    if not names:
        import pyarrow as pa

        return pa.table({"id": []})
    query = "SELECT * FROM read_parquet(?, union_by_name = true, hive_partitioning = true)"
    table = duckdb.connect().execute(query, [names])
    return table.to_arrow_table() if hasattr(table, "to_arrow_table") else table.fetch_arrow_table()


def main():
    answers = {}
    for engine, read in (("deltalake", with_deltalake), ("pyarrow", with_pyarrow), ("duckdb", with_duckdb)):
        try:
            of_folders = {}
            for folder in sys.argv[1:]:
                rows = read(folder)
                ids = rows.column("id").to_pylist()
                of_folders[folder] = {
                    "rows": rows.num_rows,
                    "ids": len(set(ids)),
                    "first": min(ids) if ids else None,
                    "columns": sorted(rows.column_names),
                }
            answers[engine] = of_folders
        except ImportError as error:
            print(f"{engine} is left out: {error}", file=sys.stderr)
    json.dump(answers, sys.stdout)


main()
