/**
 * The SPI between models and devices: tensors, weights, KV cache and the fused ops of a forward step. Implementations live in
 * sub-packages and pass one contract test.
 */
@NullMarked
package io.radixflow.backend;

import org.jspecify.annotations.NullMarked;
