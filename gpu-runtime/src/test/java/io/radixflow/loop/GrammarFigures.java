package io.radixflow.loop;

import com.sun.management.OperatingSystemMXBean;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.EngineStats;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.engine.JsonStyle;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.engine.StepOutput;
import io.radixflow.testkit.NamedValues;
import io.radixflow.text.TextModel;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Constrained answers against free ones of the same lengths, with jump-forward and without, in turns on the same engines. Prints a table of Markdown:
 * means of tokens and steps over the rounds, medians of the clock's and the process's processor time, and the median of the rounds' ratios to free text.
 *
 * <p>Arguments: requests in a batch, rounds, {@code greedy} or {@code sampled}, the grammars by name or {@code all}, then options of the engine as
 * {@code name=value}.
 */
public final class GrammarFigures {

    private static final double NANOS_PER_SECOND = 1e9;
    private static final double MILLIS = 1e6;
    private static final OperatingSystemMXBean MACHINE =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private static final int MAX_TOKENS = 400;

    private static final String LABEL =
            "{'type':'object','properties':{'category':{'enum':['billing','shipping','account','product','other']},"
                    + "'urgency':{'type':'integer','minimum':1,'maximum':5},'summary':{'type':'string','maxLength':60}},"
                    + "'required':['category','urgency','summary'],'additionalProperties':false}";
    private static final String NESTED =
            "{'type':'object','properties':{'customer':{'type':'object','properties':{'name':{'type':'string','maxLength':20},"
                    + "'email':{'type':'string','pattern':'^[a-z]{1,8}@[a-z]{1,8}\\\\.com$'}},'required':['name','email'],"
                    + "'additionalProperties':false},'items':{'type':'array','minItems':1,'maxItems':4,'items':{'type':'object',"
                    + "'properties':{'sku':{'type':'string','pattern':'^[A-Z]{3}-[0-9]{4}$'},'count':{'type':'integer','minimum':1,"
                    + "'maximum':99}},'required':['sku','count'],'additionalProperties':false}},'refund':{'type':'boolean'}},"
                    + "'required':['customer','items','refund'],'additionalProperties':false}";
    private static final String LONG_KEYS =
            "{'type':'object','properties':{'customer_satisfaction_category':{'enum':['very satisfied','satisfied','dissatisfied']},"
                    + "'requires_follow_up_by_a_human_agent':{'type':'boolean'},'estimated_urgency_from_one_to_five':{'type':'integer',"
                    + "'minimum':1,'maximum':5},'responsible_department_of_the_company':{'enum':['billing department',"
                    + "'shipping department','technical support department']}},'required':['customer_satisfaction_category',"
                    + "'requires_follow_up_by_a_human_agent','estimated_urgency_from_one_to_five',"
                    + "'responsible_department_of_the_company'],'additionalProperties':false}";

    private static final String[] TEXTS = {
        "I was charged twice for my order and nobody answers.",
        "The parcel arrived broken, the lid is cracked. Please send a new one.",
        "How do I change my password? The link in the mail does not work.",
        "Thanks, the replacement works great!",
        "My invoice for March shows the wrong address, and I need it for taxes by Friday.",
    };

    private final int batch;
    private final boolean isGreedy;
    private final int[][] prompts;

    private GrammarFigures(int batch, boolean isGreedy, TextModel text) {
        this.batch = batch;
        this.isGreedy = isGreedy;
        prompts = new int[batch][];
        for (int i = 0; i < batch; i++) {
            prompts[i] = text.tokenizer()
                    .encode("<|im_start|>user\nDescribe support ticket " + i + " as JSON: " + TEXTS[i % TEXTS.length]
                            + "<|im_end|>\n<|im_start|>assistant\n");
        }
    }

