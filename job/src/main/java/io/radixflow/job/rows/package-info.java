/**
 * Files of rows: JSONL, CSV, Parquet and Avro read as JSON objects that know their number, answers written as JSONL and Parquet.
 */
@NullMarked
package io.radixflow.job.rows;

import org.jspecify.annotations.NullMarked;
