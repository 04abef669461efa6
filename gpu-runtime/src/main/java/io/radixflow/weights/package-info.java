/**
 * Readers of weight files (GGUF, safetensors) that expose named, mapped tensors and metadata. A reader trusts nothing it reads: sizes and
 * offsets are checked before use.
 */
@NullMarked
package io.radixflow.weights;

import org.jspecify.annotations.NullMarked;
