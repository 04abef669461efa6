package io.radixflow.loop;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOptions;

/**
 * Sizes whose default depends on the device, as given or defaulted.
 *
 * @param isCuda whether the device is a GPU
 * @param memFractionStatic share of the device's memory for weights and KV cache
 * @param maxRunning most sequences in one step
 * @param chunkedPrefillSize most prompt tokens in one step
 */
record DeviceDefaults(boolean isCuda, double memFractionStatic, int maxRunning, int chunkedPrefillSize) {

    static DeviceDefaults of(EngineConfig config) {
        boolean isCuda = config.get(EngineOptions.DEVICE).equals("cuda");
        return new DeviceDefaults(
                isCuda,
                config.find(EngineOptions.MEM_FRACTION_STATIC).orElse(isCuda ? 0.88 : 0.6),
                config.find(EngineOptions.MAX_RUNNING_REQUESTS).orElse(isCuda ? 256 : 64),
                config.find(EngineOptions.CHUNKED_PREFILL_SIZE).orElse(isCuda ? 8192 : 512));
    }
}
