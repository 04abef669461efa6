package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.PromptParser;
import io.radixflow.schemas.RecordException;
import io.radixflow.testkit.FakeTokenizer;
import io.radixflow.text.ChatTemplate;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class PromptTokenizerTest {

    private static final String TEMPLATE = """
            {%- for message in messages -%}
            {%- if message.role == 'tool' -%}{{ raise_exception('no tools here') }}{%- endif -%}
            <{{ message.role }}>{{ message.content }}
            {%- endfor -%}
            {%- if add_generation_prompt -%}<assistant>{%- endif -%}
            {%- if level -%}[{{ level }}]{%- endif -%}""";

    private final PromptTokenizer tokenizer =
            new PromptTokenizer(FakeTokenizer.textModel(ChatTemplate.parse(TEMPLATE)), 0);

    @Test
    void rendersMessagesAndVariablesThroughTheTemplate() throws Exception {
        PreparedRequest request = tokenize("""
                {"messages":[{"role":"system","content":"Be {{brief}}."},{"role":"user","content":"Hi"}],
                "chat_template_kwargs":{"level":3}}""");

        assertThat(text(request.promptIds())).isEqualTo("<system>Be {{brief}}.<user>Hi<assistant>[3]");
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
                        .tokenize(source, new PromptParser().parse(value), 123_456)
                        .createdMillis())
                .isEqualTo(123_456);
    }

    private PreparedRequest tokenize(String value) throws RecordException {
        SourceRecord source = Prompts.source(1, value);
        return tokenizer.tokenize(source, new PromptParser().parse(source.value()), 0);
    }

    private static String text(int[] ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append((char) id);
        }
        return text.toString();
    }
}
