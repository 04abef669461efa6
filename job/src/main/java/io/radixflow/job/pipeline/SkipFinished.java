package io.radixflow.job.pipeline;

import io.radixflow.operators.SourceRecord;
import java.nio.file.Path;
import java.util.Set;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFilterFunction;

/** Drops rows that an earlier run has answered; reads the output folder when its task starts. */
final class SkipFinished extends RichFilterFunction<SourceRecord> {

    private static final long serialVersionUID = 1L;

    private final String outputDir;
    private transient Set<String> finished = Set.of();

    SkipFinished(Path outputDir) {
        this.outputDir = outputDir.toString();
    }

    @Override
    public void open(OpenContext context) throws Exception {
        finished = FinishedRows.read(Path.of(outputDir));
    }

    @Override
    public boolean filter(SourceRecord row) {
        return finished.isEmpty() || !finished.contains(RowsToRequests.customId(row));
    }
}
