package io.radixflow.loop;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.cpu.CpuBackend;
import io.radixflow.backend.cuda.CudaBackend;
import io.radixflow.backend.cuda.PrefixSharing;
import io.radixflow.cache.EvictionOrder;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineOptions;
import io.radixflow.model.Model;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Models;
import io.radixflow.model.StoredTensor;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes an engine's parts from a configuration: opens the device, loads the weights, plans the memory. Logs what it finds. */
final class PartsLoader {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");
    private static final int MIN_SLOTS = 16;
    /** Prompts are scored by so many tokens at once, lest the output layer's weights be read for each of them. */
    private static final int MIN_LOGIT_ROWS = 32;

    private static final double BYTES_PER_GB = 1 << 30;

    private final EngineConfig config;
    private final ModelFiles files;
    private final int contextLen;
    private final DeviceDefaults device;

    PartsLoader(EngineConfig config, ModelFiles files) {
        this.config = config;
        this.files = files;
        contextLen = TextLoader.contextLen(config, files);
        device = DeviceDefaults.of(config);
    }

    EngineParts load() {
        checkWeightsFit();
        Backend backend = openBackend();
        try {
            return load(backend);
        } catch (RuntimeException | Error e) {
            backend.close();
            throw e;
        }
    }

    private EngineParts load(Backend backend) {
        LOG.info("Device: {}", backend.description());
        long before = backend.availableBytes();
        long started = System.nanoTime();
        int maxTokens = device.chunkedPrefillSize() + device.maxRunning();
        int maxLogitRows = Math.max(device.maxRunning(), Math.min(MIN_LOGIT_ROWS, maxTokens));
        Model model = Models.load(files, backend, maxTokens, maxLogitRows, contextLen);
        long after = backend.availableBytes();
        LOG.info(
                "Load weight end. type={}, avail mem={} GB, mem usage={} GB. Time elapsed: {} s.",
                files.config().architecture(),
                gigabytes(after),
                gigabytes(before - after),
                String.format(Locale.ROOT, "%.2f", (System.nanoTime() - started) / 1e9));
        KvCache kvCache = allocateKvCache(backend, model);
        SchedulerConfig scheduling = scheduling(config, kvCache.layout().numSlots(), contextLen);
        LOG.info(
                "max_total_num_tokens={}, chunked_prefill_size={}, max_prefill_tokens={}, max_running_requests={},"
                        + " context_len={}, available_gpu_mem={} GB",
                scheduling.numSlots(),
                scheduling.chunkedPrefillSize(),
                scheduling.maxPrefillTokens(),
                scheduling.maxRunning(),
                contextLen,
                gigabytes(backend.availableBytes()));
        Words words = Words.of(config, files);
        return new EngineParts(
                backend,
                model,
                kvCache,
                words.tokenBytes(),
                words.endIds(),
                scheduling,
                config.get(EngineOptions.DECODE_LOG_INTERVAL_SECONDS),
                words.jumpTokenizer());
    }

    private Backend openBackend() {
        if (device.isCuda()) {
            refuseUnbuilt(config.get(EngineOptions.DTYPE).equals("float32"), "--dtype float32");
            return new CudaBackend(new CudaBackend.Settings(
                    config.get(EngineOptions.BASE_GPU_ID),
                    device.memFractionStatic(),
                    config.find(EngineOptions.CUDA_LIBRARY_PATH).orElse(""),
                    device.chunkedPrefillSize() + device.maxRunning(),
                    device.maxRunning(),
                    config.get(EngineOptions.DISABLE_CUDA_GRAPH) ? 0 : config.get(EngineOptions.CUDA_GRAPH_MAX_BS),
                    !config.get(EngineOptions.DISABLE_OVERLAP_SCHEDULE),
                    config.get(EngineOptions.ENABLE_DETERMINISTIC_INFERENCE),
                    PrefixSharing.valueOf(
                            config.get(EngineOptions.SHARED_PREFIX_ATTENTION).toUpperCase(Locale.ROOT))));
        }
        int numThreads = config.find(EngineOptions.CPU_THREADS)
                .orElse(Runtime.getRuntime().availableProcessors());
        return new CpuBackend(numThreads, budgetBytes());
    }

    /** A share of the whole heap, so that Flink and the JVM keep the rest. */
    private long budgetBytes() {
        return (long) (device.memFractionStatic() * Runtime.getRuntime().maxMemory());
    }

