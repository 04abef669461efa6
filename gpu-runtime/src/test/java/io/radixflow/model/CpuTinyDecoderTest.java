package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.backend.cpu.CpuBackend;

class CpuTinyDecoderTest extends TinyDecoderContract {

    @Override
    Backend newBackend() {
        return new CpuBackend(2, 1L << 28);
    }
}
