package io.radixflow.job.kafka;

import io.radixflow.job.UserException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;

/** What is asked of a Kafka cluster before a job starts: topics that must exist, and the longest transaction it allows. */
public final class Topics {

    private static final int ANSWER_SECONDS = 20;
    private static final String TRANSACTION_LIMIT = "transaction.max.timeout.ms";

    private Topics() {}

    /**
     * Creates the topics that do not exist yet, with the broker's default replication.
     *
     * @return the names of those created
     * @throws UserException if the cluster does not answer or refuses
     */
    public static List<String> create(
            String bootstrapServers, Map<String, String> properties, List<String> names, int numPartitions) {
        try (Admin admin = admin(bootstrapServers, properties)) {
            Set<String> existing = admin.listTopics().names().get(ANSWER_SECONDS, TimeUnit.SECONDS);
            List<String> created = new ArrayList<>();
            for (String name : names) {
                if (!existing.contains(name) && create(admin, name, numPartitions)) {
                    created.add(name);
                }
            }
            return created;
        } catch (ExecutionException | TimeoutException e) {
            throw unreachable(bootstrapServers, e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** The least {@code transaction.max.timeout.ms} of the brokers, or empty if they do not tell (some hosted clusters do not). */
    public static OptionalLong maxTransactionMillis(String bootstrapServers, Map<String, String> properties) {
        try (Admin admin = admin(bootstrapServers, properties)) {
            List<ConfigResource> brokers = new ArrayList<>();
            for (Node node : admin.describeCluster().nodes().get(ANSWER_SECONDS, TimeUnit.SECONDS)) {
                brokers.add(new ConfigResource(ConfigResource.Type.BROKER, node.idString()));
            }
            return admin.describeConfigs(brokers).all().get(ANSWER_SECONDS, TimeUnit.SECONDS).values().stream()
                    .map(config -> config.get(TRANSACTION_LIMIT))
                    .filter(entry -> entry != null && entry.value() != null)
                    .mapToLong(entry -> Long.parseLong(entry.value()))
                    .min();
        } catch (ExecutionException e) {
            return OptionalLong.empty();
        } catch (TimeoutException e) {
            throw unreachable(bootstrapServers, e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static Admin admin(String bootstrapServers, Map<String, String> properties) {
        Map<String, Object> config = new HashMap<>(properties);
        config.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, ANSWER_SECONDS * 1000);
        config.putIfAbsent(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, ANSWER_SECONDS * 500);
        try {
            return Admin.create(config);
        } catch (org.apache.kafka.common.KafkaException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new UserException(
                    "Kafka at --bootstrap-servers " + bootstrapServers + " cannot be used: " + cause.getMessage(), e);
        }
    }

    private static boolean create(Admin admin, String name, int numPartitions)
            throws InterruptedException, TimeoutException {
        try {
            admin.createTopics(List.of(new NewTopic(name, Optional.of(numPartitions), Optional.empty())))
                    .all()
                    .get(ANSWER_SECONDS, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TopicExistsException) {
                return false; // another client was faster
            }
            throw new UserException("topic " + name + " does not exist and cannot be created: " + e.getMessage(), e);
        }
    }

    private static UserException unreachable(String bootstrapServers, Exception cause) {
        return new UserException(
                "no Kafka broker answers at " + bootstrapServers
                        + "; start one or name another with --bootstrap-servers",
                cause);
    }

    private static UserException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new UserException("interrupted while waiting for Kafka", e);
    }
}
