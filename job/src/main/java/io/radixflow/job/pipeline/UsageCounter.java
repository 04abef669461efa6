package io.radixflow.job.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.operators.ResultRecord;
import java.io.IOException;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;

/** Adds up answers and their tokens in accumulators, for the progress line. */
final class UsageCounter extends RichMapFunction<ResultRecord, ResultRecord> {

    private static final long serialVersionUID = 1L;

    private transient ObjectMapper json = new ObjectMapper();
    private final LongCounter answers = new LongCounter();
    private final LongCounter promptTokens = new LongCounter();
    private final LongCounter cachedTokens = new LongCounter();
    private final LongCounter generatedTokens = new LongCounter();

    @Override
    public void open(OpenContext context) {
        json = new ObjectMapper();
        getRuntimeContext().addAccumulator(LabelJob.ANSWERS, answers);
        getRuntimeContext().addAccumulator(LabelJob.PROMPT_TOKENS, promptTokens);
        getRuntimeContext().addAccumulator(LabelJob.CACHED_TOKENS, cachedTokens);
        getRuntimeContext().addAccumulator(LabelJob.GENERATED_TOKENS, generatedTokens);
    }

    @Override
    public ResultRecord map(ResultRecord result) throws IOException {
        JsonNode body = json.readTree(result.value());
        JsonNode usage = body.has("usage")
                ? body.path("usage")
                : body.path("response").path("body").path("usage");
        answers.add(1);
        promptTokens.add(usage.path("prompt_tokens").asLong());
        cachedTokens.add(
                usage.path("prompt_tokens_details").path("cached_tokens").asLong());
        generatedTokens.add(usage.path("completion_tokens").asLong());
        return result;
    }
}
