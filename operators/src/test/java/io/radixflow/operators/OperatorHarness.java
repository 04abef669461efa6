package io.radixflow.operators;

import io.radixflow.schemas.DeadLetter;
import io.radixflow.testkit.FakeEngine;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.runtime.tasks.mailbox.TaskMailbox;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;
import org.jspecify.annotations.Nullable;

/** One inference subtask in Flink's test harness; with {@link FakeEngines} it steps on command. */
final class OperatorHarness implements AutoCloseable {

    private final OneInputStreamOperatorTestHarness<RoutedRequest, ResultRecord> harness;

    OperatorHarness(EngineProvider engines, PipelineOptions options, @Nullable OperatorSubtaskState state)
            throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(
                new InferenceOperatorFactory(engines, options), EngineKeys.MAX_PARALLELISM, 1, 0);
        harness.setup(new ResultRecordSerializer());
        if (state != null) {
            harness.initializeState(state);
        }
        harness.open();
    }

    void process(PreparedRequest request) throws Exception {
        harness.processElement(
                new RoutedRequest(request, 0, request.promptIds().length),
                request.source().timestamp());
    }

    /** So many steps, each followed by the mails it sent. */
    void step(int numSteps) throws Exception {
        for (int i = 0; i < numSteps; i++) {
            engine().step();
            runMails(harness.getTaskMailbox());
        }
    }

    void stepUntilIdle() throws Exception {
        do {
            step(1);
        } while (engine().numUnfinished() > 0);
    }

    /** Steps whatever engine there is until so many records have an answer or a dead letter. */
    void stepUntilAnswered(int numRecords) throws Exception {
        while (harness.extractOutputValues().size() + deadLetters().size() < numRecords) {
            step(1);
        }
    }

    /** Waits until the operator has so many engines in all, the newest in use. */
    void awaitEngines(int numEngines) throws Exception {
        while (FakeEngines.started().size() < numEngines || !engine().isInUse()) {
            runMails(harness.getTaskMailbox());
            Thread.onSpinWait();
        }
    }

    static void runMails(TaskMailbox mailbox) throws Exception {
        for (Optional<Mail> mail = mailbox.tryTake(TaskMailbox.MIN_PRIORITY);
                mail.isPresent();
                mail = mailbox.tryTake(TaskMailbox.MIN_PRIORITY)) {
            mail.get().run();
        }
    }

    OperatorSubtaskState snapshot(long checkpointId) throws Exception {
        return harness.snapshot(checkpointId, checkpointId);
    }

    /** The newest one: an operator replaces an engine that fails. */
    FakeEngine engine() {
        return FakeEngines.latest();
    }

    OneInputStreamOperatorTestHarness<RoutedRequest, ResultRecord> flink() {
        return harness;
    }

    List<String> completions() {
        List<String> values = new ArrayList<>();
        for (ResultRecord result : harness.extractOutputValues()) {
            values.add(new String(result.value(), StandardCharsets.UTF_8));
        }
        return values;
    }

    List<String> deltas() {
        List<String> values = new ArrayList<>();
        for (ResultRecord result : side(SideOutputs.DELTAS)) {
            values.add(new String(result.value(), StandardCharsets.UTF_8));
        }
        return values;
    }

    List<DeadLetter> deadLetters() {
        return side(SideOutputs.DEAD_LETTERS);
    }

    private <T> List<T> side(OutputTag<T> tag) {
        List<T> values = new ArrayList<>();
        var records = harness.getSideOutput(tag);
        if (records != null) {
            records.forEach(element -> values.add(element.getValue()));
        }
        return values;
    }

    @Override
    public void close() {
        try {
            harness.close();
        } catch (Exception e) {
            throw new IllegalStateException("the operator did not close", e);
        }
    }
}