    /** Packed weights are at least about as large as those in the files; said here, it comes before minutes of loading. */
    private void checkWeightsFit() {
        if (device.isCuda()) {
            return; // the GPU's memory, not the heap's; its allocations say what is missing
        }
        long weightBytes = 0;
        for (StoredTensor tensor : files.storedTensors()) {
            weightBytes += Math.max(0, tensor.numBytes());
        }
        if (weightBytes > budgetBytes()) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    files.name() + " has " + gigabytes(weightBytes) + " GB of weights, but --mem-fraction-static "
                            + device.memFractionStatic() + " of the Java heap leaves "
                            + gigabytes(budgetBytes()) + " GB for weights and KV cache; give Java more heap (-Xmx) or"
                            + " raise --mem-fraction-static");
        }
    }

    private static void refuseUnbuilt(boolean isAsked, String option) {
        if (isAsked) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    option + " is not built for --device cuda yet; leave it out or take --device cpu");
        }
    }

    private KvCache allocateKvCache(Backend backend, Model model) {
        ElementType type = kvType();
        long bytesPerSlot = model.kvLayout(1, type).bytesPerSlot();
        KvLayout layout = model.kvLayout(numSlots(backend, model.kvLayout(1, type)), type);
        KvCache kvCache = backend.allocateKvCache(layout);
        String size = gigabytes(bytesPerSlot * layout.numSlots() / 2);
        LOG.info(
                "KV Cache is allocated. dtype={}, #tokens: {}, K size: {} GB, V size: {} GB",
                type,
                layout.numSlots(),
                size,
                size);
        return kvCache;
    }

    /** What the user asks for if it fits, else all that is left after the weights. */
    private int numSlots(Backend backend, KvLayout oneSlot) {
        long available = backend.availableBytes() / oneSlot.bytesPerSlot();
        long mostIndexable = Integer.MAX_VALUE / ((long) oneSlot.numKvHeads() * oneSlot.headDim());
        long most = Math.min(available, mostIndexable);
        int asked = config.find(EngineOptions.MAX_TOTAL_TOKENS).orElse((int) most);
        if (asked > most || asked < MIN_SLOTS) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "memory left after the weights holds " + most + " tokens of KV cache ("
                            + oneSlot.bytesPerSlot() + " bytes each), needed are "
                            + Math.max(asked, MIN_SLOTS)
                            + "; raise --mem-fraction-static or the Java heap, or lower --max-total-tokens");
        }
        return asked;
    }

    private ElementType kvType() {
        boolean isExact = config.get(EngineOptions.DTYPE).equals("float32");
        return switch (config.get(EngineOptions.KV_CACHE_DTYPE)) {
            case "float32" -> ElementType.FLOAT32;
            case "float16" -> ElementType.FLOAT16;
            case "bfloat16" -> ElementType.BFLOAT16;
            default ->
                config.get(EngineOptions.DEVICE).equals("cuda")
                        ? ElementType.BFLOAT16
                        : isExact ? ElementType.FLOAT32 : ElementType.FLOAT16;
        };
    }

    /** Limits and policies for a pool of {@code numSlots} slots, as far as they are whole pages, and sequences of {@code contextLen} tokens. */
    static SchedulerConfig scheduling(EngineConfig config, int numSlots, int contextLen) {
        DeviceDefaults device = DeviceDefaults.of(config);
        int maxRunning = device.maxRunning();
        int pageSize = config.get(EngineOptions.PAGE_SIZE);
        int usableSlots = numSlots / pageSize * pageSize;
        if (usableSlots == 0) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "a pool of " + numSlots + " KV slots has no page of --page-size " + pageSize
                            + "; raise --max-total-tokens");
        }
        if (usableSlots < numSlots) {
            LOG.info("{} of {} KV slots are whole pages of {} and used", usableSlots, numSlots, pageSize);
        }
        if ((long) maxRunning * (Math.min(numSlots, contextLen) + pageSize) > Integer.MAX_VALUE) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "--max-running-requests " + maxRunning + " times a context of " + contextLen
                            + " tokens is too large a slot table; lower one of them");
        }
        return new SchedulerConfig(
                usableSlots,
                contextLen,
                maxRunning,
                device.chunkedPrefillSize(),
                config.get(EngineOptions.MAX_PREFILL_TOKENS),
                Policy.valueOf(constant(config.get(EngineOptions.SCHEDULE_POLICY))),
                config.get(EngineOptions.SCHEDULE_CONSERVATIVENESS),
                !config.get(EngineOptions.DISABLE_RADIX_CACHE),
                0,
                pageSize,
                EvictionOrder.valueOf(constant(config.get(EngineOptions.RADIX_EVICTION_POLICY))));
    }

    /** The enum constant of an option's choice. */
    private static String constant(String choice) {
        return choice.toUpperCase(Locale.ROOT).replace('-', '_');
    }

    private static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f", bytes / BYTES_PER_GB);
    }
}
