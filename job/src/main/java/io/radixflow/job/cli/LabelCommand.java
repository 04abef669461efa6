package io.radixflow.job.cli;

import picocli.CommandLine.Command;

/** {@code label}: the bounded job. */
@Command(name = "label", description = "Answer the prompts of JSONL files.")
final class LabelCommand implements Runnable, StartsEngine {
    @Override
    public void run() {}
}
