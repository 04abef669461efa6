package io.radixflow.job.rows;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

/** The columns of an output table; each value may be absent. */
public record TableSchema(List<Column> columns) implements Serializable {

    /** A column by its name. */
    public record Column(String name, ColumnType type) implements Serializable {}

    public TableSchema {
        columns = List.copyOf(columns);
    }

    /** Of this table's columns, those of these names. */
    public TableSchema select(String... names) {
        List<String> wanted = List.of(names);
        return new TableSchema(columns.stream()
                .filter(column -> wanted.contains(column.name()))
                .toList());
    }

    MessageType parquet() {
        List<Type> fields = new ArrayList<>();
        for (Column column : columns) {
            fields.add(
                    switch (column.type()) {
                        case TEXT ->
                            Types.optional(PrimitiveTypeName.BINARY)
                                    .as(LogicalTypeAnnotation.stringType())
                                    .named(column.name());
                        case JSON ->
                            Types.optional(PrimitiveTypeName.BINARY)
                                    .as(LogicalTypeAnnotation.jsonType())
                                    .named(column.name());
                        case LONG -> Types.optional(PrimitiveTypeName.INT64).named(column.name());
                        case DOUBLE -> Types.optional(PrimitiveTypeName.DOUBLE).named(column.name());
                        case BOOLEAN ->
                            Types.optional(PrimitiveTypeName.BOOLEAN).named(column.name());
                    });
        }
        return new MessageType("answers", fields);
    }
}