    public static void main(String[] args) throws InterruptedException {
        Map<String, String> options = NamedValues.of(Arrays.asList(args).subList(4, args.length));
        EngineConfig jumping = EngineConfig.of(options);
        options.put("disable-jump-forward", "true");
        EngineConfig plain = EngineConfig.of(options);
        try (TextModel text = Engines.loadText(jumping);
                Engine withJumps = Engines.start(jumping);
                Engine without = Engines.start(plain)) {
            System.out.println(withJumps.device().description());
            GrammarFigures figures = new GrammarFigures(Integer.parseInt(args[0]), args[2].equals("greedy"), text);
            System.out.println(
                    "\n| grammar | answers | tokens | steps | ms | processor ms | tok/s | of free text | same text |");
            System.out.println("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
            for (Map.Entry<String, GrammarSpec> one : grammars().entrySet()) {
                if (args[3].equals("all")
                        || Arrays.asList(args[3].split(",", -1)).contains(one.getKey())) {
                    figures.measure(one.getKey(), one.getValue(), withJumps, without, Integer.parseInt(args[1]));
                }
            }
        }
    }

    private static Map<String, GrammarSpec> grammars() {
        Map<String, GrammarSpec> all = new LinkedHashMap<>();
        all.put("label", schema(LABEL, JsonStyle.DEFAULT));
        all.put("nested", schema(NESTED, JsonStyle.DEFAULT));
        all.put("long keys", schema(LONG_KEYS, JsonStyle.DEFAULT));
        all.put("long keys, no space", schema(LONG_KEYS, new JsonStyle("", false)));
        return all;
    }

    private static GrammarSpec schema(String text, JsonStyle style) {
        return new GrammarSpec(Kind.JSON_SCHEMA, text.replace('\'', '"'), true, style, GrammarSpec.Reasoning.NEVER);
    }

    private void measure(String name, GrammarSpec grammar, Engine jumping, Engine plain, int rounds)
            throws InterruptedException {
        List<Run> jumped = new ArrayList<>();
        List<Run> drawn = new ArrayList<>();
        List<Run> free = new ArrayList<>();
        List<Run> freeOfJumped = new ArrayList<>();
        for (int round = -1; round < rounds; round++) {
            Run withJumps = run(jumping, grammar, null, round);
            Run without = run(plain, grammar, null, round);
            Run sameLens = run(plain, null, without.lens, round);
            Run jumpedLens = run(plain, null, withJumps.lens, round);
            if (round >= 0) { // one to warm up
                jumped.add(withJumps);
                drawn.add(without);
                free.add(sameLens);
                freeOfJumped.add(jumpedLens);
            }
        }
        show(name + ", each drawn", drawn, free, "");
        int same = 0;
        for (int i = 0; i < batch; i++) { // of the first round
            same += jumped.get(0).text(i).equals(drawn.get(0).text(i)) ? 1 : 0;
        }
        show(name + ", jump-forward", jumped, freeOfJumped, same + " of " + batch);
        show(name + ", free text of the same lengths", free, free, "");
    }

    private void show(String name, List<Run> runs, List<Run> compared, String note) {
        double[] nanos = new double[runs.size()];
        double[] processorNanos = new double[runs.size()];
        double[] rate = new double[runs.size()];
        double[] ratio = new double[runs.size()];
        for (int i = 0; i < nanos.length; i++) {
            nanos[i] = runs.get(i).nanos;
            rate[i] = runs.get(i).numTokens() / (nanos[i] / NANOS_PER_SECOND);
            processorNanos[i] = runs.get(i).processorNanos;
            ratio[i] =
                    compared.get(i).nanos / (double) runs.get(i).nanos; // of equal numbers of tokens, in the same turn
        }
        double tokens = runs.stream().mapToInt(Run::numTokens).average().orElseThrow();
        double steps = runs.stream().mapToLong(run -> run.numSteps).average().orElseThrow();
        System.out.printf(
                "| %s | %d | %,.0f | %,.0f | %,.1f | %,.0f | %,.0f | %.1f %% | %s |%n",
                name,
                batch,
                tokens,
                steps,
                median(nanos) / MILLIS,
                median(processorNanos) / MILLIS,
                median(rate),
                100 * median(ratio),
                note);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** All requests at once on an empty cache, with a grammar or of given lengths; sampled ones get other seeds each round. */
    private Run run(Engine engine, @Nullable GrammarSpec grammar, int @Nullable [] lens, int round)
            throws InterruptedException {
        if (!engine.flushCache()) {
            throw new IllegalStateException("the engine is busy");
        }
        Run run = new Run(batch);
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            SamplingParamsBuilder params = SamplingParams.builder()
                    .temperature(isGreedy ? 0 : 1)
                    .seed(round * batch + i)
                    .maxTokens(lens == null ? MAX_TOKENS : lens[i]);
            if (lens == null) {
                params.grammar(grammar);
            } else {
                params.ignoreEos(true);
            }
            requests.add(new GenerationRequest(i, prompts[i], params.build()));
        }
        EngineStats before = engine.stats();
        try (EngineSession session = engine.open(run)) {
            long start = System.nanoTime();
            long processorStart = MACHINE.getProcessCpuTime();
            session.submitAll(requests);
            run.done.await();
            run.nanos = System.nanoTime() - start;
            run.processorNanos = MACHINE.getProcessCpuTime() - processorStart;
        }
        run.numSteps = engine.stats().numSteps() - before.numSteps();
        return run;
    }

    /** What came out of a batch. */
    private static final class Run implements GenerationListener {

        final CountDownLatch done;
        final int[] lens;
        private final ByteArrayOutputStream[] texts;
        long nanos;
        long processorNanos;
        long numSteps;

        Run(int batch) {
            done = new CountDownLatch(batch);
            lens = new int[batch];
            texts = new ByteArrayOutputStream[batch];
            Arrays.setAll(texts, i -> new ByteArrayOutputStream());
        }

        int numTokens() {
            return Arrays.stream(lens).sum();
        }

        String text(int i) {
            return texts[i].toString(StandardCharsets.UTF_8);
        }

        @Override
        public void onStep(StepOutput output) {
            for (int entry = 0; entry < output.numEntries(); entry++) {
                int id = (int) output.requestId(entry);
                lens[id] += output.tokenId(entry) == StepOutput.NO_TOKEN ? 0 : 1;
                texts[id].write(
                        output.textBytes(), output.textStart(entry), output.textEnd(entry) - output.textStart(entry));
                FinishReason reason = output.finishReason(entry);
                if (reason == FinishReason.ERROR) {
                    throw new IllegalStateException(String.valueOf(output.error(entry)));
                } else if (reason != null) {
                    done.countDown();
                }
            }
            output.release();
        }

        @Override
        public void onFailure(EngineException cause, long[] inStep) {
            throw new IllegalStateException(cause);
        }
    }
}
