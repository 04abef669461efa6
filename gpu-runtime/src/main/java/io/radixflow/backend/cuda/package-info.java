/**
 * The backend of NVIDIA GPUs: the driver API through JCuda, plain products by cuBLASLt through JNA, the rest by kernels of
 * {@code src/main/cuda}. Alone in knowing both libraries.
 */
@NullMarked
package io.radixflow.backend.cuda;

import org.jspecify.annotations.NullMarked;
