/**
 * Flink operators around the engine: parse, tokenise, group by prefix, infer. They adapt and keep state; the work is done by
 * the engine.
 */
@NullMarked
package io.radixflow.operators;

import org.jspecify.annotations.NullMarked;
