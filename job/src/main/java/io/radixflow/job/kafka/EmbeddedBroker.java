package io.radixflow.job.kafka;

import io.radixflow.job.UserException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka broker (one KRaft node, broker and controller in one) inside this process. Its data lie in a folder that outlives
 * it, or in a temporary one that {@link #close()} removes.
 */
public final class EmbeddedBroker implements AutoCloseable {

    private static final String HOST = "127.0.0.1";

    private final KafkaRaftServer server;
    private final @Nullable Path temporaryDir;
    private final int port;

    private EmbeddedBroker(KafkaRaftServer server, @Nullable Path temporaryDir, int port) {
        this.server = server;
        this.temporaryDir = temporaryDir;
        this.port = port;
    }

    /**
     * Starts a broker with empty storage; returns when it takes clients.
     *
     * @param port of the client listener on the loopback interface, 0 for a free one
     * @throws UserException if the port is taken
     */
    public static EmbeddedBroker start(int port) {
        try {
            Path dataDir = Files.createTempDirectory("radixflow-kafka-");
            try {
                return start(port, dataDir, dataDir);
            } catch (RuntimeException e) {
                delete(dataDir);
                throw e;
            }
        } catch (IOException e) {
            throw new UserException("the Kafka broker cannot write its data: " + e.getMessage(), e);
        }
    }

    /**
     * Starts a broker over data that stay, those of its last run if there are any; returns when it takes clients.
     *
     * @param port of the client listener on the loopback interface
     * @throws UserException if the port is taken
     */
    public static EmbeddedBroker start(int port, Path dataDir) {
        return start(port, dataDir, null);
    }

    private static EmbeddedBroker start(int port, Path dataDir, @Nullable Path temporaryDir) {
        int clientPort = port == 0 ? freePort() : port;
        if (!isFree(clientPort)) {
            throw new UserException("port " + clientPort + " for Kafka is in use; choose another with --port");
        }
        KafkaRaftServer server = null;
        try {
            Files.createDirectories(dataDir);
            Properties properties = properties(dataDir, clientPort, freePort());
            if (!Files.exists(dataDir.resolve("log/meta.properties"))) {
                format(dataDir, properties);
            }
            server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
            server.startup();
            return new EmbeddedBroker(server, temporaryDir, clientPort);
        } catch (IOException e) {
            throw new UserException("the Kafka broker cannot write its data: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            if (server != null) {
                server.shutdown();
            }
            throw e;
        }
    }

    public String bootstrapServers() {
        return HOST + ":" + port;
    }

    public int port() {
        return port;
    }

    /** Stops the broker and removes its data if they are temporary. */
    @Override
    public void close() {
        server.shutdown();
        server.awaitShutdown();
        if (temporaryDir != null) {
            delete(temporaryDir);
        }
    }

    /** Whether nothing listens on the loopback interface's port. */
    public static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** A port that was free a moment ago. */
    public static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Properties properties(Path dataDir, int clientPort, int controllerPort) {
        Properties p = new Properties();
        p.setProperty("process.roles", "broker,controller");
        p.setProperty("node.id", "1");
        p.setProperty("log.dirs", dataDir.resolve("log").toString());
        p.setProperty(
                "listeners", "CLIENT://" + HOST + ":" + clientPort + ",CONTROLLER://" + HOST + ":" + controllerPort);
        p.setProperty("advertised.listeners", "CLIENT://" + HOST + ":" + clientPort);
        p.setProperty("listener.security.protocol.map", "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        p.setProperty("inter.broker.listener.name", "CLIENT");
        p.setProperty("controller.listener.names", "CONTROLLER");
        p.setProperty("controller.quorum.voters", "1@" + HOST + ":" + controllerPort);
        for (String single : List.of(
                "offsets.topic.replication.factor",
                "transaction.state.log.replication.factor",
                "transaction.state.log.min.isr",
                "share.coordinator.state.topic.replication.factor",
                "share.coordinator.state.topic.min.isr",
                "offsets.topic.num.partitions",
                "transaction.state.log.num.partitions",
                "share.coordinator.state.topic.num.partitions")) {
            p.setProperty(single, "1");
        }
        p.setProperty("group.initial.rebalance.delay.ms", "0");
        p.setProperty("log.cleaner.dedupe.buffer.size", Integer.toString(2 << 20));
        return p;
    }

    private static void format(Path dataDir, Properties properties) throws IOException {
        Path file = dataDir.resolve("server.properties");
        try (var out = Files.newBufferedWriter(file)) {
            properties.store(out, null);
        }
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        String[] arguments = {"format", "-t", Uuid.randomUuid().toString(), "-c", file.toString()};
        int status = StorageTool.execute(arguments, new PrintStream(said, true, StandardCharsets.UTF_8));
        if (status != 0) {
            throw new IOException("formatting failed: " + said.toString(StandardCharsets.UTF_8));
        }
    }

    private static void delete(Path dir) {
        try (Stream<Path> paths = Files.walk(dir)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + dir, e);
        }
    }
}
