package io.radixflow.text;

import io.radixflow.model.ModelFiles;
import io.radixflow.model.Vocabulary;
import io.radixflow.testkit.Work;
import java.nio.file.Path;
import java.util.Objects;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Encoding a chat in SmolLM2's vocabulary: a system prompt that all share, and a question of one's own. */
@State(Scope.Thread)
public class SegmentCacheBench {

    private static final String RULE =
            "Answer in at most two sentences, name the page of the manual that you rely on, and say"
                    + " so if it does not tell. ";

    /** Times that the rule stands in the system prompt: about 30, 240 and 2,000 tokens. */
    @Param({"1", "9", "75"})
    public int numRules = 1;

    private final Tokenizer tokenizer = load();
    private final SegmentCache cache = new SegmentCache(tokenizer, 16 << 20);
    private String system = "";
    private int question;

    private static Tokenizer load() {
        Path model = Path.of(System.getProperty("radixflow.models", "models")).resolve("smollm2-135m-instruct");
        try (ModelFiles files = ModelFiles.open(model)) {
            Vocabulary v = Objects.requireNonNull(files.text().vocabulary());
            return HfTokenizer.fromVocabulary(new VocabularySpec(v.kind(), v.pre(), v.tokens(), v.types(), v.merges()));
        }
    }

    @Setup
    public void write() {
        system = "<|im_start|>system\n" + RULE.repeat(numRules) + "<|im_end|>\n<|im_start|>user\n";
    }

    private String nextPrompt() {
        return system + "How do I reset the device number " + question++
                + " when the lamp on its left side blinks?<|im_end|>\n<|im_start|>assistant\n";
    }

    @Benchmark
    public int[] whole(Work work) {
        work.add(0, 0);
        return tokenizer.encode(nextPrompt());
    }

    @Benchmark
    public int[] inSegments(Work work) {
        work.add(0, 0);
        return cache.encode(nextPrompt());
    }
}
