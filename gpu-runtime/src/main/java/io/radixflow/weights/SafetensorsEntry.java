package io.radixflow.weights;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a safetensors file's header says about one tensor.
 *
 * @param name of the tensor
 * @param dtype as the file calls it
 * @param shape numbers per dimension, outermost first; empty for a scalar
 * @param from first byte, counted from the end of the header
 * @param to behind the last byte
 */
record SafetensorsEntry(String name, String dtype, List<Long> shape, long from, long to) {

    SafetensorsEntry {
        shape = List.copyOf(shape);
    }

    long numElements() {
        long product = 1;
        for (long dim : shape) {
            product *= dim;
        }
        return product;
    }

    /** Innermost dimension. */
    long cols() {
        return shape.isEmpty() ? 1 : shape.get(shape.size() - 1);
    }

    /** How the numbers are stored, or null if that can't be read. */
    @Nullable
    TensorType type() {
        return switch (dtype) {
            case "F32" -> TensorType.F32;
            case "F16" -> TensorType.F16;
            case "BF16" -> TensorType.BF16;
            default -> null;
        };
    }

    /** Bytes of one element, or -1 for a dtype whose size isn't known. */
    int elementBytes() {
        return switch (dtype) {
            case "BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0" -> 1;
            case "U16", "I16", "F16", "BF16" -> 2;
            case "U32", "I32", "F32" -> 4;
            case "U64", "I64", "F64", "C64" -> 8;
            default -> -1;
        };
    }
}
