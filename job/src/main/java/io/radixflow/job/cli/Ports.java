package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import io.radixflow.job.kafka.EmbeddedBroker;
import org.jspecify.annotations.Nullable;

/** Chooses ports that servers of this process listen on. */
final class Ports {

    private Ports() {}

    /**
     * The wanted port, which must be free, or the usual one, or a free one if the usual is taken: who named a port has
     * told others of it, who did not only wants it to run.
     */
    static int choose(@Nullable Integer wanted, int usual, String what, String flag) {
        if (wanted == null) {
            return EmbeddedBroker.isFree(usual) ? usual : EmbeddedBroker.freePort();
        }
        if (wanted < 0 || wanted > 65_535) {
            throw new UserException(flag + " takes a port from 0 (any) to 65535, got " + wanted);
        }
        if (wanted == 0) {
            return EmbeddedBroker.freePort();
        }
        if (!EmbeddedBroker.isFree(wanted)) {
            throw new UserException("port " + wanted + " for " + what + " is in use; choose another with " + flag
                    + ", or leave the flag out to get a free one");
        }
        return wanted;
    }
}
