package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.SamplingParams;
import io.radixflow.job.UserException;
import io.radixflow.loop.Engines;
import io.radixflow.text.TextModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.Configuration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code generate}: one prompt, or a conversation, with the engine alone. */
@Command(
        name = "generate",
        description = "Answer one prompt on the terminal, or hold a conversation; no Flink, no Kafka.")
final class GenerateCommand implements Callable<Integer>, StartsEngine {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "PROMPT",
            description = "The prompt; without one it is read from standard input.")
    private @Nullable String prompt;

    @Option(names = "--chat", description = "Hold a conversation: /reset forgets it, /exit or Ctrl-D ends it.")
    private boolean isChat;

    @Option(names = "--system", paramLabel = "TEXT", description = "System message before the conversation.")
    private @Nullable String system;

    @Option(
            names = "--tools",
            paramLabel = "FILE",
            description =
                    "A JSON list of OpenAI tools that the chat template tells the model of; a call is printed as the"
                            + " model writes it.")
    private @Nullable Path tools;

    @Option(names = "--raw", description = "Give the prompt to the model as it is, without the chat template.")
    private boolean isRaw;

    @Option(names = "--max-tokens", paramLabel = "N", description = "Most tokens of an answer (default: 256).")
    private int maxTokens = 256;

    @Option(names = "--temperature", paramLabel = "X", description = "0 is greedy (default: 0.7).")
    private float temperature = 0.7f;

    @Option(names = "--top-p", paramLabel = "X", description = "Nucleus, above 0 to 1 (default: 1).")
    private float topP = 1;

    @Option(names = "--top-k", paramLabel = "N", description = "Most likely tokens kept, -1 for all (default: -1).")
    private int topK = SamplingParams.ALL_TOKENS;

    @Option(
            names = "--min-p",
            paramLabel = "X",
            description = "Least probability relative to the best, 0 to 1 (default: 0).")
    private float minP;

    @Option(names = "--repetition-penalty", paramLabel = "X", description = "Above 0 to 2; 1 is off (default: 1).")
    private float repetitionPenalty = 1;

    @Option(names = "--seed", paramLabel = "N", description = "Of the random numbers (default: another each time).")
    private @Nullable Long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "Ends the answer before this text; may be repeated.")
    private List<String> stop = List.of();

    @Override
    public Integer call() throws IOException, InterruptedException {
        EngineConfig config = EngineFlags.config(spec, new Configuration());
        SamplingParams sampling = sampling(seed == null ? System.nanoTime() : seed);
        if ((isChat || tools != null) && isRaw) {
            throw new UserException((isChat ? "--chat" : "--tools")
                    + " needs the chat template that --raw leaves out; give one of them");
        }
        Conversation.Setting setting =
                new Conversation.Setting(system, tools == null ? null : ToolsFile.read(tools), isRaw);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        String first = prompt == null && !isChat ? readAll(in) : prompt;
        try (TextModel text = Engines.loadText(config);
                Engine engine = Engines.start(config);
                Shutdown shutdown = new Shutdown(engine)) {
            shutdown.arm();
            PrintStream out = new PrintStream(System.out, true, UTF_8);
            Conversation conversation = new Conversation(engine, text, setting, out);
            if (first != null) {
                answer(conversation, first, sampling, out);
            }
            while (isChat) {
                String line = ask(in, out);
                if (line == null || line.equals("/exit")) {
                    return Main.OK;
                }
                if (line.equals("/reset")) {
                    conversation.reset();
                } else if (!line.isBlank()) {
                    answer(conversation, line, sampling(sampling.seed() + conversation.numMessages()), out);
                }
            }
        }
        return Main.OK;
    }

    private void answer(Conversation conversation, String message, SamplingParams sampling, PrintStream out)
            throws InterruptedException {
        String summary = conversation.answer(message, sampling);
        out.println();
        spec.commandLine()
                .getErr()
                .println(Terminal.of(spec.commandLine().getErr()).faint(summary));
    }

    private static @Nullable String ask(BufferedReader in, PrintStream out) throws IOException {
        if (Boolean.getBoolean("radixflow.terminal")) {
            out.print("> ");
            out.flush();
        }
        return in.readLine();
    }

    private static String readAll(BufferedReader in) throws IOException {
        StringBuilder text = new StringBuilder();
        char[] buffer = new char[4096];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            text.append(buffer, 0, n);
        }
        if (text.toString().isBlank()) {
            throw new UserException("the prompt is empty; give it as an argument or on standard input");
        }
        return text.toString().stripTrailing();
    }

    private SamplingParams sampling(long chosenSeed) {
        try {
            return SamplingParams.builder()
                    .temperature(temperature)
                    .topP(topP)
                    .topK(topK)
                    .minP(minP)
                    .repetitionPenalty(repetitionPenalty)
                    .maxTokens(maxTokens)
                    .seed(chosenSeed)
                    .stop(stop)
                    .build();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            int end = message.indexOf(' ');
            throw new UserException("--" + message.substring(0, end).replace('_', '-') + message.substring(end), e);
        }
    }
}
