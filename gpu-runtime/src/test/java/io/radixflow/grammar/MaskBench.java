package io.radixflow.grammar;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.testkit.Work;
import io.radixflow.text.TokenBytes;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * All masks of one short answer, over 130,000 tokens made of English-like pieces: known ones, and those of a grammar that the builder meets for the first
 * time. {@link MaskFigures} has the times of single masks with a real vocabulary.
 */
@State(Scope.Thread)
public class MaskBench {

    private static final int NUM_PIECES = 130_000;
    private static final byte[] ANSWER =
            "{\"label\": \"positive\", \"why\": \"because it is so\"}".getBytes(StandardCharsets.UTF_8);
    private static final CompiledGrammar GRAMMAR = GrammarCompiler.compile(GrammarSpec.of(
            Kind.JSON_SCHEMA,
            "{\"type\":\"object\",\"properties\":{\"label\":{\"enum\":[\"positive\",\"negative\"]},"
                    + "\"why\":{\"type\":\"string\",\"maxLength\":200}},\"required\":[\"label\",\"why\"],"
                    + "\"additionalProperties\":false}"));

    @Param({"known", "new"})
    public String kind = "known";

    private final TokenBytes tokens = Vocabularies.random(
            new Random(1),
            new String[] {"e", "t", "a", "o", "in", "er", "the", " ", "\"", "{", "}", ":", ",", "s", "é", "1"},
            NUM_PIECES);
    private final MaskBuilder masks =
            new MaskBuilder(tokens, new TokenTrie(tokens), new int[] {Vocabularies.end(tokens)});
    private final MatchState start = masks.start(GRAMMAR);

    /** Masks of the answer, byte by byte; the first 256 tokens are the bytes. */
    @Benchmark
    public long masksOfAnAnswer(Work work) {
        work.add(0, 0);
        MatchState state = kind.equals("known") ? start : new LazyStates(GRAMMAR).start();
        long sum = 0;
        for (byte value : ANSWER) {
            sum += masks.mask(state)[0];
            MatchState next = masks.accept(state, value & 0xFF);
            if (next == null) {
                throw new AssertionError("the answer is not in the grammar");
            }
            state = next;
        }
        return sum;
    }
}
