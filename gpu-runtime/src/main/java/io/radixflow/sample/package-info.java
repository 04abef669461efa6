/**
 * Turns logits into token ids: penalties, temperature, top-k, top-p, min-p and counter-based random numbers. A draw depends
 * only on the sequence's seed and position.
 */
@NullMarked
package io.radixflow.sample;

import org.jspecify.annotations.NullMarked;
