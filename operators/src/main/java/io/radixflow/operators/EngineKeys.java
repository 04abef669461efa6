package io.radixflow.operators;

import org.apache.flink.runtime.state.KeyGroupRangeAssignment;

/**
 * Keys that keyBy sends to wanted subtasks. keyBy hashes its keys, so for each subtask we search the first number that lands
 * there. A custom partitioner would be plainer, but Flink has no unaligned checkpoints across one.
 */
final class EngineKeys {

    /** Key groups of the inference operator, fixed for ever: a savepoint can't change them. Also the most engines of a job. */
    static final int MAX_PARALLELISM = 1024;

    private EngineKeys() {}

    /** Entry i is a key that lands on subtask i. */
    static int[] forParallelism(int parallelism) {
        if (parallelism > MAX_PARALLELISM) {
            throw new IllegalArgumentException("parallelism is " + parallelism + ", the most is " + MAX_PARALLELISM);
        }
        int[] keys = new int[parallelism];
        boolean[] isFound = new boolean[parallelism];
        int numFound = 0;
        for (int key = 0; numFound < parallelism; key++) {
            int subtask = KeyGroupRangeAssignment.assignKeyToParallelOperator(key, MAX_PARALLELISM, parallelism);
            if (!isFound[subtask]) {
                isFound[subtask] = true;
                keys[subtask] = key;
                numFound++;
            }
        }
        return keys;
    }
}
