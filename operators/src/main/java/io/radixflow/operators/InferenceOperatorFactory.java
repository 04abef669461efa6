package io.radixflow.operators;

import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes {@link InferenceOperator}s on the task managers. */
final class InferenceOperatorFactory extends AbstractStreamOperatorFactory<ResultRecord>
        implements OneInputStreamOperatorFactory<RoutedRequest, ResultRecord> {

    private static final long serialVersionUID = 1L;

    private final EngineProvider engines;
    private final PipelineOptions options;

    InferenceOperatorFactory(EngineProvider engines, PipelineOptions options) {
        this.engines = engines;
        this.options = options;
        // Sinks may be chained behind it, but it heads its chain: its input must be a network edge.
        setChainingStrategy(ChainingStrategy.HEAD);
    }

    @Override
    // Flink's signature: the caller chooses T and only ever asks for the declared type.
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    public <T extends StreamOperator<ResultRecord>> T createStreamOperator(
            StreamOperatorParameters<ResultRecord> parameters) {
        return (T) new InferenceOperator(parameters, engines, options);
    }

    @Override
    public Class<? extends StreamOperator<ResultRecord>> getStreamOperatorClass(ClassLoader classLoader) {
        return InferenceOperator.class;
    }
}
