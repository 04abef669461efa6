package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.testkit.PropertyEvents;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** However an answer is cut, its deltas are what a twin finds that searches the whole of it with string methods. */
final class ReasoningParserPropertyTest {

    private static final int EVENTS_OF_AN_ANSWER = 20;
    private static final String[] PIECES = {
        "<think>",
        "</think>",
        "<",
        "</",
        "<t",
        "think>",
        "</thin",
        "<think",
        "k>",
        "/",
        ">",
        "\n",
        " ",
        "\n\n",
        "\t",
        "\u3000",
        "\u00A0",
        "a",
        "B c",
        "é",
        "中文",
        "😀",
        "\u0000"
    };
    private static final List<ReasoningStart> STARTS = List.of(ReasoningStart.values());
    private static final Pattern WITHHELD = Pattern.compile("\\p{javaWhitespace}*(<|</|</t|</th|</thi|</thin|</think)");

    @Property(tries = PropertyEvents.TRIES)
    void deltasAreTheWholeSplitAtEveryCut(@ForAll long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < PropertyEvents.perTry() / EVENTS_OF_AN_ANSWER; i++) {
            check(random);
        }
    }

    private static void check(Random random) {
        ReasoningStart start = STARTS.get(random.nextInt(STARTS.size()));
        String answer = randomAnswer(random);
        ReasoningSplit whole = twin(start, answer);
        assertThat(ReasoningParser.split(start, answer)).isEqualTo(whole);
        for (int cut = 0; cut <= answer.length(); cut++) {
            ReasoningParser parser = new ReasoningParser(start);
            ReasoningSplit head = parser.accept(answer.substring(0, cut));
            assertOnlyATagIsWithheld(start, answer.substring(0, cut), head);
            ReasoningSplit rest = parser.accept(answer.substring(cut));
            assertThat(join(join(head, rest), parser.finish()))
                    .as("cut at %d", cut)
                    .isEqualTo(whole);
        }
        ReasoningParser parser = new ReasoningParser(start);
        ReasoningSplit sum = new ReasoningSplit("", "");
        for (int from = 0; from < answer.length(); ) {
            int to = from + 1 + random.nextInt(Math.min(4, answer.length() - from));
            sum = join(sum, parser.accept(answer.substring(from, to)));
            assertThat(sum)
                    .as("what a new parser gives for the text so far")
                    .isEqualTo(new ReasoningParser(start).accept(answer.substring(0, to)));
            from = to;
        }
        assertThat(join(sum, parser.finish())).isEqualTo(whole);
    }

    /** If the answer ended here, only the white space before a begun tag and that beginning would come yet. */
    private static void assertOnlyATagIsWithheld(ReasoningStart start, String text, ReasoningSplit ready) {
        ReasoningSplit ended = twin(start, text);
        assertThat(ended.reasoning()).startsWith(ready.reasoning());
        assertThat(ended.content()).startsWith(ready.content());
        String withheld = ended.reasoning().substring(ready.reasoning().length())
                + ended.content().substring(ready.content().length());
        boolean mayOpen = "<think>".startsWith(text.strip());
        assertThat(withheld)
                .matches(held ->
                        held.isEmpty() || mayOpen || WITHHELD.matcher(held).matches());
        if (start == ReasoningStart.NEVER) {
            assertThat(withheld).isEmpty();
        }
    }

    private static ReasoningSplit twin(ReasoningStart start, String answer) {
        String text = answer;
        if (start == ReasoningStart.NEVER || (start == ReasoningStart.IF_TAGGED && !text.startsWith("<think>"))) {
            return new ReasoningSplit("", text);
        }
        text = text.stripLeading();
        if (text.startsWith("<think>")) {
            text = text.substring("<think>".length());
        }
        int end = text.indexOf("</think>");
        return end < 0
                ? new ReasoningSplit(text.strip(), "")
                : new ReasoningSplit(
                        text.substring(0, end).strip(),
                        text.substring(end + "</think>".length()).stripLeading());
    }

    private static ReasoningSplit join(ReasoningSplit head, ReasoningSplit rest) {
        return new ReasoningSplit(head.reasoning() + rest.reasoning(), head.content() + rest.content());
    }

    private static String randomAnswer(Random random) {
        StringBuilder answer = new StringBuilder(random.nextBoolean() ? "<think>\n" : "");
        int numPieces = random.nextInt(16);
        for (int i = 0; i < numPieces; i++) {
            answer.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return answer.toString();
    }
}
