package io.radixflow.grammar;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import io.radixflow.text.HfTokenizer;
import io.radixflow.text.TokenBytes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Our side of a comparison with another engine, whose side is in dev/grammar: random schemas, our masks along sequences of tokens, and answers to
 * questions about single tokens. Files are lines of JSON; masks lie in a file of their own, each distinct one once.
 */
public final class MaskDump {

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();
    private static final int WALKS = 3;
    private static final int WALK_LEN = 40;
    private static final int ATTEMPTS = 200;
    private static final int MAX_BYTES = 400;
    private static final String CLOSING = "\"}]0";

    private final TokenBytes tokens;
    private final MaskBuilder masks;
    private final int end;
    private final JsonStyle style;
    private final Map<IntKey, Integer> numberOf = new HashMap<>();

    private MaskDump(Path models, String spacePattern) throws IOException {
        try (HfTokenizer tokenizer =
                HfTokenizer.fromTokenizerJson(models.resolve("qwen3-tokenizer").resolve("tokenizer.json"))) {
            tokens = tokenizer.tokenBytes();
            end = tokenizer.idOf("<|im_end|>");
        }
        masks = new MaskBuilder(tokens, new TokenTrie(tokens), new int[] {end});
        style = new JsonStyle(spacePattern, false);
    }

    /** {@code schemas NUMBER}, or {@code masks|answers MODELS SPACE IN OUT}. */
    public static void main(String[] args) throws IOException {
        if (args[0].equals("schemas")) {
            for (int seed = 0; seed < Integer.parseInt(args[1]); seed++) {
                System.out.println(RandomSchemas.root(new Random(seed)));
            }
            return;
        }
        MaskDump dump = new MaskDump(Path.of(args[1]), args[2]);
        List<String> lines = Files.readAllLines(Path.of(args[3]));
        Path out = Files.createDirectories(Path.of(args[4]));
        if (args[0].equals("masks")) {
            dump.masks(lines.subList(0, Math.min(20, lines.size())), OutputStream.nullOutputStream()); // warm-up
            dump.numberOf.clear();
            List<String> dumped;
            try (OutputStream bits = Files.newOutputStream(out.resolve("masks.bin"))) {
                dumped = dump.masks(lines, bits);
            }
            Files.write(out.resolve("masks.jsonl"), dumped);
        } else {
            List<String> answers = new ArrayList<>();
            for (String line : lines) {
                JsonNode question = MAPPER.readTree(line);
                if (question.has("id")) {
                    answers.add(dump.answer(question).toString());
                }
            }
            Files.write(out.resolve("answers.jsonl"), answers);
        }
    }

    private GrammarSpec spec(JsonNode one) {
        return new GrammarSpec(
                GrammarSpec.Kind.JSON_SCHEMA, one.get("schema").toString(), false, style, GrammarSpec.Reasoning.NEVER);
    }

    private List<String> masks(List<String> cases, OutputStream bits) throws IOException {
        List<String> dumped = new ArrayList<>();
        for (String line : cases) {
            JsonNode one = MAPPER.readTree(line);
            ObjectNode result = JsonNodeFactory.instance
                    .objectNode()
                    .put("name", one.get("name").asText());
            try {
                Stopwatch watch = new Stopwatch();
                CompiledGrammar grammar = GrammarCompiler.compile(spec(one));
                MatchState start = masks.start(grammar);
                masks.mask(start);
                put(result, "first", watch);
                ArrayNode sequences = result.putArray("sequences");
                for (JsonNode ids : one.get("sequences")) {
                    follow(start, MAPPER.convertValue(ids, int[].class), sequences.addObject(), bits);
                }
                for (int walk = 0; walk < WALKS; walk++) {
                    follow(start, walk(start, new Random(walk)), sequences.addObject(), bits);
                }
            } catch (GrammarException e) {
                result.put("refusal", e.getMessage());
            }
            dumped.add(result.toString());
        }
        return dumped;
    }

    private static void put(ObjectNode into, String name, Stopwatch watch) {
        into.put(name + "Cpu", watch.cpuNanos());
        into.put(name + "Wall", watch.wallNanos());
    }

