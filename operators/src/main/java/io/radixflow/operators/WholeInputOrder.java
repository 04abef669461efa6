package io.radixflow.operators;

import io.radixflow.operators.RangeCuts.Range;
import io.radixflow.schemas.DeadLetter;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.flink.api.common.functions.MapPartitionFunction;
import org.apache.flink.api.common.operators.Order;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.core.fs.FileSystem.WriteMode;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;
import org.jspecify.annotations.Nullable;

/**
 * The first stage of a bounded job in prefix order: all requests sorted by their tokens (Flink spills what does not fit into its managed
 * memory), written to one file, and cut into ranges, which the second stage's readers take one after the other. What could not be
 * prepared is kept beside them, since only the second stage writes the job's output.
 *
 * <p>The folder is the job's own and holds nothing that a later run could use.
 */
public final class WholeInputOrder {

    private static final String REQUESTS = "requests.run";
    private static final String RANGES = "ranges.txt";
    private static final String DEAD_LETTERS = "dead-letters.run";

    private WholeInputOrder() {}

    /** Adds the stage behind {@code prepare-prompt}; the environment must be in BATCH mode. */
    public static void write(
            DataStream<PreparedRequest> prepared, DataStream<DeadLetter> deadLetters, Path folder, int numEngines) {
        prepared.fullWindowPartition()
                .sortPartition(new ByTokens(), Order.ASCENDING)
                .name("sort-prompts")
                .setParallelism(1)
                .fullWindowPartition()
                .mapPartition(new WriteRequests(folder, numEngines))
                .returns(Types.LONG)
                .name("write-ranges")
                .setParallelism(1)
                .sinkTo(new DiscardingSink<>())
                .setParallelism(1);
        deadLetters
                .fullWindowPartition()
                .mapPartition(new WriteDeadLetters(folder))
                .returns(Types.LONG)
                .name("write-dead-letters")
                .setParallelism(1)
                .sinkTo(new DiscardingSink<>())
                .setParallelism(1);
    }

    /** The sorted requests in a folder, cut into ranges; empty if there was none. */
    public static List<FileSlice> requests(Path folder) throws IOException {
        List<FileSlice> ranges = new ArrayList<>();
        Path path = new Path(folder, RANGES);
        if (path.getFileSystem().exists(path)) {
            try (BufferedReader lines = new BufferedReader(
                    new InputStreamReader(path.getFileSystem().open(path), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    int space = line.indexOf(' ');
                    ranges.add(new FileSlice(
                            new Path(folder, REQUESTS).toString(),
                            Long.parseLong(line.substring(0, space)),
                            Long.parseLong(line.substring(space + 1))));
                }
            }
        }
        return ranges;
    }

    /** What could not be prepared; empty if there is nothing. */
    public static List<FileSlice> deadLetters(Path folder) throws IOException {
        Path path = new Path(folder, DEAD_LETTERS);
        return path.getFileSystem().exists(path)
                ? List.of(new FileSlice(
                        path.toString(),
                        0,
                        path.getFileSystem().getFileStatus(path).getLen()))
                : List.of();
    }

    /**
     * Records of a file that lie together.
     *
     * @param file its URI
     * @param from byte offset of the first
     * @param to byte offset behind the last
     */
    public record FileSlice(String file, long from, long to) implements Serializable {

        public RunFile.Reader<PreparedRequest> openRequests() throws IOException {
            return new RunFile.Reader<>(new PreparedRequestSerializer(), new Path(file), from, to);
        }

        public RunFile.Reader<DeadLetter> openDeadLetters() throws IOException {
            return new RunFile.Reader<>(new DeadLetterSerializer(), new Path(file), from, to);
        }
    }

    /** The order of {@link PrefixGrouping#RADIX_ORDER} as a key: the salt's characters, a mark below all tokens, the tokens. */
    static final class ByTokens implements KeySelector<PreparedRequest, int[]>, ResultTypeQueryable<int[]> {

        private static final long serialVersionUID = 1L;

        @Override
        public int[] getKey(PreparedRequest request) {
            String salt = request.cacheSalt();
            int[] tokens = request.promptIds();
            int at = 0;
            int[] key = new int[tokens.length + 1 + (salt == null ? 0 : salt.length() + 1)];
            if (salt != null) {
                key[at++] = 0; // behind those without a salt
                for (int i = 0; i < salt.length(); i++) {
                    key[at++] = salt.charAt(i);
                }
            }
            key[at++] = -1;
            System.arraycopy(tokens, 0, key, at, tokens.length);
            return key;
        }

        @Override
        public TypeInformation<int[]> getProducedType() {
            return PrimitiveArrayTypeInfo.INT_PRIMITIVE_ARRAY_TYPE_INFO;
        }
    }

    /** Tokens at the start of a prompt that the one before has too and that so are cached; the last one of a prompt never is. */
    static int sharedLen(@Nullable PreparedRequest before, PreparedRequest request) {
        if (before == null || !Objects.equals(before.cacheSalt(), request.cacheSalt())) {
            return 0;
        }
        int mismatch = Arrays.mismatch(before.promptIds(), request.promptIds());
        int common = mismatch < 0 ? request.promptIds().length : mismatch;
        return Math.min(common, request.promptIds().length - 1);
    }

    /** Writes the sorted requests and, when all are there, the ranges; gives their number. */
    private static final class WriteRequests implements MapPartitionFunction<PreparedRequest, Long> {

        private static final long serialVersionUID = 1L;

        private final String folder;
        private final int numEngines;

        private WriteRequests(Path folder, int numEngines) {
            this.folder = folder.toString();
            this.numEngines = numEngines;
        }

        @Override
        public void mapPartition(Iterable<PreparedRequest> requests, Collector<Long> out) throws IOException {
            RangeCuts cuts = new RangeCuts();
            long numRequests = 0;
            long end;
            try (RunFile.Writer<PreparedRequest> file =
                    new RunFile.Writer<>(new PreparedRequestSerializer(), new Path(new Path(folder), REQUESTS))) {
                PreparedRequest before = null;
                for (PreparedRequest request : requests) {
                    int shared = sharedLen(before, request);
                    long work = new RoutedRequest(request, 0, request.promptIds().length - shared).work();
                    cuts.add(file.position(), shared, work);
                    file.write(request);
                    before = request;
                    numRequests++;
                }
                end = file.position();
            }
            writeRanges(cuts.cut(numEngines, end));
            out.collect(numRequests);
        }

        private void writeRanges(List<Range> ranges) throws IOException {
            Path path = new Path(new Path(folder), RANGES);
            try (OutputStream file = path.getFileSystem().create(path, WriteMode.OVERWRITE)) {
                for (Range range : ranges) {
                    file.write((range.from() + " " + range.to() + "\n").getBytes(StandardCharsets.UTF_8));
                }
            }
        }
    }

    /** Writes what could not be prepared; gives its number. */
    private static final class WriteDeadLetters implements MapPartitionFunction<DeadLetter, Long> {

        private static final long serialVersionUID = 1L;

        private final String folder;

        private WriteDeadLetters(Path folder) {
            this.folder = folder.toString();
        }

        @Override
        public void mapPartition(Iterable<DeadLetter> letters, Collector<Long> out) throws IOException {
            long numLetters = 0;
            try (RunFile.Writer<DeadLetter> file =
                    new RunFile.Writer<>(new DeadLetterSerializer(), new Path(new Path(folder), DEAD_LETTERS))) {
                for (DeadLetter letter : letters) {
                    file.write(letter);
                    numLetters++;
                }
            }
            out.collect(numLetters);
        }
    }
}
