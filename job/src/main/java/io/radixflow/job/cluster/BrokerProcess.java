package io.radixflow.job.cluster;

import io.radixflow.job.kafka.EmbeddedBroker;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** The Kafka broker as a process of its own, over data that outlive it. */
public final class BrokerProcess {

    private BrokerProcess() {}

    /** @param arguments the port and the data folder */
    public static void main(String[] arguments) throws Exception {
        EmbeddedBroker broker = EmbeddedBroker.start(Integer.parseInt(arguments[0]), Path.of(arguments[1]));
        CountDownLatch never = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(broker::close, "stop"));
        never.await();
    }
}
