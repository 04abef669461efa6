package io.radixflow.loop;

import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.simulated.SimulatedBackend;
import io.radixflow.backend.simulated.SimulatedClock;
import io.radixflow.backend.simulated.SimulatedModel;
import io.radixflow.backend.simulated.TimeModel;
import io.radixflow.backend.simulated.TimeModelFile;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineOptions;
import io.radixflow.model.ModelFiles;
import io.radixflow.schedule.SchedulerConfig;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts an engine on the simulated device. With {@code --model-path} it has that model's vocabulary and text, without weights; else it works
 * on the token ids of the time model's vocabulary and answers carry no text.
 */
final class SimulatedLoader {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");
    /** In front of the model's name, which every answer carries. */
    private static final String NAME_PREFIX = "simulated-";

    private final EngineConfig config;
    private final TimeModel times;

    private SimulatedLoader(EngineConfig config) {
        this.config = config;
        times = TimeModelFile.read(Path.of(config.get(EngineOptions.TIME_MODEL)));
    }

    static boolean isAskedFor(EngineConfig config) {
        return config.get(EngineOptions.DEVICE).equals("simulated");
    }

    /** The name under which a model is served when its answers are no answers. */
    static String nameOf(String model) {
        return NAME_PREFIX + model;
    }

    static Engine start(EngineConfig config) {
        return new SimulatedLoader(config).start();
    }

    /** An engine that its caller steps, on a virtual clock whatever the configuration says. */
    static SteppedEngine stepped(EngineConfig config) {
        SimulatedClock clock = new SimulatedClock.Virtual();
        return new SteppedEngine(new SimulatedLoader(config).parts(clock), clock);
    }

    private Engine start() {
        SimulatedClock clock = config.get(EngineOptions.SIMULATED_CLOCK).equals("virtual")
                ? new SimulatedClock.Virtual()
                : new SimulatedClock.Real();
        EngineParts parts = parts(clock);
        LOG.info("Device: {}", parts.backend().description());
        LOG.info(
                "Simulated. max_total_num_tokens={}, chunked_prefill_size={}, max_prefill_tokens={},"
                        + " max_running_requests={}, context_len={}",
                parts.scheduling().numSlots(),
                parts.scheduling().chunkedPrefillSize(),
                parts.scheduling().maxPrefillTokens(),
                parts.scheduling().maxRunning(),
                parts.scheduling().contextLen());
        String name = nameOf(times.shape().model());
        return Engines.start(parts, clock, name, config.get(EngineOptions.WATCHDOG_TIMEOUT));
    }

    private EngineParts parts(SimulatedClock clock) {
        SimulatedBackend backend = new SimulatedBackend(times, clock);
        Words words = words();
        int numSlots =
                config.find(EngineOptions.MAX_TOTAL_TOKENS).orElse(times.shape().kvCacheTokens());
        SchedulerConfig scheduling = PartsLoader.scheduling(config, numSlots, contextLen());
        SimulatedModel model = new SimulatedModel(backend, words.tokenBytes().vocabSize(), scheduling.maxRunning());
        return new EngineParts(
                backend,
                model,
                backend.allocateKvCache(model.kvLayout(numSlots, ElementType.FLOAT16)),
                words.tokenBytes(),
                words.endIds(),
                scheduling,
                config.get(EngineOptions.DECODE_LOG_INTERVAL_SECONDS),
                words.jumpTokenizer());
    }

    private int contextLen() {
        int most = times.shape().contextLen();
        int asked = config.find(EngineOptions.CONTEXT_LENGTH).orElse(most);
        if (asked > most) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "--context-length " + asked + " is more than the " + most + " tokens of the time model "
                            + config.get(EngineOptions.TIME_MODEL));
        }
        return asked;
    }

    private Words words() {
        if (config.find(EngineOptions.MODEL_PATH).isEmpty()) {
            return Words.withoutText(times.shape().vocabSize());
        }
        try (ModelFiles files = Engines.open(config)) {
            return Words.of(config, files);
        }
    }
}
