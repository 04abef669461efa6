package io.radixflow.engine;

/**
 * What an engine computes on.
 *
 * @param description one line for reports: device, threads, instruction set; a simulated one begins so
 * @param isSimulated whether times come from a model and tokens from a hash; every figure of such an engine is shown with that word
 */
public record EngineDevice(String description, boolean isSimulated) {}
