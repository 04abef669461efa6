package io.radixflow.job.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** NVIDIA GPUs of this machine, as its driver's tool lists them. */
public final class Gpus {

    private static final int ANSWER_SECONDS = 20;

    private Gpus() {}

    /** How many there are; 0 without a driver. */
    public static int count() throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder("nvidia-smi", "--list-gpus")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            return 0; // no such tool
        }
        String lines = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (!process.waitFor(ANSWER_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            return 0;
        }
        return (int) lines.lines().filter(line -> line.startsWith("GPU ")).count();
    }
}
