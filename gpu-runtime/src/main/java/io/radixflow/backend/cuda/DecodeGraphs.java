package io.radixflow.backend.cuda;

import java.util.Arrays;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/** Captured decode steps, one for each batch size of a list; a batch runs in the next larger one, padded. */
final class DecodeGraphs implements AutoCloseable {

    static final int NO_SIZE = -1;

    private final int[] sizes;
    private final CUgraphExec[] graphs;
    private final CudaStream stream;

    /** SGLang's sizes: 1, 2, 4, then multiples of 8, up to {@code maxSize}. */
    DecodeGraphs(int maxSize, CudaStream stream) {
        int[] all = new int[maxSize / 8 + 4];
        int num = 0;
        for (int size = 1; size <= maxSize; size = size < 4 ? 2 * size : size / 8 * 8 + 8) {
            all[num++] = size;
        }
        if (maxSize > 0 && all[num - 1] != maxSize) {
            all[num++] = maxSize;
        }
        sizes = Arrays.copyOf(all, num);
        graphs = new CUgraphExec[num];
        this.stream = stream;
    }

    int[] sizes() {
        return sizes.clone();
    }

    /** The least size that holds {@code numSequences}, or {@link #NO_SIZE}. */
    int sizeFor(int numSequences) {
        int place = placeOf(numSequences);
        return place < sizes.length ? sizes[place] : NO_SIZE;
    }

    boolean isCaptured(int size) {
        return graphs[placeOf(size)] != null;
    }

    private int placeOf(int size) {
        int place = Arrays.binarySearch(sizes, size);
        return place < 0 ? -place - 1 : place;
    }

    /** Records what {@code ops} enqueues instead of running it. */
    void capture(int size, Runnable ops) {
        Cuda.check(
                JCudaDriver.cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                "cuStreamBeginCapture");
        CUgraph graph = new CUgraph();
        try {
            ops.run();
        } finally {
            Cuda.check(JCudaDriver.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
        }
        CUgraphExec executable = new CUgraphExec();
        Cuda.check(JCudaDriver.cuGraphInstantiate(executable, graph, 0), "cuGraphInstantiate: batch size " + size);
        Cuda.check(JCudaDriver.cuGraphDestroy(graph), "cuGraphDestroy");
        graphs[placeOf(size)] = executable;
    }

    void launch(int size) {
        int status = JCudaDriver.cuGraphLaunch(graphs[placeOf(size)], stream);
        if (status != 0) {
            Cuda.check(status, "cuGraphLaunch: batch size " + size);
        }
    }

    @Override
    public void close() {
        for (CUgraphExec graph : graphs) {
            if (graph != null) {
                JCudaDriver.cuGraphExecDestroy(graph);
            }
        }
        Arrays.fill(graphs, null);
    }
}
