package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.testkit.ReferenceBackend;

class TinyLlamaTest extends TinyLlamaContract {

    @Override
    Backend newBackend() {
        return new ReferenceBackend();
    }
}
