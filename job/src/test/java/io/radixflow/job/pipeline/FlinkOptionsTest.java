package io.radixflow.job.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.radixflow.engine.EngineOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlinkOptionsTest {

    @Test
    void hasAKeyForEachRowOfTheTable() {
        assertThat(FlinkOptions.all())
                .extracting(option -> option.key())
                .containsExactlyElementsOf(EngineOptions.all().stream()
                        .map(option -> "radixflow." + option.name())
                        .toList());
    }

    @Test
    void readsWhatIsSetAndNothingElse() {
        Configuration config = Configuration.fromMap(
                Map.of("radixflow.cpu-threads", "2", "radixflow.disable-radix-cache", "true", "rest.port", "1"));
        assertThat(FlinkOptions.engineTexts(config))
                .containsOnly(entry("cpu-threads", "2"), entry("disable-radix-cache", "true"));
    }

    @Test
    void findsTheNewestCheckpointOfEarlierRuns(@TempDir Path dir) throws Exception {
        assertThat(JobEnvironment.newestCheckpoint(dir.resolve("none"))).isEmpty();
        assertThat(JobEnvironment.newestCheckpoint(dir)).isEmpty();
        Path old = Files.createDirectories(dir.resolve("job1/chk-9"));
        Path newer = Files.createDirectories(dir.resolve("job2/chk-3"));
        Files.writeString(old.resolve("_metadata"), "");
        Files.setLastModifiedTime(
                Files.writeString(newer.resolve("_metadata"), ""),
                FileTime.fromMillis(System.currentTimeMillis() + 60_000));
        assertThat(JobEnvironment.newestCheckpoint(dir)).contains(newer);
    }
}
