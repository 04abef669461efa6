package io.radixflow.backend.cuda;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The part of cuBLASLt that a plain product needs, mapped directly: every handle, pointer and size is a Java long. Functions return a status,
 * 0 is success. Names and numbers as in cuBLASLt's own header.
 */
final class CublasLt {

    static final int CUDA_R_32F = 0;
    static final int CUDA_R_16BF = 14;
    static final int COMPUTE_32F = 68;
    static final int DESC_TRANSA = 3;
    static final int PREFERENCE_MAX_WORKSPACE_BYTES = 1;
    /** Which ways of splitting a product's sums may be taken; 0 is none. */
    static final int PREFERENCE_REDUCTION_SCHEME_MASK = 3;

    static final int OP_T = 1;
    /** Bytes of {@code cublasLtMatmulHeuristicResult_t}; the algorithm lies at its start, the status at {@link #RESULT_STATUS}. */
    static final int RESULT_BYTES = 96;

    static final int RESULT_STATUS = 72;

    private static final String[] NAMES = {"libcublasLt.so.13", "libcublasLt.so.12"};
    private static final String[] FOLDERS = {
        "/usr/local/cuda/lib64", "/usr/local/cuda/targets/x86_64-linux/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib64"
    };

    private static boolean isLoaded;

    private CublasLt() {}

    /**
     * Loads the library once per JVM.
     *
     * @param folder where to look first, or empty
     * @throws EngineException of category CONFIGURATION that says where it was looked for and who has it
     */
    static synchronized void load(String folder) {
        if (isLoaded) {
            return;
        }
        List<String> tried = new ArrayList<>();
        for (String place : places(folder)) {
            try {
                Native.register(CublasLt.class, NativeLibrary.getInstance(place));
                isLoaded = true;
                return;
            } catch (UnsatisfiedLinkError e) {
                tried.add(place);
            }
        }
        throw new EngineException(
                Category.CONFIGURATION,
                "cuBLASLt was not found; tried " + String.join(", ", tried)
                        + ". Install the CUDA runtime's math libraries, or the"
                        + " Python package nvidia-cublas, and name the folder with --cuda-library-path");
    }

    private static List<String> places(String folder) {
        List<String> places = new ArrayList<>();
        for (String name : NAMES) {
            if (!folder.isEmpty()) {
                places.add(Path.of(folder, name).toString());
            }
            places.add(name); // the loader's own search: LD_LIBRARY_PATH, ld.so.cache
            for (String system : FOLDERS) {
                Path file = Path.of(system, name);
                if (Files.exists(file)) {
                    places.add(file.toString());
                }
            }
        }
        return places;
    }

    static native long cublasLtGetVersion();

    static native int cublasLtCreate(long handleOut);

    static native int cublasLtDestroy(long handle);

    static native int cublasLtMatmulDescCreate(long descOut, int computeType, int scaleType);

    static native int cublasLtMatmulDescSetAttribute(long desc, int attribute, long value, long bytes);

    static native int cublasLtMatmulDescDestroy(long desc);

    static native int cublasLtMatrixLayoutCreate(long layoutOut, int type, long rows, long cols, long leadingDimension);

    static native int cublasLtMatrixLayoutDestroy(long layout);

    static native int cublasLtMatmulPreferenceCreate(long preferenceOut);

    static native int cublasLtMatmulPreferenceSetAttribute(long preference, int attribute, long value, long bytes);

    static native int cublasLtMatmulPreferenceDestroy(long preference);

    @SuppressWarnings("checkstyle:ParameterNumber") // cuBLASLt's
    static native int cublasLtMatmulAlgoGetHeuristic(
            long handle,
            long desc,
            long a,
            long b,
            long c,
            long d,
            long preference,
            int requested,
            long results,
            long countOut);

    @SuppressWarnings("checkstyle:ParameterNumber") // cuBLASLt's
    static native int cublasLtMatmul(
            long handle,
            long desc,
            long alpha,
            long a,
            long aLayout,
            long b,
            long bLayout,
            long beta,
            long c,
            long cLayout,
            long d,
            long dLayout,
            long algorithm,
            long workspace,
            long workspaceBytes,
            long stream);
}
