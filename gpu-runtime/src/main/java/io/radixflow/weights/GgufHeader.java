package io.radixflow.weights;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads and checks the header of a GGUF file: metadata, then the list of tensors, whose bytes must lie aligned, apart and inside the
 * file.
 *
 * @param metadata keys and values
 * @param tensors by name, in the file's order
 */
record GgufHeader(GgufMetadata metadata, Map<String, GgufTensorInfo> tensors) {

    private static final int MAGIC = 0x4655_4747; // "GGUF", little endian
    private static final int VERSION = 3;
    private static final int MAX_DIMS = 4;
    private static final String ALIGNMENT_KEY = "general.alignment";
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_ALIGNMENT = 1 << 20;
    /** Fewest bytes of a key with its value, and of a tensor's entry. */
    private static final int MIN_ENTRY_BYTES = 13;

    private static final int MIN_TENSOR_BYTES = 32;

    /**
     * @param header the file's first bytes, at most 2 GiB of them
     * @param fileBytes the whole file's length
     */
    static GgufHeader read(Path file, ByteBuffer header, long fileBytes) {
        GgufCursor cursor = new GgufCursor(file, header);
        if (cursor.remaining() < 4 || cursor.bits32("the magic") != MAGIC) {
            throw cursor.refusal("is no GGUF file: it doesn't begin with GGUF; give a .gguf file");
        }
        checkVersion(cursor);
        int numTensors = cursor.count(MIN_TENSOR_BYTES, "tensors");
        int numKeys = cursor.count(MIN_ENTRY_BYTES, "metadata keys");
        GgufMetadata metadata = metadata(file, cursor, numKeys);
        int alignment = alignment(cursor, metadata);
        List<GgufTensorInfo> relative = new ArrayList<>(numTensors);
        for (int i = 0; i < numTensors; i++) {
            relative.add(tensor(cursor, alignment));
        }
        long dataStart = Math.multiplyExact((cursor.position() + alignment - 1L) / alignment, (long) alignment);
        return new GgufHeader(metadata, place(cursor, relative, dataStart, fileBytes));
    }

    private static void checkVersion(GgufCursor cursor) {
        int version = cursor.bits32("the version");
        if (version == Integer.reverseBytes(VERSION)) {
            throw cursor.refusal("is a big-endian GGUF file, which isn't read; fetch or convert a little-endian one");
        }
        if (version != VERSION) {
            throw cursor.refusal("is GGUF version " + Integer.toUnsignedString(version) + ", only version " + VERSION
                    + " is read; fetch or convert it again");
        }
    }

    private static GgufMetadata metadata(Path file, GgufCursor cursor, int numKeys) {
        Map<String, GgufValue> values = new LinkedHashMap<>();
        for (int i = 0; i < numKeys; i++) {
            String key = cursor.string("a metadata key");
            if (values.put(key, GgufValue.read(cursor, key)) != null) {
                throw cursor.refusal(
                        "is damaged: metadata key " + Refusals.quoted(key) + " is there twice; fetch it" + " again");
            }
        }
        return new GgufMetadata(file, values);
    }

    private static int alignment(GgufCursor cursor, GgufMetadata metadata) {
        int alignment = metadata.integer(ALIGNMENT_KEY, DEFAULT_ALIGNMENT);
        if (alignment < 1 || alignment > MAX_ALIGNMENT || Integer.bitCount(alignment) != 1) {
            throw cursor.refusal("has the impossible alignment " + alignment + " in metadata key '" + ALIGNMENT_KEY
                    + "'; fetch or convert it again");
        }
        return alignment;
    }

