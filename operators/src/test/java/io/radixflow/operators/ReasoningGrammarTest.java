package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import io.radixflow.engine.SamplingParams;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Requests with a grammar that an engine takes up in mid-answer, while the model thinks or behind that. */
class ReasoningGrammarTest {

    private static final String REGEX = "[ab]{9}";
    private static final int MAX_TOKENS = 60;

    private static GenerationRequest restored(long id, GrammarSpec.Reasoning reasoning, String answerSoFar) {
        GrammarSpec grammar = new GrammarSpec(GrammarSpec.Kind.REGEX, REGEX, false, JsonStyle.DEFAULT, reasoning);
        SamplingParams sampling = SamplingParams.builder()
                .seed(id)
                .maxTokens(MAX_TOKENS)
                .grammar(grammar)
                .build();
        return GenerationRequest.builder(id, Prompts.ids("a or b?"), sampling)
                .outputIds(Prompts.ids(answerSoFar))
                .build();
    }

    @Test
    void theGrammarBeginsBehindTheReasoning() {
        List<GenerationRequest> requests = new ArrayList<>();
        requests.add(restored(0, GrammarSpec.Reasoning.ALWAYS, "Hm, {\"</think>"));
        requests.add(restored(1, GrammarSpec.Reasoning.ALWAYS, "Hm</think>ab"));
        requests.add(restored(2, GrammarSpec.Reasoning.IF_TAGGED, "<think>Hm</think>"));
        requests.add(restored(3, GrammarSpec.Reasoning.IF_TAGGED, "ba"));
        requests.add(restored(4, GrammarSpec.Reasoning.NEVER, "ba"));
        requests.add(restored(5, GrammarSpec.Reasoning.ALWAYS, "Hm, a</thi"));
        requests.add(restored(6, GrammarSpec.Reasoning.IF_TAGGED, "<thi"));

        List<String> texts = SimulatedEngines.undisturbed(requests);

        assertThat(texts.get(0)).matches("\\s*[ab]{9}");
        assertThat(texts.get(1)).matches("[ab]{7}");
        assertThat(texts.get(2)).matches("\\s*[ab]{9}");
        assertThat(texts.get(3)).matches("[ab]{7}");
        assertThat(texts.get(4)).matches("[ab]{7}");
        assertThat(texts.get(5)).doesNotMatch("(?s).*[ab]{9}"); // still thinking when its tokens are used up
        assertThat(texts.get(6)).startsWith("nk>");
    }
}
