/**
 * Wires scheduler, model, sampler and detokeniser into a running {@link io.radixflow.engine.Engine} and owns the engine
 * thread. {@code Engines.start} is the only way in.
 */
@NullMarked
package io.radixflow.loop;

import org.jspecify.annotations.NullMarked;
