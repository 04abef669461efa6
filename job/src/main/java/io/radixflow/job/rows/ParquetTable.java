package io.radixflow.job.rows;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.Map;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;

/** A table as a Parquet file; closing writes its foot. */
final class ParquetTable implements TableWriter {

    private static final long ROW_GROUP_BYTES = 16 << 20;

    private final ParquetWriter<JsonNode> writer;

    ParquetTable(FSDataOutputStream out, TableSchema schema) throws IOException {
        writer = new Builder(new Output(out), schema)
                .withConf(new PlainParquetConfiguration())
                .withCodecFactory(new ParquetCodecs())
                .withCompressionCodec(CompressionCodecName.SNAPPY)
                .withRowGroupSize(ROW_GROUP_BYTES)
                .build();
    }

    @Override
    public void write(JsonNode row) throws IOException {
        writer.write(row);
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }

    private record Output(FSDataOutputStream out) implements OutputFile {

        @Override
        public PositionOutputStream create(long blockSizeHint) {
            return new PositionOutputStream() {
                @Override
                public long getPos() throws IOException {
                    return out.getPos();
                }

                @Override
                public void write(int value) throws IOException {
                    out.write(value);
                }

                @Override
                public void write(byte[] bytes, int from, int length) throws IOException {
                    out.write(bytes, from, length);
                }
            };
        }

        @Override
        public PositionOutputStream createOrOverwrite(long blockSizeHint) {
            return create(blockSizeHint);
        }

        @Override
        public boolean supportsBlockSize() {
            return false;
        }

        @Override
        public long defaultBlockSize() {
            return 0;
        }
    }

    private static final class Builder extends ParquetWriter.Builder<JsonNode, Builder> {

        private final TableSchema schema;

        Builder(OutputFile file, TableSchema schema) {
            super(file);
            this.schema = schema;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        protected WriteSupport<JsonNode> getWriteSupport(ParquetConfiguration config) {
            return new Rows(schema);
        }

        @Override
        @Deprecated // abstract all the same
        protected WriteSupport<JsonNode> getWriteSupport(org.apache.hadoop.conf.Configuration config) {
            return new Rows(schema);
        }
    }

    private static final class Rows extends WriteSupport<JsonNode> {

        private final TableSchema schema;

        @SuppressWarnings("NullAway.Init") // given before the first row
        private RecordConsumer out;

        Rows(TableSchema schema) {
            this.schema = schema;
        }

        @Override
        public WriteContext init(ParquetConfiguration config) {
            return new WriteContext(schema.parquet(), Map.of());
        }

        @Override
        @Deprecated // abstract all the same
        public WriteContext init(org.apache.hadoop.conf.Configuration config) {
            return new WriteContext(schema.parquet(), Map.of());
        }

        @Override
        public void prepareForWrite(RecordConsumer consumer) {
            out = consumer;
        }

        @Override
        public void write(JsonNode row) {
            out.startMessage();
            for (int i = 0; i < schema.columns().size(); i++) {
                TableSchema.Column column = schema.columns().get(i);
                JsonNode value = row.path(column.name());
                if (isWritable(column.type(), value)) {
                    out.startField(column.name(), i);
                    write(column.type(), value);
                    out.endField(column.name(), i);
                }
            }
            out.endMessage();
        }

        private static boolean isWritable(ColumnType type, JsonNode value) {
            if (value.isMissingNode() || value.isNull()) {
                return false;
            }
            return switch (type) {
                case TEXT, JSON -> true;
                case LONG -> value.canConvertToExactIntegral() && value.canConvertToLong();
                case DOUBLE -> value.isNumber();
                case BOOLEAN -> value.isBoolean();
            };
        }

        private void write(ColumnType type, JsonNode value) {
            switch (type) {
                case TEXT, JSON -> out.addBinary(Binary.fromString(TableWriter.text(value)));
                case LONG -> out.addLong(value.longValue());
                case DOUBLE -> out.addDouble(value.doubleValue());
                case BOOLEAN -> out.addBoolean(value.booleanValue());
            }
        }
    }
}
