package io.radixflow.schemas;

import io.radixflow.schemas.avro.CompletionChoice;
import io.radixflow.schemas.avro.CompletionRecord;
import io.radixflow.schemas.avro.TokenUsage;
import io.radixflow.schemas.avro.TopScore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.jspecify.annotations.Nullable;

/** Whole answers as Avro's binary {@code CompletionRecord}. */
public final class AvroAnswers {

    private AvroAnswers() {}

    static byte[] encode(AnswerHead head, List<AnswerChoice> choices, Usage usage) {
        CompletionRecord record = new CompletionRecord();
        record.setCustomId(head.customId());
        record.setId(head.id());
        record.setObject(head.object());
        record.setModel(head.model());
        record.setCreated(head.createdSeconds());
        record.setMetadata(head.metadataJson());
        record.setUsage(usage(usage));
        List<CompletionChoice> records = new ArrayList<>(choices.size());
        for (AnswerChoice choice : choices) {
            records.add(choice(choice));
        }
        record.setChoices(records);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        BinaryEncoder out = EncoderFactory.get().binaryEncoder(bytes, null);
        try {
            new SpecificDatumWriter<>(CompletionRecord.class).write(record, out);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    /** @throws IOException if the bytes are no record */
    public static CompletionRecord decode(byte[] value) throws IOException {
        try {
            return new SpecificDatumReader<>(CompletionRecord.class).read(null, new BoundedDecoder(value));
        } catch (AvroRuntimeException | IndexOutOfBoundsException e) {
            // Avro answers a union branch that is not there by an index out of bounds.
            throw new IOException("not Avro's binary encoding: " + e.getMessage(), e);
        }
    }

    private static TokenUsage usage(Usage usage) {
        TokenUsage record = new TokenUsage();
        record.setPromptTokens(usage.promptTokens());
        record.setCompletionTokens(usage.completionTokens());
        record.setTotalTokens(usage.promptTokens() + usage.completionTokens());
        record.setCachedTokens(usage.cachedTokens());
        record.setReasoningTokens(usage.reasoningTokens());
        return record;
    }

    private static CompletionChoice choice(AnswerChoice choice) {
        CompletionChoice record = new CompletionChoice();
        record.setIndex(choice.index());
        record.setText(choice.text());
        record.setReasoningContent(choice.reasoning());
        record.setFinishReason(choice.finish().wireName());
        StopMatch stop = choice.stop();
        if (stop != null) {
            record.setMatchedStop(stop.text() == null ? stop.tokenId() : stop.text());
        }
        record.setTokenIds(Arrays.stream(choice.tokenIds()).boxed().toList());
        record.setLogprobs(scores(choice.scores()));
        record.setPromptLogprobs(scores(choice.promptScores()));
        return record;
    }

    private static @Nullable List<io.radixflow.schemas.avro.TokenScore> scores(@Nullable List<TokenScore> scores) {
        if (scores == null) {
            return null;
        }
        List<io.radixflow.schemas.avro.TokenScore> records = new ArrayList<>(scores.size());
        for (TokenScore score : scores) {
            List<TopScore> top = new ArrayList<>(score.top().size());
            for (TokenScore.TopScore other : score.top()) {
                top.add(new TopScore(other.tokenId(), ByteBuffer.wrap(other.bytes()), other.logprob()));
            }
            records.add(new io.radixflow.schemas.avro.TokenScore(
                    score.tokenId(), ByteBuffer.wrap(score.bytes()), score.logprob(), top));
        }
        return records;
    }
}
