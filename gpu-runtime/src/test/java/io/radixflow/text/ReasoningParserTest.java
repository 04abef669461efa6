package io.radixflow.text;

import static io.radixflow.text.ReasoningStart.AT_ONCE;
import static io.radixflow.text.ReasoningStart.IF_TAGGED;
import static io.radixflow.text.ReasoningStart.NEVER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.EngineOptions;
import org.junit.jupiter.api.Test;

final class ReasoningParserTest {

    @Test
    void takesTextBeforeTheClosingTagAsReasoning() {
        assertSplit(IF_TAGGED, "<think>\nTwo and two.\n</think>\n\nFour.\n", "Two and two.", "Four.\n");
        assertSplit(AT_ONCE, "<think>\nTwo and two.\n</think>\n\nFour.\n", "Two and two.", "Four.\n");
        assertSplit(IF_TAGGED, "<think>\n\n</think>\n\nFour.", "", "Four.");
        assertSplit(IF_TAGGED, "<think>a\n\nb</think>c\n\nd", "a\n\nb", "c\n\nd");
    }

    @Test
    void takesUntaggedTextAsTheFormatSays() {
        assertSplit(AT_ONCE, "Hm.\n</think>\n\nFour.", "Hm.", "Four.");
        assertSplit(IF_TAGGED, "Hm.\n</think>\n\nFour.", "", "Hm.\n</think>\n\nFour.");
        assertSplit(IF_TAGGED, "\n<think>Hm.</think>", "", "\n<think>Hm.</think>");
        assertSplit(NEVER, "<think>\nHm.\n</think>\n\nFour.", "", "<think>\nHm.\n</think>\n\nFour.");
    }

    @Test
    void takesAnAnswerThatEndsWhileReasoningAsReasoning() {
        assertSplit(IF_TAGGED, "<think>\nHm, let me", "Hm, let me", "");
        assertSplit(AT_ONCE, "Hm, let me \n", "Hm, let me", "");
        assertSplit(AT_ONCE, "Hm </thin", "Hm </thin", "");
        assertSplit(AT_ONCE, "<thin", "<thin", "");
        assertSplit(IF_TAGGED, "<thin", "", "<thin");
        assertSplit(IF_TAGGED, "", "", "");
    }

    @Test
    void takesLaterTagsAsText() {
        assertSplit(AT_ONCE, "a<think>b</think>c</think><think>d", "a<think>b", "c</think><think>d");
    }

    @Test
    void withholdsNothingButABegunTagAndTheSpaceBeforeIt() {
        ReasoningParser parser = new ReasoningParser(IF_TAGGED);
        assertThat(parser.accept("<thi")).isEqualTo(new ReasoningSplit("", ""));
        assertThat(parser.accept("nk>\n")).isEqualTo(new ReasoningSplit("", ""));
        assertThat(parser.accept("One ")).isEqualTo(new ReasoningSplit("One", ""));
        assertThat(parser.accept("two.\n<")).isEqualTo(new ReasoningSplit(" two.", ""));
        assertThat(parser.accept("/b>")).isEqualTo(new ReasoningSplit("\n</b>", ""));
        assertThat(parser.accept("\n</think")).isEqualTo(new ReasoningSplit("", ""));
        assertThat(parser.accept(">\n")).isEqualTo(new ReasoningSplit("", ""));
        assertThat(parser.accept("\nThree ")).isEqualTo(new ReasoningSplit("", "Three "));
        assertThat(parser.accept("<")).isEqualTo(new ReasoningSplit("", "<"));
        assertThat(parser.finish()).isEqualTo(new ReasoningSplit("", ""));
    }

    @Test
    void startsWhereFormatPromptAndRequestSay() {
        String open = "<|im_start|>assistant\n<think>\n";
        String closed = "<|im_start|>assistant\n<think>\n\n</think>\n\n";
        String plain = "<|im_start|>assistant\n";
        assertThat(ReasoningFormat.QWEN3.startAfter(plain, true)).isEqualTo(IF_TAGGED);
        assertThat(ReasoningFormat.QWEN3.startAfter(open, true)).isEqualTo(AT_ONCE);
        assertThat(ReasoningFormat.QWEN3.startAfter(closed, false)).isEqualTo(NEVER);
        assertThat(ReasoningFormat.QWEN3.startAfter(closed, true)).isEqualTo(IF_TAGGED);
        assertThat(ReasoningFormat.DEEPSEEK_R1.startAfter(plain, true)).isEqualTo(AT_ONCE);
        assertThat(ReasoningFormat.DEEPSEEK_R1.startAfter(plain, false)).isEqualTo(NEVER);
    }

    @Test
    void knowsTheFormatsOfTheOption() {
        assertThat(EngineOptions.REASONING_PARSER.choices())
                .extracting(ReasoningFormat::of)
                .containsExactly(ReasoningFormat.values());
        assertThatThrownBy(() -> ReasoningFormat.of("kimi"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("reasoning parser 'kimi' is not supported; supported: qwen3, deepseek-r1");
    }

    private static void assertSplit(ReasoningStart start, String answer, String reasoning, String content) {
        assertThat(ReasoningParser.split(start, answer)).isEqualTo(new ReasoningSplit(reasoning, content));
    }
}
