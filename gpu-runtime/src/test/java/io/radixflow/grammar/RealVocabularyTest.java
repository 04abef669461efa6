package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.text.HfTokenizer;
import io.radixflow.text.TokenBytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Instances of schemas, cut into Qwen3's tokens by its tokenizer and at random, are allowed token by token. */
@Tag("qwen")
class RealVocabularyTest {

    private static final Path TOKENIZER =
            Path.of(System.getProperty("radixflow.models", "models"), "qwen3-tokenizer", "tokenizer.json");
    private static final int CUTS = 40;

    private static final String[][] CASES = {
        {
            "{'type':'object','properties':{'name':{'type':'string'},'n':{'type':'integer','minimum':0,'maximum':150}},'required':['name']}",
            "{'name': 'Zoë \\\\u00e9 😀 \\\\ud83d\\\\ude00 中文\\\\n', 'n': 149}",
            "{'name':'','other':[1.5e3,{'a':null}]}",
        },
        {
            "{'type':'array','items':{'type':'string','minLength':2,'maxLength':12},'minItems':1,'maxItems':3}",
            "['ab','twelve chars']",
            "[\\n'日本語テキスト' , '    ']",
        },
        {
            "{'$ref':'#/$defs/n','$defs':{'n':{'type':'object','properties':{'v':{'type':'number'},'c':{'type':'array','items':{'$ref':'#/$defs/n'}}},'required':['v'],'additionalProperties':false}}}",
            "{'v':1,'c':[{'v':-2.5,'c':[]},{'v':3e2}]}",
        },
        {
            "{'anyOf':[{'type':'object','properties':{'k':{'const':'a'},'x':{'type':'string','pattern':'^[a-c]+$'}},'required':['k','x']},{'type':'object','properties':{'k':{'const':'b'}},'required':['k']}]}",
            "{'k':'a','x':'abcabc'}",
            "{'k':'b','z':true}",
        },
    };

    @Test
    void everyWayToCutAnInstanceIsAllowed() throws IOException {
        try (HfTokenizer tokenizer = HfTokenizer.fromTokenizerJson(TOKENIZER)) {
            TokenBytes tokens = tokenizer.tokenBytes();
            TokenTrie trie = new TokenTrie(tokens);
            int end = tokenizer.idOf("<|im_end|>");
            MaskBuilder masks = new MaskBuilder(tokens, trie, new int[] {end});
            Random random = new Random(5);
            for (String[] one : CASES) {
                CompiledGrammar grammar =
                        GrammarCompiler.compile(GrammarSpec.of(Kind.JSON_SCHEMA, one[0].replace('\'', '"')));
                for (int i = 1; i < one.length; i++) {
                    String text =
                            one[i].replace("\\\\", "\\").replace("[\\n", "[\n").replace('\'', '"');
                    check(masks, masks.start(grammar), tokenizer.encode(text), end, text);
                    for (int cut = 0; cut < CUTS; cut++) {
                        check(masks, masks.start(grammar), cut(tokens, trie, text, random), end, text);
                    }
                }
            }
        }
    }

    private static void check(MaskBuilder masks, MatchState start, int[] ids, int end, String text) {
        MatchState state = start;
        for (int id : ids) {
            assertThat(Vocabularies.isSet(masks.mask(state), id))
                    .as("token %s of %s", id, text)
                    .isTrue();
            MatchState next = masks.accept(state, id);
            if (next == null) {
                throw new AssertionError("token " + id + " of " + text + " is not accepted");
            }
            state = next;
        }
        assertThat(Vocabularies.isSet(masks.mask(state), end))
                .as("end of %s", text)
                .isTrue();
    }

    /** Tokens that spell the text, each one of those that could stand there. */
    private static int[] cut(TokenBytes tokens, TokenTrie trie, String text, Random random) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        List<Integer> ids = new ArrayList<>();
        for (int at = 0; at < bytes.length; ) {
            List<Integer> candidates = new ArrayList<>();
            int node = 0;
            for (int i = at; i < bytes.length && node >= 0; i++) {
                node = child(trie, node, bytes[i]);
                for (int t = node < 0 ? 0 : trie.tokenFrom[node]; node >= 0 && t < trie.tokenTo[node]; t++) {
                    candidates.add(trie.ids[t]);
                }
            }
            int id = candidates.get(random.nextInt(candidates.size()));
            ids.add(id);
            at += tokens.end(id) - tokens.start(id);
        }
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    private static int child(TokenTrie trie, int node, byte label) {
        for (int i = node + 1; i < trie.end[node]; i = trie.end[i]) {
            if (trie.label[i] == label) {
                return i;
            }
        }
        return -1;
    }
}
