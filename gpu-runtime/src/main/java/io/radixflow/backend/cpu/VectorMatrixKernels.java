package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.STRIP;

import java.util.Arrays;

/**
 * Products on the Vector API. A single row is multiplied with the packed weights directly; more rows share a strip that is unpacked to
 * floats in pieces which fit the first-level cache.
 */
final class VectorMatrixKernels implements MatrixKernels {

    /** Input features of one unpacked piece: 32 KiB on a machine with 16 lanes. */
    private static final int PIECE_LEN = 256;

    private static final int PIECE_BLOCKS = PIECE_LEN / PackedMatrix.BLOCK;
    /** Rows that share an unpacked piece; with their piece of x they fit the second-level cache. */
    private static final int ROW_TILE = 256;

    private final Scratch[] scratch;

    VectorMatrixKernels(int numThreads) {
        scratch = new Scratch[numThreads];
        for (int i = 0; i < numThreads; i++) {
            scratch[i] = new Scratch();
        }
    }

    @Override
    public String description() {
        return "Vector API, " + Lanes.FLOATS.vectorBitSize() + "-bit vectors, fp32 arithmetic on weights at file width";
    }

    @Override
    public void linear(CpuWeight w, float[] x, int rows, float[] out, int fromStrip, int toStrip, int worker) {
        for (int part = 0; part < w.parts.length; part++) {
            PackedMatrix matrix = w.parts[part];
            int from = Math.max(fromStrip - w.firstStrip[part], 0);
            int to = Math.min(toStrip - w.firstStrip[part], matrix.numStrips);
            for (int strip = from; strip < to; strip++) {
                int outAt = w.firstRow[part] + strip * STRIP;
                if (rows == 1) {
                    oneRow(matrix, strip, x, out, outAt, scratch[worker]);
                } else {
                    manyRows(matrix, strip, x, rows, out, outAt, w.rows(), scratch[worker]);
                }
            }
        }
    }

    private static void oneRow(PackedMatrix matrix, int strip, float[] x, float[] out, int outAt, Scratch scratch) {
        float[] sums = scratch.edge;
        Arrays.fill(sums, 0, STRIP, 0);
        int[] words = matrix.words;
        int first = matrix.blockAt(strip, 0);
        switch (matrix.format) {
            case F32 -> PackedProducts.addF32(words, first, x, matrix.cols, sums);
            case F16 -> PackedProducts.addF16(words, first, x, matrix.cols, sums);
            case BF16 -> PackedProducts.addBf16(words, first, x, matrix.cols, sums);
            case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K -> addBlocks(matrix, strip, x, sums, scratch.factors);
        }
        System.arraycopy(sums, 0, out, outAt, Math.min(STRIP, matrix.rows - strip * STRIP));
    }

    private static void addBlocks(PackedMatrix matrix, int strip, float[] x, float[] sums, float[] factors) {
        for (int block = 0; block < matrix.numBlocks; block++) {
            BlockFactors.decode(matrix, strip, block, factors);
            addBlock(matrix, matrix.blockAt(strip, block) + STRIP, factors, x, block * PackedMatrix.BLOCK, sums);
        }
    }

    @SuppressWarnings("checkstyle:ParameterNumber") // a block and its row
    private static void addBlock(PackedMatrix matrix, int from, float[] factors, float[] x, int xAt, float[] sums) {
        int[] words = matrix.words;
        switch (matrix.format) {
            case Q4_0, Q4_1, Q4_K -> PackedProducts.addNibbles(words, from, factors, x, xAt, sums);
            case Q8_0 -> PackedProducts.addBytes(words, from, factors, x, xAt, sums);
            case Q5_0, Q5_1, Q5_K -> PackedProducts.addLongNibbles(words, from, 1, 0, 4, factors, 0, x, xAt, sums);
            case Q6_K -> {
                PackedProducts.addLongNibbles(words, from, 2, 0, 2, factors, 0, x, xAt, sums);
                PackedProducts.addLongNibbles(words, from, 2, 2, 4, factors, BlockFactors.SET, x, xAt, sums);
            }
            case F32, F16, BF16 -> throw new IllegalStateException(matrix.format + " has no factors");
        }
    }

    @SuppressWarnings("checkstyle:ParameterNumber") // a strip's place in the result
    private static void manyRows(
            PackedMatrix matrix,
            int strip,
            float[] x,
            int rows,
            float[] out,
            int outAt,
            int outStride,
            Scratch scratch) {
        int width = Math.min(STRIP, matrix.rows - strip * STRIP);
        for (int row = 0; row < rows; row += ROW_TILE) {
            int numRows = Math.min(ROW_TILE, rows - row);
            if (width == STRIP) {
                rowTile(matrix, strip, x, row, numRows, out, outAt + row * outStride, outStride, scratch);
                continue;
            }
            rowTile(matrix, strip, x, row, numRows, scratch.edge, 0, STRIP, scratch);
            for (int r = 0; r < numRows; r++) {
                System.arraycopy(scratch.edge, r * STRIP, out, outAt + (row + r) * outStride, width);
            }
        }
    }

    @SuppressWarnings("checkstyle:ParameterNumber") // as above
    private static void rowTile(
            PackedMatrix matrix,
            int strip,
            float[] x,
            int row,
            int numRows,
            float[] out,
            int outAt,
            int outStride,
            Scratch scratch) {
        for (int r = 0; r < numRows; r++) {
            Arrays.fill(out, outAt + r * outStride, outAt + r * outStride + STRIP, 0);
        }
        int cols = matrix.cols;
        for (int block = 0; block < matrix.numBlocks; block += PIECE_BLOCKS) {
            int endBlock = Math.min(block + PIECE_BLOCKS, matrix.numBlocks);
            StripUnpacker.unpack(matrix, strip, block, endBlock, scratch.factors, scratch.piece);
            int firstFeature = block * PackedMatrix.BLOCK;
            int len = Math.min(endBlock * PackedMatrix.BLOCK, cols) - firstFeature;
            addRows(x, row * cols + firstFeature, cols, numRows, scratch.piece, len, out, outAt, outStride);
        }
    }

    @SuppressWarnings("checkstyle:ParameterNumber") // as above
    private static void addRows(
            float[] x,
            int xAt,
            int xStride,
            int numRows,
            float[] piece,
            int len,
            float[] out,
            int outAt,
            int outStride) {
        int row = 0;
        if (Lanes.FLOATS.vectorBitSize() >= 512) {
            for (; row + 8 <= numRows; row += 8) {
                StripProducts.addEightRows(
                        x, xAt + row * xStride, xStride, piece, len, out, outAt + row * outStride, outStride);
            }
        }
        while (row < numRows) {
            int left = numRows - row;
            if (left == 1) {
                StripProducts.addOneRow(x, xAt + row * xStride, piece, len, out, outAt + row * outStride);
                return;
            }
            StripProducts.addFourRows(
                    x, xAt + row * xStride, xStride, left, piece, len, out, outAt + row * outStride, outStride);
            row += 4;
        }
    }

    private static final class Scratch {
        private final float[] factors = new float[BlockFactors.LENGTH];
        private final float[] piece = new float[PIECE_LEN * STRIP];
        /** Results of a strip that the matrix doesn't fill. */
        private final float[] edge = new float[ROW_TILE * STRIP];
    }
}
