package io.radixflow.job.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.schemas.BoundedDecoder;
import java.io.IOException;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.jspecify.annotations.Nullable;

/** Records of an Avro container file. Those of a broken block are lost one by one: each comes with the problem. */
final class AvroRows implements RowReader {

    private final AvroFile file;
    private final RowEncoder encoder;
    private final GenericDatumReader<GenericRecord> records;
    private @Nullable BoundedDecoder block;
    private @Nullable String problem;
    private long leftInBlock;
    private long number;

    AvroRows(AvroFile file, RowEncoder encoder) {
        this.file = file;
        this.encoder = encoder;
        records = new GenericDatumReader<>(file.schema());
    }

    @Override
    public @Nullable Row next() throws IOException {
        while (leftInBlock == 0) {
            if (!file.nextBlock()) {
                return null;
            }
            leftInBlock = file.blockRows();
            read();
        }
        leftInBlock--;
        number++;
        BoundedDecoder decoder = block;
        if (decoder != null && problem == null) {
            try {
                ObjectNode row = AvroToJson.row(records.read(null, decoder));
                return Row.of(number, encoder.encode(row));
            } catch (IOException | RuntimeException e) {
                problem = "the file is broken here, up to row " + (number + leftInBlock) + ": "
                        + BrokenFileException.reason(e);
            }
        }
        return Row.unreadable(number, problem == null ? "the file is broken" : problem);
    }

    private void read() throws IOException {
        problem = null;
        try {
            block = new BoundedDecoder(file.readBlock());
        } catch (BrokenFileException e) {
            block = null;
            problem = e.getMessage();
        }
    }

    @Override
    public void skip(long numRows) throws IOException {
        long left = numRows;
        while (left > 0) {
            if (leftInBlock > 0) {
                next();
                left--;
            } else if (!file.nextBlock()) {
                return;
            } else if (file.blockRows() <= left) {
                file.skipBlock();
                left -= file.blockRows();
                number += file.blockRows();
            } else {
                leftInBlock = file.blockRows();
                read();
            }
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
