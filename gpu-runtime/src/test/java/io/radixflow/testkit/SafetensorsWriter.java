package io.radixflow.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Writes small safetensors files, also wrong ones: entries of the header can be any text. */
public final class SafetensorsWriter {

    private final List<String> entries = new ArrayList<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    /** fp32, row-major. */
    public SafetensorsWriter tensor(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return tensor(name, "F32", bytes.array(), shape);
    }

    /** Any dtype; right behind the tensor before. */
    public SafetensorsWriter tensor(String name, String dtype, byte[] bytes, long... shape) {
        int from = data.size();
        data.writeBytes(bytes);
        return entry("\"" + name + "\":" + entry(dtype, from, data.size(), shape));
    }

    /** An entry in the header alone, as JSON: {@code "name":value}. */
    public SafetensorsWriter entry(String json) {
        entries.add(json);
        return this;
    }

    /** A tensor's value in the header, as JSON. */
    public static String entry(String dtype, long from, long to, long... shape) {
        return "{\"dtype\":\"" + dtype + "\",\"shape\":" + Arrays.toString(shape) + ",\"data_offsets\":[" + from + ","
                + to + "]}";
    }

    public byte[] toBytes() {
        return file("{" + String.join(",", entries) + "}", data.toByteArray());
    }

    /** A file of any header's text, padded with spaces to a multiple of eight as the format's own writer does. */
    public static byte[] file(String header, byte[] data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(text, (text.length + 7) / 8 * 8);
        Arrays.fill(padded, text.length, padded.length, (byte) ' ');
        ByteBuffer file = ByteBuffer.allocate(8 + padded.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        return file.putLong(padded.length).put(padded).put(data).array();
    }

    public Path write(Path path) {
        try {
            return Files.write(path, toBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
