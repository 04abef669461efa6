"""Writes small Parquet and Avro files with many types and codecs, and the rows that they hold as JSON lines.

Usage: row_files.py OUTPUT_FOLDER
"""

import datetime
import decimal
import json
import pathlib
import sys

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

UTC = datetime.timezone.utc
MOMENT = datetime.datetime(2026, 11, 24, 23, 59, 58, 123456, tzinfo=UTC)
NUM_ROWS = 5


def parquet_table() -> pa.Table:
    schema = pa.schema(
        [
            ("a text", pa.string()),
            ("kind", pa.dictionary(pa.int8(), pa.string())),
            ("flag", pa.bool_()),
            ("small", pa.int8()),
            ("big unsigned", pa.uint64()),
            ("ratio", pa.float32()),
            ("exact", pa.decimal128(10, 2)),
            ("day", pa.date32()),
            ("moment", pa.timestamp("us", tz="UTC")),
            ("wall", pa.timestamp("ms")),
            ("bytes", pa.binary()),
            ("words", pa.list_(pa.string())),
            ("scores", pa.map_(pa.string(), pa.int32())),
            ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ]
    )
    rows = []
    for i in range(NUM_ROWS):
        rows.append(
            {
                "a text": f"row {i} äöü",
                "kind": "even" if i % 2 == 0 else "odd",
                "flag": i % 2 == 0,
                "small": i - 2,
                "big unsigned": 2**63 + i,
                "ratio": i / 4,
                "exact": decimal.Decimal(f"{i}.50"),
                "day": datetime.date(1969, 12, 30 + i % 2),
                "moment": MOMENT + datetime.timedelta(days=-30000 * i),
                "wall": datetime.datetime(2026, 1, 1, 0, 0, i),
                "bytes": bytes([255, i]) if i % 2 else b"plain",
                "words": None if i == 3 else ["x", None, f"w{i}"][: i + 1],
                "scores": [("one", 1), ("two", i)],
                "messages": [{"role": "user", "content": f"say {i}"}],
            }
        )
    rows.append({name: None for name in schema.names})
    return pa.Table.from_pylist(rows, schema)


PARQUET_ROWS = [
    {
        "a text": f"row {i} äöü",
        "kind": "even" if i % 2 == 0 else "odd",
        "flag": i % 2 == 0,
        "small": i - 2,
        "big unsigned": 2**63 + i,
        "ratio": i / 4,
        "exact": float(f"{i}.5"),
        "day": f"1969-12-{30 + i % 2}",
        "moment": (MOMENT + datetime.timedelta(days=-30000 * i)).isoformat().replace("+00:00", "Z"),
        "wall": f"2026-01-01T00:00:0{i}" if i else "2026-01-01T00:00",
        "bytes": ["plain", "/wE=", "plain", "/wM=", "plain"][i],
        **({} if i == 3 else {"words": ["x", None, f"w{i}"][: i + 1]}),
        "scores": {"one": 1, "two": i},
        "messages": [{"role": "user", "content": f"say {i}"}],
    }
    for i in range(NUM_ROWS)
] + [{}]

AVRO_SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "text", "type": ["null", "string"]},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["EVEN", "ODD"]}},
        {"name": "count", "type": ["null", "long"]},
        {"name": "ratio", "type": "double"},
        {"name": "flag", "type": "boolean"},
        {"name": "exact", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "moment", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "words", "type": {"type": "array", "items": "string"}},
        {"name": "scores", "type": {"type": "map", "values": "int"}},
    ],
}


def avro_rows() -> list:
    return [
        {
            "text": f"row {i}" if i else None,
            "kind": "EVEN" if i % 2 == 0 else "ODD",
            "count": i * 10**12,
            "ratio": i / 8,
            "flag": i % 2 == 1,
            "exact": decimal.Decimal(f"{i}.50"),
            "day": datetime.date(2026, 11, 20 + i),
            "moment": MOMENT,
            "words": ["w"] * i,
            "scores": {"a": i},
        }
        for i in range(NUM_ROWS)
    ]


AVRO_ROWS = [
    {
        "text": f"row {i}" if i else None,
        "kind": "EVEN" if i % 2 == 0 else "ODD",
        "count": i * 10**12,
        "ratio": i / 8,
        "flag": i % 2 == 1,
        "exact": float(f"{i}.5"),
        "day": f"2026-11-{20 + i}",
        "moment": "2026-11-24T23:59:58.123456Z",
        "words": ["w"] * i,
        "scores": {"a": i},
    }
    for i in range(NUM_ROWS)
]


def write_lines(path: pathlib.Path, rows: list) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        version = {"data_page_version": "2.0"} if codec == "gzip" else {}
        pq.write_table(parquet_table(), folder / f"{codec}.parquet", compression=codec, row_group_size=4, **version)
    pq.write_table(parquet_table(), folder / "brotli.parquet", compression="brotli")
    write_lines(folder / "parquet-rows.jsonl", PARQUET_ROWS)
    for codec in ("null", "deflate", "snappy", "zstandard"):
        with open(folder / f"{codec}.avro", "wb") as out:
            fastavro.writer(out, AVRO_SCHEMA, avro_rows(), codec=codec, sync_interval=200)
    write_lines(folder / "avro-rows.jsonl", AVRO_ROWS)


main(pathlib.Path(sys.argv[1]))
