package io.radixflow.operators;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.checkpoint.AbstractCheckpointStats;
import org.apache.flink.runtime.checkpoint.CheckpointStatsStatus;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;

/** A mini cluster of one task manager, with what tests ask of a running job. */
final class LocalCluster implements AutoCloseable {

    private static final long POLL_NANOS = 10_000_000;
    private static final long TIMEOUT_SECONDS = 60;

    private final MiniCluster cluster;

    LocalCluster(int numSlots, Configuration configuration) throws Exception {
        configuration.setString("rest.port", "0");
        configuration.setString("web.checkpoints.history", "1000");
        cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(numSlots)
                .build());
        cluster.start();
    }

    /** @param savepoint where the job goes on from, or null */
    JobID submit(StreamExecutionEnvironment environment, @Nullable String savepoint) throws Exception {
        JobGraph graph = environment.getStreamGraph().getJobGraph();
        if (savepoint != null) {
            graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint));
        }
        return cluster.submitJob(graph).get(TIMEOUT_SECONDS, TimeUnit.SECONDS).getJobID();
    }

    /** Stops with a savepoint and waits for the end; returns where the savepoint is. */
    String stop(JobID job, Path folder, boolean isDraining) throws Exception {
        String path = cluster.stopWithSavepoint(
                        job, folder.toUri().toString(), isDraining, SavepointFormatType.CANONICAL)
                .get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        awaitTrue(() -> status(job).isGloballyTerminalState());
        return path;
    }

    void cancel(JobID job) throws Exception {
        cluster.cancelJob(job).get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        awaitTrue(() -> status(job).isGloballyTerminalState());
    }

    JobStatus status(JobID job) {
        try {
            return cluster.getJobStatus(job).get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException("no status of the job", e);
        }
    }

    /** The completed checkpoints of a running job, in no order. */
    List<AbstractCheckpointStats> checkpoints(JobID job) throws Exception {
        List<AbstractCheckpointStats> completed = new ArrayList<>();
        for (AbstractCheckpointStats checkpoint : cluster.getArchivedExecutionGraph(job)
                .get(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .getCheckpointStatsSnapshot()
                .getHistory()
                .getCheckpoints()) {
            if (checkpoint.getStatus() == CheckpointStatsStatus.COMPLETED) {
                completed.add(checkpoint);
            }
        }
        return completed;
    }

    static void awaitTrue(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    @Override
    public void close() {
        try {
            cluster.close();
        } catch (Exception e) {
            throw new IllegalStateException("the cluster did not close", e);
        }
    }
}
