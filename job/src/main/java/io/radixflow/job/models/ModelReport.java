package io.radixflow.job.models;

import io.radixflow.model.ModelConfig;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.StoredTensor;
import io.radixflow.model.TextFiles;
import io.radixflow.model.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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
        row(lines, "path", files.path().toString());
        row(lines, "model", files.name() + ", architecture " + config.architecture());
        row(
                lines,
                "shape",
                config.numLayers() + " layers, hidden " + config.hidden() + ", feed-forward " + config.ffn() + ", "
                        + config.numHeads() + " query and " + config.numKvHeads() + " KV heads of " + config.headDim()
                        + (config.hasQkvBias() ? ", bias on q, k, v" : "")
                        + (config.hasHeadNorms() ? ", norms of q and k heads" : "")
                        + ", RMS eps " + config.rmsEps());
        row(
                lines,
                "positions",
                "rope base " + config.rope().base() + ", "
                        + config.rope().pairing().toString().toLowerCase(Locale.ROOT) + " pairs, "
                        + config.rope().scaling().description());
        row(
                lines,
                "context",
                config.contextLen() + " tokens, trained for " + config.trainedLen() + ", at most "
                        + config.maxContextLen());
        row(lines, "embedding", config.vocabSize() + " rows" + (config.hasTiedEmbedding() ? ", also the output" : ""));
        tensors(lines, files);
        text(lines, files.text());
        return lines;
    }

    private static void tensors(List<String> lines, ModelFiles files) {
        Map<String, long[]> byType = new TreeMap<>();
        List<StoredTensor> tensors = files.storedTensors();
        long parameters = 0;
        for (StoredTensor tensor : tensors) {
            long[] sums = byType.computeIfAbsent(tensor.typeName(), type -> new long[2]);
            sums[0]++;
            sums[1] += Math.max(0, tensor.numBytes());
            parameters += tensor.numElements();
        }
        row(
                lines,
                "tensors",
                tensors.isEmpty()
                        ? "none: only --load-format dummy can run it"
                        : tensors.size() + " with " + String.format(Locale.ROOT, "%.1f million", parameters / 1e6)
                                + " parameters");
        byType.forEach((type, sums) -> row(
                lines, "  " + type, sums[0] + " tensors, " + String.format(Locale.ROOT, "%.1f MiB", sums[1] / MIB)));
    }

    private static void text(List<String> lines, TextFiles text) {
        Vocabulary vocabulary = text.vocabulary();
        Path json = text.tokenizerJson();
        String tokenizer = "none: --tokenizer-path gives one";
        if (vocabulary != null) {
            tokenizer = vocabulary.kind() + (vocabulary.pre().isEmpty() ? "" : " (" + vocabulary.pre() + ")") + ", "
                    + vocabulary.tokens().size() + " tokens, "
                    + vocabulary.merges().size() + " merges";
        } else if (json != null) {
            tokenizer = json.getFileName().toString();
        }
        row(lines, "tokenizer", tokenizer);
        row(
                lines,
                "special",
                "bos " + (text.bosToken().isEmpty() ? "none" : text.bosToken()) + ", eos "
                        + (text.eosToken().isEmpty() ? "none" : text.eosToken()) + ", ends answers "
                        + Arrays.toString(text.endIds()));
        String template = text.chatTemplate();
        row(lines, "chat template", template == null ? "none" : template.length() + " characters");
    }

    private static void row(List<String> lines, String name, String value) {
        lines.add(String.format("%-14s %s", name, value));
    }
}
