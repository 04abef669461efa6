package io.radixflow.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptParserTest {

    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    private final PromptParser parser = new PromptParser();

    @Test
    void takesAPlainChatWithOpenAisDefaults() throws RecordException {
        PromptRecord prompt = parse("{" + MESSAGES + "}");

        assertThat(prompt.kind()).isEqualTo(PromptRecord.Kind.CHAT);
        assertThat(prompt.messages()).containsExactly(Map.of("role", "user", "content", "Hi"));
        assertThat(prompt.sampling().temperature()).isEqualTo(1f);
        assertThat(prompt.sampling().topK()).isEqualTo(-1);
        assertThat(prompt.sampling().maxTokens()).isNull();
        assertThat(prompt.sampling().seed()).isNull();
        assertThat(prompt.isStream()).isFalse();
        assertThat(prompt.customId()).isNull();
        assertThat(prompt.unknownFields()).isEmpty();
    }

    @Test
    void takesEveryFieldThatThisVersionHas() throws RecordException {
        PromptRecord prompt = parse("{" + MESSAGES + """
                ,"model":"m","temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.1,"max_completion_tokens":7,
                "min_tokens":2,"stop":["a","b"],"stop_token_ids":[3,4],"ignore_eos":true,"seed":-12,
                "presence_penalty":1,"frequency_penalty":-1,"repetition_penalty":1.1,
                "chat_template_kwargs":{"enable_thinking":false,"level":3,"share":0.5,"list":[1,null]},
                "stream":true,"stream_options":{"include_usage":false},"cache_salt":"s","user":"u",
                "skip_special_tokens":false,"custom_id":"id-1","metadata":{"x":1.10,"y":[true,null]}}""");

        SamplingFields sampling = prompt.sampling();
        assertThat(sampling.temperature()).isEqualTo(0.5f);
        assertThat(sampling.topP()).isEqualTo(0.9f);
        assertThat(sampling.topK()).isEqualTo(40);
        assertThat(sampling.minP()).isEqualTo(0.1f);
        assertThat(sampling.maxTokens()).isEqualTo(7);
        assertThat(sampling.minTokens()).isEqualTo(2);
        assertThat(sampling.stop()).containsExactly("a", "b");
        assertThat(sampling.stopTokenIds()).containsExactly(3, 4);
        assertThat(sampling.ignoreEos()).isTrue();
        assertThat(sampling.seed()).isEqualTo(-12L);
        assertThat(sampling.presencePenalty()).isEqualTo(1f);
        assertThat(sampling.frequencyPenalty()).isEqualTo(-1f);
        assertThat(sampling.repetitionPenalty()).isEqualTo(1.1f);
        assertThat(sampling.skipSpecialTokens()).isFalse();
        assertThat(prompt.chatTemplateKwargs())
                .containsEntry("enable_thinking", false)
                .containsEntry("level", 3L)
                .containsEntry("share", 0.5)
                .containsEntry("list", java.util.Arrays.asList(1L, null));
        assertThat(prompt.isStream()).isTrue();
        assertThat(prompt.hasStreamUsage()).isFalse();
        assertThat(prompt.cacheSalt()).isEqualTo("s");
        assertThat(prompt.customId()).isEqualTo("id-1");
        assertThat(prompt.metadataJson()).isEqualTo("{\"x\":1.10,\"y\":[true,null]}");
        assertThat(prompt.unknownFields()).isEmpty();
    }

    @Test
    void takesACompletionPrompt() throws RecordException {
        PromptRecord prompt = parse("{\"prompt\":\"Once\",\"max_tokens\":3}");

        assertThat(prompt.kind()).isEqualTo(PromptRecord.Kind.COMPLETION);
        assertThat(prompt.prompt()).isEqualTo("Once");
    }

    @Test
    void joinsTextPartsByASpace() throws RecordException {
        PromptRecord prompt = parse("""
                {"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}""");

        assertThat(prompt.messages().get(0)).containsEntry("content", "a b");
    }

    @Test
    void namesUnknownFieldsAndIgnoresThem() throws RecordException {
        assertThat(parse("{" + MESSAGES + ",\"frobnicate\":1,\"also\":null}").unknownFields())
                .isEqualTo(List.of("frobnicate", "also"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"n\":1",
                "\"n\":null",
                "\"logprobs\":false",
                "\"logprobs\":0",
                "\"top_logprobs\":0",
                "\"logit_bias\":{}",
                "\"response_format\":{\"type\":\"text\"}",
                "\"regex\":null",
                "\"json_schema\":null",
                "\"tools\":[]",
                "\"tool_choice\":\"none\"",
                "\"tool_choice\":\"auto\"",
                "\"parallel_tool_calls\":true",
                "\"priority\":0"
            })
    void takesValuesThatMeanOff(String field) throws RecordException {
        assertThat(parse("{" + MESSAGES + "," + field + "}").unknownFields()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "n":2                                                  | n above 1
            "logprobs":true                                        | logprobs
            "logprobs":2                                           | logprobs
            "top_logprobs":3                                       | top_logprobs
            "logit_bias":{"5":1}                                   | logit_bias
            "response_format":{"type":"json_object"}               | response_format
            "response_format":{"type":"json_schema"}               | response_format
            "regex":"a+"                                           | regex
            "ebnf":"root ::= a"                                    | ebnf
            "json_schema":"{}"                                     | json_schema
            "structural_tag":"{}"                                  | structural_tag
            "tools":[{"type":"function"}]                          | tools
            "tool_choice":"required"                               | tool_choice
            "tool_choice":{"type":"function"}                      | tool_choice
            "priority":5                                           | priority
            "body":{}                                              | body
            "method":"POST","url":"/v1/chat/completions"           | body""")
    void refusesByNameWhatThisVersionCantDo(String field, String name) {
        RecordException refusal = refusal("{" + MESSAGES + "," + field + "}");

        assertThat(refusal.code()).isEqualTo(ErrorCode.UNSUPPORTED_PARAMETER);
        assertThat(refusal.reason()).startsWith(name).endsWith("is not supported by this version");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]} | messages[0].content[0] of type image_url
            {"messages":[{"role":"assistant","content":"x","tool_calls":[{}]}]}                     | messages[0].tool_calls
            {"messages":[{"role":"tool","content":"x","tool_call_id":"1"}]}                         | messages[0].tool_call_id
            {"prompt":["a","b"]}                                                                    | prompt as a list
            {"custom_id":"a","method":"POST","url":"/v1","body":{"messages":[]}}                    | body""")
    void refusesMessagesAndPromptsThatThisVersionCantDo(String value, String name) {
        RecordException refusal = refusal(value);

        assertThat(refusal.code()).isEqualTo(ErrorCode.UNSUPPORTED_PARAMETER);
        assertThat(refusal.reason()).startsWith(name);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "temperature":-1                        | temperature must be a number of 0 or more, got -1
            "temperature":"hot"                     | temperature must be a number of 0 or more, got a string
            "temperature":1e999999999               | temperature must be
            "top_p":0                               | top_p must be a number in (0, 1], got 0
            "top_p":1.5                             | top_p must be
            "top_k":0                               | top_k must be -1 (all) or at least 1
            "top_k":1.5                             | top_k must be a whole number
            "min_p":2                               | min_p must be
            "presence_penalty":3                    | presence_penalty must be
            "frequency_penalty":-3                  | frequency_penalty must be
            "repetition_penalty":0                  | repetition_penalty must be
            "max_tokens":0                          | max_tokens must be a whole number from 1
            "max_tokens":1e999999999                | max_tokens must be a whole number
            "max_tokens":3,"max_completion_tokens":4 | max_tokens (3) and max_completion_tokens (4)
            "max_tokens":3,"min_tokens":4           | min_tokens must be at most max_tokens (3), got 4
            "stop":[""]                             | stop[0] must be
            "stop":3                                | stop must be
            "stop_token_ids":[-1]                   | stop_token_ids[0] must be
            "stop_token_ids":7                      | stop_token_ids must be
            "ignore_eos":1                          | ignore_eos must be true or false, got 1
            "seed":"x"                              | seed must be a whole number
            "seed":9223372036854775808              | seed must be a whole number
            "stream":"yes"                          | stream must be true or false
            "stream_options":1                      | stream_options must be an object
            "chat_template_kwargs":[]               | chat_template_kwargs must be an object
            "chat_template_kwargs":{"messages":1}   | chat_template_kwargs.messages is set by the request itself
            "cache_salt":1                          | cache_salt must be a string
            "custom_id":1                           | custom_id must be a string
            "metadata":"x"                          | metadata must be an object
            "model":1                               | model must be a string
            "n":0                                   | n must be a whole number from 1
            "n":"two"                               | n must be a whole number
            "logprobs":"x"                          | logprobs must be
            "response_format":{"type":1}            | response_format.type must be
            "tools":{}                              | tools must be a list
            "prompt":"both"                         | the value must have either messages (a chat) or prompt""")
    void refusesBadValuesNamingFieldAndRange(String field, String reason) {
        RecordException refusal = refusal("{" + MESSAGES + "," + field + "}");

        assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(refusal.reason()).startsWith(reason);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {}                                                     | the value must have either messages
            {"messages":[]}                                        | messages must be a list of at least one message
            {"messages":{}}                                        | messages must be a list
            {"messages":[1]}                                       | messages[0] must be an object
            {"messages":[{"content":"x"}]}                         | messages[0].role must be
            {"messages":[{"role":"user"}]}                         | messages[0].content must be
            {"messages":[{"role":"user","content":null}]}          | messages[0].content must be
            {"messages":[{"role":"user","content":[{}]}]}          | messages[0].content[0].type must be
            {"messages":[{"role":"user","content":[{"type":"text"}]}]} | messages[0].content[0].text must be
            {"messages":[{"role":"user","content":"x","name":1}]}  | messages[0].name must be a string
            {"prompt":""}                                          | prompt must be a non-empty string
            {"prompt":1}                                           | prompt must be a non-empty string""")
    void refusesBadMessages(String value, String reason) {
        RecordException refusal = refusal(value);

        assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(refusal.reason()).startsWith(reason);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "nonsense",
                "[1]",
                "\"text\"",
                "{\"a\":1",
                "{} {}",
                "{\"a\":1,\"a\":2}",
                "{\"a\":{\"b\":1,\"b\":2}}",
                "{\"a\":\"\\ud800\"}",
                "{\"a\":NaN}",
                "{'a':1}"
            })
    void refusesWhatIsNoJsonObject(String value) {
        assertThat(refusal(value).code()).isEqualTo(ErrorCode.INVALID_JSON);
    }

    @Test
    void refusesDepthBadUtf8AndNothing() {
        String deep = "{\"a\":" + "[".repeat(100) + "]".repeat(100) + "}";

        assertThat(refusal(deep).code()).isEqualTo(ErrorCode.INVALID_JSON);
        assertThat(refusal(new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'})
                        .code())
                .isEqualTo(ErrorCode.INVALID_JSON);
        assertThat(refusal((byte[]) null).reason()).isEqualTo("the value is empty");
        assertThat(refusal("{\"a\":" + "9".repeat(1000) + "}").code()).isEqualTo(ErrorCode.INVALID_JSON);
        assertThat(refusal("{\"temperature\":1e9999999991}").getMessage()).contains("exponent");
    }

    private PromptRecord parse(String value) throws RecordException {
        return parser.parse(value.getBytes(StandardCharsets.UTF_8));
    }

    private RecordException refusal(String value) {
        return refusal(value.getBytes(StandardCharsets.UTF_8));
    }

    private RecordException refusal(byte @Nullable [] value) {
        RecordException refusal = catchThrowableOfType(RecordException.class, () -> parser.parse(value));
        assertThat(refusal).as("refusal").isNotNull();
        return refusal;
    }
}
