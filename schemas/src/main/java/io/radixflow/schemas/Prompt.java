package io.radixflow.schemas;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request as a record carries it, parsed and checked, whatever form it came in.
 *
 * @param kind which of OpenAI's two bodies
 * @param envelope the form of the record, so of its answer
 * @param customId null if the request names none
 * @param metadataJson an object as JSON text, copied to the answer, or null
 * @param input what the model reads
 * @param sampling how tokens are drawn
 * @param stops when the answer ends and how its text is cut
 * @param output what is wanted back
 * @param cacheSalt namespace of the prefix cache, or null
 * @param priority higher runs earlier under {@code --schedule-policy priority}
 * @param unknownFields names of fields that were ignored
 */
public record Prompt(
        Kind kind,
        Envelope envelope,
        @Nullable String customId,
        @Nullable String metadataJson,
        PromptInput input,
        SamplingFields sampling,
        StopFields stops,
        OutputFields output,
        @Nullable String cacheSalt,
        int priority,
        List<String> unknownFields) {

    /** Which of OpenAI's two bodies a request is. */
    public enum Kind {
        CHAT,
        COMPLETION
    }

    /** The form of a record. */
    public enum Envelope {
        /** A body as JSON. */
        BODY,
        /** A line of an OpenAI Batch file: a body with {@code custom_id}, method and URL around it. */
        BATCH_LINE,
        /** Avro's binary encoding of {@code PromptRecord}. */
        AVRO
    }

    public Prompt {
        unknownFields = List.copyOf(unknownFields);
    }

    Prompt inEnvelope(Envelope value, @Nullable String outerCustomId) {
        return new Prompt(
                kind,
                value,
                outerCustomId == null ? customId : outerCustomId,
                metadataJson,
                input,
                sampling,
                stops,
                output,
                cacheSalt,
                priority,
                unknownFields);
    }
}
