package io.radixflow.backend.cuda;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * One GPU: its primary context, the stream of all work, and the memory taken on it, which is freed with it.
 *
 * <p>A context belongs to a thread while it works with it: whoever comes from another thread calls {@link #enter} first.
 */
final class CudaDevice implements AutoCloseable {

    private static final int NAME_BYTES = 128;

    private final CUdevice device = new CUdevice();
    private final CUcontext context = new CUcontext();
    private final CudaStream stream = new CudaStream();
    private final List<DevicePointer> memory = new ArrayList<>();
    private final List<Pointer> hostMemory = new ArrayList<>();
    private final List<CUevent> events = new ArrayList<>();
    private final int ordinal;
    private boolean isClosed;

    /** @throws EngineException of category CONFIGURATION if there is no driver or no such GPU */
    CudaDevice(int ordinal) {
        this.ordinal = ordinal;
        int[] count = new int[1];
        try {
            JCudaDriver.setExceptionsEnabled(false);
            Cuda.check(JCudaDriver.cuInit(0), "cuInit");
            Cuda.check(JCudaDriver.cuDeviceGetCount(count), "cuDeviceGetCount");
        } catch (UnsatisfiedLinkError | NoClassDefFoundError | EngineException e) {
            throw new EngineException(
                    Category.CONFIGURATION,
                    "--device cuda needs an NVIDIA driver and a GPU: " + e.getMessage() + "; use --device cpu without",
                    e);
        }
        if (ordinal < 0 || ordinal >= count[0]) {
            throw new EngineException(
                    Category.CONFIGURATION, "--base-gpu-id " + ordinal + ": this machine has " + count[0] + " GPUs");
        }
        Cuda.check(JCudaDriver.cuDeviceGet(device, ordinal), "cuDeviceGet");
        Cuda.check(JCudaDriver.cuDevicePrimaryCtxRetain(context, device), "cuDevicePrimaryCtxRetain");
        enter();
        Cuda.check(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    }

    /** Makes the device the calling thread's. */
    void enter() {
        Cuda.check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    CudaStream stream() {
        return stream;
    }

    String description() {
        byte[] name = new byte[NAME_BYTES];
        Cuda.check(JCudaDriver.cuDeviceGetName(name, NAME_BYTES, device), "cuDeviceGetName");
        int length = 0;
        while (length < NAME_BYTES && name[length] != 0) {
            length++;
        }
        return String.format(
                Locale.ROOT,
                "%s (GPU %d, compute capability %s)",
                new String(name, 0, length, StandardCharsets.UTF_8),
                ordinal,
                capability());
    }

    /** Such as {@code 9.0}. */
    String capability() {
        return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) + "."
                + attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    }

    int numMultiprocessors() {
        return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    }

    private int attribute(int attribute) {
        int[] value = new int[1];
        Cuda.check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
        return value[0];
    }

    long freeBytes() {
        return memoryInfo()[0];
    }

    long totalBytes() {
        return memoryInfo()[1];
    }

    private long[] memoryInfo() {
        long[] free = new long[1];
        long[] total = new long[1];
        Cuda.check(JCudaDriver.cuMemGetInfo(free, total), "cuMemGetInfo");
        return new long[] {free[0], total[0]};
    }

    /** Zeroed memory, freed with the device. */
    DevicePointer allocate(long bytes, String what) {
        DevicePointer pointer = new DevicePointer();
        int status = JCudaDriver.cuMemAlloc(pointer, bytes);
        if (status != 0) {
            Cuda.check(status, "cuMemAlloc: " + what + " on GPU " + ordinal + ", " + freeBytes() + " B free", bytes);
        }
        memory.add(pointer);
        Cuda.check(JCudaDriver.cuMemsetD8Async(pointer, (byte) 0, bytes, stream), "cuMemsetD8Async: " + what, bytes);
        return pointer;
    }

    /** Gives memory back before the device does. */
    void free(DevicePointer pointer) {
        synchronize();
        Cuda.check(JCudaDriver.cuMemFree(pointer), "cuMemFree");
        memory.remove(pointer);
    }

    void clear(DevicePointer pointer, long bytes) {
        Cuda.check(JCudaDriver.cuMemsetD8Async(pointer, (byte) 0, bytes, stream), "cuMemsetD8Async", bytes);
    }

    /** Starts a copy on the device. */
    void copy(DevicePointer to, DevicePointer from, long bytes) {
        Cuda.check(JCudaDriver.cuMemcpyDtoDAsync(to, from, bytes, stream), "cuMemcpyDtoDAsync", bytes);
    }

    /** Waits for all work and reads one number. */
    int readInt(DevicePointer from) {
        synchronize();
        int[] number = new int[1];
        Cuda.check(JCudaDriver.cuMemcpyDtoH(Pointer.to(number), from, Integer.BYTES), "cuMemcpyDtoH");
        return number[0];
    }

    /** Pinned memory of the host, freed with the device. */
    Pointer allocatePinned(long bytes, String what) {
        Pointer pointer = new Pointer();
        Cuda.check(JCudaDriver.cuMemAllocHost(pointer, bytes), "cuMemAllocHost: " + what, bytes);
        hostMemory.add(pointer);
        return pointer;
    }

    /** Starts a copy; the host's memory must be pinned and stay as it is until the stream has got there. */
    void copyToDevice(DevicePointer to, Pointer from, long bytes) {
        Cuda.check(JCudaDriver.cuMemcpyHtoDAsync(to, from, bytes, stream), "cuMemcpyHtoDAsync", bytes);
    }

    /** Alike, the other way. */
    void copyToHost(Pointer to, DevicePointer from, long bytes) {
        Cuda.check(JCudaDriver.cuMemcpyDtoHAsync(to, from, bytes, stream), "cuMemcpyDtoHAsync", bytes);
    }

    /** An event that notes when the stream gets there; destroyed with the device. */
    CUevent event() {
        CUevent event = new CUevent();
        Cuda.check(JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DEFAULT), "cuEventCreate");
        events.add(event);
        return event;
    }

    void record(CUevent event) {
        Cuda.check(JCudaDriver.cuEventRecord(event, stream), "cuEventRecord");
    }

    /** Waits until the stream has got there; failures of kernels show here. */
    void await(CUevent event) {
        Cuda.check(JCudaDriver.cuEventSynchronize(event), "cuEventSynchronize: a kernel or copy of the last step");
    }

    /** Milliseconds between two events that the stream has passed. */
    float millis(CUevent from, CUevent to, float[] scratch) {
        Cuda.check(JCudaDriver.cuEventElapsedTime(scratch, from, to), "cuEventElapsedTime");
        return scratch[0];
    }

    /** Waits for all work; failures of kernels show here. */
    void synchronize() {
        Cuda.check(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize: a kernel or copy of the last step");
    }

    /** Idempotent. */
    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        enter();
        JCudaDriver.cuStreamSynchronize(stream);
        for (DevicePointer pointer : memory) {
            JCudaDriver.cuMemFree(pointer);
        }
        for (Pointer pointer : hostMemory) {
            JCudaDriver.cuMemFreeHost(pointer);
        }
        events.forEach(JCudaDriver::cuEventDestroy);
        JCudaDriver.cuStreamDestroy(stream);
        JCudaDriver.cuDevicePrimaryCtxRelease(device);
    }
}
