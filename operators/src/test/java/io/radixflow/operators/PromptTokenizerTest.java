package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import io.radixflow.engine.TokenRules;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.Prompt;
import io.radixflow.schemas.PromptParser;
import io.radixflow.schemas.RecordException;
import io.radixflow.schemas.RecordFormat;
import io.radixflow.testkit.FakeTokenizer;
import io.radixflow.text.ChatTemplate;
import io.radixflow.text.ReasoningStart;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptTokenizerTest {

    private static final String TEMPLATE = """
            {%- for message in messages -%}
            {%- if message.role == 'tool' -%}{{ raise_exception('no tools here') }}{%- endif -%}
            <{{ message.role }}>{{ message.content }}
            {%- endfor -%}
            {%- if add_generation_prompt -%}<assistant>{%- endif -%}
            {%- if level -%}[{{ level }}]{%- endif -%}
            {%- if tools -%}{{ tools | tojson }}{%- endif -%}
            {%- for message in messages -%}{%- for call in message.tool_calls -%}
            ({{ call.function.arguments | tojson }}){%- endfor -%}{%- endfor -%}
            {%- if open -%}<think>{%- endif -%}""";

    private final PromptTokenizer tokenizer = tokenizer(null);

    private static PromptTokenizer tokenizer(@Nullable String reasoningParser) {
        Map<String, String> texts = reasoningParser == null ? Map.of() : Map.of("reasoning-parser", reasoningParser);
        return new PromptTokenizer(
                FakeTokenizer.textModel(ChatTemplate.parse(TEMPLATE)),
                PipelineOptions.defaults().withEngineConfig(EngineConfig.of(texts)));
    }

    @Test
    void rendersMessagesAndVariablesThroughTheTemplate() throws Exception {
        PreparedRequest request = tokenize("""
                {"messages":[{"role":"system","content":"Be {{brief}}."},{"role":"user","content":"Hi"}],
                "chat_template_kwargs":{"level":3}}""");

        assertThat(text(request.promptIds())).isEqualTo("<system>Be {{brief}}.<user>Hi<assistant>[3]");
    }

    @Test
    void aGrammarWritesJsonAsTheOptionsSay() throws Exception {
        PipelineOptions options = PipelineOptions.defaults()
                .withEngineConfig(EngineConfig.of(
                        Map.of("constrained-json-whitespace-pattern", "", "constrained-json-property-order", "any")))
                .withParallelism(2);
        PromptTokenizer compact = new PromptTokenizer(FakeTokenizer.textModel(ChatTemplate.parse(TEMPLATE)), options);
        String body =
                "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":\"json_object\"}}";
        assertThat(Objects.requireNonNull(grammar(compact, body)).json()).isEqualTo(new JsonStyle("", true));
        assertThat(Objects.requireNonNull(grammar(tokenizer(null), body)).json())
                .isEqualTo(JsonStyle.DEFAULT);
    }

    @Test
    void aWrongWhitespacePatternIsRefusedAtTheStart() {
        EngineConfig config = EngineConfig.of(Map.of("constrained-json-whitespace-pattern", "\\s*"));
        assertThatThrownBy(() -> PipelineOptions.defaults().withEngineConfig(config))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining(
                        "--constrained-json-whitespace-pattern: the pattern of JSON's white space must match");
    }

    @Test
    void aGrammarGoesWithTheRequestBehindTheReasoning() throws Exception {
        String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"regex\":\"[ab]+\"}";
        GrammarSpec plain = grammar(tokenizer(null), body);
        GrammarSpec behind = grammar(tokenizer("deepseek-r1"), body);
        assertThat(plain).isEqualTo(GrammarSpec.of(GrammarSpec.Kind.REGEX, "[ab]+"));
        assertThat(Objects.requireNonNull(behind).reasoning()).isEqualTo(GrammarSpec.Reasoning.ALWAYS);
    }

    @Test
    void refusesMessagesThatTheTemplateRaisesOn() {
        RecordException refusal = catchThrowableOfType(
                RecordException.class, () -> tokenize("{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}"));

        assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(refusal.reason()).contains("no tools here");
    }

    @Test
    void takesTheTimeNowForARecordWithoutATimestamp() throws Exception {
        byte[] value = "{\"prompt\":\"x\"}".getBytes(StandardCharsets.UTF_8);
        SourceRecord source = new SourceRecord(null, value, List.of(), "file", 0, 1, SourceRecord.NO_TIMESTAMP);

        assertThat(tokenizer
                        .tokenize(source, new PromptParser(RecordFormat.JSON).parse(value), 123_456)
                        .head()
                        .createdSeconds())
                .isEqualTo(123);
    }

    @Test
    void rendersToolsAndTheArgumentsOfTheirCallsAsObjects() throws Exception {
        PreparedRequest request = tokenize("""
                {"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{\\"a\\":1}"}}]}],
                "tools":[{"type":"function","function":{"name":"f"}}]}""");

        assertThat(text(request.promptIds()))
                .isEqualTo(
                        "<assistant><assistant>[{\"type\": \"function\", \"function\": {\"name\": \"f\"}}]({\"a\": 1})");
    }

    @Test
    void keepsThePromptsLastTokens() throws Exception {
        assertThat(text(tokenize("{\"prompt\":\"abcdef\",\"truncate_prompt_tokens\":2}")
                        .promptIds()))
                .isEqualTo("ef");
        assertThat(text(tokenize("{\"prompt\":\"ab\",\"truncate_prompt_tokens\":9}")
                        .promptIds()))
                .isEqualTo("ab");
        assertThat(tokenize("{\"prompt\":[97,98,99],\"truncate_prompt_tokens\":1}")
                        .promptIds())
                .containsExactly(99);
    }

    @Test
    void handsOverWhatTheRequestSaysAboutTokens() throws Exception {
        PreparedRequest request = tokenize("""
                {"prompt":"x","logit_bias":{"7":-1.5},"allowed_token_ids":[97,98],"bad_words":["no"," no",""" + """
                "a b"],"logprobs":2,"prompt_logprobs":3,"n":4,"priority":-5,"no_stop_trim":true,"stop":"s"}""");

        TokenRules rules = request.sampling().rules();
        assertThat(rules.biasIds()).containsExactly(7);
        assertThat(rules.biasValues()).containsExactly(-1.5f);
        assertThat(rules.allowedIds()).containsExactly(97, 98);
        assertThat(rules.badWords().stream().map(PromptTokenizerTest::text))
                .containsExactly("no", " no", "no", " no", "a b", " a b");
        assertThat(request.sampling().logprobs()).isEqualTo(2);
        assertThat(request.sampling().noStopTrim()).isTrue();
        assertThat(request.shape()).isEqualTo(new AnswerShape(4, 3, ReasoningStart.NEVER, false, true));
        assertThat(request.priority()).isEqualTo(-5);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            qwen3       | "messages":[]                                                   | IF_TAGGED
            deepseek-r1 | "messages":[]                                                   | AT_ONCE
            qwen3       | "chat_template_kwargs":{"open":true}                            | AT_ONCE
            qwen3       | "chat_template_kwargs":{"enable_thinking":false}                | NEVER
            qwen3       | "chat_template_kwargs":{"enable_thinking":true}                 | IF_TAGGED
            deepseek-r1 | "separate_reasoning":false                                      | NEVER""")
    void knowsWhereTheReasoningBegins(String parser, String field, ReasoningStart start) throws Exception {
        String more = field.startsWith("\"messages") ? "" : "," + field;
        SourceRecord source = Prompts.source(1, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" + more + "}");
        Prompt prompt = new PromptParser(RecordFormat.JSON).parse(source.value());

        assertThat(tokenizer(parser).tokenize(source, prompt, 0).shape().reasoning())
                .isEqualTo(start);
        assertThat(tokenizer.tokenize(source, prompt, 0).shape().reasoning()).isEqualTo(ReasoningStart.NEVER);
    }

    @Test
    void tellsNoReasoningFromACompletion() throws Exception {
        SourceRecord source = Prompts.source(1, "{\"prompt\":\"<think>\"}");
        Prompt prompt = new PromptParser(RecordFormat.JSON).parse(source.value());

        assertThat(tokenizer("deepseek-r1").tokenize(source, prompt, 0).shape().reasoning())
                .isEqualTo(ReasoningStart.NEVER);
    }

    private static @Nullable GrammarSpec grammar(PromptTokenizer tokenizer, String value) throws RecordException {
        SourceRecord source = Prompts.source(1, value);
        Prompt prompt = new PromptParser(RecordFormat.JSON).parse(source.value());
        return tokenizer.tokenize(source, prompt, 0).sampling().grammar();
    }

    private PreparedRequest tokenize(String value) throws RecordException {
        SourceRecord source = Prompts.source(1, value);
        return tokenizer.tokenize(source, new PromptParser(RecordFormat.JSON).parse(source.value()), 0);
    }

    private static String text(int[] ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append((char) id);
        }
        return text.toString();
    }
}
