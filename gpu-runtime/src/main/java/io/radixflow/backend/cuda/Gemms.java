package io.radixflow.backend.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Plain products through cuBLASLt: {@code y[M, N] = x[M, K] . w[N, K]^T}, bf16 with fp32 sums, y in bf16 or fp32.
 *
 * <p>Row-major {@code y = x w^T} is column-major {@code y^T = w x^T}: w is the first operand, transposed. The algorithm of a shape is the
 * library's first choice, asked for once. One thread. Allocates for a new shape only.
 */
final class Gemms implements AutoCloseable {

    private static final long WORKSPACE_BYTES = 64L << 20;
    private static final int MAX_PLANS = 4096;

    private record Shape(int m, int n, int k, boolean isFloat) {}

    /** Descriptors and algorithm of one shape; the library keeps only addresses of them. */
    private static final class Plan {
        private final Memory result = new Memory(CublasLt.RESULT_BYTES);
        private long desc;
        private long weightLayout;
        private long inputLayout;
        private long outputLayout;

        private void free() {
            CublasLt.cublasLtMatmulDescDestroy(desc);
            CublasLt.cublasLtMatrixLayoutDestroy(weightLayout);
            CublasLt.cublasLtMatrixLayoutDestroy(inputLayout);
            CublasLt.cublasLtMatrixLayoutDestroy(outputLayout);
        }
    }

    private final Map<Shape, Plan> plans = new LinkedHashMap<>(64, 0.75f, true);
    private final Memory one = new Memory(Float.BYTES);
    private final Memory zero = new Memory(Float.BYTES);
    private final Memory scratch = new Memory(Long.BYTES);
    private final long handle;
    private final DevicePointer workspace;
    private final CudaStream stream;

    /** @param libraryFolder where to look for cuBLASLt first, or empty */
    Gemms(CudaDevice device, String libraryFolder) {
        CublasLt.load(libraryFolder);
        one.setFloat(0, 1);
        zero.setFloat(0, 0);
        Cuda.checkBlas(CublasLt.cublasLtCreate(address(scratch)), "cublasLtCreate");
        handle = scratch.getLong(0);
        workspace = device.allocate(WORKSPACE_BYTES, "workspace of cuBLASLt");
        stream = device.stream();
    }

    static String version() {
        long version = CublasLt.cublasLtGetVersion();
        return "cuBLASLt " + version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
    }

    void multiply(CudaWeight w, CudaTensor x, int rows, CudaTensor y) {
        Plan plan = plan(new Shape(rows, w.rows(), w.cols(), y.isFloat()));
        int status = CublasLt.cublasLtMatmul(
                handle,
                plan.desc,
                address(one),
                w.memory().address(),
                plan.weightLayout,
                x.memory().address(),
                plan.inputLayout,
                address(zero),
                y.memory().address(),
                plan.outputLayout,
                y.memory().address(),
                plan.outputLayout,
                address(plan.result),
                workspace.address(),
                WORKSPACE_BYTES,
                stream.handle());
        if (status != 0) {
            Cuda.checkBlas(
                    status, "cublasLtMatmul [" + rows + ", " + w.cols() + "] x [" + w.rows() + ", " + w.cols() + "]^T");
        }
    }

    private Plan plan(Shape shape) {
        Plan plan = plans.get(shape);
        if (plan == null) {
            plan = newPlan(shape);
            plans.put(shape, plan);
            if (plans.size() > MAX_PLANS) {
                var eldest = plans.entrySet().iterator();
                eldest.next().getValue().free();
                eldest.remove();
            }
        }
        return plan;
    }

    private Plan newPlan(Shape shape) {
        Plan plan = new Plan();
        Cuda.checkBlas(
                CublasLt.cublasLtMatmulDescCreate(address(scratch), CublasLt.COMPUTE_32F, CublasLt.CUDA_R_32F),
                "cublasLtMatmulDescCreate");
        plan.desc = scratch.getLong(0);
        scratch.setInt(0, CublasLt.OP_T);
        Cuda.checkBlas(
                CublasLt.cublasLtMatmulDescSetAttribute(
                        plan.desc, CublasLt.DESC_TRANSA, address(scratch), Integer.BYTES),
                "cublasLtMatmulDescSetAttribute");
        plan.weightLayout = layout(CublasLt.CUDA_R_16BF, shape.k, shape.n);
        plan.inputLayout = layout(CublasLt.CUDA_R_16BF, shape.k, shape.m);
        plan.outputLayout = layout(shape.isFloat ? CublasLt.CUDA_R_32F : CublasLt.CUDA_R_16BF, shape.n, shape.m);
        chooseAlgorithm(plan, shape);
        return plan;
    }

    private void chooseAlgorithm(Plan plan, Shape shape) {
        Cuda.checkBlas(CublasLt.cublasLtMatmulPreferenceCreate(address(scratch)), "cublasLtMatmulPreferenceCreate");
        long preference = scratch.getLong(0);
        scratch.setLong(0, WORKSPACE_BYTES);
        Cuda.checkBlas(
                CublasLt.cublasLtMatmulPreferenceSetAttribute(
                        preference, CublasLt.PREFERENCE_MAX_WORKSPACE_BYTES, address(scratch), Long.BYTES),
                "cublasLtMatmulPreferenceSetAttribute");
        scratch.setLong(0, 0);
        int status = CublasLt.cublasLtMatmulAlgoGetHeuristic(
                handle,
                plan.desc,
                plan.weightLayout,
                plan.inputLayout,
                plan.outputLayout,
                plan.outputLayout,
                preference,
                1,
                address(plan.result),
                address(scratch));
        CublasLt.cublasLtMatmulPreferenceDestroy(preference);
        if (status != 0 || scratch.getInt(0) < 1 || plan.result.getInt(CublasLt.RESULT_STATUS) != 0) {
            throw new EngineException(
                    Category.DEVICE, "cuBLASLt has no algorithm for " + shape + " (status " + status + ")");
        }
    }

    /** A dense column-major matrix. */
    private long layout(int type, int rows, int cols) {
        Cuda.checkBlas(
                CublasLt.cublasLtMatrixLayoutCreate(address(scratch), type, rows, cols, rows),
                "cublasLtMatrixLayoutCreate");
        return scratch.getLong(0);
    }

    private static long address(Memory memory) {
        return Pointer.nativeValue(memory);
    }

    @Override
    public void close() {
        plans.values().forEach(Plan::free);
        plans.clear();
        CublasLt.cublasLtDestroy(handle);
    }
}
