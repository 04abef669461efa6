package io.radixflow.job.cli;

import picocli.CommandLine.Command;

/** {@code quickstart}. */
@Command(name = "quickstart", description = "Run the streaming job on example prompts, with its own broker.")
final class QuickstartCommand implements Runnable, StartsEngine {
    @Override
    public void run() {}
}
