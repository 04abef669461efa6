package io.radixflow.schemas;

import io.radixflow.schemas.avro.PromptRecord;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificDatumReader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Readers of prompts for each schema that producers wrote them with, kept by the registry's ids.
 *
 * <p>An id that the registry doesn't know, or whose schema can't be read, is an answer about the record. A registry that is down,
 * or refuses us, is none: then the caller waits until it answers, so that no record is given up for it. Owned by one thread.
 */
final class WriterSchemas {

    /** Lets time pass. */
    interface Pause {
        void await(long millis) throws InterruptedException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(WriterSchemas.class);
    private static final int MAX_KEPT = 1_000;
    private static final int MAX_PARTS = 2_000;
    private static final long FIRST_PAUSE_MILLIS = 200;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;
    private static final long WARN_NANOS = TimeUnit.SECONDS.toNanos(30);
    /** A schema never changes, but one that was not there may come. */
    private static final long REFUSAL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final SchemaRegistry registry;
    private final String registryName;
    private final Pause pause;
    private final LongSupplier nanoClock;
    private final Map<Integer, Known> known = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Known> eldest) {
            return size() > MAX_KEPT;
        }
    };

    /** What was answered about an id: a reader or a refusal, and when. */
    private record Known(
            @Nullable SpecificDatumReader<PromptRecord> reader,
            @Nullable RecordException refusal,
            long nanos) {}

    WriterSchemas(RegistryAccess access) {
        this(access, Thread::sleep, System::nanoTime);
    }

    WriterSchemas(RegistryAccess access, Pause pause, LongSupplier nanoClock) {
        registry = new SchemaRegistry(access);
        registryName = access.toString();
        this.pause = pause;
        this.nanoClock = nanoClock;
    }

    /**
     * The reader for what was written with the schema of this id. Waits, without limit, for a registry that doesn't answer.
     *
     * @throws RecordException {@code invalid_request} if there is no such schema or it can't be read
     * @throws CancellationException if the thread is interrupted while it waits
     */
    SpecificDatumReader<PromptRecord> readerOf(int id) throws RecordException {
        Known found = known.get(id);
        if (found == null || (found.refusal != null && nanoClock.getAsLong() - found.nanos > REFUSAL_NANOS)) {
            found = ask(id);
            known.put(id, found);
        }
        if (found.refusal != null) {
            throw found.refusal;
        }
        return Objects.requireNonNull(found.reader);
    }

    private Known ask(int id) {
        long warnedNanos = nanoClock.getAsLong() - WARN_NANOS;
        long pauseMillis = FIRST_PAUSE_MILLIS;
        try {
            while (true) {
                try {
                    Schema schema = registry.schema(id);
                    var reader = new SpecificDatumReader<PromptRecord>(schema, PromptRecord.getClassSchema());
                    return new Known(reader, null, nanoClock.getAsLong());
                } catch (RecordException e) {
                    return new Known(null, e, nanoClock.getAsLong());
                } catch (RegistryException e) {
                    if (nanoClock.getAsLong() - warnedNanos >= WARN_NANOS) {
                        warnedNanos = nanoClock.getAsLong();
                        LOG.warn(
                                "Waiting for the schema registry {}, records and checkpoints with it: {}",
                                registryName,
                                e.getMessage());
                    }
                }
                pause.await(pauseMillis);
                pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, 2 * pauseMillis);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted while waiting for the schema registry");
        }
    }

    /**
     * A schema's text.
     *
     * @throws RecordException {@code invalid_request} if it is none, or so large (also without end) that a few bytes written with
     *     it could cost much
     */
    static Schema parse(int id, String text) throws RecordException {
        Schema schema;
        try {
            schema = new Schema.Parser().parse(text);
        } catch (RuntimeException | StackOverflowError e) { // its parser throws many kinds
            throw RequestFields.invalid("the value's schema id " + id + " is no Avro schema");
        }
        if (numParts(schema, 0) > MAX_PARTS) {
            throw RequestFields.invalid("the value's schema id " + id + " is recursive or has more than " + MAX_PARTS
                    + " parts; a PromptRecord has " + numParts(PromptRecord.getClassSchema(), 0));
        }
        return schema;
    }

    /** The types that the schema consists of, each as often as it is used, added to {@code before}; ends when they are too many. */
    private static int numParts(Schema schema, int before) {
        int parts = before + 1;
        if (parts > MAX_PARTS) {
            return parts;
        }
        return switch (schema.getType()) {
            case ARRAY -> numParts(schema.getElementType(), parts);
            case MAP -> numParts(schema.getValueType(), parts);
            case UNION -> {
                for (Schema branch : schema.getTypes()) {
                    parts = numParts(branch, parts);
                }
                yield parts;
            }
            case RECORD -> {
                for (Schema.Field field : schema.getFields()) {
                    parts = numParts(field.schema(), parts);
                }
                yield parts;
            }
            default -> parts;
        };
    }
}
