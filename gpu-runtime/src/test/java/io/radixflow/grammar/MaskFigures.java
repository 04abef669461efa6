package io.radixflow.grammar;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.text.HfTokenizer;
import io.radixflow.text.TokenBytes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Times of masks with Qwen3's real vocabulary over schemas like those of practice: for each one how long it takes to compile, to the first mask, and
 * to each mask of random walks. CONTRIBUTING says how to run it.
 */
public final class MaskFigures {

    private static final int WALKS = 20;
    private static final int MAX_TOKENS = 300;
    private static final double MICROS = 1e3;

    private MaskFigures() {}

    public static void main(String[] args) throws IOException {
        Path file = Path.of(args[0], "qwen3-tokenizer", "tokenizer.json");
        TokenBytes tokens;
        try (HfTokenizer tokenizer = HfTokenizer.fromTokenizerJson(file)) {
            tokens = tokenizer.tokenBytes();
        }
        long start = System.nanoTime();
        TokenTrie trie = new TokenTrie(tokens);
        System.out.printf(
                "%d tokens, trie of %d nodes in %.0f ms%n", tokens.vocabSize(), trie.numNodes(), millis(start));
        int end = tokens.vocabSize() - 1;
        for (int warmUp = 0; warmUp < 2; warmUp++) {
            run(tokens, trie, end, false);
        }
        System.out.println(
                "microseconds:                 compile    first   mask p50      p90      p99      max    masks");
        run(tokens, trie, end, true);
    }

    private static void run(TokenBytes tokens, TokenTrie trie, int end, boolean isShown) {
        MaskBuilder masks = new MaskBuilder(tokens, trie, new int[] {end});
        List<Long> all = new ArrayList<>();
        List<Long> firsts = new ArrayList<>();
        for (Map.Entry<String, GrammarSpec> one : grammars().entrySet()) {
            long start = System.nanoTime();
            CompiledGrammar grammar = GrammarCompiler.compile(one.getValue());
            long compiled = System.nanoTime();
            masks.mask(masks.start(grammar));
            long first = System.nanoTime();
            List<Long> times = new ArrayList<>();
            for (int walk = 0; walk < WALKS; walk++) {
                walk(masks, grammar, end, new Random(walk), times);
            }
            all.addAll(times);
            firsts.add(first - start);
            if (isShown) {
                System.out.printf(
                        "%-28s %9.0f %8.0f %s%n",
                        one.getKey(), (compiled - start) / MICROS, (first - compiled) / MICROS, line(times));
            }
        }
        if (isShown) {
            System.out.printf("%-28s %9s %8s %s%n", "all", "", "", line(all));
            System.out.printf("compile to first mask: %s%n", line(firsts));
        }
    }

    private static void walk(MaskBuilder masks, CompiledGrammar grammar, int end, Random random, List<Long> times) {
        MatchState state = masks.start(grammar);
        for (int i = 0; i < MAX_TOKENS; i++) {
            long before = System.nanoTime();
            long[] mask = masks.mask(state);
            times.add(System.nanoTime() - before);
            int token = pick(mask, random);
            if (token == end) {
                return;
            }
            MatchState next = masks.accept(state, token);
            if (next == null) {
                throw new AssertionError("a token of the mask is not accepted");
            }
            state = next;
            if (state.isFinal()) {
                return;
            }
        }
    }

    /** An allowed token; of many the shorter ids, which are the common ones, more often. */
    private static int pick(long[] mask, Random random) {
        int num = 0;
        for (long word : mask) {
            num += Long.bitCount(word);
        }
        int skip = (int) (num * Math.pow(random.nextDouble(), 3));
        for (int i = 0; i < mask.length; i++) {
            int bits = Long.bitCount(mask[i]);
            if (skip < bits) {
                long word = mask[i];
                for (; skip > 0; skip--) {
                    word &= word - 1;
                }
                return i * 64 + Long.numberOfTrailingZeros(word);
            }
            skip -= bits;
        }
        throw new AssertionError("an empty mask");
    }

    private static double millis(long start) {
        return (System.nanoTime() - start) / 1e6;
    }

