package io.radixflow.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads and checks the header of a safetensors file: eight bytes of length, a JSON object, and behind it the tensors' bytes, which must
 * cover the rest of the file without overlap or gap.
 *
 * @param tensors by name, in the file's order
 * @param dataStart offset in the file of the tensors' bytes
 */
record SafetensorsHeader(Map<String, SafetensorsEntry> tensors, long dataStart) {

    /** The format's own limit. */
    private static final int MAX_HEADER_BYTES = 100_000_000;

    private static final int LENGTH_BYTES = 8;
    private static final int MAX_DIMS = 8;
    private static final String METADATA = "__metadata__";
    private static final String LFS_POINTER = "version https://git-lfs";

    /** Most bytes of a file that its header can take. */
    static final int MOST_BYTES = LENGTH_BYTES + MAX_HEADER_BYTES;

    /**
     * @param head the file's first bytes, {@link #MOST_BYTES} of them or all
     * @param fileBytes the whole file's length
     */
    static SafetensorsHeader read(Path file, ByteBuffer head, long fileBytes) {
        if (startsWith(head, LFS_POINTER)) {
            throw Refusals.refusal(file, "is a Git LFS pointer, not the weights; fetch the file itself (git lfs pull)");
        }
        if (fileBytes < LENGTH_BYTES) {
            throw Refusals.refusal(file, "is truncated: it has " + fileBytes + " bytes; fetch it again");
        }
        long length = head.duplicate().order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        boolean isOther = fileBytes > LENGTH_BYTES && head.get(LENGTH_BYTES) != '{';
        if (length < 2 || length > MAX_HEADER_BYTES || isOther) {
            throw Refusals.refusal(
                    file,
                    "is no safetensors file: it doesn't begin with the length of a JSON header and that header;"
                            + " give a .safetensors file");
        }
        long dataStart = LENGTH_BYTES + length;
        if (dataStart > fileBytes) {
            throw Refusals.refusal(
                    file,
                    "is truncated: its header needs " + dataStart + " bytes, it has " + fileBytes + "; fetch it again");
        }
        Map<String, SafetensorsEntry> tensors = new LinkedHashMap<>();
        try (JsonCursor json = new JsonCursor(file, head.slice(LENGTH_BYTES, (int) length))) {
            readTensors(json, tensors);
            checkPlaces(json, tensors, dataStart, fileBytes);
        }
        return new SafetensorsHeader(tensors, dataStart);
    }

    private static boolean startsWith(ByteBuffer head, String text) {
        ByteBuffer bytes = StandardCharsets.US_ASCII.encode(text);
        return head.remaining() >= bytes.remaining()
                && head.slice(0, bytes.remaining()).equals(bytes);
    }

    private static void readTensors(JsonCursor json, Map<String, SafetensorsEntry> tensors) {
        json.enterObject("its header");
        boolean hasMetadata = false;
        for (String name = json.nextKey(); name != null; name = json.nextKey()) {
            boolean isDuplicate;
            if (name.equals(METADATA)) {
                json.skipValue();
                isDuplicate = hasMetadata;
                hasMetadata = true;
            } else {
                isDuplicate = tensors.put(name, entry(json, name)) != null;
            }
            if (isDuplicate) {
                throw json.refusal("is damaged: tensor " + Refusals.quoted(name) + " is there twice");
            }
        }
        json.expectEnd("its header");
    }

    private static SafetensorsEntry entry(JsonCursor json, String name) {
        String tensor = "tensor " + Refusals.quoted(name);
        String dtype = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        json.enterObject(tensor);
        for (String key = json.nextKey(); key != null; key = json.nextKey()) {
            switch (key) {
                case "dtype" -> dtype = json.string("the dtype of " + tensor);
                case "shape" -> shape = json.counts(MAX_DIMS, "the shape of " + tensor);
                case "data_offsets" -> offsets = json.counts(2, "data_offsets of " + tensor);
                default ->
                    throw json.refusal("is damaged: " + tensor + " has the unknown field " + Refusals.quoted(key));
            }
        }
        if (dtype == null || shape == null || offsets == null || offsets.size() != 2) {
            throw json.refusal("is damaged: " + tensor + " lacks dtype, shape or two data_offsets");
        }
        long numElements = 1;
        for (long dim : shape) {
            // the bound keeps a product of bytes, at most 8 for an element, within a long
            if (dim > 0 && numElements > Long.MAX_VALUE / 16 / dim) {
                throw json.refusal("is damaged: " + tensor + " has the impossible shape " + shape);
            }
            numElements *= dim;
        }
        SafetensorsEntry entry = new SafetensorsEntry(name, dtype, shape, offsets.get(0), offsets.get(1));
        checkSize(json, entry, tensor);
        return entry;
    }

    private static void checkSize(JsonCursor json, SafetensorsEntry entry, String tensor) {
        long bytes = entry.to() - entry.from();
        boolean isKnown = entry.elementBytes() > 0;
        if (bytes < 0 || (isKnown && bytes != entry.numElements() * entry.elementBytes())) {
            throw json.refusal("is damaged: " + tensor + " of shape " + entry.shape() + " and dtype "
                    + Refusals.quoted(entry.dtype()) + " lies in bytes " + entry.from() + " to " + entry.to());
        }
    }

    private static void checkPlaces(
            JsonCursor json, Map<String, SafetensorsEntry> tensors, long dataStart, long fileBytes) {
        SafetensorsEntry[] inOrder = tensors.values().toArray(new SafetensorsEntry[0]);
        Arrays.sort(inOrder, Comparator.comparingLong(SafetensorsEntry::from).thenComparingLong(SafetensorsEntry::to));
        long end = 0;
        for (SafetensorsEntry entry : inOrder) {
            if (entry.from() != end) {
                throw json.refusal("is damaged: tensor " + Refusals.quoted(entry.name()) + " begins at byte "
                        + entry.from() + " of the data, the one before it ends at " + end + " ("
                        + (entry.from() < end ? "overlap" : "gap") + ")");
            }
            end = entry.to();
        }
        long dataBytes = fileBytes - dataStart;
        if (end > dataBytes) {
            throw json.refusal("is truncated: its tensors need " + end + " bytes, " + dataBytes + " follow its header");
        }
        if (end < dataBytes) {
            throw json.refusal("is damaged: " + (dataBytes - end) + " bytes follow its last tensor");
        }
    }
}
