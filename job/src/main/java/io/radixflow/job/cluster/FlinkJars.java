package io.radixflow.job.cluster;

import io.radixflow.job.UserException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The jars that a cluster's processes run: those of a Flink distribution if the user has one, else those of the build, and
 * {@code radixflow-lib.jar}, which both have beside Flink's own.
 *
 * @param description which Flink it is, for people
 * @param classPath of JobManager and TaskManagers
 * @param pluginsDir the distribution's plugins, null without one
 * @param distribution its folder, null without one
 */
public record FlinkJars(
        String description,
        List<Path> classPath,
        @Nullable Path pluginsDir,
        @Nullable Path distribution) {

    /** Ours are built against this one and use what is not public API. */
    private static final String VERSION = "2.3.";

    private static final Pattern DIST_JAR = Pattern.compile("flink-dist-(.+)\\.jar");

    public FlinkJars {
        classPath = List.copyOf(classPath);
    }

    /**
     * @param built the build's folder with radixflow-lib.jar and flink/
     * @param distribution FLINK_HOME, or null to run the build's own Flink
     * @throws UserException if there is no Flink of a fitting version
     */
    public static FlinkJars find(Path built, @Nullable Path distribution) throws IOException {
        List<Path> jars = new ArrayList<>();
        String description;
        Path pluginsDir = null;
        if (distribution == null) {
            jars.addAll(jarsIn(built.resolve("flink")));
            description = "Flink of the build";
        } else {
            description = "Flink " + versionOf(distribution) + " of FLINK_HOME " + distribution;
            jars.addAll(jarsIn(distribution.resolve("lib")));
            pluginsDir = distribution.resolve("plugins");
        }
        jars.removeIf(jar -> jar.getFileName().toString().startsWith("radixflow-"));
        jars.add(engineJar(built));
        return new FlinkJars(description, jars, pluginsDir, distribution);
    }

    /** What goes into Flink's lib/. */
    public static Path engineJar(Path built) {
        return existing(built.resolve("radixflow-lib.jar"));
    }

    /** What is submitted. */
    public static Path jobJar(Path built) {
        return existing(built.resolve("radixflow-job.jar"));
    }

    String joined() {
        return String.join(
                File.pathSeparator, classPath.stream().map(Path::toString).toList());
    }

    private static Path existing(Path jar) {
        if (!Files.isReadable(jar)) {
            throw new UserException(
                    jar + " is not there; scripts/radixflow builds it, or: mvn -pl dist -am package -DskipTests");
        }
        return jar;
    }

    private static String versionOf(Path distribution) throws IOException {
        Path lib = distribution.resolve("lib");
        if (Files.isDirectory(lib)) {
            for (Path jar : jarsIn(lib)) {
                Matcher name = DIST_JAR.matcher(jar.getFileName().toString());
                if (name.matches() && name.group(1).startsWith(VERSION)) {
                    return name.group(1);
                }
                if (name.matches()) {
                    throw new UserException("FLINK_HOME " + distribution + " is Flink " + name.group(1)
                            + ", this is built for " + VERSION + "x; unset FLINK_HOME to run the build's own Flink");
                }
            }
        }
        throw new UserException("FLINK_HOME " + distribution + " holds no lib/flink-dist jar; set it to a Flink "
                + VERSION + "x folder, or unset it to run the build's own");
    }

    private static List<Path> jarsIn(Path dir) throws IOException {
        if (!Files.isDirectory(dir)) {
            throw new UserException(dir + " is not there; build it with: mvn -pl dist -am package -DskipTests");
        }
        try (Stream<Path> files = Files.list(dir)) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .sorted()
                    .toList();
        }
    }
}
