package io.radixflow.operators;

import io.radixflow.schemas.RecordHeader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/** Fields of our record types in binary: big-endian, a length before everything that has one, length -1 for null. */
final class BinaryFields {

    private static final int NULL = -1;

    private BinaryFields() {}

    static void writeBytes(DataOutputView out, byte @Nullable [] bytes) throws IOException {
        if (bytes == null) {
            out.writeInt(NULL);
            return;
        }
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static byte @Nullable [] readBytes(DataInputView in) throws IOException {
        int length = in.readInt();
        if (length == NULL) {
            return null;
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return bytes;
    }

    static byte[] readPresentBytes(DataInputView in) throws IOException {
        byte[] bytes = readBytes(in);
        if (bytes == null) {
            throw new IOException("null where bytes must be: the record was written by another version");
        }
        return bytes;
    }

    static void writeString(DataOutputView out, @Nullable String text) throws IOException {
        writeBytes(out, text == null ? null : text.getBytes(StandardCharsets.UTF_8));
    }

    static @Nullable String readString(DataInputView in) throws IOException {
        byte[] bytes = readBytes(in);
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    static String readPresentString(DataInputView in) throws IOException {
        return new String(readPresentBytes(in), StandardCharsets.UTF_8);
    }

    static void writeInts(DataOutputView out, int[] values, int length) throws IOException {
        out.writeInt(length);
        for (int i = 0; i < length; i++) {
            out.writeInt(values[i]);
        }
    }

    static int[] readInts(DataInputView in) throws IOException {
        int[] values = new int[in.readInt()];
        for (int i = 0; i < values.length; i++) {
            values[i] = in.readInt();
        }
        return values;
    }

    static void writeFloats(DataOutputView out, float[] values, int length) throws IOException {
        out.writeInt(length);
        for (int i = 0; i < length; i++) {
            out.writeFloat(values[i]);
        }
    }

    static float[] readFloats(DataInputView in) throws IOException {
        float[] values = new float[in.readInt()];
        for (int i = 0; i < values.length; i++) {
            values[i] = in.readFloat();
        }
        return values;
    }

    static void writeStrings(DataOutputView out, List<String> texts) throws IOException {
        out.writeInt(texts.size());
        for (String text : texts) {
            writeString(out, text);
        }
    }

    static List<String> readStrings(DataInputView in) throws IOException {
        int size = in.readInt();
        List<String> texts = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            texts.add(readPresentString(in));
        }
        return texts;
    }

    static void writeHeaders(DataOutputView out, List<RecordHeader> headers) throws IOException {
        out.writeInt(headers.size());
        for (RecordHeader header : headers) {
            writeString(out, header.key());
            writeBytes(out, header.value());
        }
    }

    static List<RecordHeader> readHeaders(DataInputView in) throws IOException {
        int size = in.readInt();
        List<RecordHeader> headers = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            headers.add(new RecordHeader(readPresentString(in), readBytes(in)));
        }
        return headers;
    }
}
