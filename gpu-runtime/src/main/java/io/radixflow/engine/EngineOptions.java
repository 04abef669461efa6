package io.radixflow.engine;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The one table of engine options. Command-line flags, Flink keys and the README's table are made from it. */
public final class EngineOptions {

    public static final EngineOption<String> MODEL_PATH = text(
            "model-path",
            null,
            "A GGUF file, a folder with one or as transformers writes it, or the name of a model of `model fetch`.");
    public static final EngineOption<String> TOKENIZER_PATH = text(
            "tokenizer-path",
            null,
            "A tokenizer.json, a folder with one, a GGUF file or a fetched model; default: the model's own.");
    public static final EngineOption<String> SERVED_MODEL_NAME =
            text("served-model-name", null, "The name that answers carry; default: the model's.");
    public static final EngineOption<String> CHAT_TEMPLATE =
            text("chat-template", null, "A file with a Jinja chat template; default: the model's own.");
    public static final EngineOption<String> REASONING_PARSER = choice(
            "reasoning-parser",
            null,
            "Gives a model's thoughts as reasoning_content, apart from content; default: all text is content.",
            "qwen3",
            "deepseek-r1");
    public static final EngineOption<String> CONSTRAINED_JSON_WHITESPACE_PATTERN = new EngineOption<>(
            "constrained-json-whitespace-pattern",
            String.class,
            "[ \\t\\n\\r]?",
            List.of(),
            "Regular expression of the white space between the tokens of constrained JSON; the default lets a model that loves"
                    + " space come to an end.",
            Function.identity());

    /** The value of {@link #CONSTRAINED_JSON_PROPERTY_ORDER} that asks for no order. */
    static final String ANY_ORDER = "any";

