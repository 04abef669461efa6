package io.radixflow.job.cluster;

import java.util.List;
import java.util.Map;

/**
 * One process of the cluster as the supervisor starts it, each time it has to.
 *
 * @param name unique in the cluster; names the log file too
 * @param port that it listens on when others may be started, 0 if nobody waits for it
 */
public record ProcessSpec(String name, List<String> command, Map<String, String> environment, int port) {

    public ProcessSpec {
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
    }
}