    /** One tensor's entry; its offset still counts from the start of the data. */
    private static GgufTensorInfo tensor(GgufCursor cursor, int alignment) {
        String name = cursor.string("a tensor's name");
        String quoted = Refusals.quoted(name);
        long numDims = cursor.u32("tensor " + quoted);
        if (numDims < 1 || numDims > MAX_DIMS) {
            throw cursor.refusal(
                    "is damaged: tensor " + quoted + " has " + numDims + " dimensions, not 1 to 4; fetch it again");
        }
        List<Long> dims = new ArrayList<>((int) numDims);
        long numElements = 1;
        for (int i = 0; i < numDims; i++) {
            long dim = cursor.bits64("tensor " + quoted);
            // the bound keeps a product of bytes, at most 8 for an element, within a long
            if (dim < 1 || numElements > (Long.MAX_VALUE / 16) / dim) {
                throw cursor.refusal("is damaged: tensor " + quoted + " has an impossible dimension "
                        + Long.toUnsignedString(dim) + "; fetch it again");
            }
            numElements *= dim;
            dims.add(dim);
        }
        int ggmlType = cursor.bits32("tensor " + quoted);
        TensorType type = typeOf(ggmlType);
        if (type != null && dims.get(0) % type.blockLen() != 0) {
            throw cursor.refusal("is damaged: tensor " + quoted + " has rows of " + dims.get(0) + ", " + type
                    + " needs a multiple of " + type.blockLen() + "; fetch it again");
        }
        long offset = cursor.bits64("tensor " + quoted);
        if (offset < 0 || offset % alignment != 0) {
            throw cursor.refusal("is damaged: tensor " + quoted + " lies at the offset " + Long.toUnsignedString(offset)
                    + ", which is no multiple of the alignment " + alignment + "; fetch it again");
        }
        return new GgufTensorInfo(name, dims, ggmlType, type, offset);
    }

    private static @Nullable TensorType typeOf(int ggmlType) {
        for (TensorType type : TensorType.values()) {
            if (type.ggmlId() == ggmlType) {
                return type;
            }
        }
        return null;
    }

    /** Gives the tensors their offsets in the file; refuses what lies outside it, overlaps, or has another's name. */
    private static Map<String, GgufTensorInfo> place(
            GgufCursor cursor, List<GgufTensorInfo> relative, long dataStart, long fileBytes) {
        Map<String, GgufTensorInfo> placed = new LinkedHashMap<>();
        long needed = dataStart;
        for (GgufTensorInfo info : relative) {
            // a tensor of unknown type takes at least a byte
            long bytes = Math.max(1, info.numBytes());
            if (info.offset() > Long.MAX_VALUE - dataStart - bytes) {
                throw cursor.refusal("is damaged: tensor " + Refusals.quoted(info.name()) + " lies at the offset "
                        + info.offset() + "; fetch it again");
            }
            long offset = dataStart + info.offset();
            needed = Math.max(needed, offset + bytes);
            GgufTensorInfo absolute =
                    new GgufTensorInfo(info.name(), info.dims(), info.ggmlType(), info.type(), offset);
            if (placed.put(info.name(), absolute) != null) {
                throw cursor.refusal(
                        "is damaged: tensor " + Refusals.quoted(info.name()) + " is there twice; fetch it again");
            }
        }
        if (!relative.isEmpty() && needed > fileBytes) {
            throw cursor.refusal("is truncated: needs " + needed + " bytes, has " + fileBytes + "; fetch it again");
        }
        checkApart(cursor, placed.values().toArray(new GgufTensorInfo[0]));
        return placed;
    }

    private static void checkApart(GgufCursor cursor, GgufTensorInfo[] tensors) {
        Arrays.sort(tensors, Comparator.comparingLong(GgufTensorInfo::offset));
        for (int i = 1; i < tensors.length; i++) {
            GgufTensorInfo before = tensors[i - 1];
            if (before.offset() + Math.max(1, before.numBytes()) > tensors[i].offset()) {
                throw cursor.refusal("is damaged: tensors " + Refusals.quoted(before.name()) + " and "
                        + Refusals.quoted(tensors[i].name()) + " overlap; fetch it again");
            }
        }
    }
}