    private static String line(List<Long> times) {
        List<Long> sorted = new ArrayList<>(times);
        Collections.sort(sorted);
        int n = sorted.size();
        return String.format(
                "%10.1f %8.1f %8.1f %8.1f %8d",
                sorted.get(n / 2) / MICROS,
                sorted.get(n * 9 / 10) / MICROS,
                sorted.get(Math.min(n - 1, n * 99 / 100)) / MICROS,
                sorted.get(n - 1) / MICROS,
                n);
    }

    private static Map<String, GrammarSpec> grammars() {
        Map<String, GrammarSpec> all = new LinkedHashMap<>();
        all.put(
                "label of three",
                schema(
                        "{'type':'object','properties':{'label':{'enum':['positive','negative','neutral']}},'required':['label'],'additionalProperties':false}"));
        all.put(
                "ticket",
                schema(
                        "{'type':'object','properties':{'category':{'enum':['billing','shipping','account','other']},'urgency':{'type':'integer','minimum':1,'maximum':5},'summary':{'type':'string','maxLength':200},'tags':{'type':'array','items':{'type':'string','minLength':1,'maxLength':30},'maxItems':5},'due':{'type':'string','format':'date'}},'required':['category','urgency','summary'],'additionalProperties':false}"));
        all.put(
                "person, nested",
                schema(
                        "{'type':'object','properties':{'name':{'type':'string'},'age':{'type':'integer','minimum':0,'maximum':150},'email':{'type':'string','format':'email'},'address':{'type':'object','properties':{'street':{'type':'string'},'city':{'type':'string'},'zip':{'type':'string','pattern':'^[0-9]{5}(-[0-9]{4})?$'}},'required':['street','city']},'phones':{'type':'array','items':{'type':'object','properties':{'kind':{'enum':['home','work']},'number':{'type':'string','pattern':'^\\\\+?[0-9 ]{6,20}$'}}}}},'required':['name','age','address']}"));
        all.put(
                "tree by $ref",
                schema(
                        "{'$ref':'#/$defs/node','$defs':{'node':{'type':'object','properties':{'value':{'type':'number'},'children':{'type':'array','items':{'$ref':'#/$defs/node'}}},'required':['value']}}}"));
        all.put("any object", GrammarSpec.of(Kind.JSON_OBJECT, ""));
        String names = IntStream.range(0, 1_000)
                .mapToObj(i -> "'product line " + i * 7919 % 100_003 + "'")
                .collect(Collectors.joining(","));
        all.put(
                "enum of 1,000",
                schema("{'type':'object','properties':{'product':{'enum':[" + names + "]}},'required':['product']}"));
        String optional = IntStream.range(0, 60)
                .mapToObj(i -> "'field_" + i + "':{'type':['string','null']}")
                .collect(Collectors.joining(","));
        all.put(
                "60 optional properties",
                schema("{'type':'object','properties':{" + optional + "},'additionalProperties':false}"));
        all.put(
                "tagged union",
                schema(
                        "{'oneOf':[{'type':'object','properties':{'kind':{'const':'circle'},'r':{'type':'number','exclusiveMinimum':0}},'required':['kind','r'],'additionalProperties':false},{'type':'object','properties':{'kind':{'const':'box'},'w':{'type':'number'},'h':{'type':'number'}},'required':['kind','w','h'],'additionalProperties':false}]}"));
        all.put(
                "patterns",
                schema(
                        "{'type':'object','properties':{'id':{'type':'string','pattern':'^[A-Z]{3}-[0-9]{6}$'},'when':{'type':'string','format':'date-time'},'host':{'type':'string','format':'hostname'},'ip':{'type':'string','format':'ipv6'},'url':{'type':'string','format':'uri'}},'required':['id','when','host','ip','url']}"));
        all.put(
                "long strings",
                schema("{'type':'array','items':{'type':'string','minLength':10,'maxLength':2000},'minItems':2}"));
        all.put("regex", GrammarSpec.of(Kind.REGEX, "(Yes|No), because [a-zA-Z ,]{10,200}\\."));
        all.put(
                "ebnf arithmetic",
                GrammarSpec.of(
                        Kind.EBNF, "root ::= expr\nexpr ::= term ([-+*/] term)*\nterm ::= [0-9]+ | \"(\" expr \")\""));
        return all;
    }

    private static GrammarSpec schema(String json) {
        return GrammarSpec.of(Kind.JSON_SCHEMA, json.replace('\'', '"'));
    }
}
