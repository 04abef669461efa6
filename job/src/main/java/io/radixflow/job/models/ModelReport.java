package io.radixflow.job.models;

import io.radixflow.model.ModelConfig;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Vocabulary;
import io.radixflow.weights.GgufTensorInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What is in a model's files, as lines for people. */
public final class ModelReport {

    private static final double MIB = 1 << 20;

    private ModelReport() {}

    /** Configuration, tensors by type, tokenizer and template of an opened model. */
    public static List<String> of(ModelFiles files) {
        List<String> lines = new ArrayList<>();
        ModelConfig config = files.config();
        row(lines, "file", files.gguf().path().toString());
        row(lines, "model", files.name() + ", architecture " + config.architecture());
        row(
                lines,
                "shape",
                config.numLayers() + " layers, hidden " + config.hidden() + ", feed-forward " + config.ffn() + ", "
                        + config.numHeads() + " query and " + config.numKvHeads() + " KV heads of " + config.headDim());
        row(
                lines,
                "positions",
                "context " + config.contextLen() + ", rope base " + config.ropeBase() + " ("
                        + config.ropePairing().toString().toLowerCase(Locale.ROOT) + " pairs), RMS eps "
                        + config.rmsEps());
        row(lines, "embedding", config.vocabSize() + " rows" + (config.hasTiedEmbedding() ? ", also the output" : ""));
        tensors(lines, files);
        Vocabulary vocabulary = files.vocabulary();
        row(
                lines,
                "tokenizer",
                vocabulary.kind() + (vocabulary.pre().isEmpty() ? "" : " (" + vocabulary.pre() + ")") + ", "
                        + vocabulary.tokens().size() + " tokens, "
                        + vocabulary.merges().size() + " merges");
        row(
                lines,
                "special",
                "bos " + token(vocabulary, vocabulary.bosId()) + ", eos " + token(vocabulary, vocabulary.eosId()));
        String template = files.chatTemplate();
        row(lines, "chat template", template == null ? "none" : template.length() + " characters");
        return lines;
    }

    private static void tensors(List<String> lines, ModelFiles files) {
        Map<String, long[]> byType = new TreeMap<>();
        long parameters = 0;
        for (GgufTensorInfo tensor : files.gguf().tensors()) {
            long[] sums = byType.computeIfAbsent(tensor.typeName(), type -> new long[2]);
            sums[0]++;
            sums[1] += Math.max(0, tensor.numBytes());
            parameters += tensor.numElements();
        }
        row(
                lines,
                "tensors",
                files.gguf().tensors().size() + " with " + String.format(Locale.ROOT, "%.1f million", parameters / 1e6)
                        + " parameters");
        byType.forEach((type, sums) -> row(
                lines, "  " + type, sums[0] + " tensors, " + String.format(Locale.ROOT, "%.1f MiB", sums[1] / MIB)));
    }

    private static String token(Vocabulary vocabulary, int id) {
        return id < 0 ? "none" : vocabulary.tokens().get(id) + " (" + id + ")";
    }

    private static void row(List<String> lines, String name, String value) {
        lines.add(String.format("%-14s %s", name, value));
    }
}
