package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.text.TokenBytes;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Hostile grammars are refused, or compile and have masks, in bounded time and memory. */
class HostileGrammarTest {

    /** Far above what any takes, so that a busy machine fails nothing; a lack of bounds takes for ever. */
    private static final Duration LONGEST = Duration.ofSeconds(60);

    /** In the course of it, most of it garbage at once. */
    private static final long MOST_BYTES = 4L << 30;

    private static final Map<String, GrammarSpec> GRAMMARS = HostileGrammars.all();
    private static final int WALK_LEN = 30;
    private static final TokenBytes TOKENS = Vocabularies.random(
            new Random(3), new String[] {"\"", "a", "b", "x", "(", "{", "}", "[", "]", ",", ":", "0", "1", "<"}, 300);
    private static final TokenTrie TRIE = new TokenTrie(TOKENS);
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    static Stream<String> names() {
        return GRAMMARS.keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void endsInBoundedTimeAndMemory(String name) {
        GrammarSpec spec = Objects.requireNonNull(GRAMMARS.get(name));
        Assertions.assertTimeoutPreemptively(LONGEST, () -> {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            try {
                walk(GrammarCompiler.compile(spec));
            } catch (GrammarException e) {
                assertThat(e).message().hasSizeLessThan(400);
            }
            assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(MOST_BYTES);
        });
    }

    /** Masks along a random text, and their number. */
    private static int walk(CompiledGrammar grammar) {
        MaskBuilder masks = new MaskBuilder(TOKENS, TRIE, new int[] {Vocabularies.end(TOKENS)});
        MatchState state = masks.start(grammar);
        Random random = new Random(1);
        for (int i = 0; i < WALK_LEN; i++) {
            long[] mask = masks.mask(state);
            int token = random.nextInt(TOKENS.vocabSize());
            for (int tried = 0; tried < TOKENS.vocabSize() && !Vocabularies.isSet(mask, token); tried++) {
                token = (token + 1) % TOKENS.vocabSize();
            }
            MatchState next = token == Vocabularies.end(TOKENS) ? null : masks.accept(state, token);
            if (next == null || next.isFinal()) {
                return i;
            }
            state = next;
        }
        return WALK_LEN;
    }

    /** Prints what each takes, on the thread's processor clock. */
    public static void main(String[] args) {
        System.out.println("| grammar | ends | ms | allocated MB |\n| --- | --- | --- | --- |");
        for (int round = 0; round < 2; round++) {
            for (Map.Entry<String, GrammarSpec> one : GRAMMARS.entrySet()) {
                long start = THREADS.getCurrentThreadCpuTime();
                long allocated = THREADS.getCurrentThreadAllocatedBytes();
                String outcome;
                try {
                    CompiledGrammar grammar = GrammarCompiler.compile(one.getValue());
                    outcome = "compiles to " + grammar.numStates() + " states, " + walk(grammar) + " masks";
                } catch (GrammarException e) {
                    String message = String.valueOf(e.getMessage());
                    outcome = "refused: " + message.substring(0, Math.min(70, message.length()));
                }
                if (round > 0) {
                    System.out.printf(
                            "| %s | %s | %,d | %,d |%n",
                            one.getKey(),
                            outcome.replace("|", "\\|"),
                            (THREADS.getCurrentThreadCpuTime() - start) / 1_000_000,
                            (THREADS.getCurrentThreadAllocatedBytes() - allocated) >> 20);
                }
            }
        }
    }
}
