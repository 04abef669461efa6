package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The fields of a body that say how tokens are drawn and when the answer ends. */
final class SamplingParser {

    static final int MAX_STOP_STRINGS = 16;
    private static final int MAX_STOP_CHARS = 512;
    private static final int MAX_STOP_TOKEN_IDS = 256;
    private static final int MAX_BIASED_TOKENS = 1024;
    private static final int MAX_BAD_WORDS = 256;
    private static final int MAX_ALLOWED_TOKENS = 1 << 20;
    private static final double ABOVE_ZERO = Float.MIN_VALUE;
    private static final double MAX_BIAS = 100;

    private SamplingParser() {}

    static SamplingFields sampling(RequestFields fields) throws RecordException {
        int[] allowed = fields.tokenIds("allowed_token_ids", MAX_ALLOWED_TOKENS);
        if (allowed != null && allowed.length == 0) {
            throw RequestFields.invalid("allowed_token_ids must name at least one token id, got an empty list");
        }
        return new SamplingFields(
                fields.number("temperature", 1, 0, Float.MAX_VALUE, "of 0 or more"),
                fields.number("top_p", 1, ABOVE_ZERO, 1, "in (0, 1]"),
                topK(fields),
                fields.number("min_p", 0, 0, 1, "in [0, 1]"),
                fields.number("presence_penalty", 0, -2, 2, "in [-2, 2]"),
                fields.number("frequency_penalty", 0, -2, 2, "in [-2, 2]"),
                fields.number("repetition_penalty", 1, ABOVE_ZERO, 2, "in (0, 2]"),
                fields.whole("seed"),
                logitBias(fields),
                fields.strings("bad_words", MAX_BAD_WORDS, MAX_STOP_CHARS),
                allowed);
    }

    static StopFields stops(RequestFields fields) throws RecordException {
        Integer maxTokens = maxTokens(fields);
        Integer minTokens = fields.integer("min_tokens", 0, Integer.MAX_VALUE);
        if (maxTokens != null && minTokens != null && minTokens > maxTokens) {
            throw RequestFields.invalid("min_tokens must be at most max_tokens (" + maxTokens + "), got " + minTokens);
        }
        int[] stopTokenIds = fields.tokenIds("stop_token_ids", MAX_STOP_TOKEN_IDS);
        return new StopFields(
                maxTokens,
                minTokens == null ? 0 : minTokens,
                fields.bool("ignore_eos", false),
                stop(fields),
                stopTokenIds == null ? new int[0] : stopTokenIds,
                fields.bool("no_stop_trim", false),
                fields.bool("skip_special_tokens", true));
    }

    private static @Nullable Integer maxTokens(RequestFields fields) throws RecordException {
        Integer former = fields.integer("max_tokens", 1, Integer.MAX_VALUE);
        Integer current = fields.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
        if (former != null && current != null && !former.equals(current)) {
            throw RequestFields.invalid("max_tokens (" + former + ") and max_completion_tokens (" + current
                    + ") mean the same; give one of them");
        }
        return current == null ? former : current;
    }

    private static int topK(RequestFields fields) throws RecordException {
        Integer topK = fields.integer("top_k", -1, Integer.MAX_VALUE);
        if (topK != null && topK == 0) {
            throw RequestFields.invalid("top_k must be -1 (all) or at least 1, got 0");
        }
        return topK == null ? -1 : topK;
    }

    private static List<String> stop(RequestFields fields) throws RecordException {
        JsonNode stop = fields.find("stop");
        if (stop == null) {
            return List.of();
        }
        if (stop.isTextual()) {
            return List.of(RequestFields.nonEmpty("stop", stop, MAX_STOP_CHARS));
        }
        if (!stop.isArray()) {
            throw RequestFields.wrong("stop", "a string or a list of at most " + MAX_STOP_STRINGS + " strings", stop);
        }
        return fields.strings("stop", MAX_STOP_STRINGS, MAX_STOP_CHARS);
    }

    private static Map<Integer, Float> logitBias(RequestFields fields) throws RecordException {
        ObjectNode given = fields.object("logit_bias");
        if (given == null) {
            return Map.of();
        }
        if (given.size() > MAX_BIASED_TOKENS) {
            throw RequestFields.invalid(
                    "logit_bias must have at most " + MAX_BIASED_TOKENS + " token ids, got " + given.size());
        }
        Map<Integer, Float> biases = new LinkedHashMap<>();
        for (var entry : given.properties()) {
            int id = biasedId(entry.getKey());
            JsonNode bias = entry.getValue();
            if (!bias.isNumber() || !(Math.abs(bias.doubleValue()) <= MAX_BIAS)) {
                throw RequestFields.wrong("logit_bias." + id, "a number in [-100, 100]", bias);
            }
            if (biases.put(id, (float) bias.doubleValue()) != null) {
                throw RequestFields.invalid("logit_bias names the token id " + id + " twice");
            }
        }
        return biases;
    }

    private static int biasedId(String key) throws RecordException {
        try {
            int id = Integer.parseInt(key);
            if (id >= 0) {
                return id;
            }
        } catch (NumberFormatException e) {
            // Refused below, like a negative one.
        }
        String shown = key.length() <= 40 ? key : key.substring(0, 40) + "...";
        throw RequestFields.invalid("logit_bias must have token ids (0 or more) as its keys, got '" + shown + "'");
    }
}
