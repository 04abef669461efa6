package io.radixflow.weights;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a GGUF file's header says about one tensor, checked against the file's size.
 *
 * @param name of the tensor
 * @param dims numbers per dimension, innermost first as GGUF lists them: a matrix is {@code [cols, rows]}; one to four
 * @param ggmlType the type's number in the file
 * @param type how the numbers are stored, or null if that type can't be read
 * @param offset of the tensor's bytes in the file
 */
public record GgufTensorInfo(
        String name,
        List<Long> dims,
        int ggmlType,
        @Nullable TensorType type,
        long offset) {

    private static final String[] GGML_NAMES = {
        "F32",
        "F16",
        "Q4_0",
        "Q4_1",
        "Q4_2",
        "Q4_3",
        "Q5_0",
        "Q5_1",
        "Q8_0",
        "Q8_1",
        "Q2_K",
        "Q3_K",
        "Q4_K",
        "Q5_K",
        "Q6_K",
        "Q8_K",
        "IQ2_XXS",
        "IQ2_XS",
        "IQ3_XXS",
        "IQ1_S",
        "IQ4_NL",
        "IQ3_S",
        "IQ2_S",
        "IQ4_XS",
        "I8",
        "I16",
        "I32",
        "I64",
        "F64",
        "IQ1_M",
        "BF16",
        "Q4_0_4_4",
        "Q4_0_4_8",
        "Q4_0_8_8",
        "TQ1_0",
        "TQ2_0"
    };

    public GgufTensorInfo {
        dims = List.copyOf(dims);
    }

    /** GGML's name of the type, for people. */
    public String typeName() {
        return ggmlType >= 0 && ggmlType < GGML_NAMES.length ? GGML_NAMES[ggmlType] : "type " + ggmlType;
    }

    public long numElements() {
        long product = 1;
        for (long dim : dims) {
            product *= dim;
        }
        return product;
    }

    /** Bytes in the file, or -1 if the type can't be read. */
    public long numBytes() {
        return type == null ? -1 : type.bytes(numElements());
    }
}