    /** Masks before each token and behind the last, up to the first token that is not allowed. */
    private void follow(MatchState start, int[] ids, ObjectNode into, OutputStream bits) throws IOException {
        ArrayNode idsOut = into.putArray("ids");
        ArrayNode numbers = into.putArray("masks");
        ArrayNode cpu = into.putArray("cpu");
        ArrayNode wall = into.putArray("wall");
        MatchState state = start;
        for (int i = 0; ; i++) {
            Stopwatch watch = new Stopwatch();
            long[] mask = masks.mask(state);
            cpu.add(watch.cpuNanos());
            wall.add(watch.wallNanos());
            numbers.add(number(mask, bits));
            if (i == ids.length || ids[i] == end || !Vocabularies.isSet(mask, ids[i])) {
                return;
            }
            idsOut.add(ids[i]);
            MatchState next = masks.accept(state, ids[i]);
            if (next == null) {
                throw new AssertionError("a token of the mask is not accepted");
            }
            state = next;
        }
    }

    private int number(long[] mask, OutputStream bits) throws IOException {
        int[] words = new int[2 * mask.length];
        for (int i = 0; i < mask.length; i++) {
            words[2 * i] = (int) mask[i];
            words[2 * i + 1] = (int) (mask[i] >>> 32);
        }
        Integer fresh = numberOf.size();
        Integer known = numberOf.putIfAbsent(new IntKey(words), fresh);
        if (known != null) {
            return known;
        }
        ByteBuffer buffer = ByteBuffer.allocate(8 * mask.length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asLongBuffer().put(mask);
        bits.write(buffer.array());
        return fresh;
    }

    private int[] walk(MatchState start, Random random) {
        IntList ids = new IntList();
        MatchState state = start;
        while (ids.size() < WALK_LEN && state != null && !state.isFinal()) {
            long[] mask = masks.mask(state);
            int num = Arrays.stream(mask).mapToInt(Long::bitCount).sum();
            int skip = (int) (num * Math.pow(random.nextDouble(), 3)); // the common ids more often
            int id = -1;
            for (int i = 0; i <= skip; i++) {
                do {
                    id++;
                } while (!Vocabularies.isSet(mask, id));
            }
            if (id == end) {
                break;
            }
            ids.add(id);
            state = masks.accept(state, id);
        }
        return ids.toArray();
    }

    /**
     * A question with ids asks how a text that begins with them may end; one with a value, whether the grammar takes it in some spelling.
     */
    private ObjectNode answer(JsonNode question) {
        ObjectNode answer = JsonNodeFactory.instance
                .objectNode()
                .put("id", question.get("id").asInt());
        CompiledGrammar grammar = GrammarCompiler.compile(spec(question));
        if (question.has("value")) {
            try {
                JsonNode value = MAPPER.readTree(question.get("value").textValue());
                return answer.put("isAccepted", new Spellings(grammar).accept(value));
            } catch (NumberFormatException | JsonProcessingException e) {
                return answer.put("isAccepted", false); // such as exponents of 20 digits
            }
        }
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (JsonNode id : question.path("ids")) {
            int token = id.asInt();
            text.write(tokens.bytes(), tokens.start(token), tokens.end(token) - tokens.start(token));
        }
        for (int attempt = 0; attempt < ATTEMPTS && question.has("ids"); attempt++) {
            String whole = completed(new LazyStates(grammar), text.toByteArray(), new Random(attempt));
            if (whole != null) {
                return answer.put("text", whole);
            }
        }
        return answer;
    }

    private static @Nullable String completed(LazyStates states, byte[] begin, Random random) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        MatchState state = states.start();
        for (byte value : begin) {
            text.write(value);
            state = states.step(state, value & 0xFF);
        }
        while (!state.isAccepting() && text.size() < begin.length + MAX_BYTES) {
            List<Integer> allowed = new ArrayList<>();
            for (int value = 0; value < 256; value++) {
                if (states.step(state, value) != MatchState.DEAD) {
                    allowed.add(value);
                }
            }
            if (allowed.isEmpty()) {
                return null;
            }
            int value = allowed.get(random.nextInt(allowed.size()));
            for (int i = 0; i < CLOSING.length() && random.nextInt(8) > 0; i++) {
                if (allowed.contains((int) CLOSING.charAt(i))) {
                    value = CLOSING.charAt(i);
                    break;
                }
            }
            text.write(value);
            state = states.step(state, value);
        }
        return state.isAccepting() ? text.toString(StandardCharsets.UTF_8) : null;
    }

    /** Both clocks since it was made. */
    private static final class Stopwatch {

        private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
        private final long wallStart = System.nanoTime();
        private final long cpuStart = THREADS.getCurrentThreadCpuTime();

        long cpuNanos() {
            return THREADS.getCurrentThreadCpuTime() - cpuStart;
        }

        long wallNanos() {
            return System.nanoTime() - wallStart;
        }
    }
}
