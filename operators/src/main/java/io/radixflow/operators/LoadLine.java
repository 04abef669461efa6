package io.radixflow.operators;

import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.function.Consumer;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.runtime.taskexecutor.GlobalAggregateManager;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A subtask's line to the {@link LoadBoard}: sends one report at a time and brings the reply to the task thread. The call waits for the
 * JobManager, so a thread of its own makes it. A report that gets lost does no harm: the next one says it all again.
 */
final class LoadLine implements AutoCloseable {

    /** Between two reports of a subtask. */
    private static final long INTERVAL_MILLIS = 200;

    private static final Logger LOG = LoggerFactory.getLogger(LoadLine.class);

    private final GlobalAggregateManager jobManager;
    private final MailboxExecutor mailbox;
    private final Consumer<long[]> onReply;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
        Thread made = new Thread(task, "radixflow-loads");
        made.setDaemon(true);
        return made;
    });
    private @Nullable ScheduledFuture<?> timer;
    private boolean isBusy;
    private volatile boolean hasFailed;

    /** @param onReply called on the task thread */
    LoadLine(GlobalAggregateManager jobManager, MailboxExecutor mailbox, Consumer<long[]> onReply) {
        this.jobManager = jobManager;
        this.mailbox = mailbox;
        this.onReply = onReply;
    }

    /** Calls {@code report} on the task thread every so often, while no reply is awaited. */
    void open(ProcessingTimeService timers, Runnable report) {
        timer = timers.scheduleWithFixedDelay(
                time -> {
                    if (!isBusy) {
                        report.run();
                    }
                },
                0,
                INTERVAL_MILLIS);
    }

    void send(long[] report) {
        isBusy = true;
        thread.execute(() -> {
            long[] reply = ask(report);
            try {
                mailbox.execute(() -> take(reply), "take engine loads");
            } catch (RejectedExecutionException e) {
                // The task is ending and reads no mail any more.
            }
        });
    }

    private long @Nullable [] ask(long[] report) {
        try {
            long[] reply = jobManager.updateGlobalAggregate(LoadBoard.NAME, report, new LoadBoard.Exchange());
            hasFailed = false;
            return reply;
        } catch (IOException | RuntimeException e) {
            if (!hasFailed && !thread.isShutdown()) {
                LOG.warn(
                        "The JobManager did not take a load report; requests are routed by what is known: {}",
                        e.toString());
            }
            hasFailed = true;
            return null;
        }
    }

    private void take(long @Nullable [] reply) {
        isBusy = false;
        if (reply != null) {
            onReply.accept(reply);
        }
    }

    @Override
    public void close() {
        if (timer != null) {
            timer.cancel(false);
        }
        thread.shutdownNow();
    }
}