    public static final EngineOption<String> CONSTRAINED_JSON_PROPERTY_ORDER = choice(
            "constrained-json-property-order",
            "declared",
            "Order of an object's properties in constrained JSON: as its schema names them, or any, for at most 12 named ones.",
            "declared",
            ANY_ORDER);
    public static final EngineOption<String> DTYPE = choice(
            "dtype",
            "auto",
            "Arithmetic type; on the CPU both mean fp32 over weights at their file's width.",
            "auto",
            "float32");
    public static final EngineOption<String> LOAD_FORMAT = choice(
            "load-format",
            "auto",
            "Format of the weight files; dummy takes random weights, for which a config.json suffices.",
            "auto",
            "safetensors",
            "gguf",
            "dummy");
    public static final EngineOption<String> KV_CACHE_DTYPE = choice(
            "kv-cache-dtype",
            "auto",
            "Type of the KV cache; auto is float16 on the CPU (float32 with --dtype float32) and bfloat16 on CUDA.",
            "auto",
            "float32",
            "float16",
            "bfloat16");
    public static final EngineOption<Integer> CONTEXT_LENGTH =
            integer("context-length", null, 1, "Most tokens of one sequence; default: what the model allows.");
    public static final EngineOption<String> JSON_MODEL_OVERRIDE_ARGS = text(
            "json-model-override-args",
            null,
            "A JSON object merged over config.json; for a GGUF file its rope settings and max_position_embeddings.");
    public static final EngineOption<Double> MEM_FRACTION_STATIC = number(
            "mem-fraction-static",
            null,
            0.05,
            0.95,
            "Share of the device's memory (on the CPU: of the Java heap) for weights and KV cache; default: 0.6, on CUDA 0.88.");
    public static final EngineOption<Integer> MAX_TOTAL_TOKENS =
            integer("max-total-tokens", null, 16, "KV slots of the pool; default: what --mem-fraction-static leaves.");
    public static final EngineOption<Integer> MAX_RUNNING_REQUESTS =
            integer("max-running-requests", null, 1, "Most sequences in one step; default: 64, on CUDA 256.");
    public static final EngineOption<Integer> MAX_PREFILL_TOKENS =
            integer("max-prefill-tokens", "16384", 1, "Most prompt tokens that one step admits.");
    public static final EngineOption<Integer> CHUNKED_PREFILL_SIZE = integer(
            "chunked-prefill-size",
            null,
            1,
            "Most prompt tokens that one step computes, longer prompts are cut; default: 512, on CUDA 8192.");
    public static final EngineOption<String> SCHEDULE_POLICY = choice(
            "schedule-policy",
            "lpm",
            "Order of waiting requests: longest prefix match, depth first where most share a prefix, first come first"
                    + " served, longest output first, random, or highest priority first.",
            "lpm",
            "dfs-weight",
            "fcfs",
            "lof",
            "random",
            "priority");
    public static final EngineOption<Double> SCHEDULE_CONSERVATIVENESS = number(
            "schedule-conservativeness",
            "1.0",
            0.01,
            10.0,
            "Above 1 reserves more KV for running sequences and retracts less often.");
    public static final EngineOption<Boolean> DISABLE_RADIX_CACHE =
            flag("disable-radix-cache", "Shares no prefixes between requests.");
    public static final EngineOption<String> RADIX_EVICTION_POLICY = choice(
            "radix-eviction-policy",
            "lru",
            "Cached prefixes that go first: least recently used, least frequently used, or those that no request known to"
                    + " come will need.",
            "lru",
            "lfu",
            "known-uses");
    public static final EngineOption<Integer> PAGE_SIZE = new EngineOption<>(
            "page-size",
            Integer.class,
            "1",
            List.of("1", "16", "32", "64"),
            "KV slots that are handed out together; prefixes are shared in multiples of it.",
            Integer::parseInt);
    public static final EngineOption<String> DEVICE = choice(
            "device",
            "auto",
            "Where the model runs; auto is the CPU; simulated computes nothing and takes the time of --time-model.",
            "auto",
            "cpu",
            "cuda",
            "simulated");
    public static final EngineOption<Integer> BASE_GPU_ID =
            integer("base-gpu-id", "0", 0, "Index of the GPU that --device cuda takes.");
    public static final EngineOption<Boolean> DISABLE_CUDA_GRAPH =
            flag("disable-cuda-graph", "Launches every kernel of a decode step by itself.");
    public static final EngineOption<Integer> CUDA_GRAPH_MAX_BS =
            integer("cuda-graph-max-bs", "256", 1, "Largest decode batch that runs as a CUDA graph.");
    public static final EngineOption<String> SHARED_PREFIX_ATTENTION = choice(
            "shared-prefix-attention",
            "auto",
            "Whether decoding requests on CUDA read a common prefix once for all: where it pays, off, or always, for tests."
                    + " Deterministic inference never does.",
            "auto",
            "off",
            "always");
    public static final EngineOption<Boolean> DISABLE_OVERLAP_SCHEDULE =
            flag("disable-overlap-schedule", "Plans a step only when the GPU has done the one before.");
    public static final EngineOption<Boolean> DISABLE_JUMP_FORWARD =
            flag("disable-jump-forward", "Draws every token, also where a request's grammar leaves only one text.");
    public static final EngineOption<String> CUDA_LIBRARY_PATH =
            text("cuda-library-path", null, "Folder with libcublasLt.so; default: where the system's loader finds it.");
    public static final EngineOption<String> TIME_MODEL = text(
            "time-model",
            null,
            "A JSON file that says how long a step lasts on the simulated device, such as those in bench/time-models.");
    public static final EngineOption<String> SIMULATED_CLOCK = choice(
            "simulated-clock",
            "real",
            "real waits as long as a simulated step lasts, virtual only counts it; virtual is for bench.",
            "real",
            "virtual");
    public static final EngineOption<Integer> CPU_THREADS =
            integer("cpu-threads", null, 1, "Threads of the CPU backend; default: the processors available.");
    public static final EngineOption<Long> RANDOM_SEED =
            whole("random-seed", "0", "Mixed into the random numbers of requests that name no seed of their own.");
    public static final EngineOption<Boolean> ENABLE_DETERMINISTIC_INFERENCE = flag(
            "enable-deterministic-inference",
            "The same text whatever else is in the batch, to the last bit; costs speed on CUDA. The CPU backend always works so.");
    public static final EngineOption<Integer> STREAM_INTERVAL =
            integer("stream-interval", "1", 1, "Tokens between two streamed chunks of one request.");
    public static final EngineOption<Double> DECODE_LOG_INTERVAL_SECONDS = number(
            "decode-log-interval-seconds", "10", 0.1, 86_400, "Seconds between two log lines about the decode batch.");
    public static final EngineOption<Double> WATCHDOG_TIMEOUT = number(
            "watchdog-timeout",
            "300",
            0.1,
            86_400,
            "Seconds that one step may take; then the engine counts as hung and is treated as failed.");
    public static final EngineOption<Double> ENGINE_KEEP_ALIVE = number(
            "engine-keep-alive",
            "0",
            0,
            604_800,
            "Seconds that an engine is kept, with weights and prefix cache, for the next job in the same JVM; 0 closes it at"
                    + " once.");
    public static final EngineOption<Integer> MAX_ENGINE_REBUILDS = integer(
            "max-engine-rebuilds",
            "5",
            0,
            "Failures of the engine within --engine-rebuild-window that a job heals by itself; one more fails the task.");
    public static final EngineOption<Integer> ENGINE_REBUILD_WINDOW =
            integer("engine-rebuild-window", "600", 1, "Seconds that a failure counts for --max-engine-rebuilds.");

