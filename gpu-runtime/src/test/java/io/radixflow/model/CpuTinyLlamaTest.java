package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.backend.cpu.CpuBackend;

class CpuTinyLlamaTest extends TinyLlamaContract {

    @Override
    Backend newBackend() {
        return new CpuBackend(2, 64L << 20);
    }
}
