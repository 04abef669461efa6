package io.radixflow.operators;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ScheduledFuture;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.api.common.typeutils.base.array.LongPrimitiveArraySerializer;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.operators.StreamingRuntimeContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.jspecify.annotations.Nullable;

/**
 * Sorts the requests of a short window by their tokens, so that shared prefixes arrive at an engine one after another, and
 * gives each its routing key.
 *
 * <p>A window closes when it is full, when its time is up, or at the end of the input. A closed window leaves one record at a
 * time: one for each record that comes in, the rest by mails, so that a checkpoint barrier never waits for a whole window to
 * pass a full engine. Both the open and the leaving window are in the state, and the prefixes that the router has seen. A watermark leaves
 * after all records that came before it. Where there are several engines, the router hears of their loads a few times a second.
 */
final class PrefixGrouping extends AbstractStreamOperator<RoutedRequest>
        implements OneInputStreamOperator<PreparedRequest, RoutedRequest>, BoundedOneInput {

    private static final long serialVersionUID = 1L;

    /** Lexicographic by tokens, so a prefix comes before what goes on from it; salts apart, since they share nothing. */
    static final Comparator<PreparedRequest> RADIX_ORDER = Comparator.comparing(
                    PreparedRequest::cacheSalt, Comparator.nullsFirst(Comparator.naturalOrder()))
            .thenComparing(PreparedRequest::promptIds, Arrays::compare);

    private final transient MailboxExecutor mailbox;
    private final transient SeenPrefixes prefixes = new SeenPrefixes();
    private final transient RouterLoads loads;
    private final transient PrefixRouter router;
    private final int maxRecords;
    private final long windowMillis;

    private final transient List<PreparedRequest> window = new ArrayList<>();
    private final transient Queue<PreparedRequest> leaving = new ArrayDeque<>();
    private transient boolean isWindowDue;
    private transient boolean isMailQueued;
    private transient @Nullable ScheduledFuture<?> timer;
    private transient @Nullable Watermark windowWatermark;
    private transient @Nullable Watermark leavingWatermark;
    private transient boolean isIdleHeld;
    private transient @Nullable State state;
    private transient @Nullable LoadLine line;

    /** What {@link #initializeState} opens. */
    private record State(ListState<PreparedRequest> window, ListState<long[]> prefixes) {}

    PrefixGrouping(StreamOperatorParameters<RoutedRequest> parameters, PipelineOptions options) {
        super(parameters);
        this.mailbox = parameters.getMailboxExecutor();
        loads = new RouterLoads(UUID.randomUUID().getMostSignificantBits(), options.parallelism());
        router = new PrefixRouter(EngineKeys.forParallelism(options.parallelism()), loads, prefixes);
        this.maxRecords = options.prefixWindowRecords();
        this.windowMillis = options.prefixWindow().toMillis();
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        OperatorStateStore store = context.getOperatorStateStore();
        State opened = new State(
                store.getListState(new ListStateDescriptor<>("prefix-window", new PreparedRequestSerializer())),
                store.getListState(new ListStateDescriptor<>("seen-prefixes", LongPrimitiveArraySerializer.INSTANCE)));
        state = opened;
        if (context.isRestored()) {
            for (PreparedRequest request : opened.window.get()) {
                window.add(request);
            }
            for (long[] seen : opened.prefixes.get()) {
                prefixes.restore(seen);
            }
        }
    }

    @Override
    public void open() throws Exception {
        super.open();
        if (!window.isEmpty()) {
            startTimer();
        }
        if (loads.numEngines() > 1) {
            StreamingRuntimeContext context = getRuntimeContext();
            LoadLine opened = new LoadLine(context.getGlobalAggregateManager(), mailbox, loads::onReply);
            line = opened;
            opened.open(getProcessingTimeService(), () -> report(opened));
        }
    }

    private void report(LoadLine opened) {
        if (loads.mayHaveChanged()) {
            TaskInfo task = getRuntimeContext().getTaskInfo();
            opened.send(loads.report(task.getIndexOfThisSubtask(), task.getNumberOfParallelSubtasks()));
        }
    }

    @Override
    public void processElement(StreamRecord<PreparedRequest> element) {
        if (maxRecords == 1 || windowMillis == 0) {
            emit(element.getValue());
            return;
        }
        // One out for one in: the leaving window is empty before the next one is full, and nobody blocks for long.
        emitNext();
        window.add(element.getValue());
        if (window.size() >= maxRecords) {
            isWindowDue = true;
            closeWindowIfDue();
        } else {
            startTimer();
        }
    }

    private void startTimer() {
        if (timer == null) {
            long now = getProcessingTimeService().getCurrentProcessingTime();
            timer = getProcessingTimeService().registerTimer(now + windowMillis, time -> {
                timer = null;
                isWindowDue = !window.isEmpty();
                closeWindowIfDue();
            });
        }
    }

    private void closeWindowIfDue() {
        if (!isWindowDue || !leaving.isEmpty()) {
            return;
        }
        isWindowDue = false;
        window.sort(RADIX_ORDER);
        leaving.addAll(window);
        window.clear();
        leavingWatermark = windowWatermark;
        windowWatermark = null;
        queueMail();
    }

    private void queueMail() {
        if (!isMailQueued) {
            isMailQueued = true;
            mailbox.execute(
                    () -> {
                        isMailQueued = false;
                        emitNext();
                        if (!leaving.isEmpty()) {
                            queueMail();
                        }
                    },
                    "emit a record of the prefix window");
        }
    }

    private void emitNext() {
        PreparedRequest next = leaving.poll();
        if (next == null) {
            return;
        }
        emit(next);
        if (leaving.isEmpty()) {
            if (leavingWatermark != null) {
                output.emitWatermark(leavingWatermark);
                leavingWatermark = null;
            }
            if (isIdleHeld && windowWatermark == null) {
                isIdleHeld = false;
                output.emitWatermarkStatus(WatermarkStatus.IDLE);
            }
            closeWindowIfDue();
        }
    }

    private void emit(PreparedRequest request) {
        RoutedRequest routed = router.route(request);
        long timestamp = request.source().timestamp();
        output.collect(
                timestamp == SourceRecord.NO_TIMESTAMP
                        ? new StreamRecord<>(routed)
                        : new StreamRecord<>(routed, timestamp));
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        if (!window.isEmpty()) {
            windowWatermark = mark;
        } else if (!leaving.isEmpty()) {
            leavingWatermark = mark;
        } else {
            super.processWatermark(mark);
        }
    }

    /** Nobody listens to an idle input's watermarks, so that one waits for those that are held back. */
    @Override
    public void processWatermarkStatus(WatermarkStatus status) throws Exception {
        boolean isHeld = windowWatermark != null || leavingWatermark != null;
        if (status.isIdle() && isHeld) {
            isIdleHeld = true;
        } else if (status.isActive() && isIdleHeld) {
            isIdleHeld = false; // nobody has heard of it
        } else {
            super.processWatermarkStatus(status);
        }
    }

    @Override
    public void endInput() {
        while (!leaving.isEmpty() || !window.isEmpty()) {
            isWindowDue = true;
            closeWindowIfDue();
            emitNext();
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        List<PreparedRequest> all = new ArrayList<>(leaving);
        all.addAll(window);
        State opened = state;
        if (opened == null) {
            throw new IllegalStateException("snapshotState before initializeState");
        }
        opened.window.update(all);
        opened.prefixes.update(loads.numEngines() > 1 ? List.of(prefixes.toState()) : List.of());
    }

    @Override
    public void close() throws Exception {
        if (line != null) {
            line.close();
        }
        super.close();
    }
}
