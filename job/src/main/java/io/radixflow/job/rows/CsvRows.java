package io.radixflow.job.rows;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.csv.CsvFactory;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import com.github.luben.zstd.ZstdIOException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/** Rows of a CSV file whose first line names the columns; values are texts, quoted or not. */
final class CsvRows implements RowReader {

    private static final String NO_UTF8 = "has bytes that are no UTF-8; convert it to UTF-8";
    private static final String BYTE_ORDER_MARK = "\ufeff";
    private static final CsvMapper CSV = new CsvMapper(CsvFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(JsonlRows.MAX_LINE_BYTES)
                    .build())
            .build());

    private static final CsvParser.Feature[] NO_NULLS = {};
    private static final CsvParser.Feature[] NULLS = {CsvParser.Feature.EMPTY_UNQUOTED_STRING_AS_NULL};

    private final InputStream in;
    private final MappingIterator<String[]> rows;
    private final RowEncoder encoder;
    private List<String> names = List.of();
    private long number;

    private CsvRows(InputStream in, char delimiter, RowEncoder encoder, boolean hasNulls) throws IOException {
        this.in = in;
        this.encoder = encoder;
        InputStreamReader text = new InputStreamReader(
                in,
                UTF_8.newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT));
        rows = CSV.readerFor(String[].class)
                .with(CsvParser.Feature.WRAP_AS_ARRAY)
                .with(CsvParser.Feature.SKIP_EMPTY_LINES)
                .withFeatures(hasNulls ? NULLS : NO_NULLS)
                .with(CsvSchema.emptySchema().withColumnSeparator(delimiter))
                .readValues(text);
    }

    /** Reads the names. @throws BrokenFileException if there are none or one stands twice */
    static CsvRows open(InputStream in, char delimiter, RowEncoder encoder) throws IOException {
        return open(in, delimiter, encoder, false);
    }

    /** Reads what {@link CsvTable} wrote: no value is null, not an empty text. */
    static CsvRows ofTable(InputStream in) throws IOException {
        return open(in, ',', new RowEncoder(false), true);
    }

    private static CsvRows open(InputStream in, char delimiter, RowEncoder encoder, boolean hasNulls)
            throws IOException {
        CsvRows rows;
        try {
            rows = new CsvRows(in, delimiter, encoder, hasNulls); // reads ahead
        } catch (CharacterCodingException e) {
            in.close();
            throw new BrokenFileException("it " + NO_UTF8, e);
        } catch (EOFException | ZipException | ZstdIOException e) {
            in.close();
            throw new BrokenFileException("it is broken: " + BrokenFileException.reason(e), e);
        }
        try {
            String[] header = rows.read();
            if (header == null) {
                throw new BrokenFileException("it is empty; its first line must name the columns");
            }
            for (int i = 0; i < header.length; i++) {
                header[i] = header[i] == null ? "" : header[i];
            }
            if (header[0].startsWith(BYTE_ORDER_MARK)) {
                header[0] = header[0].substring(1);
            }
            rows.names = List.of(header);
            long distinct = rows.names.stream().distinct().count();
            if (distinct < header.length) {
                throw new BrokenFileException("its first line names a column twice: " + String.join(", ", header));
            }
            return rows;
        } catch (IOException | RuntimeException e) {
            rows.close();
            throw e;
        }
    }

    Map<String, ColumnType> columns() {
        Map<String, ColumnType> columns = new LinkedHashMap<>();
        names.forEach(name -> columns.put(name, ColumnType.TEXT));
        return columns;
    }

    @Override
    public @Nullable Row next() throws IOException {
        String[] values = read();
        if (values == null) {
            return null;
        }
        number++;
        if (values.length != names.size()) {
            return new Row(
                    number,
                    String.join(",", values).getBytes(UTF_8),
                    "the row has " + values.length + " values, the first line names " + names.size() + " columns");
        }
        ObjectNode row = JsonNodeFactory.instance.objectNode();
        for (int i = 0; i < values.length; i++) {
            row.put(names.get(i), values[i]);
        }
        return Row.of(number, encoder.encode(row));
    }

    private String @Nullable [] read() throws IOException {
        try {
            return rows.hasNextValue() ? rows.nextValue() : null;
        } catch (CharacterCodingException e) {
            throw broken(NO_UTF8, e);
        } catch (EOFException | ZipException | ZstdIOException e) {
            throw broken("is broken: " + BrokenFileException.reason(e), e);
        } catch (JsonProcessingException e) {
            throw broken("is no CSV: " + e.getOriginalMessage(), e);
        } catch (ArrayIndexOutOfBoundsException e) {
            throw broken("is no CSV", e);
        }
    }

    private BrokenFileException broken(String what, Exception cause) {
        String place = number == 0 && names.isEmpty() ? "its first line" : "it, after row " + number + ",";
        return new BrokenFileException(place + " " + what.replaceAll("\\s*\\R\\s*", " "), cause);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
