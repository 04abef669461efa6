package io.radixflow.grammar;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.testkit.Work;
import io.radixflow.text.TokenBytes;
import java.util.Map;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** From the text of a schema of {@link PracticeSchemas} to the first mask, over 130,000 tokens made of English-like pieces. */
@State(Scope.Thread)
public class FirstMaskBench {

    private static final int NUM_PIECES = 130_000;

    @Param({"label", "ticket", "github-webhook", "tool-calls", "many-optional", "package-json"})
    public String schema = "label";

    private final TokenBytes tokens = Vocabularies.random(
            new Random(1),
            new String[] {"e", "t", "a", "o", "in", "er", "the", " ", "\"", "{", "}", ":", ",", "s", "é", "1"},
            NUM_PIECES);
    private final MaskBuilder masks =
            new MaskBuilder(tokens, new TokenTrie(tokens), new int[] {Vocabularies.end(tokens)});

    private final Map<String, String> schemas = PracticeSchemas.all();

    /** Compiles anew each time; what masks share between grammars is there after the first. */
    @Benchmark
    public long firstMask(Work work) {
        work.add(0, 0);
        String text = String.valueOf(schemas.get(schema));
        CompiledGrammar grammar = GrammarCompiler.compile(GrammarSpec.of(Kind.JSON_SCHEMA, text));
        return masks.mask(masks.start(grammar))[0];
    }
}
