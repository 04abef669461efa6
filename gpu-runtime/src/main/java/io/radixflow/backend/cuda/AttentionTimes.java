package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import jcuda.driver.CUevent;

/**
 * Times a layer's decode attention of rows behind common prefixes: each row for itself, and by segments. Uses the engine's own KV cache, whatever
 * lies there. Launches are captured, as they are in steps that only decode.
 *
 * <p>Owned by the engine thread, before the first step.
 */
final class AttentionTimes implements AutoCloseable {

    private static final int LAYERS_PER_RUN = 8;
    private static final int RUNS = 5;
    private static final double NANOS_PER_MILLI = 1e6;
    private static final int GRAPH = 1;

    private final CudaDevice device;
    private final Attention attention;
    private final SharedAttention shared;
    private final CudaKvCache cache;
    private final KvLayout layout;
    private final int stride;
    private final ForwardBatch batch;
    private final StepColumns step;
    private final SlotTable slots;
    private final CudaTensor qkv;
    private final CudaTensor out;
    private final CUevent began;
    private final CUevent ended;
    private final float[] scratch = new float[1];

    /**
     * Rows that begin with one of some prefixes, go on with one of some documents, and end with tokens of their own. Neighbours have the same.
     *
     * @param numDocuments a multiple of the prefixes, or 0
     */
    record Scene(int numRows, int numPrefixes, int prefixLen, int numDocuments, int documentLen, int tailLen) {

        int len() {
            return prefixLen + documentLen + tailLen;
        }

        int numSlots() {
            return numPrefixes * prefixLen + numDocuments * documentLen + numRows * tailLen;
        }

        /** Of the row's token at a position. */
        int slot(int row, int position) {
            if (position < prefixLen) {
                return row * numPrefixes / numRows * prefixLen + position;
            }
            int inDocument = position - prefixLen;
            int documents = numPrefixes * prefixLen;
            if (inDocument < documentLen) {
                return documents + row * numDocuments / numRows * documentLen + inDocument;
            }
            return documents + numDocuments * documentLen + row * tailLen + inDocument - documentLen;
        }

        /** All that there are. */
        void addSegments(ForwardBatch batch) {
            addSegments(batch, numPrefixes, 0, prefixLen);
            addSegments(batch, numDocuments, prefixLen, prefixLen + documentLen);
        }

        private void addSegments(ForwardBatch batch, int num, int from, int to) {
            for (int i = 0; i < num; i++) {
                int segment = batch.numSegments++;
                batch.segmentFrom[segment] = from;
                batch.segmentTo[segment] = to;
                batch.segmentFirst[segment] = i * numRows / num;
                batch.segmentEnd[segment] = (i + 1) * numRows / num;
            }
        }
    }

    /** For scenes of at most so many rows and tokens of one. */
    AttentionTimes(
            CudaDevice device,
            Attention attention,
            SharedAttention shared,
            CudaKvCache cache,
            int maxRows,
            int maxLen) {
        this.device = device;
        this.attention = attention;
        this.shared = shared;
        this.cache = cache;
        layout = cache.layout();
        stride = maxLen;
        batch = new ForwardBatch(maxRows, maxRows, new int[maxRows * stride], stride);
        TileOrder order = new TileOrder(attention.groupSize(), PrefillAttention.TILE_ROWS);
        step = new StepColumns(device, maxRows, maxRows, maxRows, order);
        slots = new SlotTable(device, maxRows, stride);
        int headDim = layout.headDim();
        int qkvCols = (layout.numHeads() + 2 * layout.numKvHeads()) * headDim;
        int outCols = layout.numHeads() * headDim;
        qkv = new CudaTensor(device.allocate(2L * maxRows * qkvCols, "queries"), maxRows, qkvCols, false);
        out = new CudaTensor(device.allocate(2L * maxRows * outCols, "attention"), maxRows, outCols, false);
        began = device.event();
        ended = device.event();
    }

    /** The scene's rows, with all segments that there are; a planner may write others. */
    ForwardBatch fill(Scene scene) {
        device.synchronize();
        int numRows = scene.numRows();
        batch.numSequences = numRows;
        batch.numTokens = numRows;
        batch.numSegments = 0;
        for (int s = 0; s < numRows; s++) {
            batch.row[s] = s;
            batch.segmentOrder[s] = s;
            batch.firstToken[s] = s;
            batch.cachedLen[s] = scene.len() - 1;
            batch.extendLen[s] = 1;
            batch.rowVersion[s]++;
            for (int p = 0; p < scene.len(); p++) {
                batch.slotTable[s * stride + p] = scene.slot(s, p);
            }
            batch.kvSlot[s] = batch.slotTable[s * stride + scene.len() - 1];
        }
        scene.addSegments(batch);
        step.set(0, batch, numRows);
        step.upload();
        slots.update(0, batch);
        return batch;
    }

    /** Of one layer, each row for itself. */
    double nanosEach() {
        return nanos(() -> {
            for (int i = 0; i < LAYERS_PER_RUN; i++) {
                attention.decode(qkv, cache, i % layout.numLayers(), step, batch.numSequences, slots, out);
            }
        });
    }

    /** Of one layer, by the segments that the batch has now. */
    double nanosShared() {
        device.synchronize();
        shared.set(0, batch);
        return nanos(() -> {
            for (int i = 0; i < LAYERS_PER_RUN; i++) {
                shared.attend(qkv, cache, i % layout.numLayers(), step, batch.numSequences, slots, out);
            }
        });
    }

    private double nanos(Runnable layers) {
        try (DecodeGraphs graphs = new DecodeGraphs(GRAPH, device.stream())) {
            graphs.capture(GRAPH, layers);
            double least = Double.MAX_VALUE;
            for (int run = 0; run < RUNS; run++) {
                device.record(began);
                graphs.launch(GRAPH);
                device.record(ended);
                device.await(ended);
                double nanos = device.millis(began, ended, scratch) * NANOS_PER_MILLI / LAYERS_PER_RUN;
                least = Math.min(least, nanos);
            }
            return least;
        }
    }

    @Override
    public void close() {
        device.free(qkv.memory());
        device.free(out.memory());
    }
}
