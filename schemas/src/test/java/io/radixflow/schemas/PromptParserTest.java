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

    private final PromptParser parser = new PromptParser(RecordFormat.JSON);

    @Test
    void takesAPlainChatWithOpenAisDefaults() throws RecordException {
        Prompt prompt = parse("{" + MESSAGES + "}");

        assertThat(prompt.kind()).isEqualTo(Prompt.Kind.CHAT);
        assertThat(prompt.input().messages()).containsExactly(Map.of("role", "user", "content", "Hi"));
        assertThat(prompt.sampling().temperature()).isEqualTo(1f);
        assertThat(prompt.sampling().topK()).isEqualTo(-1);
        assertThat(prompt.stops().maxTokens()).isNull();
        assertThat(prompt.sampling().seed()).isNull();
        assertThat(prompt.sampling().logitBias()).isEmpty();
        assertThat(prompt.sampling().allowedTokenIds()).isNull();
        assertThat(prompt.output())
                .isEqualTo(new OutputFields(
                        1, OutputFields.NO_LOGPROBS, OutputFields.NO_LOGPROBS, true, false, true, null));
        assertThat(prompt.input().tools()).isNull();
        assertThat(prompt.input().keptLen()).isNull();
        assertThat(prompt.priority()).isZero();
        assertThat(prompt.envelope()).isEqualTo(Prompt.Envelope.BODY);
        assertThat(prompt.customId()).isNull();
        assertThat(prompt.unknownFields()).isEmpty();
    }

    @Test
    void takesEveryFieldThatThisVersionHas() throws RecordException {
        Prompt prompt = parse("{" + MESSAGES + """
                ,"model":"m","temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.1,"max_completion_tokens":7,
                "min_tokens":2,"stop":["a","b"],"stop_token_ids":[3,4],"ignore_eos":true,"seed":-12,
                "presence_penalty":1,"frequency_penalty":-1,"repetition_penalty":1.1,
                "chat_template_kwargs":{"enable_thinking":false,"level":3,"share":0.5,"list":[1,null]},
                "stream":true,"stream_options":{"include_usage":false},"cache_salt":"s","user":"u",
                "skip_special_tokens":false,"custom_id":"id-1","metadata":{"x":1.10,"y":[true,null]},"n":3,"priority":-2,
                "logit_bias":{"5":-100,"6":0.5},"bad_words":["no","never ever"],"allowed_token_ids":[7,8],"logprobs":true,
                "top_logprobs":4,"prompt_logprobs":2,"truncate_prompt_tokens":9,"no_stop_trim":true,"best_of":3,
                "separate_reasoning":false,"echo":false,"parallel_tool_calls":true}""");

        SamplingFields sampling = prompt.sampling();
        assertThat(sampling.temperature()).isEqualTo(0.5f);
        assertThat(sampling.topP()).isEqualTo(0.9f);
        assertThat(sampling.topK()).isEqualTo(40);
        assertThat(sampling.minP()).isEqualTo(0.1f);
        StopFields stops = prompt.stops();
        assertThat(stops.maxTokens()).isEqualTo(7);
        assertThat(stops.minTokens()).isEqualTo(2);
        assertThat(stops.stop()).containsExactly("a", "b");
        assertThat(stops.stopTokenIds()).containsExactly(3, 4);
        assertThat(stops.ignoreEos()).isTrue();
        assertThat(stops.isStopKept()).isTrue();
        assertThat(stops.skipSpecialTokens()).isFalse();
        assertThat(sampling.logitBias()).isEqualTo(Map.of(5, -100f, 6, 0.5f));
        assertThat(sampling.badWords()).containsExactly("no", "never ever");
        assertThat(sampling.allowedTokenIds()).containsExactly(7, 8);
        assertThat(sampling.seed()).isEqualTo(-12L);
        assertThat(sampling.presencePenalty()).isEqualTo(1f);
        assertThat(sampling.frequencyPenalty()).isEqualTo(-1f);
        assertThat(sampling.repetitionPenalty()).isEqualTo(1.1f);
        assertThat(prompt.input().templateVariables())
                .containsEntry("enable_thinking", false)
                .containsEntry("level", 3L)
                .containsEntry("share", 0.5)
                .containsEntry("list", java.util.Arrays.asList(1L, null));
        assertThat(prompt.output()).isEqualTo(new OutputFields(3, 4, 2, false, true, false, null));
        assertThat(prompt.input().keptLen()).isEqualTo(9);
        assertThat(prompt.priority()).isEqualTo(-2);
        assertThat(prompt.cacheSalt()).isEqualTo("s");
        assertThat(prompt.customId()).isEqualTo("id-1");
        assertThat(prompt.metadataJson()).isEqualTo("{\"x\":1.10,\"y\":[true,null]}");
        assertThat(prompt.unknownFields()).isEmpty();
    }

    @Test
    void takesACompletionPrompt() throws RecordException {
        Prompt prompt = parse("{\"prompt\":\"Once\",\"max_tokens\":3}");

        assertThat(prompt.kind()).isEqualTo(Prompt.Kind.COMPLETION);
        assertThat(prompt.input().text()).isEqualTo("Once");
        assertThat(prompt.input().ids()).isNull();
        assertThat(parse("{\"prompt\":[\"Once\"]}").input().text()).isEqualTo("Once");
    }

    @Test
    void takesACompletionPromptAsTokenIds() throws RecordException {
        for (String prompt : List.of("[5,6]", "[[5,6]]")) {
            PromptInput input =
                    parse("{\"prompt\":" + prompt + ",\"logprobs\":0}").input();
            assertThat(input.ids()).containsExactly(5, 6);
            assertThat(input.text()).isNull();
        }
    }

    @Test
    void countsACompletionsLogprobs() throws RecordException {
        assertThat(parse("{\"prompt\":\"x\",\"logprobs\":3}").output().topLogprobs())
                .isEqualTo(3);
        assertThat(parse("{" + MESSAGES + ",\"logprobs\":true}").output().topLogprobs())
                .isZero();
    }

    @Test
    void takesABatchLine() throws RecordException {
        Prompt prompt = parse("{\"custom_id\":\"b-1\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{"
                + MESSAGES + ",\"max_tokens\":3,\"metadata\":{\"k\":1}}}");

        assertThat(prompt.envelope()).isEqualTo(Prompt.Envelope.BATCH_LINE);
        assertThat(prompt.kind()).isEqualTo(Prompt.Kind.CHAT);
        assertThat(prompt.customId()).isEqualTo("b-1");
        assertThat(prompt.stops().maxTokens()).isEqualTo(3);
        assertThat(prompt.metadataJson()).isEqualTo("{\"k\":1}");
        assertThat(parse("{\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"prompt\":[1]}}")
                        .kind())
                .isEqualTo(Prompt.Kind.COMPLETION);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"body":{"prompt":"x"}}                                                        | INVALID_REQUEST       | method must be POST
            {"method":"GET","url":"/v1/completions","body":{"prompt":"x"}}                 | INVALID_REQUEST       | method must be POST
            {"method":"POST","url":"/v1/embeddings","body":{"input":"x"}}                  | UNSUPPORTED_PARAMETER | url other than
            {"method":"POST","body":{"prompt":"x"}}                                        | UNSUPPORTED_PARAMETER | url other than
            {"method":"POST","url":"/v1/completions"}                                      | INVALID_REQUEST       | body must be an object
            {"method":"POST","url":"/v1/completions","body":[]}                            | INVALID_REQUEST       | body must be an object
            {"method":"POST","url":"/v1/completions","body":{"prompt":"x","top_p":2}}      | INVALID_REQUEST       | in body: top_p must be
            {"method":"POST","url":"/v1/completions","body":{"prompt":"x","suffix":"a"}}   | UNSUPPORTED_PARAMETER | in body: suffix
            {"method":"POST","url":"/v1/chat/completions","body":{"prompt":"x"}}           | INVALID_REQUEST       | body does not fit the url
            {"custom_id":1,"method":"POST","url":"/v1/completions","body":{"prompt":"x"}}  | INVALID_REQUEST       | custom_id must be a string""")
    void refusesBadBatchLines(String line, ErrorCode code, String reason) {
        RecordException refusal = refusal(line);

        assertThat(refusal.code()).isEqualTo(code);
        assertThat(refusal.reason()).startsWith(reason);
    }

    @Test
    void passesToolsAndToolCallsAsATemplateWantsThem() throws RecordException {
        PromptInput input = parse("""
                {"messages":[{"role":"user","content":"Hi"},
                {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",
                "function":{"name":"f","arguments":"{\\"a\\": [1, 2.5, null]}"}},
                {"id":"c2","type":"function","function":{"name":"g","arguments":""}}]},
                {"role":"tool","tool_call_id":"c1","content":"42"}],
                "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"auto"}""").input();

        assertThat(input.tools())
                .isEqualTo(List.of(Map.of(
                        "type", "function", "function", Map.of("name", "f", "parameters", Map.of("type", "object")))));
        Map<String, @Nullable Object> call = input.messages().get(1);
        assertThat(call).containsEntry("content", "");
        assertThat(call.get("tool_calls"))
                .isEqualTo(List.of(
                        Map.of(
                                "id",
                                "c1",
                                "type",
                                "function",
                                "function",
                                Map.of("name", "f", "arguments", Map.of("a", java.util.Arrays.asList(1L, 2.5, null)))),
                        Map.of(
                                "id",
                                "c2",
                                "type",
                                "function",
                                "function",
                                Map.of("name", "g", "arguments", Map.of()))));
        assertThat(input.messages().get(2)).containsEntry("tool_call_id", "c1").containsEntry("role", "tool");
    }

    @Test
    void hidesToolsFromAModelThatMustNotCallThem() throws RecordException {
        String tools = ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]";

        assertThat(parse("{" + MESSAGES + tools + "}").input().tools()).hasSize(1);
        assertThat(parse("{" + MESSAGES + tools + ",\"tool_choice\":\"none\"}")
                        .input()
                        .tools())
                .isNull();
    }

    @Test
    void joinsTextPartsByASpace() throws RecordException {
        Prompt prompt = parse("""
                {"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}""");

        assertThat(prompt.input().messages().get(0)).containsEntry("content", "a b");
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
                "\"top_logprobs\":0",
                "\"logit_bias\":{}",
                "\"response_format\":{\"type\":\"text\"}",
                "\"regex\":null",
                "\"json_schema\":null",
                "\"tools\":[]",
                "\"tool_choice\":\"none\"",
                "\"tool_choice\":\"auto\"",
                "\"parallel_tool_calls\":true",
                "\"priority\":0",
                "\"bad_words\":[]",
                "\"suffix\":null",
                "\"echo\":false",
                "\"best_of\":1"
            })
    void takesValuesThatMeanOff(String field) throws RecordException {
        assertThat(parse("{" + MESSAGES + "," + field + "}").unknownFields()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "response_format":{"type":"json_object"}                                             | JSON_OBJECT    | ``             | false
            "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":1}}} | JSON_SCHEMA    | {"a":1}        | false
            "response_format":{"type":"json_schema","json_schema":{"strict":true,"schema":{}}}   | JSON_SCHEMA    | {}             | true
            "regex":"a+"                                                                         | REGEX          | a+             | false
            "ebnf":"root ::= a"                                                                  | EBNF           | root ::= a     | false
            "json_schema":"{}"                                                                   | JSON_SCHEMA    | {}             | false
            "json_schema":{"type":"null"}                                                        | JSON_SCHEMA    | {"type":"null"} | false
            "structural_tag":"{}"                                                                | STRUCTURAL_TAG | {}             | false
            "choice":["a","b"]                                                                   | CHOICE         | ["a","b"]      | false""")
    void readsWhatTheAnswerMustBe(String field, GrammarField.Language language, String text, boolean isStrict)
            throws RecordException {
        assertThat(parse("{" + MESSAGES + "," + field + "}").output().grammar())
                .isEqualTo(new GrammarField(language, text, isStrict));
    }

    @Test
    void oneFieldAloneSaysWhatTheAnswerMustBe() {
        RecordException refusal = refusal("{" + MESSAGES + ",\"regex\":\"a\",\"choice\":[\"a\"]}");

        assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(refusal.reason()).startsWith("regex and choice can't both");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "tools":[{"type":"web_search"}]                        | tools[0] of a type other than function
            "tool_choice":"required"                               | tool_choice
            "tool_choice":{"type":"function"}                      | tool_choice
            "echo":true                                            | echo
            "suffix":"x"                                           | suffix
            "best_of":2                                            | best_of""")
    void refusesByNameWhatThisVersionCantDo(String field, String name) {
        RecordException refusal = refusal("{" + MESSAGES + "," + field + "}");

        assertThat(refusal.code()).isEqualTo(ErrorCode.UNSUPPORTED_PARAMETER);
        assertThat(refusal.reason()).startsWith(name).endsWith("is not supported by this version");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]} | messages[0].content[0] of type image_url
            {"messages":[{"role":"assistant","content":"x","function_call":{}}]}                    | messages[0].function_call
            {"prompt":["a","b"]}                                                                    | prompt as a list of several
            {"prompt":[[1],[2]]}                                                                    | prompt as a list of several""")
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
            "logprobs":"x"                          | logprobs must be true or false
            "logprobs":2                            | logprobs must be true or false
            "top_logprobs":2                        | top_logprobs needs logprobs to be true
            "logprobs":true,"top_logprobs":21       | top_logprobs must be a whole number from 0 to 20
            "prompt_logprobs":21                    | prompt_logprobs must be a whole number from 0 to 20
            "prompt_logprobs":true                  | prompt_logprobs must be a whole number
            "n":129                                 | n must be a whole number from 1 to 128
            "priority":1.5                          | priority must be a whole number
            "logit_bias":[1]                        | logit_bias must be an object
            "logit_bias":{"x":1}                    | logit_bias must have token ids (0 or more) as its keys, got 'x'
            "logit_bias":{"-1":1}                   | logit_bias must have token ids
            "logit_bias":{"5":101}                  | logit_bias.5 must be a number in [-100, 100], got 101
            "logit_bias":{"5":"1"}                  | logit_bias.5 must be a number
            "logit_bias":{"5":1,"05":2}             | logit_bias names the token id 5 twice
            "bad_words":"x"                         | bad_words must be a list
            "bad_words":[""]                        | bad_words[0] must be a string of 1 to
            "allowed_token_ids":[]                  | allowed_token_ids must name at least one
            "allowed_token_ids":[-1]                | allowed_token_ids[0] must be a whole number
            "truncate_prompt_tokens":0              | truncate_prompt_tokens must be a whole number from 1
            "no_stop_trim":1                        | no_stop_trim must be true or false
            "separate_reasoning":"x"                | separate_reasoning must be true or false
            "parallel_tool_calls":1                 | parallel_tool_calls must be true or false
            "skip_special_tokens":1                 | skip_special_tokens must be true or false
            "user":1                                | user must be a string
            "echo":1                                | echo must be true or false
            "tools":[{"type":"function"}]           | tools[0].function.name must be
            "response_format":{"type":1}            | response_format.type must be
            "tools":{}                              | tools must be a list
            "prompt":"both"                         | the request must have either messages (a chat) or prompt""")
    void refusesBadValuesNamingFieldAndRange(String field, String reason) {
        RecordException refusal = refusal("{" + MESSAGES + "," + field + "}");

        assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(refusal.reason()).startsWith(reason);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {}                                                     | the request must have either messages
            {"messages":[]}                                        | messages must be a list of at least one message
            {"messages":{}}                                        | messages must be a list
            {"messages":[1]}                                       | messages[0] must be an object
            {"messages":[{"content":"x"}]}                         | messages[0].role must be
            {"messages":[{"role":"user"}]}                         | messages[0].content must be
            {"messages":[{"role":"user","content":null}]}          | messages[0].content must be
            {"messages":[{"role":"user","content":[{}]}]}          | messages[0].content[0].type must be
            {"messages":[{"role":"user","content":[{"type":"text"}]}]} | messages[0].content[0].text must be
            {"messages":[{"role":"user","content":"x","name":1}]}  | messages[0].name must be a string
            {"messages":[{"role":"tool","content":"x","tool_call_id":1}]} | messages[0].tool_call_id must be a string
            {"messages":[{"role":"assistant","tool_calls":{}}]}    | messages[0].tool_calls must be a list
            {"messages":[{"role":"assistant","tool_calls":[{}]}]}  | messages[0].tool_calls[0].function.name must be
            {"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{"}}]}]} | messages[0].tool_calls[0].function.arguments must be JSON text
            {"prompt":""}                                          | prompt must be a non-empty string
            {"prompt":[]}                                          | prompt must have at least one token id
            {"prompt":[[]]}                                        | prompt must have at least one token id
            {"prompt":[1,-1]}                                      | prompt[1] must be a whole number
            {"prompt":[1,"a"]}                                     | prompt[1] must be a whole number
            {"prompt":"x","logprobs":true}                         | logprobs must be a whole number from 0 to 20
            {"prompt":"x","logprobs":21}                           | logprobs must be a whole number from 0 to 20
            {"prompt":"x","top_logprobs":1}                        | top_logprobs belongs to a chat
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

    private Prompt parse(String value) throws RecordException {
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
