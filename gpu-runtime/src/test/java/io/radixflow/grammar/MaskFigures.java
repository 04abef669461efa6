package io.radixflow.grammar;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.text.HfTokenizer;
import io.radixflow.text.TokenBytes;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * Times of masks with Qwen3's real vocabulary over the schemas of {@link PracticeSchemas}: for each one how long it takes from its text to the first
 * mask, and for each mask of random walks. Both by the clock and as processor time of the thread, which other programs on the machine disturb less.
 * Prints tables of Markdown; CONTRIBUTING says how to run it.
 */
public final class MaskFigures {

    private static final int WALKS = 20;
    private static final double LONG_MICROS = 30_000;
    private static final int MAX_TOKENS = 300;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final TokenBytes tokens;
    private final TokenTrie trie;
    private final int end;
    private final Timings compiles = new Timings();
    private final Timings firsts = new Timings(); // from text to mask
    private final Timings masks = new Timings();
    private final Timings builtMasks = new Timings();

    private MaskFigures(TokenBytes tokens, TokenTrie trie) {
        this.tokens = tokens;
        this.trie = trie;
        end = tokens.vocabSize() - 1;
    }

    public static void main(String[] args) throws IOException {
        Path file = Path.of(args[0], "qwen3-tokenizer", "tokenizer.json");
        TokenBytes tokens;
        try (HfTokenizer tokenizer = HfTokenizer.fromTokenizerJson(file)) {
            tokens = tokenizer.tokenBytes();
        }
        Stopwatch watch = new Stopwatch();
        TokenTrie trie = new TokenTrie(tokens);
        System.out.printf(
                "%d tokens, trie of %d nodes in %,d us%n",
                tokens.vocabSize(), trie.numNodes(), watch.wallNanos() / 1000);
        MaskFigures cold = new MaskFigures(tokens, trie);
        cold.run(false);
        cold.summarise("first round of a new JVM");
        new MaskFigures(tokens, trie).run(false);
        MaskFigures warm = new MaskFigures(tokens, trie);
        long pauses = collectorMillis();
        warm.run(true);
        pauses = collectorMillis() - pauses;
        warm.summarise("third round");
        System.out.printf(
                "%nMasks of more than 30 ms: %d by the processor's time, %d by the clock, which has the collector's pauses in it, %d ms in all.%n",
                warm.masks.numAbove(LONG_MICROS, true), warm.masks.numAbove(LONG_MICROS, false), pauses);
    }

