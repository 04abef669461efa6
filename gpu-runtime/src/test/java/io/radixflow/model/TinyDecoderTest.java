package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.testkit.ReferenceBackend;

class TinyDecoderTest extends TinyDecoderContract {

    @Override
    Backend newBackend() {
        return new ReferenceBackend();
    }
}
