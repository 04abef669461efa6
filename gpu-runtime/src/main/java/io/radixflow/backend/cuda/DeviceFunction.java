package io.radixflow.backend.cuda;

import jcuda.driver.CUfunction;

/** A kernel of a loaded module, with its handle for the driver's own launch. */
final class DeviceFunction extends CUfunction {

    long handle() {
        return getNativePointer();
    }
}
