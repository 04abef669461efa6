package io.radixflow.backend.cuda;

import jcuda.driver.CUdeviceptr;

/** Device memory whose address can be read, for kernel arguments and cuBLASLt. */
final class DevicePointer extends CUdeviceptr {

    DevicePointer() {}

    private DevicePointer(DevicePointer base, long offset) {
        super(base, offset);
    }

    /** The address {@code bytes} further on. */
    DevicePointer plus(long bytes) {
        return new DevicePointer(this, bytes);
    }

    long address() {
        return getNativePointer() + getByteOffset();
    }
}
