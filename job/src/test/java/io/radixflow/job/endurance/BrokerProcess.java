package io.radixflow.job.endurance;

import io.radixflow.job.kafka.EmbeddedBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** A Kafka broker in a JVM of its own, so that its memory and pauses are not the job's. */
final class BrokerProcess implements AutoCloseable {

    private static final Pattern READY = Pattern.compile("broker at (\\S+)");

    private final ChildJvm jvm;
    private final String bootstrapServers;

    private BrokerProcess(ChildJvm jvm, String bootstrapServers) {
        this.jvm = jvm;
        this.bootstrapServers = bootstrapServers;
    }

    static BrokerProcess start(Path dir) throws IOException, InterruptedException {
        ChildJvm jvm = ChildJvm.start(dir.resolve("broker.out"), List.of("-Xmx1g"), BrokerProcess.class, List.of());
        return new BrokerProcess(jvm, jvm.await(READY));
    }

    String bootstrapServers() {
        return bootstrapServers;
    }

    /** The broker's process: runs until it is told to end. */
    public static void main(String[] args) throws InterruptedException {
        EmbeddedBroker broker = EmbeddedBroker.start(0);
        Runtime.getRuntime().addShutdownHook(new Thread(broker::close, "stop-broker"));
        System.out.println("broker at " + broker.bootstrapServers());
        Thread.currentThread().join();
    }

    @Override
    public void close() {
        jvm.close();
    }
}
