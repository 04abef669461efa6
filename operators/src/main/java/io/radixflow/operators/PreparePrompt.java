package io.radixflow.operators;

import io.radixflow.schemas.Prompt;
import io.radixflow.schemas.PromptParser;
import io.radixflow.schemas.RecordException;
import io.radixflow.text.TextModel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Parses and tokenizes records; what can't be answered leaves as a dead letter at once. */
final class PreparePrompt extends ProcessFunction<SourceRecord, PreparedRequest> {

    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(PreparePrompt.class);
    private static final int MAX_NAMED_FIELDS = 256;
    private static final int MAX_LOGGED_NAME_CHARS = 64;

    private final EngineProvider engines;
    private final PipelineOptions options;

    private transient @Nullable TextModel text;
    private transient @Nullable Stages stages;

    PreparePrompt(EngineProvider engines, PipelineOptions options) {
        this.engines = engines;
        this.options = options;
    }

    @Override
    public void open(OpenContext context) {
        TextModel loaded = engines.loadText();
        text = loaded;
        MetricGroup group = getRuntimeContext().getMetricGroup().addGroup(EngineMetrics.GROUP);
        Counter deadLetters = group.counter(EngineMetrics.DEAD_LETTERS);
        stages = new Stages(
                new PromptParser(options.format(), options.registry()),
                new PromptTokenizer(loaded, options),
                new HashSet<>(),
                deadLetters);
    }

    @Override
    public void processElement(SourceRecord source, Context context, Collector<PreparedRequest> out) {
        Stages open = stages;
        if (open == null) {
            throw new IllegalStateException("processElement before open");
        }
        String stage = "parse";
        try {
            Prompt prompt = open.parser.parse(source.value());
            open.nameOnce(prompt.unknownFields());
            stage = "tokenize";
            out.collect(open.tokenizer.tokenize(source, prompt, System.currentTimeMillis()));
        } catch (RecordException e) {
            open.deadLetters.inc();
            context.output(SideOutputs.DEAD_LETTERS, SideOutputs.deadLetter(source, e.code(), e.reason(), stage));
        }
    }

    @Override
    public void close() {
        if (text != null) {
            text.close();
            text = null;
        }
    }

    /** What {@link #open} makes. */
    private record Stages(
            PromptParser parser, PromptTokenizer tokenizer, Set<String> namedFields, Counter deadLetters) {

        void nameOnce(List<String> unknownFields) {
            for (String field : unknownFields) {
                if (namedFields.size() < MAX_NAMED_FIELDS && namedFields.add(field)) {
                    String shown = field.length() <= MAX_LOGGED_NAME_CHARS
                            ? field
                            : field.substring(0, MAX_LOGGED_NAME_CHARS) + "...";
                    LOG.warn("Ignored the unknown request field '{}'; further ones are not named", shown);
                }
            }
        }
    }
}
