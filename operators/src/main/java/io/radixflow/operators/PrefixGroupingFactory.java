package io.radixflow.operators;

import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes {@link PrefixGrouping} operators on the task managers. */
final class PrefixGroupingFactory extends AbstractStreamOperatorFactory<RoutedRequest>
        implements OneInputStreamOperatorFactory<PreparedRequest, RoutedRequest> {

    private static final long serialVersionUID = 1L;

    private final PipelineOptions options;

    PrefixGroupingFactory(PipelineOptions options) {
        this.options = options;
        setChainingStrategy(ChainingStrategy.ALWAYS);
    }

    @Override
    // Flink's signature: the caller chooses T and only ever asks for the declared type.
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    public <T extends StreamOperator<RoutedRequest>> T createStreamOperator(
            StreamOperatorParameters<RoutedRequest> parameters) {
        return (T) new PrefixGrouping(parameters, options);
    }

    @Override
    public Class<? extends StreamOperator<RoutedRequest>> getStreamOperatorClass(ClassLoader classLoader) {
        return PrefixGrouping.class;
    }
}
