package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineLimits;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.schemas.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.core.io.SimpleVersionedSerialization;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers requests with an engine of its own, which it replaces when it fails. In-flight requests and the tokens they have so far are operator state, so a
 * restart goes on at the next token and a rescale spreads them over the new subtasks.
 *
 * <p>All but the engine runs on the task thread. A checkpoint can't start while {@link #processElement} waits, so a record is
 * held back only for a moment when the engine is full; it is then taken in as waiting, until the limits of
 * {@link AdmissionLimits} are reached. Needs an input edge that unaligned checkpoints work on: keyBy or rebalance.
 */
final class InferenceOperator extends AbstractStreamOperator<ResultRecord>
        implements OneInputStreamOperator<RoutedRequest, ResultRecord>, BoundedOneInput {

    private static final long serialVersionUID = 1L;
    private static final Logger LOGGER = LoggerFactory.getLogger(InferenceOperator.class);
    private static final long POLL_NANOS = 500_000;
    /** The external resource in Flink's configuration, and the one property that its driver gives. */
    private static final String GPU_RESOURCE = "gpu";

    private static final String GPU_INDEX = "index";

    private final transient EngineProvider engines;
    private final transient PipelineOptions options;
    private final transient MailboxExecutor mailbox;
    private final transient InFlightRequestSerializer serializer = new InFlightRequestSerializer();
    private final transient List<InFlightRequest> restored = new ArrayList<>();

    private transient @Nullable ListState<byte[]> state;
    private transient @Nullable Running running;
    private transient @Nullable LoadLine line;

    /** What {@link #open} makes. */
    private record Running(
            EngineRunner runner, AnswerSink sink, WaitingLoad waiting, WatermarkGate watermarks, EngineLoad load) {}

    InferenceOperator(
            StreamOperatorParameters<ResultRecord> parameters, EngineProvider engines, PipelineOptions options) {
        super(parameters);
        this.engines = engines;
        this.options = options;
        this.mailbox = parameters.getMailboxExecutor();
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        ListState<byte[]> opened = context.getOperatorStateStore()
                .getListState(new ListStateDescriptor<>("in-flight-requests", BytePrimitiveArraySerializer.INSTANCE));
        state = opened;
        if (context.isRestored()) {
            for (byte[] bytes : opened.get()) {
                restored.add(SimpleVersionedSerialization.readVersionAndDeSerialize(serializer, bytes));
            }
        }
    }

    @Override
    public void open() throws Exception {
        super.open();
        List<Integer> gpus = gpus();
        Engine engine = engines.startEngine(gpus);
        EngineFigures figures = new EngineFigures();
        EngineMetrics metrics = new EngineMetrics(getMetricGroup(), engine.device(), figures::stats);
        WatermarkGate watermarks = new WatermarkGate(output);
        AnswerSink sink = new GatedSink(
                new AnswerEmitter(output, options, new AnswerBuilder(engines::loadText), metrics), watermarks);
        WaitingLoad waiting =
                new WaitingLoad(options.admission(), engine.limits().maxRunningRequests());
        Duration timeout = options.requestTimeout();
        long timeoutNanos = timeout == null ? GenerationRequest.NO_DEADLINE : timeout.toNanos();
        EngineRunner.Context context = new EngineRunner.Context(
                mailbox, sink, metrics, figures, timeoutNanos, options.rebuilds(), System::nanoTime);
        EngineRunner runner = new EngineRunner(engine, () -> engines.startEngine(gpus), waiting, context);
        EngineLoad load = new EngineLoad(getRuntimeContext().getTaskInfo().getIndexOfThisSubtask());
        running = new Running(runner, sink, waiting, watermarks, load);
        resume(runner, watermarks);
        if (options.parallelism() > 1) {
            LoadLine opened = new LoadLine(getRuntimeContext().getGlobalAggregateManager(), mailbox, reply -> {});
            line = opened;
            opened.open(getProcessingTimeService(), () -> load.report(runner.inFlight(), opened));
        }
    }

    /** Indexes of the task manager's GPUs: Flink gives a subtask all of them, so that each must claim one. */
    private List<Integer> gpus() {
        List<Integer> indexes = new ArrayList<>();
        for (ExternalResourceInfo gpu : getRuntimeContext().getExternalResourceInfos(GPU_RESOURCE)) {
            gpu.getProperty(GPU_INDEX).ifPresent(index -> indexes.add(Integer.valueOf(index)));
        }
        Collections.sort(indexes);
        return indexes;
    }

    private void resume(EngineRunner runner, WatermarkGate watermarks) {
        long numTokens = 0;
        for (InFlightRequest request : restored) {
            numTokens += request.outputLen();
            request.resume(System.nanoTime());
            request.watermarkEpoch(watermarks.enter());
        }
        runner.resume(restored);
        if (!restored.isEmpty()) {
            LOGGER.info("Restored {} requests in flight with {} generated tokens", restored.size(), numTokens);
        }
        restored.clear();
    }

    @Override
    public void processElement(StreamRecord<RoutedRequest> element) throws Exception {
        Running open = running();
        PreparedRequest request = element.getValue().request();
        open.load.onReceived(element.getValue());
        awaitRoom(open.waiting);
        EngineLimits limits = open.runner.limits();
        int room = limits.maxSequenceLen() - request.promptIds().length;
        int maxTokens = request.sampling().maxTokens();
        boolean isOpenEnded = request.isMaxTokensOpen();
        int needed = isOpenEnded ? Math.max(1, request.sampling().minTokens()) : maxTokens;
        boolean isLowered = isOpenEnded && needed <= room && maxTokens > room;
        InFlightRequest inFlight =
                new InFlightRequest(isLowered ? request.withMaxTokens(room) : request, System.nanoTime());
        inFlight.newTokens(element.getValue().newTokens());
        inFlight.watermarkEpoch(open.watermarks.enter());
        if (needed <= room) {
            open.runner.submit(inFlight);
        } else {
            open.sink.onRefusal(
                    inFlight,
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "the prompt has " + request.promptIds().length + " tokens and asks for " + needed
                            + ", the engine holds " + limits.maxSequenceLen()
                            + " tokens of one sequence; lower max_tokens or raise --max-total-tokens");
        }
    }

    private void awaitRoom(WaitingLoad waiting) throws InterruptedException {
        long deadline = System.nanoTime() + waiting.holdNanos();
        while (!waiting.hasRoom()) {
            if (waiting.isOverLimit()) {
                mailbox.yield();
            } else if (System.nanoTime() >= deadline) {
                return;
            } else if (!mailbox.tryYield()) {
                LockSupport.parkNanos(POLL_NANOS);
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedException("cancelled while a record waited for room");
                }
            }
        }
    }

    @Override
    public void processWatermark(Watermark mark) {
        running().watermarks.onWatermark(mark);
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) {
        running().watermarks.onStatus(status);
    }

    @Override
    public void endInput() throws InterruptedException {
        EngineRunner runner = running().runner;
        while (!runner.inFlight().isEmpty()) {
            mailbox.yield();
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        ListState<byte[]> opened = state;
        if (opened == null) {
            throw new IllegalStateException("snapshotState before initializeState");
        }
        long now = System.nanoTime();
        List<byte[]> elements = new ArrayList<>();
        for (InFlightRequest request : running().runner.inFlight()) {
            request.markElapsed(now);
            elements.add(SimpleVersionedSerialization.writeVersionAndSerialize(serializer, request));
        }
        opened.update(elements);
    }

    @Override
    public void close() throws Exception {
        if (line != null) {
            line.close();
        }
        Running open = running;
        running = null;
        if (open != null) {
            open.runner.close();
        }
        super.close();
    }

    private Running running() {
        if (running == null) {
            throw new IllegalStateException("the operator is not open");
        }
        return running;
    }

    /** Lets watermarks go on when the requests before them have ended. */
    private record GatedSink(AnswerSink sink, WatermarkGate watermarks) implements AnswerSink {

        @Override
        public void onProgress(InFlightChoice choice) {
            sink.onProgress(choice);
        }

        @Override
        public void onEnd(InFlightChoice choice) {
            sink.onEnd(choice);
        }

        @Override
        public void onFinish(InFlightRequest request) {
            sink.onFinish(request);
            watermarks.leave(request.watermarkEpoch());
        }

        @Override
        public void onRefusal(InFlightRequest request, ErrorCode code, String message) {
            sink.onRefusal(request, code, message);
            watermarks.leave(request.watermarkEpoch());
        }
    }
}