    private static long collectorMillis() {
        long millis = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            millis += collector.getCollectionTime();
        }
        return millis;
    }

    private void run(boolean isShown) {
        Stopwatch watch = new Stopwatch();
        MaskBuilder builder = new MaskBuilder(tokens, trie, new int[] {end});
        builder.prepare();
        if (isShown) {
            System.out.printf("mask builder in %,d us%n%n", watch.wallNanos() / 1000);
            System.out.println("Microseconds of processor time; masks that were not known before.\n");
            System.out.println("| grammar | compile | to first mask | masks | built | p50 | p99 | max |");
            System.out.println("| --- | --- | --- | --- | --- | --- | --- | --- |");
        }
        for (Map.Entry<String, GrammarSpec> one : grammars().entrySet()) {
            measure(builder, one.getKey(), one.getValue(), isShown);
        }
    }

    private void summarise(String round) {
        System.out.printf("%n| all grammars, %s | p50 | p90 | p99 | max | number |%n", round);
        System.out.println("| --- | --- | --- | --- | --- | --- |");
        show("compile", compiles);
        show("text to first mask", firsts);
        show("each mask", masks);
        show("each mask that was not known", builtMasks);
    }

    private void measure(MaskBuilder builder, String name, GrammarSpec spec, boolean isShown) {
        Stopwatch watch = new Stopwatch();
        CompiledGrammar grammar = GrammarCompiler.compile(spec);
        compiles.add(watch);
        builder.mask(builder.start(grammar));
        firsts.add(watch);
        Timings all = new Timings();
        Timings built = new Timings();
        for (int walk = 0; walk < WALKS; walk++) {
            walk(builder, grammar, new Random(walk), all, built);
        }
        masks.addAll(all);
        builtMasks.addAll(built);
        if (isShown) {
            System.out.printf(
                    "| %s | %,.0f | %,.0f | %,d | %,d | %.1f | %,.0f | %,.0f |%n",
                    name,
                    compiles.lastCpuMicros(),
                    firsts.lastCpuMicros(),
                    all.size(),
                    built.size(),
                    built.cpuMicros(0.5),
                    built.cpuMicros(0.99),
                    built.cpuMicros(1));
        }
    }

    private static void show(String name, Timings timings) {
        for (boolean isCpu : new boolean[] {true, false}) {
            System.out.printf(
                    "| %s, %s | %,.1f | %,.1f | %,.1f | %,.0f | %,d |%n",
                    name,
                    isCpu ? "processor" : "clock",
                    timings.micros(0.5, isCpu),
                    timings.micros(0.9, isCpu),
                    timings.micros(0.99, isCpu),
                    timings.micros(1, isCpu),
                    timings.size());
        }
    }

    private void walk(MaskBuilder builder, CompiledGrammar grammar, Random random, Timings all, Timings built) {
        MatchState state = builder.start(grammar);
        for (int i = 0; i < MAX_TOKENS && !state.isFinal(); i++) {
            boolean isNew = state.mask == null;
            Stopwatch watch = new Stopwatch();
            long[] mask = builder.mask(state);
            all.add(watch);
            if (isNew) {
                built.addLastOf(all);
            }
            int token = pick(mask, random);
            if (token == end) {
                return;
            }
            MatchState next = builder.accept(state, token);
            if (next == null) {
                throw new AssertionError("a token of the mask is not accepted");
            }
            state = next;
        }
    }

    /** An allowed token; of many the shorter ids, which are the common ones, more often. */
    private static int pick(long[] mask, Random random) {
        int num = 0;
        for (long word : mask) {
            num += Long.bitCount(word);
        }
        int skip = (int) (num * Math.pow(random.nextDouble(), 3));
        for (int i = 0; i < mask.length; i++) {
            int bits = Long.bitCount(mask[i]);
            if (skip < bits) {
                long word = mask[i];
                for (; skip > 0; skip--) {
                    word &= word - 1;
                }
                return i * 64 + Long.numberOfTrailingZeros(word);
            }
            skip -= bits;
        }
        throw new AssertionError("an empty mask");
    }

    private static Map<String, GrammarSpec> grammars() {
        Map<String, GrammarSpec> all = new LinkedHashMap<>();
        PracticeSchemas.all().forEach((name, json) -> all.put(name, GrammarSpec.of(Kind.JSON_SCHEMA, json)));
        all.put("json_object", GrammarSpec.of(Kind.JSON_OBJECT, ""));
        all.put("regex with {10,200}", GrammarSpec.of(Kind.REGEX, "(Yes|No), because [a-zA-Z ,]{10,200}\\."));
        all.put(
                "EBNF arithmetic",
                GrammarSpec.of(
                        Kind.EBNF, "root ::= expr\nexpr ::= term ([-+*/] term)*\nterm ::= [0-9]+ | \"(\" expr \")\""));
        return all;
    }

    /** Both clocks since it was made. */
    private static final class Stopwatch {

        private final long wallStart = System.nanoTime();
        private final long cpuStart = THREADS.getCurrentThreadCpuTime();

        long cpuNanos() {
            return THREADS.getCurrentThreadCpuTime() - cpuStart;
        }

        long wallNanos() {
            return System.nanoTime() - wallStart;
        }
    }

    /** Durations by both clocks, in the order of their making. */
    private static final class Timings {

        private static final double MICROS = 1e3;

        private final IntList cpu = new IntList(); // nanoseconds
        private final IntList wall = new IntList();

        void add(Stopwatch watch) {
            cpu.add((int) watch.cpuNanos());
            wall.add((int) watch.wallNanos());
        }

        void addLastOf(Timings other) {
            cpu.add(other.cpu.get(other.size() - 1));
            wall.add(other.wall.get(other.size() - 1));
        }

        void addAll(Timings other) {
            for (int i = 0; i < other.size(); i++) {
                cpu.add(other.cpu.get(i));
                wall.add(other.wall.get(i));
            }
        }

        int size() {
            return cpu.size();
        }

        double lastCpuMicros() {
            return cpu.get(size() - 1) / MICROS;
        }

        double cpuMicros(double share) {
            return micros(share, true);
        }

        int numAbove(double micros, boolean isCpu) {
            int num = 0;
            for (int i = 0; i < size(); i++) {
                num += (isCpu ? cpu : wall).get(i) / MICROS > micros ? 1 : 0;
            }
            return num;
        }

        /** The quantile; 1 is the largest. */
        double micros(double share, boolean isCpu) {
            int[] sorted = (isCpu ? cpu : wall).toArray();
            Arrays.sort(sorted);
            return sorted[Math.min(sorted.length - 1, (int) (sorted.length * share))] / MICROS;
        }
    }
}
