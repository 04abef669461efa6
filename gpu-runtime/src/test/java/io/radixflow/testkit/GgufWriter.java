package io.radixflow.testkit;

import io.radixflow.weights.TensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes small GGUF files, also wrong ones: the numbers of version, types and offsets can be anything. */
public final class GgufWriter {

    private static final int ALIGNMENT = 32;

    private record Entry(String name, long[] dims, int ggmlType, long offset) {}

    private final ByteArrayOutputStream metadata = new ByteArrayOutputStream();
    private final List<Entry> entries = new ArrayList<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private int numKeys;
    private int version = 3;

    public GgufWriter version(int version) {
        this.version = version;
        return this;
    }

    public GgufWriter put(String key, String value) {
        return put(key, 8, string(value));
    }

    public GgufWriter put(String key, int value) {
        return put(key, 4, content(buffer(4).putInt(value)));
    }

    public GgufWriter put(String key, float value) {
        return put(key, 6, content(buffer(4).putFloat(value)));
    }

    public GgufWriter put(String key, boolean value) {
        return put(key, 7, new byte[] {(byte) (value ? 1 : 0)});
    }

    public GgufWriter put(String key, List<String> values) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(content(buffer(12).putInt(8).putLong(values.size())));
        values.forEach(value -> bytes.writeBytes(string(value)));
        return put(key, 9, bytes.toByteArray());
    }

    public GgufWriter put(String key, int[] values) {
        ByteBuffer bytes = buffer(12 + 4 * values.length).putInt(5).putLong(values.length);
        for (int value : values) {
            bytes.putInt(value);
        }
        return put(key, 9, content(bytes));
    }

    /** A value of any type number, its bytes given. */
    public GgufWriter put(String key, int type, byte[] value) {
        metadata.writeBytes(string(key));
        metadata.writeBytes(content(buffer(4).putInt(type)));
        metadata.writeBytes(value);
        numKeys++;
        return this;
    }

    /** fp32, {@code [rows, cols]}; a vector if {@code rows} is 0. */
    public GgufWriter tensor(String name, int rows, int cols, float[] values) {
        ByteBuffer bytes = buffer(4 * values.length);
        for (float value : values) {
            bytes.putFloat(value);
        }
        long[] dims = rows == 0 ? new long[] {cols} : new long[] {cols, rows};
        return tensor(name, dims, TensorType.F32.ggmlId(), content(bytes));
    }

    /** Any type number; aligned after the tensor before. */
    public GgufWriter tensor(String name, long[] dims, int ggmlType, byte[] bytes) {
        while (data.size() % ALIGNMENT != 0) {
            data.write(0);
        }
        entry(name, dims, ggmlType, data.size());
        data.writeBytes(bytes);
        return this;
    }

    /** An entry in the header alone. */
    public GgufWriter entry(String name, long[] dims, int ggmlType, long offset) {
        entries.add(new Entry(name, dims.clone(), ggmlType, offset));
        return this;
    }

    public byte[] toBytes() {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        file.writeBytes(
                content(buffer(20).putInt(version).putLong(entries.size()).putLong(numKeys)));
        file.writeBytes(metadata.toByteArray());
        for (Entry entry : entries) {
            file.writeBytes(string(entry.name()));
            ByteBuffer fields = buffer(4 + 8 * entry.dims().length + 12);
            fields.putInt(entry.dims().length);
            for (long dim : entry.dims()) {
                fields.putLong(dim);
            }
            file.writeBytes(content(fields.putInt(entry.ggmlType()).putLong(entry.offset())));
        }
        while (file.size() % ALIGNMENT != 0) {
            file.write(0);
        }
        file.writeBytes(data.toByteArray());
        return file.toByteArray();
    }

    public Path write(Path path) {
        try {
            return Files.write(path, toBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return content(buffer(8 + bytes.length).putLong(bytes.length).put(bytes));
    }

    private static byte[] content(ByteBuffer filled) {
        byte[] bytes = new byte[filled.position()];
        filled.flip().get(bytes);
        return bytes;
    }

    private static ByteBuffer buffer(int capacity) {
        return ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }
}