    private static final List<EngineOption<?>> ALL = List.of(
            MODEL_PATH,
            TOKENIZER_PATH,
            SERVED_MODEL_NAME,
            CHAT_TEMPLATE,
            REASONING_PARSER,
            CONSTRAINED_JSON_WHITESPACE_PATTERN,
            CONSTRAINED_JSON_PROPERTY_ORDER,
            DTYPE,
            LOAD_FORMAT,
            KV_CACHE_DTYPE,
            CONTEXT_LENGTH,
            JSON_MODEL_OVERRIDE_ARGS,
            MEM_FRACTION_STATIC,
            MAX_TOTAL_TOKENS,
            MAX_RUNNING_REQUESTS,
            MAX_PREFILL_TOKENS,
            CHUNKED_PREFILL_SIZE,
            SCHEDULE_POLICY,
            SCHEDULE_CONSERVATIVENESS,
            DISABLE_RADIX_CACHE,
            RADIX_EVICTION_POLICY,
            PAGE_SIZE,
            DEVICE,
            BASE_GPU_ID,
            DISABLE_CUDA_GRAPH,
            CUDA_GRAPH_MAX_BS,
            SHARED_PREFIX_ATTENTION,
            DISABLE_OVERLAP_SCHEDULE,
            DISABLE_JUMP_FORWARD,
            CUDA_LIBRARY_PATH,
            TIME_MODEL,
            SIMULATED_CLOCK,
            CPU_THREADS,
            RANDOM_SEED,
            ENABLE_DETERMINISTIC_INFERENCE,
            STREAM_INTERVAL,
            DECODE_LOG_INTERVAL_SECONDS,
            WATCHDOG_TIMEOUT,
            ENGINE_KEEP_ALIVE,
            MAX_ENGINE_REBUILDS,
            ENGINE_REBUILD_WINDOW);

    private EngineOptions() {}

    /** Every option, in the order of the help. */
    public static List<EngineOption<?>> all() {
        return ALL;
    }

    private static EngineOption<String> text(String name, @Nullable String defaultValue, String help) {
        return new EngineOption<>(name, String.class, defaultValue, List.of(), help, EngineOptions::nonBlank);
    }

    private static EngineOption<String> choice(
            String name, @Nullable String defaultValue, String help, String... choices) {
        return new EngineOption<>(name, String.class, defaultValue, List.of(choices), help, Function.identity());
    }

    private static EngineOption<Integer> integer(String name, @Nullable String defaultValue, int least, String help) {
        return new EngineOption<>(name, Integer.class, defaultValue, List.of(), help, text -> {
            int value = Integer.parseInt(text);
            if (value < least) {
                throw new IllegalArgumentException("a whole number of at least " + least);
            }
            return value;
        });
    }

    private static EngineOption<Long> whole(String name, String defaultValue, String help) {
        return new EngineOption<>(name, Long.class, defaultValue, List.of(), help, Long::parseLong);
    }

    private static EngineOption<Double> number(
            String name, @Nullable String defaultValue, double least, double most, String help) {
        return new EngineOption<>(name, Double.class, defaultValue, List.of(), help, text -> {
            double value = Double.parseDouble(text);
            if (!(value >= least && value <= most)) {
                throw new IllegalArgumentException("a number from " + least + " to " + most);
            }
            return value;
        });
    }

    private static EngineOption<Boolean> flag(String name, String help) {
        return new EngineOption<>(name, Boolean.class, "false", List.of("true", "false"), help, Boolean::parseBoolean);
    }

    private static String nonBlank(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException("a non-empty value");
        }
        return text;
    }
}
