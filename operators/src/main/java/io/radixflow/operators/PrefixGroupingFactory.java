package io.radixflow.operators;

import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes {@link PrefixGrouping} operators on the task managers. */
final class PrefixGroupingFactory extends AbstractStreamOperatorFactory<PreparedRequest>
        implements OneInputStreamOperatorFactory<PreparedRequest, PreparedRequest> {

    private static final long serialVersionUID = 1L;

    private final PipelineOptions options;

    PrefixGroupingFactory(PipelineOptions options) {
        this.options = options;
        setChainingStrategy(ChainingStrategy.ALWAYS);
    }

    @Override
    // Flink's signature: the caller chooses T and only ever asks for the declared type.
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    public <T extends StreamOperator<PreparedRequest>> T createStreamOperator(
            StreamOperatorParameters<PreparedRequest> parameters) {
        PrefixRouter router = new PrefixRouter(EngineKeys.forParallelism(options.parallelism()));
        return (T) new PrefixGrouping(parameters, router, options);
    }

    @Override
    public Class<? extends StreamOperator<PreparedRequest>> getStreamOperatorClass(ClassLoader classLoader) {
        return PrefixGrouping.class;
    }
}
