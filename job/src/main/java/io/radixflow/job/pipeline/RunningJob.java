package io.radixflow.job.pipeline;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.client.JobCancellationException;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.ExceptionUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A job that has been submitted. {@link #close()} cancels it and waits for its end. */
public final class RunningJob implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RunningJob.class);
    private static final int STOP_SECONDS = 20;

    private final JobClient client;

    private RunningJob(JobClient client) {
        this.client = client;
    }

    /** Submits what the environment holds. */
    public static RunningJob submit(StreamExecutionEnvironment env, String name) throws Exception {
        return new RunningJob(env.executeAsync(name));
    }

    /** Waits for the job's end; false if it was cancelled. @throws CompletionException if it failed */
    public boolean await() throws InterruptedException {
        try {
            client.getJobExecutionResult().get();
            return true;
        } catch (ExecutionException e) {
            if (!ExceptionUtils.findThrowable(e, JobCancellationException.class).isPresent()) {
                throw new CompletionException(e.getCause());
            }
            return false;
        }
    }

    /** Whether the job has ended, well or not. */
    public boolean isDone() {
        return client.getJobExecutionResult().isDone();
    }

    /** The failure that ended the job. @throws CompletionException if it failed */
    public void checkNotFailed() throws InterruptedException {
        if (isDone()) {
            await();
        }
    }

    /** Count of the running job, as its tasks last reported it; 0 if there is none of that name. */
    public long count(String accumulator) throws InterruptedException {
        return counts().getOrDefault(accumulator, 0L);
    }

    /** Counts of the running job by accumulator, as its tasks last reported them. */
    public Map<String, Long> counts() throws InterruptedException {
        Map<String, Long> counts = new HashMap<>();
        try {
            Map<String, Object> values = isDone()
                    ? client.getJobExecutionResult()
                            .thenApply(JobExecutionResult::getAllAccumulatorResults)
                            .get()
                    : client.getAccumulators().get(STOP_SECONDS, TimeUnit.SECONDS);
            values.forEach((name, value) -> {
                if (value instanceof Number number) {
                    counts.put(name, number.longValue());
                }
            });
        } catch (ExecutionException | TimeoutException | IllegalStateException e) {
            return Map.of(); // the job is just starting or ending; the latter once its embedded cluster is gone
        }
        return counts;
    }

    public String id() {
        return client.getJobID().toString();
    }

    @Override
    public void close() {
        if (isDone()) {
            return;
        }
        try {
            client.cancel().get(STOP_SECONDS, TimeUnit.SECONDS);
            client.getJobExecutionResult().handle((result, failure) -> true).get(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (IllegalStateException e) {
            LOG.debug("The job has ended, its embedded cluster is gone", e);
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("the job did not stop in time: {}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
