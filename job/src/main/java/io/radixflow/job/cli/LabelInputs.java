package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import io.radixflow.job.rows.BrokenFileException;
import io.radixflow.job.rows.ColumnType;
import io.radixflow.job.rows.RowFormat;
import io.radixflow.job.rows.RowInput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The input files of a labelling run. What makes one unreadable is found here, before anything starts.
 *
 * @param files in the order that they are read in
 * @param input how they are read
 */
record LabelInputs(List<Path> files, RowInput input) {

    /** @throws UserException if a path is not there, a folder has no files of rows, or two files have the same name */
    static LabelInputs find(List<Path> paths, RowInput input) {
        List<Path> files = new ArrayList<>();
        for (Path path : paths) {
            if (Files.isDirectory(path)) {
                files.addAll(inside(path, input));
            } else if (!Files.isReadable(path)) {
                throw new UserException("--input " + path + " does not exist or cannot be read");
            } else if (input.format() == null && RowFormat.ofFileName(name(path)) == null) {
                throw new UserException("--input " + path + ": its name does not tell its format; name it with"
                        + " --input-format " + RowFormat.names());
            } else {
                files.add(path);
            }
        }
        long distinctNames = files.stream().map(LabelInputs::name).distinct().count();
        if (distinctNames < files.size()) {
            throw new UserException("two input files have the same name; answers are told apart by file name and row");
        }
        return new LabelInputs(List.copyOf(files), input);
    }

    private static List<Path> inside(Path folder, RowInput input) {
        try (Stream<Path> inside = Files.list(folder)) {
            List<Path> files = inside.filter(Files::isRegularFile)
                    .filter(path -> !name(path).startsWith("."))
                    .filter(path -> input.format() != null || RowFormat.ofFileName(name(path)) != null)
                    .sorted()
                    .toList();
            if (files.isEmpty()) {
                throw new UserException("--input " + folder + " holds no files of " + RowFormat.names());
            }
            return files;
        } catch (IOException e) {
            throw new UserException("--input " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }

    /** For the job. */
    List<String> uris() {
        return files.stream()
                .map(path -> path.toAbsolutePath().toUri().toString())
                .toList();
    }

    /** @throws UserException naming the first file that is broken, and where */
    long countRows() {
        long rows = 0;
        for (Path file : files) {
            rows += ask(file, input::countRows);
        }
        return rows;
    }

    /** The columns that all files which declare theirs have in common; of a type of their own only if all say the same. */
    Map<String, ColumnType> columns() {
        Map<String, ColumnType> common = new LinkedHashMap<>();
        boolean isFirst = true;
        for (Path file : files) {
            Map<String, ColumnType> columns = ask(file, input::columns);
            if (isFirst) {
                common.putAll(columns);
                isFirst = false;
            } else {
                common.keySet().retainAll(columns.keySet());
                common.replaceAll((name, type) -> columns.get(name) == type ? type : ColumnType.TEXT);
            }
        }
        return common;
    }

    /** @throws UserException if a file that declares its columns has none of that name */
    void checkHas(String column, String wantedBy) {
        for (Path file : files) {
            Map<String, ColumnType> columns = ask(file, input::columns);
            if (!columns.isEmpty() && !columns.containsKey(column)) {
                throw new UserException(file + " has no column '" + column + "', which " + wantedBy + " names; it has "
                        + String.join(", ", columns.keySet()));
            }
        }
    }

    /** A question about a file. */
    private interface Question<T> {
        T ask(org.apache.flink.core.fs.Path file) throws IOException;
    }

    private static <T> T ask(Path file, Question<T> question) {
        try {
            return question.ask(
                    new org.apache.flink.core.fs.Path(file.toAbsolutePath().toUri()));
        } catch (BrokenFileException e) {
            throw new UserException("--input " + file + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new UserException("--input " + file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
