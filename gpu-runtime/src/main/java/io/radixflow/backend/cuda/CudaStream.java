package io.radixflow.backend.cuda;

import jcuda.driver.CUstream;

/** The stream that all of a backend's work goes to, with its handle for cuBLASLt. */
final class CudaStream extends CUstream {

    long handle() {
        return getNativePointer();
    }
}
