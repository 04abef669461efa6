package io.radixflow.backend.cuda;

/** Least squares with coefficients of at least 0: one that would be negative is 0, and the others are found anew. */
final class CostFit {

    private final int numUnknowns;
    private final double[][] normal;

    CostFit(int numUnknowns) {
        this.numUnknowns = numUnknowns;
        normal = new double[numUnknowns][numUnknowns + 1];
    }

    /** One equation {@code sum of factors * unknowns = value}; its error counts {@code weight} times. */
    void add(double[] factors, double value, double weight) {
        for (int i = 0; i < numUnknowns; i++) {
            for (int j = 0; j < numUnknowns; j++) {
                normal[i][j] += weight * weight * factors[i] * factors[j];
            }
            normal[i][numUnknowns] += weight * weight * factors[i] * value;
        }
    }

    double[] solve() {
        boolean[] isZero = new boolean[numUnknowns];
        for (int round = 0; round < numUnknowns; round++) {
            double[] found = solve(isZero);
            int least = 0;
            for (int i = 1; i < numUnknowns; i++) {
                least = found[i] < found[least] ? i : least;
            }
            if (found[least] >= 0) {
                return found;
            }
            isZero[least] = true;
        }
        return new double[numUnknowns];
    }

    /** Gauss and Jordan on the normal equations of those that aren't zero. */
    private double[] solve(boolean[] isZero) {
        double[][] rows = new double[numUnknowns][];
        for (int i = 0; i < numUnknowns; i++) {
            rows[i] = normal[i].clone();
            for (int j = 0; j < numUnknowns; j++) {
                if (isZero[i] || isZero[j]) {
                    rows[i][j] = i == j ? 1 : 0;
                }
            }
            rows[i][numUnknowns] = isZero[i] ? 0 : rows[i][numUnknowns];
        }
        for (int pivot = 0; pivot < numUnknowns; pivot++) {
            for (int row = 0; row < numUnknowns; row++) {
                double factor = row == pivot ? 0 : rows[row][pivot] / rows[pivot][pivot];
                for (int col = pivot; col <= numUnknowns; col++) {
                    rows[row][col] -= factor * rows[pivot][col];
                }
            }
        }
        double[] found = new double[numUnknowns];
        for (int i = 0; i < numUnknowns; i++) {
            found[i] = rows[i][numUnknowns] / rows[i][i];
        }
        return found;
    }
}
