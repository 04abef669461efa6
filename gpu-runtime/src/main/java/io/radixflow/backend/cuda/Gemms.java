package io.radixflow.backend.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
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

    /** {@code [m, k] . [n, k]^T}, to fp32 or bf16. */
    record Shape(int m, int n, int k, boolean isFloat) {}

    /** Descriptors and algorithm of one shape; the library keeps only addresses of them. */
    static final class Plan {
        private final Memory result = new Memory(CublasLt.RESULT_BYTES);
        private long desc;
        private long weightLayout;
        private long inputLayout;
        private long outputLayout;

        void free() {
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
        run(plan, w.memory().address(), x.memory().address(), y.memory().address());
    }

    /** A product as planned, of matrices at these addresses. */
    void run(Plan plan, long w, long x, long y) {
        int status = CublasLt.cublasLtMatmul(
                handle,
                plan.desc,
                address(one),
                w,
                plan.weightLayout,
                x,
                plan.inputLayout,
                address(zero),
                y,
                plan.outputLayout,
                y,
                plan.outputLayout,
                address(plan.result),
                workspace.address(),
                WORKSPACE_BYTES,
                stream.handle());
        if (status != 0) {
            Cuda.checkBlas(status, "cublasLtMatmul");
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
        List<Plan> best = candidates(shape, 1, true);
        if (best.isEmpty()) {
            throw new EngineException(Category.DEVICE, "cuBLASLt has no algorithm for " + shape);
        }
        return best.get(0);
    }

    /**
     * Up to {@code most} ways to make a product, the fastest first by the library's own estimate; perhaps none.
     *
     * @param maySplit whether a sum may be cut into parts that are added later
     */
    List<Plan> candidates(Shape shape, int most, boolean maySplit) {
        Memory results = new Memory((long) most * CublasLt.RESULT_BYTES);
        Plan first = describe(shape);
        int num = findAlgorithms(first, most, maySplit, results);
        List<Plan> plans = new ArrayList<>();
        for (int i = 0; i < num; i++) {
            long at = (long) i * CublasLt.RESULT_BYTES;
            if (results.getInt(at + CublasLt.RESULT_STATUS) == 0) {
                Plan plan = plans.isEmpty() ? first : describe(shape);
                plan.result.write(0, results.getByteArray(at, CublasLt.RESULT_BYTES), 0, CublasLt.RESULT_BYTES);
                plans.add(plan);
            }
        }
        if (plans.isEmpty()) {
            first.free();
        }
        return plans;
    }

    private Plan describe(Shape shape) {
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
        return plan;
    }

    /** Returns how many results there are. */
    private int findAlgorithms(Plan plan, int most, boolean maySplit, Memory results) {
        Cuda.checkBlas(CublasLt.cublasLtMatmulPreferenceCreate(address(scratch)), "cublasLtMatmulPreferenceCreate");
        long preference = scratch.getLong(0);
        scratch.setLong(0, WORKSPACE_BYTES);
        prefer(preference, CublasLt.PREFERENCE_MAX_WORKSPACE_BYTES, Long.BYTES);
        if (!maySplit) {
            scratch.setInt(0, 0);
            prefer(preference, CublasLt.PREFERENCE_REDUCTION_SCHEME_MASK, Integer.BYTES);
        }
        scratch.setLong(0, 0);
        int status = CublasLt.cublasLtMatmulAlgoGetHeuristic(
                handle,
                plan.desc,
                plan.weightLayout,
                plan.inputLayout,
                plan.outputLayout,
                plan.outputLayout,
                preference,
                most,
                address(results),
                address(scratch));
        CublasLt.cublasLtMatmulPreferenceDestroy(preference);
        return status == 0 ? scratch.getInt(0) : 0;
    }

    /** Sets an attribute to what the scratch holds. */
    private void prefer(long preference, int attribute, long bytes) {
        Cuda.checkBlas(
                CublasLt.cublasLtMatmulPreferenceSetAttribute(preference, attribute, address(scratch), bytes),
                "cublasLtMatmulPreferenceSetAttribute");
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
