/**
 * Measures an engine: generates the requests of a workload file, runs them, and turns what came back into the figures that serving benches
 * report. Knows the engine's public types only.
 */
@NullMarked
package io.radixflow.bench;

import org.jspecify.annotations.NullMarked;
