package io.radixflow.backend.cuda;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import jcuda.driver.CUresult;

/** The one place where a CUDA or cuBLASLt status is looked at. */
final class Cuda {

    private Cuda() {}

    /**
     * @param what the call and what it was for
     * @throws EngineException of category DEVICE that names status and call, unless the status is success
     */
    static void check(int status, String what) {
        if (status != CUresult.CUDA_SUCCESS) {
            throw new EngineException(
                    Category.DEVICE, CUresult.stringFor(status) + " (" + status + ") in " + what + hint(status));
        }
    }

    /** As the other form, for memory: adds how much was asked for. */
    static void check(int status, String what, long bytes) {
        if (status != CUresult.CUDA_SUCCESS) {
            check(status, what + ", " + bytes + " B");
        }
    }

    /** A status of cuBLASLt, whose numbers differ from the driver's. */
    static void checkBlas(int status, String what) {
        if (status != 0) {
            throw new EngineException(Category.DEVICE, "cuBLASLt status " + status + " in " + what);
        }
    }

    private static String hint(int status) {
        return status == CUresult.CUDA_ERROR_OUT_OF_MEMORY
                ? "; lower --mem-fraction-static, or free the GPU of other processes"
                : "";
    }
}
