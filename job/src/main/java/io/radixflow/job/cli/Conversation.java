package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.StepOutput;
import io.radixflow.job.UserException;
import io.radixflow.text.TextModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/** Messages so far and the engine that answers them; each answer is written as its tokens come. One thread uses it. */
final class Conversation {

    private final Engine engine;
    private final TextModel text;
    private final Setting setting;
    private final PrintStream out;
    private final List<Map<String, String>> messages = new ArrayList<>();
    private long numRequests;

    /**
     * What stays the same in all of a conversation.
     *
     * @param system the system message, or null
     * @param tools that the model is told of, or null
     * @param isRaw whether prompts go to the model as they are, without the chat template
     */
    record Setting(@Nullable String system, @Nullable List<@Nullable Object> tools, boolean isRaw) {}

    Conversation(Engine engine, TextModel text, Setting setting, PrintStream out) {
        this.engine = engine;
        this.text = text;
        this.setting = setting;
        this.out = out;
        reset();
    }

    /** Forgets all but the system message. */
    void reset() {
        messages.clear();
        if (setting.system() != null) {
            messages.add(Map.of("role", "system", "content", setting.system()));
        }
    }

    int numMessages() {
        return messages.size();
    }

    /** Writes the answer and returns one line about it. */
    String answer(String message, SamplingParams sampling) throws InterruptedException {
        messages.add(Map.of("role", "user", "content", message));
        int[] promptIds = text.tokenizer().encode(setting.isRaw() ? message : render());
        int room = engine.limits().maxSequenceLen() - promptIds.length;
        if (promptIds.length == 0 || room < 1) {
            throw new UserException("the prompt has " + promptIds.length + " tokens, the model takes from 1 to "
                    + (engine.limits().maxSequenceLen() - 1) + " (--context-length, --max-total-tokens)");
        }
        SamplingParams fitting = sampling.toBuilder()
                .maxTokens(Math.min(room, sampling.maxTokens()))
                .build();
        long start = System.nanoTime();
        Answer answer = new Answer();
        try (EngineSession session = engine.open(answer)) {
            session.submit(new GenerationRequest(numRequests++, promptIds, fitting));
            answer.writeTo(out);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        messages.add(Map.of("role", "assistant", "content", answer.text.toString(UTF_8)));
        return String.format(
                "[%s%d prompt tokens, %d from the prefix cache; %d generated in %.1f s, %.1f tok/s; %s]",
                engine.device().isSimulated() ? "simulated: " : "",
                promptIds.length,
                answer.cachedLen,
                answer.numTokens,
                seconds,
                answer.numTokens / seconds,
                answer.reason == FinishReason.LENGTH ? "cut at --max-tokens " + fitting.maxTokens() : "complete");
    }

    private String render() {
        if (text.chatTemplate() == null) {
            throw new UserException("the model has no chat template; give one with --chat-template, or take --raw");
        }
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        variables.put("messages", messages);
        variables.put("tools", setting.tools());
        variables.put("add_generation_prompt", true);
        variables.put("bos_token", text.bosToken());
        variables.put("eos_token", text.eosToken());
        return text.chatTemplate().render(variables);
    }

    /** Takes the engine's steps on its thread and hands them to the one that waits in {@link #writeTo}. */
    private static final class Answer implements GenerationListener {

        private final BlockingQueue<Object> steps = new LinkedBlockingQueue<>();
        private final ByteArrayOutputStream text = new ByteArrayOutputStream();
        private int numTokens;
        private int cachedLen;
        private @Nullable FinishReason reason;

        @Override
        public void onStep(StepOutput output) {
            steps.add(output);
        }

        @Override
        public void onFailure(EngineException cause, long[] inStep) {
            steps.add(cause);
        }

        void writeTo(PrintStream out) throws InterruptedException {
            while (reason == null) {
                Object step = steps.take();
                if (step instanceof EngineException failure) {
                    throw failure;
                }
                StepOutput output = (StepOutput) step;
                for (int i = 0; i < output.numEntries(); i++) {
                    int length = output.textEnd(i) - output.textStart(i);
                    out.write(output.textBytes(), output.textStart(i), length);
                    text.write(output.textBytes(), output.textStart(i), length);
                    numTokens += output.tokenId(i) == StepOutput.NO_TOKEN ? 0 : 1;
                    cachedLen = output.cachedLen(i);
                    reason = output.finishReason(i);
                }
                output.release();
                out.flush();
            }
        }
    }
}
